package apptest

import (
	"slices"
	"testing"
	"time"
)

// work hands up to ten visible messages of a queue to its worker.
func (w *World) work(t testing.TB, queue string) (received, stayed int) {
	t.Helper()
	in, err := w.Store.Receive(t.Context(), queue, 10, Visibility)
	if err != nil {
		t.Fatal(err)
	}
	if len(in) == 0 {
		return 0, 0
	}
	stay := w.Work(t, queue, in)
	for _, m := range in {
		if slices.Contains(stay, m.ID) {
			continue
		}
		if err := w.Store.Delete(t.Context(), queue, m.Receipt); err != nil {
			t.Fatal(err)
		}
	}
	return len(in), len(stay)
}

// Drain hands the queue's visible messages to its worker, as Lambda does, until
// none is left or all stay, and says how many there were.
func (w *World) Drain(t testing.TB, queue string) int {
	t.Helper()
	total := 0
	for {
		n, stayed := w.work(t, queue)
		total += n
		if n == stayed { // none, or none that goes on
			return total
		}
	}
}

// Pass lets time pass: every second the workers take what is visible, and every
// minute the sweeper runs.
func (w *World) Pass(t testing.TB, d time.Duration) {
	t.Helper()
	end, swept := w.Clock.Now().Add(d), w.Clock.Now()
	for w.Clock.Now().Before(end) {
		for _, queue := range w.types {
			w.Drain(t, queue)
		}
		step := time.Second
		if w.idle(t) {
			step = 10 * time.Second
		}
		w.Clock.Advance(step)
		if w.Clock.Now().Sub(swept) >= time.Minute {
			swept = w.Clock.Now()
			w.Invoke(t, "sweep", Tick())
		}
	}
}

// idle reports that no queue holds a message.
func (w *World) idle(t testing.TB) bool {
	t.Helper()
	for _, queue := range w.types {
		if w.Depth(t, queue) > 0 {
			return false
		}
	}
	return true
}

// Depth is how many messages a queue holds, hidden ones included.
func (w *World) Depth(t testing.TB, queue string) int {
	t.Helper()
	n, err := w.Store.Depth(t.Context(), queue)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Tick is the event of the sweeper's schedule; its content does not matter.
func Tick() []byte { return []byte(`{"source":"aws.events","detail-type":"Scheduled Event"}`) }

// Settle lets the quiet time pass and sweeps.
func (w *World) Settle(t testing.TB) {
	t.Helper()
	w.Clock.Advance(Quiet + time.Second)
	w.Invoke(t, "sweep", Tick())
}
