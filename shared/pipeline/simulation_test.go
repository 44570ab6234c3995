package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// TestSimulation runs the whole road from a seed, in one goroutine and on a clock
// of its own: a warehouse that retries, workers that die just before and just
// after any write, messages that come twice, a vendor that throttles, fails,
// loses answers and refuses rows. PENSTOCK_SEEDS sets how many seeds are tried.
func TestSimulation(t *testing.T) {
	seeds := 40
	if s := os.Getenv("PENSTOCK_SEEDS"); s != "" {
		var err error
		if seeds, err = strconv.Atoi(s); err != nil {
			t.Fatalf("PENSTOCK_SEEDS: %v", err)
		}
	}
	for seed := range uint64(seeds) {
		t.Run("upsert/"+strconv.FormatUint(seed, 10), func(t *testing.T) {
			w := newWorld(t, seed, definition)
			w.live()
			w.drain()
			w.check()
		})
		t.Run("insert/"+strconv.FormatUint(seed, 10), func(t *testing.T) {
			w := newWorld(t, seed, messages)
			w.live()
			w.drain()
			w.checkOnce()
		})
	}
}

// world is everything that a simulation holds.
type world struct {
	t       *testing.T
	rng     *rand.Rand
	now     time.Time
	store   *sqlite.Store
	mortal  *mortal // the store as the process sees it
	vendor  *vendor
	intake  *pipeline.Intake
	deliver *pipeline.Deliver
	control *pipeline.Control
	value   int // grows with every row, so that order can be checked
	deaths  int
	pushed  map[string]int   // rows per run that were answered
	runs    []string         // bracketed runs that were finished
	newest  map[string]int   // key -> value of the last row that was answered queued
	open    string           // the bracketed run in progress
	sent    map[string]int64 // rows pushed into it
}

