package slack_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/sandbox/slack"
)

// Any channel that has the form of one is made, with one line that says so and
// names no name; what has not the form of one is refused as ever.
func TestAcceptChannels(t *testing.T) {
	var said []string
	journal := filepath.Join(t.TempDir(), "slack.journal")
	accepting := func(c *slack.Config) {
		c.AcceptChannels, c.Journal, c.Spacing = true, journal, -1
		c.Say = func(line string) { said = append(said, line) }
	}
	w := newWorkspace(t, accepting)
	ids := map[string]string{}
	for _, channel := range []string{"#new-one", "new-one", "other_1", "gründe", "C0123456789", "#alerts"} {
		_, _, got := w.form("chat.postMessage", "channel", channel, "text", "x")
		if got["ok"] != true {
			t.Fatalf("%s: %v", channel, got)
		}
		ids[channel] = got["channel"].(string)
	}
	if ids["#new-one"] != ids["new-one"] || ids["new-one"] == ids["other_1"] || ids["C0123456789"] != "C0123456789" || ids["#alerts"] != "C1" {
		t.Error(ids)
	}
	if _, _, got := w.form("conversations.history", "channel", ids["new-one"]); got["ok"] != true || len(got["messages"].([]any)) != 2 {
		t.Error(got)
	}
	for _, channel := range []string{"#New", "two words", "a.b", "", "#", strings.Repeat("a", 81), "U0123456789", "@ann"} {
		if _, _, got := w.form("chat.postMessage", "channel", channel, "text", "x"); got["error"] != "channel_not_found" {
			t.Errorf("%q: %v", channel, got)
		}
	}
	if len(said) != 1 || !strings.Contains(said[0], ids["#new-one"]) || strings.Contains(said[0], "new-one") {
		t.Errorf("%q", said)
	}
	w.Close()
	again := newWorkspace(t, func(c *slack.Config) { accepting(c); c.AcceptChannels = false })
	if _, _, got := again.form("chat.postMessage", "channel", "#other_1", "text", "x"); got["channel"] != ids["other_1"] {
		t.Error("a channel that was made is gone:", got)
	}
}

