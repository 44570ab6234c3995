package console

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/app/view"
	"github.com/penstock-data/penstock/shared/freshness"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// hostile is what somebody may write into a name, a key or a vendor's reason.
const hostile = `"><script>alert(1)</script><img src=x onerror=alert(2)>`

// A state answers what a test says, and notes what was done.
type state struct {
	overview view.Overview
	run      view.Run
	errs     view.Errors
	one      view.Error
	sync     view.Sync
	record   view.Record
	actions  []run.Action
	asked    view.Filter
	filtered func(view.Filter) view.Errors // instead of errs, where it is not nil
	did      []string
	refuse   error
	refused  string // what alone is refused; "" for everything
	fail     error
}

func (s *state) Names(context.Context) (view.Names, error) {
	n := view.Names{}
	for _, r := range s.overview.Syncs {
		n.Syncs = append(n.Syncs, r.Sync)
	}
	for _, c := range s.overview.Connections {
		n.Connections = append(n.Connections, c.Name)
	}
	return n, nil
}

func (s *state) Overview(context.Context) (view.Overview, error) { return s.overview, s.fail }

func (s *state) Run(_ context.Context, id string) (view.Run, error) {
	if id != s.run.Run {
		return view.Run{}, view.ErrNotFound
	}
	return s.run, nil
}

func (s *state) Sync(_ context.Context, name string) (view.Sync, error) {
	if name != s.sync.Sync {
		return view.Sync{}, view.ErrNotFound
	}
	return s.sync, nil
}

func (s *state) Record(_ context.Context, connection, _, _ string) (view.Record, error) {
	if connection != s.record.Connection {
		return view.Record{}, view.ErrNotFound
	}
	return s.record, nil
}

func (s *state) Errors(_ context.Context, f view.Filter) (view.Errors, error) {
	if s.asked = f; s.filtered != nil {
		return s.filtered(f), nil
	}
	return s.errs, nil
}

func (s *state) Error(_ context.Context, ref string) (view.Error, error) {
	if ref != s.one.Ref {
		return view.Error{}, view.ErrNotFound
	}
	return s.one, nil
}

func (s *state) Actions(context.Context, time.Time, int) ([]run.Action, error) { return s.actions, nil }

// do notes an action.
func (s *state) do(parts ...string) (string, error) {
	if s.refuse != nil && (s.refused == "" || s.refused == parts[1]) {
		return "", s.refuse
	}
	s.did = append(s.did, strings.Join(parts, " "))
	return "it is done", nil
}

// An actor acts on the state: a type of its own, since Actions is also what was done.
type actor struct{ *state }

func (a actor) Retry(_ context.Context, run string, s runs.Selector, token string) (string, error) {
	if token == "" {
		return "", errors.New("no token")
	}
	return a.do("retry", run, strings.Join(slices.Concat(s.Records, s.Types, s.Stages, s.Fields, s.Refs), ","))
}
func (a actor) Cancel(_ context.Context, run, reason string) (string, error) {
	return a.do("cancel", run, reason)
}
func (a actor) Pause(_ context.Context, sync, reason string) (string, error) {
	return a.do("pause", sync, reason)
}
func (a actor) Resume(_ context.Context, sync string) (string, error) { return a.do("resume", sync) }
func (a actor) Accept(_ context.Context, connection string) (string, error) {
	return a.do("accept", connection)
}
func (a actor) Reset(_ context.Context, sync string) (string, error) { return a.do("reset", sync) }

