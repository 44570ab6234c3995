package salesforce

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/sandbox"
)

// serveObjects is what lies below sobjects: the list of objects, an object, its
// describe, and one record by Id or by the value of an external id field ("REST API
// Developer Guide", sObject Basic Information, sObject Rows, sObject Rows by
// External ID).
func (s *Simulator) serveObjects(w http.ResponseWriter, r *http.Request, version string) *apiError {
	parts, refusal := below(r.URL)
	switch {
	case refusal != nil:
		return refusal
	case len(parts) == 0:
		if r.Method != http.MethodGet {
			return notAllowed(r.Method, "HEAD,GET")
		}
		return s.serveGlobal(w, version)
	case len(parts) == 2 && parts[1] == "describe":
		if r.Method != http.MethodGet {
			return notAllowed(r.Method, "HEAD,GET")
		}
		return s.serveDescribe(w, version, parts[0])
	case len(parts) == 1 && r.Method == http.MethodGet:
		return s.serveBasic(w, version, parts[0])
	case len(parts) == 1 && r.Method != http.MethodPost:
		return notAllowed(r.Method, "HEAD,GET,POST")
	case len(parts) > 3:
		return notFound()
	}
	t := s.tables[strings.ToLower(parts[0])]
	if t == nil && (r.Method == http.MethodPost || r.Method == http.MethodPatch) {
		var err error
		if t, err = s.object(parts[0]); err != nil {
			return unknown(err)
		}
	}
	if t == nil {
		return notFound()
	}
	one := single{sim: s, request: r, version: version, table: t, external: fieldID}
	switch len(parts) {
	case 1:
		return one.write(w, create)
	case 2:
		one.key = parts[1]
	case 3:
		if one.external, refusal = s.externalField(t, parts[1]); refusal != nil {
			return refusal
		}
		one.key = parts[2]
	}
	return one.serve(w)
}

// below splits what follows sobjects in a path; a value may hold an escaped slash.
func below(u *url.URL) ([]string, *apiError) {
	_, rest, _ := strings.Cut(u.EscapedPath(), "/sobjects")
	rest = strings.TrimSuffix(strings.TrimPrefix(rest, "/"), "/")
	if rest == "" {
		return nil, nil
	}
	parts := strings.Split(rest, "/")
	for i, part := range parts {
		var err error
		if parts[i], err = url.PathUnescape(part); err != nil || parts[i] == "" {
			return nil, notFound()
		}
	}
	return parts, nil
}

// A single is a request for one record.
type single struct {
	sim      *Simulator
	request  *http.Request
	version  string
	table    *table
	external int    // the field that key is of: fieldID, or an external id
	key      string // of the URL
}

// serve finds what the method wants.
func (o single) serve(w http.ResponseWriter) *apiError {
	switch o.request.Method {
	case http.MethodGet:
		return o.read(w)
	case http.MethodDelete:
		return o.remove(w)
	case http.MethodPatch:
		if o.external == fieldID {
			return o.write(w, update)
		}
		return o.write(w, upsert)
	}
	return notAllowed(o.request.Method, "HEAD,GET,PATCH,DELETE")
}

// write creates, updates or upserts the record of the body.
func (o single) write(w http.ResponseWriter, m mode) *apiError {
	body, err := sandbox.Body(o.request)
	if err != nil {
		return malformedJSON("the body cannot be read")
	}
	c := o.sim.writes.Get().(*write)
	defer o.sim.writes.Put(c)
	c.sim, c.request, c.mode, c.external, c.faulty = o.sim, o.request, m, o.external, o.sim.core.FailsRecords()
	if refusal := c.in.decodeOne(body, o.sim, o.table); refusal != nil {
		return refusal
	}
	if refusal := o.address(c); refusal != nil {
		return refusal
	}
	o.sim.mu.Lock()
	defer o.sim.mu.Unlock()
	row, created, errs := c.record(&c.in.records[0], o.sim.core.Now())
	if err := o.sim.store.Writer().Commit(); err != nil {
		return unknown(err)
	}
	switch {
	case len(errs) > 0 && errs[0].code == "DUPLICATE_EXTERNAL_ID":
		o.choices(w, c.found)
	case len(errs) > 0:
		refuseOne(w, errs)
	case m == update:
		w.WriteHeader(http.StatusNoContent)
	default:
		o.saved(w, m, row, created)
	}
	return nil
}

