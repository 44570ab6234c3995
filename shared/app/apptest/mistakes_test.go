package apptest

import (
	"strings"
	"testing"
)

// A caller's mistake is told as one, whatever it is, and nothing of ours is logged.
func TestMistakes(t *testing.T) {
	w := New(t)
	w.Vendors.SeedAccounts(t, sites...)
	id := w.Push(t, "q0", "q0:1", Health(healthSync, "john@acmecorp.com", 1))[0].Run
	RunMistakes(t, w.Functions, healthSync, id)
	for line := range strings.Lines(w.Log()) {
		if strings.Contains(line, `"level":"ERROR"`) {
			t.Errorf("logged as our failure: %.300s", line)
		}
	}
	// What was rejected can be read again, long names and all.
	for _, q := range []string{"q-long", "q-many"} {
		for _, r := range w.Status(t, healthSync).Runs {
			if len(r.Query) > 0 && r.Query == q && len(w.Errors(t, r.ID)) == 0 {
				t.Errorf("%s: no errors", q)
			}
		}
	}
}
