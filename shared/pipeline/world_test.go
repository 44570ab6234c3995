package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

const hidden = time.Minute // the queue's visibility timeout

// A world is the road over one store in memory and one crm, on a clock of its own.
type world struct {
	t       *testing.T
	now     time.Time
	store   *sqlite.Store
	crm     *crm
	intake  *intake.Intake
	deliver *deliver.Deliver
	version syncdef.Version
	value   int
	bubble  bool // the time is that of its synctest bubble
}

// accounts is the sync of a world: key id, value v, cursor v.
func accounts(lanes int) syncdef.Definition {
	return syncdef.Definition{
		Sync: "accounts", Connection: "prod", Object: "Account", Strategy: syncdef.MatchExternalID,
		Match: syncdef.Match{Source: "id", Destination: "Ext__c"}, Operation: syncdef.Upsert, RecordID: []string{"id"},
		Fields: []syncdef.Field{
			{Source: "v", Destination: "Value__c", Type: syncdef.Number, OnNull: syncdef.ClearNull},
			{Source: "constant", Destination: "Constant__c", Type: syncdef.String, OnNull: syncdef.ClearNull},
		},
		BatchSize: 1000, Lanes: lanes, OnError: syncdef.Continue, OnMissing: syncdef.Create, OnDuplicate: syncdef.Latest, Send: syncdef.SendChanged,
		Incremental: &syncdef.Incremental{Cursor: "v"},
	}
}

// newWorld applies the sync, changed as wanted, on the first day of 2026.
func newWorld(t *testing.T, lanes int, change func(*crm, *syncdef.Definition)) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)}
	store, err := sqlite.Open("", w.clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	w.store, w.crm = store, newCRM(w.clock)
	d := accounts(lanes)
	if change != nil {
		change(w.crm, &d)
	}
	w.apply(d)
	if err := store.PutConnection(t.Context(), syncdef.Connection{Name: "prod", Type: "crm"}); err != nil {
		t.Fatal(err)
	}
	w.boot()
	return w
}

func (w *world) clock() time.Time {
	if w.bubble {
		return time.Now()
	}
	return w.now
}

func (w *world) apply(d syncdef.Definition) {
	w.t.Helper()
	w.version = syncdef.NewVersion(d, w.crm.rules(), w.now)
	if err := w.store.Apply(w.t.Context(), w.version); err != nil {
		w.t.Fatal(err)
	}
}

// boot starts new processes over the same store.
func (w *world) boot() {
	s := w.store
	w.intake = &intake.Intake{Syncs: s, Connections: s, Runs: s, Batches: s, Chunks: s, Errors: s, Queue: s, Ledger: s, Seen: s, Now: w.clock}
	w.deliver = &deliver.Deliver{
		Queue: "crm", Syncs: s, Connections: s, Tokens: s, Runs: s, Chunks: s, Unchanged: s, Halts: s, Ledger: s, Errors: s, Visibility: s,
		Open: func(c syncdef.Connection) (dest.Account, error) {
			return w.crm.vendor().Open(dest.Config{Connection: c})
		},
		Now: w.clock, Rand: func() float64 { return 0.5 }, Hidden: hidden,
		Sleep: func(_ context.Context, d time.Duration) error {
			if d > 2*time.Second {
				w.t.Errorf("I5: a billed wait of %v", d)
			}
			w.now = w.now.Add(d)
			return nil
		},
	}
}

// object is a row of the model.
func object(key string, value int) string {
	return fmt.Sprintf(`{"id":%q,"v":%d,"constant":"c"}`, key, value)
}

// batch is a request of rows for the sync or run.
func batch(query, id, target string, objects ...string) row.Batch {
	b := row.Batch{ID: id, Query: query, Function: "penstock_push"}
	for n, o := range objects {
		b.Rows = append(b.Rows, row.Row{Number: n, Target: target, Object: jsontext.Value(o)})
	}
	return b
}

// push hands a request to the intake.
func (w *world) push(b row.Batch) []row.Answer {
	w.t.Helper()
	answers, err := w.intake.Push(w.t.Context(), b)
	if err != nil {
		w.t.Fatal(err)
	}
	return answers
}

// send pushes rows of the given keys, each with the next value, as one batch of the query.
func (w *world) send(query string, keys ...string) (runID string) {
	w.t.Helper()
	objects := make([]string, len(keys))
	for n, k := range keys {
		w.value++
		objects[n] = object(k, w.value)
	}
	return w.push(batch(query, query+":1", "accounts", objects...))[0].Run
}

// once is one worker invocation that acknowledges as Lambda does.
func (w *world) once() deliver.Result {
	w.t.Helper()
	return w.handle(w.receive())
}

func (w *world) receive() []envelope.Delivery {
	w.t.Helper()
	in, err := w.store.Receive(w.t.Context(), "crm", 10, hidden)
	if err != nil {
		w.t.Fatal(err)
	}
	return in
}

func (w *world) handle(in []envelope.Delivery) deliver.Result {
	w.t.Helper()
	return w.handleWithin(w.t.Context(), in)
}

// handleWithin is handle with a context of one's own.
func (w *world) handleWithin(ctx context.Context, in []envelope.Delivery) deliver.Result {
	w.t.Helper()
	r := w.deliver.Handle(ctx, in)
	for _, m := range in {
		if slices.Contains(r.Stay, m.ID) {
			continue
		}
		if err := w.store.Delete(w.t.Context(), "crm", m.Receipt); err != nil {
			w.t.Fatal(err)
		}
	}
	return r
}

// drain works until the queue is empty or so much time has passed.
func (w *world) drain(within time.Duration) time.Duration {
	w.t.Helper()
	start := w.now
	for w.now.Sub(start) <= within {
		if w.depth() == 0 {
			return w.now.Sub(start)
		}
		if in := w.receive(); len(in) > 0 {
			w.handle(in)
		} else {
			w.now = w.now.Add(time.Second)
		}
	}
	return w.now.Sub(start)
}

func (w *world) depth() int {
	w.t.Helper()
	n, err := w.store.Depth(w.t.Context(), "crm")
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// errors are a run's stored errors.
func (w *world) errors(id string) []run.RowError {
	w.t.Helper()
	errs, _, err := w.store.RunErrors(w.t.Context(), id, 10_000, "")
	if err != nil {
		w.t.Fatal(err)
	}
	return errs
}

// errorTypes counts a run's errors by type.
func (w *world) errorTypes(id string) map[string]int {
	w.t.Helper()
	types := map[string]int{}
	for _, e := range w.errors(id) {
		types[e.Type]++
	}
	return types
}

// counts sums what a run's messages recorded.
func (w *world) counts(id string) (c run.Counts) {
	w.t.Helper()
	err := w.store.Chunks(w.t.Context(), id, func(_ string, _ int, k run.Chunk) error {
		if k.Done {
			c = c.Add(k.Counts)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// failed is a call that failed in the given class.
func failed(class dest.Class, code string) *dest.CallError {
	return &dest.CallError{Op: "upsert Account", Class: class, Code: code, Message: "the vendor answered " + code}
}

var errStorage = errors.New("ProvisionedThroughputExceededException")
