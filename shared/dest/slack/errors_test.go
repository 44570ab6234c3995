package slack_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
	sim "github.com/penstock-data/penstock/shared/sandbox/slack"
)

// A result is what Push or Lookup came to: a status, or a failed call.
type result struct {
	status   dest.Status
	failed   bool // the call as a whole
	class    dest.Class
	scope    dest.Scope
	quota    dest.Quota
	received bool
	code     string
	after    time.Duration
	remedy   string // a part of the message
}

func outcome(s dest.Status, code, remedy string) result {
	return result{status: s, code: code, remedy: remedy}
}

// unavailable, lost, connection, version and throttled are failed calls.
func unavailable(code, remedy string) result {
	return result{failed: true, class: dest.Unavailable, code: code, remedy: remedy}
}
func lost(code, remedy string) result {
	return result{failed: true, class: dest.Unavailable, received: true, code: code, remedy: remedy}
}
func connection(c dest.Class, code, remedy string) result {
	return result{failed: true, class: c, scope: dest.ScopeConnection, code: code, remedy: remedy}
}
func version(code, remedy string) result {
	return result{failed: true, class: dest.Configuration, scope: dest.ScopeVersion, code: code, remedy: remedy}
}
func throttled(code, remedy string, after time.Duration) result {
	return result{failed: true, class: dest.Throttled, scope: dest.ScopeConnection, quota: dest.QuotaSecond, code: code, remedy: remedy, after: after}
}

