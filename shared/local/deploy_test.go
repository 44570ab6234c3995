package local_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/app/apptest"
	"github.com/penstock-data/penstock/shared/app/env"
	"github.com/penstock-data/penstock/shared/aws"
	"github.com/penstock-data/penstock/shared/aws/awstest"
	"github.com/penstock-data/penstock/shared/aws/ledger"
	"github.com/penstock-data/penstock/shared/aws/queue"
	"github.com/penstock-data/penstock/shared/aws/state"
	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/local"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// types are the destination types of the deployed functions.
var types = []string{"salesforce", "slack"}

// A plan says what a deployment is like.
type plan struct {
	Set         yamlfile.Set
	Sizes       map[string]int // environments by function; 1 where it names none
	Timeout     time.Duration  // of a worker's invocation; 0 is a minute
	Visibility  time.Duration  // of a message in a worker's hands; 0 is a minute
	Batch       int            // messages an invocation; 0 is 10
	MaxReceives map[string]int // by type; 1000 where it names none
	Sweep       time.Duration  // the sweeper's interval; 0 is 200 ms
}

// A deployment is what template.yaml makes, of the built binaries and of servers
// that stand in for AWS, with the simulators as destinations.
type deployment struct {
	plan
	fleets  map[string]*fleet
	vendors *apptest.Vendors
	taps    map[string]*tap // of what the functions call: dynamodb, sqs, and the types
	store   *state.Store
	ledger  *ledger.Store
	queue   *queue.Queue
	log     *buffer
	paused  atomic.Bool // no message is handed to a function
	calls   atomic.Int64
}

// servers fails or skips a test that has no servers to run against.
func servers(t testing.TB) {
	t.Helper()
	for _, name := range []string{"AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS"} {
		if os.Getenv(name) != "" {
			continue
		}
		if os.Getenv("PENSTOCK_REQUIRE_SERVERS") == "1" {
			t.Fatalf("%s is not set, and PENSTOCK_REQUIRE_SERVERS=1 asks for the servers", name)
		}
		t.Skipf(`%s is not set: .ci/servers start, then eval "$(.ci/servers env)"`, name)
	}
}

// deploy starts the functions' environments, and polls the queues and ticks until
// the test ends.
func deploy(t testing.TB, p plan) *deployment {
	t.Helper()
	dir := dist(t)
	servers(t)
	if p.Timeout == 0 {
		p.Timeout = time.Minute
	}
	if p.Visibility == 0 {
		p.Visibility = time.Minute
	}
	if p.Sweep == 0 {
		p.Sweep = 200 * time.Millisecond
	}
	cfg, err := aws.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// A name that no other run of this test on the same servers has used.
	prefix := fmt.Sprintf("bootstrap-%d-", time.Now().UnixNano())
	removeTables, err := awstest.CreateTables(t.Context(), cfg, prefix)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := removeTables(context.Background()); err != nil {
			t.Error(err)
		}
	})
	urls := map[string]string{} // by the names that the pollers use
	for _, name := range types {
		receives := p.MaxReceives[name]
		if receives == 0 {
			receives = 1000
		}
		made, err := awstest.CreateQueues(t.Context(), cfg, prefix+name, receives)
		if err != nil {
			t.Fatal(err)
		}
		for full, url := range made {
			urls[strings.TrimPrefix(full, prefix)] = url
		}
	}
	d := &deployment{
		plan: p, fleets: map[string]*fleet{}, log: &buffer{}, taps: map[string]*tap{},
		vendors: apptest.NewVendors(t, time.Now, 0),
		store:   state.New(cfg, state.Config{Table: prefix + awstest.State, Now: time.Now}),
		ledger:  ledger.New(cfg, ledger.Config{Table: prefix + awstest.Ledger}),
		queue:   queue.New(cfg, queue.Config{URLs: urls}),
	}
	for name, url := range d.vendors.Serve(t) {
		d.taps[name] = newTap(t, url)
	}
	d.taps["dynamodb"] = newTap(t, os.Getenv("AWS_ENDPOINT_URL_DYNAMODB"))
	d.taps["sqs"] = newTap(t, os.Getenv("AWS_ENDPOINT_URL_SQS"))
	d.apply(t)
	values := map[string]string{
		env.StateTable: prefix + awstest.State, env.LedgerTable: prefix + awstest.Ledger, env.ErrorsTable: prefix + awstest.Errors,
		env.SecretPrefix: apptest.Prefix, env.Quiet: "1s", env.AlertFrom: "none", env.Stack: "penstock", env.Visibility: p.Visibility.String(),
		env.TokenAudience: "none", env.TokenEmails: "none", env.TokenForwarders: "none",
		"AWS_ENDPOINT_URL_DYNAMODB":        d.taps["dynamodb"].URL,
		"AWS_ENDPOINT_URL_SQS":             d.taps["sqs"].URL,
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": d.secrets(t),
	}
	for _, name := range types {
		values[env.QueueOf(name)] = urls[name]
	}
	for _, function := range functions() {
		f := newFleet(filepath.Join(dir, function, "bootstrap"), environ(function, values), max(p.Sizes[function], 1), d.log)
		t.Cleanup(func() { f.kill() })
		d.fleets[function] = f
	}
	d.serve(t)
	return d
}

