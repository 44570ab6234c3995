package slack_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/slack"
	"github.com/penstock-data/penstock/shared/sandbox"
	sim "github.com/penstock-data/penstock/shared/sandbox/slack"
)

// A result is what Push or Lookup came to: a status, or a class.
type result struct {
	status dest.Status
	class  dest.Class
	failed bool // the call as a whole
	code   string
	after  time.Duration
	remedy string // a part of the message
}

func outcome(s dest.Status, code, remedy string) result {
	return result{status: s, code: code, remedy: remedy}
}
func failed(c dest.Class, code, remedy string) result {
	return result{class: c, failed: true, code: code, remedy: remedy}
}
func (r result) in(d time.Duration) result { r.after = d; return r }

// check compares and makes sure that no token is told.
func (r result) check(t *testing.T, out []dest.Outcome, err error) {
	t.Helper()
	var message string
	var got result
	if err != nil {
		ce := callError(t, err)
		message, got = ce.Error(), result{class: ce.Class, failed: true, code: ce.Code, after: ce.After}
	} else {
		message, got = out[0].Message, result{status: out[0].Status, code: out[0].Code, after: out[0].After}
	}
	got.remedy = r.remedy
	if got != r || !strings.Contains(message, r.remedy) {
		t.Errorf("got %+v %q, want %+v", got, message, r)
	}
	if strings.Contains(message, "xoxb-test") {
		t.Errorf("the token is in %q", message)
	}
}

