package salesforce

import (
	"net/http"
	"strings"

	"github.com/penstock-data/penstock/shared/sandbox"
)

// label names calls without version, ids and queries: "PATCH /composite/sobjects/Account/X__c".
func label(r *http.Request) string {
	if m := dataPath.FindStringSubmatch(r.URL.Path); m != nil {
		rest := m[2]
		switch parts := strings.Split(rest, "/"); {
		case strings.HasPrefix(rest, "query/") && rest != "query/":
			rest = "query/NEXT"
		case parts[0] == "sobjects" && len(parts) == 3 && parts[2] != "" && parts[2] != "describe":
			rest = "sobjects/" + parts[1] + "/ID"
		case parts[0] == "sobjects" && len(parts) > 3:
			rest = "sobjects/" + parts[1] + "/" + parts[2] + "/VALUE"
		}
		return r.Method + " /" + rest
	}
	return r.Method + " " + r.URL.Path
}

// serve is the vendor's API and the listing of records.
func (s *Simulator) serve(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case sandbox.Prefix + "records":
		s.serveRecords(w, r)
		return
	case sandbox.Prefix + "duplicate_rules":
		s.serveRules(w, r)
		return
	case "/services/oauth2/token":
		s.serveToken(w, r)
		return
	case "/services/data", "/services/data/":
		s.serveVersions(w)
		return
	}
	if strings.HasPrefix(r.URL.Path, sandbox.Prefix) {
		http.NotFound(w, r)
		return
	}
	if tooLong(w, r) {
		return
	}
	if s.opts.AcceptCustom {
		s.serial.Lock()
		defer s.serial.Unlock()
	}
	refusal := s.authorised(r)
	if refusal == nil {
		refusal = s.spend(w)
	}
	if refusal == nil {
		refusal = s.crowded()
	}
	if refusal == nil {
		refusal = readable(r)
	}
	if refusal == nil {
		refusal = s.route(w, r, false)
	}
	if refusal != nil {
		refusal.write(w)
	}
}

// route finds the resource. nested is a composite's subrequest.
func (s *Simulator) route(w http.ResponseWriter, r *http.Request, nested bool) *apiError {
	if path := r.URL.Path; path == "/services/oauth2/userinfo" || strings.HasPrefix(path, "/id/"+s.opts.OrgID+"/") {
		s.serveIdentity(w, r)
		return nil
	}
	m := dataPath.FindStringSubmatch(r.URL.Path)
	if m == nil {
		return notFound()
	}
	if refusal := s.served(m[1]); refusal != nil {
		return refusal
	}
	parts := strings.Split(m[2], "/")
	switch {
	case m[2] == "" && r.Method == http.MethodGet && !nested:
		return s.serveResources(w, r, m[1])
	case parts[0] == "query" && len(parts) <= 2 && r.Method == http.MethodGet:
		return s.serveQuery(w, r, m[1], parts[1:])
	case strings.TrimSuffix(m[2], "/") == "limits" && r.Method == http.MethodGet:
		s.serveLimits(w)
		return nil
	case parts[0] == "sobjects":
		return s.serveObjects(w, r, m[1])
	case m[2] == "composite" && r.Method == http.MethodPost && !nested:
		return s.serveComposite(w, r)
	case m[2] == "composite/sobjects":
		return s.serveCollection(w, r)
	case parts[0] == "composite" && len(parts) == 3 && parts[1] == "sobjects" && (r.Method == http.MethodGet || r.Method == http.MethodPost):
		return s.serveRetrieve(w, r, m[1], parts[2])
	case parts[0] == "composite" && len(parts) == 4 && parts[1] == "sobjects":
		return s.serveUpsert(w, r, parts[2], parts[3])
	}
	return notFound()
}

func (s *Simulator) serveCollection(w http.ResponseWriter, r *http.Request) *apiError {
	switch r.Method {
	case http.MethodPost:
		return s.serveWrite(w, r, create, nil, 0)
	case http.MethodPatch:
		return s.serveWrite(w, r, update, nil, 0)
	case http.MethodDelete:
		return s.serveDelete(w, r)
	}
	return notAllowed(r.Method, "HEAD,GET,PATCH,POST,DELETE")
}

func (s *Simulator) serveUpsert(w http.ResponseWriter, r *http.Request, object, field string) *apiError {
	if r.Method != http.MethodPatch {
		return notAllowed(r.Method, "HEAD,PATCH")
	}
	t, err := s.object(object)
	if err != nil {
		return unknown(err)
	}
	if t == nil {
		return notFound()
	}
	i, refusal := s.externalField(t, field)
	if refusal != nil {
		return refusal
	}
	return s.serveWrite(w, r, upsert, t, i)
}

// externalField finds a field that records may be upserted by, and makes a custom
// one on first use.
func (s *Simulator) externalField(t *table, name string) (int, *apiError) {
	i, known := t.field(name)
	if !known && s.custom(name) {
		i, err := s.newField(t, name, nil, true)
		if err != nil {
			return 0, unknown(err)
		}
		return i, nil
	}
	if !known || !t.object.Fields[i].ExternalID {
		return 0, inaccessible(name)
	}
	return i, nil
}
