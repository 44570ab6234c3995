// Package apptest is Penstock under test: every function's handler over a store in
// memory, with a worker per vendor of a list, what stands in for these vendors'
// services and for Secrets Manager, and one clock for all, which only the test
// moves. Tests hand the handlers the JSON that Lambda would, and look at what they
// answer and at what is stored. New is a World of the sample: the syncs of
// sql/syncs and their two vendors. Nothing but tests imports it.
package apptest

import (
	"bytes"
	"context"
	"log/slog"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/penstock-data/penstock/shared/app/control"
	"github.com/penstock-data/penstock/shared/app/push"
	"github.com/penstock-data/penstock/shared/app/redshift"
	"github.com/penstock-data/penstock/shared/app/schedule"
	"github.com/penstock-data/penstock/shared/app/sweep"
	"github.com/penstock-data/penstock/shared/app/worker"
	"github.com/penstock-data/penstock/shared/aws/secrets"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/local"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// Quiet is how long an implicit run is silent before a World's sweep closes it, and
// Visibility how long a message stays away from whoever died with it.
const (
	Quiet      = 2 * time.Minute
	Visibility = 6 * time.Minute
)

// Start is when the clock of a World begins: the time of the sample events.
var Start = time.Date(2024, 1, 15, 10, 45, 0, 0, time.UTC)

// A World is Penstock with everything that it talks to.
type World struct {
	Clock   *Clock
	Store   *sqlite.Store
	Control *runs.Control
	Vendors *Vendors          // of the sample; nil in a World of other vendors
	Secrets map[string]string // JSON texts by their whole name; what is changed here holds at once
	Net     *Net              // the network between the workers and the services

	Statements Statements // runs the statements of schedules

	// Functions are the handlers by the names of their folders: push, control, redshift, sweep,
	// schedule, deadletter, and a worker per vendor.
	Functions map[string]local.Invoker

	types []string
	urls  map[string]string // of the services, by type
	log   lines
	calls int // that were made as somebody
}

// New makes a World of the sample.
func New(t testing.TB) *World {
	t.Helper()
	return NewWith(t, Set(t))
}

// NewWith makes a World of the sample's vendors with these syncs applied.
func NewWith(t testing.TB, set yamlfile.Set) *World {
	t.Helper()
	clock := NewClock()
	v := NewVendors(t, clock.Now, -1)
	w := NewOf(t, clock, v.Services(), set)
	w.Vendors = v
	return w
}

// NewOf makes a World of any vendors, with these syncs and connections applied.
func NewOf(t testing.TB, clock *Clock, services []Service, set yamlfile.Set) *World {
	t.Helper()
	w := &World{Clock: clock, Secrets: secretsOf(t, services, set), Net: newNet(clock), Functions: map[string]local.Invoker{}, urls: map[string]string{}}
	store, err := sqlite.Open("", clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() }) // memory only
	w.Store = store
	log := slog.New(slog.NewJSONHandler(&w.log, nil))
	in := &intake.Intake{Syncs: store, Connections: store, Runs: store, Batches: store, Chunks: store, Errors: store, Queue: store, Ledger: store, Seen: store, Pauses: store, Now: clock.Now}
	policy := run.DefaultPolicy()
	policy.Quiet = Quiet
	stores := runs.Stores{
		Syncs: store, Definitions: store, Connections: store, Runs: store, History: store, Recorded: store, Marks: store, Errors: store,
		Due: store, Ledger: store, Halts: store, Depths: store, Mirrors: store, Firings: store, Freshness: store, Verifications: store, Pauses: store, Audit: store,
		Overviews: store, Some: store, Told: store, Lists: store, Places: store, Versions: store, Entries: store, Sources: store, Shredder: store,
	}
	w.Control = &runs.Control{Stores: stores, Replayer: in, Checker: in, Policy: policy, Now: clock.Now}
	pushes, controls := &push.Handler{Log: log, Intake: in}, &control.Handler{Log: log, Control: w.Control}
	w.Functions["push"], w.Functions["control"] = pushes, controls
	w.Functions["redshift"] = &redshift.Handler{Push: pushes, Control: controls, Log: log, Now: clock.Now, Wait: func(_ context.Context, d time.Duration) { clock.Advance(d) }}
	w.Functions["sweep"] = &sweep.Handler{Log: log, Sweep: &runs.Sweep{Stores: stores, Replayer: in, Remover: in, Policy: policy, Now: clock.Now}}
	w.Functions["schedule"] = &schedule.Handler{Log: log, Schedules: &runs.Schedules{Stores: stores, Warehouse: &w.Statements, Policy: policy, Now: clock.Now, Lease: time.Minute}}
	dead := w.deliver("deadletter", dest.Vendor{})
	dead.Dead = true
	w.Functions["deadletter"] = &worker.Handler{Log: log, Deliver: dead}
	for _, s := range services {
		server := httptest.NewServer(s.Server)
		t.Cleanup(server.Close)
		w.urls[s.Vendor.Name] = server.URL
		w.types = append(w.types, s.Vendor.Name)
	}
	manager := httptest.NewServer(SecretsManager(w.Secrets))
	t.Cleanup(manager.Close)
	read := secrets.New(sdk.Config{
		Region: "us-east-1", BaseEndpoint: &manager.URL, HTTPClient: manager.Client(),
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	}, secrets.Config{Prefix: Prefix})
	for _, s := range services {
		d := w.deliver(s.Vendor.Name, s.Vendor)
		d.Open = worker.Open(s.Vendor, dest.Config{HTTP: w.Net.Client(), Now: clock.Now}, func(ctx context.Context, _ syncdef.Connection, name string) (map[string]string, error) {
			return read.Secret(ctx, name)
		})
		w.Functions[s.Vendor.Name] = &worker.Handler{Log: log, Deliver: d}
	}
	w.Apply(t, set)
	return w
}