// What Slack answers to a message, and to a lookup, with the channel of the
// definition.
func TestAnswers(t *testing.T) {
	refuse := func(code string) sandbox.Fault {
		return sandbox.Fault{Status: 200, Body: `{"ok":false,"error":"` + code + `"}`}
	}
	html := func(status int) sandbox.Fault {
		return sandbox.Fault{Status: status, Body: "<!DOCTYPE html><title>Sign in</title>", ContentType: "text/html"}
	}
	const invite = "invite the bot to the channel: /invite @penstock"
	for _, c := range []struct {
		name       string
		fault      sandbox.Fault
		push, look result
	}{
		{"rate limit", sandbox.Fault{Status: 429, Headers: map[string]string{"Retry-After": "17"}, Body: `{"ok":false,"error":"ratelimited"}`},
			failed(dest.Throttled, "ratelimited", "17s").in(17 * time.Second), failed(dest.Throttled, "ratelimited", "17s").in(17 * time.Second)},
		{"rate limit without a time", sandbox.Fault{Status: 429},
			failed(dest.Throttled, "ratelimited", "slow down").in(30 * time.Second), failed(dest.Throttled, "ratelimited", "slow down").in(30 * time.Second)},
		{"ratelimited", refuse("ratelimited"),
			failed(dest.Throttled, "ratelimited", "slow down").in(30 * time.Second), failed(dest.Throttled, "ratelimited", "slow down").in(30 * time.Second)},
		{"internal_error", refuse("internal_error"), outcome(dest.Unknown, "internal_error", ""), failed(dest.Unavailable, "internal_error", "")},
		{"fatal_error", refuse("fatal_error"), outcome(dest.Unknown, "fatal_error", ""), failed(dest.Unavailable, "fatal_error", "")},
		{"request_timeout", refuse("request_timeout"), outcome(dest.Retry, "request_timeout", ""), failed(dest.Unavailable, "request_timeout", "")},
		{"service_unavailable", refuse("service_unavailable"), failed(dest.Unavailable, "service_unavailable", ""), failed(dest.Unavailable, "service_unavailable", "")},
		{"status 503", html(503), outcome(dest.Unknown, "http_503", "503"), failed(dest.Unavailable, "http_503", "503")},
		{"dropped answer", sandbox.Fault{DropAfterCommit: true}, outcome(dest.Unknown, "no_answer", "no answer"), failed(dest.Unavailable, "no_answer", "no answer")},
		{"cut answer", sandbox.Fault{Status: 200, Body: `{"ok":true,"ts":"17`}, outcome(dest.Unknown, "no_answer", "cut off"), failed(dest.Unavailable, "no_answer", "cut off")},
		{"ok without ts", sandbox.Fault{Status: 200, Body: `{"ok":true}`}, outcome(dest.Unknown, "no_answer", "without a ts"), outcome(dest.Pending, "", "")},
		{"web page", html(200), failed(dest.Configuration, "not_slack", "check the url"), failed(dest.Configuration, "not_slack", "check the url")},
		{"other JSON", sandbox.Fault{Status: 200, Body: `{"status":"UP"}`}, failed(dest.Configuration, "not_slack", "check the url"), failed(dest.Configuration, "not_slack", "check the url")},
		{"plain text", sandbox.Fault{Status: 200, Body: `OK`}, failed(dest.Configuration, "not_slack", "check the url"), failed(dest.Configuration, "not_slack", "check the url")},
		{"status 404", html(404), failed(dest.Configuration, "http_404", "check the url"), failed(dest.Configuration, "http_404", "check the url")},
		{"redirect", sandbox.Fault{Status: 307, Headers: map[string]string{"Location": "/api/chat.postMessage"}},
			failed(dest.Configuration, "http_307", "redirect"), failed(dest.Configuration, "http_307", "redirect")},
		{"invalid_auth", refuse("invalid_auth"), failed(dest.Configuration, "invalid_auth", "bot token"), failed(dest.Configuration, "invalid_auth", "bot token")},
		{"token_revoked", refuse("token_revoked"), failed(dest.Configuration, "token_revoked", "install the app again"), failed(dest.Configuration, "token_revoked", "install the app again")},
		{"missing_scope", sandbox.Fault{Status: 200, Body: `{"ok":false,"error":"missing_scope","needed":"chat:write","provided":""}`},
			failed(dest.Configuration, "missing_scope", "the scope chat:write"), failed(dest.Configuration, "missing_scope", "the scope chat:write")},
		{"channel_not_found", refuse("channel_not_found"), failed(dest.Configuration, "channel_not_found", invite), failed(dest.Configuration, "channel_not_found", invite)},
		{"not_in_channel", refuse("not_in_channel"), failed(dest.Configuration, "not_in_channel", invite), failed(dest.Configuration, "not_in_channel", invite)},
		{"is_archived", refuse("is_archived"), failed(dest.Configuration, "is_archived", "archived"), failed(dest.Configuration, "is_archived", "archived")},
		{"msg_too_long", refuse("msg_too_long"), outcome(dest.Rejected, "msg_too_long", "shorten"), failed(dest.Configuration, "msg_too_long", "")},
		{"unheard of", refuse("spline_reticulation"), outcome(dest.Rejected, "spline_reticulation", "spline_reticulation"), failed(dest.Configuration, "spline_reticulation", "")},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.cfg.Definition.Slack.Channel = "C0ALERTS1"
			w.restart()
			b := dest.Batch{Run: "s.r1", Records: intend(alerts(1))}
			w.fault(c.fault)
			out, err := w.dest.Push(t.Context(), b, w.dest.Calls(b)[0])
			c.push.check(t, out, err)
			if got := w.sim.Core().Calls().Total; got != 1 {
				t.Errorf("%d requests, want 1", got)
			}
			w.fault(c.fault)
			out, err = w.dest.Lookup(t.Context(), b, w.dest.Lookups(b)[0])
			c.look.check(t, out, err)
		})
	}
}

// The simulator's own channels: one that the definition names is the sync's fault,
// one that a column names is the row's.
func TestChannels(t *testing.T) {
	for channel, code := range map[string]string{"#nowhere": "channel_not_found", "#old": "is_archived", "away": "not_in_channel"} {
		w := newWorld(t)
		rows := []dest.Record{rec("bad", channel, "hello"), rec("good", "", "hello")}
		out, err := w.deliver(dest.Batch{Run: "s.r1", Records: rows})
		if err != nil || out[1].Status != dest.Delivered {
			t.Fatalf("%s: another row suffers: %+v, %v", channel, out, err)
		}
		if o := out[0]; o.Status != dest.Rejected || o.Code != code || o.Field != "channel" {
			t.Errorf("%s in a column: %+v", channel, o)
		}
		w.cfg.Definition.Slack.Channel = channel
		w.restart()
		_, err = w.deliver(dest.Batch{Run: "s.r1", Records: alerts(1)})
		if ce := callError(t, err); ce.Class != dest.Configuration || ce.Code != code {
			t.Errorf("%s in the definition: %+v", channel, ce)
		}
		// The same before a digest, whose lookup comes first.
		digest := dest.Batch{Run: "s.r2", Total: map[string]int{channel: 50}, Records: []dest.Record{rec("bad", channel, "hello")}}
		if out, err := w.deliver(digest); err != nil || out[0].Status != dest.Rejected || out[0].Code != code {
			t.Errorf("%s in a column, digest: %+v, %v", channel, out, err)
		}
		digest.Records = alerts(1)
		_, err = w.deliver(digest)
		if ce := callError(t, err); ce.Class != dest.Configuration || ce.Code != code {
			t.Errorf("%s in the definition, digest: %+v", channel, ce)
		}
	}
}

