package intercom

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
)

// A refusal is an error.list that is about what was sent ("HTTP Responses", Error
// objects). Its message is never passed on as it is: it may quote the row.
type refusal struct {
	status  int
	code    string
	message string
	field   string
	after   time.Duration
}

// Error implements error, for what makes a call on a record's behalf.
func (e *refusal) Error() string { return e.code }

// errorList is the body of an error; all members are optional.
type errorList struct {
	Type   string `json:"type"`
	Errors []struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Field   string `json:"field"`
	} `json:"errors"`
}

// judge sorts an answer by its status and code.
func (c *client) judge(op string, res *http.Response, body []byte) (*answer, error) {
	a := &answer{status: res.StatusCode, body: body, link: canonical(res.Header)}
	status := res.StatusCode
	if status/100 == 2 {
		return a, nil
	}
	var list errorList
	told := json.Unmarshal(body, &list) == nil && len(list.Errors) > 0
	r := &refusal{status: status, code: strconv.Itoa(status), after: c.after(res.Header, status)}
	if told {
		first := list.Errors[0]
		r.message, r.field = first.Message, dest.Code(first.Field)
		if code := dest.ErrorCode(first.Code); code != "" {
			r.code = code
		}
	}
	if failed := c.callError(op, res, body, r, told); failed != nil {
		return nil, failed
	}
	a.err = r
	return a, nil
}

// smallAddress is, in bytes, what no contact's address can be refused for by its size: an
// external id stands in it.
const smallAddress = 1 << 10

// callError is the failure of a whole call, nil where the answer is about what was
// sent.
func (c *client) callError(op string, res *http.Response, body []byte, r *refusal, told bool) *dest.CallError {
	e := &dest.CallError{Op: op, Code: r.code, After: r.after}
	status := r.status
	switch {
	case status/100 == 3:
		e.Class, e.Scope, e.Message = dest.Configuration, dest.ScopeConnection, "Intercom answers with a redirect, which is not followed: check the connection's url and region"
	case status >= 500, status == http.StatusRequestTimeout, told && transient[r.code]:
		e.Class, e.Received, e.Message = dest.Unavailable, true, fmt.Sprintf("Intercom answers %d (%s)", status, r.code)
	case status == http.StatusRequestEntityTooLarge, status == http.StatusRequestURITooLong, status == http.StatusRequestHeaderFieldsTooLarge:
		e.Class, e.Message = dest.Refused, fmt.Sprintf("Intercom finds the request too large (%d)", status)
		if res.Request.ContentLength < dest.SmallRequest && len(res.Request.URL.RequestURI()) < smallAddress {
			e.Scope = dest.ScopeVersion // no smaller request can be made
		}
	case status == http.StatusTooManyRequests && r.code == "too_many_requests":
		return nil // this resource's, not the app's
	case status == http.StatusTooManyRequests:
		e.Class, e.Scope, e.Quota = dest.Throttled, dest.ScopeConnection, dest.QuotaSecond
		e.Message = "the app's calls of these 10 seconds are used up: others use the same app, or the connection's calls_per_minute is above what Intercom allows it"
	case !told && plain(body):
		e.Class, e.Message = dest.Unavailable, c.notJSON(res, body)
	case status == http.StatusUnauthorized:
		c.forget()
		e.Class, e.Scope = dest.Configuration, dest.ScopeConnection
		e.Message = fmt.Sprintf("Intercom does not take the token (%s): store the access token of an app of this workspace in the secret of connection %s, and check that region is where the workspace is hosted", r.code, c.name)
	case status == http.StatusForbidden:
		e.Class = dest.Configuration
		if told && mayNot[r.code] {
			e.Scope = dest.ScopeVersion // other syncs may need other permissions
		}
		e.Message = fmt.Sprintf("Intercom forbids the call (%s): %s", r.code, forbidden(r.code))
	case status == http.StatusNotAcceptable, status == http.StatusUnsupportedMediaType, status == http.StatusMethodNotAllowed, r.code == "intercom_version_invalid":
		e.Class, e.Scope = dest.Configuration, dest.ScopeConnection
		e.Message = fmt.Sprintf("Intercom does not understand the request (%d %s): check the connection's url, and that no proxy changes headers", status, r.code)
	case !told:
		e.Class, e.Message = dest.Configuration, fmt.Sprintf("Intercom answers %d without saying why: check the connection's url", status)
	default:
		return nil
	}
	return e
}

// transient are the codes that stand for a failure inside Intercom under any status.
var transient = map[string]bool{
	"server_error": true, "request_timeout": true, "service_unavailable": true, "retry_after": true,
}

func forbidden(code string) string {
	if code == "api_plan_restricted" {
		return "the workspace's plan does not include it"
	}
	return "give the app the permissions to read and write users, leads and tags, and to read and write attributes (Developer Hub, Authentication), and install it again"
}

// maxReset is the longest wait for a window's end that is believed: a window has 10 seconds,
// and the rest is for clocks that differ.
const maxReset = 60 // seconds

// after is how long Intercom asks to wait: Retry-After, or, of a used up limit, until
// X-RateLimit-Reset (Unix seconds; "Rate Limiting").
func (c *client) after(h http.Header, status int) time.Duration {
	now := c.now()
	if h.Get("Retry-After") != "" {
		return dest.RetryAfter(h, now)
	}
	if reset, err := strconv.ParseInt(strings.TrimSpace(h.Get("X-RateLimit-Reset")), 10, 64); err == nil && status == http.StatusTooManyRequests {
		return time.Duration(min(max(reset-now.Unix(), 1), maxReset)) * time.Second
	}
	return 0
}

// canonicalLink is how a merged contact names the one that it became.
var canonicalLink = regexp.MustCompile(`<(?:[^>]*/)?contacts/([A-Za-z0-9_-]{1,64})>\s*;[^,]*rel="?canonical"?`)

// canonical is the id in the Link header, "" without one.
func canonical(h http.Header) string {
	for _, link := range h.Values("Link") {
		if m := canonicalLink.FindStringSubmatch(link); m != nil {
			return m[1]
		}
	}
	return ""
}

// unreadable is a 2xx that does not answer.
func (c *client) unreadable(op string, a *answer) *dest.CallError {
	message := "Intercom's answer is not whole"
	if plain(a.body) {
		message = c.notJSON(&http.Response{StatusCode: a.status}, a.body)
	}
	return &dest.CallError{Op: op, Class: dest.Unavailable, Code: "bad_answer", Received: true, Message: message}
}

// plain reports whether a body cannot be a JSON object.
func plain(body []byte) bool { return !bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) }

// notJSON describes an answer that is no JSON, without quoting it.
func (c *client) notJSON(res *http.Response, body []byte) string {
	what := "something that is no JSON object"
	switch trimmed := bytes.TrimSpace(body); {
	case len(trimmed) == 0:
		what = "nothing"
	case trimmed[0] == '<' || strings.Contains(res.Header.Get("Content-Type"), "html"):
		what = "HTML, not JSON"
	}
	return fmt.Sprintf("%s answered %s (status %d): check the connection's url, and that no proxy stands between", c.base, what, res.StatusCode)
}
