package cli

import (
	"testing"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
)

// Rows that two retries sent are told once, and what was delivered is due no more.
func TestSinceThen(t *testing.T) {
	for _, c := range []struct {
		due, counted     int64
		waiting, arrived int
	}{{0, 0, 0, 0}, {4, 0, 4, 0}, {8, 2, 2, 2}, {4, 4, 0, 4}, {0, 8, 0, 4}} {
		r := runs.RunStatus{Run: run.Run{Counts: run.Counts{Received: 10, Delivered: 3, Unchanged: 2, Superseded: 1, Failed: 4}}, Due: c.due, Retried: c.counted}
		if due, retried := sinceThen(r); due != c.waiting || retried != c.arrived {
			t.Errorf("%d due, %d counted: %d, %d; want %d, %d", c.due, c.counted, due, retried, c.waiting, c.arrived)
		}
	}
}
