package salesforce

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
)

// CodeGone is the Code of a record whose remembered id no longer names one, under
// whichever of its names Salesforce said so: the pipeline forgets the id.
const CodeGone = "ENTITY_IS_DELETED"

// quotaPause is how long a used-up daily limit is waited for: it is a rolling
// window, so some of it comes back every hour, and Salesforce names no time.
const quotaPause = 15 * time.Minute

// transient are the codes of a record that may pass next time. UNKNOWN_EXCEPTION
// is the vendor's internal error.
var transient = []string{"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "QUERY_TIMEOUT", "REQUEST_RUNNING_TOO_LONG", "UNKNOWN_EXCEPTION", "REQUEST_LIMIT_EXCEEDED"}

// configured are the codes that no change of the row can mend.
var configured = []string{"INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE", "INVALID_TYPE", "NOT_FOUND", "API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED", "METHOD_NOT_ALLOWED"}

func isConfiguration(code string) bool {
	return slices.Contains(configured, code) || strings.HasPrefix(code, "INSUFFICIENT_ACCESS")
}

// A vendorError is one entry of either error array: records say statusCode, calls
// say errorCode.
type vendorError struct {
	code    string
	message string
	field   string
}

// classify turns an answer that is no success into a *dest.CallError, or, for a
// create that may have happened, a *lostError. nil is a JSON success.
func classify(op, method, path string, res *http.Response, body []byte) error {
	status := res.StatusCode
	switch {
	case status >= 500 && method == http.MethodPost && path == "composite/sobjects" && status != http.StatusServiceUnavailable:
		// A create that failed inside may have been committed; 503 is refused before.
		return &lostError{code: strconv.Itoa(status), cause: "Salesforce answered " + res.Status + " and may have created the records"}
	case status >= 500:
		return &dest.CallError{Op: op, Class: dest.Unavailable, Code: strconv.Itoa(status), Message: "Salesforce answers " + res.Status, After: retryAfter(res.Header)}
	case status >= 300 && status < 400:
		return &dest.CallError{Op: op, Class: dest.Configuration, Code: strconv.Itoa(status), Message: "Salesforce answers with a redirect: check the connection's url; it must be the organisation's My Domain address"}
	case status == http.StatusRequestEntityTooLarge, status == http.StatusRequestURITooLong, status == http.StatusRequestHeaderFieldsTooLarge:
		return &dest.CallError{Op: op, Class: dest.Refused, Code: strconv.Itoa(status), Message: "Salesforce finds the request too large"}
	case status == http.StatusTooManyRequests:
		return &dest.CallError{Op: op, Class: dest.Throttled, Code: "429", Message: "Salesforce asks to slow down", After: max(retryAfter(res.Header), time.Second)}
	}
	start := bytes.TrimLeft(body, " \t\r\n")
	if len(start) == 0 || start[0] != '{' && start[0] != '[' {
		return &dest.CallError{Op: op, Class: dest.Configuration, Code: "not_json", Message: "Salesforce " + notJSON(res, body)}
	}
	if status < 300 {
		return nil
	}
	errs := decodeErrors(jsontext.NewDecoder(bytes.NewBuffer(body)))
	if len(errs) == 0 {
		errs = []vendorError{{code: strconv.Itoa(status), message: res.Status}}
	}
	return callError(op, status, errs[0], retryAfter(res.Header))
}

// callError classes a whole call's error by its code.
func callError(op string, status int, e vendorError, after time.Duration) *dest.CallError {
	out := &dest.CallError{Op: op, Class: dest.Refused, Code: e.code, Message: e.code + ": " + e.message, After: after}
	switch {
	case e.code == "REQUEST_LIMIT_EXCEEDED" || e.code == "TOO_MANY_JOBS":
		out.Class = dest.Throttled
		out.Message += ": the organisation's API calls of the last 24 hours are used up"
		out.After = max(after, quotaPause)
	case slices.Contains(transient, e.code):
		out.Class = dest.Unavailable
	case e.code == "INVALID_FIELD":
		out.Class = dest.Configuration
		out.Message += ": create the field in Salesforce, correct its name in field_mappings, or give the integration user access to it"
	case e.code == "MALFORMED_QUERY":
		out.Class = dest.Configuration
	case isConfiguration(e.code) || status != http.StatusBadRequest:
		out.Class = dest.Configuration
		out.Message += ": check the object, the match field and the integration user's permissions"
	}
	return out
}

// notJSON describes an answer that is no JSON, without quoting it.
func notJSON(res *http.Response, body []byte) string {
	what := "something that is not JSON"
	if start := bytes.TrimLeft(body, " \t\r\n\ufeff"); len(start) > 0 && start[0] == '<' || strings.Contains(res.Header.Get("Content-Type"), "html") {
		what = "HTML, not JSON"
	}
	return fmt.Sprintf("answered %s (status %d): check the connection's url, and that no proxy or login page stands between", what, res.StatusCode)
}

// retryAfter reads the header in seconds; 0 when there is none.
func retryAfter(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(n) * time.Second
}

// remedies say how to mend a row, by Salesforce's code.
var remedies = map[string]string{
	"REQUIRED_FIELD_MISSING":                  "map the field, or give it a default",
	"STRING_TOO_LONG":                         "set max_length and on_too_long: truncate in field_mappings",
	"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "add the value to the picklist, or use data_type: picklist with values and default",
	"INVALID_EMAIL_ADDRESS":                   "correct the address, or use data_type: email to find it before",
	"NUMBER_OUTSIDE_VALID_RANGE":              "use min and max in field_mappings, or widen the field",
	"DUPLICATE_VALUE":                         "another record holds this value: merge the two",
	"DUPLICATES_DETECTED":                     "a duplicate rule of the organisation refuses the record",
	CodeGone:                                  "the record was deleted in Salesforce; it is matched anew next time",
}

// outcome turns a record's errors into its outcome.
func outcome(kind int, errs []vendorError) dest.Outcome {
	e := vendorError{code: "UNKNOWN", message: "Salesforce names no error"}
	if len(errs) > 0 {
		e = errs[0]
	}
	out := dest.Outcome{Status: dest.Rejected, Code: e.code, Field: e.field, Message: e.message}
	if kind == updateKind && e.field == "" && (e.code == "INVALID_CROSS_REFERENCE_KEY" || e.code == "NOT_FOUND") {
		out.Code = CodeGone
	}
	if slices.Contains(transient, e.code) {
		out.Status = dest.Retry
	}
	if e.code == "REQUEST_LIMIT_EXCEEDED" {
		out.After = quotaPause
	}
	if remedy := remedies[out.Code]; remedy != "" {
		out.Message += ": " + remedy
	}
	return out
}

// lostOutcomes answers a call that was sent and not answered. Updates and upserts
// are idempotent, so sending them again settles it; a create is not, and is
// looked for first.
func lostOutcomes(kind, n int, lost *lostError) []dest.Outcome {
	o := dest.Outcome{Status: dest.Retry, Code: lost.code, Message: lost.cause}
	if kind == createKind {
		o.Status = dest.Unknown
	}
	return slices.Repeat([]dest.Outcome{o}, n)
}
