package mapping

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
)

// Positions in reserved.
const (
	syncAction = iota
	shouldDelete
	streamAction
	streamIsUpdate
	isUpdate // METADATA$ISUPDATE under the name that the sample's query gives it: read beside sync_action only
)

// reserved is the raw value in a reserved column; nil when the row does not have it, or
// has null or a blank text, which is what a column of a CSV file has for null.
func (m *Mapper) reserved(which int) jsontext.Value {
	raw := m.column(len(m.p.columns) + which)
	if raw == nil || isNull(raw) || raw[0] == '"' && m.blank(raw) {
		return nil
	}
	return raw
}

// action is what a row asks for. The half of an update that says what was replaced is
// never a delete; else whatever asks for a delete gets one.
func (m *Mapper) action() (a row.Action, half bool, f *row.Fault) {
	if !m.seen.reserved {
		if m.p.deletes {
			return row.Delete, false, m.mayRemove(false, false)
		}
		return row.Upsert, false, nil
	}
	for which, name := range reserved {
		if which != isUpdate && m.seen.at[len(m.p.columns)+which] == ambiguous {
			return row.Upsert, false, fault(name, "ambiguous_column", "several columns that differ from it only by case", "exactly one, or one spelled exactly so")
		}
	}
	asked, err := m.word(syncAction, "upsert", "delete")
	if err != nil {
		return row.Upsert, false, err
	}
	streamed, err := m.word(streamAction, "INSERT", "DELETE")
	if err != nil {
		return row.Upsert, false, err
	}
	soft, _, err := m.flag(shouldDelete)
	if err != nil {
		return row.Upsert, false, err
	}
	half, told, err := m.flag(streamIsUpdate)
	if err != nil {
		return row.Upsert, false, err
	}
	gone := streamed == 1
	switch {
	case gone && !told:
		return row.Upsert, false, fault(reserved[streamIsUpdate], "missing_column", "nothing beside "+reserved[streamAction]+" = DELETE",
			"both columns of the stream, because only the two together tell a deleted row from half of an update")
	case gone && half, asked == 1 && m.updates():
		return row.OldHalf, false, nil
	case m.p.deletes, asked == 1, soft, gone:
		return row.Delete, false, m.mayRemove(asked == 1, soft)
	}
	half = half && streamed == 0 && m.reserved(streamAction) != nil
	return row.Upsert, half || m.reserved(syncAction) != nil && m.updates(), nil
}

// updates reports whether a row of a query over a stream, which says in sync_action what it
// asks for, is half of an update. A column of that name that holds anything else has no
// say: it is not reserved.
func (m *Mapper) updates() bool {
	raw := m.reserved(isUpdate)
	if raw == nil || m.reserved(streamAction) != nil {
		return false
	}
	v, f := m.boolean(&field{source: reserved[isUpdate]}, raw)
	return f == nil && v[0] == 't'
}

// mayRemove says why a sync that removes nothing cannot take a deleting row.
func (m *Mapper) mayRemove(asked, soft bool) *row.Fault {
	if m.p.removes {
		return nil
	}
	which := streamAction
	switch {
	case asked:
		which = syncAction
	case soft:
		which = shouldDelete
	}
	return &row.Fault{Field: reserved[which], Rule: "cannot_delete",
		Message: "column " + reserved[which] + ": the row is to be deleted, and this sync removes no records: its destination or its operation cannot, or it was applied by an earlier release (apply it again); else filter deleted rows out of the model"}
}

// word reads a reserved column of two words, in any case: 0 is the first, which is also
// what null and blanks mean, 1 the second.
func (m *Mapper) word(which int, first, second string) (int, *row.Fault) {
	raw := m.reserved(which)
	if raw == nil {
		return 0, nil
	}
	if t, ok := m.text(raw); ok && raw[0] == '"' {
		switch word := bytes.TrimSpace(t.b); {
		case bytes.EqualFold(word, []byte(first)):
			return 0, nil
		case bytes.EqualFold(word, []byte(second)):
			return 1, nil
		}
	}
	return 0, refuse(reserved[which], "unknown_action", raw, first+", "+second+" or null")
}

// flag reads a reserved column that holds yes or no; told is false for null and blanks.
func (m *Mapper) flag(which int) (yes, told bool, f *row.Fault) {
	raw := m.reserved(which)
	if raw == nil {
		return false, false, nil
	}
	v, f := m.boolean(&field{source: reserved[which]}, raw)
	if f != nil {
		return false, false, f
	}
	return v[0] == 't', true, nil
}

// removal checks what a deleting row needs: the match value, or else the record id.
func (m *Mapper) removal(out *Mapped, keyFault, idFault *row.Fault) *row.Fault {
	if !m.p.match.matched {
		return idFault
	}
	if keyFault == nil {
		return nil
	}
	raw := m.column(m.p.match.column)
	t, text := text{}, false
	if raw != nil {
		t, text = m.text(raw)
	}
	none := raw == nil && m.seen.at[m.p.match.column] == absent || raw != nil && (isNull(raw) || text && len(bytes.TrimSpace(t.b)) == 0)
	if none && idFault == nil {
		out.Key, out.Match = nil, nil
		return nil
	}
	if none {
		keyFault.Message += "; or, in rows that are to be deleted, a record_id of other columns in the definition, by which the record is found"
	}
	return keyFault
}