// Apply stores the connections, at the addresses of the services that stand in for
// their vendors, and applies the syncs.
func (w *World) Apply(t testing.TB, set yamlfile.Set) {
	t.Helper()
	for _, c := range Connections(set, w.urls) {
		if err := w.Store.PutConnection(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range Versions(set) {
		if err := w.Store.Apply(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}
}

// deliver is a worker over the store, on the clock.
func (w *World) deliver(queue string, v dest.Vendor) *deliver.Deliver {
	s := w.Store
	return &deliver.Deliver{
		Queue: queue, Syncs: s, Connections: s, Tokens: s, Runs: s, Chunks: s, Unchanged: s, Halts: s, Ledger: s, Errors: s, Visibility: s, Freshness: s, Listing: s, Verifications: s,
		Now: w.Clock.Now, Hidden: Visibility,
		Sleep: func(_ context.Context, d time.Duration) error { w.Clock.Advance(d); return nil },
		Rand:  func() float64 { return 0.5 },
		Open:  func(syncdef.Connection) (dest.Account, error) { return v.Open(dest.Config{}) },
	}
}

// Deliver is the road of a worker, for tests that break a part of it.
func (w *World) Deliver(function string) *deliver.Deliver {
	return w.Functions[function].(*worker.Handler).Deliver
}

// Invoke hands a payload to a function. No handler may fail.
func (w *World) Invoke(t testing.TB, function string, payload []byte) []byte {
	t.Helper()
	answer, err := w.Functions[function].Invoke(t.Context(), payload)
	if err != nil {
		t.Fatalf("%s failed: %v", function, err)
	}
	return answer
}

// Log is what the handlers have logged so far.
func (w *World) Log() string { return w.log.String() }

// A Clock stands still until it is advanced.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock is a clock that stands at Start.
func NewClock() *Clock { return &Clock{at: Start} }

// Now is the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// lines takes the log of concurrent handlers.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
