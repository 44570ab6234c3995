package salesforce

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// maxRecords is the vendor's cap on one sObject Collections call.
const maxRecords = 200

// A span is a part of a byte slice.
type span struct{ from, to int }

// A pair is one member of a record, as spans of the request body.
type pair struct{ name, value span }

// A change is one field of a record to be set: the text lies in incoming.texts.
type change struct {
	field int
	text  span
}

// A record is one record of a call, read and checked but not yet applied.
type record struct {
	table   *table
	changes span // in incoming.changes
	id      string
	errs    []fieldError
	named   bool // has an Id, be it null
	twice   bool // another record of the call names the same one
}

// incoming is a decoded sObject Collections request. It is reused.
type incoming struct {
	records []record
	changes []change
	texts   []byte

	pairs      []pair
	alone      bool   // one record, whose object the URL names: attributes may be absent
	seen       []bool // per field, whether this record named it
	guess      []guess
	attributes []byte // of the previous record
}

// A guess is what the previous record had at the same place: records of one call
// mostly name the same fields in the same order.
type guess struct {
	name  []byte
	field int
}

func (in *incoming) text(c change) []byte { return in.texts[c.text.from:c.text.to] }

// decode reads {"allOrNone":false,"records":[...]}. fixed is the object that the
// URL names, nil when the records name theirs.
func (in *incoming) decode(body []byte, sim *Simulator, fixed *table) *apiError {
	in.records, in.changes, in.texts, in.guess = in.records[:0], in.changes[:0], in.texts[:0], in.guess[:0]
	// Duplicate names are found below, by field, at less cost.
	dec := jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true))
	if kind := dec.PeekKind(); kind != '{' {
		return malformedJSON("Unexpected start of the request: expected an object with records")
	}
	seen := false
	_, err := dec.ReadToken()
	for err == nil && dec.PeekKind() == '"' {
		name, e := dec.ReadToken()
		if e != nil {
			err = e
			break
		}
		switch name.String() {
		case "allOrNone":
			v, e := dec.ReadToken()
			switch {
			case e != nil:
				err = e
			case v.Kind() == 't':
				return noRollBack()
			case v.Kind() != 'f':
				return malformedJSON("allOrNone: expected true or false")
			}
		case "records":
			seen = true
			if refusal := in.decodeRecords(dec, body, sim, fixed); refusal != nil {
				return refusal
			}
		default:
			return malformedJSON("Unrecognized field \"" + name.String() + "\" at [line:1, column:" + fmt.Sprint(dec.InputOffset()) + "]")
		}
	}
	if err == nil {
		_, err = dec.ReadToken()
	}
	if err == nil {
		err = ended(dec)
	}
	if err != nil {
		return malformedJSON("The request is not JSON: " + err.Error())
	}
	if !seen {
		return malformedJSON("Missing required field records")
	}
	return nil
}

// ended wants nothing behind the document.
func ended(dec *jsontext.Decoder) error {
	_, err := dec.ReadToken()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err == nil:
		return errors.New("something follows the document")
	}
	return err
}

func (in *incoming) decodeRecords(dec *jsontext.Decoder, body []byte, sim *Simulator, fixed *table) *apiError {
	if dec.PeekKind() != '[' {
		return malformedJSON("records: expected an array")
	}
	dec.ReadToken() //nolint:errcheck // peeked above
	for dec.PeekKind() == '{' {
		if len(in.records) == maxRecords {
			return &apiError{status: http.StatusBadRequest, code: "EXCEEDED_ID_LIMIT", message: "record limit reached. cannot submit more than 200 records into this call"}
		}
		if err := in.readPairs(dec); err != nil {
			return malformedJSON("The request is not JSON: " + err.Error())
		}
		if refusal := in.interpret(body, sim, fixed); refusal != nil {
			return refusal
		}
	}
	if dec.PeekKind() != ']' {
		return malformedJSON("records: expected objects")
	}
	dec.ReadToken() //nolint:errcheck // peeked above
	return nil
}

// readPairs reads one record into spans of the body, because its type may come
// after its fields.
func (in *incoming) readPairs(dec *jsontext.Decoder) error {
	in.pairs = in.pairs[:0]
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadValue()
		if err != nil {
			return err
		}
		end := int(dec.InputOffset())
		p := pair{name: span{end - len(name) + 1, end - 1}}
		value, err := dec.ReadValue()
		if err != nil {
			return err
		}
		end = int(dec.InputOffset())
		p.value = span{end - len(value), end}
		in.pairs = append(in.pairs, p)
	}
	_, err := dec.ReadToken()
	return err
}