// address puts the key of the URL into the record, whose body must not name it.
func (o single) address(c *write) *apiError {
	r := &c.in.records[0]
	if c.mode == create {
		return nil // an Id is the record's own fault there
	}
	if r.named || c.mode == upsert && len(c.externalID(r)) > 0 {
		return &apiError{status: http.StatusBadRequest, code: "INVALID_FIELD", message: "The " + o.table.object.Fields[o.external].Name + " field should not be specified in the sobject data."}
	}
	if c.mode == update {
		if !idLike(o.key) {
			return inaccessible(o.key)
		}
		r.id = o.key
		return nil
	}
	from := len(c.in.texts)
	texts, fe, err := o.table.object.Fields[o.external].check(c.in.texts, jsontext.Value(appendString(nil, o.key)))
	if err != nil {
		return inaccessible(o.key)
	}
	c.in.texts = texts
	if fe != nil {
		r.errs = append(r.errs, *fe)
	}
	c.in.changes = append(c.in.changes, change{o.external, span{from, len(texts)}})
	r.changes.to = len(c.in.changes)
	return nil
}

// saved answers a record that was created, or found by its external id.
func (o single) saved(w http.ResponseWriter, m mode, row int, created bool) {
	b := append(o.table.appendID([]byte(`{"id":"`), row), `","success":true,"errors":[]`...)
	if m == upsert {
		b = strconv.AppendBool(append(b, `,"created":`...), created)
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
		w.Header().Set("Location", string(o.table.appendURL(nil, o.version, row)))
	}
	answer(w, status, append(b, '}'))
}

// choices is the answer where a value finds several records: their addresses.
func (o single) choices(w http.ResponseWriter, rows []int) {
	slices.Sort(rows)
	b := []byte{'['}
	for i, row := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(o.table.appendURL(append(b, '"'), o.version, row), '"')
	}
	answer(w, http.StatusMultipleChoices, append(b, ']'))
}

// appendURL is a record's address.
func (t *table) appendURL(dst []byte, version string, row int) []byte {
	dst = fmt.Appendf(dst, "/services/data/v%s.0/sobjects/%s/", version, t.object.Name)
	return t.appendID(dst, row)
}

// refuseOne answers the refusal of a single record: the array of a call's errors,
// with the fields.
func refuseOne(w http.ResponseWriter, errs []fieldError) {
	b := []byte{'['}
	for i, e := range errs {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(append(b, `{"message":`...), e.message)
		b = append(appendString(append(b, `,"errorCode":`...), e.code), `,"fields":[`...)
		if e.field != "" {
			b = appendString(b, e.field)
		}
		b = append(b, "]}"...)
	}
	status := http.StatusBadRequest
	if e := errs[0]; e.field == "" && (e.code == "ENTITY_IS_DELETED" || e.code == "INVALID_CROSS_REFERENCE_KEY") {
		status = http.StatusNotFound // the record of the URL
	}
	answer(w, status, append(b, ']'))
}

// idLike reports whether a key could be an Id at all.
func idLike(key string) bool { return len(key) == 15 || len(key) == 18 }

// inaccessible is the answer for a key that is no Id, and for an external id that no
// record has.
func inaccessible(key string) *apiError {
	return &apiError{status: http.StatusNotFound, code: "NOT_FOUND", message: "Provided external ID field does not exist or is not accessible: " + clip([]byte(key))}
}

// decodeOne reads a single record's body: its fields, without an envelope.
func (in *incoming) decodeOne(body []byte, sim *Simulator, t *table) *apiError {
	in.records, in.changes, in.texts, in.guess = in.records[:0], in.changes[:0], in.texts[:0], in.guess[:0]
	dec := jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true))
	if dec.PeekKind() != '{' {
		return malformedJSON("Unexpected start of the request: expected an object")
	}
	err := in.readPairs(dec)
	if err == nil {
		err = ended(dec)
	}
	if err != nil {
		return malformedJSON("The request is not JSON: " + err.Error())
	}
	in.alone = true
	defer func() { in.alone = false }()
	return in.interpret(body, sim, t)
}
