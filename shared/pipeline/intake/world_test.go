package intake_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
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

// A world is one intake over a store in memory, with a clock that only tests move.
type world struct {
	t      *testing.T
	now    time.Time
	store  *sqlite.Store
	mortal *mortal
	intake *intake.Intake
}

func newWorld(t *testing.T, change func(*syncdef.Definition, *syncdef.Rules)) *world {
	t.Helper()
	w := &world{t: t, now: noon}
	var err error
	if w.store, err = sqlite.Open("", func() time.Time { return w.now }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.store.Close() })
	w.ok(w.store.PutConnection(t.Context(), syncdef.Connection{Name: "prod", Type: queue}))
	w.apply(change)
	w.boot()
	return w
}

// apply applies the sync with its definition changed.
func (w *world) apply(change func(*syncdef.Definition, *syncdef.Rules)) syncdef.Version {
	w.t.Helper()
	d := syncdef.Definition{
		Sync: syncName, Connection: "prod", Object: "Account", Strategy: syncdef.MatchField,
		Match: syncdef.Match{Source: "key", Destination: "Key__c"}, Operation: syncdef.Upsert, RecordID: []string{"id"},
		Fields: []syncdef.Field{{Source: "v", Destination: "Value__c", Type: syncdef.Number, OnNull: syncdef.ClearNull}},
		Lanes:  2, OnError: syncdef.Continue, OnDuplicate: syncdef.Latest, Send: syncdef.SendChanged,
		Incremental: &syncdef.Incremental{Cursor: "at"},
	}
	rules := syncdef.Rules{Type: queue}
	if change != nil {
		change(&d, &rules)
	}
	v := syncdef.NewVersion(d, rules, w.now)
	w.ok(w.store.Apply(w.t.Context(), v))
	return v
}

// boot starts the intake as a new process.
func (w *world) boot() {
	w.mortal = &mortal{Store: w.store, fuse: -1}
	w.intake = &intake.Intake{
		Syncs: w.mortal, Connections: w.mortal, Runs: w.mortal, Batches: w.mortal, Chunks: w.mortal, Errors: w.mortal, Queue: w.mortal,
		Now: func() time.Time { return w.now },
	}
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// batch is a request of one query, of rows given as JSON objects.
func batch(target, id string, objects ...string) row.Batch {
	b := row.Batch{ID: id, Query: "query", Function: "penstock_push"}
	for n, o := range objects {
		b.Rows = append(b.Rows, row.Row{Number: n, Target: target, Object: jsontext.Value(o)})
	}
	return b
}

// object is a row of the sync.
func object(key string, v any, at string) string {
	return fmt.Sprintf(`{"id":%q,"key":%q,"v":%v,"at":%s,"other":"x"}`, "id-"+key, key, v, at)
}

func (w *world) push(b row.Batch) []row.Answer {
	w.t.Helper()
	answers, err := w.intake.Push(w.t.Context(), b)
	w.ok(err)
	return answers
}

func text(answers []row.Answer) string {
	var lines []string
	for _, a := range answers {
		lines = append(lines, string(a.AppendJSON(nil)))
	}
	return strings.Join(lines, "\n")
}

// the run that the batches of one query belong to.
var theRun = run.ImplicitID(syncName, "query")

func (w *world) pinned(runID, target, id string) run.Batch {
	w.t.Helper()
	b, err := w.store.Batch(w.t.Context(), runID, run.BatchID(target, "penstock_push", id))
	w.ok(err)
	return b
}

func (w *world) errors(runID string) map[int]run.RowError {
	w.t.Helper()
	all, _, err := w.store.RunErrors(w.t.Context(), runID, 1000, "")
	w.ok(err)
	out := map[int]run.RowError{}
	for _, e := range all {
		out[e.Row] = e
	}
	return out
}

// messages takes all that is queued.
func (w *world) messages() []envelope.Chunk {
	w.t.Helper()
	u := &envelope.Unpacker{}
	var out []envelope.Chunk
	for {
		in, err := w.store.Receive(w.t.Context(), queue, 10, time.Hour)
		w.ok(err)
		if len(in) == 0 {
			return out
		}
		for _, m := range in {
			c, err := u.Unpack(m.Body)
			w.ok(err)
			out = append(out, c)
			w.ok(w.store.Delete(w.t.Context(), queue, m.Receipt))
		}
	}
}

// status changes the stored run.
func (w *world) status(id string, change func(*run.Run)) {
	w.t.Helper()
	r, err := w.store.Run(w.t.Context(), id)
	w.ok(err)
	change(&r)
	w.ok(w.store.UpdateRun(w.t.Context(), r))
}

var errDied = errors.New("the process died")

// A mortal store dies at its fuse-th write, before or after it took effect; from
// then on nothing is done. A negative fuse never burns.
type mortal struct {
	*sqlite.Store
	mu    sync.Mutex // of what follows
	fuse  int
	after bool
	dead  bool
}

// do makes a write, unless the process is dead.
func (m *mortal) do(write func() error) error {
	switch m.burn() {
	case dead:
		return errDied
	case alive:
		return write()
	}
	if m.after {
		if err := write(); err != nil {
			return err
		}
	}
	return errDied
}

// burn tells how the process meets its next write.
func (m *mortal) burn() life {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return dead
	}
	if m.fuse--; m.fuse != 0 {
		return alive
	}
	m.dead = true
	return dying
}

