package freshness_test

import (
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/freshness"
)

func TestEvery(t *testing.T) {
	for warn, want := range map[time.Duration]time.Duration{
		0: 15 * time.Minute, time.Minute: 5 * time.Minute, time.Hour: 15 * time.Minute, 2 * time.Hour: 30 * time.Minute, 48 * time.Hour: time.Hour,
	} {
		if got := freshness.Every(warn); got != want {
			t.Errorf("%s: %s, want %s", warn, got, want)
		}
	}
}

func TestDue(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for tried, want := range map[time.Time]bool{{}: true, now.Add(-15 * time.Minute): true, now.Add(-15*time.Minute + time.Second): true, now.Add(-14 * time.Minute): false, now: false, now.Add(time.Second): true} {
		r := freshness.Reading{TriedAt: tried}
		if got := r.Due(now, 15*time.Minute); got != want {
			t.Errorf("tried at %s: %v", tried, got)
		}
	}
}

// Figures of another object, connection or field say nothing of this one's.
func TestOf(t *testing.T) {
	r := freshness.Reading{Sync: "s", Connection: "c", Object: "o", Asked: "f", AsOf: time.Unix(1, 0), Revision: 3}
	if same := r.Of("s", "c", "o", "f"); !same.Known() {
		t.Error("the same is not known")
	}
	for _, other := range []freshness.Reading{r.Of("s", "d", "o", "f"), r.Of("s", "c", "p", "f"), r.Of("s", "c", "o", "g")} {
		if other.Known() || other.Revision != 3 || other.Sync != "s" {
			t.Errorf("%+v", other)
		}
	}
}
