// Package apptest is Penstock under test: every function's handler over a store in
// memory, with the syncs of sql/syncs applied, the simulated Salesforce and Slack
// behind the workers, a stand-in for Secrets Manager, and one clock for all, which
// only the test moves. Tests hand the handlers the JSON that Lambda would, and look
// at what they answer and at what is stored. Nothing but tests imports it.
package apptest

import (
	"bytes"
	"context"
	"log/slog"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/penstock-data/penstock/shared/app/control"
	"github.com/penstock-data/penstock/shared/app/push"
	appsalesforce "github.com/penstock-data/penstock/shared/app/salesforce"
	appslack "github.com/penstock-data/penstock/shared/app/slack"
	"github.com/penstock-data/penstock/shared/app/sweep"
	"github.com/penstock-data/penstock/shared/app/worker"
	"github.com/penstock-data/penstock/shared/aws/secrets"
	"github.com/penstock-data/penstock/shared/local"
	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Quiet is how long an implicit run is silent before a World's sweep closes it.
const Quiet = 2 * time.Minute

// Start is when the clock of a World begins: the time of the sample events.
var Start = time.Date(2024, 1, 15, 10, 45, 0, 0, time.UTC)

// A World is Penstock with everything that it talks to.
type World struct {
	Clock   *Clock
	Store   *sqlite.Store
	Control *pipeline.Control
	Vendors *Vendors
	Secrets map[string]string // JSON texts by their whole name; change them before the first delivery

	// Functions are the handlers by the names of their folders; deadletter is
	// Salesforce's, as one SQS event holds messages of one queue only.
	Functions map[string]local.Invoker

	log lines
}

// New makes a World with the syncs of sql/syncs applied.
func New(t testing.TB) *World {
	t.Helper()
	return NewWith(t, Versions(t, nil))
}

// NewWith makes a World with these versions applied.
func NewWith(t testing.TB, versions []syncdef.Version) *World {
	t.Helper()
	w := &World{Clock: &Clock{at: Start}, Secrets: Secrets()}
	w.Vendors = NewVendors(t, w.Clock.Now, -1)
	store, err := sqlite.Open(":memory:", w.Clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() }) // memory only
	w.Store = store
	for _, v := range versions {
		if err := store.Apply(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}
	manager := httptest.NewServer(SecretsManager(w.Secrets))
	t.Cleanup(manager.Close)
	read := secrets.New(sdk.Config{
		Region: "us-east-1", BaseEndpoint: &manager.URL, HTTPClient: manager.Client(),
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	}, secrets.Config{Prefix: Prefix}).Secret

	log := slog.New(slog.NewJSONHandler(&w.log, nil))
	w.Control = &pipeline.Control{Syncs: store, Runs: store, Errors: store, Now: w.Clock.Now}
	w.Functions = map[string]local.Invoker{
		"push":       &push.Handler{Log: log, Intake: &pipeline.Intake{Syncs: store, Runs: store, Errors: store, Queue: store, Now: w.Clock.Now}},
		"control":    &control.Handler{Log: log, Control: w.Control},
		"sweep":      &sweep.Handler{Log: log, Sweep: &pipeline.Sweep{Runs: store, Now: w.Clock.Now, Policy: run.Policy{Quiet: Quiet, GiveUp: sweep.GiveUp}}},
		"salesforce": &worker.Handler{Log: log, Deliver: w.deliver("salesforce", appsalesforce.Open(read))},
		"slack":      &worker.Handler{Log: log, Deliver: w.deliver("slack", appslack.Open(read))},
	}
	dead := w.deliver("salesforce", nil)
	dead.Dead = true
	w.Functions["deadletter"] = &worker.Handler{Log: log, Deliver: dead}
	return w
}

type opener func(context.Context, syncdef.Version) (pipeline.Destination, error)

// deliver is a worker whose destination is the simulator in place of the vendor.
func (w *World) deliver(queue string, open opener) *pipeline.Deliver {
	s := w.Store
	return &pipeline.Deliver{
		Queue: queue, Syncs: s, Runs: s, Ledger: s, Errors: s, Pace: s, Visibility: s, Now: w.Clock.Now,
		Sleep: func(_ context.Context, d time.Duration) error { w.Clock.Advance(d); return nil },
		Rand:  func() float64 { return 0.5 },
		Open: func(ctx context.Context, v syncdef.Version) (pipeline.Destination, error) {
			v.Connection.URL = w.Vendors.URLs[v.Connection.Type]
			return open(ctx, v)
		},
	}
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

// Drain hands the queue's visible messages to its worker, as Lambda does, until
// none is left, and says how many there were.
func (w *World) Drain(t testing.TB, queue string) int {
	t.Helper()
	total := 0
	for {
		in, err := w.Store.Receive(t.Context(), queue, 10, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if len(in) == 0 {
			return total
		}
		total += len(in)
		stay := w.Work(t, queue, in)
		for _, m := range in {
			if slices.Contains(stay, m.ID) {
				continue
			}
			if err := w.Store.Delete(t.Context(), queue, m.Receipt); err != nil {
				t.Fatal(err)
			}
		}
		if len(stay) == len(in) {
			return total
		}
	}
}

// Log is what the handlers have logged so far.
func (w *World) Log() string { return w.log.String() }

// A Clock stands still until it is advanced.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

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