// full is a state with something of everything.
func full() *state {
	counts := run.Counts{Received: 100, Delivered: 90, Unchanged: 4, Rejected: 2, Failed: 4, Calls: 3}
	line := view.Line{Run: "contacts.r1", Mode: run.Full, Status: run.Complete, Outcome: run.Partial, BegunAt: noon.Add(-time.Hour), Took: 90 * time.Second, Counts: counts, Right: 94, SuccessRate: 0.94, RowsPerSecond: 12.5}
	err := view.Error{Ref: "contacts.r1#b#7", Sync: "contacts", Run: "contacts.r1", RecordID: "c 7", Key: "ann@acme.com", Stage: "deliver", Type: "INVALID_EMAIL", Field: "email", Message: "no address", Attempts: 1, OccurredAt: noon.Add(-time.Hour), Rows: 1}
	one := err
	one.Stored, one.Source = true, []byte(`{"email":"ann@acme.com","secret_note":"tea"}`)
	total := int64(9)
	r := view.Row{
		Sync: "contacts", Connection: "crm_prod", Type: "crm", Object: "contact", Health: view.Warning, Freshness: view.Warning, LastSuccess: noon.Add(-3 * time.Hour), Age: 3 * time.Hour, WarnAfter: 2 * time.Hour, StaleAfter: 4 * time.Hour,
		Frequency: "hourly", NextRun: noon.Add(20 * time.Minute), LastRun: &line, SuccessRate: 0.94, RowsPerSecond: 12.5, Spark: []view.Line{line, line},
		Running:  []view.Live{{Run: "contacts.r2", Mode: run.Full, BegunAt: noon, Expected: -1, Counts: run.Counts{Received: 50, Delivered: 20}}},
		NotRight: 6, Due: 1, Alerts: []view.Alert{{Kind: "error_rate", Since: noon.Add(-time.Hour)}},
		Destination: &freshness.Reading{AsOf: noon, Figures: freshness.Figures{Total: &total, Newest: &noon, Oldest: &noon}},
	}
	return &state{
		overview: view.Overview{Now: noon, Syncs: []view.Row{r}, Connections: []view.Connection{{Name: "crm_prod", Type: "crm", Syncs: []string{"contacts"}, Quota: 1000, Spent: 910, Per: 24 * time.Hour, Pace: 0.5, PausedSince: noon, Reason: "the login is refused", SetUp: true}}},
		run: view.Run{Run: "contacts.r1", Sync: "contacts", Version: "v1", Mode: run.Full, Status: run.Open, BegunAt: noon, Took: time.Minute, Expected: -1, Counts: run.Counts{Received: 104, Queued: 4, Delivered: 90, Unchanged: 4, Rejected: 2, Failed: 4, Calls: 3}, SuccessRate: 0.94, RowsPerSecond: 12.5,
			Stages: []view.Stage{{Name: "intake", Done: 100, Total: -1, Lost: 2}, {Name: "queue", Done: 98, Total: 98}, {Name: "destination", Done: 98, Total: 98, Lost: 4}},
			Groups: []view.Group{{Stage: "deliver", Type: "INVALID_EMAIL", Field: "email", Rows: 3, Samples: []view.Error{err}}, {Stage: "intake", Type: "too_long", Field: "name", Rows: 2}, {Stage: "deliver", Type: "unknown", Rows: 1}}},
		errs:    view.Errors{Errors: []view.Error{err}, Next: "more", Since: noon},
		one:     one,
		sync:    view.Sync{Row: r, Operation: "upsert", Model: "contacts_model", Match: "email = email", Strategy: "email", RecordID: []string{"id"}, Mapping: []view.Mapping{{Source: "name", Destination: "full_name", Type: "string", Rules: "at most 80 characters", Personal: true}}, Cursor: "updated_at", Watermark: `"2026-03-01"`, WatermarkType: "timestamp", Hold: `"2026-02-28"`, Chart: []view.Line{line, line}},
		record:  view.Record{Connection: "crm_prod", Key: "ann@acme.com", Holds: []view.Holding{{Sync: "contacts", Key: "ann@acme.com", Held: true, ID: "003X", Link: "https://crm.example/003X", Run: "contacts.r1", At: noon, Object: "contact"}}, Errors: view.Errors{Errors: []view.Error{err}}},
		actions: []run.Action{{At: noon, Who: "console: ann", What: "accept_account", On: "crm_prod", Result: run.ActionDone, Note: "epoch 2"}},
	}
}

// A person is a browser at a console.
type person struct {
	t    *testing.T
	http *http.Client
	base string
	c    *Console
}

// serve serves a state; nobody is let in yet. Wake is when the pages look again; nil never.
func serve(t *testing.T, s *state, wake func(context.Context) bool) *person {
	t.Helper()
	if wake == nil {
		wake = func(context.Context) bool { return false }
	}
	c, err := New(Config{Pages: s, Errors: s, Audit: s, Actions: &Actions{Runs: actor{s}, Syncs: actor{s}, Connections: actor{s}}, Where: "penstock-data", Flags: " --data d", Wake: wake, Now: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &person{t: t, http: &http.Client{Jar: jar}, base: server.URL, c: c}
}

// inside is a person who was let in.
func inside(t *testing.T, s *state) *person {
	t.Helper()
	p := serve(t, s, nil)
	if status, body := p.get(p.c.Open()); status != 200 {
		t.Fatal(status, body)
	}
	return p
}

func (p *person) do(method, path string, form url.Values, headers ...string) (int, string) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := p.http.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func (p *person) get(path string, headers ...string) (int, string) {
	p.t.Helper()
	return p.do(http.MethodGet, path, nil, headers...)
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`)

// form is what a page's form sends.
func form(page string) url.Values {
	f := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(page, -1) {
		f.Add(m[1], unescape(m[2]))
	}
	return f
}

func unescape(s string) string {
	return strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&lt;", "<", "&gt;", ">", "&amp;", "&", "&#43;", "+").Replace(s)
}

func refused() error { return row.Refuse("the sync is paused") }
