package amplitude_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/amplitude"
	"github.com/penstock-data/penstock/shared/dest/desttest"
	"github.com/penstock-data/penstock/shared/sandbox"
	sim "github.com/penstock-data/penstock/shared/sandbox/amplitude"
	"github.com/penstock-data/penstock/shared/syncdef"
)

const apiKey = "0123456789abcdef-test-key"

// A world is a simulated project, a destination that talks to it, and their clock.
type world struct {
	t    *testing.T
	sim  *sim.Server
	cfg  dest.Config
	def  syncdef.Definition
	acct dest.Account
	dest dest.Destination

	mu       sync.Mutex
	now      time.Time
	requests [][]byte // bodies, as they came in
}

func newWorld(t *testing.T, change ...func(*sim.Config, *world)) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)}
	simulated := sim.Config{APIKey: apiKey, Now: w.clock}
	w.def = syncdef.Definition{Sync: "amplitude_usage", Object: "user", Strategy: syncdef.MatchExternalID, Operation: syncdef.Upsert,
		Match: syncdef.Match{Source: "customer_id", Destination: "user_id"}}
	w.cfg = dest.Config{Connection: syncdef.Connection{Name: "amplitude_prod", Type: "amplitude"}, Loopback: true, Now: w.clock,
		Secret: func(context.Context) (map[string]string, error) { return map[string]string{"api_key": apiKey}, nil }}
	w.cfg = desttest.Recorded(t, w.cfg)
	for _, f := range change {
		f(&simulated, w)
	}
	server, err := sim.New(simulated)
	if err != nil {
		t.Fatal(err)
	}
	w.sim = server
	web := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read a request: %v", err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		w.mu.Lock()
		w.requests = append(w.requests, body)
		w.mu.Unlock()
		server.ServeHTTP(rw, r)
	}))
	t.Cleanup(web.Close)
	w.cfg.Connection.URL = web.URL
	w.open()
	return w
}

// patient waits for answers as long as they take: 20 MB may take a busy machine minutes.
func patient(_ *sim.Config, w *world) {
	if w.cfg.HTTP == nil {
		w.cfg.HTTP = &http.Client{}
	}
	w.cfg.HTTP.Timeout = 0
}

// open is a new process.
func (w *world) open() {
	w.t.Helper()
	var err error
	if w.acct, err = amplitude.Vendor.Open(w.cfg); err != nil {
		w.t.Fatal(err)
	}
	if w.dest, err = w.acct.Open(w.version()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) version() syncdef.Version {
	conn := w.cfg.Connection
	return syncdef.NewVersion(w.def, amplitude.Kind.RulesOf(&w.def, &conn), w.clock())
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// bodies are the requests so far, and forgets them.
func (w *world) bodies() [][]byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.requests
	w.requests = nil
	return out
}

// events are those of a request's body.
func events(t *testing.T, body []byte) []map[string]any {
	t.Helper()
	var in struct {
		Events []map[string]any `json:"events"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		t.Fatalf("request %s: %v", body, err)
	}
	return in.Events
}

// seed makes a user.
func (w *world) seed(id string) {
	w.t.Helper()
	status, body := w.post("/batch", fmt.Sprintf(`{"api_key":%q,"events":[{"event_type":"signed up","user_id":%q}]}`, apiKey, id))
	if status != http.StatusOK {
		w.t.Fatalf("status %d: %s", status, body)
	}
}

// post asks the simulator by itself.
func (w *world) post(path, body string) (int, string) {
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	w.sim.ServeHTTP(rec, r)
	return rec.Code, rec.Body.String()
}

// push makes all calls of a batch and answers the outcomes by record.
func (w *world) push(records ...dest.Record) ([]dest.Outcome, error) {
	w.t.Helper()
	b := dest.Batch{Run: "amplitude_usage.1", Records: records}
	out := make([]dest.Outcome, len(records))
	for _, c := range w.dest.Calls(b, 0) {
		got, err := w.dest.Push(w.t.Context(), b, c)
		if err != nil {
			return nil, err
		}
		for i, at := range c.Records {
			out[at] = got[i]
		}
	}
	return out, nil
}

// delivered pushes and wants all records taken.
func (w *world) delivered(records ...dest.Record) {
	w.t.Helper()
	out, err := w.push(records...)
	if err != nil {
		w.t.Fatal(err)
	}
	for i, o := range out {
		if o.Status != dest.Delivered || o.ID != records[i].Key {
			w.t.Errorf("record %d: %+v", i, o)
		}
	}
}

func (w *world) fault(f sandbox.Fault) {
	w.t.Helper()
	if err := w.sim.Core().AddFault(f); err != nil {
		w.t.Fatal(err)
	}
}

// fails pushes and wants the call to fail as a whole.
func (w *world) fails(records ...dest.Record) *dest.CallError {
	w.t.Helper()
	out, err := w.push(records...)
	call, ok := errors.AsType[*dest.CallError](err)
	if !ok {
		w.t.Fatalf("outcomes %+v, error %v; want a CallError", out, err)
	}
	return call
}

// rec is a record of a user with fields: a name and its JSON in turn.
func rec(id string, fields ...string) dest.Record {
	r := dest.Record{Key: id, Match: id, RecordID: id, Sequence: 1}
	for i := 0; i < len(fields); i += 2 {
		r.Fields = append(r.Fields, dest.Field{Name: fields[i], Value: jsontext.Value(fields[i+1])})
	}
	return r
}
