package intercom_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/desttest"
	"github.com/penstock-data/penstock/shared/dest/intercom"
	"github.com/penstock-data/penstock/shared/sandbox"
	sim "github.com/penstock-data/penstock/shared/sandbox/intercom"
	"github.com/penstock-data/penstock/shared/syncdef"
)

const token = "dG9rOnRlc3Q="

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

// A world is a simulated workspace, a version open at it, and the clock of both.
type world struct {
	t     *testing.T
	sim   *sim.Server
	cfg   dest.Config
	def   syncdef.Definition
	acct  dest.Account
	dest  dest.Destination
	clock *clock

	mu       sync.Mutex
	requests []string // method, path and body, as they came in
}

// byExternalID is an upsert of contacts by external id.
func byExternalID() syncdef.Definition {
	return syncdef.Definition{
		Sync: "people", Connection: "intercom_prod", Object: "contact", Operation: syncdef.Upsert,
		Strategy: syncdef.MatchExternalID, Match: syncdef.Match{Source: "id", Destination: "external_id"},
		Fields: []syncdef.Field{
			{Source: "name", Destination: "name", Type: syncdef.String}, {Source: "note", Destination: "note", Type: syncdef.String},
			{Source: "score", Destination: "custom_attributes.score", Type: syncdef.Number}, {Source: "phone", Destination: "phone", Type: syncdef.String},
		},
	}
}

// byEmail is the same by email.
func byEmail() syncdef.Definition {
	def := byExternalID()
	def.Strategy, def.Match = syncdef.MatchEmail, syncdef.Match{Source: "email", Destination: "email"}
	return def
}

// with adds a mapping, and the type's own keys as JSON where they are not "".
func with(def syncdef.Definition, options string, fields ...syncdef.Field) syncdef.Definition {
	def.Fields = append(append([]syncdef.Field(nil), def.Fields...), fields...)
	if options != "" {
		def.Options = json.RawMessage(options)
	}
	return def
}

func newWorld(t *testing.T, def syncdef.Definition, change ...func(*sim.Config)) *world {
	t.Helper()
	w := &world{t: t, def: def, clock: &clock{t: time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)}}
	cfg := sim.Config{Token: token, Now: w.clock.now, Attributes: []sim.Attribute{
		{Name: "note", Type: "string"}, {Name: "score", Type: "float"}, {Name: "seen", Type: "date"}, {Name: "seen_text", Type: "string"},
		{Name: "tier", Type: "string", Options: []string{"gold", "silver"}}, {Name: "locked", Type: "string", ReadOnly: true},
		{Name: "seats", Type: "integer"}, {Name: "active", Type: "boolean"}, {Name: "arr", Type: "float", Model: "company"},
	}}
	for _, f := range change {
		f(&cfg)
	}
	server, err := sim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.sim = server
	web := httptest.NewServer(http.HandlerFunc(w.record))
	t.Cleanup(web.Close)
	w.cfg = dest.Config{
		Connection: syncdef.Connection{Name: "intercom_prod", Type: "intercom", URL: web.URL}, Loopback: true, Now: w.clock.now,
		Secret: func(context.Context) (map[string]string, error) { return map[string]string{"token": token}, nil },
	}
	w.cfg = desttest.Recorded(t, w.cfg)
	w.restart()
	return w
}

// record notes a request before the simulator handles it.
func (w *world) record(rw http.ResponseWriter, r *http.Request) {
	body, _ := sandbox.Body(r)
	r.Body = sandbox.RequestBody(body)
	w.mu.Lock()
	w.requests = append(w.requests, fmt.Sprintf("%s %s %s", r.Method, r.URL.RequestURI(), body))
	w.mu.Unlock()
	w.sim.ServeHTTP(rw, r)
}

// sent are the requests since the last call.
func (w *world) sent() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.requests
	w.requests = nil
	return out
}

// restart is a new process: nothing remembered.
func (w *world) restart() {
	w.t.Helper()
	var err error
	if w.acct, err = intercom.Vendor.Open(w.cfg); err != nil {
		w.t.Fatal(err)
	}
	if w.dest, err = w.acct.Open(w.version()); err != nil {
		w.t.Fatal(err)
	}
}

