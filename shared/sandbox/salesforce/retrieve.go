package salesforce

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/penstock-data/penstock/shared/sandbox"
)

// read is GET of one record: every field, or those of ?fields=A,B.
func (o single) read(w http.ResponseWriter) *apiError {
	o.sim.mu.Lock()
	defer o.sim.mu.Unlock()
	fields, refusal := o.table.asked(o.request.URL.Query().Get("fields"))
	if refusal != nil {
		return refusal
	}
	rows, refusal := o.rows(w)
	if refusal != nil || rows == nil {
		return refusal
	}
	answer(w, http.StatusOK, o.table.appendWhole(nil, o.version, rows[0], fields))
	return nil
}

// remove is DELETE of one record.
func (o single) remove(w http.ResponseWriter) *apiError {
	o.sim.mu.Lock()
	defer o.sim.mu.Unlock()
	rows, refusal := o.rows(w)
	if refusal != nil || rows == nil {
		return refusal
	}
	errs := o.table.object.denied()
	if errs == nil {
		errs = o.sim.struck(o.request, string(o.table.appendID(nil, rows[0])))
	}
	if errs != nil {
		refuseOne(w, errs)
		return nil
	}
	changes := o.sim.store.Writer()
	changes.Remove(o.table.Table, rows[0])
	if err := changes.Commit(); err != nil {
		return unknown(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// rows finds the one record that the URL names; none, when it has answered itself.
func (o single) rows(w http.ResponseWriter) ([]int, *apiError) {
	if o.external != fieldID {
		rows := o.table.Find(nil, column(o.external), []byte(o.key))
		switch len(rows) {
		case 0:
			return nil, notFound()
		case 1:
			return rows, nil
		}
		o.choices(w, rows)
		return nil, nil
	}
	row, valid := o.table.row([]byte(o.key))
	switch {
	case !idLike(o.key):
		return nil, inaccessible(o.key)
	case !valid:
		refuseOne(w, fault("MALFORMED_ID", o.table.object.Name+" ID: id value of incorrect type: "+clip([]byte(o.key)), "Id"))
	case row >= o.table.Rows() && o.request.Method == http.MethodGet:
		return nil, notFound()
	case row >= o.table.Rows():
		refuseOne(w, fault("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ""))
	case o.table.Deleted(row):
		refuseOne(w, fault("ENTITY_IS_DELETED", "entity is deleted", ""))
	default:
		return []int{row}, nil
	}
	return nil, nil
}

// asked are the fields of a list, all that the user may see for an empty one.
func (t *table) asked(list string) ([]int, *apiError) {
	var fields []int
	if list == "" {
		for i := range t.object.Fields {
			if t.object.Fields[i].Access != AccessNone {
				fields = append(fields, i)
			}
		}
		return fields, nil
	}
	for name := range strings.SplitSeq(list, ",") {
		i, known := t.field(strings.TrimSpace(name))
		if !known {
			return nil, invalidField("No such column '%s' on sobject of type %s", name, t.object.Name)
		}
		fields = append(fields, i)
	}
	return fields, nil
}

// appendWhole is a record with its attributes; null fields are there.
func (t *table) appendWhole(dst []byte, version string, row int, fields []int) []byte {
	dst = append(appendString(append(dst, `{"attributes":{"type":`...), t.object.Name), `,"url":"`...)
	dst = append(t.appendURL(dst, version, row), `"}`...)
	for _, i := range fields {
		dst = append(appendString(append(dst, ','), t.object.Fields[i].Name), ':')
		dst = t.appendJSON(dst, row, i)
	}
	return append(dst, '}')
}

// maxRetrieved is how many records one POST may ask for ("REST API Developer Guide",
// Get Multiple Records with sObject Collections with a Request Body).
const maxRetrieved = 2000

// serveRetrieve is GET composite/sobjects/{object}?ids=A,B&fields=Name and POST of
// {"ids":[…],"fields":[…]}: the records in order, null for one that is not there.
func (s *Simulator) serveRetrieve(w http.ResponseWriter, r *http.Request, version, object string) *apiError {
	in, refusal := retrieval(r)
	if refusal != nil {
		return refusal
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables[strings.ToLower(object)]
	if t == nil {
		return notFound()
	}
	if len(in.IDs) == 0 || len(in.Fields) == 0 {
		return &apiError{status: http.StatusBadRequest, code: "MISSING_ARGUMENT", message: "The ids and the fields are required"}
	}
	if len(in.IDs) > maxRetrieved {
		return &apiError{status: http.StatusBadRequest, code: "EXCEEDED_ID_LIMIT", message: "record limit reached. cannot submit more than 2000 records into this call"}
	}
	fields, refusal := t.asked(strings.Join(in.Fields, ","))
	if refusal != nil {
		return refusal
	}
	out := []byte{'['}
	for i, id := range in.IDs {
		if i > 0 {
			out = append(out, ',')
		}
		row, valid := t.row([]byte(id))
		if !valid {
			return &apiError{status: http.StatusBadRequest, code: "MALFORMED_ID", message: "malformed id " + clip([]byte(id))}
		}
		if row >= t.Rows() || t.Deleted(row) {
			out = append(out, "null"...)
			continue
		}
		out = t.appendWhole(out, version, row, fields)
	}
	answer(w, http.StatusOK, append(out, ']'))
	return nil
}

// retrieved is what a retrieval asks for.
type retrieved struct {
	IDs    []string `json:"ids"`
	Fields []string `json:"fields"`
}

// retrieval reads it from the query or from the body.
func retrieval(r *http.Request) (in retrieved, refusal *apiError) {
	if r.Method == http.MethodGet {
		q := r.URL.Query()
		return retrieved{nonEmpty(q.Get("ids")), nonEmpty(q.Get("fields"))}, nil
	}
	body, err := sandbox.Body(r)
	if err != nil {
		return in, malformedJSON("the body cannot be read")
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return in, malformedJSON("The request is not JSON: " + err.Error())
	}
	return in, nil
}

// nonEmpty splits a list; an empty text has no entries.
func nonEmpty(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}
