package salesforce

import (
	"net/http"
	"strings"
)

// serveDelete is DELETE composite/sobjects?ids=a,b&allOrNone=false.
func (s *Simulator) serveDelete(w http.ResponseWriter, r *http.Request) *apiError {
	ids := strings.Split(r.URL.Query().Get("ids"), ",")
	if ids[0] == "" && len(ids) == 1 {
		return &apiError{status: http.StatusBadRequest, code: "MISSING_ARGUMENT", message: "The ids parameter is required"}
	}
	if len(ids) > maxRecords {
		return &apiError{status: http.StatusBadRequest, code: "EXCEEDED_ID_LIMIT", message: "record limit reached. cannot submit more than 200 records into this call"}
	}
	if strings.EqualFold(r.URL.Query().Get("allOrNone"), "true") {
		return noRollBack()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out, changes := []byte{'['}, s.store.Writer()
	for i, id := range ids {
		if i > 0 {
			out = append(out, ',')
		}
		t, row, errs := s.findAny(id)
		if errs == nil {
			errs = t.object.denied()
		}
		if errs == nil {
			errs = s.struck(r, id)
		}
		if errs != nil {
			out = appendFailure(out, errs)
			continue
		}
		changes.Remove(t.Table, row)
		out = append(t.appendID(append(out, `{"id":"`...), row), `","success":true,"errors":[]}`...)
	}
	if err := changes.Commit(); err != nil {
		return unknown(err)
	}
	answer(w, http.StatusOK, append(out, ']'))
	return nil
}

// findAny finds a living record of any object by id.
func (s *Simulator) findAny(id string) (*table, int, []fieldError) {
	for _, t := range s.order {
		row, valid := t.row([]byte(id))
		switch {
		case !valid:
			continue
		case row >= t.Rows():
			return nil, 0, fault("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", "")
		case t.Deleted(row):
			return nil, 0, fault("ENTITY_IS_DELETED", "entity is deleted", "")
		}
		return t, row, nil
	}
	return nil, 0, fault("MALFORMED_ID", "malformed id "+id, "")
}

// struck is the error that a fault gives a record by its id.
func (s *Simulator) struck(r *http.Request, id string) []fieldError {
	code, message, struck := s.core.FailRecord(r, id)
	if !struck {
		return nil
	}
	if message == "" {
		message = usual[code]
	}
	return fault(code, message, "")
}
