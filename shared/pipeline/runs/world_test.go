package runs_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

const (
	syncName = "accounts"
	queue    = "crm"
)

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

// A world is the whole road over a store in memory: an intake, a worker with a
// made-up vendor, a control and a sweeper, on a clock that only tests move.
type world struct {
	t       *testing.T
	now     time.Time
	store   *sqlite.Store
	stores  runs.Stores
	intake  *intake.Intake
	worker  *deliver.Deliver
	control *runs.Control
	sweep   *runs.Sweep
	vendor  *vendor
	pushes  int
}

func newWorld(t *testing.T, change func(*syncdef.Definition, *syncdef.Rules)) *world {
	t.Helper()
	w := &world{t: t, now: noon, vendor: &vendor{values: map[string]string{}, refuses: map[string]bool{}, busy: map[string]bool{}}}
	clock := func() time.Time { return w.now }
	var err error
	if w.store, err = sqlite.Open("", clock); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.store.Close() })
	s := w.store
	w.stores = runs.Stores{Syncs: s, Definitions: s, Connections: s, Runs: s, History: s, Recorded: s, Marks: s, Errors: s, Due: s, Ledger: s, Halts: s, Depths: s, Mirrors: s}
	w.intake = &intake.Intake{Syncs: s, Connections: s, Runs: s, Batches: s, Chunks: s, Errors: s, Queue: s, Ledger: s, Seen: s, Now: clock}
	w.worker = &deliver.Deliver{
		Queue: queue, Syncs: s, Connections: s, Tokens: s, Runs: s, Chunks: s, Unchanged: s, Halts: s, Ledger: s, Errors: s, Visibility: s,
		Open: func(syncdef.Connection) (dest.Account, error) { return w.vendor, nil }, Now: clock,
		Sleep: func(context.Context, time.Duration) error { return nil }, Rand: func() float64 { return 0.5 }, Hidden: time.Minute,
	}
	w.control = &runs.Control{Stores: w.stores, Replayer: w.intake, Policy: run.DefaultPolicy(), Now: clock}
	w.sweep = &runs.Sweep{Stores: w.stores, Replayer: w.intake, Remover: w.intake, Policy: run.DefaultPolicy(), Now: clock}
	w.apply(change)
	return w
}

// apply applies the sync with its definition changed; the notes are returned.
func (w *world) apply(change func(*syncdef.Definition, *syncdef.Rules)) []string {
	w.t.Helper()
	notes, err := w.control.Apply(w.t.Context(), w.version(change), syncdef.Connection{Name: "prod", Type: queue})
	w.ok(err)
	return notes
}

func (w *world) version(change func(*syncdef.Definition, *syncdef.Rules)) syncdef.Version {
	d := syncdef.Definition{
		Sync: syncName, Connection: "prod", Object: "Account", Strategy: syncdef.MatchField,
		Match: syncdef.Match{Source: "id", Destination: "Key__c"}, Operation: syncdef.Upsert, RecordID: []string{"id"},
		Fields: []syncdef.Field{{Source: "v", Destination: "Value__c", Type: syncdef.Number, OnNull: syncdef.ClearNull}},
		Lanes:  1, OnError: syncdef.Continue, OnMissing: syncdef.Create, OnDuplicate: syncdef.Latest, Send: syncdef.SendChanged,
		Incremental: &syncdef.Incremental{Cursor: "at"},
	}
	rules := syncdef.Rules{Type: queue}
	if change != nil {
		change(&d, &rules)
	}
	return syncdef.NewVersion(d, rules, w.now)
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// A record is a row of the model.
type record struct {
	id string
	v  any
	at any // cursor; a string is quoted
}

func (r record) json() jsontext.Value {
	at := fmt.Sprint(r.at)
	if s, ok := r.at.(string); ok {
		at = fmt.Sprintf("%q", s)
	}
	return jsontext.Value(fmt.Sprintf(`{"id":%q,"v":%v,"at":%s}`, r.id, r.v, at))
}

// push sends rows in one batch of a query of its own.
func (w *world) push(target string, records ...record) []row.Answer {
	w.t.Helper()
	w.pushes++
	answers, err := w.intake.Push(w.t.Context(), w.batch(target, fmt.Sprint("b", w.pushes), records...))
	w.ok(err)
	return answers
}

func (w *world) batch(target, id string, records ...record) row.Batch {
	b := row.Batch{ID: id, Query: "q" + id, Function: "penstock_push"}
	for n, r := range records {
		b.Rows = append(b.Rows, row.Row{Number: n, Target: target, Object: r.json()})
	}
	return b
}

// work lets the worker handle what can be received.
func (w *world) work() {
	w.t.Helper()
	for range 50 {
		in, err := w.store.Receive(w.t.Context(), queue, 10, time.Minute)
		w.ok(err)
		if len(in) == 0 {
			return
		}
		r := w.worker.Handle(w.t.Context(), in)
		for _, err := range r.Storage {
			w.t.Fatal(err)
		}
		for _, m := range in {
			if !slices.Contains(r.Stay, m.ID) {
				w.ok(w.store.Delete(w.t.Context(), queue, m.Receipt))
			}
		}
	}
}

func (w *world) sweepOnce() {
	w.t.Helper()
	w.ok(w.sweep.Run(w.t.Context()))
}

// pass lets time pass, a minute at a time, with everybody at work.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.now.Add(time.Minute)
		w.work()
		w.sweepOnce()
	}
}

