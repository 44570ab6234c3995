package pipeline_test

import (
	"fmt"
	"testing"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// A key has one lane, whichever record of the warehouse has it: where a record's key
// changes and another takes the old one, two workers must not have the key in hand.
func TestKeyKeepsItsLane(t *testing.T) {
	w := newWorld(t, 16, func(_ *crm, d *syncdef.Definition) { d.RecordID = []string{"rid"} })
	for n := range 20 {
		o := fmt.Sprintf(`{"id":"k","rid":"r%d","v":%d,"constant":"c"}`, n, n)
		w.push(batch(fmt.Sprint("q", n), fmt.Sprint("b", n), "accounts", o))
	}
	groups := map[string]bool{}
	for range 3 {
		for _, m := range w.receive() {
			groups[m.Group] = true
		}
	}
	if len(groups) != 1 {
		t.Errorf("the key's rows go through %d lanes", len(groups))
	}
	w.now = w.now.Add(2 * hidden)
	w.drain(0)
	if w.crm.value("k") != 19 {
		t.Errorf("the vendor holds %d", w.crm.value("k"))
	}
}
