package pipeline_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/row"
)

// set pushes one row of the query q, which gives the key k that value.
func (w *world) set(q, k string, value int) (runID string) {
	w.t.Helper()
	answers, err := w.intake.Push(w.t.Context(), row.Batch{ID: q + ":set", Query: q, Function: "penstock_push", Rows: []row.Row{{Args: []jsontext.Value{
		jsontext.Value(`"accounts"`), jsontext.Value(fmt.Sprintf(`{"id":%q,"v":%d,"constant":"c"}`, k, value)),
	}}}})
	if err != nil {
		w.t.Fatal(err)
	}
	return answers[0].Run
}

// A value that may have arrived without the ledger's knowing is followed by the
// newer one even where that is what the ledger already holds: else the vendor
// would keep the value in between for ever.
func TestNewerValueAfterAnUncertainOne(t *testing.T) {
	for name, uncertain := range map[string]func(w *world){
		"died after the push": func(w *world) {
			in, err := w.store.Receive(t.Context(), "crm", 10, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			w.mortal.fuse = 1
			if _, err := w.deliver.Handle(t.Context(), in); err == nil {
				t.Fatal("the process did not die")
			}
			w.boot()
		},
		"the answer was lost": func(w *world) {
			w.boot()
			w.useDestination(&deaf{vendor: w.vendor})
			if stay := w.once(); len(stay) != 1 {
				t.Fatalf("%d messages stay, want 1", len(stay))
			}
			w.boot()
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := quietWorld(t, nil)
			w.vendor.values = map[string]int{}
			w.set("a", "k0", 1)
			w.once()
			w.set("b", "k0", 2)
			uncertain(w)
			if w.vendor.values["k0"] != 2 {
				t.Fatalf("the vendor holds %d before the test, want 2", w.vendor.values["k0"])
			}
			w.vendor.values["k0"] = 0 // what the vendor would call an older value is none here
			w.set("c", "k0", 1)
			w.now = w.now.Add(20 * time.Minute)
			w.useDestination(&outage{vendor: w.vendor, down: true}) // the older value settles, the newer must wait
			w.once()
			w.boot()
			w.now = w.now.Add(20 * time.Minute)
			w.once()
			if w.vendor.values["k0"] != 1 {
				t.Error("the newest value was taken for delivered, though an older one had been sent since")
			}
		})
	}
}

// deaf is a vendor that carries out what it is sent, and whose answers are lost.
type deaf struct {
	*vendor
}

// Push implements pipeline.Destination.
func (d *deaf) Push(ctx context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	outcomes, err := d.vendor.Push(ctx, b, c)
	for i := range outcomes {
		outcomes[i] = dest.Outcome{Status: dest.Retry, Code: "no_answer", Message: "lost"}
	}
	return outcomes, err
}