// A saved answer of conversations.list is a list of channels, and so is what
// /_sandbox/channels answers.
func TestReadChannels(t *testing.T) {
	got, err := slack.ReadChannels(strings.NewReader(`{"ok":true,"channels":[
		{"id":"C012AB3CD","name":"general","is_channel":true,"is_private":false,"is_archived":false,"is_member":true,"num_members":4},
		{"id":"G1","name":"secret","is_private":true,"is_member":false}, {"name":"#mine"}, {"id":"C2","name":"old","is_archived":true}]}`))
	want := []slack.Channel{{ID: "C012AB3CD", Name: "general"}, {ID: "G1", Name: "secret", Private: true, Outside: true}, {Name: "mine"}, {ID: "C2", Name: "old", Archived: true}}
	if err != nil {
		t.Fatal(err)
	}
	want[2].ID = got[2].ID // made of the name
	if diff := cmp.Diff(want, got); diff != "" || len(got[2].ID) != 11 {
		t.Error(got[2].ID, diff)
	}
	w := newWorkspace(t, func(c *slack.Config) { c.Channels = got })
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, httptest.NewRequest("GET", "http://localhost/_sandbox/channels", nil))
	if again, err := slack.ReadChannels(rec.Body); err != nil || cmp.Diff(got, again) != "" {
		t.Error(err, cmp.Diff(got, again))
	}
	for _, bad := range []string{``, `{}`, `{"channels":[]}`, `{"channels":[{"id":"C1"}]}`, `{"channels":[{"id":"C1","name":"Big"}]}`, `[]`, `{"channels":[{"name":"a"}]}{}`, `{"channels":[{"name":"a"}]}]`} {
		if _, err := slack.ReadChannels(strings.NewReader(bad)); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

func TestTeamAndToken(t *testing.T) {
	w := newWorkspace(t, func(c *slack.Config) { c.TeamID = "T0OTHER01" })
	if _, _, got := w.form("auth.test"); got["team_id"] != "T0OTHER01" || got["ok"] != true {
		t.Error(got)
	}
	act := func(name string) {
		t.Helper()
		if err := w.Core().AddFault(sandbox.Fault{Action: name}); err != nil {
			t.Fatal(err)
		}
	}
	act("revoke_token")
	for _, method := range []string{"auth.test", "chat.postMessage", "conversations.list"} {
		if _, _, got := w.form(method, "channel", "C1", "text", "x"); got["error"] != "token_revoked" {
			t.Error(method, got)
		}
	}
	act("restore_token")
	if _, _, got := w.form("auth.test"); got["ok"] != true {
		t.Error(got)
	}
}

// What a request must look like.
func TestRequests(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	for _, c := range []struct{ query, kind, auth, body, code string }{
		{"", form, "", "token=" + token + "&channel=C1&text=x", ""},
		{"", form + "; charset=UTF-8", "Bearer " + token, "channel=C1&text=x", ""},
		{"?channel=C1&text=x", "", "Bearer " + token, "", ""},
		{"?token=" + token, form, "", "channel=C1&text=x", "not_authed"},
		{"", form, "Basic " + token, "channel=C1&text=x", "not_authed"},
		{"", "", "Bearer " + token, "channel=C1&text=x", "missing_post_type"},
		{"", "text/csv", "Bearer " + token, "channel=C1&text=x", "invalid_post_type"},
		{"", form + "; charset=utf-16", "Bearer " + token, "channel=C1&text=x", "invalid_charset"},
		{"", form, "Bearer " + token, "channel=C1&text=%zz", "invalid_form_data"},
		{"", form, "Bearer " + token, "channel=C1&text[]=x", "invalid_array_arg"},
	} {
		w := newWorkspace(t)
		r := httptest.NewRequest("POST", "http://localhost/api/chat.postMessage"+c.query, strings.NewReader(c.body))
		if c.kind != "" {
			r.Header.Set("Content-Type", c.kind)
		}
		if c.auth != "" {
			r.Header.Set("Authorization", c.auth)
		}
		status, _, got := w.do(r)
		code, _ := got["error"].(string)
		if status != 200 || code != c.code || got["ok"] != (c.code == "") {
			t.Errorf("%+v: %d %v", c, status, got)
		}
	}
}

// The other methods have limits by the minute, and a method that refuses one caller
// refuses all until Retry-After is over.
func TestLimits(t *testing.T) {
	w := newWorkspace(t)
	for method, most := range map[string]int{"conversations.history": 50, "conversations.list": 20, "auth.test": 200} {
		for i := range most {
			if status, _, _ := w.form(method, "channel", "C1"); status != 200 {
				t.Fatalf("%s: call %d answered %d", method, i+1, status)
			}
			w.now = w.now.Add(10 * time.Millisecond)
		}
		status, after, got := w.form(method, "channel", "C1")
		if status != 429 || after == "" || got["error"] != "ratelimited" {
			t.Errorf("%s: %d %q %v", method, status, after, got)
		}
		w.now = w.now.Add(time.Minute)
		if status, _, _ := w.form(method, "channel", "C1"); status != 200 {
			t.Errorf("%s: still refused after a minute", method)
		}
	}
	post := func(channel string) int {
		status, _, _ := w.form("chat.postMessage", "channel", channel, "text", "x")
		return status
	}
	if a, b, c := post("C1"), post("C1"), post("C2"); a != 200 || b != 429 || c != 429 {
		t.Errorf("%d, too soon %d, another channel %d", a, b, c)
	}
	if status, _, _ := w.form("auth.test"); status != 200 {
		t.Error("another method is refused too")
	}
	w.now = w.now.Add(time.Second)
	if a, b := post("C1"), post("C2"); a != 200 || b != 200 {
		t.Errorf("after Retry-After: %d, %d", a, b)
	}
}

// A fault strikes one message by a text of its metadata.
func TestFailByRecord(t *testing.T) {
	w := newWorkspace(t, func(c *slack.Config) { c.Spacing = -1 })
	if err := w.Core().AddFault(sandbox.Fault{FailRecords: []string{"row-2"}, Code: "invalid_arguments", Count: -1}); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]any{"row-1": nil, "row-2": "invalid_arguments", "row-21": nil} {
		_, _, got := w.form("chat.postMessage", "channel", "C1", "text", "x", "metadata", `{"event_type":"e","event_payload":{"n":1,"id":"`+id+`"}}`)
		if got["error"] != want {
			t.Errorf("%s: %v", id, got)
		}
	}
}

// A journal keeps the workspace's id; another journal is another workspace.
func TestTeamIsKept(t *testing.T) {
	dir := t.TempDir()
	team := func(journal string) string {
		t.Helper()
		w := newWorkspace(t, func(c *slack.Config) { c.Journal = journal })
		_, _, got := w.form("auth.test")
		w.Close()
		id, _ := got["team_id"].(string)
		return id
	}
	first, other := team(filepath.Join(dir, "a")), team(filepath.Join(dir, "b"))
	if err := os.Rename(filepath.Join(dir, "a"), filepath.Join(dir, "c")); err != nil {
		t.Fatal(err)
	}
	if moved := team(filepath.Join(dir, "c")); moved != first || first == other || len(first) != 11 || first[0] != 'T' {
		t.Error(first, other, moved)
	}
	if memory := team(""); memory != "T0PENSTOCK" {
		t.Error(memory)
	}
}

func FuzzReadChannels(f *testing.F) {
	for _, s := range []string{`{"channels":[{"name":"a"}]}`, `{"channels":[{"id":"C1","name":"a","is_member":false}]}`, `{`, `[]`, `{"channels":[{"name":"A"}]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		channels, err := slack.ReadChannels(strings.NewReader(s))
		if err != nil {
			return
		}
		for _, c := range channels {
			if c.ID == "" || c.Name == "" || strings.HasPrefix(c.Name, "#") {
				t.Errorf("%+v", c)
			}
		}
		server, err := slack.New(slack.Config{Token: token, Channels: channels})
		if err != nil {
			t.Fatal(err)
		}
		server.Close()
	})
}
