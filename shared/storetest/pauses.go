package storetest

import (
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

var pauseTests = []test{
	{"absent", func(t *testing.T, s Stores) {
		_, err := s.Pause(t.Context(), "health")
		fails(t, "Pause", err, run.ErrNotFound)
		ok(t, s.DeletePause(t.Context(), "health"))
	}},
	{"set, again, and ended", func(t *testing.T, s Stores) {
		p := run.Pause{Sync: "health", By: "größe@eu", At: start, Reason: "<the model is wrong>"}
		ok(t, s.SetPause(t.Context(), p))
		ok(t, s.SetPause(t.Context(), run.Pause{Sync: "health_eu", By: "x", At: start}))
		same(t, "Pause", p, must(s.Pause(t.Context(), "health"))(t))
		p.Reason, p.At = "", start.Add(time.Hour)
		ok(t, s.SetPause(t.Context(), p))
		s = s.Reopen()
		same(t, "Pause over another", p, must(s.Pause(t.Context(), "health"))(t))
		ok(t, s.DeletePause(t.Context(), "health"))
		_, err := s.Pause(t.Context(), "health")
		fails(t, "Pause that was ended", err, run.ErrNotFound)
		if other := must(s.Pause(t.Context(), "health_eu"))(t); other.By != "x" {
			t.Errorf("the other sync's pause is %+v", other)
		}
	}},
	{"survives an apply and a removal", func(t *testing.T, s Stores) {
		ok(t, s.SetPause(t.Context(), run.Pause{Sync: "health", By: "x", At: start}))
		ok(t, s.Apply(t.Context(), aVersion("health", "a")))
		ok(t, s.Remove(t.Context(), "health"))
		ok(t, s.Apply(t.Context(), aVersion("health", "b")))
		must(s.Pause(t.Context(), "health"))(t)
	}},
}