// check compares, and makes sure that neither the token nor the row is told.
func (r result) check(t *testing.T, out []dest.Outcome, err error) {
	t.Helper()
	var message string
	var got result
	if err != nil {
		ce := callError(t, err)
		message, got = ce.Error(), result{failed: true, class: ce.Class, scope: ce.Scope, quota: ce.Quota, received: ce.Received, code: ce.Code, after: ce.After}
	} else {
		message, got = out[0].Message, result{status: out[0].Status, code: out[0].Code, after: out[0].After}
	}
	got.remedy = r.remedy
	if got != r || !strings.Contains(message, r.remedy) {
		t.Errorf("got %+v %q, want %+v", got, message, r)
	}
	for _, told := range []string{"xoxb-test", "Company", "cust_"} {
		if strings.Contains(message, told) {
			t.Errorf("%s is in %q", told, message)
		}
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
	both := func(r result) [2]result { return [2]result{r, r} }
	cut := func(code, remedy string) [2]result { return [2]result{lost(code, remedy), unavailable(code, remedy)} }
	limited := func(after string) sandbox.Fault {
		return sandbox.Fault{Status: 429, Headers: map[string]string{"Retry-After": after}, Body: `{"ok":false,"error":"ratelimited"}`}
	}
	const (
		invite = "invite the bot to the channel: /invite @penstock"
		url    = "check the url"
	)
	for _, c := range []struct {
		name  string
		fault sandbox.Fault
		want  [2]result // push, lookup
	}{
		{"rate limit", limited("17"), both(throttled("ratelimited", "17s", 17*time.Second))},
		{"rate limit until a date", limited("Mon, 04 May 2026 10:01:30 GMT"), both(throttled("ratelimited", "1m30s", 90*time.Second))},
		{"rate limit until the past", limited("Mon, 04 May 2026 09:00:00 GMT"), both(throttled("ratelimited", "slow down", 0))},
		{"rate limit for a week", limited("604800"), both(throttled("ratelimited", "12h", 12*time.Hour))},
		{"rate limit for ever", limited("99999999999999999999"), both(throttled("ratelimited", "12h", 12*time.Hour))},
		{"rate limit of no number", limited("soon"), both(throttled("ratelimited", "slow down", 0))},
		{"rate limit below zero", limited("-5"), both(throttled("ratelimited", "slow down", 0))},
		{"rate limit without a time", sandbox.Fault{Status: 429}, both(throttled("ratelimited", "slow down", 0))},
		{"ratelimited", refuse("ratelimited"), both(throttled("ratelimited", "slow down", 0))},
		{"message_limit_exceeded", refuse("message_limit_exceeded"), both(connection(dest.Throttled, "message_limit_exceeded", "plan"))},
		{"internal_error", refuse("internal_error"), cut("internal_error", "")},
		{"fatal_error", refuse("fatal_error"), cut("fatal_error", "")},
		{"request_timeout", refuse("request_timeout"), cut("request_timeout", "")},
		{"service_unavailable", refuse("service_unavailable"), both(unavailable("service_unavailable", ""))},
		{"status 503", html(503), cut("http_503", "503")},
		{"status 500 with JSON", sandbox.Fault{Status: 500, Body: `{"ok":false,"error":"internal_error"}`}, cut("http_500", "500")},
		{"status 204", sandbox.Fault{Status: 204}, cut("http_204", "204")},
		{"dropped answer", sandbox.Fault{DropAfterCommit: true}, cut("no_answer", "closed")},
		{"cut answer", sandbox.Fault{Status: 200, Body: `{"ok":true,"ts":"17`}, cut("unreadable", "cut off")},
		{"empty answer", sandbox.Fault{Status: 200}, cut("not_slack", url)},
		{"ok and nothing else", sandbox.Fault{Status: 200, Body: `{"ok":true}`}, cut("unreadable", "without")},
		{"refusal without a code", sandbox.Fault{Status: 200, Body: `{"ok":false}`}, cut("unreadable", "without its error")},
		{"web page", html(200), cut("not_slack", "HTML")},
		{"other JSON", sandbox.Fault{Status: 200, Body: `{"status":"UP"}`}, cut("not_slack", url)},
		{"plain text", sandbox.Fault{Status: 200, Body: `OK`}, cut("not_slack", url)},
		{"status 404", html(404), both(result{failed: true, class: dest.Configuration, code: "http_404", remedy: "HTML"})},
		{"status 413", html(413), both(result{failed: true, class: dest.Refused, scope: dest.ScopeVersion, code: "http_413", remedy: "any proxy"})},
		{"status 414", html(414), both(result{failed: true, class: dest.Refused, scope: dest.ScopeVersion, code: "http_414", remedy: "any proxy"})},
		{"status 431", html(431), both(result{failed: true, class: dest.Refused, scope: dest.ScopeVersion, code: "http_431", remedy: "any proxy"})},
		{"status 401 with JSON", sandbox.Fault{Status: 401, Body: `{"ok":false,"error":"invalid_auth"}`}, both(connection(dest.Configuration, "invalid_auth", "bot token"))},
		{"redirect", sandbox.Fault{Status: 307, Headers: map[string]string{"Location": "/api/chat.postMessage"}}, both(connection(dest.Configuration, "http_307", "redirect"))},
		{"invalid_auth", refuse("invalid_auth"), both(connection(dest.Configuration, "invalid_auth", "bot token"))},
		{"token_revoked", refuse("token_revoked"), both(connection(dest.Configuration, "token_revoked", "install the app again"))},
		{"missing_scope", sandbox.Fault{Status: 200, Body: `{"ok":false,"error":"missing_scope","needed":"chat:write","provided":""}`},
			[2]result{connection(dest.Configuration, "missing_scope", "the scope chat:write"), version("missing_scope", "the scope chat:write")}},
		{"channel_not_found", refuse("channel_not_found"), both(version("channel_not_found", invite))},
		{"not_in_channel", refuse("not_in_channel"), both(version("not_in_channel", invite))},
		{"is_archived", refuse("is_archived"), both(version("is_archived", "archived"))},
		{"msg_too_long", refuse("msg_too_long"), [2]result{outcome(dest.Rejected, "msg_too_long", "shorten"), unavailable("msg_too_long", "")}},
		{"unheard of", refuse("spline_reticulation"), [2]result{outcome(dest.Rejected, "spline_reticulation", "spline_reticulation"), unavailable("spline_reticulation", "")}},
		{"a code of two lines", refuse(`a\nb`), [2]result{outcome(dest.Rejected, "unreadable_code", ""), unavailable("unreadable_code", "")}},
		{"an endless code", refuse(strings.Repeat("x", 81)), [2]result{outcome(dest.Rejected, "unreadable_code", ""), unavailable("unreadable_code", "")}},
		{"a code that quotes", refuse("bad text: Company 0"), [2]result{outcome(dest.Rejected, "unreadable_code", ""), unavailable("unreadable_code", "")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.opts.Channel = "C0ALERTS1"
			w.open()
			b := dest.Batch{Run: "s.r1", Records: intend(alerts(1))}
			w.fault(c.fault)
			out, err := w.dest.Push(t.Context(), b, w.dest.Calls(b, 0)[0])
			c.want[0].check(t, out, err)
			if got := w.sim.Core().Calls().Total; got != 1 {
				t.Errorf("%d requests, want 1", got)
			}
			w.fault(c.fault)
			out, err = w.dest.Lookup(t.Context(), b, w.dest.Lookups(b)[0])
			c.want[1].check(t, out, err)
		})
	}
}

// What answers in the name of Slack may say anything; none of it is repeated.
func TestEcho(t *testing.T) {
	for _, answer := range []string{
		"HTTP/1.1 200 OK\r\nCompany 0\r\n\r\n", "Company 0\r\n\r\n", "HTTP/1.1 Company 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: Company 0\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nCompany 0\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"ok\":true,\"Company\":0}", "",
	} {
		w := newWorld(t)
		w.opts.Channel = "C0ALERTS1"
		w.open()
		w.raw = &answer
		b := dest.Batch{Run: "s.r1", Records: alerts(1)}
		out, err := w.dest.Push(t.Context(), b, w.dest.Calls(b, 0)[0])
		lost("no_answer", "no answer").check(t, out, err)
	}
}

// An answer to a lookup that is not whole is no answer: nothing is "not found".
func TestUnwholeHistory(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":            `{"ok":true}`,
		"no messages":        `{"ok":true,"has_more":false}`,
		"null messages":      `{"ok":true,"messages":null,"has_more":false}`,
		"no has_more":        `{"ok":true,"messages":[]}`,
		"more, and no way":   `{"ok":true,"messages":[],"has_more":true}`,
		"more, empty cursor": `{"ok":true,"messages":[],"has_more":true,"response_metadata":{"next_cursor":""}}`,
		"message without ts": `{"ok":true,"messages":[{"type":"message"}],"has_more":false}`,
		"messages as object": `{"ok":true,"messages":{},"has_more":false}`,
		"an array":           `[]`,
		"a word":             `true`,
	} {
		w := newWorld(t)
		w.opts.Channel = "C0ALERTS1"
		w.open()
		b := dest.Batch{Run: "s.r1", Records: intend(alerts(1))}
		w.fault(sandbox.Fault{Match: "conversations.history", Status: 200, Body: body})
		out, err := w.dest.Lookup(t.Context(), b, w.dest.Lookups(b)[0])
		if ce := callError(t, err); ce.Class != dest.Unavailable || ce.Scope != dest.ScopeUntold || out != nil {
			t.Errorf("%s: %+v, %v", name, ce, out)
		}
	}
	for name, body := range map[string]string{"nothing": `{"ok":true}`, "channel without id": `{"ok":true,"channels":[{"name":"alerts"}]}`} {
		w := newWorld(t)
		b := dest.Batch{Run: "s.r1", Records: intend(alerts(1))}
		w.fault(sandbox.Fault{Match: "conversations.list", Status: 200, Body: body})
		_, err := w.dest.Lookup(t.Context(), b, w.dest.Lookups(b)[0])
		if ce := callError(t, err); ce.Class != dest.Unavailable {
			t.Errorf("list, %s: %+v", name, ce)
		}
	}
}

