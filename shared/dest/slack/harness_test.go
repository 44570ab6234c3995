package slack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/desttest"
	"github.com/penstock-data/penstock/shared/dest/slack"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/sandbox"
	sim "github.com/penstock-data/penstock/shared/sandbox/slack"
	"github.com/penstock-data/penstock/shared/syncdef"
)

var update = flag.Bool("update", false, "write the golden files")

const token = "xoxb-test-token"

// begin is when each world begins.
var begin = time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)

// A world is a simulated workspace, a destination that talks to it, and the clock
// that both read.
type world struct {
	t      *testing.T
	sim    *sim.Server
	cfg    dest.Config
	def    syncdef.Definition
	opts   options
	acct   dest.Account
	dest   dest.Destination
	clock  *clock
	secret map[string]string
	tokens map[string]pace.Bucket

	mu       sync.Mutex
	requests []string // of the API, as they came in

	before func(*http.Request) // called with each request; nil for nothing
	raw    *string             // sent in place of an answer of HTTP; nil for none
}

// options are the definition's keys of Slack's own.
type options struct {
	Channel    string `json:"channel,omitempty"`
	DigestOver int    `json:"digest_over,omitempty"`
	OnTooLong  string `json:"on_too_long,omitempty"`
}

// A clock is set by the test and read by the simulator's goroutines too.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func newWorld(t *testing.T, change ...func(*sim.Config, *world)) *world {
	w := &world{t: t, clock: &clock{t: begin}, secret: map[string]string{"token": token}, tokens: map[string]pace.Bucket{}}
	simulated := sim.Config{Token: token, Now: w.clock.now, Channels: []sim.Channel{
		{ID: "C0ALERTS1", Name: "alerts"}, {ID: "C0SALES01", Name: "sales"}, {ID: "C0OLD0001", Name: "old", Archived: true},
		{ID: "C0AWAY001", Name: "away", Outside: true}, {ID: "G0SECRET1", Name: "secret", Private: true},
	}}
	w.def = syncdef.Definition{Sync: "slack_alerts", Operation: syncdef.Insert, Fields: []syncdef.Field{{Source: "msg", Destination: "text"}}}
	w.opts = options{Channel: "#alerts", DigestOver: 20}
	w.cfg = dest.Config{
		Connection: syncdef.Connection{Name: "slack_prod", Type: "slack"},
		Loopback:   true,
		Secret:     func(context.Context) (map[string]string, error) { return w.secret, nil },
		Now:        w.clock.now,
	}
	w.cfg = desttest.Recorded(t, w.cfg)
	for _, f := range change {
		f(&simulated, w)
	}
	server, err := sim.New(simulated)
	if err != nil {
		t.Fatal(err)
	}
	w.sim = server
	ts := httptest.NewServer(http.HandlerFunc(w.record))
	t.Cleanup(ts.Close)
	if w.cfg.Connection.URL == "" {
		w.cfg.Connection.URL = ts.URL
	}
	w.restart()
	return w
}

