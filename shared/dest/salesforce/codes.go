package salesforce

import (
	"net/http"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/dest"
)

// A vendorError is one entry of either error array: records say statusCode, calls
// say errorCode.
type vendorError struct {
	code    string
	message string
	field   string // the first one named
}

// text is an error for people, with its code.
func (e vendorError) text() string {
	return strings.TrimPrefix(e.code+": "+masked(e.message), ": ")
}

// transient reports whether a record's error may pass: by its code, or because a
// trigger, whose own code hides it, met a locked row. A value that is quoted says nothing.
func (e vendorError) transient() bool {
	codes := []string{"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "QUERY_TIMEOUT", "REQUEST_RUNNING_TOO_LONG", "UNKNOWN_EXCEPTION", "REQUEST_LIMIT_EXCEEDED"}
	return slices.Contains(codes, e.code) || strings.Contains(masked(e.message), "UNABLE_TO_LOCK_ROW")
}

// A verdict is what a code means that fails a whole call.
type verdict struct {
	class  dest.Class
	scope  dest.Scope
	remedy string
}

const (
	remedyRights = "check the object, the match field and the integration user's permissions on them"
	remedyAPI    = "check that the organisation and the integration user may use the API (permission API Enabled), and the External Client App's policies"
)

// verdicts are the codes of "REST API Developer Guide", Status Codes and Error
// Responses, and of "SOAP API Developer Guide", ExceptionCode. Which kind each
// belongs to is a judgement.
var verdicts = map[string]verdict{
	"INVALID_FIELD":                   {dest.Configuration, dest.ScopeVersion, "create the field in Salesforce, correct its name in field_mappings or match, or give the integration user access to it"},
	"INVALID_FIELD_FOR_INSERT_UPDATE": {dest.Configuration, dest.ScopeVersion, remedyRights},
	"INVALID_TYPE":                    {dest.Configuration, dest.ScopeVersion, remedyRights},
	"INVALID_QUERY_FILTER_OPERATOR":   {dest.Configuration, dest.ScopeVersion, "match by a field that can be filtered: no long text, and no encrypted field"},
	"NOT_FOUND":                       {dest.Configuration, dest.ScopeVersion, remedyRights},
	"METHOD_NOT_ALLOWED":              {dest.Configuration, dest.ScopeVersion, remedyRights},
	"INSUFFICIENT_ACCESS":             {dest.Configuration, dest.ScopeVersion, remedyRights},
	"API_DISABLED_FOR_ORG":            {dest.Configuration, dest.ScopeConnection, remedyAPI},
	"API_CURRENTLY_DISABLED":          {dest.Configuration, dest.ScopeConnection, remedyAPI},
	"INVALID_LOGIN":                   {dest.Configuration, dest.ScopeConnection, "check the connection's secret"},
	"INVALID_SESSION_ID":              {dest.Configuration, dest.ScopeConnection, remedyAPI},
	"CLIENT_NOT_ACCESSIBLE_FOR_USER":  {dest.Configuration, dest.ScopeConnection, remedyAPI},
	"ORG_LOCKED":                      {dest.Configuration, dest.ScopeConnection, remedyAPI},
	"UNSUPPORTED_API_VERSION":         {dest.Configuration, dest.ScopeConnection, "set the connection's api_version to one that the organisation has"},
	"REQUEST_LIMIT_EXCEEDED":          {dest.Throttled, dest.ScopeConnection, ""}, // quota says which
	"TOO_MANY_JOBS":                   {dest.Throttled, dest.ScopeConnection, ""},
	"SERVER_UNAVAILABLE":              {dest.Unavailable, dest.ScopeUntold, ""},
	"UNKNOWN_EXCEPTION":               {dest.Unavailable, dest.ScopeUntold, ""},
	"QUERY_TIMEOUT":                   {dest.Unavailable, dest.ScopeUntold, ""},
	"REQUEST_RUNNING_TOO_LONG":        {dest.Unavailable, dest.ScopeUntold, ""},
	"INVALID_QUERY_LOCATOR":           {dest.Unavailable, dest.ScopeUntold, ""},
	"UNABLE_TO_LOCK_ROW":              {dest.Unavailable, dest.ScopeUntold, ""},
}

// byStatus judges codes that are not known.
func byStatus(status int, resource bool) verdict {
	switch {
	case status == http.StatusTooManyRequests || status == 420:
		return verdict{dest.Throttled, dest.ScopeConnection, ""}
	case status == http.StatusGone:
		return verdict{dest.Configuration, dest.ScopeConnection, "set the connection's api_version to one that the organisation has"}
	case status == http.StatusNotFound && !resource:
		return verdict{dest.Configuration, dest.ScopeConnection, "check the connection's url and api_version"}
	case status == http.StatusNotFound || status == http.StatusMethodNotAllowed:
		return verdict{dest.Configuration, dest.ScopeVersion, remedyRights}
	case status == http.StatusForbidden:
		return verdict{dest.Configuration, dest.ScopeUntold, remedyRights}
	}
	return verdict{dest.Refused, dest.ScopeUntold, ""}
}

// quota tells which limit a call met: the code is one for all of them, and the
// message names it (ConcurrentRequests, ConcurrentPerOrgLongTxn, TotalRequests).
func quota(e vendorError) (dest.Quota, string) {
	switch text := strings.ToLower(e.message); {
	case strings.Contains(text, "concurrent"):
		return dest.QuotaConcurrent, "the organisation has too many long calls in flight"
	case e.code == "REQUEST_LIMIT_EXCEEDED":
		return dest.QuotaDay, "the organisation's API calls of the last 24 hours are used up"
	}
	return dest.QuotaUntold, "Salesforce asks to slow down"
}
