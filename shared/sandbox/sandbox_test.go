package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// echo is a vendor that answers its request's body and counts what it handled.
type echo struct {
	core    *Core
	handled atomic.Int64 // a dropped answer is seen before the handler is back
}

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.handled.Add(1)
	b, err := Body(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if code, _, fail := e.core.FailRecord(r, string(b)); fail {
		io.WriteString(w, code)
		return
	}
	w.Write(b)
}

func start(t *testing.T, opts Options) (*Core, *echo, *httptest.Server) {
	t.Helper()
	c, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	e := &echo{core: c}
	srv := httptest.NewServer(c.Wrap(e))
	t.Cleanup(srv.Close)
	return c, e, srv
}

func send(t *testing.T, method, url, body string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err.Error()
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, nil, err.Error()
	}
	return res.StatusCode, res.Header, string(b)
}

func TestFaults(t *testing.T) {
	expired := 0
	_, vendor, srv := start(t, Options{Actions: map[string]func(){"expire": func() { expired++ }}})
	add := func(f string) {
		t.Helper()
		if code, _, msg := send(t, "POST", srv.URL+"/_sandbox/faults", f); code != http.StatusNoContent {
			t.Fatalf("add %s: %d %s", f, code, msg)
		}
	}

	add(`{"match":"PATCH /objects","count":2,"status":503,"body":"<html>","content_type":"text/html","headers":{"Retry-After":"7"}}`)
	if code, _, _ := send(t, "POST", srv.URL+"/objects", "x"); code != 200 {
		t.Errorf("another method was struck: %d", code)
	}
	for i := range 3 {
		code, h, body := send(t, "PATCH", srv.URL+"/objects/1", "x")
		want := []any{503, "7", "text/html", "<html>"}
		if i == 2 {
			want = []any{200, "", "text/plain; charset=utf-8", "x"}
		}
		got := []any{code, h.Get("Retry-After"), h.Get("Content-Type"), body}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("request %d (-want +got):\n%s", i, diff)
		}
	}

	add(`{"drop_after_commit":true}`)
	before := vendor.handled.Load()
	if code, _, _ := send(t, "PATCH", srv.URL+"/objects", "x"); code != 0 || vendor.handled.Load() != before+1 {
		t.Errorf("drop_after_commit: status %d, handled %d times", code, vendor.handled.Load()-before)
	}

	add(`{"action":"expire"}`)
	if code, _, _ := send(t, "GET", srv.URL+"/x", ""); code != 200 || expired != 1 {
		t.Errorf("action: status %d, done %d times", code, expired)
	}

	add(`{"fail_records":["bad"],"code":"LOCKED","count":2}`)
	got := ""
	for _, body := range []string{"bad", "good", "bad", "bad"} {
		_, _, answer := send(t, "POST", srv.URL+"/x", body)
		got += answer + " "
	}
	if want := "LOCKED good LOCKED bad "; got != want {
		t.Errorf("fail_records: %q, want %q", got, want)
	}

	add(`{"match":"nowhere","status":500,"count":-1}`)
	if _, _, list := send(t, "GET", srv.URL+"/_sandbox/faults", ""); !strings.Contains(list, "nowhere") {
		t.Errorf("list: %s", list)
	}
	send(t, "DELETE", srv.URL+"/_sandbox/faults", "")
	if _, _, list := send(t, "GET", srv.URL+"/_sandbox/faults", ""); strings.TrimSpace(list) != "[]" {
		t.Errorf("after clearing: %s", list)
	}
}

// TestSpoiledAnswers holds what a fault can make of the answer to a request that was
// carried out.
func TestSpoiledAnswers(t *testing.T) {
	_, vendor, srv := start(t, Options{})
	for name, test := range map[string]struct {
		fault, body string
		status      int
		want        string // "" is a broken connection
	}{
		"answered as if not":   {`{"after_commit":true,"status":502,"body":"<html>","content_type":"text/html"}`, `[1]`, 502, "<html>"},
		"cut":                  {`{"cut":3}`, `[1,2,3]`, 200, `[1,`},
		"cut at the end":       {`{"cut":-2}`, `[1,2,3]`, 200, `[1,2,`},
		"cut longer than it":   {`{"cut":-20}`, `[1]`, 200, ``},
		"broken within":        {`{"cut":3,"drop_after_commit":true}`, `[1,2,3]`, 0, ``},
		"shorter":              {`{"shorten":2}`, `[1,{"a":[2]},3]`, 200, `[1]`},
		"longer":               {`{"lengthen":2}`, `[1, {"a":[2]}]`, 200, `[1,{"a":[2]},{"a":[2]},{"a":[2]}]`},
		"shorter, in object":   {`{"shorten":1}`, `{"n":{"o":1},"list":[{},{"x":2}],"more":[3]}`, 200, `{"n":{"o":1},"list":[{}],"more":[3]}`},
		"nothing to lengthen":  {`{"lengthen":1}`, `[]`, 200, `[]`},
		"no list":              {`{"shorten":1}`, `{"a":1}`, 200, `{"a":1}`},
		"not JSON":             {`{"shorten":1}`, `<html>[1]`, 200, `<html>[1]`},
		"another word":         {`{"find":"\"done\":(true)","replace":"\"done\":\"$1\""}`, `{"done":true}`, 200, `{"done":"true"}`},
		"late":                 {`{"after_commit":true,"delay_ms":1}`, `x`, 200, `x`},
		"poison, in the body":  {`{"holding":"c\\17","status":500,"body":"no"}`, `{"records":["c\17"]}`, 500, `no`},
		"poison, not in it":    {`{"holding":"c17","status":500}`, `{"records":["c18"]}`, 200, `{"records":["c18"]}`},
		"poison, in the query": {`{"holding":"a b'c","status":500,"body":"no"}`, ``, 500, `no`},
		"poison, encoded":      {`{"holding":"O'Brien","status":500,"body":"no"}`, `{"url":"/q?q=O%27Brien"}`, 500, `no`},
	} {
		send(t, "DELETE", srv.URL+"/_sandbox/faults", "")
		if code, _, msg := send(t, "POST", srv.URL+"/_sandbox/faults", test.fault); code != http.StatusNoContent {
			t.Fatalf("%s: %d %s", name, code, msg)
		}
		before := vendor.handled.Load()
		status, _, body := send(t, "PATCH", srv.URL+"/x?q=a+b%27c", test.body)
		if status != test.status || status != 0 && body != test.want {
			t.Errorf("%s: %d %s, want %d %s", name, status, body, test.status, test.want)
		}
		if handled := vendor.handled.Load() > before; handled == (test.status == 500) {
			t.Errorf("%s: handled: %v", name, handled)
		}
	}
}