// restart is a new process: nothing remembered.
func (w *world) restart() {
	w.t.Helper()
	acct, err := slack.Vendor.Open(w.cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.acct = acct
	w.open()
}

// open is the destination of the definition as it is now, at the same account.
func (w *world) open() {
	w.t.Helper()
	raw, err := json.Marshal(w.opts)
	if err != nil {
		w.t.Fatal(err)
	}
	w.def.Options = raw
	conn := w.cfg.Connection
	w.dest, err = w.acct.Open(syncdef.NewVersion(w.def, slack.Kind.RulesOf(&w.def, &conn), w.clock.now()))
	if err != nil {
		w.t.Fatal(err)
	}
}

// column maps a column to channel too, so that the rows have channels of their own.
func (w *world) column() {
	w.def.Fields = append(slices.Clone(w.def.Fields), syncdef.Field{Source: "channel", Destination: "channel"})
}

// record notes a request before the simulator handles it.
func (w *world) record(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.t.Errorf("read a request: %v", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, err := url.ParseQuery(string(body))
	if err != nil {
		w.t.Errorf("request is no form: %q", body)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s\nContent-Type: %s\n", r.Method, r.URL, r.Header.Get("Content-Type"))
	keys := make([]string, 0, len(form))
	for k := range form {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		fmt.Fprintf(&text, "%s=%s\n", k, strings.Join(form[k], "\n"))
	}
	w.mu.Lock()
	w.requests = append(w.requests, text.String())
	w.mu.Unlock()
	if w.raw != nil {
		conn, _, err := rw.(http.Hijacker).Hijack()
		if err != nil {
			w.t.Errorf("take over the connection: %v", err)
			return
		}
		io.WriteString(conn, *w.raw)
		conn.Close()
		return
	}
	if w.before != nil {
		w.before(r)
	}
	w.sim.ServeHTTP(rw, r)
}

// seen is the text of all requests so far.
func (w *world) seen() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.requests, "\n")
}

// deliver is what the pipeline does with a batch: look, then push what is not
// there, a token for each call. It returns one outcome per record.
func (w *world) deliver(b dest.Batch) ([]dest.Outcome, error) {
	w.t.Helper()
	out := make([]dest.Outcome, len(b.Records))
	open := map[int]bool{}
	for i := range b.Records {
		open[i] = true
	}
	for _, c := range w.dest.Lookups(b) {
		w.lease(c.Costs)
		got, err := w.dest.Lookup(w.t.Context(), b, c)
		if err != nil {
			return out, err
		}
		for i, r := range c.Records {
			if got[i].Status != dest.Pending {
				out[r] = got[i]
				delete(open, r)
			}
		}
	}
	rest := b
	rest.Records = nil
	var at []int
	for i, r := range b.Records {
		if open[i] {
			rest.Records, at = append(rest.Records, r), append(at, i)
		}
	}
	for _, c := range w.dest.Calls(rest, 0) {
		w.lease(c.Costs)
		got, err := w.dest.Push(w.t.Context(), rest, c)
		if err != nil {
			return out, err
		}
		if len(got) != len(c.Records) {
			w.t.Fatalf("%d outcomes for %d records", len(got), len(c.Records))
		}
		for i, r := range c.Records {
			out[at[r]] = got[i]
		}
	}
	return out, nil
}

// lease waits, on the world's clock, until the buckets grant a call.
func (w *world) lease(costs []dest.Cost) {
	for _, cost := range costs {
		for {
			granted, next, wait := pace.Lease(w.tokens[cost.Bucket], w.acct.Limits().Windows(cost.Bucket), cost.Tokens, w.clock.now())
			w.tokens[cost.Bucket] = next
			if granted == cost.Tokens {
				break
			}
			w.clock.pass(wait)
		}
	}
}

// fault arms a fault at the simulator.
func (w *world) fault(f sandbox.Fault) {
	w.t.Helper()
	if err := w.sim.Core().AddFault(f); err != nil {
		w.t.Fatal(err)
	}
}

// calls is how often a method was called.
func (w *world) calls(method string) int64 { return w.sim.Core().Calls().By[method] }

// rec is a record; channel "" leaves it to the definition.
func rec(id, channel, text string) dest.Record {
	r := dest.Record{Key: id, RecordID: id, Fields: []dest.Field{{Name: "text", Value: quote(text)}}}
	if channel != "" {
		r.Fields = append(r.Fields, dest.Field{Name: "channel", Value: quote(channel)})
	}
	return r
}

func quote(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return b
}

// alerts are n records in the shape of the sample's messages.
func alerts(n int) []dest.Record {
	out := make([]dest.Record, n)
	for i := range out {
		out[i] = rec(fmt.Sprintf("cust_%03d:ESCALATED", i), "", fmt.Sprintf(
			":warning: *CUSTOMER HEALTH ALERT*\nCustomer: Company %d (ceo@company%d.example)\nHealth Status: low → high\nAction Required: call", i, i))
	}
	return out
}

// intend marks records as perhaps sent.
func intend(records []dest.Record) []dest.Record {
	out := slices.Clone(records)
	for i := range out {
		out[i].Intent, out[i].Tried.At = true, begin
	}
	return out
}

// statuses counts outcomes.
func statuses(out []dest.Outcome) map[dest.Status]int {
	m := map[dest.Status]int{}
	for _, o := range out {
		m[o.Status]++
	}
	return m
}

// callError is the CallError in err.
func callError(t *testing.T, err error) *dest.CallError {
	t.Helper()
	var ce *dest.CallError
	if !errors.As(err, &ce) {
		t.Fatalf("got error %v, want a CallError", err)
	}
	return ce
}

// golden compares got with testdata/name, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
