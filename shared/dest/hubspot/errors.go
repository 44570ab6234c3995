package hubspot

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
)

// lockedFor is the least that HubSpot asks for when a record or an account is locked. The
// answer does not tell which: a probe does.
const lockedFor = 2 * time.Second

// HubSpot's own statuses ("Handling API errors").
const (
	statusLocked    = http.StatusLocked
	statusMigrating = 477
)

// judge turns an answer that fails a whole call into a *dest.CallError; nil is a JSON
// object with status 2xx that does not say that it is an error.
func judge(r request, got answer, now time.Time) *dest.CallError {
	said, ok := readBody(got.body)
	switch status := got.status; {
	case status/100 == 2 && !ok:
		return unreadable(r.op, got, "it is no JSON object")
	case status/100 == 2 && said.Status != "error":
		return nil
	}
	code := r.told(string(said.Category))
	if code == "" {
		code = strconv.Itoa(got.status)
	}
	e := &dest.CallError{Op: r.op, Code: code, After: dest.RetryAfter(got.header, now)}
	switch status := got.status; {
	case status == http.StatusTooManyRequests || status/100 == 2 && strings.HasPrefix(string(said.Category), "RATE_LIMIT"):
		throttled(e, said, got.header, &r)
	case status == statusMigrating:
		e.Class, e.Scope, e.Code = dest.Unavailable, dest.ScopeConnection, strconv.Itoa(status)
		e.Message = "HubSpot is moving the account to another place, which takes up to 24 hours"
	case status == statusLocked:
		e.Class, e.Code = dest.Unavailable, strconv.Itoa(status)
		e.After, e.Message = max(e.After, lockedFor), "HubSpot has locked what the call writes to, for a moment"
	case status >= 500, status == http.StatusRequestTimeout:
		e.Class, e.Received, e.Code, e.Message = dest.Unavailable, true, strconv.Itoa(status), fmt.Sprintf("HubSpot answers with status %d", status)
	case status/100 == 3:
		e.Class, e.Scope = dest.Configuration, dest.ScopeConnection
		e.Message = "HubSpot answers with a redirect: check the connection's url; leave it out for " + standardURL
	case status == http.StatusRequestEntityTooLarge, status == http.StatusRequestURITooLong, status == http.StatusRequestHeaderFieldsTooLarge:
		e.Class, e.Message = dest.Refused, fmt.Sprintf("HubSpot finds the call too large (status %d)", status)
		if r.records == 1 && len(r.body) < dest.SmallRequest && !(ok && status == http.StatusRequestURITooLong) { // HubSpot's own 414 counts a record's identities
			e.Scope = dest.ScopeVersion // no smaller request can be made
		}
	case status == http.StatusProxyAuthRequired:
		e.Class, e.Message = dest.Configuration, "something between asks for credentials of its own (status 407): check the connection's url and any proxy"
	case !ok:
		e.Class, e.Message = dest.Unavailable, "HubSpot "+notJSON(got)
	case status == http.StatusUnauthorized:
		e.Class, e.Scope = dest.Configuration, dest.ScopeConnection
		e.Message = "HubSpot does not take the token: store a Service Key of the account in the connection's secret"
	case status == http.StatusForbidden:
		forbidden(e, said, &r)
	default:
		refused(e, said, &r, status)
	}
	return e
}

// throttled tells the limits apart: the answer names the policy, and its header the
// window where it asks for no time.
func throttled(e *dest.CallError, said body, h http.Header, r *request) {
	policy := strings.ToUpper(string(said.Policy))
	e.Class, e.Scope, e.Quota = dest.Throttled, dest.ScopeConnection, dest.QuotaUntold
	switch {
	case strings.Contains(policy, "DAILY"):
		e.Quota, e.Message = dest.QuotaDay, "the account's HubSpot calls of the day are used up"
	case strings.Contains(policy, "SECOND"):
		e.Quota, e.Message = dest.QuotaSecond, "the account's HubSpot calls of some seconds are used up"
	case strings.Contains(policy, "CONCURRENT"):
		e.Quota, e.Message = dest.QuotaConcurrent, "HubSpot has too many calls of the account at once"
	default:
		e.Quota, e.Message = dest.QuotaSecond, "HubSpot asks to slow down"
	}
	if policy = r.told(policy); policy != "" {
		e.Code = policy
	}
	if ms, err := strconv.Atoi(h.Get("X-HubSpot-RateLimit-Interval-Milliseconds")); e.After == 0 && e.Quota == dest.QuotaSecond && err == nil && ms > 0 && ms <= 60_000 {
		e.After = time.Duration(ms) * time.Millisecond
	}
}

