package cli

import (
	"io"
	"os"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/mattn/go-isatty"

	"github.com/penstock-data/penstock/shared/run"
)

// A bar shows a run's progress on a terminal.
type bar struct {
	writer  progress.Writer
	tracker *progress.Tracker
}

// bar starts a bar for a run; off a terminal it shows nothing.
func (d *demo) bar(p pushedSync) *bar {
	if d.cmd.JSON || !terminal(d.s.out) {
		return &bar{}
	}
	w := progress.NewWriter()
	w.SetOutputWriter(d.s.out)
	w.SetUpdateFrequency(100 * time.Millisecond)
	w.SetTrackerLength(30)
	w.Style().Visibility.ETA = true
	t := &progress.Tracker{Message: p.name + " -> " + p.destination, Units: progress.UnitsDefault}
	w.AppendTracker(t)
	go w.Render()
	return &bar{w, t}
}

// show moves the bar to where the run stands.
func (b *bar) show(r run.Run) {
	if b.tracker != nil {
		b.tracker.UpdateTotal(max(r.Counts.Received, 1))
		b.tracker.SetValue(r.Counts.Settled())
		if r.Reason != "" {
			b.tracker.UpdateMessage(cut(r.Reason, 60))
		}
	}
}

// done ends the bar, and waits until its last state is on the screen.
func (b *bar) done() {
	if b.tracker == nil {
		return
	}
	if b.tracker.Value() < b.tracker.Total {
		b.tracker.MarkAsErrored() // interrupted, or the run was given up
	} else {
		b.tracker.MarkAsDone()
	}
	for b.writer.IsRenderInProgress() && b.writer.LengthActive() > 0 {
		time.Sleep(20 * time.Millisecond)
	}
	b.writer.Stop()
	for b.writer.IsRenderInProgress() {
		time.Sleep(10 * time.Millisecond)
	}
}

// terminal reports whether a person may be looking.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}
