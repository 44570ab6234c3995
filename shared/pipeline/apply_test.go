package pipeline_test

import (
	"testing"

	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// The lanes change only while nothing is unsettled; anything else may change.
func TestMayApply(t *testing.T) {
	w := quietWorld(t, nil)
	version := func(lanes int, object string) syncdef.Version {
		d := definition(lanes)
		d.Object = object
		return syncdef.NewVersion(d, syncdef.Connection{Name: "crm", Type: "crm"}, w.now)
	}
	if err := w.store.Apply(t.Context(), version(1, "Account")); err != nil {
		t.Fatal(err)
	}
	lanes, mapping := version(2, "Account"), version(1, "Contact")
	may := func(v syncdef.Version) error { return pipeline.MayApply(t.Context(), w.store, w.store, v) }
	if err := may(lanes); err != nil {
		t.Errorf("before any run: %v", err)
	}
	id := w.send("q", "k0")[0].Run
	if may(lanes) == nil {
		t.Error("the lanes may change with a row in the queue")
	}
	if err := may(mapping); err != nil {
		t.Errorf("another change is refused: %v", err)
	}
	w.once()
	w.end(id)
	if err := may(lanes); err != nil {
		t.Errorf("after all is settled: %v", err)
	}
}