func TestFaultsRefused(t *testing.T) {
	_, _, srv := start(t, Options{})
	for _, f := range []string{`{`, `{"staus":500}`, `{"status":99}`, `{"action":"none"}`, `{"fail_records":["a"]}`, `{"find":"("}`, `{"status":500} x`, `{"status":500}}`, `{"status":500}{"status":500}`} {
		if code, _, _ := send(t, "POST", srv.URL+"/_sandbox/faults", f); code != http.StatusBadRequest {
			t.Errorf("%s: %d, want 400", f, code)
		}
	}
}

// TestHosts wants answers by the names of this machine alone.
func TestHosts(t *testing.T) {
	c, vendor, _ := start(t, Options{})
	handler := c.Wrap(vendor)
	for _, test := range []struct {
		host, origin string
		want         int
	}{
		{"127.0.0.1:8080", "", 200}, {"localhost", "", 200}, {"LocalHost:1", "", 200}, {"[::1]:8080", "", 200}, {"[::1]", "", 200}, {"127.9.9.9", "", 200},
		{"example.com", "", 403}, {"localhost.example.com:80", "", 403}, {"10.0.0.1:8080", "", 403}, {"", "", 403}, {"127.0.0.1.example.com", "", 403},
		{"localhost:1", "http://localhost:3000", 200}, {"localhost:1", "https://example.com", 403}, {"localhost:1", "null", 403}, {"localhost:1", "://", 403},
	} {
		for _, path := range []string{"/x", "/_sandbox/faults", "/_sandbox/records"} {
			r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
			r.Host = test.host
			if test.origin != "" {
				r.Header.Set("Origin", test.origin)
			}
			w := httptest.NewRecorder()
			if handler.ServeHTTP(w, r); w.Code != test.want {
				t.Errorf("%s, host %q, origin %q: %d, want %d", path, test.host, test.origin, w.Code, test.want)
			}
		}
	}
}

func TestCalls(t *testing.T) {
	_, _, srv := start(t, Options{ThreadCPU: true, Label: func(r *http.Request) string { return r.Method }})
	send(t, "GET", srv.URL+"/a", "")
	send(t, "POST", srv.URL+"/b", "x")
	send(t, "POST", srv.URL+"/c", "x")
	send(t, "GET", srv.URL+"/_sandbox/records", "") // not an API call
	_, _, body := send(t, "GET", srv.URL+"/_sandbox/calls", "")
	var got Stats
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if got.Seconds <= 0 {
		t.Errorf("no handler time measured: %s", body)
	}
	got.Seconds, got.CPU = 0, 0
	want := Stats{Total: 3, By: map[string]int64{"GET": 1, "POST": 2}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	send(t, "DELETE", srv.URL+"/_sandbox/calls", "")
	if _, _, body := send(t, "GET", srv.URL+"/_sandbox/calls", ""); !strings.Contains(body, `"total":0`) {
		t.Errorf("after reset: %s", body)
	}
}

// journalled opens the journal, returns what was in it, and leaves it open.
func journalled(t *testing.T, path string) (*Core, []string) {
	t.Helper()
	c, err := New(Options{Journal: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	entries := []string{}
	if err := c.Replay(func(e []byte) error { entries = append(entries, string(e)); return nil }); err != nil {
		t.Fatal(err)
	}
	return c, entries
}

func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sim.journal")
	first, _ := journalled(t, path)
	for _, e := range []string{"one", "", "three"} {
		if err := first.Commit([]byte(e)); err != nil {
			t.Fatal(err)
		}
	}
	// The first process is not closed: it was killed. Its last write was cut short.
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.Write([]byte{9, 0, 0, 0, 1, 2, 3, 4, 'h'})
	f.Close()

	second, got := journalled(t, path)
	if diff := cmp.Diff([]string{"one", "", "three"}, got); diff != "" {
		t.Errorf("replayed (-want +got):\n%s", diff)
	}
	if err := second.Commit([]byte("four")); err != nil {
		t.Fatal(err)
	}
	if _, got = journalled(t, path); len(got) != 4 || got[3] != "four" {
		t.Errorf("after the torn end: %q", got)
	}
}

func TestJournalRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sim.journal")
	c, _ := journalled(t, path)
	c.Commit([]byte("one"))
	c.Commit([]byte("two"))
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(path, bytes.Replace(b, []byte("one"), []byte("0ne"), 1), 0o600)
	again, err := New(Options{Journal: path})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := again.Commit([]byte("x")); err == nil {
		t.Error("a commit before the replay would have overwritten the journal")
	}
	if err := again.Replay(func([]byte) error { return nil }); err == nil {
		t.Error("a changed entry was replayed")
	}
}
