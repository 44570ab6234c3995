package salesforce

import (
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// The API versions ("REST API Developer Guide", API End-of-Life): those of 7 to 30
// are retired, and answer 410.
const (
	retiredFrom = 7
	servedFrom  = 31
	servedTo    = 68 // Options.Version changes it
)

var dataPath = regexp.MustCompile(`^/services/data/v(\d{1,3})\.0(?:/(.*))?$`)

// served refuses a version that the organisation does not have.
func (s *Simulator) served(version string) *apiError {
	n, err := strconv.Atoi(version)
	switch {
	case err != nil || n < retiredFrom || n > s.opts.Version:
		return notFound()
	case n < servedFrom:
		return &apiError{status: http.StatusGone, code: "GONE", message: "The requested resource has been retired or removed. Delete or update any references to the resource."}
	}
	return nil
}

// serveVersions is GET /services/data, which wants no session.
func (s *Simulator) serveVersions(w http.ResponseWriter) {
	b := []byte{'['}
	for n := servedFrom; n <= s.opts.Version; n++ {
		if n > servedFrom {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `{"label":"Release %d","url":"/services/data/v%d.0","version":"%d.0"}`, n, n, n)
	}
	answer(w, http.StatusOK, append(b, ']'))
}

// readable refuses a body that is not said to be JSON.
func readable(r *http.Request) *apiError {
	if r.Method != http.MethodPost && r.Method != http.MethodPatch {
		return nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && kind == "application/json" {
		return nil
	}
	return &apiError{status: http.StatusUnsupportedMediaType, code: "UNSUPPORTED_MEDIA_TYPE", message: "MediaType of '" + kind + "' is not supported by this resource"}
}

// serveLimits is GET limits: the one that the simulator keeps.
func (s *Simulator) serveLimits(w http.ResponseWriter) {
	s.mu.Lock()
	used := s.usage.total(s.core.Now().Unix() / 3600)
	s.mu.Unlock()
	answer(w, http.StatusOK, fmt.Appendf(nil, `{"DailyApiRequests":{"Max":%d,"Remaining":%d}}`, s.opts.DailyLimit, s.opts.DailyLimit-used))
}

// serveIdentity is GET services/oauth2/userinfo and the token's id URL: which
// organisation and user the session is of.
func (s *Simulator) serveIdentity(w http.ResponseWriter, r *http.Request) {
	id, name := `{"sub":`, `,"preferred_username":`
	if strings.HasPrefix(r.URL.Path, "/id/") {
		id, name = `{"asserted_user":true,"id":`, `,"username":`
	}
	b := appendString([]byte(id), s.identity(r))
	b = appendString(append(b, `,"user_id":`...), userID)
	b = appendString(append(b, `,"organization_id":`...), s.opts.OrgID)
	b = appendString(append(b, name...), s.opts.Credentials.Username)
	answer(w, http.StatusOK, append(b, '}'))
}

// userID is the integration user.
const userID = "0055g0000000001AAA"

// identity is the id URL of a token's answer.
func (s *Simulator) identity(r *http.Request) string {
	return s.base(r) + "/id/" + s.opts.OrgID + "/" + userID
}
