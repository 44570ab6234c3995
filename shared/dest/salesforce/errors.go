package salesforce

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
)

// classify turns an answer that is no success into a *dest.CallError; nil is an
// answer with status 2xx, which whoever asked reads.
func classify(r request, res *http.Response, body []byte, now time.Time) error {
	status := res.StatusCode
	e := &dest.CallError{Op: r.op, Code: strconv.Itoa(status), After: dest.RetryAfter(res.Header, now)}
	if status < 300 {
		if plain(body) {
			return unreadable(r.op, errors.New("Salesforce "+notJSON(res, body)))
		}
		return nil
	}
	errs := readErrors(body)
	switch {
	case status >= 500, status == http.StatusRequestTimeout:
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
		if r.records == 1 && len(r.body) < dest.SmallRequest {
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
	// Only an upsert's and a describe's address names an object; another's that is not found is the
	// API version's.
	resource := strings.HasPrefix(r.path, "composite/sobjects/") || strings.HasPrefix(r.path, "sobjects/")
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

// asCallError is the *dest.CallError in an error, nil when there is none.
func asCallError(err error) *dest.CallError {
	var call *dest.CallError
	if errors.As(err, &call) {
		return call
	}
	return nil
}
