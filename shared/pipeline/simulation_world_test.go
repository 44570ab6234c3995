package pipeline_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
)

// check holds the end of a simulation against the invariants.
func (w *world) check() {
	w.t.Helper()
	ctx := w.t.Context()
	for id, rows := range w.pushed {
		r, err := w.store.Run(ctx, id)
		if err != nil {
			w.t.Fatal(err)
		}
		// I1, I2: every row settled, and counted once.
		if r.Status != run.Complete || r.Counts.Settled() != int64(rows) || r.Counts.Received != int64(rows) {
			w.t.Errorf("run %s: %s, %d rows pushed, counts %+v", id, r.Status, rows, r.Counts)
		}
		errs, _, err := w.store.RunErrors(ctx, id, 10_000, "")
		if err != nil {
			w.t.Fatal(err)
		}
		// A death between an error and the ledger entry that names it may leave an
		// error of a row that was delivered after all, never the other way round.
		if int64(len(errs)) < r.Counts.Rejected+r.Counts.Failed {
			w.t.Errorf("run %s: %d errors stored, counts %+v", id, len(errs), r.Counts)
		}
	}
	entries := w.entries()
	for k, v := range w.newest {
		e, held := entries[k], w.vendor.values[k]
		switch {
		case e.Error != "": // its last row was refused: what is held is older
			w.message(e.Error) // it must be stored
		case held != v: // I1, I3
			w.t.Errorf("key %s: holds %d, the newest accepted is %d; entry %+v", k, held, v, e)
		case e.Fingerprint.Void():
			w.t.Errorf("key %s: delivered, but the ledger does not know", k)
		}
	}
	mark, err := w.store.Watermark(ctx, "accounts")
	if err != nil {
		w.t.Fatal(err)
	}
	if len(w.runs) == 0 && mark != "" {
		w.t.Errorf("watermark %s without a bracketed run (I4)", mark)
	}
}

// checkOnce holds the end of a simulation of inserts: every record id was sent
// once, however often its row came, its worker died or its answer was lost.
func (w *world) checkOnce() {
	w.t.Helper()
	for id, rows := range w.pushed {
		r, err := w.store.Run(w.t.Context(), id)
		if err != nil {
			w.t.Fatal(err)
		}
		if r.Status != run.Complete || r.Counts.Settled() != int64(rows) {
			w.t.Errorf("run %s: %s, %d rows pushed, counts %+v", id, r.Status, rows, r.Counts)
		}
	}
	entries := w.entries()
	for k := range w.newest {
		switch n := w.vendor.sends[k]; {
		case n > 1:
			w.t.Errorf("key %s was sent %d times", k, n)
		case n == 0 && entries[k].Error == "":
			w.t.Errorf("key %s was never sent, and has no error", k)
		}
	}
}

// entries reads the ledger of all keys that were accepted.
func (w *world) entries() map[string]ledger.Entry {
	keys := make([]string, 0, len(w.newest))
	for k := range w.newest {
		keys = append(keys, k)
	}
	entries, err := w.store.Entries(w.t.Context(), ledger.Target("accounts", "crm", "Account"), keys)
	if err != nil {
		w.t.Fatal(err)
	}
	return entries
}

// message finds a stored error by its reference.
func (w *world) message(ref string) string {
	id, _, _ := strings.Cut(ref, "#")
	errs, _, err := w.store.RunErrors(w.t.Context(), id, 10_000, "")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range errs {
		if e.Ref() == ref {
			return e.Message
		}
	}
	w.t.Errorf("the ledger names error %s, which is not stored", ref)
	return ""
}

// vendor is a destination that upserts by key and makes trouble when told to.
type vendor struct {
	w       *world
	trouble bool
	values  map[string]int
	sends   map[string]int
	deaths  map[string]int // how many processes had died when the value came
	refuses map[string]bool
	grants  []time.Time
}

func newVendor(w *world) *vendor {
	v := &vendor{w: w, values: map[string]int{}, sends: map[string]int{}, deaths: map[string]int{}, refuses: map[string]bool{}}
	for range w.rng.IntN(3) {
		v.refuses["k"+strconv.Itoa(w.rng.IntN(15))] = true
	}
	return v
}

var quota = pace.Window{Calls: 20, Per: 10 * time.Second}

func (v *vendor) Limits() dest.Limits {
	return dest.Limits{Concurrency: 1, Windows: func(string) []pace.Window { return []pace.Window{quota} }}
}

func (v *vendor) Lookups(b dest.Batch) []dest.Call {
	var c dest.Call
	for i, r := range b.Records {
		if r.Intent {
			c.Records = append(c.Records, i)
		}
	}
	if len(c.Records) == 0 {
		return nil
	}
	return []dest.Call{c}
}

// Lookup settles intents by what was really sent.
func (v *vendor) Lookup(_ context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	v.spend()
	outcomes := make([]dest.Outcome, len(c.Records))
	for n, i := range c.Records {
		if v.sends[b.Records[i].Key] > 0 {
			outcomes[n] = dest.Outcome{Status: dest.Delivered, ID: "id-" + b.Records[i].Key}
		}
	}
	return outcomes, nil
}

func (v *vendor) Calls(b dest.Batch) []dest.Call {
	var calls []dest.Call
	for i := range b.Records {
		if i%3 == 0 {
			calls = append(calls, dest.Call{})
		}
		last := &calls[len(calls)-1]
		last.Records = append(last.Records, i)
	}
	return calls
}

