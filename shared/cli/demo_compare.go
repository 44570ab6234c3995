package cli

import (
	"context"
	"fmt"

	"github.com/penstock-data/penstock/shared/sample"
	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// compare holds a run's end against the warehouse: the destination's own store
// field by field, the errors by their reasons, and the counts. Where earlier
// passes of the same folder were interrupted, a row may be unchanged that would
// otherwise have been delivered now; the sum is checked all the same.
func (d *demo) compare(ctx context.Context, p pushedSync, r *syncRun) ([]string, error) {
	var differences []string
	c, err := d.compareStore(ctx, p)
	if err != nil {
		return nil, err
	}
	for _, x := range c.Differences {
		differences = append(differences, p.name+": "+x.String())
	}
	if more := c.Total - len(c.Differences); more > 0 {
		differences = append(differences, fmt.Sprintf("%s: and %d more", p.name, more))
	}
	r.MatchesWarehouse, r.DestinationRecords = c.Matches(), c.Records
	expect := d.plan.Expect(p.name)
	differences = append(differences, d.compareCounts(p, r, expect)...)
	wrong, err := d.compareErrors(ctx, p, r, expect)
	return append(differences, wrong...), err
}

// compareStore reads the simulator's own records, not the ledger.
func (d *demo) compareStore(ctx context.Context, p pushedSync) (sample.Comparison, error) {
	v, err := d.definition(p.name)
	if err != nil {
		return sample.Comparison{}, err
	}
	holder, ok := d.box.Simulated[p.kind].(sandbox.Holder)
	if !ok {
		return sample.Comparison{}, fmt.Errorf("the demo cannot read the records of a simulated %s", p.kind)
	}
	return sample.Compare(ctx, d.warehouse.DB(), v, p.view, holder.Records(v.Object))
}

func (d *demo) compareCounts(p pushedSync, r *syncRun, want sample.Expect) []string {
	var differences []string
	check := func(what string, got, want int64) {
		if got != want {
			differences = append(differences, fmt.Sprintf("%s, pass %d: %s is %d, expected %d", p.name, r.Pass, what, got, want))
		}
	}
	check("rejected + delivered + unchanged + superseded + failed", r.Rejected+r.Delivered+r.Unchanged+r.Superseded+r.Failed, r.Pushed)
	check("pushed", r.Pushed, int64(want.Pushed))
	check("rejected", r.Rejected, int64(want.Rejected))
	check("failed", r.Failed, int64(want.Failed))
	check("delivered + unchanged", r.Delivered+r.Unchanged, int64(want.Delivered+want.Unchanged))
	if d.fresh {
		check("delivered", r.Delivered, int64(want.Delivered))
	}
	return differences
}

// compareErrors counts the run's stored errors by reason.
func (d *demo) compareErrors(ctx context.Context, p pushedSync, r *syncRun, want sample.Expect) ([]string, error) {
	type reason struct{ stage, code, field string }
	got := map[reason]int{}
	if r.Run != "" {
		err := d.errors(ctx, r.Run, func(e storedError) bool {
			got[reason{e.Stage, e.Type, e.Field}]++
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	var differences []string
	for _, e := range want.Errors {
		w := reason{e.Stage, e.Type, e.Field}
		if got[w] != e.Rows {
			differences = append(differences, fmt.Sprintf("%s, pass %d: %d errors %s %s %s, expected %d (%s)", p.name, r.Pass, got[w], w.stage, w.code, w.field, e.Rows, e.Fault))
		}
		delete(got, w)
	}
	for w, n := range got {
		differences = append(differences, fmt.Sprintf("%s, pass %d: %d errors %s %s %s, expected none", p.name, r.Pass, n, w.stage, w.code, w.field))
	}
	return differences, nil
}

// definition reads a sync as it was applied.
func (d *demo) definition(name string) (*syncdef.Definition, error) {
	set, err := loadFolder(d.cmd.Syncs, d.s.known.kinds())
	if err != nil {
		return nil, err
	}
	y, ok := set.Find(name)
	if !ok {
		return nil, fmt.Errorf("%s has no sync %q", d.cmd.Syncs, name)
	}
	return &y.Definition, nil
}
