package mapping

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// object takes an object, which may stand in a text, for a field whose members become
// fields of their own.
func (m *Mapper) object(f *field, raw jsontext.Value) (jsontext.Value, *row.Fault) {
	raw, fault := m.unwrapped(f.source, raw)
	if fault != nil {
		return nil, fault
	}
	if raw[0] != '{' {
		return nil, refuse(f.source, "not_an_object", raw, "an object, whose members become fields")
	}
	if f.flat {
		return m.flattened(f, raw)
	}
	return raw, nil
}

// flattened takes an object with its inner objects' members as its own, named after
// both with the separator between, and with lists as texts; any other value as it is.
func (m *Mapper) flattened(f *field, raw jsontext.Value) (jsontext.Value, *row.Fault) {
	raw, fault := m.unwrapped(f.source, raw)
	if fault != nil {
		return nil, fault
	}
	if raw[0] != '{' {
		return raw, nil
	}
	fl := flattener{separator: f.separator, source: f.source, out: []byte{'{'}}
	if fault := fl.object(m, nil, raw); fault != nil {
		return nil, fault
	}
	return append(fl.out, '}'), nil
}

// A flattener writes one object's members.
type flattener struct {
	separator string
	source    string
	out       []byte
	names     [][]byte // met so far
}

func (fl *flattener) object(m *Mapper, prefix []byte, object jsontext.Value) *row.Fault {
	w := rawjson.Members(object)
	for w.Next() {
		name, _ := rawjson.Text(w.Quoted())
		full := append(bytes.Clone(prefix), name...)
		var fault *row.Fault
		switch v := w.Value(); v[0] {
		case '{':
			fault = fl.object(m, append(full, fl.separator...), v)
		case '[':
			fault = fl.member(full, fl.list(m, v))
		default:
			fault = fl.member(full, v)
		}
		if fault != nil {
			return fault
		}
	}
	if w.Err() != nil { // of a vendor's value: a row's are within the bound
		return tooDeep("column "+fl.source, fl.source)
	}
	return nil
}

// list is a list as a text: its values with a comma between them, or its JSON where it
// holds more than single values; null where it is empty.
func (fl *flattener) list(m *Mapper, v jsontext.Value) jsontext.Value {
	if m.elements(fl.source, v) != nil {
		return rawjson.AppendQuote(nil, appendCompact(nil, v))
	}
	if len(m.parts) == 0 {
		return jsonNull
	}
	return rawjson.AppendQuote(nil, bytes.Join(m.parts, []byte(syncdef.DefaultSeparator)))
}

func (fl *flattener) member(name []byte, v jsontext.Value) *row.Fault {
	for _, met := range fl.names {
		if bytes.Equal(met, name) {
			return refuse(fl.source, "duplicate_member", jsontext.Value("{}"), "an object of which no two members get one name when it is flattened")
		}
	}
	fl.names = append(fl.names, name)
	if len(fl.names) > 1 {
		fl.out = append(fl.out, ',')
	}
	fl.out = append(rawjson.AppendQuote(fl.out, name), ':')
	fl.out = append(fl.out, v...)
	return nil
}

// compileJSON chooses what becomes of objects in a field of JSON.
func (out *field) compileJSON(f syncdef.Field, spread bool) error {
	out.convert, out.form = (*Mapper).json, formJSON
	if out.flat = f.As == syncdef.AsFlat; out.flat {
		out.convert, out.separator = (*Mapper).flattened, f.Separator
	}
	if spread {
		out.convert = (*Mapper).object
	}
	return nil
}

// Spread says that the members of the value at a position of Mapped.Values are fields
// of their own, and what their names begin with.
func (p *Program) Spread(n int) (prefix string, is bool) {
	if p.spread == nil {
		return "", false
	}
	prefix, is = p.spread[n]
	return prefix, is
}

// compileSpread finds the fields that are spread.
func (p *Program) compileSpread() {
	for n, name := range p.names {
		if prefix, is := strings.CutSuffix(name, syncdef.SpreadMark); is {
			if p.spread == nil {
				p.spread = map[int]string{}
			}
			p.spread[n] = prefix
		}
	}
}
