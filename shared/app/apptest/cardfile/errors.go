package cardfile

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
)

// judge says what a whole answer's failure is; nil for a 200.
func judge(op string, r *http.Response, body []byte, now time.Time) *dest.CallError {
	e := &dest.CallError{Op: op, Code: strconv.Itoa(r.StatusCode), After: dest.RetryAfter(r.Header, now)}
	switch {
	case r.StatusCode == http.StatusOK:
		return nil
	case r.StatusCode/100 == 3:
		e.Class, e.Message = dest.Configuration, "the card file redirects elsewhere: write the address that it redirects to into the connection's url"
	case r.StatusCode >= 500:
		e.Class, e.Received, e.Message = dest.Unavailable, true, fmt.Sprintf("the card file answered %s", e.Code)
	case html(body):
		e.Class, e.Message = dest.Unavailable, fmt.Sprintf("the card file answered HTML (status %s): check the connection's url", e.Code)
	case r.StatusCode == http.StatusUnauthorized:
		e.Class, e.Scope, e.Message = dest.Configuration, dest.ScopeConnection, "the card file does not take the token: store the right one in the connection's secret"
	case r.StatusCode == http.StatusTooManyRequests:
		e.Class, e.Scope, e.Quota, e.Message = dest.Throttled, dest.ScopeConnection, dest.QuotaSecond, "the card file's calls of a minute are used up"
	case r.StatusCode == http.StatusNotFound:
		e.Class, e.Scope, e.Message = dest.Configuration, dest.ScopeVersion, "there is no such drawer: correct cardfile.drawer"
	default:
		e.Class, e.Message = dest.Refused, fmt.Sprintf("the card file refused the call (status %s)", e.Code)
	}
	return e
}

// unreadable is a 200 that does not answer.
func unreadable(op string, body []byte, status int) *dest.CallError {
	what := "an answer that cannot be read"
	if html(body) {
		what = "HTML"
	}
	return &dest.CallError{Op: op, Class: dest.Unavailable, Code: "bad_answer", Received: true, Message: fmt.Sprintf("the card file answered %s (status %d): check the connection's url", what, status)}
}

func html(body []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) }

// refusals are the vendor's codes for one card, with what to do. Its own messages
// are never passed on: they quote the card.
var refusals = map[string]string{
	"too_long":   "a field is too long for a card: shorten it with max_length and on_too_long",
	"bad_colour": "a card has no such colour",
}

// outcome is what became of one card.
func outcome(r result) dest.Outcome {
	switch {
	case r.OK && r.ID != "":
		return dest.Outcome{Status: dest.Delivered, ID: r.ID, Created: r.Created}
	case r.Code == "locked":
		return dest.Outcome{Status: dest.Retry, Code: r.Code, Message: "somebody else writes this card"}
	}
	message, known := refusals[r.Code]
	if !known {
		message = "the card file refused this card"
	}
	return dest.Outcome{Status: dest.Rejected, Code: r.Code, Field: r.Field, Message: message}
}
