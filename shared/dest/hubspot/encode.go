package hubspot

import (
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/row/decimal"
)

// A push is one call under way: what is still to be sent, and what became of the rest.
type push struct {
	d      *destination
	b      dest.Batch
	c      dest.Call
	kind   int
	inputs []int          // positions in c.Records, which are the trace ids
	values map[int][]byte // per input, its properties as JSON
	out    []dest.Outcome // per record of the call
}

// newPush judges what can be told before anything is sent.
func (d *destination) newPush(b dest.Batch, c dest.Call) *push {
	p := &push{d: d, b: b, c: c, kind: d.kind(&b.Records[c.Records[0]]), out: make([]dest.Outcome, len(c.Records)), values: map[int][]byte{}}
	for n, at := range c.Records {
		r := &b.Records[at]
		id := d.named(r, p.kind)
		if p.kind == createKind {
			id = d.value(r)
		}
		switch {
		case p.kind != createKind && id == "":
			p.out[n] = missing(d)
			continue
		case d.overlong(id):
			p.out[n] = overlong(d)
			continue
		}
		v, fault := d.appendProperties(nil, r)
		if fault != nil {
			p.out[n] = *fault
			continue
		}
		p.inputs, p.values[n] = append(p.inputs, n), v
	}
	return p
}

// holds reports whether a text is a value of a row in the call.
func (p *push) holds(s string) bool {
	return p.b.Holds(p.c, s)
}

// encode writes {"inputs":[{"id":..,"idProperty":..,"objectWriteTraceId":"0","properties":{..}}]}.
func (p *push) encode() []byte {
	out := []byte(`{"inputs":[`)
	for i, n := range p.inputs {
		if i > 0 {
			out = append(out, ',')
		}
		if p.kind == archiveKind {
			out = rawjson.AppendQuote(append(out, `{"id":`...), p.d.named(p.record(n), p.kind))
			out = append(out, '}')
			continue
		}
		out = append(out, '{')
		if p.kind != createKind {
			out = rawjson.AppendQuote(append(out, `"id":`...), p.d.named(&p.b.Records[p.c.Records[n]], p.kind))
			out = append(out, ',')
		}
		if p.kind == upsertKind {
			out = rawjson.AppendQuote(append(out, `"idProperty":`...), p.d.def.Match.Destination)
			out = append(out, ',')
		}
		out = strconv.AppendInt(append(out, `"objectWriteTraceId":"`...), int64(n), 10)
		out = append(append(append(out, `","properties":`...), p.values[n]...), '}')
	}
	return append(out, `]}`...)
}

// appendProperties writes a record's fields as {"name":"text"}. A new record of an
// insert gets the value that it is found by too. fault refuses a record with a value that
// cannot be written, nil when all can.
func (d *destination) appendProperties(dst []byte, r *dest.Record) (out []byte, fault *dest.Outcome) {
	dst = append(dst, '{')
	first, matched := true, false
	for i := range r.Fields {
		f := &r.Fields[i]
		text, ok := d.text(f)
		switch {
		case !ok:
			return nil, &dest.Outcome{Status: dest.Rejected, Code: "semicolon_in_option", Field: f.Name,
				Message: "an option of the list holds a semicolon, which separates options: correct the column, or send the list as JSON text with keep_json: true"}
		case f.Name == d.def.Match.Destination: // a unique property has no options
			matched, text = true, d.spelled(text)
		case appends(text):
			return nil, &dest.Outcome{Status: dest.Rejected, Code: "leading_semicolon", Field: f.Name,
				Message: "the text begins with a semicolon, by which HubSpot adds to a property of several options instead of replacing what it holds: take the semicolon off in the model, or send a list (data_type: json)"}
		}
		dst, first = appendProperty(dst, first, f.Name, text), false
	}
	if d.write == insertOnly && d.def.Match.Destination != "" && !matched {
		dst = appendProperty(dst, first, d.def.Match.Destination, d.value(r))
	}
	return append(dst, '}'), nil
}

// appends reports whether a text adds to a property of several options ("Properties",
// multiple checkboxes). What kind of property it goes to is not known here, and white space
// before it may be taken off.
func appends(text string) bool { return strings.HasPrefix(strings.TrimSpace(text), ";") }

// spelled is a value of the match property as it is sent, which is how the record is asked
// for: without outer white space, and a number in its one spelling.
func (d *destination) spelled(text string) string {
	text = strings.TrimSpace(text)
	if !d.identity.Has(row.StepNumber) {
		return text
	}
	key, ok := d.identity.Key(nil, []byte(text))
	if !ok || d.overlong(string(key)) {
		return text
	}
	return string(key)
}

func appendProperty(dst []byte, first bool, name, text string) []byte {
	if !first {
		dst = append(dst, ',')
	}
	dst = append(rawjson.AppendQuote(dst, name), ':')
	return rawjson.AppendQuote(dst, text)
}

// text is a value as HubSpot takes it: every value is a text, and an empty one clears.
func (d *destination) text(f *dest.Field) (string, bool) {
	switch f.Value.Kind() {
	case 'n':
		return "", true
	case '[':
		if !d.json[f.Name] {
			return options(f.Value)
		}
	case '"', '0':
		if f.Name == propEmail {
			return strings.TrimSpace(scalar(f.Value)), true // HubSpot takes a blank for part of the address
		}
		return scalar(f.Value), true
	}
	return string(f.Value), true // true, false, JSON
}

// scalar is a single value's text, a number without an exponent.
func scalar(v jsontext.Value) string {
	if v.Kind() == '0' && strings.ContainsAny(string(v), "eE") {
		if plain, ok := plainNumber(string(v)); ok {
			return plain
		}
	}
	return rawjson.Scalar(v)
}

// plainNumber writes a number with an exponent without one.
func plainNumber(s string) (string, bool) {
	d, _, _, ok := decimal.Parse([]byte(s), nil)
	if !ok || d.Exp > maxDigits || d.Exp < -maxDigits {
		return "", false
	}
	return string(d.Append(nil)), true
}

// maxDigits is how far an exponent is written out: more digits than any property holds.
const maxDigits = 400

// options joins a list of single values by semicolons; a list that holds lists or
// objects is sent as JSON text. ok is false where an option holds a semicolon.
func options(list jsontext.Value) (joined string, ok bool) {
	var texts []string
	w := rawjson.Elements(list).AnyDepth()
	for w.Next() {
		v := w.Value()
		switch v.Kind() {
		case 'n':
			continue
		case '[', '{':
			return string(list), true
		}
		text := scalar(v)
		if strings.Contains(text, ";") {
			return "", false
		}
		if text != "" {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, ";"), w.Err() == nil
}