func TestScopes(t *testing.T) {
	w := newWorld(t, func(s *sim.Config, _ *slack.Config) { s.Scopes = []string{"chat:write", "channels:read"} })
	_, err := w.deliver(dest.Batch{Run: "s.r1", Records: intend(alerts(1))})
	failed(dest.Configuration, "missing_scope", "the scope channels:history").check(t, nil, err)
}

// What is wrong with the connection itself is said before anything is sent.
func TestConnection(t *testing.T) {
	refused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused.Close()
	tls := httptest.NewUnstartedServer(http.NotFoundHandler())
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls.StartTLS()
	t.Cleanup(tls.Close)
	secret := func(m map[string]string, err error) func(*slack.Config) {
		return func(c *slack.Config) { c.Secret = func(context.Context) (map[string]string, error) { return m, err } }
	}
	address := func(u string) func(*slack.Config) { return func(c *slack.Config) { c.Connection.URL = u } }
	for name, c := range map[string]struct {
		change func(*slack.Config)
		want   result
	}{
		"no secret":       {secret(nil, errors.New("SLACK_PROD is not set")), failed(dest.Configuration, "no_token", `read the secret "slack_prod": SLACK_PROD is not set: store the app's bot token`)},
		"no token":        {secret(map[string]string{"key": "x"}, nil), failed(dest.Configuration, "no_token", "under the key token")},
		"no way to one":   {func(c *slack.Config) { c.Secret = nil }, failed(dest.Configuration, "no_token", "under the key token")},
		"secrets down":    {secret(nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}), failed(dest.Unavailable, "secret_unreadable", "refused")},
		"secrets slow":    {secret(nil, context.DeadlineExceeded), failed(dest.Unavailable, "secret_unreadable", "deadline")},
		"other secret":    {func(c *slack.Config) { c.Connection.Secret = "team/slack"; c.Secret = nil }, failed(dest.Configuration, "no_token", `"team/slack"`)},
		"unencrypted":     {address("http://slack.example/api/"), failed(dest.Configuration, "invalid_url", "use https")},
		"no address":      {address("slack"), failed(dest.Configuration, "invalid_url", "https://slack.com/api/")},
		"secret in url":   {address("https://user:xoxb-test@slack.example/"), failed(dest.Configuration, "invalid_url", "put the token into the secret")},
		"nobody there":    {address("http://" + refused.Addr().String()), failed(dest.Unavailable, "unreachable", "cannot be reached")},
		"bad certificate": {address(tls.URL), failed(dest.Configuration, "bad_certificate", "check the url")},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(_ *sim.Config, cfg *slack.Config) { c.change(cfg) })
			w.cfg.Definition.Slack.Channel = "C0ALERTS1"
			w.restart()
			b := dest.Batch{Run: "s.r1", Records: intend(alerts(1))}
			out, err := w.dest.Push(t.Context(), b, w.dest.Calls(b)[0])
			c.want.check(t, out, err)
			out, err = w.dest.Lookup(t.Context(), b, w.dest.Lookups(b)[0])
			c.want.check(t, out, err)
			if got := w.sim.Core().Calls().Total; got != 0 || w.dest.APICalls() != 0 {
				t.Errorf("%d requests arrived, %d were counted", got, w.dest.APICalls())
			}
		})
	}
}

// A deadline that passed before the request left has sent nothing.
func TestDeadline(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := dest.Batch{Run: "s.r1", Records: alerts(1)}
	_, err := w.dest.Push(ctx, b, w.dest.Calls(b)[0])
	failed(dest.Unavailable, "unreachable", "canceled").check(t, nil, err)
	if got := w.sim.Core().Calls().Total; got != 0 {
		t.Errorf("%d requests", got)
	}
}
