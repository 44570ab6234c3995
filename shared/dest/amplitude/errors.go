package amplitude

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
)

// The codes: Amplitude's own names where it has any.
const (
	codeInvalidFields = "events_with_invalid_fields"
	codeMissingFields = "events_with_missing_fields"
	codeIDLengths     = "events_with_invalid_id_lengths"
	codeSilenced      = "silenced_events"
	codeThrottled     = "throttled_users"
	codeDay           = "exceeded_daily_quota_users"

	codeKey     = "invalid_api_key"
	codeUpdates = "updates_per_hour"
	codeRounds  = "too_many_refused"
)

// refusals say what an event is refused for, and what to do. Amplitude's own words
// are never passed on: they may quote the key or an id.
var refusals = map[string]string{
	codeInvalidFields: "Amplitude refuses a value of this event: correct it in the model",
	codeMissingFields: "Amplitude misses a field of this event: check that the row has a user id",
	codeIDLengths:     "Amplitude refuses the length of an id: give longer ids, or set amplitude: {min_id_length: 1} if they are right",
	codeSilenced:      "the project ignores this device: unblock it in Amplitude, or leave the row out of the model",
}

// judge reads an answer to events: an outcome for each one that it settles, nil for
// those that are to be sent again, or what failed as a whole.
func judge(op string, r *reply, events []event, now time.Time) ([]*dest.Outcome, *dest.CallError) {
	if failed := outage(op, r, now); failed != nil {
		return nil, failed
	}
	a, whole := read(r.body)
	switch {
	case r.status == http.StatusOK:
		if !whole || a.Code != http.StatusOK || a.Ingested == nil || *a.Ingested != int64(len(events)) {
			return nil, unreadable(op, r)
		}
		taken := make([]*dest.Outcome, len(events))
		for i := range events {
			o := delivered(events[i].record)
			taken[i] = &o
		}
		return taken, nil
	case r.status == http.StatusTooManyRequests:
		if named, some := a.tooMany(events); whole && some {
			return named, nil
		}
	case r.status == http.StatusBadRequest && whole && !a.request():
		if named, some := a.faulty(events); some {
			return named, nil
		}
	}
	failed := refused(op, r, a, whole, now)
	if tooLarge(r.status) && events[0].at == events[len(events)-1].at && r.sent < dest.SmallRequest {
		failed.Scope = dest.ScopeVersion // no smaller request can be made
	}
	return nil, failed
}

// judgeProbe reads an answer to a batch without events: any that is Amplitude's will
// do, but for one that refuses the key, the address or everybody.
func judgeProbe(op string, r *reply, now time.Time) *dest.CallError {
	if failed := outage(op, r, now); failed != nil {
		return failed
	}
	a, whole := read(r.body)
	switch {
	case r.status == http.StatusOK && (!whole || a.Code != http.StatusOK):
		return unreadable(op, r)
	case r.status == http.StatusOK, r.status == http.StatusBadRequest && whole && a.Error != "" && !a.request():
		return nil
	}
	failed := refused(op, r, a, whole, now)
	if failed.Class == dest.Refused || failed.Class == dest.Configuration {
		failed.Class, failed.Scope = dest.Configuration, dest.ScopeConnection
	}
	return failed
}

// request reports whether a 400 refuses whoever sends it, not what is sent.
func (a *answer) request() bool {
	return a.badKey() || strings.HasPrefix(a.Error, "Invalid request path")
}

func (a *answer) badKey() bool {
	return strings.HasPrefix(strings.ToLower(a.Error), "invalid api key") || a.Missing == "api_key"
}

// outage is the failure of an answer that is not Amplitude's word on the request; nil
// for the others.
func outage(op string, r *reply, now time.Time) *dest.CallError {
	e := &dest.CallError{Op: op, Code: strconv.Itoa(r.status), After: dest.RetryAfter(r.header, now)}
	switch {
	case r.status >= 500, r.status == http.StatusRequestTimeout:
		e.Class, e.Received, e.Message = dest.Unavailable, true, fmt.Sprintf("Amplitude answered %s", e.Code)
	case r.status/100 == 3:
		e.Class, e.Message = dest.Configuration, "Amplitude's address redirects elsewhere: correct the connection's url"
	case isPage(r.body):
		e.Class, e.Received = dest.Unavailable, r.status/100 == 2
		e.Message = fmt.Sprintf("something answered HTML (status %s) in Amplitude's place: check the connection's url", e.Code)
	case r.status/100 == 2 && r.status != http.StatusOK:
		return unreadable(op, r)
	default:
		return nil
	}
	return e
}

// refused is the failure of a request that Amplitude took nothing of; whole says that its
// answer could be read.
func refused(op string, r *reply, a answer, whole bool, now time.Time) *dest.CallError {
	e := &dest.CallError{Op: op, Class: dest.Refused, Code: strconv.Itoa(r.status), After: dest.RetryAfter(r.header, now)}
	switch {
	case a.badKey() || r.status == http.StatusUnauthorized:
		e.Class, e.Scope, e.Code = dest.Configuration, dest.ScopeConnection, codeKey
		e.Message = "Amplitude does not take the API key: store the project's under the key api_key of the connection's secret, and check the region"
	case a.request():
		e.Class, e.Scope, e.Message = dest.Configuration, dest.ScopeConnection, "Amplitude does not know the address: correct the connection's url, or leave it out"
	case r.status == http.StatusTooManyRequests:
		e.Class, e.Scope, e.Quota, e.Message = dest.Throttled, dest.ScopeConnection, dest.QuotaSecond, "Amplitude asks to slow down"
		e.After = max(e.After, afterThrottled)
	case tooLarge(r.status):
		e.Message = fmt.Sprintf("the call is too large for Amplitude (status %s)", e.Code)
	case r.status == http.StatusForbidden:
		e.Class, e.Message = dest.Configuration, "Amplitude's firewall refuses the call (status 403): this network or region is not allowed, or a value looks like an attack to it"
	case r.status == http.StatusNotFound || r.status == http.StatusMethodNotAllowed:
		e.Class, e.Message = dest.Configuration, fmt.Sprintf("Amplitude does not know the address (status %s): correct the connection's url, or leave it out", e.Code)
	case !whole:
		e.Class, e.Message = dest.Unavailable, fmt.Sprintf("what answered with status %s cannot be read as Amplitude's: check the connection's url, and that no proxy stands between", e.Code)
	case r.status == http.StatusBadRequest && a.Error != "":
		e.Message = fmt.Sprintf("Amplitude refused the call (status %s) and names no event", e.Code)
	default: // Amplitude documents no other, and says what it refuses
		e.Class, e.Message = dest.Configuration, fmt.Sprintf("Amplitude answers %s without saying why: check the connection's url, and that no proxy stands between", e.Code)
	}
	return e
}

// tooLarge reports whether a status is about a request's size.
func tooLarge(status int) bool {
	return status == http.StatusRequestEntityTooLarge || status == http.StatusRequestURITooLong || status == http.StatusRequestHeaderFieldsTooLarge
}

func unreadable(op string, r *reply) *dest.CallError {
	return &dest.CallError{Op: op, Class: dest.Unavailable, Code: "bad_answer", Received: true,
		Message: fmt.Sprintf("Amplitude's answer (status %d) does not say that all events were taken: check the connection's url", r.status)}
}

func badURL(op string) *dest.CallError {
	return &dest.CallError{Op: op, Class: dest.Configuration, Scope: dest.ScopeConnection, Code: "url", Message: "the connection's url makes no address"}
}