// The simulator's own channels: one that the definition names alone is the
// version's fault, one that a column names is the row's, and so is the definition's
// where other rows have channels of their own (I9).
func TestChannels(t *testing.T) {
	for channel, code := range map[string]string{"#nowhere": "channel_not_found", "#old": "is_archived", "away": "not_in_channel"} {
		w := newWorld(t)
		w.column()
		w.open()
		rejected := func(what string, o dest.Outcome, err error) {
			t.Helper()
			if err != nil || o.Status != dest.Rejected || o.Code != code || o.Field != "channel" {
				t.Errorf("%s %s: %+v, %v", channel, what, o, err)
			}
		}
		out, err := w.deliver(dest.Batch{Run: "s.r1", Records: []dest.Record{rec("bad", channel, "hello"), rec("good", "", "hello")}})
		rejected("in a column", out[0], err)
		if out[1].Status != dest.Delivered {
			t.Fatalf("%s: another row suffers: %+v", channel, out)
		}
		// The same before a digest, whose lookup comes first.
		out, err = w.deliver(dest.Batch{Run: "s.r2", Total: map[string]int{strings.TrimPrefix(channel, "#"): 50}, Records: []dest.Record{rec("bad", channel, "hello")}})
		rejected("in a column, digest", out[0], err)
		w.opts.Channel = channel
		w.open()
		out, err = w.deliver(dest.Batch{Run: "s.r1", Records: []dest.Record{rec("bad", "", "hello"), rec("good", "sales", "hello")}})
		rejected("in the definition, beside a column", out[0], err)
		if out[1].Status != dest.Delivered {
			t.Fatalf("%s: another row suffers: %+v", channel, out)
		}

		w = newWorld(t)
		w.opts.Channel = channel
		w.open()
		_, err = w.deliver(dest.Batch{Run: "s.r1", Records: alerts(1)})
		version(code, "").check(t, nil, err)
		_, err = w.deliver(dest.Batch{Run: "s.r2", Total: map[string]int{strings.TrimPrefix(channel, "#"): 50}, Records: alerts(1)})
		version(code, "").check(t, nil, err)
	}
}

