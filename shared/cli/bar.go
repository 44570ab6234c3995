package cli

import (
	"io"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"

	"github.com/penstock-data/penstock/shared/run"
)

// A bar shows progress on a terminal; elsewhere it shows nothing.
type bar struct {
	writer  progress.Writer
	tracker *progress.Tracker
}

// newBar starts a bar.
func newBar(out io.Writer, message string) *bar {
	on := screenOn(out)
	if !on.terminal {
		return &bar{}
	}
	w := progress.NewWriter()
	w.SetOutputWriter(out)
	w.SetUpdateFrequency(100 * time.Millisecond)
	w.SetTrackerLength(20)
	w.SetMessageLength(38)
	style := progress.StyleDefault
	if on.boxes {
		style = progress.StyleBlocks
	}
	style.Visibility.ETA = true
	w.SetStyle(style)
	t := &progress.Tracker{Message: cut(message, 38), Units: progress.UnitsDefault}
	w.AppendTracker(t)
	go w.Render()
	return &bar{w, t}
}

// show moves the bar to where the run stands.
func (b *bar) show(r run.Run) {
	if b.tracker != nil {
		b.at(r.Counts.Settled(), r.Counts.Received)
		if r.Reason != "" {
			b.tracker.UpdateMessage(cut(r.Reason, 38))
		}
	}
}

// at moves the bar to n of total.
func (b *bar) at(n, total int64) {
	if b.tracker != nil {
		b.tracker.UpdateTotal(max(total, n, 1))
		b.tracker.SetValue(n)
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