func (v *vendor) Push(_ context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	v.spend()
	luck := 100
	if v.trouble {
		luck = v.w.rng.IntN(8)
	}
	switch luck {
	case 0:
		return nil, &dest.CallError{Op: "upsert", Class: dest.Unavailable, Message: "503"}
	case 1:
		return nil, &dest.CallError{Op: "upsert", Class: dest.Throttled, Message: "slow down", After: 7 * time.Second}
	case 2:
		return nil, &dest.CallError{Op: "upsert", Class: dest.Refused, Code: "bad", Message: "one of these"}
	}
	outcomes := make([]dest.Outcome, len(c.Records))
	for n, i := range c.Records {
		r := b.Records[i]
		switch {
		case v.refuses[r.Key]:
			outcomes[n] = dest.Outcome{Status: dest.Rejected, Code: "refused", Message: "never"}
		case luck == 3 && n == 0:
			outcomes[n] = dest.Outcome{Status: dest.Retry, Code: "locked", Message: "later"}
		default:
			v.store(r)
			outcomes[n] = dest.Outcome{Status: dest.Delivered, ID: "id-" + r.Key}
			if luck == 4 {
				outcomes[n] = dest.Outcome{Status: dest.Unknown, Message: "no answer"}
			}
		}
	}
	return outcomes, nil
}

// store keeps the value; an older one than is held breaks I3.
func (v *vendor) store(r dest.Record) {
	v.sends[r.Key]++
	for _, f := range r.Fields {
		if f.Name != "Value__c" {
			continue
		}
		n, err := strconv.Atoi(string(f.Value))
		if err != nil {
			v.w.t.Fatalf("value %s: %v", f.Value, err)
		}
		// I3 promises nothing of the moment between a newer value's push and its
		// commit, when the process dies there: the newer one is pushed again.
		if n < v.values[r.Key] && v.w.deaths == v.deaths[r.Key] {
			v.w.t.Errorf("I3: key %s held %d and got the older %d", r.Key, v.values[r.Key], n)
		}
		v.values[r.Key], v.deaths[r.Key] = n, v.w.deaths
	}
}

// spend holds the calls against the quota (I7).
func (v *vendor) spend() {
	v.grants = append(v.grants, v.w.now)
	if i := len(v.grants) - 1 - int(quota.Calls); i >= 0 && v.w.now.Sub(v.grants[i]) < quota.Per {
		v.w.t.Errorf("I7: %d calls within %v", quota.Calls+1, v.w.now.Sub(v.grants[i]))
	}
}

var errDied = errors.New("the process died")

// mortal is a store whose process dies at the write that burns down the fuse:
// just before it, or just after.
type mortal struct {
	*sqlite.Store
	rng  *rand.Rand
	fuse int
	dead bool
}

// write counts the fuse down and makes the write, unless the process is dead.
func (m *mortal) write(f func() error) error {
	if m.dead {
		return errDied
	}
	if m.fuse > 0 {
		if m.fuse--; m.fuse == 0 {
			m.dead = true
			if m.rng.IntN(2) == 0 {
				return errDied
			}
			if err := f(); err != nil {
				return err
			}
			return errDied
		}
	}
	return f()
}

func (m *mortal) PinBatch(ctx context.Context, b run.Batch) (stored run.Batch, created bool, err error) {
	err = m.write(func() (err error) { stored, created, err = m.Store.PinBatch(ctx, b); return })
	return
}

func (m *mortal) EnsureRun(ctx context.Context, r run.Run) (stored run.Run, err error) {
	err = m.write(func() (err error) { stored, err = m.Store.EnsureRun(ctx, r); return })
	return
}

func (m *mortal) UpdateRun(ctx context.Context, r run.Run, watermark string) error {
	return m.write(func() error { return m.Store.UpdateRun(ctx, r, watermark) })
}

func (m *mortal) MarkSent(ctx context.Context, r, b string) error {
	return m.write(func() error { return m.Store.MarkSent(ctx, r, b) })
}

func (m *mortal) RecordChunk(ctx context.Context, r, b string, i int, c run.Chunk) (first bool, err error) {
	err = m.write(func() (err error) { first, err = m.Store.RecordChunk(ctx, r, b, i, c); return })
	return
}

func (m *mortal) DeferChunk(ctx context.Context, r, b string, i, n int) error {
	return m.write(func() error { return m.Store.DeferChunk(ctx, r, b, i, n) })
}

func (m *mortal) Commit(ctx context.Context, target string, entries []ledger.Entry) error {
	return m.write(func() error { return m.Store.Commit(ctx, target, entries) })
}

func (m *mortal) StoreErrors(ctx context.Context, errs []run.RowError) error {
	return m.write(func() error { return m.Store.StoreErrors(ctx, errs) })
}

// Send may die in the middle: some messages are queued, the others are not.
func (m *mortal) Send(ctx context.Context, queue string, msgs []pipeline.Message) ([]bool, error) {
	accepted := make([]bool, len(msgs))
	for i := range msgs {
		err := m.write(func() error { _, err := m.Store.Send(ctx, queue, msgs[i:i+1]); return err })
		if err != nil {
			return accepted, err
		}
		accepted[i] = true
	}
	return accepted, nil
}