func (w *world) begin(mode, token string) runs.Begun {
	w.t.Helper()
	b, err := w.control.Begin(w.t.Context(), syncName, mode, token)
	w.ok(err)
	return b
}

// complete runs the sync once with these rows, and returns the run.
func (w *world) complete(mode string, records ...record) run.Run {
	w.t.Helper()
	w.pushes++
	b := w.begin(mode, fmt.Sprint("token", w.pushes))
	if b.Select == runs.Wait {
		w.t.Fatal(b.Reason)
	}
	if len(records) > 0 {
		w.push(b.Run, records...)
	}
	w.work()
	_, err := w.control.Finish(w.t.Context(), b.Run, int64(len(records)))
	w.ok(err)
	w.sweepOnce()
	return w.run(b.Run)
}

func (w *world) run(id string) run.Run {
	w.t.Helper()
	r, err := w.store.Run(w.t.Context(), id)
	w.ok(err)
	return r
}

func (w *world) status(syncOrRun string) runs.SyncStatus {
	w.t.Helper()
	s, err := w.control.Status(w.t.Context(), syncOrRun)
	w.ok(err)
	return s
}

func (w *world) mark() string { return w.status(syncName).Watermark }

func (w *world) errors(id string) map[string]run.RowError {
	w.t.Helper()
	all, _, err := w.control.RunErrors(w.t.Context(), id, 1000, "")
	w.ok(err)
	out := map[string]run.RowError{}
	for _, e := range all {
		out[e.RecordID] = e
	}
	return out
}

// A vendor holds a value per key, refuses some, and is busy with others.
type vendor struct {
	values  map[string]string
	refuses map[string]bool
	busy    map[string]bool
	lacks   map[string]bool // keys that an update does not find
	down    bool
	broken  bool // every call fails with the version
	calls   int64
	sends   int
	daily   int64 // of its calls, that the connection may make in a day; 0 is any number
}

func (v *vendor) Identity(context.Context) (string, error) { return "", nil }

func (v *vendor) Probe(context.Context) error {
	if v.down {
		return &dest.CallError{Op: "probe", Class: dest.Unavailable, Code: "503", Message: "the vendor is down"}
	}
	return nil
}

func (v *vendor) Limits() dest.Limits {
	if v.daily == 0 {
		return dest.Limits{Concurrency: 1}
	}
	return dest.Limits{Concurrency: 1, Windows: func(string) []pace.Window { return []pace.Window{{Calls: v.daily, Per: 24 * time.Hour}} }}
}
func (v *vendor) APICalls() int64                                { return v.calls }
func (v *vendor) Open(syncdef.Version) (dest.Destination, error) { return v, nil }
func (v *vendor) Lookups(dest.Batch) []dest.Call                 { return nil }
func (v *vendor) Lookup(context.Context, dest.Batch, dest.Call) ([]dest.Outcome, error) {
	return nil, nil
}

func (v *vendor) Calls(b dest.Batch, most int) (calls []dest.Call) {
	if most == 0 {
		most = 200
	}
	all := make([]int, len(b.Records))
	for i := range all {
		all[i] = i
	}
	for part := range slices.Chunk(all, most) {
		calls = append(calls, dest.Call{Records: part, Costs: []dest.Cost{{Tokens: 1}}})
	}
	return calls
}

func (v *vendor) Push(_ context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	v.calls++
	if v.down {
		return nil, &dest.CallError{Op: "upsert", Class: dest.Unavailable, Scope: dest.ScopeConnection, Code: "503", Message: "the vendor is down"}
	}
	if v.broken {
		return nil, &dest.CallError{Op: "upsert", Class: dest.Configuration, Scope: dest.ScopeVersion, Code: "INVALID_FIELD", Message: "no such field"}
	}
	out := make([]dest.Outcome, len(c.Records))
	for n, i := range c.Records {
		r := b.Records[i]
		switch {
		case v.refuses[r.Key]:
			out[n] = dest.Outcome{Status: dest.Rejected, Code: "REFUSED", Message: "refused"}
		case v.lacks[r.Key]:
			out[n] = dest.Outcome{Status: dest.Rejected, Code: "no_match", Field: "Key__c", Message: "there is no such record"}
		case v.busy[r.Key]:
			out[n] = dest.Outcome{Status: dest.Retry, Code: "BUSY", Message: "busy"}
		default:
			v.sends++
			for _, f := range r.Fields {
				v.values[r.Key] = string(f.Value)
			}
			out[n] = dest.Outcome{Status: dest.Delivered, ID: "vendor-" + r.Key}
		}
	}
	return out, nil
}
