package console

import (
	"net/http"

	"github.com/penstock-data/penstock/shared/app/view"
	"github.com/penstock-data/penstock/shared/run"
)

// A runPage is one run.
type runPage struct {
	view.Run
	Act      bool
	Ended    bool
	Outcomes []outcome
}

// An outcome is how many rows had it.
type outcome struct {
	Name, Tone string
	Rows       int64
}

func (c *Console) run(r *http.Request) (shown, error) {
	v, err := c.cfg.Pages.Run(r.Context(), r.PathValue("id"))
	if err != nil {
		return shown{}, err
	}
	page := runPage{Run: v, Act: c.cfg.Actions != nil && !run.IsRetry(v.Run), Ended: v.Status.Ended(), Outcomes: outcomes(v.Counts)}
	return shown{Title: "Run " + short(v.Run) + " of " + v.Sync, Page: "run", Section: "overview", Live: !v.Further, Body: page}, nil
}

// outcomes are what became of a run's rows, in the order of the road; the rare ones only
// where there are some.
func outcomes(n run.Counts) []outcome {
	all := []outcome{{"delivered", "good", n.Delivered}, {"unchanged", "good", n.Unchanged}, {"superseded", "calm", n.Superseded}, {"rejected", "bad", n.Rejected}, {"failed", "bad", n.Failed}}
	for _, o := range []outcome{{"blocked", "bad", n.Blocked}, {"cancelled", "calm", n.Cancelled}, {"still queued", "live", n.Queued}} {
		if o.Rows > 0 {
			all = append(all, o)
		}
	}
	return all
}

// Shown are the rows by which the progress of the whole run is told: those that have
// settled, of those that were announced or have come.
func (p runPage) Shown() share {
	return share{Run: p.Run.Run, Done: p.Counts.Settled(), Total: max(p.Expected, p.Counts.Received)}
}

// Standing is the word of the run's badge.
func (p runPage) Standing() string {
	if p.Ended && p.Outcome != "" && p.Status != run.Blocked && p.Status != run.Cancelled {
		return string(p.Outcome)
	}
	return string(p.Status)
}

// Failed is how many rows stand in its groups.
func (p runPage) Failed() (n int64) {
	for _, g := range p.Groups {
		n += g.Rows
	}
	return n
}
