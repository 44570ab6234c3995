package pipeline_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// alone is a world whose vendor takes one record a call.
func alone(t *testing.T) *world {
	return newWorld(t, 1, func(c *crm, _ *syncdef.Definition) { c.most = 1 })
}

// Where each call has one record and the vendor refuses all of them but the probe, it is the
// version's, as of one call of these rows: nothing becomes a row's own error, and all goes
// out when it is mended.
func TestBrokenVersionOfSingleCalls(t *testing.T) {
	for name, class := range map[string]dest.Class{"unavailable": dest.Unavailable, "forbidden": dest.Configuration, "refused": dest.Refused} {
		for _, rows := range []int{8, 12, 200} {
			w := alone(t)
			w.crm.fail = func([]string) *dest.CallError { return failed(class, "403") }
			id := w.send("q", many("a", rows)...)
			w.once()
			if h, err := w.store.Halt(t.Context(), "accounts", w.version.ID); err != nil || h.Tries != 1 || h.Code != "403" {
				t.Errorf("%s, %d rows: halt %+v, %v", name, rows, h, err)
			}
			if errs := w.errors(id); len(errs) > 0 || w.crm.calls > 16 {
				t.Errorf("%s, %d rows: %d errors after %d calls", name, rows, len(errs), w.crm.calls)
			}
			w.crm.fail = nil
			w.drain(10 * time.Minute)
			if c := w.counts(id); c.Delivered != int64(rows) {
				t.Errorf("%s, %d rows: %+v", name, rows, c)
			}
		}
	}
}

// Fewer than eight follow the call's rule, each by itself.
func TestFewSingleCallsProveNothing(t *testing.T) {
	w := alone(t)
	w.crm.fail = func([]string) *dest.CallError { return failed(dest.Unavailable, "500") }
	id := w.send("q", many("a", 7)...)
	w.once()
	if _, err := w.store.Halt(t.Context(), "accounts", w.version.ID); !errors.Is(err, run.ErrNotFound) || len(w.errors(id)) != 7 {
		t.Errorf("halt: %v, %d errors", err, len(w.errors(id)))
	}
}

// Poison rows among good ones halt nothing, wherever and however close they stand: each is
// its own error, and the others are delivered at once.
func TestPoisonAmongSingleCalls(t *testing.T) {
	for name, bad := range map[string]func(n int) bool{
		"the first":         func(n int) bool { return n == 0 },
		"the last":          func(n int) bool { return n == 59 },
		"every third":       func(n int) bool { return n%3 == 0 },
		"twelve first":      func(n int) bool { return n < 12 },
		"twelve amid":       func(n int) bool { return n >= 20 && n < 32 },
		"twelve last":       func(n int) bool { return n >= 48 },
		"most of the first": func(n int) bool { return n < 40 },
	} {
		w := alone(t)
		keys, poison := many("g", 60), map[string]bool{}
		for n := range keys {
			if bad(n) {
				keys[n] = fmt.Sprint("bad", n)
				poison[keys[n]] = true
			}
		}
		w.crm.fail = func(keys []string) *dest.CallError {
			if slices.ContainsFunc(keys, func(k string) bool { return poison[k] }) {
				return failed(dest.Unavailable, "500")
			}
			return nil
		}
		id := w.send("q", keys...)
		w.once()
		if h, err := w.store.Halt(t.Context(), "accounts", w.version.ID); !errors.Is(err, run.ErrNotFound) {
			t.Errorf("%s: halted: %+v, %v", name, h, err)
		}
		if c := w.counts(id); c.Delivered != int64(60-len(poison)) || c.Failed != int64(len(poison)) {
			t.Errorf("%s: %+v", name, c)
		}
		if most := 60 + 3*len(poison) + 8; w.crm.calls > most {
			t.Errorf("%s: %d calls, want %d at most", name, w.crm.calls, most)
		}
	}
}

// A version that fails after some of its rows were taken is looked into as well.
func TestVersionBreaksAmidSingleCalls(t *testing.T) {
	w := alone(t)
	w.crm.fail = func([]string) *dest.CallError {
		if w.crm.calls > 100 {
			return failed(dest.Unavailable, "502")
		}
		return nil
	}
	id := w.send("q", many("a", 200)...)
	w.once()
	if _, err := w.store.Halt(t.Context(), "accounts", w.version.ID); err != nil || len(w.errors(id)) > 0 || w.crm.calls > 116 {
		t.Errorf("halt: %v, %d errors, %d calls", err, len(w.errors(id)), w.crm.calls)
	}
}
