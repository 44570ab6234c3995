package cli

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/quality"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// weight is the colour of a gate's decision.
var weight = map[quality.Decision]string{quality.Proceed: good, quality.Warn: warning, quality.Block: bad}

// gateLine is what a run's gate said, on one line; told says that its reason stands
// elsewhere.
func gateLine(g *run.Gate, told bool) string {
	text := "gate " + string(g.Decision) + " over " + counted(g.Total)
	if g.By == run.ByIntake && g.Blocks() {
		text += ", " + counted(g.Before) + " went before"
	}
	if why := g.Why(); why != "" && !told {
		text += ": " + why
	}
	return text
}

// A rehearsal judges the rows of a dry run by the sync's gate, as its view would; nil
// where it has none.
type rehearsal struct {
	gate    *quality.Gate
	counter *quality.Counter
	total   int64
	failed  []int64
}

// gateOf is the gate of the sync as it is applied.
func gateOf(ctx context.Context, store interface {
	Current(ctx context.Context, sync string) (syncdef.Version, error)
}, sync string) (*rehearsal, error) {
	v, err := store.Current(ctx, sync)
	if err := notMissing(err); err != nil {
		return nil, fmt.Errorf("read sync %q: %w", sync, err)
	}
	g, err := quality.Compile(&v.Definition)
	if err != nil || g == nil {
		return nil, err
	}
	return &rehearsal{gate: g, counter: g.Counter(), failed: make([]int64, g.Rules())}, nil
}

func (r *rehearsal) add(object jsontext.Value) {
	if r != nil {
		r.total++
		r.counter.Row(object, func(rule int) { r.failed[rule]++ })
	}
}

// verdict is the gate's; whole says that no row was left out.
func (r *rehearsal) verdict(whole bool) *quality.Verdict {
	if r == nil {
		return nil
	}
	v := r.gate.Judge(r.total, r.failed, whole)
	return &v
}
