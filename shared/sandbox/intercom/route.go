package intercom

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/sandbox"
)

// window is the length of a rate limit's window.
const window = 10 * time.Second

// A failure is an answer that refuses.
type failure struct {
	status  int
	code    string
	message string
	field   string
	link    string // id of the contact that a merged one became
}

func (f *failure) Error() string { return f.code + ": " + f.message }

func fail(status int, code, format string, args ...any) *failure {
	return &failure{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) *failure {
	return fail(http.StatusBadRequest, "parameter_invalid", format, args...)
}

var notFound = fail(http.StatusNotFound, "not_found", "User Not Found")

// A method answers one resource; what it returns becomes JSON.
type method func(r *http.Request) (any, error)

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, m := range map[string]method{
		"GET /me":                          s.me,
		"GET /contacts":                    s.listContacts,
		"POST /contacts":                   s.createContact,
		"POST /contacts/search":            s.searchContacts,
		"POST /contacts/merge":             s.mergeContacts,
		"GET /contacts/{id}":               s.readContact,
		"PUT /contacts/{id}":               s.updateContact,
		"DELETE /contacts/{id}":            s.deleteContact,
		"POST /contacts/{id}/archive":      s.archiveContact,
		"POST /contacts/{id}/unarchive":    s.unarchiveContact,
		"POST /contacts/{id}/block":        s.blockContact,
		"GET /contacts/{id}/{part}":        s.partOfContact,
		"POST /contacts/{id}/tags":         s.tagContact,
		"DELETE /contacts/{id}/tags/{tag}": s.untagContact,
		"GET /tags":                        s.listTags,
		"POST /tags":                       s.createTag,
		"GET /tags/{tag}":                  s.readTag,
		"DELETE /tags/{tag}":               s.deleteTag,
		"GET /data_attributes":             s.listAttributes,
		"POST /data_attributes":            s.createAttribute,
		"PUT /data_attributes/{attribute}": s.updateAttribute,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, m) })
	}
	mux.HandleFunc("GET "+sandbox.Prefix+"records", s.serveRecords)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.answer(w, r, func(*http.Request) (any, error) {
			return nil, fail(http.StatusNotFound, "not_found", "The requested resource was not found")
		})
	})
	return mux
}

// partOfContact is find_by_external_id/{external_id}, or a contact's tags: the mux
// could not tell the two apart.
func (s *Server) partOfContact(r *http.Request) (any, error) {
	switch id, part := r.PathValue("id"), r.PathValue("part"); {
	case id == "find_by_external_id":
		return s.findContact(r, part)
	case part == "tags":
		return s.tagsOfContact(id)
	}
	return nil, fail(http.StatusNotFound, "not_found", "The requested resource was not found")
}

// answer checks what all calls have in common, and makes one. Calls are handled one
// at a time.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, m method) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, err := s.call(w, r, m)
	if err == nil {
		err = s.store.Writer().Commit()
	}
	var f *failure
	switch {
	case err == nil:
		write(w, http.StatusOK, body)
	case errors.As(err, &f):
		if f.link != "" {
			w.Header().Set("Link", "</contacts/"+f.link+`>; rel="canonical"`)
		}
		one := map[string]any{"code": f.code, "message": f.message}
		if f.field != "" {
			one["field"] = f.field
		}
		write(w, f.status, map[string]any{"type": "error.list", "request_id": "b3c8e4d0-0000-4000-8000-00000000sim1", "errors": []any{one}})
	default:
		http.Error(w, err.Error(), http.StatusInternalServerError) // the journal failed
	}
}

func (s *Server) call(w http.ResponseWriter, r *http.Request, m method) (any, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || token != s.cfg.Token {
		return nil, fail(http.StatusUnauthorized, "unauthorized", "Access Token Invalid")
	}
	if err := s.spend(w); err != nil {
		return nil, err
	}
	if !acceptsJSON(r.Header.Get("Accept")) {
		return nil, fail(http.StatusNotAcceptable, "media_type_not_acceptable", "The Accept header should send a media type of application/json")
	}
	if v := r.Header.Get("Intercom-Version"); v != "" && !versions[v] {
		return nil, fail(http.StatusBadRequest, "intercom_version_invalid", "The requested version could not be found")
	}
	resource, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if slices.Contains(s.cfg.Denied, resource) { // "HTTP Responses", 403
		return nil, fail(http.StatusForbidden, "forbidden", "You do not have permission to access this resource")
	}
	return m(r)
}

// versions are those that a request may name; without one the app's own holds, 2.16.
var versions = map[string]bool{
	"2.7": true, "2.8": true, "2.9": true, "2.10": true, "2.11": true, "2.12": true, "2.13": true, "2.14": true, "2.15": true, "2.16": true,
	"Unstable": true, "Preview": true,
}

// ownerIsText reports whether a request's version writes owner_id as text.
func ownerIsText(r *http.Request) bool {
	minor, ok := strings.CutPrefix(r.Header.Get("Intercom-Version"), "2.")
	n, err := strconv.Atoi(minor)
	return !ok || err != nil || n >= 16
}

func acceptsJSON(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		kind, _, _ := strings.Cut(part, ";")
		switch strings.TrimSpace(kind) {
		case "application/json", "application/*", "*/*":
			return true
		}
	}
	return false
}

// spend counts a call in its window of 10 seconds.
func (s *Server) spend(w http.ResponseWriter) error {
	if s.cfg.Limit < 0 {
		return nil
	}
	if begin := s.core.Now().Truncate(s.cfg.Window); !begin.Equal(s.window) {
		s.window, s.calls = begin, 0
	}
	h := w.Header()
	h.Set("X-RateLimit-Limit", strconv.Itoa(s.cfg.Limit))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(s.window.Add(s.cfg.Window).Unix(), 10))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(max(0, s.cfg.Limit-s.calls-1)))
	if s.calls >= s.cfg.Limit {
		return fail(http.StatusTooManyRequests, "rate_limit_exceeded", "Exceeded rate limit of %d in 10_seconds", s.cfg.Limit)
	}
	s.calls++
	return nil
}

// object reads a request's body as a JSON object.
func object(r *http.Request) (map[string]json.RawMessage, error) {
	raw, err := sandbox.Body(r)
	if err != nil {
		return nil, err
	}
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	var out map[string]json.RawMessage
	if strings.TrimSpace(kind) != "application/json" || json.Unmarshal(raw, &out) != nil || out == nil {
		return nil, fail(http.StatusBadRequest, "bad_request", "The request body could not be parsed as JSON")
	}
	return out, nil
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // the client went away
}

// me is the admin whose token it is, and the workspace.
func (s *Server) me(*http.Request) (any, error) {
	return map[string]any{"type": "admin", "id": "814860", "email": "admin@penstock.example", "name": "Penstock sandbox", "email_verified": true,
		"app": map[string]any{"type": "app", "id_code": s.cfg.AppID, "name": "Penstock sandbox", "created_at": 1700000000, "secure": false,
			"identity_verification": false, "timezone": "UTC", "region": "US"}, "has_inbox_seat": true}, nil
}
