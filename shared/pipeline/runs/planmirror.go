package runs

import (
	"context"
	"fmt"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// A Sight is what a planned full run of a mirror saw. Its zero value saw nothing.
type Sight struct {
	rows    int64
	keyless int
	keys    map[uint64]bool
}

func (s *Sight) add(checked []run.Checked) {
	if s.keys == nil {
		s.keys = map[uint64]bool{}
	}
	for _, x := range checked {
		switch s.rows++; {
		case x.Key != "":
			s.keys[run.KeyHash(x.Key)] = true
		case !x.Delete || x.Status != row.Queued:
			s.keyless++
		}
	}
}

// MirrorPlan is what a full run would remove.
type MirrorPlan struct {
	Held    int64  `json:"held"` // records that the sync wrote and that are there
	Rows    int64  `json:"rows"` // of them, those that left the model
	Refused string `json:"refused,omitempty"`
}

// PlanMirror says what a full run that saw so much would remove, and calls each for every
// record of it, also where it would be refused; nil where the sync is no mirror. Nothing
// is written.
func (c *Control) PlanMirror(ctx context.Context, sync string, s *Sight, each func(Planned)) (*MirrorPlan, error) {
	v, err := c.current(ctx, "penstock_plan", sync)
	if err != nil || v.Definition.Mirror == nil {
		return nil, err
	}
	target, err := c.target(ctx, v)
	if err != nil {
		return nil, err
	}
	p := &MirrorPlan{}
	var all []left
	ids, shared := map[string]bool{}, map[string]bool{}
	if err := c.eachRecord(ctx, target, func(e *ledger.Entry) {
		if p.Held++; !s.keys[run.KeyHash(e.Key)] {
			all = append(all, left{e.Key, e.Held.ID})
			ids[e.Held.ID] = e.Held.ID != ""
		}
	}); err != nil {
		return nil, err
	}
	if err := c.eachRecord(ctx, target, func(e *ledger.Entry) {
		if ids[e.Held.ID] && s.keys[run.KeyHash(e.Key)] {
			shared[e.Held.ID] = true
		}
	}); err != nil {
		return nil, err
	}
	for _, k := range all {
		if !shared[k.id] {
			p.Rows++
			each(Planned{Action: Removed, RecordID: k.key})
		}
	}
	switch {
	case s.rows == 0:
		p.Refused = emptyModel
	case s.keyless > 0:
		p.Refused = anybodys(s.keyless)
	case s.rows > maxRows:
		p.Refused = tooLarge(s.rows)
	default:
		p.Refused = tooMany(&v.Definition, p.Rows, p.Held)
	}
	return p, nil
}

// eachRecord calls each for every record that the sync wrote and that is there.
func (c *Control) eachRecord(ctx context.Context, target string, each func(*ledger.Entry)) error {
	for after, more := "", true; more; more = after != "" {
		entries, next, err := c.Ledger.EntriesAfter(ctx, target, after, listPage)
		if err != nil {
			return fmt.Errorf("list the ledger of %s: %w", target, err)
		}
		for n := range entries {
			if entries[n].Wrote() {
				each(&entries[n])
			}
		}
		after = next
	}
	return nil
}