// apply stores the connections, at the addresses of the taps, and the syncs.
func (d *deployment) apply(t testing.TB) {
	t.Helper()
	urls := map[string]string{}
	for _, name := range types {
		urls[name] = d.taps[name].URL
	}
	for _, c := range apptest.Connections(d.Set, urls) {
		if err := d.store.PutConnection(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range apptest.Versions(d.Set) {
		if err := d.store.Apply(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}
}

// secrets serves the secrets of the set's connections.
func (d *deployment) secrets(t testing.TB) string {
	t.Helper()
	values := map[string]string{}
	for _, s := range d.vendors.Services() {
		b, err := json.Marshal(s.Secret)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range d.Set.Connections {
			if c.Type == s.Vendor.Name {
				values[apptest.Prefix+c.Secret] = string(b)
			}
		}
	}
	server := httptest.NewServer(apptest.SecretsManager(values))
	t.Cleanup(server.Close)
	return server.URL
}

// serve does what the event source mappings and the schedule do.
func (d *deployment) serve(t testing.TB) {
	ctx, cancel := context.WithCancel(context.Background())
	var g errgroup.Group
	log := slog.New(slog.NewTextHandler(d.log, nil))
	for _, name := range types {
		for source, function := range map[string]string{name: name, name + "-dlq": "deadletter"} {
			p := &local.Poller{
				Source: gate{d.queue, &d.paused}, Queue: source, Worker: d.fleets[function], Batch: d.Batch, Log: log,
				Timeout: d.Timeout, Visibility: d.Visibility, Concurrency: func() int { return len(d.fleets[function].all) },
			}
			g.Go(func() error { return p.Run(ctx) })
		}
	}
	g.Go(func() error { return local.Tick(ctx, d.fleets["sweep"], d.Sweep, log) })
	t.Cleanup(func() {
		cancel()
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// A gate is a queue that hands out nothing while it is shut.
type gate struct {
	*queue.Queue
	shut *atomic.Bool
}

func (g gate) Receive(ctx context.Context, queue string, max int, visibility time.Duration) ([]envelope.Delivery, error) {
	if g.shut.Load() {
		return nil, nil
	}
	return g.Queue.Receive(ctx, queue, max, visibility)
}

// call invokes a function as a warehouse does: again under the same ids when its
// process has died, or it asks for that, for a while.
func (d *deployment) call(t testing.TB, function string, payload []byte) []byte {
	for end := time.Now().Add(5 * time.Minute); ; {
		answer, err := d.fleets[function].Invoke(t.Context(), payload)
		if errors.Is(err, local.ErrExited) {
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", function, err)
		}
		if status, _, message := apptest.Status(t, answer); status == 429 || status >= 500 {
			if time.Now().After(end) {
				t.Fatalf("%s is answered %d all the time: %s", function, status, message)
			}
			select {
			case <-time.After(50 * time.Millisecond): // a warehouse waits longer
			case <-t.Context().Done():
				t.Fatal(t.Context().Err())
			}
			continue
		}
		return answer
	}
}

// control calls a control function, and reads its answer.
func control[T any](t testing.TB, d *deployment, function string, args ...string) T {
	t.Helper()
	id := fmt.Sprintf("control-%d", d.calls.Add(1))
	status, rows, message := apptest.Status(t, d.call(t, "control", apptest.Request(function, id, id+":1", args)))
	if status != 200 || len(rows) != 1 {
		t.Fatalf("%s: status %d, %d rows: %s", function, status, len(rows), message)
	}
	var answer T
	if err := json.Unmarshal(rows[0], &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// run is a run as penstock_status shows it.
func (d *deployment) run(t testing.TB, id string) runs.RunStatus {
	t.Helper()
	s := control[struct{ Runs []runs.RunStatus }](t, d, "status", fmt.Sprintf("%q", id))
	if len(s.Runs) != 1 {
		t.Fatalf("%d runs of id %q", len(s.Runs), id)
	}
	return s.Runs[0]
}

// settled waits until a run is complete.
func (d *deployment) settled(t testing.TB, id string, within time.Duration) runs.RunStatus {
	t.Helper()
	var r runs.RunStatus
	d.until(t, "run "+id+" to settle", within, func() bool {
		r = d.run(t, id)
		return r.Status.Ended()
	})
	if r.Status != run.Complete {
		t.Errorf("run %s is %s: %s", id, r.Status, r.Reason)
	}
	return r
}

// depth is how many messages a queue holds; -1 when it does not say.
func (d *deployment) depth(t testing.TB, queue string) int {
	n, err := d.queue.Depth(context.Background(), queue)
	if err != nil {
		t.Error(err)
		return -1
	}
	return n
}

// until asks ten times a second: the processes and the servers have clocks of their
// own.
func (d *deployment) until(t testing.TB, what string, within time.Duration, done func() bool) {
	t.Helper()
	tick, end := time.NewTicker(100*time.Millisecond), time.NewTimer(within)
	defer tick.Stop()
	defer end.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-end.C:
			t.Fatalf("waited %s for %s\n%s", within, what, d.log.tail())
		}
	}
}

// functions are the folders below functions/ that the deployment runs.
func functions() []string {
	all := append([]string(nil), types...)
	for name := range maps.Keys(env.Functions) {
		all = append(all, name)
	}
	return all
}

// A buffer takes what several processes write.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// tail is what was written last.
func (b *buffer) tail() string {
	s := b.String()
	return s[max(0, len(s)-20_000):]
}