// A scope that only some channels are read by is missed by these alone: by the version that
// has one channel, else by the rows that name one; the others are posted.
func TestScopes(t *testing.T) {
	for channel, c := range map[string]struct{ scopes, missing, free string }{
		"#alerts":   {"chat:write channels:read groups:history groups:read", "channels:history", "G0SECRET1"},
		"C0ALERTS1": {"chat:write groups:history", "channels:history", "G0SECRET1"},
		"#secret":   {"chat:write channels:read channels:history groups:read", "groups:history", "#alerts"},
		"G0SECRET1": {"chat:write channels:history", "groups:history", "C0ALERTS1"},
		"alerts":    {"chat:write channels:history", "channels:read", "C0ALERTS1"},
	} {
		w := newWorld(t, func(s *sim.Config, _ *world) { s.Scopes = strings.Fields(c.scopes) })
		w.opts.Channel = channel
		w.open()
		for _, b := range []dest.Batch{{Run: "s.r1", Records: intend(alerts(1))}, {Run: "s.r2", Total: map[string]int{strings.TrimPrefix(channel, "#"): 50}, Records: alerts(1)}} {
			_, err := w.deliver(b)
			version("missing_scope", "the scope "+c.missing).check(t, nil, err)
		}
		if err := w.acct.Probe(t.Context()); err != nil {
			t.Errorf("%s: %v", channel, err)
		}
		w.column()
		w.open()
		out, err := w.deliver(dest.Batch{Run: "s.r3", Records: intend([]dest.Record{rec("1", channel, "hello"), rec("2", c.free, "hello")})})
		if err != nil || out[0].Status != dest.Retry || out[0].Scope != dest.ScopeUntold || out[0].Code != "missing_scope" || out[0].Field != "channel" || !strings.Contains(out[0].Message, c.missing) || out[1].Status != dest.Delivered {
			t.Errorf("%s: %+v, %v", channel, out, err)
		}
	}
}

// A code that nobody knows is the row's, until three rows running have had one; a
// message that is accepted, or refused for a reason that is known, starts afresh.
func TestUnknownCodes(t *testing.T) {
	w := newWorld(t)
	row := func(id string, answer string) ([]dest.Outcome, error) {
		t.Helper()
		if answer != "" {
			w.fault(sandbox.Fault{Match: "chat.postMessage", Status: 200, Body: answer})
		}
		w.clock.pass(2 * time.Second)
		return w.deliver(dest.Batch{Run: "s.r1", Records: []dest.Record{rec(id, "", "hello")}})
	}
	odd := func(code string) string { return fmt.Sprintf(`{"ok":false,"error":%q}`, code) }
	theRows := func(id string) {
		t.Helper()
		out, err := row(id, odd("spline_"+id))
		outcome(dest.Rejected, "spline_"+id, "").check(t, out, err)
	}
	theRows("a")
	theRows("a") // the same row again
	theRows("a")
	theRows("b")
	if out, err := row("good", ""); err != nil || out[0].Status != dest.Delivered {
		t.Fatalf("%+v, %v", out, err)
	}
	theRows("c")
	theRows("d")
	if out, err := row("long", odd("msg_too_long")); err != nil || out[0].Status != dest.Rejected {
		t.Fatalf("%+v, %v", out, err)
	}
	theRows("e")
	theRows("f")
	for _, id := range []string{"g", "h", "e"} {
		out, err := row(id, odd("spline"))
		connection(dest.Configuration, "spline", "look it up").check(t, out, err)
	}
	w.open() // another sync of the connection has the same count
	w.def.Sync = "other"
	out, err := row("i", odd("spline"))
	connection(dest.Configuration, "spline", "look it up").check(t, out, err)
	if out, err := row("j", ""); err != nil || out[0].Status != dest.Delivered {
		t.Errorf("%+v, %v", out, err)
	}
	theRows("k")
}

