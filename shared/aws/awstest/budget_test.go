package awstest

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/aws"
	"github.com/penstock-data/penstock/shared/aws/state"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// What a million rows may cost in the state table, reads and writes together: the
// road's calls, and one sweep over the whole run.
func TestStateBudget(t *testing.T) {
	servers(t)
	for _, c := range []struct{ rows, most int }{{2000, 10_000}, {1000, 20_000}} {
		t.Run(fmt.Sprint("batches of ", c.rows), func(t *testing.T) {
			const batches = 20
			w := newRoad(t)
			for b := range batches {
				w.push(t, b, c.rows)
				w.deliver(t)
			}
			w.sweep(t, batches*c.rows)
			per := func(units float64) float64 { return units * 1e6 / float64(batches*c.rows) }
			total := per(w.units.read + w.units.written)
			t.Logf("per 1M rows: %.0f read units, %.0f write units: %.0f of %d; by call: %v",
				per(w.units.read), per(w.units.written), total, c.most, w.units.by)
			if total > float64(c.most) {
				t.Errorf("%.0f state units per 1M rows, at most %d are allowed", total, c.most)
			}
			if total < float64(c.most)/10 {
				t.Errorf("%.0f state units per 1M rows: they are not counted", total)
			}
		})
	}
}

// A road is intake and worker over the state table; queue, ledger and errors, which
// are not counted, are in memory.
type road struct {
	now    time.Time
	units  *units
	state  *state.Store
	memory *sqlite.Store
	intake intake.Intake
	worker deliver.Deliver
	run    string
}

