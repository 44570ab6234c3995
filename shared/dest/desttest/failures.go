package desttest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
)

// failures are what happens to whole calls.
var failures = map[string]func(*testing.T, *world){
	"is throttled":             throttled,
	"is unavailable":           unavailable,
	"believes Retry-After":     retryAfter,
	"loses an answer":          lost,
	"reads no answer":          noAnswer,
	"reads a page of HTML":     page,
	"follows no redirect":      redirect,
	"logs in again":            logsInAgain,
	"gives up a session":       sessionRefused,
	"is refused the login":     refused,
	"stops with its context":   cancelled,
	"is cut off by it":         cutOff,
	"cannot reach the address": unreachable,
}

func throttled(t *testing.T, w *world) {
	if w.Throttle.Status == 0 {
		t.Skip("the vendor has no quota")
	}
	before := w.Count()
	f := w.Throttle
	f.Match = w.Write
	w.arm(t, f)
	b := w.batch(3)
	call := w.refusal(t, b)
	if call.Class != dest.Throttled || call.Scope != dest.ScopeConnection || call.Quota != w.Quota {
		t.Errorf("class %d, scope %d, quota %d", call.Class, call.Scope, call.Quota)
	}
	if named := f.Headers["Retry-After"] != "" || w.Waits; named != (call.After > 0) {
		t.Errorf("after %v, the vendor names a time: %v", call.After, named)
	}
	w.grown(t, before, 0)
	if got := statuses(w.push(t, b)); got != "ddd" {
		t.Errorf("afterwards: %s", got)
	}
}

// unavailable has calls fail inside the vendor, and the probe tell that it is not
// the connection.
func unavailable(t *testing.T, w *world) {
	w.warm(t)
	b := w.batch(2)
	for _, status := range []int{500, 502, 503, 504} {
		w.arm(t, sandbox.Fault{Match: w.Write, Status: status, Body: "<html>maintenance</html>", ContentType: "text/html"})
		unread(t, http.StatusText(status), w.refusal(t, b))
		if err := w.account.Probe(t.Context()); err != nil {
			t.Errorf("status %d: the probe fails as well: %v", status, err)
		}
	}
	if got := statuses(w.push(t, b)); got != "dd" {
		t.Errorf("afterwards: %s", got)
	}
}

func retryAfter(t *testing.T, w *world) {
	w.warm(t)
	now := time.Now
	if w.Config.Now != nil {
		now = w.Config.Now
	}
	for header, want := range map[string][2]time.Duration{
		"":   {0, 0},
		"30": {30 * time.Second, 30 * time.Second},
		now().Add(90 * time.Second).UTC().Format(http.TimeFormat):  {60 * time.Second, 91 * time.Second},
		now().Add(-90 * time.Second).UTC().Format(http.TimeFormat): {0, 0},
		"999999999":            {12 * time.Hour, 12 * time.Hour}, // believed up to a message's visibility
		"99999999999999999999": {12 * time.Hour, 12 * time.Hour},
		"-5":                   {0, 0},
		"soon":                 {0, 0},
	} {
		w.arm(t, sandbox.Fault{Match: w.Write, Status: 503, Body: "busy", Headers: map[string]string{"Retry-After": header}})
		if call := w.refusal(t, w.batch(1)); call.After < want[0] || call.After > want[1] {
			t.Errorf("Retry-After %q: after %v, want %v to %v", header, call.After, want[0], want[1])
		}
	}
}

// lost has the vendor carry a call out and close the connection.
func lost(t *testing.T, w *world) {
	w.warm(t)
	before := w.Count()
	b := w.batch(4)
	w.arm(t, sandbox.Fault{Match: w.Write, DropAfterCommit: true})
	c := w.dest.Calls(b, 0)[0]
	out, err := w.dest.Push(t.Context(), b, c)
	if err == nil {
		t.Fatalf("outcomes %s", statuses(out))
	}
	unread(t, "lost", failed(t, err))
	if !w.Idempotent {
		return
	}
	if got := statuses(w.push(t, b)); got != "dddd" {
		t.Errorf("the second time: %s", got)
	}
	for _, r := range b.Records {
		w.holds(t, r)
	}
	w.grown(t, before, 4)
}

// noAnswers are answers with status 200 that answer nobody's records.
var noAnswers = map[string]string{
	"empty":         "",
	"blank":         " \n",
	"no results":    "[]",
	"no members":    "{}",
	"null":          "null",
	"a text":        `"OK"`,
	"plain":         "OK",
	"cut":           `[{"id":"1"`,
	"cut object":    `{"ok`,
	"empty results": `[{},{}]`,
	"others":        `[1,2]`,
	"two values":    `[][]`,
}

func noAnswer(t *testing.T, w *world) {
	w.warm(t)
	answers := map[string]string{}
	for name, body := range noAnswers {
		answers[name] = body
	}
	if w.Long != "" {
		answers["more results than records"] = w.Long
	}
	for name, body := range answers {
		w.arm(t, sandbox.Fault{Match: w.Write, Status: 200, Body: body})
		unread(t, name, w.refusal(t, w.batch(2)))
	}
}

