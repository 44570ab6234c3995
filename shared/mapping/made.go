package mapping

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// made is a field that is not simply a column: a constant, a template, or what a path
// finds within a column of JSON.
type made struct {
	constant jsontext.Value // converted already; nil for the others
	alone    *place         // the value is that of one place; nil for templates
	parts    []part
	json     bool // the template is JSON, else a text
	entities bool // &, < and > of columns are written as entities
}

// A part of a template is constant, as it stands in JSON, or a place.
type part struct {
	constant []byte
	place    place
	inside   bool // of a JSON template: within a string
}

// A place is a column, or a path into one.
type place struct {
	column int
	root   int          // where no column has the whole path's name: the one that it begins with; -1 for plain columns
	path   syncdef.Path // its steps within root
}

func (p *Program) placeOf(source string) place {
	out := place{column: p.columnOf(source), root: -1}
	if path := syncdef.SourcePath(source); path != nil {
		out.root, out.path = p.columnOf(path[0].Name), path[1:]
	}
	return out
}

// compileMade makes a field's value ready where it is more than a column; the
// converters of its type are known.
func (p *Program) compileMade(out *field, f syncdef.Field, rules syncdef.Rules) error {
	if f.Value == nil {
		if at := p.placeOf(f.Source); at.root >= 0 {
			out.made = &made{alone: &at}
		}
		return nil
	}
	if f.Source != "" {
		return fmt.Errorf("value: a field is made of source or of value, not of both")
	}
	out.source = f.Destination
	t, err := syncdef.ParseTemplate(*f.Value)
	if err != nil {
		return fmt.Errorf("value: %w", err)
	}
	switch columns := t.Columns(); {
	case len(columns) == 0:
		return out.compileConstant(f, t)
	case len(t) == 1 && (rules.Entities == "" || rules.Entities != f.Destination):
		at := p.placeOf(columns[0])
		out.made, out.source = &made{alone: &at}, columns[0]
		return nil
	}
	return p.compileTemplate(out, f, t, rules)
}

// compileConstant converts a constant like a column's value.
func (out *field) compileConstant(f syncdef.Field, t syncdef.Template) error {
	text := ""
	for _, p := range t {
		text += p.Text
	}
	v, err := out.converted("value", text, f.Type)
	if err != nil {
		return err
	}
	out.made = &made{constant: v}
	return nil
}

func (p *Program) compileTemplate(out *field, f syncdef.Field, t syncdef.Template, rules syncdef.Rules) error {
	out.made = &made{json: f.Type == syncdef.JSON, entities: rules.Entities != "" && rules.Entities == f.Destination}
	inside, sketch := false, "" // whether a string is open; the template with nulls for its columns
	for _, one := range t {
		switch {
		case one.Column != "":
			out.made.parts = append(out.made.parts, part{place: p.placeOf(one.Column), inside: inside || !out.made.json})
			if !inside {
				sketch += "null"
			}
		case out.made.json:
			out.made.parts = append(out.made.parts, part{constant: []byte(one.Text)})
			sketch += one.Text
			inside = opens(one.Text, inside)
		default:
			quoted, err := jsontext.AppendQuote(nil, one.Text)
			if err != nil {
				return fmt.Errorf("value: %q is not UTF-8", one.Text)
			}
			out.made.parts = append(out.made.parts, part{constant: quoted[1 : len(quoted)-1]})
		}
	}
	if out.made.json && !jsontext.Value(sketch).IsValid() {
		return fmt.Errorf("value: it is not JSON; a column is given as {{column}} in the place of a value, or within a text in quotes")
	}
	return nil
}

// opens reports whether a JSON string is open behind a text that begins in one or not.
func opens(text string, inside bool) bool {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '"':
			inside = !inside
		case text[i] == '\\' && inside:
			i++
		}
	}
	return inside
}

// made is the value of a field that is more than a column.
func (m *Mapper) made(f *field) (jsontext.Value, *row.Fault) {
	if f.made.constant != nil {
		return f.made.constant, nil
	}
	var raw jsontext.Value
	var fault *row.Fault
	if f.made.alone != nil {
		raw, fault = m.read(f.made.alone)
	} else {
		raw, fault = m.template(f)
	}
	switch {
	case fault != nil:
		return nil, fault
	case isNull(raw), raw[0] == '"' && f.blankNull && m.blank(raw):
		return f.null, nil
	}
	v, fault := f.convert(m, f, raw)
	if fault != nil && f.made.alone == nil {
		fault.Message = "value of " + strings.TrimPrefix(fault.Message, "column ")
	}
	return v, fault
}

