package runs

import (
	"context"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// large is a run of so many rows in batches, whose keys are those of its rows' numbers.
type large struct {
	Syncs
	Recorded
	Mirrors
	Connections
	Ledger
	rows []int64
}

func (l *large) Current(context.Context, string) (syncdef.Version, error) {
	return syncdef.Version{ID: "v1", Definition: syncdef.Definition{Mirror: &syncdef.Mirror{MaxDeletes: "5%"}}}, nil
}

func (l *large) Connection(context.Context, string) (syncdef.Stored, error) {
	return syncdef.Stored{}, nil
}

func (l *large) EntriesAfter(context.Context, string, string, int) ([]ledger.Entry, string, error) {
	return nil, "", nil
}

func (l *large) Batches(context.Context, string) ([]run.Batch, error) {
	var all []run.Batch
	for _, rows := range l.rows {
		all = append(all, run.Batch{Sequence: 2, Seen: true, Counts: run.Counts{Received: rows}})
	}
	return all, nil
}

func (l *large) Seen(_ context.Context, _ string, each func(string, int, []byte) error) error {
	for _, key := range []string{"b", "c", "a"} {
		if err := each(key, 0, run.AppendSeen(nil, run.KeyHash(key), run.KeyHash(key+key))); err != nil {
			return err
		}
	}
	return nil
}

// A run of more rows than a sweep holds the keys of removes nothing, says why, and reads none
// of them.
func TestMirrorOfTooManyRows(t *testing.T) {
	for rows, refused := range map[int64]bool{maxRows: false, maxRows + 1: true} {
		l := &large{rows: []int64{maxRows - 1, rows - (maxRows - 1)}}
		s := &Sweep{Stores: Stores{Syncs: l, Recorded: l}}
		r := run.Run{ID: "s.r1", Expected: rows, Sequence: 1, Mirror: &run.Mirror{}}
		why, err := s.mayMirror(t.Context(), syncdef.Version{ID: "v1"}, &r)
		if err != nil || refused != strings.Contains(why, "5000001 rows, and a mirror compares at most 5000000") || !refused && why != "" {
			t.Errorf("%d rows: %q, %v", rows, why, err)
		}
	}
}

// A plan says so too.
func TestPlanOfTooManyRows(t *testing.T) {
	l := &large{}
	c := &Control{Stores: Stores{Syncs: l, Connections: l, Ledger: l}}
	for rows, refused := range map[int64]bool{maxRows: false, maxRows + 1: true} {
		p, err := c.PlanMirror(t.Context(), "s", &Sight{rows: rows}, nil)
		if err != nil || refused != strings.Contains(p.Refused, "5000001 rows") {
			t.Errorf("%d rows: %+v, %v", rows, p, err)
		}
	}
}

// The keys of a run are found among its hashes, in whichever order these come.
func TestKeysSeen(t *testing.T) {
	l := &large{}
	s := &Sweep{Stores: Stores{Mirrors: l}}
	for _, rows := range []int64{0, 6, maxRows} {
		saw, err := s.keysSeen(t.Context(), "s.r1", rows)
		if err != nil || len(saw) != 6 || cap(saw) < int(rows) {
			t.Fatalf("%d, %v", len(saw), err)
		}
		for key, want := range map[string]bool{"a": true, "bb": true, "cc": true, "": false, "d": false, "ab": false} {
			if saw.has(key) != want {
				t.Errorf("%q is seen: %v", key, !want)
			}
		}
	}
}