func newRoad(t *testing.T) *road {
	t.Helper()
	cfg, err := aws.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("b%d-%d-", time.Now().UnixNano(), opened.Add(1))
	remove, err := CreateTables(t.Context(), cfg, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = remove(context.WithoutCancel(t.Context())) })
	w := &road{now: at, units: &units{by: map[string]float64{}}}
	clock := func() time.Time { return w.now }
	if w.memory, err = sqlite.Open("", clock); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.memory.Close() })
	cfg.APIOptions = append(cfg.APIOptions, w.units.count)
	w.state = state.New(cfg, state.Config{Table: name + State, Now: clock})
	s, m := w.state, w.memory
	w.intake = intake.Intake{Syncs: s, Connections: s, Runs: s, Batches: s, Chunks: s, Errors: m, Queue: m, Now: clock}
	w.worker = deliver.Deliver{
		Queue: "crm", Syncs: s, Connections: s, Tokens: s, Runs: s, Chunks: s, Unchanged: s, Halts: s, Ledger: m, Errors: m, Visibility: m,
		Open: func(syncdef.Connection) (dest.Account, error) { return perfect{}, nil },
		Now:  clock, Rand: func() float64 { return 0.5 }, Hidden: time.Minute,
		Sleep: func(_ context.Context, d time.Duration) error { w.now = w.now.Add(d); return nil },
	}
	d := syncdef.Definition{
		Sync: "salesforce_customer_health", Connection: "prod", Object: "Account", Strategy: syncdef.MatchExternalID,
		Match: syncdef.Match{Source: "id", Destination: "Ext__c"}, Operation: syncdef.Upsert, RecordID: []string{"id"},
		Fields:    []syncdef.Field{{Source: "v", Destination: "Value__c", Type: syncdef.Number, OnNull: syncdef.ClearNull}},
		BatchSize: 200, Lanes: syncdef.DefaultLanes, OnError: syncdef.Continue, OnMissing: syncdef.Create, OnDuplicate: syncdef.Latest,
		Send: syncdef.SendChanged, Incremental: &syncdef.Incremental{Cursor: "v"},
	}
	rules := syncdef.Rules{Type: "crm", Identity: row.Identity{Steps: []row.Step{row.StepTrim}}}
	for _, err := range []error{
		s.Apply(t.Context(), syncdef.NewVersion(d, rules, at)),
		s.PutConnection(t.Context(), syncdef.Connection{Name: "prod", Type: "crm"}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// push sends a batch of one query, a few rows of which are superseded or rejected.
func (w *road) push(t *testing.T, batch, rows int) {
	t.Helper()
	b := row.Batch{ID: fmt.Sprint("query:", batch), Query: "query", Function: "penstock_push"}
	for n := range rows {
		object := fmt.Sprintf(`{"id":"cust_%d","v":%d}`, batch*rows+n-n%100/99, batch*rows+n)
		if n%100 == 50 {
			object = fmt.Sprintf(`{"id":"cust_%d","v":"many"}`, batch*rows+n)
		}
		b.Rows = append(b.Rows, row.Row{Number: n, Target: "salesforce_customer_health", Object: jsontext.Value(object)})
	}
	answers, err := w.intake.Push(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	w.run = answers[0].Run
	w.now = w.now.Add(3 * time.Second)
}

// deliver works until the queue is empty; a batch's messages are handed out together.
func (w *road) deliver(t *testing.T) {
	t.Helper()
	for {
		in, err := w.memory.Receive(t.Context(), "crm", 10, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if len(in) == 0 {
			return
		}
		if r := w.worker.Handle(t.Context(), in); len(r.Stay)+len(r.Storage) > 0 {
			t.Fatalf("%+v", r)
		}
		for _, m := range in {
			if err := w.memory.Delete(t.Context(), "crm", m.Receipt); err != nil {
				t.Fatal(err)
			}
		}
		w.now = w.now.Add(3 * time.Second)
	}
}

// sweep adds a run up once, as the sweeper does, and checks that all rows settled.
func (w *road) sweep(t *testing.T, rows int) {
	t.Helper()
	var sum run.Tally
	batches, err := w.state.Batches(t.Context(), w.run)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		sum.AddBatch(&b)
	}
	err = w.state.Chunks(t.Context(), w.run, func(batch string, _ int, c run.Chunk) error { sum.AddChunk(batch, c); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if sum.Counts.Received != int64(rows) || sum.Left() != 0 || sum.Pending != 0 || sum.Counts.Rejected == 0 || sum.Counts.Superseded == 0 {
		t.Errorf("%+v, want %d rows, all settled", sum.Counts, rows)
	}
}

// units are the capacity units that a client's calls consumed, as the server says.
type units struct {
	mu            sync.Mutex
	read, written float64
	calls         int
	by            map[string]float64
}

// count asks every call for its units, and adds them up.
func (u *units) count(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("units", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		reflect.ValueOf(in.Parameters).Elem().FieldByName("ReturnConsumedCapacity").Set(reflect.ValueOf(types.ReturnConsumedCapacityTotal))
		out, meta, err := next.HandleInitialize(ctx, in)
		name := strings.TrimSuffix(reflect.TypeOf(in.Parameters).Elem().Name(), "Input")
		n := 1.0 // a refused write is charged, and its answer does not say how much
		if err == nil {
			n = consumed(out.Result)
		}
		u.mu.Lock()
		defer u.mu.Unlock()
		u.calls++
		if u.by[name] += n; strings.Contains(name, "Get") || name == "Query" {
			u.read += n
		} else {
			u.written += n
		}
		return out, meta, err
	}), middleware.Before)
}

func consumed(result any) float64 {
	switch c := reflect.ValueOf(result).Elem().FieldByName("ConsumedCapacity").Interface().(type) {
	case *types.ConsumedCapacity:
		return sdk.ToFloat64(c.CapacityUnits)
	case []types.ConsumedCapacity:
		n := 0.0
		for _, one := range c {
			n += sdk.ToFloat64(one.CapacityUnits)
		}
		return n
	}
	return 0
}

// perfect is a destination that takes everything, 200 records a call.
type perfect struct{}

func (perfect) Identity(context.Context) (string, error) { return "org-1", nil }
func (perfect) Probe(context.Context) error              { return nil }
func (perfect) APICalls() int64                          { return 0 }
func (perfect) Limits() dest.Limits {
	return dest.Limits{Concurrency: 5, Windows: func(string) []pace.Window { return []pace.Window{{Calls: 100_000, Per: 24 * time.Hour}} }}
}
func (perfect) Open(syncdef.Version) (dest.Destination, error) { return perfect{}, nil }
func (perfect) Lookups(dest.Batch) []dest.Call                 { return nil }
func (perfect) Lookup(context.Context, dest.Batch, dest.Call) ([]dest.Outcome, error) {
	return nil, nil
}
func (perfect) Calls(b dest.Batch, _ int) []dest.Call {
	var calls []dest.Call
	for i := range b.Records {
		if i%200 == 0 {
			calls = append(calls, dest.Call{Costs: []dest.Cost{{Tokens: 1}}})
		}
		calls[len(calls)-1].Records = append(calls[len(calls)-1].Records, i)
	}
	return calls
}
func (perfect) Push(_ context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	out := make([]dest.Outcome, len(c.Records))
	for n := range out {
		out[n] = dest.Outcome{Status: dest.Delivered, ID: "0015g00000abcde"}
	}
	return out, nil
}
