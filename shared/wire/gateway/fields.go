package gateway

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
)

// A fields list holds names and values as spans of one string, so that a
// request costs a few allocations however many headers it carries.
type fields struct {
	text string
	cuts []cut
}

// A cut is text[start:mid] for the name and text[mid:end] for the value.
type cut struct{ start, mid, end int }

func (f *fields) get(name string, same func(a, b string) bool) (string, bool) {
	for _, c := range f.cuts {
		if same(f.text[c.start:c.mid], name) {
			return f.text[c.mid:c.end], true
		}
	}
	return "", false
}

// fields reads {"name": "value"} or {"name": ["value", ...]}, of which the first
// value counts; null and other shapes are passed over.
func (d *Decoder) fields(dec *jsontext.Decoder, f *fields) error {
	if dec.PeekKind() != '{' {
		return dec.SkipValue()
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	f.cuts = make([]cut, 0, 24)
	for dec.PeekKind() == '"' {
		name, err := dec.ReadValue()
		if err != nil {
			return err
		}
		c := cut{start: len(d.text)}
		if d.text, err = jsontext.AppendUnquote(d.text, name); err != nil {
			return err
		}
		c.mid = len(d.text)
		value, err := dec.ReadValue()
		if err != nil {
			return err
		}
		if value = first(value); value.Kind() != '"' {
			continue
		}
		if d.text, err = jsontext.AppendUnquote(d.text, value); err != nil {
			return err
		}
		c.end = len(d.text)
		f.cuts = append(f.cuts, c)
	}
	_, err := dec.ReadToken()
	return err
}

// first is the first element of an array, or the value itself.
func first(v jsontext.Value) jsontext.Value {
	if v.Kind() != '[' {
		return v
	}
	if w := rawjson.Elements(v); w.Next() {
		return w.Value()
	}
	return jsontext.Value("null")
}
