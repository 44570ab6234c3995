package deliver

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/mapping"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// Items, and the fields of records, are made in blocks of so many, 16 and 20 KB: those of a
// whole message would be cleared, leave the processor's cache and come back to be filled.
const (
	itemBlock  = 80
	fieldBlock = 512
)

// mapRows turns a message's rows into items. Intake mapped them with the same
// version, so that a fault here is a defect; it still costs only its row.
func (m *message) mapRows() {
	mapper := m.version.Get()
	defer m.version.Put(mapper)
	a := newArena(len(m.chunk.Rows), m.version.Mapping.Tags())
	m.items = make([]*item, len(m.chunk.Rows))
	var block []item
	var got mapping.Mapped
	for n := range m.chunk.Rows {
		r := &m.chunk.Rows[n]
		if len(block) == 0 {
			block = make([]item, min(itemBlock, len(m.chunk.Rows)-n))
		}
		i := &block[0]
		m.items[n], block = i, block[1:]
		i.m, i.row, i.kept, i.nth, i.at, i.entry, i.least, i.del = m, r, a, n, n, absent, string(r.Least), r.Delete
		fault := mapRow(mapper, &got, r.Object)
		if r.Key != "" {
			got.Key = []byte(r.Key)
		}
		if r.Key != "" && got.Action == row.Delete { // its record is known, whatever the row lacks
			if fault = nil; len(got.RecordID) == 0 {
				got.RecordID = got.Key
			}
		}
		if fault == nil && r.Delete != (got.Action == row.Delete) {
			fault = actionChanged(r.Delete)
		}
		i.always = got.Always
		a.name(&got)
		if fault != nil {
			i.fail("deliver", fault.Rule, fault.Field, fault.Message)
		}
		a.keep(i, &got)
	}
	a.text = a.texts.String()
	for n, i := range m.items {
		end := a.ends[n]
		i.key = a.text[end.start:end.key]
	}
}

// actionChanged is the fault of a row whose message says otherwise than its version.
func actionChanged(deletes bool) *row.Fault {
	word := "an upsert"
	if deletes {
		word = "a delete"
	}
	return &row.Fault{Rule: "action_changed", Message: "the row was taken as " + word + ", and its version reads it otherwise: push it again"}
}

// mapRow maps one row; a panic is a defect that costs its row only.
func mapRow(mapper *mapping.Mapper, got *mapping.Mapped, object jsontext.Value) (fault *row.Fault) {
	defer func() {
		if p := recover(); p != nil {
			*got, fault = mapping.Mapped{}, &row.Fault{Rule: codePanic, Message: "a defect in Penstock met this row (" + kindOf(p) + "): report it, and push the row again with a release that mends it"}
		}
	}()
	return mapper.MapTo(got, object)
}

// codePanic is the code of rows that a defect met.
const codePanic = "panic"

// kindOf says what kind of panic it was, without its text: that may hold a value (I6).
func kindOf(p any) string { return fmt.Sprintf("panic %T", p) }

// An arena holds what a message's rows keep of their mapping, in a few large
// pieces without pointers instead of several small ones a row.
type arena struct {
	tags    []row.Tag // of the fields
	values  []span    // one per field of each row
	hashes  []uint32  // the same
	bytes   []byte    // what values points into
	texts   strings.Builder
	text    string // texts, once all rows are mapped
	ends    []textEnds
	scratch []byte
}

// A span is a part of an arena's bytes; the zero span is no value.
type span struct{ start, end uint32 }

// textEnds are where a row's texts lie in an arena, each behind the one before.
type textEnds struct{ start, key, match, id, group uint32 }

func newArena(rows int, tags []row.Tag) *arena {
	a := &arena{
		tags: tags, values: make([]span, 0, rows*len(tags)), hashes: make([]uint32, 0, rows*len(tags)),
		bytes: make([]byte, 1, 16*rows*len(tags)+1), // no span ends at 0
		ends:  make([]textEnds, 0, rows),
	}
	a.texts.Grow(64 * rows)
	return a
}

// name keeps a row's key, match value, record id and group.
func (a *arena) name(got *mapping.Mapped) {
	var e textEnds
	e.start = uint32(a.texts.Len())
	a.texts.Write(got.Key)
	e.key = uint32(a.texts.Len())
	a.texts.Write(got.Match)
	e.match = uint32(a.texts.Len())
	a.texts.Write(got.RecordID)
	e.id = uint32(a.texts.Len())
	a.texts.Write(got.Group)
	e.group = uint32(a.texts.Len())
	a.ends = append(a.ends, e)
}

// keep copies a row's values, with the hashes and the fingerprint of their
// canonical forms. A row that could not be mapped keeps none.
func (a *arena) keep(i *item, got *mapping.Mapped) {
	if i.state != stateOpen || i.del {
		i.print = row.Gone
		a.values = append(a.values, make([]span, len(a.tags))...)
		a.hashes = append(a.hashes, make([]uint32, len(a.tags))...)
		return
	}
	for n, v := range got.Values {
		a.hashes = append(a.hashes, ledger.FieldHash(got.Canonical[n]))
		s := span{}
		if v != nil {
			s.start = uint32(len(a.bytes))
			a.bytes = append(a.bytes, v...)
			s.end = uint32(len(a.bytes))
		}
		a.values = append(a.values, s)
	}
	i.print, a.scratch = row.Digest(a.tags, got.Canonical, a.scratch)
}

// hold is the least cursor among the message's rows that are not known to be right
// at the destination (I4). A replay holds nothing anew: its first time does, until
// the next run.
func (m *message) hold() string {
	least, all := "", m.chunk.Late
	for _, i := range m.items {
		if i.blind() && i.row.Replay == nil { // its cursor is not below where its run began
			least, all = run.Least(least, m.run.Least()), true
		}
	}
	for _, i := range m.items {
		if i.row.Replay != nil {
			continue
		}
		if i.uncertain() || all {
			least = run.Least(least, run.Least(i.least, i.cursor()))
		}
	}
	return least
}

// doubt counts the rows that are not known to be right at the destination and that no
// error tells of, in a sync whose rows have no cursor to hold a mark at: the rows that
// the warehouse selects by what it remembers.
func (m *message) doubt() int {
	if !m.version.Version.Definition.ChangedOnly() {
		return 0
	}
	rows := 0
	for _, i := range m.items {
		if i.row.Replay == nil && i.lost || i.state == stateCancelled && i.received {
			rows++
		}
	}
	return rows
}

// cursors are those of the message's rows that are not known to be right. One that
// cannot be read is where the run began.
func (m *message) cursors() []run.Held {
	var all []run.Held
	for _, i := range m.items {
		if i.row.Replay != nil || !i.uncertain() {
			continue
		}
		h := run.Held{Cursor: i.cursor(), Rows: 1}
		if h.Cursor == "" && i.blind() {
			h.Cursor = m.run.Least()
		}
		if h.Cursor != "" {
			all = append(all, h)
		}
	}
	return run.BoundHeld(all)
}
