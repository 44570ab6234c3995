package salesforce

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
)

const (
	// maxAfter is how far a Retry-After is believed: no message can be hidden longer.
	maxAfter = 12 * time.Hour
	// smallBody is what no single record's request can be refused for by its size.
	smallBody = 8 << 10
)

// errTooLong is an answer that is longer than any can be.
var errTooLong = fmt.Errorf("the answer is over %d MiB", maxAnswer>>20)

// classify turns an answer that is no success into a *dest.CallError; nil is an
// answer with status 2xx, which whoever asked reads.
func classify(r request, res *http.Response, body []byte, now time.Time) error {
	status := res.StatusCode
	e := &dest.CallError{Op: r.op, Code: strconv.Itoa(status), After: retryAfter(res.Header, now)}
	errs := readErrors(body)
	switch {
	case status < 300 && plain(body):
		return unreadable(r.op, errors.New("Salesforce "+notJSON(res, body)))
	case status < 300:
		return nil
	case status >= 500:
		e.Class, e.Received = dest.Unavailable, true
		e.Message = "Salesforce answers " + res.Status
		if len(errs) > 0 {
			e.Code, e.Message = errs[0].code, e.Message+": "+errs[0].text()
		}
	case status < 400:
		e.Class, e.Scope = dest.Configuration, dest.ScopeConnection
		e.Message = "Salesforce answers with a redirect: check the connection's url; it must be the organisation's My Domain address"
	case status == http.StatusRequestEntityTooLarge, status == http.StatusRequestURITooLong, status == http.StatusRequestHeaderFieldsTooLarge:
		e.Class, e.Message = dest.Refused, "Salesforce finds the request too large (status "+e.Code+")"
		if r.records == 1 && len(r.body) < smallBody {
			e.Scope = dest.ScopeVersion // no smaller request can be made
		}
	case len(errs) == 0 && status == http.StatusTooManyRequests:
		e.Class, e.Scope, e.Message = dest.Throttled, dest.ScopeConnection, "Salesforce asks to slow down"
	case len(errs) == 0 && plain(body):
		e.Class, e.Message = dest.Unavailable, "Salesforce "+notJSON(res, body)
	case len(errs) == 0:
		return callError(r, status, vendorError{code: e.Code, message: res.Status}, e.After)
	default:
		return callError(r, status, errs[0], e.After)
	}
	return e
}

// plain reports whether a body cannot be a JSON object or array.
func plain(body []byte) bool {
	start := strings.TrimLeft(string(body[:min(len(body), 64)]), " \t\r\n")
	return start == "" || start[0] != '{' && start[0] != '['
}

// callError classes a whole call's error by its code.
func callError(r request, status int, e vendorError, after time.Duration) *dest.CallError {
	code := e.code
	if strings.HasPrefix(code, "INSUFFICIENT_ACCESS") {
		code = "INSUFFICIENT_ACCESS"
	}
	// Only an upsert's address names an object; another's that is not found is the
	// API version's.
	resource := strings.HasPrefix(r.path, "composite/sobjects/")
	v, known := verdicts[code]
	if !known || code == "NOT_FOUND" && !resource {
		v = byStatus(status, resource)
	}
	out := &dest.CallError{Op: r.op, Class: v.class, Scope: v.scope, Code: e.code, Message: e.code + ": " + masked(e.message), After: after}
	if v.class == dest.Throttled {
		out.Quota, v.remedy = quota(e)
	}
	out.Received = v.class == dest.Unavailable
	if v.remedy != "" {
		out.Message += ": " + v.remedy
	}
	return out
}

// sessionRefused is a session that ends as soon as it is made.
func sessionRefused(op string) error {
	return &dest.CallError{Op: op, Class: dest.Configuration, Scope: dest.ScopeConnection, Code: "INVALID_SESSION_ID",
		Message: "Salesforce refuses the session right after a login: check that the External Client App's user may use the API (permission API Enabled) and that the app's IP rules admit this host"}
}

// unreadable is a 2xx answer that does not say what became of the call.
func unreadable(op string, cause error) error {
	var known *dest.CallError
	if errors.As(cause, &known) {
		return cause
	}
	return &dest.CallError{Op: op, Class: dest.Unavailable, Code: "bad_answer", Received: true, Message: "Salesforce's answer cannot be read: " + cause.Error()}
}

// unanswered tells a request that never left, which is the connection's failure,
// from one whose answer is missing.
func (c *client) unanswered(ctx context.Context, op string, sent bool, err error) error {
	if misdirected := dest.Misdirected(op, c.conn.Name, err); misdirected != nil {
		return misdirected
	}
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err // without the address
	}
	switch {
	case sent:
		return &dest.CallError{Op: op, Class: dest.Unavailable, Code: "no_answer", Received: true, Message: "sent, but no answer came: " + breach(err)}
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return &dest.CallError{Op: op, Class: dest.Unavailable, Scope: dest.ScopeConnection, Code: "network", Message: "Salesforce cannot be reached: " + err.Error()}
}

// breach says how a request that left lost its answer, in words of this package or of
// the system: what net/http cannot read it quotes, and that may be a row's (I6).
func breach(err error) string {
	var network *net.OpError
	switch {
	case errors.Is(err, errTooLong), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return err.Error()
	case errors.As(err, &network):
		return network.Error()
	}
	return "the connection broke, or what came is no HTTP"
}

// notJSON describes an answer that is no JSON, without quoting it.
func notJSON(res *http.Response, body []byte) string {
	what := "something that is not JSON"
	if start := strings.TrimLeft(string(body[:min(len(body), 64)]), " \t\r\n\ufeff"); start == "" {
		what = "nothing"
	} else if start[0] == '<' || strings.Contains(res.Header.Get("Content-Type"), "html") {
		what = "HTML, not JSON"
	}
	return fmt.Sprintf("answered %s (status %d): check the connection's url, and that no proxy or login page stands between", what, res.StatusCode)
}

// retryAfter reads the header, in seconds or as a date; 0 when there is none, or
// when its time has passed.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), maxAfter)
	}
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n > int(maxAfter/time.Second) {
		return maxAfter
	}
	return time.Duration(n) * time.Second
}

// asCallError is the *dest.CallError in an error, nil when there is none.
func asCallError(err error) *dest.CallError {
	var call *dest.CallError
	if errors.As(err, &call) {
		return call
	}
	return nil
}
