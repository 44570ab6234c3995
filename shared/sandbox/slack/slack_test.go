package slack_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/sandbox/slack"
)

const token = "xoxb-test"

// A workspace is a simulated one, called without a client library.
type workspace struct {
	*slack.Server
	t   *testing.T
	now time.Time
}

func newWorkspace(t *testing.T, change ...func(*slack.Config)) *workspace {
	w := &workspace{t: t, now: time.Unix(1777888800, 250_000_000)}
	cfg := slack.Config{Token: token, Now: func() time.Time { return w.now }, Channels: []slack.Channel{
		{ID: "C1", Name: "alerts"}, {ID: "C2", Name: "sales"}, {ID: "C3", Name: "old", Archived: true},
		{ID: "C4", Name: "away", Outside: true}, {ID: "G1", Name: "hidden", Private: true, Outside: true}, {ID: "G2", Name: "secret", Private: true},
	}}
	for _, f := range change {
		f(&cfg)
	}
	server, err := slack.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() }) //nolint:errcheck // closed twice in the restart test
	w.Server = server
	return w
}

// form calls a method as slack-go does and returns status, Retry-After and the
// answer's interesting part.
func (w *workspace) form(method string, pairs ...string) (int, string, map[string]any) {
	w.t.Helper()
	v := url.Values{"token": {token}}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequest("POST", "http://localhost/api/"+method, strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return w.do(r)
}

func (w *workspace) do(r *http.Request) (int, string, map[string]any) {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	var body map[string]any
	if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil {
		w.t.Fatalf("%s: %q is not JSON", r.URL, rec.Body)
	}
	return rec.Code, rec.Header().Get("Retry-After"), body
}

func TestPostErrors(t *testing.T) {
	for _, c := range []struct {
		code  string
		pairs []string
	}{
		{"channel_not_found", []string{"channel", "#nowhere", "text", "x"}},
		{"channel_not_found", []string{"text", "x"}},
		{"channel_not_found", []string{"channel", "hidden", "text", "x"}},
		{"not_in_channel", []string{"channel", "C4", "text", "x"}},
		{"is_archived", []string{"channel", "#old", "text", "x"}},
		{"no_text", []string{"channel", "C1"}},
		{"no_text", []string{"channel", "C1", "text", " \n"}},
		{"msg_too_long", []string{"channel", "C1", "text", strings.Repeat("ä", 40_001)}},
		{"invalid_metadata_format", []string{"channel", "C1", "text", "x", "metadata", "{"}},
		{"invalid_metadata_schema", []string{"channel", "C1", "text", "x", "metadata", `{"event_type":"a"}`}},
		{"invalid_metadata_schema", []string{"channel", "C1", "text", "x", "metadata", `{"event_type":"a","event_payload":[1]}`}},
		{"metadata_too_large", []string{"channel", "C1", "text", "x", "metadata", strings.Repeat(" ", 9000) + "{}"}},
		{"invalid_auth", []string{"token", "xoxb-other", "channel", "C1", "text", "x"}},
		{"not_authed", []string{"token", "", "channel", "C1", "text", "x"}},
	} {
		w := newWorkspace(t)
		status, _, got := w.form("chat.postMessage", c.pairs...)
		if status != 200 || got["ok"] != false || got["error"] != c.code {
			t.Errorf("%.60q: %d %v, want %s", c.pairs, status, got, c.code)
		}
		if n := len(w.Messages()); n != 0 {
			t.Errorf("%s: %d messages were stored", c.code, n)
		}
	}
}

// One message a second and channel; a ts is unique and grows, whatever the clock.
func TestRateAndTS(t *testing.T) {
	w := newWorkspace(t)
	post := func(channel string) (int, string, map[string]any) {
		return w.form("chat.postMessage", "channel", channel, "text", "hello")
	}
	if status, _, got := post("C1"); status != 200 || got["channel"] != "C1" || got["ts"] != "1777888800.250000" {
		t.Errorf("%d %v", status, got)
	}
	if status, _, _ := post("#sales"); status != 200 {
		t.Error("another channel has to wait")
	}
	w.now = w.now.Add(999 * time.Millisecond)
	if status, after, got := post("alerts"); status != 429 || after != "1" || got["error"] != "ratelimited" || got["ok"] != false {
		t.Errorf("%d %q %v", status, after, got)
	}
	w.now = w.now.Add(time.Millisecond)
	if status, _, _ := post("alerts"); status != 200 {
		t.Error("refused after a second: a refusal must not count as a message")
	}

	w = newWorkspace(t, func(c *slack.Config) { c.Spacing = -1 })
	for range 3 {
		post("C1")
		w.now = w.now.Add(-time.Second)
	}
	var ts []string
	for _, m := range w.Messages() {
		ts = append(ts, m.TS)
	}
	if diff := cmp.Diff([]string{"1777888800.250000", "1777888800.250001", "1777888800.250002"}, ts); diff != "" {
		t.Error(diff)
	}
}

// JSON with the token in the header does the same as a form.
func TestJSONBody(t *testing.T) {
	w := newWorkspace(t)
	call := func(body, authorization string) map[string]any {
		r := httptest.NewRequest("POST", "http://localhost/api/chat.postMessage", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
		r.Header.Set("Authorization", authorization)
		_, _, got := w.do(r)
		return got
	}
	body := `{"channel":"C1","text":"a \"b\" & <c>","metadata":{"event_type":"e","event_payload":{"n":9007199254740993}}}`
	if got := call(body, "Bearer "+token); got["ok"] != true {
		t.Fatal(got)
	}
	if got := call(`{"token":"`+token+`","channel":"C1","text":"x"}`, ""); got["error"] != "not_authed" {
		t.Error("a token in the JSON body was taken:", got)
	}
	if got := call(`{`, "Bearer "+token); got["error"] != "invalid_json" {
		t.Error(got)
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, httptest.NewRequest("GET", "http://localhost/_sandbox/records", nil))
	want := `{"messages":[{"channel":"C1","channel_name":"alerts","ts":"1777888800.250000","text":"a \"b\" & <c>","metadata":{"event_type":"e","event_payload":{"n":9007199254740993}}}]}` + "\n"
	if diff := cmp.Diff(want, rec.Body.String()); diff != "" {
		t.Error(diff)
	}
}

func TestHistory(t *testing.T) {
	w := newWorkspace(t)
	for i := range 7 {
		w.form("chat.postMessage", "channel", "C1", "text", fmt.Sprint("m", i), "metadata", `{"event_type":"e","event_payload":{}}`)
		w.form("chat.postMessage", "channel", "C2", "text", "other")
		w.now = w.now.Add(time.Second)
	}
	// read goes through all pages; a message that arrives meanwhile moves nothing.
	read := func(pairs ...string) (texts []string, pages int) {
		cursor := ""
		for {
			_, _, got := w.form("conversations.history", append(pairs, "cursor", cursor)...)
			if got["ok"] != true {
				t.Fatal(got)
			}
			pages++
			for _, m := range got["messages"].([]any) {
				texts = append(texts, m.(map[string]any)["text"].(string))
			}
			if got["has_more"] != true {
				return texts, pages
			}
			if pages == 1 {
				w.form("chat.postMessage", "channel", "C1", "text", "late")
			}
			cursor = got["response_metadata"].(map[string]any)["next_cursor"].(string)
		}
	}
	texts, pages := read("channel", "C1", "limit", "3")
	if diff := cmp.Diff([]string{"m6", "m5", "m4", "m3", "m2", "m1", "m0"}, texts); diff != "" || pages != 3 {
		t.Error(pages, diff)
	}
	texts, _ = read("channel", "C1", "oldest", "1777888804.250000", "latest", "1777888806.250000")
	if diff := cmp.Diff([]string{"m5"}, texts); diff != "" {
		t.Error(diff)
	}
	texts, _ = read("channel", "C1", "oldest", "1777888804.250000", "latest", "1777888806.250000", "inclusive", "1")
	if diff := cmp.Diff([]string{"m6", "m5", "m4"}, texts); diff != "" {
		t.Error(diff)
	}
	for all, want := range map[string]bool{"0": false, "": false, "1": true, "true": true} {
		_, _, got := w.form("conversations.history", "channel", "C2", "limit", "1", "include_all_metadata", all)
		if _, has := got["messages"].([]any)[0].(map[string]any)["metadata"]; has {
			t.Error("metadata of a message that has none")
		}
		_, _, got = w.form("conversations.history", "channel", "C1", "latest", "1777888806.300000", "limit", "1", "include_all_metadata", all)
		if _, has := got["messages"].([]any)[0].(map[string]any)["metadata"]; has != want {
			t.Errorf("include_all_metadata=%q: metadata %v", all, has)
		}
	}
}

func TestReadErrors(t *testing.T) {
	w := newWorkspace(t)
	for _, c := range []struct {
		method, code string
		pairs        []string
	}{
		{"conversations.history", "channel_not_found", []string{"channel", "#alerts"}}, // a name is no id
		{"conversations.history", "channel_not_found", []string{"channel", "alerts"}},
		{"conversations.history", "not_in_channel", []string{"channel", "C4"}},
		{"conversations.history", "missing_scope", []string{"channel", "G2"}},
		{"conversations.history", "invalid_cursor", []string{"channel", "C1", "cursor", "x"}},
		{"conversations.history", "invalid_limit", []string{"channel", "C1", "limit", "0"}},
		{"conversations.history", "invalid_ts_oldest", []string{"channel", "C1", "oldest", "yesterday"}},
		{"conversations.history", "invalid_ts_latest", []string{"channel", "C1", "latest", "1.x"}},
		{"conversations.list", "missing_scope", []string{"types", "public_channel,private_channel"}},
		{"conversations.list", "invalid_types", []string{"types", "im"}},
		{"chat.delete", "unknown_method", nil},
	} {
		status, _, got := w.form(c.method, c.pairs...)
		if status != 200 || got["ok"] != false || got["error"] != c.code {
			t.Errorf("%s %v: %d %v, want %s", c.method, c.pairs, status, got, c.code)
		}
	}
	if _, _, got := w.form("conversations.history", "channel", "G2"); got["needed"] != "groups:history" || got["provided"] != "chat:write,channels:history,channels:read" {
		t.Error(got)
	}
}

func TestList(t *testing.T) {
	w := newWorkspace(t, func(c *slack.Config) { c.Scopes = []string{"channels:read", "groups:read"} })
	names := func(pairs ...string) (all []string) {
		cursor := ""
		for {
			_, _, got := w.form("conversations.list", append(pairs, "cursor", cursor)...)
			if got["ok"] != true {
				t.Fatal(got)
			}
			for _, c := range got["channels"].([]any) {
				all = append(all, c.(map[string]any)["name"].(string))
			}
			if cursor = got["response_metadata"].(map[string]any)["next_cursor"].(string); cursor == "" {
				return all
			}
		}
	}
	if diff := cmp.Diff([]string{"alerts", "sales", "old", "away"}, names()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"alerts", "sales", "away", "secret"}, names("types", "public_channel,private_channel", "exclude_archived", "true", "limit", "2")); diff != "" {
		t.Error(diff)
	}
	if _, _, got := w.form("auth.test"); got["ok"] != true || got["bot_id"] == "" {
		t.Error(got)
	}
}

// Faults and counts go by the method's name; a fault can strike one channel.
func TestFaultsAndCalls(t *testing.T) {
	w := newWorkspace(t)
	for _, f := range []sandbox.Fault{
		{Match: "chat.postMessage", Status: 500},
		{FailRecords: []string{"sales"}, Code: "restricted_action"},
	} {
		if err := w.Core().AddFault(f); err != nil {
			t.Fatal(err)
		}
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, httptest.NewRequest("POST", "http://localhost/api/chat.postMessage", nil))
	if rec.Code != 500 {
		t.Errorf("status %d", rec.Code)
	}
	if _, _, got := w.form("chat.postMessage", "channel", "C2", "text", "x"); got["error"] != "restricted_action" {
		t.Error(got)
	}
	if _, _, got := w.form("chat.postMessage", "channel", "C1", "text", "x"); got["ok"] != true {
		t.Error(got)
	}
	w.form("auth.test")
	if diff := cmp.Diff(map[string]int64{"chat.postMessage": 3, "auth.test": 1}, w.Core().Calls().By); diff != "" {
		t.Error(diff)
	}
}

// Messages, their order and the pace survive a restart.
func TestJournal(t *testing.T) {
	journal := filepath.Join(t.TempDir(), "slack.journal")
	keep := func(c *slack.Config) { c.Journal = journal }
	first := newWorkspace(t, keep)
	first.form("chat.postMessage", "channel", "C1", "text", "a & <b>", "metadata", `{"event_type":"e","event_payload":{"id":1.50}}`)
	first.form("chat.postMessage", "channel", "C2", "text", "b")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := newWorkspace(t, keep)
	if diff := cmp.Diff(first.Messages(), second.Messages()); diff != "" || len(second.Messages()) != 2 {
		t.Error(diff)
	}
	if status, _, _ := second.form("chat.postMessage", "channel", "C1", "text", "too soon"); status != 429 {
		t.Errorf("status %d", status)
	}
	second.now = second.now.Add(time.Second)
	if status, _, _ := second.form("chat.postMessage", "channel", "C1", "text", "later"); status != 200 {
		t.Errorf("status %d", status)
	}
}

func TestConfig(t *testing.T) {
	for _, c := range []slack.Config{{}, {Token: token}, {Channels: []slack.Channel{{ID: "C1"}}}} {
		if _, err := slack.New(c); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
}