// Every error that the page of chat.postMessage lists is known, and whose it is; those of
// a message are its row's however many come one after the other. Of a request's form it
// is not told.
func TestDocumentedCodes(t *testing.T) {
	for whose, codes := range map[string]string{
		"row": `attachment_payload_limit_exceeded cannot_reply_to_message draft_already_deleted draft_already_sent
			draft_has_conflict draft_not_found duplicate_channel_not_found duplicate_message_not_found invalid_arguments
			invalid_blocks invalid_blocks_format invalid_metadata_format invalid_metadata_schema markdown_text_conflict
			metadata_too_large missing_file_data msg_blocks_too_long msg_too_long no_text
			restricted_action_non_threadable_channel restricted_action_thread_locked slack_connect_canvas_sharing_blocked
			slack_connect_file_link_sharing_blocked slack_connect_lists_sharing_blocked too_many_attachments too_many_contact_cards`,
		"channel": `channel_not_found ekm_access_denied is_archived messages_tab_disabled no_permission not_in_channel
			restricted_action restricted_action_read_only_channel restricted_action_thread_only_channel team_not_found`,
		"connection": `access_denied accesslimited account_inactive as_user_not_supported deprecated_endpoint
			enterprise_is_restricted invalid_auth message_limit_exceeded metadata_must_be_sent_from_app method_deprecated
			missing_scope not_allowed_token_type not_authed org_login_required rate_limited ratelimited
			team_access_not_granted token_expired token_revoked two_factor_setup_required`,
		"nobody":  "fatal_error internal_error request_timeout service_unavailable team_added_to_org",
		"unknown": `invalid_arg_name invalid_array_arg invalid_charset invalid_form_data invalid_post_type missing_post_type`,
	} {
		for code := range strings.FieldsSeq(codes) {
			w := newWorld(t)
			var got [3]string
			for i := range got {
				w.fault(sandbox.Fault{Match: "chat.postMessage", Status: 200, Body: fmt.Sprintf(`{"ok":false,"error":%q}`, code)})
				w.clock.pass(2 * time.Second)
				out, err := w.deliver(dest.Batch{Run: "s.r1", Records: []dest.Record{rec(fmt.Sprint(i), "", "hello")}})
				if err == nil {
					got[i] = map[dest.Status]string{dest.Rejected: "row", dest.Delivered: "delivered"}[out[0].Status]
				} else {
					got[i] = map[dest.Scope]string{dest.ScopeVersion: "channel", dest.ScopeConnection: "connection", dest.ScopeUntold: "nobody"}[callError(t, err).Scope]
				}
			}
			want := [3]string{whose, whose, whose}
			if whose == "unknown" {
				want = [3]string{"row", "row", "connection"}
			}
			if got != want {
				t.Errorf("%s: %v, want %v", code, got, want)
			}
		}
	}
}

// A deadline that passed before the request left has sent nothing.
func TestDeadline(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := dest.Batch{Run: "s.r1", Records: intend(alerts(1))}
	if _, err := w.dest.Push(ctx, b, w.dest.Calls(b, 0)[0]); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := w.dest.Lookup(ctx, b, w.dest.Lookups(b)[0]); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := w.acct.Probe(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if got := w.sim.Core().Calls().Total; got != 0 {
		t.Errorf("%d requests", got)
	}
}

// A deadline that passes while the answer is awaited may have sent the message.
func TestDeadlineInFlight(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.before = func(r *http.Request) {
		cancel()
		<-r.Context().Done() // no answer before the caller has gone
	}
	b := dest.Batch{Run: "s.r1", Records: alerts(1)}
	_, err := w.dest.Push(ctx, b, w.dest.Calls(b, 0)[0])
	lost("no_answer", "cancelled").check(t, nil, err)
}
