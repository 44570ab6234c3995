package mapping

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// reserved are the columns that every definition may find in its rows: what a row
// asks for, and what a stream of changes adds.
var reserved = []string{"sync_action", "should_delete_from_destination", "METADATA$ACTION", "METADATA$ISUPDATE", "is_update"}

// SourceColumns are the columns that store_source: mapped keeps of a row: those
// that the mapping, match, record_id and cursor read, as the definition spells
// them, and the reserved ones.
func (p *Program) SourceColumns() []string {
	return append(append([]string(nil), p.columns...), reserved...)
}

// CutSource appends a row with its SourceColumns only, names and values as they
// stand in it; columns that differ from one of these by case are kept, so that the
// cut row maps to what the row does. It appends nothing and reports false when
// the row is no object, or nested too deep.
func (p *Program) CutSource(dst []byte, object jsontext.Value) ([]byte, bool) {
	var r members
	if !r.scan(object, &layout{}) {
		return dst, false
	}
	dst = append(dst, '{')
	first := true
	for i, s := range r.names {
		if !p.reads(plainName(object[s.start:s.end])) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, object[s.start:s.end]...)
		dst = append(dst, ':')
		dst = append(dst, r.value(i)...)
	}
	return append(dst, '}'), true
}

// reads reports whether a column is one of SourceColumns, in whatever case.
func (p *Program) reads(name []byte) bool {
	for _, list := range [...][]string{p.columns, reserved} {
		for _, c := range list {
			if bytes.EqualFold([]byte(c), name) {
				return true
			}
		}
	}
	return false
}
