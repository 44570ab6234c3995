package salesforce

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/penstock-data/penstock/shared/sandbox"
)

// Caps of the composite resource ("REST API Developer Guide", Composite): 25
// subrequests, of which at most 5 query or use sObject Collections.
const (
	maxSubrequests = 25
	maxQueries     = 5
)

type compositeRequest struct {
	AllOrNone bool         `json:"allOrNone"`
	Requests  []subrequest `json:"compositeRequest"`
}

type subrequest struct {
	Method      string          `json:"method"`
	URL         string          `json:"url"`
	ReferenceID string          `json:"referenceId"`
	Body        json.RawMessage `json:"body"`
}

// serveComposite is POST composite: subrequests in order, one answer each, one API
// call in all.
func (s *Simulator) serveComposite(w http.ResponseWriter, r *http.Request) *apiError {
	body, err := sandbox.Body(r)
	if err != nil {
		return malformedJSON("the body cannot be read")
	}
	var in compositeRequest
	if err := json.Unmarshal(body, &in); err != nil {
		return malformedJSON("The request is not JSON: " + err.Error())
	}
	if refusal := in.check(); refusal != nil {
		return refusal
	}
	parts, size := make([]*kept, len(in.Requests)), 0
	for i, sub := range in.Requests {
		parts[i] = s.subrequest(r, sub)
		size += len(parts[i].body) + len(sub.ReferenceID) + 128
	}
	out := append(make([]byte, 0, size+64), `{"compositeResponse":[`...)
	for i, sub := range in.Requests {
		if i > 0 {
			out = append(out, ',')
		}
		part := parts[i]
		out = append(append(out, `{"body":`...), part.body...)
		out = append(out, `,"httpHeaders":{},"httpStatusCode":`...)
		out = append(appendInt(out, part.status), `,"referenceId":`...)
		out = append(appendString(out, sub.ReferenceID), '}')
	}
	answer(w, http.StatusOK, append(out, "]}"...))
	return nil
}

// check enforces the caps and the references.
func (in *compositeRequest) check() *apiError {
	if in.AllOrNone {
		return noRollBack()
	}
	if len(in.Requests) > maxSubrequests {
		return &apiError{status: http.StatusBadRequest, code: "LIMIT_EXCEEDED", message: "The request can’t contain more than 25 operations."}
	}
	queries, seen := 0, map[string]bool{}
	for _, sub := range in.Requests {
		if sub.ReferenceID == "" || seen[sub.ReferenceID] {
			return &apiError{status: http.StatusBadRequest, code: "INVALID_INPUT", message: "referenceId: each subrequest needs one of its own"}
		}
		seen[sub.ReferenceID] = true
		if strings.Contains(sub.URL, "/query") || strings.Contains(sub.URL, "/composite/sobjects") {
			queries++
		}
	}
	if queries > maxQueries {
		return &apiError{status: http.StatusBadRequest, code: "LIMIT_EXCEEDED", message: "The request can’t contain more than 5 query or sObject Collections operations."}
	}
	return nil
}

// subrequest runs one part through the same routes.
func (s *Simulator) subrequest(outer *http.Request, sub subrequest) *kept {
	k := &kept{header: http.Header{}, status: http.StatusOK}
	u, err := url.Parse(sub.URL)
	if err != nil {
		(&apiError{status: http.StatusBadRequest, code: "INVALID_INPUT", message: "url: " + err.Error()}).write(k)
		return k
	}
	r := outer.Clone(outer.Context())
	r.Method, r.URL, r.RequestURI = strings.ToUpper(sub.Method), u, sub.URL
	r.Body = http.NoBody
	if len(sub.Body) > 0 {
		r.Body = sandbox.RequestBody(sub.Body)
	}
	if refusal := s.route(k, r, true); refusal != nil {
		refusal.write(k)
	}
	if len(k.body) == 0 {
		k.body = []byte("null")
	}
	return k
}

// kept is an answer that goes into a composite's.
type kept struct {
	header http.Header
	status int
	body   []byte
}

func (k *kept) Header() http.Header { return k.header }
func (k *kept) WriteHeader(s int)   { k.status = s }
func (k *kept) Write(b []byte) (int, error) {
	k.body = append(k.body, b...)
	return len(b), nil
}
