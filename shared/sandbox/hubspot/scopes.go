package hubspot

import (
	"net/http"
	"slices"
	"strings"
)

// needed are the scopes of which a request needs one ("Scopes"): of the records of an
// object those to read or to write them, of its properties and schema those of either;
// nil where none is needed.
func (s *Server) needed(r *http.Request) []string {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	name := r.PathValue("object")
	if name == "" {
		return nil
	}
	if o, failed := s.object(name, false); failed == nil {
		if name = o.Name; o.ID[0] != '0' {
			name = "custom"
		}
	}
	records, schemas := "crm.objects."+name, "crm.schemas."+name
	last := parts[len(parts)-1]
	reads := r.Method == http.MethodGet || r.Method == http.MethodPost && (last == "read" || last == "search")
	switch resource := parts[min(1, len(parts)-1)]; {
	case resource == "objects" && reads:
		return []string{records + ".read"}
	case resource == "objects":
		return []string{records + ".write"}
	case reads:
		return []string{records + ".read", schemas + ".read"}
	}
	return []string{schemas + ".write"}
}

// allowed refuses what the key has no scope for.
func (s *Server) allowed(r *http.Request) *failure {
	needed := s.needed(r)
	if s.opts.Scopes == nil || needed == nil || slices.ContainsFunc(needed, func(one string) bool { return slices.Contains(s.opts.Scopes, one) }) {
		return nil
	}
	return &failure{
		status: http.StatusForbidden, Category: "MISSING_SCOPES",
		Message: "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: https://developers.hubspot.com/scopes.",
		Errors:  []detail{{Message: "One or more of the following scopes are required.", Context: map[string][]string{"requiredGranularScopes": needed}}},
	}
}