// template writes a template as JSON; null when one of its columns is.
func (m *Mapper) template(f *field) (jsontext.Value, *row.Fault) {
	// Columns first: what they need of the buffer would stand within the text.
	m.parts = m.parts[:0]
	for i := range f.made.parts {
		p := &f.made.parts[i]
		if p.constant != nil {
			m.parts = append(m.parts, p.constant)
			continue
		}
		raw, fault := m.read(&p.place)
		if fault != nil {
			fault.Message = "value of " + f.source + ": " + fault.Message
			return nil, fault
		}
		if isNull(raw) {
			return jsonNull, nil
		}
		if p.inside {
			if raw, fault = m.printed(f, p, raw); fault != nil {
				return nil, fault
			}
		}
		m.parts = append(m.parts, raw)
	}
	start := len(m.buf)
	if !f.made.json {
		m.buf = append(m.buf, '"')
	}
	for _, p := range m.parts {
		m.buf = append(m.buf, p...)
	}
	if !f.made.json {
		m.buf = append(m.buf, '"')
		return m.from(start), nil
	}
	v := m.from(start)
	if deep(v) { // its columns' levels and its own
		return nil, tooDeep("value of "+f.source, f.source)
	}
	return v, nil
}

// printed is a column's value as it stands within a JSON string: a text as it is,
// numbers by value, in digits.
func (m *Mapper) printed(f *field, p *part, raw jsontext.Value) ([]byte, *row.Fault) {
	switch {
	case raw[0] == '{' || raw[0] == '[':
		fault := notText(m.p.columns[p.place.column], raw)
		fault.Message = "value of " + f.source + ": " + fault.Message
		return nil, fault
	case raw[0] == '"' && f.made.entities:
		return m.entities(raw), nil
	case raw[0] == '"':
		return raw[1 : len(raw)-1], nil
	case isNumber(raw):
		return m.byValue(raw), nil
	}
	return raw, nil
}

// entities is the inside of a string with &, < and > written as entities.
func (m *Mapper) entities(raw jsontext.Value) []byte {
	t, _ := m.text(raw) // a string always is one
	start := len(m.buf)
	for _, c := range t.b {
		switch c {
		case '&':
			m.buf = append(m.buf, "&amp;"...)
		case '<':
			m.buf = append(m.buf, "&lt;"...)
		case '>':
			m.buf = append(m.buf, "&gt;"...)
		default:
			m.buf = append(m.buf, c)
		}
	}
	plain := m.from(start)
	start = len(m.buf)
	m.buf = rawjson.AppendQuote(m.buf, plain)
	return m.buf[start+1 : len(m.buf)-1 : len(m.buf)-1]
}

// read is the value in a place; null where a path finds nothing.
func (m *Mapper) read(p *place) (jsontext.Value, *row.Fault) {
	raw := m.column(p.column)
	if raw != nil {
		return raw, nil
	}
	if p.root < 0 || m.seen.at[p.column] == ambiguous {
		return nil, m.missing(p.column)
	}
	if raw = m.column(p.root); raw == nil {
		return nil, m.missing(p.root)
	}
	for i := range p.path {
		step := &p.path[i]
		var fault *row.Fault
		if raw, fault = m.unwrapped(m.p.columns[p.column], raw); fault != nil {
			return nil, fault
		}
		want := byte('{')
		if step.Name == "" {
			want = '['
		}
		if isNull(raw) {
			return jsonNull, nil
		}
		if raw[0] != want {
			return nil, refuse(m.p.columns[p.column], "not_nested", raw, map[byte]string{'{': "an object with the member " + step.Name, '[': "a list"}[want])
		}
		if raw = within(raw, step); raw == nil {
			return jsonNull, nil
		}
	}
	return raw, nil
}

// within is what a step leads to: an element, or a member by its exact name, else by
// the only one that differs from it by case; nil when there is none.
func within(raw jsontext.Value, step *syncdef.Step) jsontext.Value {
	if step.Name == "" {
		w := rawjson.Elements(raw)
		for n := 0; w.Next(); n++ {
			if n == step.Index {
				return w.Value()
			}
		}
		return nil
	}
	var folded jsontext.Value
	several := false
	w := rawjson.Members(raw)
	for w.Next() {
		if w.Named(step.Name) {
			return w.Value()
		}
		if strings.EqualFold(string(w.Name()), step.Name) {
			several = folded != nil
			folded = w.Value()
		}
	}
	if several {
		return nil
	}
	return folded
}

// unwrapped is the list or object that a warehouse wrote into a text; any other value
// stays as it is. It has no more levels than it could have in the row itself: what is
// nested deeper is read nowhere further on.
func (m *Mapper) unwrapped(source string, raw jsontext.Value) (jsontext.Value, *row.Fault) {
	if raw[0] != '"' {
		return raw, nil
	}
	t, ok := m.text(raw)
	if !ok {
		return raw, nil
	}
	i := rawjson.Space(t.b, 0)
	if i >= len(t.b) || t.b[i] != '{' && t.b[i] != '[' {
		return raw, nil
	}
	end, levels := rawjson.Extent(t.b, i)
	switch {
	case end < 0 || rawjson.Space(t.b, end) < len(t.b):
		return raw, nil
	case levels >= rawjson.MaxDepth: // jsontext would call the deepest of them no JSON
		return nil, tooDeep("column "+source, source)
	case !jsontext.Value(t.b).IsValid():
		return raw, nil
	}
	return t.b[i:end:end], nil
}
