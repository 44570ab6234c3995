package apptest

import "testing"

// A warehouse that retries, repeats, reorders and sends at once, on every protocol: the
// destination is equal to the model.
func TestCallers(t *testing.T) {
	for _, c := range Callers() {
		t.Run(c.Name, func(t *testing.T) { RunWarehouse(t, c) })
	}
}