// page has something else than the vendor answer.
func page(t *testing.T, w *world) {
	w.warm(t)
	for _, status := range []int{200, 403, 404} {
		w.arm(t, sandbox.Fault{Match: w.Write, Status: status, Body: "\n<!DOCTYPE html><title>Sign in</title>", ContentType: "text/html"})
		call := w.refusal(t, w.batch(2))
		if call.Received != (status == 200) || !strings.Contains(call.Message, "HTML") || !strings.Contains(call.Message, "url") {
			t.Errorf("status %d: received %v, message %q", status, call.Received, call.Message)
		}
		if call.Scope != dest.ScopeUntold {
			t.Errorf("status %d: scope %d: nobody told", status, call.Scope)
		}
	}
}

func redirect(t *testing.T, w *world) {
	w.warm(t)
	before := w.Core.Calls().Total
	w.arm(t, sandbox.Fault{Match: w.Write, Status: 302, Headers: map[string]string{"Location": "/elsewhere"}})
	call := w.refusal(t, w.batch(1))
	if call.Class != dest.Configuration || !strings.Contains(call.Message, "redirect") {
		t.Errorf("class %d: %v", call.Class, call)
	}
	if n := w.Core.Calls().Total - before; n != 1 {
		t.Errorf("%d requests: a redirect must not be followed", n)
	}
}

// sessionRefused has no session taken, however fresh.
func sessionRefused(t *testing.T, w *world) {
	if w.Expired.Status == 0 && w.Expired.Action == "" {
		t.Skip("the vendor has no sessions")
	}
	w.warm(t)
	w.always(t, w.Expired)
	before := w.Core.Calls().Total
	call := w.refusal(t, w.batch(2))
	if call.Class != dest.Configuration || call.Scope != dest.ScopeConnection || call.Received {
		t.Errorf("class %d, scope %d: %v", call.Class, call.Scope, call)
	}
	if n := w.Core.Calls().Total - before; n > 3 {
		t.Errorf("%d requests for a session that is never taken: at most two and a login", n)
	}
}

func logsInAgain(t *testing.T, w *world) {
	if !w.LogsIn {
		t.Skip("the vendor has no login")
	}
	w.warm(t)
	w.arm(t, w.Expired)
	if got := statuses(w.push(t, w.batch(2))); got != "dd" {
		t.Errorf("outcomes %s", got)
	}
}

// refused has the credentials refused: every way in says so, and it heals.
func refused(t *testing.T, w *world) {
	if w.Refusal.Status == 0 {
		t.Skip("the vendor asks for no credentials")
	}
	w.always(t, w.Refusal)
	for what, err := range map[string]error{
		"Push":  func() error { _, err := w.dest.Push(t.Context(), w.batch(1), dest.Call{Records: []int{0}}); return err }(),
		"Probe": w.account.Probe(t.Context()),
	} {
		if call := failed(t, err); call.Class != dest.Configuration || call.Scope != dest.ScopeConnection || call.Received {
			t.Errorf("%s: class %d, scope %d, received %v: %v", what, call.Class, call.Scope, call.Received, call)
		}
	}
	if w.Identity != "" {
		if _, err := w.account.Identity(t.Context()); failed(t, err).Scope != dest.ScopeConnection {
			t.Errorf("Identity: %v", err)
		}
	}
	w.Core.ClearFaults()
	if got := statuses(w.push(t, w.batch(1))); got != "d" {
		t.Errorf("afterwards: %s", got)
	}
}

func cancelled(t *testing.T, w *world) {
	before := w.Count()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := w.batch(2)
	out, err := w.dest.Push(ctx, b, w.dest.Calls(b, 0)[0])
	if err == nil {
		t.Errorf("outcomes %s under a context that has ended", statuses(out))
	}
	if call, is := errors.AsType[*dest.CallError](err); is && call.Received {
		t.Errorf("nothing was sent, and it may have been received: %v", call)
	}
	w.grown(t, before, 0)
}

// cutOff has the context end when the call has left: the vendor may carry it out, which the
// context's own error would deny.
func cutOff(t *testing.T, w *world) {
	w.warm(t)
	w.arm(t, sandbox.Fault{Match: w.Write, DelayMS: 60_000})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { cancel() }})
	b := w.batch(2)
	_, err := w.dest.Push(ctx, b, w.dest.Calls(b, 0)[0])
	unread(t, "cut off", failed(t, err))
}

// unreachable has nobody listening: nothing was sent, and it is the connection's.
func unreachable(t *testing.T, w *world) {
	if w.Config.Connection.URL == "" {
		t.Skip("the account has no address")
	}
	cfg := w.Config
	cfg.Connection.URL = "http://127.0.0.1:1/"
	account, err := w.Vendor.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	b := w.batch(2)
	d := destination(t, account, w.Version)
	_, err = d.Push(t.Context(), b, d.Calls(b, 0)[0])
	for what, err := range map[string]error{"Push": err, "Probe": account.Probe(t.Context())} {
		if call := failed(t, err); call.Class != dest.Unavailable || call.Scope != dest.ScopeConnection || call.Received {
			t.Errorf("%s: class %d, scope %d, received %v: %v", what, call.Class, call.Scope, call.Received, call)
		}
	}
}
