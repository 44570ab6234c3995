package runs

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/quality"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// Gated answers penstock_gate.
type Gated struct {
	Run      string           `json:"run"`
	Sync     string           `json:"sync"`
	Decision quality.Decision `json:"decision,omitempty"` // "" where the view is of another definition
	Total    int64            `json:"total"`
	Rules    []quality.Result `json:"rules"`
	Status   run.Status       `json:"status"`           // of the run: open, or else nothing is to be pushed
	Reason   string           `json:"reason,omitempty"` // what the gate warns of, or why the run has ended
}

// Gate records what a run's gate said in the warehouse, before its first push. BLOCK_SYNC
// ends the run: blocked, its outcome failed, its mark where it was. The first verdict
// stays, so that a retried call is answered alike. One of a view that was made of another
// definition ends the run as failed, and the answer says what to do.
func (c *Control) Gate(ctx context.Context, id string, verdict []byte) (Gated, error) {
	r, err := c.run(ctx, "penstock_gate", id)
	if err != nil {
		return Gated{}, err
	}
	if !r.Bracketed {
		return Gated{}, row.Refuse("penstock_gate: the run %q was not begun by penstock_begin; its rows are judged as they come", id)
	}
	if r.Gate != nil || r.Status == run.Failed {
		return gated(r), nil
	}
	if r.Status != run.Open {
		return Gated{}, row.Refuse("penstock_gate: the run %q is %s; its gate is asked before its first push", id, r.Status)
	}
	v, err := c.Syncs.Version(ctx, r.Sync, r.Version)
	if err != nil {
		return Gated{}, fmt.Errorf("read sync %q version %s: %w", r.Sync, r.Version, err)
	}
	g, err := quality.Compile(&v.Definition)
	if err != nil {
		return Gated{}, row.Refuse("penstock_gate: sync %q: %v; mend the definition and run penstock apply", r.Sync, err)
	}
	if g == nil {
		return Gated{Run: r.ID, Sync: r.Sync, Decision: quality.Proceed, Rules: []quality.Result{}, Status: r.Status}, nil
	}
	said, err := g.Read(verdict)
	other := errors.Is(err, quality.ErrOther)
	if err != nil && !other {
		return Gated{}, row.Refuse("penstock_gate: %v", err)
	}
	r, err = c.update(ctx, r, func(r *run.Run) bool {
		if r.Gate != nil || r.Status != run.Open {
			return false
		}
		if other {
			r.Status, r.EndedAt = run.Failed, c.Now()
			r.Reason = "the view " + quality.ViewName(r.Sync) + " was made of another definition: run penstock sql-setup again"
			return true
		}
		r.Gate = &run.Gate{Verdict: said, By: run.ByWarehouse, At: c.Now()}
		if r.Gate.Blocks() {
			r.Status, r.EndedAt, r.Reason = run.Blocked, c.Now(), blockedBy(said)
		}
		return true
	})
	if err == nil && r.Status.Ended() {
		c.reshow(ctx, "gate", r.ID)
	}
	return gated(r), err
}

// blockedBy is the reason of a run that its gate stopped.
func blockedBy(v quality.Verdict) string {
	return cut("blocked by its quality gate, and nothing was sent: " + v.Why())
}

func gated(r run.Run) Gated {
	out := Gated{Run: r.ID, Sync: r.Sync, Rules: []quality.Result{}, Status: r.Status, Reason: r.Reason}
	if r.Gate == nil {
		return out
	}
	out.Decision, out.Total, out.Rules = r.Gate.Decision, r.Gate.Total, r.Gate.Rules
	if out.Decision == quality.Warn {
		out.Reason = cut("the quality gate warns: " + r.Gate.Why())
	}
	return out
}
