package apptest

import (
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

// due is the time in the sample events.
var due = time.Date(2024, 1, 15, 10, 0, 0, 0, time.UTC)

// The event of a due time asks the warehouse once; the tick looks what became of it.
func testSchedule(t *testing.T, w *World, event []byte) {
	w.Invoke(t, "schedule", event)
	f, err := w.Store.Firing(t.Context(), "sf_health", due)
	if err != nil || f.Status != run.FiringCalled || len(w.Statements.Calls) != 1 {
		t.Fatalf("%+v, %v, %d calls", f, err, len(w.Statements.Calls))
	}
	if c := w.Statements.Calls[0]; c.Sync != "sf_health" || c.Mode != run.Incremental || c.Request != f.Request() || c.Again {
		t.Errorf("%+v", c)
	}
	w.Invoke(t, "schedule", Event(t, "schedule-tick"))
	if f, err = w.Store.Firing(t.Context(), "sf_health", due); err != nil || f.Status != run.FiringRan {
		t.Errorf("after the tick: %+v, %v", f, err)
	}
	if !strings.Contains(w.Log(), `"sync":"sf_health"`) || !strings.Contains(w.Log(), `"status":"called"`) {
		t.Error(w.Log())
	}
}

// Scheduler may send an event twice: it is run once, and the second is no failure.
func testScheduleTwice(t *testing.T, w *World, event []byte) {
	if string(event) != string(Event(t, "schedule")) {
		t.Error("it is another event")
	}
	w.Invoke(t, "schedule", event)
	w.Invoke(t, "schedule", event)
	w.Invoke(t, "schedule", Event(t, "schedule-tick"))
	w.Invoke(t, "schedule", event)
	if len(w.Statements.Calls) != 1 {
		t.Errorf("%d calls", len(w.Statements.Calls))
	}
}

// An event that can never be acted on is told in the log, and not tried again.
func TestScheduleRefusesEvents(t *testing.T) {
	w := New(t)
	for _, event := range []string{`{"sync":"sf_health","scheduled_time":"soon"}`, `{"sync":"a b","scheduled_time":"2024-01-15T10:00:00Z"}`, `{"sync":"nobody","scheduled_time":"2024-01-15T10:00:00Z"}`} {
		w.Invoke(t, "schedule", []byte(event))
	}
	if len(w.Statements.Calls) != 0 || strings.Count(w.Log(), `"level":"ERROR"`) != 2 || !strings.Contains(w.Log(), "not applied") {
		t.Errorf("%d calls: %s", len(w.Statements.Calls), w.Log())
	}
}
