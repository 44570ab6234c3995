package cli

import (
	"io"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"

	"github.com/penstock-data/penstock/shared/run"
)

// A bar shows progress on a terminal; elsewhere it shows nothing.
type bar struct {
	tracker *progress.Tracker
	ended   chan struct{} // when its last state is on the screen
}

// newBar starts a bar.
func newBar(out io.Writer, message string) *bar {
	on := screenOn(out)
	if !on.terminal {
		return &bar{}
	}
	w := progress.NewWriter()
	w.SetOutputWriter(out)
	if p, ok := out.(*printer); ok {
		w.SetOutputWriter(mover{p})
	}
	w.SetUpdateFrequency(100 * time.Millisecond)
	w.SetTrackerLength(16) // with the message and the numbers 80 columns
	w.SetMessageLength(messageLength)
	w.SetAutoStop(true)
	w.SetNumTrackersExpected(1)
	style := progress.StyleDefault
	if on.boxes {
		style = progress.StyleBlocks
	}
	w.SetStyle(style)
	b := &bar{&progress.Tracker{Message: onBar(message), Units: progress.UnitsDefault}, make(chan struct{})}
	w.AppendTracker(b.tracker)
	go func() {
		defer close(b.ended)
		w.Render()
	}()
	return b
}

const messageLength = 32

// onBar is a text as a bar shows it.
func onBar(s string) string { return cut(string(tame([]byte(s))), messageLength) }

// show moves the bar to where the run stands.
func (b *bar) show(r run.Run) {
	if b.tracker != nil {
		b.at(r.Counts.Settled(), r.Counts.Received)
		if r.Reason != "" {
			b.tracker.UpdateMessage(onBar(r.Reason))
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
	<-b.ended
}

// whole says that all there is was done, where the total was not known before.
func (b *bar) whole() {
	if b.tracker != nil {
		b.tracker.UpdateTotal(max(b.tracker.Value(), 1))
		b.tracker.SetValue(b.tracker.Total)
	}
}
