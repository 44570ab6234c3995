package pipeline_test

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// refusal is a call that is refused as a whole.
func refusal(code string) *dest.CallError { return failed(dest.Refused, code) }

// refusals are the ways that a call takes to the destination, in calls of 200 rows: of the
// rows, and of what is looked up before.
var refusals = map[string]struct {
	change func(c *crm, d *syncdef.Definition)
	refuse func(c *crm, f func(keys []string) *dest.CallError)
}{
	"push": {func(c *crm, _ *syncdef.Definition) { c.most = 200 }, func(c *crm, f func([]string) *dest.CallError) { c.fail = f }},
	"insert": {func(c *crm, d *syncdef.Definition) { c.most, c.once, d.Operation = 200, true, syncdef.Insert },
		func(c *crm, f func([]string) *dest.CallError) { c.fail = f }},
	"lookup": {func(c *crm, _ *syncdef.Definition) { c.most, c.finds = 200, true }, func(c *crm, f func([]string) *dest.CallError) { c.looked = f }},
}

// What answers each call with a refusal, the probe too, is the connection: its rows wait, none
// becomes an error, and a few calls show it.
func TestRefusedByAGateway(t *testing.T) {
	for name, most := range map[string]int{"one call": 200, "four calls": 50, "single calls": 1} {
		w := newWorld(t, 1, func(c *crm, _ *syncdef.Definition) { c.most = most })
		w.crm.id = "" // whose it is, is not asked
		w.crm.fail = func([]string) *dest.CallError { w.crm.down = refusal("400"); return w.crm.down }
		id := w.send("q", many("a", 200)...)
		w.once()
		if p, err := w.store.Pace(t.Context(), "prod"); err != nil || !p.Failing() || p.Code != "400" {
			t.Errorf("%s: the connection does not pause: %+v, %v", name, p, err)
		}
		if w.crm.calls != 1 || w.crm.probes != 1 {
			t.Errorf("%s: %d calls and %d probes", name, w.crm.calls, w.crm.probes)
		}
		w.drain(3 * time.Hour)
		if _, err := w.store.Halt(t.Context(), "accounts", w.version.ID); !errors.Is(err, run.ErrNotFound) || len(w.errors(id)) > 0 {
			t.Errorf("%s: halt: %v, %d errors", name, err, len(w.errors(id)))
		}
		w.crm.fail, w.crm.down = nil, nil
		w.drain(time.Hour)
		if c := w.counts(id); c.Delivered != 200 {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// What every row meets while the probe is answered is the version's: after eight single rows
// no further one is tried, and one probe was enough.
func TestRefusedForEveryRow(t *testing.T) {
	for name, road := range refusals {
		w := newWorld(t, 1, road.change)
		calls := 0
		road.refuse(w.crm, func([]string) *dest.CallError { calls++; return refusal("JSON_PARSER_ERROR") })
		id := w.send("q", many("a", 200)...)
		w.once()
		if h, err := w.store.Halt(t.Context(), "accounts", w.version.ID); err != nil || h.Tries != 1 || h.Code != "JSON_PARSER_ERROR" {
			t.Errorf("%s: halt %+v, %v", name, h, err)
		}
		if len(w.errors(id)) > 0 || calls != 1+2+8 || w.crm.probes != 1 {
			t.Errorf("%s: %d errors, %d calls, %d probes", name, len(w.errors(id)), calls, w.crm.probes)
		}
		road.refuse(w.crm, nil)
		w.drain(10 * time.Minute)
		if c := w.counts(id); c.Delivered != 200 {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// Rows whose content is refused are their own errors, wherever in the call they stand; the
// others are delivered at once, and one probe tells that it is the content.
func TestRefusedForSomeRows(t *testing.T) {
	for name, road := range refusals {
		for _, bad := range [][]int{{0}, {77}, {199}, {10, 150}, {0, 28, 53, 103, 128, 178}} {
			w := newWorld(t, 1, road.change)
			keys, poison, calls := many("g", 200), map[string]bool{}, 0
			for _, n := range bad {
				poison[keys[n]] = true
			}
			road.refuse(w.crm, func(keys []string) *dest.CallError {
				calls++
				if slices.ContainsFunc(keys, func(k string) bool { return poison[k] }) {
					return refusal("400")
				}
				return nil
			})
			id := w.send("q", keys...)
			w.once()
			if _, err := w.store.Halt(t.Context(), "accounts", w.version.ID); !errors.Is(err, run.ErrNotFound) {
				t.Errorf("%s, %v: halted: %v", name, bad, err)
			}
			if c := w.counts(id); c.Delivered != int64(200-len(bad)) || c.Failed != int64(len(bad)) {
				t.Errorf("%s, %v: %+v", name, bad, c)
			}
			if most := 1 + 16*len(bad) + 8; calls > most || w.crm.probes != 1 {
				t.Errorf("%s, %v: %d calls, want %d at most, and %d probes", name, bad, calls, most, w.crm.probes)
			}
		}
	}
}

// Of few rows none is left out before the refusal of the others counts as the version's: the
// good one is delivered, wherever it stands.
func TestRefusedForAllButOne(t *testing.T) {
	roads := maps.Clone(refusals)
	single := refusals["push"]
	single.change = func(c *crm, _ *syncdef.Definition) { c.most = 1 }
	roads["single calls"] = single
	for name, road := range roads {
		for _, n := range []int{9, 10, 15} {
			for good := range n {
				w := newWorld(t, 1, road.change)
				keys := many("g", n)
				road.refuse(w.crm, func(call []string) *dest.CallError {
					if len(call) > 1 || call[0] != keys[good] {
						return refusal("400")
					}
					return nil
				})
				id := w.send("q", keys...)
				w.once()
				if c := w.counts(id); c.Delivered != 1 || c.Failed != int64(n-1) {
					t.Errorf("%s, %d of %d is good: %+v", name, good, n, c)
				}
			}
		}
	}
}

// A call that is too large, or too complicated, is halved until it is taken. That all of its
// parts were refused for so long says nothing against the version.
func TestRefusedAsTooLarge(t *testing.T) {
	for name, road := range refusals {
		for _, most := range []int{100, 30, 1} {
			w := newWorld(t, 1, road.change)
			calls := 0
			road.refuse(w.crm, func(keys []string) *dest.CallError {
				if calls++; len(keys) > most {
					return refusal("413")
				}
				return nil
			})
			id := w.send("q", many("a", 200)...)
			w.once()
			if _, err := w.store.Halt(t.Context(), "accounts", w.version.ID); !errors.Is(err, run.ErrNotFound) {
				t.Errorf("%s of %d at most: halted: %v", name, most, err)
			}
			if c := w.counts(id); c.Delivered != 200 || w.crm.probes != 1 {
				t.Errorf("%s of %d at most: %+v, errors %v, %d probes", name, most, c, w.errorTypes(id), w.crm.probes)
			}
			if all := map[int]int{100: 3, 30: 16, 1: 402}[most]; calls > all {
				t.Errorf("%s of %d at most: %d calls, want %d at most", name, most, calls, all)
			}
		}
	}
}
