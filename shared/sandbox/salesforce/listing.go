package salesforce

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// appendValue is a value's text, system fields included; unchanged for null.
func (t *table) appendValue(dst []byte, row, field int) []byte {
	switch field {
	case fieldID:
		return t.appendID(dst, row)
	case fieldCreated:
		return t.Created(row).AppendFormat(dst, "2006-01-02T15:04:05.000+0000")
	case fieldModified:
		return t.Modified(row).AppendFormat(dst, "2006-01-02T15:04:05.000+0000")
	}
	return append(dst, t.get(row, field)...)
}

// appendJSON is a value as Salesforce answers it.
func (t *table) appendJSON(dst []byte, row, field int) []byte {
	f := &t.object.Fields[field]
	if field <= fieldModified {
		dst = append(dst, '"')
		return append(t.appendValue(dst, row, field), '"')
	}
	b := t.get(row, field)
	switch {
	case b == nil && f.Type == Boolean:
		return append(dst, "false"...)
	case b == nil:
		return append(dst, "null"...)
	case f.Type.isNumber() && jsontext.Value(b).IsValid(), f.Type == Boolean:
		return append(dst, b...)
	}
	return appendString(dst, b)
}

// serveRecords is GET /_sandbox/records?object=Account&after=ID&limit=1000: one
// JSON object a line with the fields that are not null, in the order of creation.
// Ask again with the last Id as after until nothing comes. Without an object it
// lists those of all, and each line begins with its "object".
func (s *Simulator) serveRecords(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit := 1000
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 50_000 {
			http.Error(w, "limit: 1 to 50000", http.StatusBadRequest)
			return
		}
		limit = n
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	object, after := q.Get("object"), q.Get("after")
	asked, prefix := s.order, `{"object":"%s","Id":"`
	if object != "" || after != "" { // an Id says nothing without its object
		t := s.tables[strings.ToLower(object)]
		if t == nil {
			http.Error(w, "object: one of "+strings.Join(s.names(), ", "), http.StatusBadRequest)
			return
		}
		asked, prefix = []*table{t}, `{"Id":"`
	}
	row := 0
	if after != "" {
		last, valid := asked[0].row([]byte(after))
		if !valid || last >= asked[0].Rows() {
			http.Error(w, "after: not the Id of a record", http.StatusBadRequest)
			return
		}
		row = last + 1
	}
	var b []byte
	for _, t := range asked {
		begin := strings.Replace(prefix, "%s", t.object.Name, 1)
		for ; row < t.Rows() && limit > 0; row++ {
			if !t.Deleted(row) {
				b = t.appendRecord(b, begin, row)
				limit--
			}
		}
		row = 0
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Write(b) //nolint:errcheck // the client may be gone; there is nobody to tell
}

// appendRecord is a record as a line of JSON; begin is all before its Id.
func (t *table) appendRecord(b []byte, begin string, row int) []byte {
	b = append(t.appendID(append(b, begin...), row), '"')
	for i := firstColumn; i < len(t.object.Fields); i++ {
		if t.Null(row, column(i)) {
			continue
		}
		b = append(appendString(append(b, ','), t.object.Fields[i].Name), ':')
		b = t.appendJSON(b, row, i)
	}
	return append(b, "}\n"...)
}
