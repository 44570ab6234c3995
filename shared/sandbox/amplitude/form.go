package amplitude

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"

	"github.com/penstock-data/penstock/shared/sandbox"
)

const (
	maxQuery = 8 << 10 // bytes of a GET's query
	maxForm  = 1 << 20 // of /groupidentify ("Group Identify API"), and taken for /identify too
	maxItems = 1024    // likewise; the properties of all items of a /groupidentify are as many
)

// identify is /identify: a form, or a query, with one identification or a list. It
// names no item: one that is not sound has all of them refused.
func (s *Server) identify(w http.ResponseWriter, r *http.Request) {
	s.form(w, r, func(item map[string]json.RawMessage) (event, bool) {
		e := event{fields: item, form: true}
		item["event_type"] = json.RawMessage(`"` + typeIdentify + `"`)
		member, _ := e.check(5)
		return e, member == "" && e.text("user_id")+e.text("device_id") != ""
	})
}

// groupIdentify is /groupidentify, in the same way.
func (s *Server) groupIdentify(w http.ResponseWriter, r *http.Request) {
	properties := 0
	s.form(w, r, func(item map[string]json.RawMessage) (event, bool) {
		in := event{fields: item}
		kind, value := in.text("group_type"), in.text("group_value")
		changes, sound := readChanges(item["group_properties"], groupOperations, false)
		properties += len(changes)
		groups, err := json.Marshal(map[string]string{kind: value})
		return event{form: true, fields: map[string]json.RawMessage{
			"event_type": json.RawMessage(`"` + typeGroup + `"`), "groups": groups, "group_properties": item["group_properties"],
		}}, sound && properties <= maxItems && err == nil && kind != "" && value != ""
	})
}

// form reads a request's items, makes events of them, and takes all or none.
func (s *Server) form(w http.ResponseWriter, r *http.Request, read func(map[string]json.RawMessage) (event, bool)) {
	values, status := arguments(r)
	if status != 0 {
		plain(w, status, http.StatusText(status))
		return
	}
	if values.Get("api_key") != s.cfg.APIKey {
		plain(w, http.StatusBadRequest, "invalid_api_key")
		return
	}
	items := []map[string]json.RawMessage{{}}
	raw := bytes.TrimSpace([]byte(values.Get("identification")))
	if !bytes.HasPrefix(raw, []byte("[")) {
		raw = append(append([]byte("["), raw...), ']')
	}
	if json.Unmarshal(raw, &items) != nil || len(items) == 0 || len(items) > maxItems {
		plain(w, http.StatusBadRequest, "missing_event")
		return
	}
	var events []event
	for _, item := range items {
		if item == nil {
			plain(w, http.StatusBadRequest, "missing_event")
			return
		}
		e, sound := read(item)
		if !sound {
			plain(w, http.StatusBadRequest, "missing_event")
			return
		}
		events = append(events, e)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	types := maps.Clone(s.groupTypes)
	for i := range events {
		if !roomFor(types, &events[i]) {
			plain(w, http.StatusBadRequest, "missing_event")
			return
		}
	}
	if status, answer := s.throttle(events, nil, limitsOf{perSecond: s.cfg.PerSecond}); answer != nil {
		write(w, status, answer)
		return
	}
	if err := s.apply(events); err != nil {
		plain(w, http.StatusInternalServerError, "the journal failed")
		return
	}
	plain(w, http.StatusOK, "success")
}

// arguments are those of a form, or of a GET's query; a status refuses the request.
func arguments(r *http.Request) (url.Values, int) {
	switch r.Method {
	case http.MethodGet:
		if len(r.URL.RawQuery) > maxQuery {
			return nil, http.StatusRequestURITooLong
		}
		return r.URL.Query(), 0
	case http.MethodPost:
	default:
		return nil, http.StatusMethodNotAllowed
	}
	body, err := sandbox.Body(r)
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err != nil || kind != "application/x-www-form-urlencoded":
		return nil, http.StatusBadRequest
	case len(body) > maxForm:
		return nil, http.StatusRequestEntityTooLarge
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, http.StatusBadRequest
	}
	return values, 0
}

// plain answers with a text.
func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain;charset=utf-8")
	w.WriteHeader(status)
	io.WriteString(w, text) //nolint:errcheck // the client may be gone; there is nobody to tell
}
