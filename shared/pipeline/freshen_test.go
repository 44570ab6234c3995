package pipeline_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/freshness"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A defective account has a defect where records are counted.
type defective struct{ *crm }

func (defective) Freshness(context.Context, *syncdef.Definition, time.Time, dest.Spend) (freshness.Figures, error) {
	panic("the value of a row")
}

// A defect met while records are counted costs the sync its figures, and not the process,
// which delivers.
func TestFreshenPanics(t *testing.T) {
	w := newWorld(t, 1, func(_ *crm, d *syncdef.Definition) {
		d.Freshness = &syncdef.Freshness{DestinationField: "v"}
	})
	w.deliver.Freshness = w.store
	w.deliver.Open = func(syncdef.Connection) (dest.Account, error) { return defective{w.crm}, nil }
	if n, err := w.deliver.Freshen(t.Context()); n != 0 || err != nil {
		t.Errorf("%d counted, %v", n, err)
	}
	r, err := w.store.Freshness(t.Context(), "accounts")
	if err != nil || r.Known() || !strings.Contains(r.Failure, "a defect in Penstock") || strings.Contains(r.Failure, "value of a row") {
		t.Errorf("%+v, %v", r, err)
	}
}

// An idle account has no record.
type idle struct{ *crm }

func (idle) Freshness(context.Context, *syncdef.Definition, time.Time, dest.Spend) (freshness.Figures, error) {
	return freshness.Figures{Total: freshness.N(0)}, nil
}

// Counting pins no account: a secret of another one may be corrected until rows go there.
func TestFreshenPinsNothing(t *testing.T) {
	w := newWorld(t, 1, func(_ *crm, d *syncdef.Definition) {
		d.Freshness = &syncdef.Freshness{DestinationField: "v"}
	})
	w.deliver.Freshness = w.store
	w.deliver.Open = func(syncdef.Connection) (dest.Account, error) { return idle{w.crm}, nil }
	pinned := func() string {
		stored, err := w.store.Connection(t.Context(), "prod")
		if err != nil {
			t.Fatal(err)
		}
		return stored.Account
	}
	if n, err := w.deliver.Freshen(t.Context()); n != 1 || err != nil || pinned() != "" {
		t.Errorf("%d counted, %v, pinned %q", n, err, pinned())
	}
	w.send("q", "a")
	w.once()
	if pinned() == "" {
		t.Error("the first delivery pinned nothing")
	}
}
