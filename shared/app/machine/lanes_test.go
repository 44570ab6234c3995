package machine

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/salesforce"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// A crowd holds every write to the vendor back until so many of them are there at
// the same time.
type crowd struct {
	vendor http.Handler
	want   int
	all    chan struct{} // closed when they are

	once  sync.Once
	mu    sync.Mutex
	there int
}

func (c *crowd) open() { c.once.Do(func() { close(c.all) }) }

func (c *crowd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPatch {
		c.mu.Lock()
		if c.there++; c.there == c.want {
			c.open()
		}
		c.mu.Unlock()
		select {
		case <-c.all:
		case <-r.Context().Done():
		}
		c.mu.Lock()
		c.there--
		c.mu.Unlock()
	}
	c.vendor.ServeHTTP(w, r)
}

// As many workers run at once as a sync has lanes: with an invocation's worth of
// messages in each of 16 lanes, 16 calls are at the vendor at the same time. Fewer
// workers would wait for each other for ever.
func TestLanesActAtOnce(t *testing.T) {
	const lanes = 16
	box, err := NewSandbox(SandboxConfig{Simulators: simulators})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	c := &crowd{vendor: box.Simulated["salesforce"], want: lanes, all: make(chan struct{})}
	front := httptest.NewServer(c)
	defer front.Close()
	m, err := New(Config{
		Dir: t.TempDir(), Vendors: []dest.Vendor{salesforce.Vendor}, Endpoints: map[string]string{"salesforce": front.URL}, Log: slog.New(slog.DiscardHandler),
		Secret: func(_ context.Context, kind, _ string) (map[string]string, error) { return box.Secret(kind), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	apply(t, m, lanes)
	for n := range 10 { // messages that an invocation takes, each of another batch
		b := row.Batch{ID: fmt.Sprint("q1:", n), Query: "q1", Function: "penstock_push"}
		for i := range 20 * lanes {
			object := fmt.Sprintf(`{"id":"c%d-%d","name":"Company","n":%d}`, n, i, i)
			b.Rows = append(b.Rows, row.Row{Number: i, Target: "lanes", Object: jsontext.Value(object)})
		}
		if _, err := m.Intake.Push(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	g := errgroup.Group{}
	g.Go(func() error { return m.Run(ctx) })
	limit, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	select {
	case <-c.all:
	case <-limit.Done():
		c.mu.Lock()
		t.Errorf("%d calls are at the vendor, want %d", c.there, lanes)
		c.mu.Unlock()
		c.open()
	}
	stop()
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}

func apply(tb testing.TB, m *Machine, lanes int) {
	applyText(tb, m, "lanes", fmt.Sprintf(`
connection: crm
destination_object: Account
matching_strategy: external_id
match: {source: id, destination: Customer_ID__c}
record_id: id
lanes: %d
field_mappings:
  - {source: name, destination: Name}
  - {source: n, destination: Daily_Active_Users__c, data_type: integer}
`, lanes))
}

// applyText applies a sync and its connection.
func applyText(tb testing.TB, m *Machine, sync, definition string) {
	tb.Helper()
	dir := tb.TempDir()
	for name, text := range map[string]string{
		"connections": "connections: {crm: {type: salesforce, url: \"https://acme.my.salesforce.com\"}}\n",
		sync:          definition,
	} {
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	set, err := yamlfile.Load(dir, dest.Kinds(m.cfg.Vendors))
	if err != nil {
		tb.Fatal(err)
	}
	for _, y := range set.Syncs {
		if _, err := m.Runs.Apply(tb.Context(), syncdef.NewVersion(y.Definition, y.Rules, time.Now()), y.Connection); err != nil {
			tb.Fatal(err)
		}
	}
}

// request is the body of a batch of rows.
func request(first, end int) string {
	var s strings.Builder
	s.WriteString(`{"data":[`)
	for n := first; n < end; n++ {
		if n > first {
			s.WriteByte(',')
		}
		fmt.Fprintf(&s, `[%d,"lanes",{"id":"c%07d","name":"Company %d","n":%d}]`, n-first, n, n, n%1000)
	}
	return s.String() + "]}"
}

func post(tb testing.TB, url, body string, headers map[string]string) {
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader([]byte(body)))
	if err != nil {
		tb.Error(err)
		return
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		tb.Error(err)
		return
	}
	answer.Body.Close()
	if answer.StatusCode >= 300 {
		tb.Errorf("%s answered %d", url, answer.StatusCode)
	}
}

// pushRows is what a warehouse does with the n-th batch of a query.
func pushRows(tb testing.TB, m *Machine, n int, body string) {
	post(tb, m.URL+"/push", body, map[string]string{
		"sf-external-function-format": "json", "sf-external-function-format-version": "1.0",
		"sf-external-function-name": "penstock_push", "sf-external-function-current-query-id": "q1",
		"sf-external-function-query-batch-id": fmt.Sprintf("q1:%d", n),
	})
}
