package hubspot

import (
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"strconv"

	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// serveRecords is GET /_sandbox/records?object=contacts&after=ID&limit=1000: one JSON
// object a line with the properties that have a value, in the order of creation. Ask
// again with the last id as after until nothing comes. Without an object it lists those
// of all.
func (s *Server) serveRecords(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit, err := strconv.Atoi(q.Get("limit"))
	if q.Get("limit") == "" {
		limit, err = 1000, nil
	}
	if err != nil || limit < 1 || limit > 50_000 {
		http.Error(w, "limit: 1 to 50000", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	asked, from := s.objects, 0
	if name := q.Get("object"); name != "" {
		o, failed := s.object(name, false)
		if failed != nil {
			http.Error(w, "object: there is no "+name, http.StatusBadRequest)
			return
		}
		asked = []*object{o}
	}
	if after := q.Get("after"); after != "" {
		n, err := strconv.Atoi(after)
		if err != nil || len(asked) != 1 || n < firstID {
			http.Error(w, "after: the id of a record of the object", http.StatusBadRequest)
			return
		}
		from = n - firstID + 1
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := json.NewEncoder(w)
	for _, o := range asked {
		for row := from; row < o.table.Rows() && limit > 0; row++ {
			if o.table.Deleted(row) {
				continue
			}
			line := o.texts(row)
			line["id"] = idOf(row)
			if q.Get("object") == "" {
				line["object"] = o.Name
			}
			if out.Encode(line) != nil {
				return
			}
			limit--
		}
	}
}

// texts are a row's values, without those that HubSpot writes itself.
func (o *object) texts(row int) map[string]string {
	out := map[string]string{}
	for i := len(system(o.contacts())); i < len(o.Properties); i++ {
		if v := o.value(row, o.Properties[i].Name); v != nil {
			out[o.Properties[i].Name] = *v
		}
	}
	return out
}

// held is one record as it is looked at.
type held struct {
	o   *object
	row int
}

// ID implements sandbox.Record.
func (h held) ID() string { return idOf(h.row) }

// Text implements sandbox.Record.
func (h held) Text(property string) ([]byte, bool) {
	v := h.o.value(h.row, property)
	if v == nil {
		return nil, false
	}
	return []byte(*v), true
}

// Records implements sandbox.Holder.
func (s *Server) Records(name string) iter.Seq[sandbox.Record] {
	return func(yield func(sandbox.Record) bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		o, failed := s.object(name, false)
		if failed != nil {
			return
		}
		for row := range o.table.Rows() {
			if !o.table.Deleted(row) && !yield(held{o, row}) {
				return
			}
		}
	}
}

// Count is how many records an object has.
func (s *Server) Count(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, failed := s.object(name, false)
	if failed != nil {
		return 0
	}
	return o.table.Live()
}

// Record is the record whose property has a value, by its properties and "id"; nil when
// there is none.
func (s *Server) Record(name, property, value string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, failed := s.object(name, false)
	if failed != nil {
		return nil
	}
	row := -1
	if property == propID {
		row = o.rowOf(value)
	} else if column, there := o.table.Lookup(property); there {
		for _, r := range o.table.Find(nil, column, []byte(value)) {
			row = r
		}
	}
	if row < 0 {
		return nil
	}
	out := o.texts(row)
	out["id"] = idOf(row)
	return out
}

// Seed makes records of an object, values by property, and answers their ids.
func (s *Server) Seed(name string, rows iter.Seq[map[string]string]) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, failed := s.object(name, true)
	if failed != nil {
		return nil, fmt.Errorf("seed %s: %s", name, failed.Message)
	}
	var ids []string
	w := s.store.Writer()
	for values := range rows {
		var changes []records.Change
		for property, text := range values {
			column, there := o.table.Lookup(property)
			if !there {
				return nil, fmt.Errorf("seed %s: there is no property %s", name, property)
			}
			changes = append(changes, records.Change{Column: column, Text: []byte(text)})
		}
		row := w.Put(o.table, records.NewRow, s.core.Now(), changes)
		if o.contacts() {
			o.remember(row, values[propMore])
		}
		ids = append(ids, idOf(row))
	}
	return ids, w.Commit()
}

// Merge makes one record a part of another, as people do in HubSpot.
func (s *Server) Merge(name, from, into string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, failed := s.object(name, false)
	if failed == nil {
		failed = s.join(o, o.rowOf(from), o.rowOf(into))
	}
	if failed != nil {
		return fmt.Errorf("merge %s: %s", name, failed.Message)
	}
	return nil
}
