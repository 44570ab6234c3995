package salesforce

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// Seed adds records to an object as an administrator's import would: values are
// texts in the order of fields, "" is null, and the field rules hold (the first
// value that breaks one stops the import with an error that names the record).
// It is not an API call.
func (s *Simulator) Seed(object string, fields []string, rows iter.Seq[[]string]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables[strings.ToLower(object)]
	if t == nil {
		return fmt.Errorf("seed: there is no object %q", object)
	}
	positions := make([]int, len(fields))
	for i, name := range fields {
		p, ok := t.field(name)
		if !ok || p <= fieldModified {
			return fmt.Errorf("seed %s: field %q cannot be set", object, name)
		}
		positions[i] = p
	}
	w, now, n := s.store.Writer(), s.core.Now(), 0
	changes, texts := make([]records.Change, len(fields)), make([][]byte, len(fields))
	for values := range rows {
		if len(values) != len(fields) {
			return fmt.Errorf("seed %s: record %d has %d values for %d fields", object, n, len(values), len(fields))
		}
		for i, p := range positions {
			stored, err := t.object.Fields[p].checkSeed(texts[i][:0], values[i])
			if err != nil {
				return fmt.Errorf("seed %s: record %d: %w", object, n, errors.Join(err, w.Commit()))
			}
			texts[i] = stored
			changes[i] = records.Change{Column: column(p), Text: stored}
		}
		w.Put(t.Table, records.NewRow, now, changes)
		if n++; w.Size() > 1<<20 {
			if err := w.Commit(); err != nil {
				return fmt.Errorf("seed %s: %w", object, err)
			}
		}
	}
	if err := w.Commit(); err != nil {
		return fmt.Errorf("seed %s: %w", object, err)
	}
	for _, p := range positions {
		if t.object.Fields[p].Type == URL { // searched by a part of it: by domain
			t.IndexText(column(p))
		}
	}
	return nil
}

// checkSeed checks a text as if it had come as JSON.
func (f *Field) checkSeed(dst []byte, value string) ([]byte, error) {
	if f.Type.isText() {
		if !utf8.ValidString(value) {
			return nil, fmt.Errorf("%s is not UTF-8", f.Name)
		}
		dst = append(dst, strings.Trim(value, blanks)...)
		if fe := f.checkText(dst); fe != nil && len(dst) > 0 {
			return nil, fmt.Errorf("%s: %s", fe.code, fe.message)
		}
		return dst, nil
	}
	dst, fe, err := f.check(dst, jsontext.Value(appendString(nil, value)))
	if fe != nil {
		return nil, fmt.Errorf("%s: %s", fe.code, fe.message)
	}
	return dst, err
}

// A Record is one record as it lies in the store; valid during the call that it
// was given to only.
type Record struct {
	table *table
	row   int
}

// ID is the record's 18-character id.
func (r Record) ID() string { return string(r.table.appendID(nil, r.row)) }

// Text is a field's value as text: numbers as they are kept, datetimes as
// 2006-01-02T15:04:05.000+0000. ok is false for null and for unknown fields. The
// bytes must not be changed or kept.
func (r Record) Text(field string) (text []byte, ok bool) {
	i, known := r.table.field(field)
	if !known {
		return nil, false
	}
	if i > fieldModified {
		b := r.table.get(r.row, i)
		return b, b != nil
	}
	return r.table.appendValue(nil, r.row, i), true
}

// Modified is when the record was last written.
func (r Record) Modified() time.Time { return r.table.Modified(r.row) }

// Each calls yield with every record of an object, in the order of creation,
// until it answers false. The store is locked meanwhile.
func (s *Simulator) Each(object string, yield func(Record) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables[strings.ToLower(object)]
	if t == nil {
		return
	}
	for row := range t.Rows() {
		if !t.Deleted(row) && !yield(Record{t, row}) {
			return
		}
	}
}

// Records implements sandbox.Holder.
func (s *Simulator) Records(object string) iter.Seq[sandbox.Record] {
	return func(yield func(sandbox.Record) bool) {
		s.Each(object, func(r Record) bool { return yield(r) })
	}
}

// Count is the number of records of an object.
func (s *Simulator) Count(object string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tables[strings.ToLower(object)]; t != nil {
		return t.Live()
	}
	return 0
}

// Remove deletes a record as a user would, for tests of what happens then.
func (s *Simulator) Remove(object, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables[strings.ToLower(object)]
	if t == nil {
		return fmt.Errorf("remove: there is no object %q", object)
	}
	row, valid := t.row([]byte(id))
	if !valid || row >= t.Rows() || t.Deleted(row) {
		return fmt.Errorf("remove: there is no %s %q", object, id)
	}
	w := s.store.Writer()
	w.Remove(t.Table, row)
	return w.Commit()
}
