package run

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	begun  = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	policy = Policy{Quiet: 2 * time.Minute, GiveUp: time.Hour}
)

func at(s int) time.Time { return begun.Add(time.Duration(s) * time.Second) }

// batch is one of 10 rows received at second s: 1 rejected, 9 queued; done says
// whether the worker recorded them, one second later.
func batch(s int, sent, done bool) Batch {
	b := Batch{
		Sent: sent, Place: at(s).UnixNano(), Cursor: `"2026-01-05"`,
		Cut: []Cut{{0, 9}}, Counts: Counts{Received: 10, Queued: 9, Rejected: 1},
	}
	if done {
		b.Chunks = map[int]Chunk{0: {Done: true, At: at(s + 1), Counts: Counts{Delivered: 5, Unchanged: 2, Superseded: 1, Failed: 1, Calls: 1}}}
	}
	return b
}

func TestSettle(t *testing.T) {
	implicit := Run{Status: Open, BegunAt: begun, Expected: -1}
	bracketed := Run{Status: Open, Bracketed: true, BegunAt: begun, Expected: -1}
	finished := Run{Status: Finishing, Bracketed: true, BegunAt: begun, FinishedAt: at(5), Expected: 10}
	for _, c := range []struct {
		name      string
		run       Run
		batches   []Batch
		now       int
		want      Status
		reason    string
		watermark string
	}{
		{"implicit, rows may still come", implicit, []Batch{batch(0, true, true)}, 60, Open, "", ""},
		{"implicit, quiet and settled", implicit, []Batch{batch(0, true, true)}, 200, Complete, "", ""},
		{"implicit, quiet, rows on their way", implicit, []Batch{batch(0, true, false)}, 200, Finishing, "", ""},
		{"implicit, a batch half sent", implicit, []Batch{batch(0, false, false)}, 200, Open, "", ""},
		{"bracketed, not finished", bracketed, []Batch{batch(0, true, true)}, 1800, Open, "", ""},
		{"bracketed, never finished", bracketed, []Batch{batch(0, true, true)}, 3700, Incomplete, "penstock_finish was not called within the quiet hour", ""},
		{"finished and settled", finished, []Batch{batch(0, true, true)}, 6, Complete, "", `"2026-01-05"`},
		{"finished, rows not there yet", finished, nil, 6, Finishing, "0 rows were received, finish announced 10: call penstock_finish again with the right number; rows that are missing need another run", ""},
		{"finished, a row missing", finished, []Batch{batch(0, true, false)}, 6, Finishing, "", ""},
		{"finished, never settled", finished, []Batch{batch(0, true, false)}, 3700, Incomplete, "9 of 10 rows did not settle", ""},
		{"finished, fewer rows than announced", finished, nil, 3700, Incomplete, "0 rows were received, finish announced 10", ""},
		{"finished, a batch half sent", finished, []Batch{batch(0, false, true)}, 3700, Incomplete, "1 batches were not wholly queued and the warehouse did not retry them", ""},
		{"ended stays ended", Run{Status: Cancelled, BegunAt: begun}, []Batch{batch(0, true, true)}, 9999, Cancelled, "", ""},
	} {
		got, watermark := Settle(c.run, c.batches, at(c.now), policy)
		if got.Status != c.want || got.Reason != c.reason || watermark != c.watermark {
			t.Errorf("%s: %s %q watermark %q, want %s %q %q", c.name, got.Status, got.Reason, watermark, c.want, c.reason, c.watermark)
		}
	}
}

// I4: a blocked row keeps the watermark where it is, and so does an older cursor.
func TestWatermarkStays(t *testing.T) {
	r := Run{Status: Finishing, Bracketed: true, BegunAt: begun, FinishedAt: at(1), Expected: 10}
	blocked := batch(0, true, true)
	blocked.Counts = Counts{Received: 10, Queued: 9, Blocked: 1}
	if got, w := Settle(r, []Batch{blocked}, at(9), policy); got.Status != Complete || w != "" {
		t.Errorf("blocked: %s %q", got.Status, w)
	}
	r.From = `"2026-02-01"`
	if got, w := Settle(r, []Batch{batch(0, true, true)}, at(9), policy); got.Status != Complete || w != "" {
		t.Errorf("older: %s %q", got.Status, w)
	}
}

func TestTotalsAddUp(t *testing.T) {
	got, _ := Settle(Run{Status: Open, BegunAt: begun}, []Batch{batch(0, true, true), batch(3, true, true)}, at(999), policy)
	want := Counts{Received: 20, Queued: 18, Rejected: 2, Superseded: 2, Delivered: 10, Unchanged: 4, Failed: 2, Calls: 2}
	if d := cmp.Diff(want, got.Counts); d != "" {
		t.Error(d)
	}
	if !got.EndedAt.Equal(at(4)) {
		t.Errorf("ended %v: the last row settled at %v", got.EndedAt, at(4))
	}
}

func TestLater(t *testing.T) {
	for _, c := range [][3]string{
		{"", `"a"`, `"a"`}, {`"2026-01-01"`, `"2025-12-31"`, `"2026-01-01"`}, {"9", "10", "10"},
		{"9007199254740993", "9007199254740992", "9007199254740993"}, {"null", "3", "3"}, {"1e999999999", "2", "2"},
	} {
		if got := Later(c[0], c[1]); got != c[2] {
			t.Errorf("Later(%s, %s) = %s", c[0], c[1], got)
		}
	}
}
