package salesforce

import "net/http"

// serveResources is GET /services/data/vXX.0/: the resources of a version, which
// any user of the API may read ("REST API Developer Guide", Resources by Version).
func (s *Simulator) serveResources(w http.ResponseWriter, r *http.Request, version string) *apiError {
	base := "/services/data/v" + version + ".0/"
	b := []byte("{")
	for i, name := range []string{"sobjects", "query", "composite", "limits"} {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, name), ':')
		b = appendString(b, base+name)
	}
	b = appendString(append(b, `,"identity":`...), s.identity(r))
	answer(w, http.StatusOK, append(b, '}'))
	return nil
}
