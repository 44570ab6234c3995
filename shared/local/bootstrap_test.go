package local_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/events"
	"github.com/penstock-data/penstock/shared/app/apptest"
	"github.com/penstock-data/penstock/shared/app/env"
	"github.com/penstock-data/penstock/shared/aws"
	"github.com/penstock-data/penstock/shared/aws/awstest"
	"github.com/penstock-data/penstock/shared/aws/queue"
	"github.com/penstock-data/penstock/shared/aws/state"
	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/local"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
)

// A deployment is what template.yaml makes, of the built binaries and of servers
// that stand in for AWS, with the simulators as destinations.
type deployment struct {
	functions map[string]*local.Runtime
	vendors   *apptest.Vendors
	store     *state.Store
	queue     *queue.Queue
	log       *buffer
}

// deploy starts every function as a process of its own, and polls the queues and
// ticks until the test ends.
func deploy(t *testing.T) *deployment {
	t.Helper()
	dir := dist(t)
	for _, name := range []string{"AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS"} {
		if os.Getenv(name) != "" {
			continue
		}
		if os.Getenv("PENSTOCK_REQUIRE_SERVERS") == "1" {
			t.Fatalf("%s is not set, and PENSTOCK_REQUIRE_SERVERS=1 asks for the servers", name)
		}
		t.Skipf(`%s is not set: .ci/servers start, then eval "$(.ci/servers env)"`, name)
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
	for name, maxReceives := range map[string]int{"salesforce": 3, "slack": 1000} {
		made, err := awstest.CreateQueues(t.Context(), cfg, prefix+name, maxReceives)
		if err != nil {
			t.Fatal(err)
		}
		for full, url := range made {
			urls[strings.TrimPrefix(full, prefix)] = url
		}
	}
	d := &deployment{
		functions: map[string]*local.Runtime{}, log: &buffer{},
		vendors: apptest.NewVendors(t, time.Now, 0),
		store:   state.New(cfg, state.Config{Table: prefix + awstest.State, Now: time.Now}),
		queue:   queue.New(cfg, queue.Config{URLs: urls}),
	}
	set := apptest.Set(t)
	for _, c := range apptest.Connections(set, d.vendors.Serve(t)) {
		if err := d.store.PutConnection(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range apptest.Versions(set) {
		if err := d.store.Apply(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}
	secrets := httptest.NewServer(apptest.SecretsManager(d.vendors.Secrets(t, set)))
	t.Cleanup(secrets.Close)
	values := map[string]string{
		env.StateTable: prefix + awstest.State, env.LedgerTable: prefix + awstest.Ledger, env.ErrorsTable: prefix + awstest.Errors,
		env.QueueOf("salesforce"): urls["salesforce"], env.QueueOf("slack"): urls["slack"],
		env.SecretPrefix: apptest.Prefix, env.Quiet: "1s", env.Visibility: "360s",
		"AWS_ENDPOINT_URL_DYNAMODB":        os.Getenv("AWS_ENDPOINT_URL_DYNAMODB"),
		"AWS_ENDPOINT_URL_SQS":             os.Getenv("AWS_ENDPOINT_URL_SQS"),
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": secrets.URL,
	}
	for _, function := range functions() {
		r, err := local.StartRuntime(t.Context(), filepath.Join(dir, function, "bootstrap"), environment(function, values), d.log)
		if err != nil {
			t.Fatalf("%v\n%s", err, d.log)
		}
		t.Cleanup(r.Close)
		d.functions[function] = r
	}
	d.serve(t)
	return d
}

// serve does what the event source mappings and the schedule do.
func (d *deployment) serve(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	var g errgroup.Group
	log := slog.New(slog.NewTextHandler(d.log, nil))
	for source, function := range map[string]string{"salesforce": "salesforce", "slack": "slack", "salesforce-dlq": "deadletter", "slack-dlq": "deadletter"} {
		p := &local.Poller{Source: d.queue, Queue: source, Worker: d.functions[function], Timeout: time.Minute, Log: log}
		g.Go(func() error { return p.Run(ctx) })
	}
	g.Go(func() error { return local.Tick(ctx, d.functions["sweep"], 200*time.Millisecond, log) })
	t.Cleanup(func() {
		cancel()
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	})
}

func (d *deployment) invoke(t *testing.T, function, event string) []byte {
	t.Helper()
	answer, err := d.functions[function].Invoke(t.Context(), apptest.Event(t, event))
	if err != nil {
		t.Fatalf("%s on %s: %v\n%s", function, event, err, d.log)
	}
	return answer
}

// settled waits until a run has ended.
func (d *deployment) settled(t *testing.T, id string) runs.RunStatus {
	t.Helper()
	var r runs.RunStatus
	d.until(t, "run "+id+" to settle", func() bool {
		r = apptest.Run(t, d.functions["control"], id)
		return r.Status.Ended()
	})
	if r.Status != run.Complete {
		t.Errorf("run %s is %s: %s", id, r.Status, r.Reason)
	}
	return r
}

// until asks ten times a second, for a minute: the processes and the servers have
// clocks of their own.
func (d *deployment) until(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick, end := time.NewTicker(100*time.Millisecond), time.NewTimer(time.Minute)
	defer tick.Stop()
	defer end.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-end.C:
			t.Fatalf("waited a minute for %s\n%s", what, d.log)
		}
	}
}

func TestBootstrapsDriveTheRoad(t *testing.T) {
	d := deploy(t)
	d.vendors.SeedAccounts(t, "acmecorp.com", "techstartup.com", "enterprise.com", "cafenoir.example", "example.com", "bracket.example")
	used := map[string]bool{}
	event := func(function, name string) []byte {
		used[name] = true
		return d.invoke(t, function, name)
	}

	// Intake, with the warehouse's retry.
	first := event("push", "push")
	if d := cmp.Diff(string(first), string(event("push", "push-retried"))); d != "" {
		t.Errorf("the retry is answered otherwise: %s", d)
	}
	want := map[string]run.Counts{apptest.Answers(t, first)[0].Run: {Received: 4, Queued: 4, Delivered: 4}}
	d.settled(t, apptest.Answers(t, first)[0].Run)
	want[apptest.Answers(t, event("push", "push-gzip"))[0].Run] = run.Counts{Received: 4, Queued: 4, Unchanged: 4}
	slack := apptest.Answers(t, event("push", "push-slack"))[0].Run
	want[slack] = run.Counts{Received: 2, Queued: 2, Delivered: 2}
	if status, rows, _ := apptest.Status(t, event("push", "push-empty")); status != 200 || len(rows) != 0 {
		t.Errorf("push-empty: %d, %d rows", status, len(rows))
	}
	if status, _, message := apptest.Status(t, event("push", "push-not-json")); status != 400 || !strings.Contains(message, "is not JSON") {
		t.Errorf("push-not-json: %d %s", status, message)
	}
	raw, err := d.functions["push"].Invoke(t.Context(), events.Oversize())
	if err != nil {
		t.Fatal(err)
	}
	oversize := apptest.Answers(t, raw)[1]
	if oversize.Reason != "row_too_large" {
		t.Errorf("oversize answered %+v", oversize)
	}
	want[oversize.Run] = run.Counts{Received: 3, Queued: 1, Rejected: 1, Superseded: 1, Delivered: 1}

	// A bracketed run, under the id that the control samples name.
	want[d.bracket(t, event)] = run.Counts{Received: 4, Queued: 2, Rejected: 1, Superseded: 1, Delivered: 1, Failed: 1}

	// The road ends in settled runs, by way of the queues.
	for _, id := range slices.Sorted(maps.Keys(want)) {
		got := d.settled(t, id).Counts
		got.Calls = 0
		if d := cmp.Diff(want[id], got); d != "" {
			t.Errorf("run %s: %s", id, d)
		}
	}
	if errs := apptest.Errors(t, d.functions["control"], oversize.Run); len(errs) != 1 || errs[0].Type != "row_too_large" {
		t.Errorf("errors %+v", errs)
	}
	scores := map[string]string{"acmecorp.com": "85", "techstartup.com": "45", "enterprise.com": "15", "cafenoir.example": "72.5", "example.com": "50", "bracket.example": "7"}
	if d := cmp.Diff(scores, d.vendors.Accounts("Health_Score__c")); d != "" {
		t.Errorf("Salesforce: %s", d)
	}
	d.queuedEvents(t, event, want)
	var texts []string
	for _, m := range d.vendors.Slack.Messages() {
		texts = append(texts, m.Text)
	}
	posted := []string{"ENTERPRISE escalated to high risk: 15%", "NEWCO is a new customer at high risk"}
	if d := cmp.Diff(posted, texts); d != "" {
		t.Errorf("Slack: %s", d)
	}
	d.poison(t)
	event("sweep", "schedule-tick")
	for _, name := range events.Names() {
		if !used[name] {
			t.Errorf("events/%s.json did not go through the built binaries", name)
		}
	}
	for _, value := range []string{"acmecorp", "ENTERPRISE", "cust_00", "john@", "penstock-sandbox-secret", "xoxb"} {
		if strings.Contains(d.log.String(), value) { // I6
			t.Errorf("the log holds %q:\n%s", value, d.log)
		}
	}
}

// bracket runs the control samples: begun under their id, pushed, finished, with
// one row each rejected, superseded, without an Account and delivered.
func (d *deployment) bracket(t *testing.T, event func(function, name string) []byte) string {
	t.Helper()
	const sync, id = "salesforce_customer_health", "salesforce_customer_health.r0123456789abcdef"
	v, err := d.store.Current(t.Context(), sync)
	if err != nil {
		t.Fatal(err)
	}
	err = d.store.BeginRun(t.Context(), run.Run{
		ID: id, Sync: sync, Version: v.ID, Mode: run.Incremental, Bracketed: true, Status: run.Open, BegunAt: time.Now(), Expected: -1,
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	if status, rows, _ := apptest.Status(t, event("control", "control-begin")); status != 200 || !strings.Contains(string(rows[0]), `"select":"wait"`) {
		t.Errorf("a second active run: %d %s", status, rows)
	}
	raw, err := d.functions["push"].Invoke(t.Context(), apptest.Request("push", "q", "q:1",
		apptest.Health(id, "old@bracket.example", 6), apptest.Health(id, "new@bracket.example", 7),
		apptest.Health(id, "no address", 8), apptest.Health(id, "nobody@nowhere.example", 9)))
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, a := range apptest.Answers(t, raw) {
		said = append(said, a.Status)
	}
	if d := cmp.Diff([]string{"superseded", "queued", "rejected", "queued"}, said); d != "" {
		t.Error(d)
	}
	for _, name := range []string{"control-finish", "control-status"} {
		if status, rows, message := apptest.Status(t, event("control", name)); status != 200 || len(rows) != 1 || !strings.Contains(string(rows[0]), id) {
			t.Errorf("%s: %d %s", name, status, message)
		}
	}
	d.settled(t, id)
	if status, rows, message := apptest.Status(t, event("control", "control-errors")); status != 200 || strings.Count(string(rows[0]), `"record_id"`) != 2 {
		t.Errorf("control-errors: %d %s", status, message)
	}
	// The run has ended: there is nothing to cancel, and of the row that is named
	// nothing to send again.
	if status, _, message := apptest.Status(t, event("control", "control-cancel")); status != 400 || !strings.Contains(message, "complete already") {
		t.Errorf("control-cancel: %d %s", status, message)
	}
	for name, part := range map[string]string{
		"control-retry": `"queued":0`, "control-reset": "select: all", "control-syncs": `"sync":"sf_health"`,
	} {
		if status, rows, message := apptest.Status(t, event("control", name)); status != 200 || !strings.Contains(string(rows[0]), part) {
			t.Errorf("%s: %d %s %s", name, status, message, rows)
		}
	}
	return id
}

// queuedEvents hands the workers the SQS samples: messages that were settled
// already, so that each is acknowledged and none counts again (I2).
func (d *deployment) queuedEvents(t *testing.T, event func(function, name string) []byte, runs map[string]run.Counts) {
	t.Helper()
	calls := d.vendors.Salesforce.Core().Calls().Total
	for _, s := range apptest.Samples() {
		if stay := apptest.Stay(t, event(s.Function, s.Name)); stay != nil {
			t.Errorf("%s: %v stay", s.Name, stay)
		}
	}
	for id, want := range runs {
		got := apptest.Run(t, d.functions["control"], id).Counts
		got.Calls = 0
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("run %s was counted again: %s", id, d)
		}
	}
	if n := d.vendors.Salesforce.Core().Calls().Total; n != calls {
		t.Errorf("%d more calls to Salesforce for messages that were settled", n-calls)
	}
}

// poison sends a message that is not Penstock's: it becomes an error by itself.
func (d *deployment) poison(t *testing.T) {
	t.Helper()
	_, err := d.queue.Send(t.Context(), "salesforce", []envelope.Message{{Group: "somebody.else", Dedup: "1", Body: []byte("hello")}})
	if err != nil {
		t.Fatal(err)
	}
	d.until(t, "the poison to become a stored error", func() bool {
		errs := apptest.Errors(t, d.functions["control"], "unreadable.messages")
		return slices.ContainsFunc(errs, func(e run.RowError) bool {
			return e.Type == "unreadable_message" && string(e.Source) == `"hello"`
		})
	})
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
