package intake

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/quality"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// judgedFrom is how many rows of a run must have come before its gate is asked: a share
// of fewer says little.
const judgedFrom = 500

// gate judges a batch's rows where nobody asked the gate in the warehouse: those that the
// run has so far, once it has enough. What went before cannot be called back, so that it
// stops later rows only. A storage failure stops none: the warehouse sends the batch again.
func (in *Intake) gate(ctx context.Context, c *check) error {
	g, known := c.v.Gate, c.run.Gate
	switch {
	case !g.Counts() || known != nil && known.By == run.ByWarehouse:
		return nil
	case known.Blocks():
		from := 0
		if known.Batch == c.batch.ID { // it died before it was pinned: the same rows go as would have
			from = known.From
		}
		c.stop(from, gateFault(known))
		return nil
	}
	own, failing := c.fails(g)
	all, err := in.Batches.CountGate(ctx, c.run.ID, c.batch.ID, own)
	if err != nil {
		return fmt.Errorf("count the rows of run %q for its gate: %w", c.run.ID, err)
	}
	if all.Rows < judgedFrom || own.Rows == 0 {
		return nil
	}
	said, from := c.verdict(g, own, all, failing)
	if known == nil || quality.Worse(known.Decision, said.Decision) != known.Decision {
		if err := in.tellGate(ctx, c.run.ID, said); err != nil {
			return err
		}
	}
	if said.Blocks() {
		c.stop(from, gateFault(said))
	}
	return nil
}

// fails counts the batch's rows that can be judged, and tells of each which rules it
// failed; nil of those that cannot.
func (c *check) fails(g *quality.Gate) (own run.GateCounts, failing [][]int) {
	own.Failed, failing = make([]int64, g.Rules()), make([][]int, len(c.fates))
	counter := g.Counter()
	for n := range c.fates {
		r := c.rows(n)
		if r.Object == nil || r.Fault != nil || c.fates[n].action == row.OldHalf {
			continue
		}
		own.Rows++
		failing[n] = []int{}
		counter.Row(r.Object, func(rule int) {
			own.Failed[rule]++
			failing[n] = append(failing[n], rule)
		})
	}
	return own, failing
}

// verdict is the gate's on the first rows that are enough, where these end in the batch,
// and else on all that the run has; from is the row from which on a block holds.
func (c *check) verdict(g *quality.Gate, own, all run.GateCounts, failing [][]int) (said *run.Gate, from int) {
	before := all.Without(own)
	if before.Rows < 0 { // its first attempt was counted, and others since
		before = run.GateCounts{Failed: make([]int64, g.Rules())}
	}
	first := before
	for ; from < len(failing) && first.Rows < judgedFrom; from++ {
		if failing[from] != nil {
			first = first.Add(run.GateCounts{Rows: 1})
			for _, rule := range failing[from] {
				first.Failed[rule]++
			}
		}
	}
	said = &run.Gate{Verdict: g.Judge(first.Rows, first.Failed, false), By: run.ByIntake, At: c.now}
	if from == 0 || !said.Blocks() {
		said.Verdict = g.Judge(all.Rows, all.Failed, false)
	}
	if said.Blocks() {
		said.Before, said.Batch, said.From = first.Rows, c.batch.ID, from
	}
	return said, from
}

// stop answers the rows from one on blocked.
func (c *check) stop(from int, why *row.Fault) {
	for n := from; n < len(c.fates); n++ {
		c.fates[n].status, c.fates[n].fault = row.Blocked, why
	}
}

// tellGate keeps with the run what its gate says, unless it said worse before.
func (in *Intake) tellGate(ctx context.Context, id string, said *run.Gate) error {
	for range 10 {
		r, err := in.Runs.Run(ctx, id)
		if err != nil {
			return fmt.Errorf("read run %q: %w", id, err)
		}
		if r.Gate != nil && quality.Worse(r.Gate.Decision, said.Decision) == r.Gate.Decision {
			return nil
		}
		r.Gate = said
		err = in.Runs.UpdateRun(ctx, r)
		if err == nil {
			return nil
		}
		if !errors.Is(err, run.ErrConflict) {
			return fmt.Errorf("store what the gate says of run %q: %w", id, err)
		}
	}
	return fmt.Errorf("store what the gate says of run %q: %w", id, run.ErrConflict)
}

// gateFault is why a row is blocked. It tells counts and thresholds, and no value (I6).
func gateFault(g *run.Gate) *row.Fault {
	return &row.Fault{Rule: "quality_gate", Message: fmt.Sprintf("the run's quality gate stopped the row: %s; %d rows went before; mend the model, and run it again", g.Why(), g.Before)}
}