// interpret turns the pairs into a record.
func (in *incoming) interpret(body []byte, sim *Simulator, fixed *table) *apiError {
	t, refusal := in.tableOf(body, sim, fixed)
	if refusal != nil {
		return refusal
	}
	r := record{table: t, changes: span{from: len(in.changes)}}
	clear(in.seen)
	in.seen = slices.Grow(in.seen[:0], len(t.object.Fields))[:len(t.object.Fields)]
	for i, p := range in.pairs {
		name, value := body[p.name.from:p.name.to], jsontext.Value(body[p.value.from:p.value.to])
		if string(name) == "attributes" {
			continue
		}
		field, known := in.lookUp(t, i, name)
		if !known && sim.custom(string(name)) && value.Kind() == 'n' {
			in.guess[i].name = nil // null tells no type: the field stays absent
			continue
		}
		if !known && sim.custom(string(name)) {
			var err error
			if field, err = sim.newField(t, string(name), value, false); err != nil {
				return unknown(err)
			}
			in.guess[i].field, known = field, true
			in.seen = append(in.seen, false)
		}
		if !known {
			return &apiError{status: http.StatusBadRequest, code: "INVALID_FIELD", message: fmt.Sprintf("No such column '%s' on sobject of type %s", name, t.object.Name)}
		}
		if in.seen[field] {
			return malformedJSON(fmt.Sprintf("Duplicate field: %s at [line:1, column:%d]", name, p.value.to))
		}
		in.seen[field] = true
		f := &t.object.Fields[field]
		from := len(in.texts)
		texts, fault, err := f.check(in.texts, value)
		in.texts = texts
		if err != nil {
			return malformedJSON(fmt.Sprintf("%v at [line:1, column:%d]", err, p.value.to))
		}
		switch {
		case field == fieldID:
			r.id, r.named = string(in.texts[from:]), true
		case f.ReadOnly:
			r.errs = append(r.errs, fieldError{"INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: " + f.Name + ". Please check the security settings of this field and verify that it is read/write for your profile or permission set.", f.Name})
		case fault != nil:
			r.errs = append(r.errs, *fault)
		default:
			in.changes = append(in.changes, change{field, span{from, len(in.texts)}})
		}
	}
	r.changes.to = len(in.changes)
	in.records = append(in.records, r)
	return nil
}

// lookUp finds a field, first where the previous record had it.
func (in *incoming) lookUp(t *table, i int, name []byte) (int, bool) {
	if i < len(in.guess) && bytes.Equal(in.guess[i].name, name) && len(in.records) > 0 && in.records[len(in.records)-1].table == t {
		return in.guess[i].field, true
	}
	field, known := t.field(string(name))
	for len(in.guess) <= i {
		in.guess = append(in.guess, guess{})
	}
	in.guess[i] = guess{name, field}
	return field, known
}

// tableOf is the object that attributes.type names.
func (in *incoming) tableOf(body []byte, sim *Simulator, fixed *table) (*table, *apiError) {
	for _, p := range in.pairs {
		if string(body[p.name.from:p.name.to]) != "attributes" {
			continue
		}
		raw := body[p.value.from:p.value.to]
		if n := len(in.records); n > 0 && bytes.Equal(raw, in.attributes) {
			return in.records[n-1].table, nil
		}
		in.attributes = raw
		name := typeName(raw)
		if fixed != nil && strings.EqualFold(name, fixed.object.Name) {
			return fixed, nil
		}
		t, err := sim.object(name)
		if err != nil {
			return nil, unknown(err)
		}
		if t == nil || fixed != nil {
			return nil, &apiError{status: http.StatusBadRequest, code: "INVALID_TYPE", message: fmt.Sprintf("sObject type '%s' is not supported.", name)}
		}
		return t, nil
	}
	if in.alone {
		return fixed, nil
	}
	return nil, &apiError{status: http.StatusBadRequest, code: "INVALID_INPUT", message: "Include the attributes.type of each record"}
}

// typeName reads {"type":"Account"}; other members are ignored, as Salesforce does.
func typeName(v jsontext.Value) string {
	const plain = `{"type":"`
	if s := string(v); strings.HasPrefix(s, plain) && strings.IndexByte(s[len(plain):], '"') == len(s)-len(plain)-2 {
		return s[len(plain) : len(s)-2]
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(v))
	for {
		name, err := dec.ReadToken()
		if err != nil {
			return ""
		}
		if name.Kind() == '"' && name.String() == "type" {
			value, err := dec.ReadToken()
			if err != nil || value.Kind() != '"' {
				return ""
			}
			return value.String()
		}
	}
}
