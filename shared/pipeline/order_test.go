package pipeline_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// killing kills the process that reads a key, so many times.
type killing struct {
	*sqlite.Store
	key    string
	deaths *int
}

func (k killing) Entries(ctx context.Context, target string, keys []string) (map[string]ledger.Entry, error) {
	if slices.Contains(keys, k.key) && *k.deaths > 0 {
		*k.deaths--
		panic(death{})
	}
	return k.Store.Entries(ctx, target, keys)
}

// What stands behind a suspect message in its lane waits for it: else a newer row would be
// compared with a ledger that lacks the older one, which is sent after it (I3).
func TestRowsBehindASuspect(t *testing.T) {
	for name, newer := range map[string]string{"upsert": object("a", 1), "delete": deletion("b")} {
		w := deleting(t, nil)
		w.through("q1", object("a", 1))
		w.push(batch("q2", "b", "accounts", object("a", 2), object("b", 2)))
		deaths := 3
		for deaths > 0 {
			w.deliver.Ledger = killing{w.store, "a", &deaths}
			if in := w.receive(); len(in) > 0 && !w.survives(in) {
				w.boot()
			}
			w.now = w.now.Add(2 * hidden)
		}
		w.through("q3", newer)
		w.drain(time.Hour)
		if name == "upsert" && w.crm.value("a") != 1 || name == "delete" && w.crm.records["b"] != nil {
			t.Errorf("%s: the vendor holds %v", name, w.crm.records)
		}
	}
}

// A row that superseded an older one of another message, and that needs no call, leaves
// its sequence where the older one's message goes back: else that one is sent then (I3).
func TestUnchangedSupersedes(t *testing.T) {
	for name, newer := range map[string]string{"upsert": object("a", 1), "delete": deletion("b")} {
		w := newWorld(t, 1, func(_ *crm, d *syncdef.Definition) { d.OnDelete = syncdef.RemoveDelete })
		w.through("q1", object("a", 1))
		w.push(batch("q2", "b", "accounts", object("a", 2), object("b", 2), object("waits", 2)))
		w.push(batch("q3", "b", "accounts", newer))
		w.crm.down = &dest.CallError{Op: "upsert", Class: dest.Unavailable, Message: "503"}
		w.once()
		w.crm.down = nil
		w.drain(time.Hour)
		if w.crm.value("waits") != 2 || name == "upsert" && w.crm.value("a") != 1 || name == "delete" && w.crm.records["b"] != nil {
			t.Errorf("%s: the vendor holds %v", name, w.crm.records)
		}
	}
}

// killingAfter kills the process that is about to commit a key, so many times: the
// destination has taken its row by then.
type killingAfter struct {
	*sqlite.Store
	key    string
	deaths *int
}

func (k killingAfter) Commit(ctx context.Context, target string, entries []ledger.Entry) ([]int, error) {
	if *k.deaths > 0 && slices.ContainsFunc(entries, func(e ledger.Entry) bool { return e.Key == k.key }) {
		*k.deaths--
		panic(death{})
	}
	return k.Store.Commit(ctx, target, entries)
}

// A row that two workers died on may have arrived: a delete removes its record, and the
// value that was held before is sent again.
func TestAfterAKiller(t *testing.T) {
	for name, newer := range map[string]string{"upsert": object("a", 1), "delete": deletion("b")} {
		key := map[string]string{"upsert": "a", "delete": "b"}[name]
		w := deleting(t, nil)
		w.through("q1", object("a", 1))
		id := w.push(batch("q2", "b", "accounts", object(key, 2)))[0].Run
		deaths := 5 // at the first receive, at two more that make it suspect, and twice alone
		for start := w.now; w.now.Sub(start) < time.Hour && w.depth() > 0; w.now = w.now.Add(time.Second) {
			w.deliver.Ledger = killingAfter{w.store, key, &deaths}
			if in := w.receive(); len(in) > 0 && !w.survives(in) {
				w.boot()
			}
		}
		if w.errorTypes(id)["crashed"] != 1 || w.crm.value(key) != 2 {
			t.Fatalf("%s: errors %v, the vendor holds %v", name, w.errorTypes(id), w.crm.records)
		}
		w.through("q3", newer)
		if name == "upsert" && w.crm.value("a") != 1 || name == "delete" && w.crm.records["b"] != nil {
			t.Errorf("%s: the vendor holds %v", name, w.crm.records)
		}
	}
}