func newWorld(t *testing.T, seed uint64, define func(lanes int) syncdef.Definition) *world {
	w := &world{
		t: t, rng: rand.New(rand.NewPCG(seed, 7)), now: time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC),
		pushed: map[string]int{}, newest: map[string]int{}, sent: map[string]int64{},
	}
	store, err := sqlite.Open("", w.clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	w.store = store
	w.mortal = &mortal{Store: store, rng: w.rng}
	w.vendor = newVendor(w)
	lanes := 1 + w.rng.IntN(4)
	v := syncdef.NewVersion(define(lanes), syncdef.Connection{Name: "crm", Type: "crm"}, w.now)
	if err := store.Apply(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	w.boot()
	return w
}

func definition(lanes int) syncdef.Definition {
	return syncdef.Definition{
		Sync: "accounts", Connection: "crm", Object: "Account", Strategy: syncdef.MatchExternalID,
		Match: syncdef.Match{Source: "id", Destination: "Ext__c"}, Operation: syncdef.Upsert, RecordID: []string{"id"},
		BatchSize: 1000, Lanes: lanes, OnError: syncdef.Continue, OnMissing: syncdef.Report, OnDuplicate: syncdef.Latest, Send: syncdef.SendChanged,
		Fields: []syncdef.Field{
			{Source: "v", Destination: "Value__c", Type: syncdef.Integer, OnNull: syncdef.ClearNull},
			{Source: "constant", Destination: "Constant__c", Type: syncdef.String, OnNull: syncdef.ClearNull},
		},
		Incremental: &syncdef.Incremental{Cursor: "v"},
	}
}

// messages is a sync whose rows are inserted: each record id once, ever.
func messages(lanes int) syncdef.Definition {
	d := definition(lanes)
	d.Operation, d.Strategy, d.Match = syncdef.Insert, syncdef.MatchNone, syncdef.Match{}
	return d
}

func (w *world) clock() time.Time { return w.now }

// boot starts a process: everything in memory is new.
func (w *world) boot() {
	m := w.mortal
	m.dead, m.fuse = false, 0
	w.intake = &pipeline.Intake{Syncs: m, Runs: m, Errors: m, Queue: m, Now: w.clock}
	w.control = &pipeline.Control{Syncs: m, Runs: m, Errors: m, Now: w.clock}
	w.deliver = &pipeline.Deliver{
		Queue: "crm", Syncs: m, Runs: m, Ledger: m, Errors: m, Pace: m, Visibility: m, Now: w.clock,
		Open:  func(context.Context, syncdef.Version) (pipeline.Destination, error) { return w.vendor, nil },
		Sleep: func(_ context.Context, d time.Duration) error { w.now = w.now.Add(d); return nil },
		Rand:  w.rng.Float64,
	}
}

// live lets warehouse, workers and time take turns.
func (w *world) live() {
	for step := range 60 {
		w.now = w.now.Add(time.Duration(1+w.rng.IntN(3000)) * time.Millisecond)
		w.vendor.trouble = w.rng.IntN(3) == 0
		switch w.rng.IntN(5) {
		case 0, 1:
			w.push(step)
		case 2:
			w.bracket()
		default:
			w.work()
		}
		w.sweep()
	}
	w.finish()
}

// push sends one batch, and retries it as a warehouse does until it is answered.
func (w *world) push(step int) {
	name := "accounts"
	if w.open != "" && w.rng.IntN(2) == 0 {
		name = w.open
	}
	b := row.Batch{ID: fmt.Sprintf("batch-%d", step), Query: fmt.Sprintf("query-%d", step/7), Function: "penstock_push"}
	values := map[string]int{}
	for n := range 1 + w.rng.IntN(12) {
		w.value++
		key := fmt.Sprintf("k%d", w.rng.IntN(15))
		v := strconv.Itoa(w.value)
		if w.rng.IntN(10) == 0 {
			v = `"faulty"`
		} else {
			values[key] = w.value
		}
		object := fmt.Sprintf(`{"id":%q,"v":%s,"constant":"c"}`, key, v)
		b.Rows = append(b.Rows, row.Row{Number: n, Args: []jsontext.Value{jsontext.Value(strconv.Quote(name)), jsontext.Value(object)}})
	}
	var first []pipeline.Answer
	for range 100 {
		w.maybeDoom(40)
		answers, err := w.intake.Push(w.t.Context(), b)
		if err != nil {
			w.died(err)
			if w.rng.IntN(2) == 0 {
				w.work() // workers go on between the warehouse's attempts
			}
			continue
		}
		if first == nil {
			first = answers
			if w.rng.IntN(4) == 0 {
				continue // the answer was lost: the warehouse asks again
			}
		}
		w.same(first, answers)
		break
	}
	w.pushed[first[0].Run] += len(b.Rows)
	if run.IsID(name) {
		w.sent[name] += int64(len(b.Rows))
	}
	for key, v := range values {
		w.newest[key] = v
	}
}

func (w *world) same(a, b []pipeline.Answer) {
	for i := range a {
		if string(a[i].AppendJSON(nil)) != string(b[i].AppendJSON(nil)) {
			w.t.Fatalf("a retried batch was answered otherwise:\n%s\n%s", a[i].AppendJSON(nil), b[i].AppendJSON(nil))
		}
	}
}

// bracket begins a run, or finishes the one in progress.
func (w *world) bracket() {
	if w.open != "" {
		w.finish()
		return
	}
	b, err := w.control.Begin(w.t.Context(), "accounts", []string{"incremental", "full"}[w.rng.IntN(2)], strconv.Itoa(len(w.runs)))
	var refused *pipeline.RequestError
	if errors.As(err, &refused) {
		return // the last one has not settled yet
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.open = b.Run
}

func (w *world) finish() {
	if w.open == "" {
		return
	}
	for {
		_, err := w.control.Finish(w.t.Context(), w.open, w.sent[w.open])
		if err == nil {
			break
		}
		w.died(err)
	}
	w.runs = append(w.runs, w.open)
	w.open = ""
}

// work is one worker invocation; sometimes the acknowledgement is lost.
func (w *world) work() {
	in, err := w.store.Receive(w.t.Context(), "crm", 1+w.rng.IntN(10), time.Minute)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(in) == 0 {
		return
	}
	w.maybeDoom(30)
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	stay, err := w.deliver.Handle(ctx, in)
	if err != nil {
		w.died(err)
		return
	}
	kept := map[string]bool{}
	for _, id := range stay {
		kept[id] = true
	}
	for _, m := range in {
		if kept[m.ID] || w.rng.IntN(20) == 0 {
			continue
		}
		if err := w.store.Delete(w.t.Context(), "crm", m.Receipt); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) maybeDoom(n int) {
	if w.rng.IntN(3) == 0 {
		w.mortal.fuse = 1 + w.rng.IntN(n)
	} else {
		w.mortal.fuse = 0
	}
}

// died starts a new process where the error is the simulated death.
func (w *world) died(err error) {
	if !errors.Is(err, errDied) {
		w.t.Fatal(err)
	}
	w.deaths++
	w.boot()
}

func (w *world) sweep() {
	s := pipeline.Sweep{Runs: w.store, Now: w.clock, Policy: run.Policy{Quiet: 10 * time.Second, GiveUp: 90 * 24 * time.Hour}}
	if err := s.Run(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// drain lets everything settle without further trouble.
func (w *world) drain() {
	w.vendor.trouble = false
	for range 2000 {
		w.now = w.now.Add(20 * time.Second)
		w.mortal.fuse = 0
		w.work()
		w.sweep()
		open, err := w.store.OpenRuns(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		if depth, _ := w.store.Depth(w.t.Context(), "crm"); depth == 0 && len(open) == 0 {
			return
		}
	}
	w.t.Fatal("did not settle")
}
