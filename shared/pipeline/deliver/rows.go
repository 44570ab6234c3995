package deliver

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/mapping"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// mapRows turns a message's rows into items. Intake mapped them with the same
// version, so that a fault here is a defect; it still costs only its row.
func (m *message) mapRows() {
	mapper := m.version.Get()
	defer m.version.Put(mapper)
	items := make([]item, len(m.chunk.Rows))
	a := newArena(len(items), m.version.Mapping.Names())
	m.items = make([]*item, len(items))
	for n := range m.chunk.Rows {
		r := &m.chunk.Rows[n]
		i := &items[n]
		m.items[n] = i
		i.m, i.at, i.number, i.object, i.replay = m, n, r.Number, r.Object, r.Replay
		i.least = string(r.Least)
		got, fault := mapRow(mapper, r.Object)
		i.cursor = got.Cursor
		a.name(got)
		if fault != nil {
			i.fail("deliver", fault.Rule, fault.Field, fault.Message)
			continue
		}
		a.keep(i, got)
	}
	texts := string(a.texts)
	for n, i := range m.items {
		end := a.ends[n]
		i.key, i.match, i.recordID, i.group = texts[end.start:end.key], texts[end.key:end.match], texts[end.match:end.id], texts[end.id:end.group]
	}
}

// mapRow maps one row; a panic is a defect that costs its row only.
func mapRow(mapper *mapping.Mapper, object jsontext.Value) (got mapping.Mapped, fault *row.Fault) {
	defer func() {
		if p := recover(); p != nil {
			got, fault = mapping.Mapped{}, &row.Fault{Rule: "panic", Message: "a defect in Penstock met this row (" + kindOf(p) + "): report it, and push the row again with a release that mends it"}
		}
	}()
	return mapper.Map(object)
}

// kindOf says what kind of panic it was, without its text: that may hold a value (I6).
func kindOf(p any) string { return fmt.Sprintf("panic %T", p) }

// An arena holds what a message's rows keep of their mapping, in a few large
// pieces instead of several small ones a row.
type arena struct {
	names   []string
	values  []jsontext.Value
	hashes  []uint32
	bytes   []byte
	texts   []byte
	ends    []textEnds
	scratch []byte
}

// textEnds are where a row's texts lie in an arena, each behind the one before.
type textEnds struct{ start, key, match, id, group int }

func newArena(rows int, names []string) *arena {
	return &arena{
		names: names, values: make([]jsontext.Value, 0, rows*len(names)), hashes: make([]uint32, 0, rows*len(names)),
		bytes: make([]byte, 0, 16*rows*len(names)), texts: make([]byte, 0, 40*rows),
		ends: make([]textEnds, 0, rows),
	}
}

// name keeps a row's key, match value, record id and group.
func (a *arena) name(got mapping.Mapped) {
	start := len(a.texts)
	a.texts = append(a.texts, got.Key...)
	key := len(a.texts)
	a.texts = append(a.texts, got.Match...)
	match := len(a.texts)
	a.texts = append(a.texts, got.RecordID...)
	id := len(a.texts)
	a.texts = append(a.texts, got.Group...)
	a.ends = append(a.ends, textEnds{start, key, match, id, len(a.texts)})
}

// keep copies a row's values, with the hashes and the fingerprint of their
// canonical forms.
func (a *arena) keep(i *item, got mapping.Mapped) {
	first := len(a.values)
	for n, v := range got.Values {
		a.hashes = append(a.hashes, row.FieldHash(got.Canonical[n]))
		if v != nil {
			a.bytes = append(a.bytes, v...)
			v = jsontext.Value(a.bytes[len(a.bytes)-len(v) : len(a.bytes) : len(a.bytes)])
		}
		a.values = append(a.values, v)
	}
	i.values = a.values[first:len(a.values):len(a.values)]
	i.hashes = a.hashes[first:len(a.hashes):len(a.hashes)]
	i.print, a.scratch = row.Digest(a.names, got.Canonical, a.scratch)
}

// hold is the least cursor among the message's rows that are not known to be right
// at the destination (I4). A replay holds nothing anew: its first time does, until
// the next run.
func (m *message) hold() string {
	least := ""
	for _, i := range m.items {
		if i.replay != nil {
			continue
		}
		if i.uncertain() || m.chunk.Late {
			least = run.Least(least, run.Least(i.least, string(i.cursor)))
		}
	}
	return least
}