type life int

const (
	alive life = iota
	dying
	dead
)

func (m *mortal) NextSequence(ctx context.Context, sync string) (n int64, err error) {
	err = m.do(func() error { n, err = m.Store.NextSequence(ctx, sync); return err })
	return n, err
}

func (m *mortal) EnsureRun(ctx context.Context, r run.Run) (stored run.Run, err error) {
	err = m.do(func() error { stored, err = m.Store.EnsureRun(ctx, r); return err })
	return stored, err
}

func (m *mortal) UpdateRun(ctx context.Context, r run.Run) error {
	return m.do(func() error { return m.Store.UpdateRun(ctx, r) })
}

func (m *mortal) PinBatch(ctx context.Context, b run.Batch) (stored run.Batch, created bool, err error) {
	err = m.do(func() error { stored, created, err = m.Store.PinBatch(ctx, b); return err })
	return stored, created, err
}

func (m *mortal) CountGate(ctx context.Context, runID, batch string, c run.GateCounts) (all run.GateCounts, err error) {
	err = m.do(func() error { all, err = m.Store.CountGate(ctx, runID, batch, c); return err })
	return all, err
}

func (m *mortal) MarkSent(ctx context.Context, runID, batch string) error {
	return m.do(func() error { return m.Store.MarkSent(ctx, runID, batch) })
}

func (m *mortal) RecordChunk(ctx context.Context, runID, batch string, index int, c run.Chunk) (first bool, err error) {
	err = m.do(func() error { first, err = m.Store.RecordChunk(ctx, runID, batch, index, c); return err })
	return first, err
}

func (m *mortal) StoreErrors(ctx context.Context, errs []run.RowError) error {
	return m.do(func() error { return m.Store.StoreErrors(ctx, errs) })
}

func (m *mortal) Send(ctx context.Context, queue string, msgs []envelope.Message) (accepted []bool, err error) {
	err = m.do(func() error { accepted, err = m.Store.Send(ctx, queue, msgs); return err })
	return accepted, err
}

func (d deep) Depth(context.Context, string) (int, error) { return d.depth, nil }

func (p paced) Pace(context.Context, string) (pace.State, error) { return p.state(), nil }

// broken is a store whose versions no program compiles.
type broken struct{ *mortal }

func (b broken) Version(ctx context.Context, sync, id string) (syncdef.Version, error) {
	v, err := b.mortal.Version(ctx, sync, id)
	v.Definition.Strategy = "rule 7"
	return v, err
}

// forgetful stores no errors.
type forgetful struct{}

func (forgetful) StoreErrors(context.Context, []run.RowError) error { return errors.New("throttled") }

// closing is a store in which something happens before a batch is pinned.
type closing struct {
	*mortal
	before func()
}

func (c closing) PinBatch(ctx context.Context, b run.Batch) (run.Batch, bool, error) {
	c.before()
	return c.mortal.PinBatch(ctx, b)
}
