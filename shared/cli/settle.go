package cli

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
)

// A fate is where one of the command's runs stands when it is not waited for any more.
type fate struct {
	runs.RunStatus
	settled bool
	held    string // why waiting is in vain: a person has to act
}

// settle waits until the runs have settled, until waiting is in vain, or for as long
// as g.wait says. It waits for no other run. show, if set, is told of each look.
func (g *gate) settle(ctx context.Context, s program, ids []string, show func(runs.RunStatus)) ([]fate, error) {
	until := s.clock.now().Add(g.wait)
	out := make([]fate, len(ids))
	told := map[string]string{}
	for {
		waiting := 0
		for i, id := range ids {
			if out[i].settled || out[i].held != "" {
				continue
			}
			status, err := g.status(ctx, id)
			if err != nil {
				return out, err
			}
			out[i] = g.fateOf(status)
			if show != nil {
				show(out[i].RunStatus)
			}
			if out[i].settled || out[i].held != "" {
				continue
			}
			waiting++
			if show == nil {
				s.tellWait(told, out[i])
			}
		}
		if waiting == 0 || s.clock.now().After(until) {
			return out, nil
		}
		select {
		case <-ctx.Done():
			return out, ctx.Err()
		case <-time.After(min(g.every(), until.Sub(s.clock.now())+time.Millisecond)):
		}
	}
}

// every is how long to wait between two looks.
func (g *gate) every() time.Duration {
	if g.control != nil {
		return wakesStack
	}
	return 100 * time.Millisecond
}

// tellWait says that there is a wait, and for what where that is not the queue alone;
// once, however its numbers and times change.
func (s program) tellWait(told map[string]string, f fate) {
	if len(told) == 0 {
		fmt.Fprintln(s.err, "waiting for the pushed rows to settle ...")
	}
	why := digits.ReplaceAllString(f.Waits, "0")
	if told[f.ID] != why && !strings.HasSuffix(why, "rows that are queued") && !strings.HasSuffix(why, "row that is queued") && !strings.Contains(why, "the sweeper") {
		fmt.Fprintln(s.err, wrapped("  ", f.ID+" waits for "+s.clock.local(f.Waits)))
	}
	told[f.ID] = why
}

var digits = regexp.MustCompile(`[0-9]+`)

// fateOf tells whether a run needs no waiting: it has ended; it is open and only another
// statement can finish it; or, where another process ends it, all its rows have settled.
func (g *gate) fateOf(s runs.SyncStatus) fate {
	r := s.Runs[0]
	f := fate{RunStatus: r, settled: r.Counts.Queued == 0 && (r.Status.Ended() || g.own == nil && r.Counts.Received > 0)}
	if r.Bracketed && r.Status == run.Open {
		f.settled = true
	}
	if !f.settled && r.Counts.Queued > 0 {
		switch {
		case s.Halted != "":
			f.held = s.Halted
		case s.SetUp:
			f.held = s.Paused
		}
	}
	return f
}

// tell prints what became of the runs' rows, and returns a rowsError where not all are
// right at the destination.
func (g *gate) tell(s program, fates []fate) error {
	for _, f := range fates {
		state := string(f.Status)
		switch {
		case f.held != "":
			state = "is held up"
		case !f.settled:
			state = "has not settled"
		case !f.Status.Ended():
			state = "settled"
		}
		fmt.Fprintln(s.err, wrapped("", strings.TrimSuffix(fmt.Sprintf("%s %s: %s", f.ID, state, outcomes(f.Counts)), ": ")))
		switch {
		case f.held != "":
			fmt.Fprintln(s.err, wrapped("  ", s.clock.local(f.held)))
		case !f.settled && f.Waits != "":
			fmt.Fprintln(s.err, wrapped("  ", "waits for "+s.clock.local(f.Waits)))
		}
		if f.Counts.Rejected+f.Counts.Failed+f.Counts.Blocked > 0 {
			fmt.Fprintf(s.err, "  why:  %s errors %s%s\n", self(), run.OriginalOf(f.ID), g.at.flags())
		}
	}
	return g.quietly(fates)
}

func (g *gate) verdict(fates []fate, wrong int) error {
	if wrong == 0 {
		return nil
	}
	for _, f := range fates {
		if f.Status == run.Blocked {
			return fmt.Errorf("%s was blocked by its quality gate, and nothing was sent", f.Sync)
		}
		if !f.settled {
			if g.control != nil {
				return rowsError{fmt.Errorf("not all rows have settled yet; the stack's workers deliver them: look with  %s status %s%s", self(), f.ID, g.at.flags())}
			}
			return rowsError{fmt.Errorf("not all rows have settled; they go on at the next start on %s, nothing is lost", g.at.Data)}
		}
	}
	return rowsError{fmt.Errorf("some rows of %s were not delivered", english.Plural(wrong, "run", ""))}
}

// right reports whether every row that the run has is right at the destination, and what
// left a mirror's model was removed.
func (f fate) right() bool {
	c := f.Counts
	return f.settled && f.Status != run.Blocked && (f.Mirror == nil || f.Mirror.Refused == "") && c.Rejected+c.Failed+c.Blocked+c.Cancelled == 0
}

// outcomes lists what became of a run's rows, without the zeros.
func outcomes(c run.Counts) string {
	var parts []string
	for _, x := range []struct {
		n    int64
		name string
	}{{c.Delivered, "delivered"}, {c.Unchanged, "unchanged"}, {c.Rejected, "rejected"}, {c.Blocked, "blocked"}, {c.Superseded, "superseded"}, {c.Failed, "failed"}, {c.Cancelled, "cancelled"}, {c.Queued, "queued"}, {c.Rekeyed, "under a changed key, of which the old records are left"}} {
		if x.n > 0 {
			parts = append(parts, humanize.Comma(x.n)+" "+x.name)
		}
	}
	return strings.Join(parts, ", ")
}

// ownFinish reports whether a run is open until somebody calls penstock_finish: nothing
// is to be said of it yet.
func (f fate) ownFinish() bool { return f.Bracketed && f.Status == run.Open }

// settleWithBar is settle, with a bar where somebody looks.
func settleWithBar(ctx context.Context, s program, g *gate, sync string, ids []string, quiet bool) ([]fate, error) {
	if quiet || !terminal(s.out) || len(ids) == 0 {
		return g.settle(ctx, s, ids, nil)
	}
	b := newBar(s.out, "delivering "+sync)
	defer b.done()
	return g.settle(ctx, s, ids, func(r runs.RunStatus) { b.show(r.Run) })
}

// verdictOf is the exit code's error, and for people what holds the rows up and the
// next command.
func (g *gate) verdictOf(s program, fates []fate) error {
	for _, f := range fates {
		if f.held != "" {
			fmt.Fprintln(s.err, wrapped("", "the rows wait until somebody mends it: "+s.clock.local(f.held)))
		}
		if c := f.Counts; c.Rejected+c.Failed+c.Blocked > 0 {
			fmt.Fprintf(s.out, "  why:  %s errors %s%s\n", self(), f.ID, g.at.flags())
		}
	}
	return g.quietly(fates)
}

// quietly is the exit code's error alone.
func (g *gate) quietly(fates []fate) error {
	wrong := 0
	for _, f := range fates {
		if !f.right() {
			wrong++
		}
	}
	return g.verdict(fates, wrong)
}