// forbidden is what the key may not do; the scopes that it lacks are named.
func forbidden(e *dest.CallError, said body, r *request) {
	e.Class, e.Message = dest.Configuration, "the Service Key may not do this: give it the scopes that the sync needs"
	var scopes []string
	for _, name := range []string{"requiredScopes", "missingScopes", "requiredGranularScopes"} {
		for _, s := range said.whole().everywhere(name) {
			if s := r.told(string(s)); s != "" && len(scopes) < 10 {
				scopes = append(scopes, s)
			}
		}
	}
	if len(scopes) > 0 {
		e.Message = "the Service Key lacks a scope: give it " + strings.Join(scopes, ", ")
	}
	if said.Category == missingScopes && r.object {
		e.Scope = dest.ScopeVersion
	}
}

// refused is a call that was judged by its content: the version's where any record of
// it would meet the same, else to be halved.
func refused(e *dest.CallError, said body, r *request, status int) {
	whole := said.whole()
	switch {
	case r.object && noObject(string(said.Message)), r.object && status == http.StatusNotFound && said.Category == "":
		e.Class, e.Scope = dest.Configuration, dest.ScopeVersion
		e.Message = "HubSpot has no such object: correct destination_object, or give the Service Key its scopes"
		return
	case notUnique(string(said.Message)):
		e.Class, e.Scope, e.Code = dest.Configuration, dest.ScopeVersion, "NOT_UNIQUE"
		e.Message = "the match property has no unique values: match by email, or by a property that was created with unique values"
		return
	}
	if whole.silent() && said.Correlation == "" { // HubSpot's own names its request
		e.Class, e.Message = dest.Configuration, fmt.Sprintf("HubSpot answers %d without saying why: check the connection's url, and that no proxy stands between", status)
		return
	}
	e.Class, e.Message = dest.Refused, fmt.Sprintf("HubSpot refuses the call (status %d)", status)
	for _, d := range whole.details() {
		if d = d.discreet(r.holds); d.configuration() {
			e.Class, e.Scope, e.Code = dest.Configuration, dest.ScopeVersion, d.code
			e.Message = d.message()
			return
		}
	}
	if d := whole.detail().discreet(r.holds); d.code != "" {
		e.Code, e.Message = d.code, d.message()
	}
}

// noObject reports whether a message says that the path's object is not known.
func noObject(message string) bool {
	return strings.HasPrefix(message, "Unable to infer object type")
}

// notUnique reports whether a message says that records cannot be named by the property.
// Only how a message begins is the vendor's: further on it may quote a row.
func notUnique(message string) bool {
	return strings.HasPrefix(message, "Unable to perform update/upsert by non-unique ")
}

// unreadable is a 2xx answer that does not say what became of the call.
func unreadable(op string, got answer, why string) *dest.CallError {
	if plain(got.body) {
		why = "HubSpot " + notJSON(got)
	} else {
		why = "HubSpot's answer cannot be read: " + why
	}
	return &dest.CallError{Op: op, Class: dest.Unavailable, Code: "bad_answer", Received: true, Message: why}
}

// plain reports whether a body cannot be a JSON object.
func plain(b []byte) bool {
	start := strings.TrimLeft(string(b[:min(len(b), 64)]), " \t\r\n")
	return start == "" || start[0] != '{'
}

// notJSON describes an answer that is no JSON object, without quoting it.
func notJSON(got answer) string {
	what := "something that is no JSON object"
	if start := strings.TrimLeft(string(got.body[:min(len(got.body), 64)]), " \t\r\n\ufeff"); start == "" {
		what = "nothing"
	} else if start[0] == '<' || strings.Contains(got.header.Get("Content-Type"), "html") {
		what = "HTML, not JSON"
	}
	return fmt.Sprintf("answered %s (status %d): check the connection's url, and that no proxy or login page stands between", what, got.status)
}

// embedded are the property errors that a message quotes as JSON: Property values were
// not valid: [{"isValid":false,"message":"...","error":"INVALID_OPTION","name":"prop"}].
func embedded(message string) []detail {
	quoted, ok := strings.CutPrefix(message, "Property values were not valid: ")
	if !ok {
		return nil
	}
	var list []struct {
		Error text `json:"error"`
		Name  text `json:"name"`
	}
	if json.NewDecoder(strings.NewReader(quoted)).Decode(&list) != nil {
		return nil
	}
	var out []detail
	for _, one := range list {
		out = append(out, newDetail(string(one.Error), string(one.Name)))
	}
	return out
}

// asCallError is the *dest.CallError in an error, nil when there is none.
func asCallError(err error) *dest.CallError {
	call, _ := errors.AsType[*dest.CallError](err)
	return call
}
