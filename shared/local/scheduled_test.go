package local_test

import (
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

// scheduled lets the built function take a due time, twice: where no warehouse is stored
// it says what to do, once.
func (d *deployment) scheduled(t *testing.T, event func(function, name string) []byte) {
	t.Helper()
	due := time.Date(2024, 1, 15, 10, 0, 0, 0, time.UTC)
	event("schedule", "schedule")
	first, err := d.store.Firing(t.Context(), "sf_health", due)
	if err != nil || first.Status != run.FiringFailed || !strings.Contains(first.Reason, "no warehouse is known") {
		t.Errorf("%+v, %v", first, err)
	}
	event("schedule", "schedule-twice")
	event("schedule", "schedule-tick")
	if again, err := d.store.Firing(t.Context(), "sf_health", due); err != nil || again != first {
		t.Errorf("twice: %+v, %v", again, err)
	}
}
