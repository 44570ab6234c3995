package machine

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/salesforce"
	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// A meter counts what a vendor and the token buckets are asked for.
type meter struct {
	vendor http.Handler
	deliver.Tokens

	opens, logins, calls, writes, granted atomic.Int64
}

func (c *meter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/oauth2/token") {
		c.logins.Add(1)
	} else {
		c.calls.Add(1)
	}
	if r.Method == http.MethodPatch {
		c.writes.Add(1)
	}
	c.vendor.ServeHTTP(w, r)
}

func (c *meter) Lease(ctx context.Context, bucket string, limits []pace.Window, want int, now time.Time) (int, time.Duration, error) {
	n, wait, err := c.Tokens.Lease(ctx, bucket, limits, want, now)
	c.granted.Add(int64(n))
	return n, wait, err
}

// A machine that delivers rows, stores a dead letter and counts how old its data is has
// one account of the connection: it logs in once, every call is paid for once, and a run
// has its own calls only.
func TestOneAccountOfAConnection(t *testing.T) {
	box, err := NewSandbox(SandboxConfig{Simulators: simulators})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	c := &meter{vendor: box.Simulated["salesforce"]}
	front := httptest.NewServer(c)
	defer front.Close()
	vendor := salesforce.Vendor
	vendor.Open = func(cfg dest.Config) (dest.Account, error) {
		c.opens.Add(1)
		return salesforce.Vendor.Open(cfg)
	}
	m, err := New(Config{
		Dir: t.TempDir(), Vendors: []dest.Vendor{vendor}, Endpoints: map[string]string{"salesforce": front.URL}, Count: 10 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
		Secret: func(_ context.Context, kind, _ string) (map[string]string, error) { return box.Secret(kind), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	d := m.workers["salesforce"].Deliver
	c.Tokens, d.Tokens, d.Verifications = d.Tokens, c, nil // what is checked once a day asks as well
	applyText(t, m, "aged", `
connection: crm
destination_object: Account
matching_strategy: external_id
match: {source: id, destination: Customer_ID__c}
record_id: id
lanes: 1
field_mappings:
  - {source: name, destination: Name}
  - {source: at, destination: Health_Score_Last_Updated__c, data_type: datetime}
freshness: {destination_field: Health_Score_Last_Updated__c}
`)
	dead := pushAged(t, m, "dead", 3)
	bury(t, m)
	first := pushAged(t, m, "first", 5)
	ctx, stop := context.WithCancel(t.Context())
	g := errgroup.Group{}
	g.Go(func() error { return m.Run(ctx) })
	soon(t, func() bool { return countsOf(t, m, dead).Failed == 3 && countsOf(t, m, first).Delivered == 5 })
	soon(t, func() bool {
		r, err := m.Store.Freshness(t.Context(), "aged")
		if err != nil {
			t.Fatal(err)
		}
		return r.Known()
	})
	counted := c.calls.Load() - c.writes.Load()
	second := pushAged(t, m, "second", 5)
	soon(t, func() bool { return countsOf(t, m, second).Delivered == 5 })
	if n := countsOf(t, m, first).Calls + countsOf(t, m, second).Calls; n != c.writes.Load() {
		t.Errorf("the runs have %d calls, want the %d that wrote", n, c.writes.Load())
	}
	stop()
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	if opens, logins := c.opens.Load(), c.logins.Load(); opens != 1 || logins != 1 {
		t.Errorf("opened %d times, logged in %d times; want once", opens, logins)
	}
	if calls, granted := c.calls.Load(), c.granted.Load(); counted == 0 || granted != calls {
		t.Errorf("%d tokens for %d calls, %d of which counted", granted, calls, counted)
	}
}

// bury makes a dead letter of all that waits.
func bury(t *testing.T, m *Machine) {
	t.Helper()
	in, err := m.Store.Receive(t.Context(), "salesforce", 10, time.Hour)
	if err != nil || len(in) != 1 {
		t.Fatal(len(in), err)
	}
	if _, err := m.Store.Send(t.Context(), "salesforce-dlq", []envelope.Message{{Group: in[0].Group, Dedup: in[0].ID, Body: in[0].Body}}); err != nil {
		t.Fatal(err)
	}
	if err := m.Store.Delete(t.Context(), "salesforce", in[0].Receipt); err != nil {
		t.Fatal(err)
	}
}

// pushAged pushes rows by a query of their own, and answers their run.
func pushAged(t *testing.T, m *Machine, query string, rows int) string {
	t.Helper()
	b := row.Batch{ID: query + ":1", Query: query, Function: "penstock_push"}
	for i := range rows {
		object := fmt.Sprintf(`{"id":"%s-%d","name":"Company","at":"2026-01-02T03:04:05Z"}`, query, i)
		b.Rows = append(b.Rows, row.Row{Number: i, Target: "aged", Object: jsontext.Value(object)})
	}
	answers, err := m.Intake.Push(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return answers[0].Run
}

// countsOf are a run's counts so far.
func countsOf(t *testing.T, m *Machine, id string) run.Counts {
	t.Helper()
	got, err := m.Runs.Status(t.Context(), id)
	if err != nil || len(got.Runs) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	return got.Runs[0].Counts
}

// soon waits for what comes soon.
func soon(t *testing.T, done func() bool) {
	t.Helper()
	for limit := time.Now().Add(time.Minute); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("a minute has passed")
		}
	}
}