// version is the definition as apply would store it.
func (w *world) version() syncdef.Version {
	w.t.Helper()
	def := w.def
	if faults := intercom.Kind.Check(&def, &w.cfg.Connection); len(faults) > 0 {
		w.t.Fatal(syncdef.Faults(faults))
	}
	return syncdef.NewVersion(def, intercom.Kind.RulesOf(&def, &w.cfg.Connection), w.clock.now())
}

// rec is a record of these fields, name and JSON in turn.
func (w *world) rec(match string, fields ...string) dest.Record {
	w.t.Helper()
	key, ok := w.version().Rules.Identity.Key(nil, []byte(match))
	if !ok {
		w.t.Fatalf("%q has no key", match)
	}
	r := dest.Record{Key: string(key), Match: match, RecordID: match}
	for i := 0; i < len(fields); i += 2 {
		r.Fields = append(r.Fields, dest.Field{Name: fields[i], Value: jsontext.Value(fields[i+1])})
	}
	return r
}

// push makes one call for each record.
func (w *world) push(records ...dest.Record) []dest.Outcome {
	w.t.Helper()
	b := dest.Batch{Run: "r:1", Records: records}
	var out []dest.Outcome
	for _, c := range w.dest.Calls(b, 0) {
		got, err := w.dest.Push(w.t.Context(), b, c)
		if err != nil {
			w.t.Fatalf("push: %v", err)
		}
		out = append(out, got...)
	}
	return out
}

// deliver brings records as the worker does: look up, push, and go round while one is
// Found, four times at most.
func (w *world) deliver(records ...dest.Record) []dest.Outcome {
	w.t.Helper()
	out := make([]dest.Outcome, len(records))
	open := map[int]bool{}
	for i := range records {
		open[i] = true
	}
	for round := 0; round < 4 && len(open) > 0; round++ {
		w.lookUp(records, out, open)
		for i := range records {
			if !open[i] {
				continue
			}
			if out[i] = w.push(records[i])[0]; out[i].Status != dest.Found {
				delete(open, i)
			}
			records[i].ID = out[i].ID
		}
	}
	return out
}

func (w *world) lookUp(records []dest.Record, out []dest.Outcome, open map[int]bool) {
	w.t.Helper()
	b, at := dest.Batch{Run: "r:1"}, []int{}
	for i := range records {
		if open[i] {
			b.Records, at = append(b.Records, records[i]), append(at, i)
		}
	}
	for _, c := range w.dest.Lookups(b) {
		got, err := w.dest.Lookup(w.t.Context(), b, c)
		if err != nil {
			w.t.Fatalf("look up: %v", err)
		}
		for n, o := range got {
			i := at[c.Records[n]]
			switch o.Status {
			case dest.Found:
				records[i].ID = o.ID
			case dest.Rejected:
				out[i] = o
				delete(open, i)
			}
		}
	}
}

// seed makes contacts as people do, and lets the search know them.
func (w *world) seed(bodies ...string) (ids []string) {
	w.t.Helper()
	for _, body := range bodies {
		ids = append(ids, w.api("POST", "/contacts", body)["id"].(string))
	}
	w.clock.pass(5 * time.Minute)
	w.sent()
	return ids
}

// api makes a call as people's own programs do, and wants it to succeed.
func (w *world) api(method, path, body string) map[string]any {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), method, "http://127.0.0.1"+path, nil)
	r.Body = sandbox.RequestBody([]byte(body))
	for name, value := range map[string]string{"Authorization": "Bearer " + token, "Accept": "application/json", "Content-Type": "application/json", "Intercom-Version": "2.16"} {
		r.Header.Set(name, value)
	}
	rec := httptest.NewRecorder()
	w.sim.ServeHTTP(rec, r)
	var out map[string]any
	if rec.Code != http.StatusOK || json.Unmarshal(rec.Body.Bytes(), &out) != nil {
		w.t.Fatalf("%s %s: %d %s", method, path, rec.Code, rec.Body)
	}
	return out
}

func (w *world) arm(f sandbox.Fault) {
	w.t.Helper()
	if err := w.sim.Core().AddFault(f); err != nil {
		w.t.Fatal(err)
	}
}

type simConfig = sim.Config

// secretOf is a secret whose token is asked for.
func secretOf(f func() string) func(context.Context) (map[string]string, error) {
	return func(context.Context) (map[string]string, error) { return map[string]string{"token": f()}, nil }
}
