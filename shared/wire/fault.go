package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
)

// The rules by which a row is refused before it is looked into.
const (
	NotAnObject  = "not_an_object"
	DuplicateKey = "duplicate_key"
	InvalidUTF8  = "invalid_utf8"
	InvalidJSON  = "invalid_json"
	TooDeep      = "too_deep"
)

// mend judges a value that Checker is not sure of; deepest is how deep it nests.
// Beside a fault the value comes back as text that can be stored: duplicate keys
// stay, broken characters become U+FFFD, and columns that nest too deep become
// null. A value with the fault InvalidJSON is no JSON whatever is done to it.
func mend(v jsontext.Value, deepest int) (jsontext.Value, *row.Fault) {
	v, fault := shallow(v, deepest)
	if flawed := flaw(v); fault == nil || flawed != nil && flawed.Rule == InvalidJSON {
		fault = flawed
	}
	if fault == nil || fault.Rule == InvalidJSON {
		return v, fault
	}
	mended, err := jsontext.AppendFormat(nil, v, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return nil, invalid("")
	}
	return mended, fault
}

// shallow replaces columns that nest deeper than MaxDepth by null.
func shallow(v jsontext.Value, deepest int) (jsontext.Value, *row.Fault) {
	if deepest <= rawjson.MaxDepth {
		return v, nil
	}
	field, kept := "", []byte("null")
	if v.Kind() == '{' {
		kept = append(kept[:0], '{')
		w := rawjson.Members(v).AnyDepth()
		for w.Next() {
			if len(kept) > 1 {
				kept = append(kept, ',')
			}
			kept = append(append(kept, w.Quoted()...), ':')
			if _, levels := rawjson.Extent(w.Value(), 0); levels < rawjson.MaxDepth {
				kept = append(kept, w.Value()...)
				continue
			}
			kept = append(kept, "null"...)
			if field == "" {
				name, _ := rawjson.Text(w.Quoted())
				field = shorten(name)
			}
		}
		if w.Err() != nil {
			return v, invalid("")
		}
		kept = append(kept, '}')
	}
	return kept, &row.Fault{Field: field, Rule: TooDeep, Message: fmt.Sprintf("%s nests %d levels of arrays and objects, at most %d are taken; "+
		"select the parts that are needed in the model", place(field), deepest, rawjson.MaxDepth)}
}

func notAnObject(v jsontext.Value) *row.Fault {
	return &row.Fault{Rule: NotAnObject, Message: fmt.Sprintf("the row is %s; pass the whole row as an object, as %s makes it", kindName(v.Kind()), row.SnowflakeRow)}
}

func invalid(field string) *row.Fault {
	return &row.Fault{Field: field, Rule: InvalidJSON, Message: place(field) + " is not valid JSON; " +
		"build the row with " + row.SnowflakeRow + " or PARSE_JSON"}
}

// flaw says what is wrong with one JSON value, nil when nothing is. It names the
// column, and nothing further inside (I6).
func flaw(v jsontext.Value) *row.Fault {
	if v.IsValid() {
		return nil
	}
	_, err := jsontext.NewDecoder(bytes.NewBuffer(v)).ReadValue()
	field, depth := "", 0
	if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok && v.Kind() == '{' {
		for name := range s.JSONPointer.Tokens() {
			if depth++; depth == 1 {
				field = shorten(name)
			}
		}
	}
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName) && depth <= 1 && field != "":
		return &row.Fault{Field: field, Rule: DuplicateKey, Message: fmt.Sprintf("the key %q comes twice; "+
			"give the columns of the model different names", field)}
	case errors.Is(err, jsontext.ErrDuplicateName):
		return &row.Fault{Field: field, Rule: DuplicateKey, Message: place(field) + " holds an object with one key twice; " +
			"give its keys different names"}
	case v.IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)):
		return &row.Fault{Field: field, Rule: InvalidUTF8, Message: place(field) + " holds bytes that are no UTF-8 text; " +
			"convert it to UTF-8 in the model, or pass binary data as hex or base64"}
	}
	if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok && notFinite(v, int(s.ByteOffset)) {
		return &row.Fault{Field: field, Rule: InvalidJSON, Message: place(field) + " is NaN or infinite, for which JSON has no number; " +
			"make it NULL in the model"}
	}
	return invalid(field)
}

// notFinite reports whether a float that JSON has no number for, as DuckDB and some
// encoders write it, stands where the reader stopped: at its first letter or within it.
func notFinite(v jsontext.Value, stopped int) bool {
	const longest = len("-Infinity")
	begin := max(0, min(stopped, len(v))-longest)
	near := v[begin:min(len(v), begin+2*longest)]
	for _, word := range []string{"NaN", "Infinity"} {
		at := bytes.Index(near, []byte(word))
		if at >= 0 && begin+at <= stopped && stopped <= begin+at+len(word) {
			return true
		}
	}
	return false
}

// maxField is how many bytes of a column's name are told and stored. No warehouse has
// longer names (Snowflake: 255 characters); a faulty object's keys may be anything.
const maxField = 255

func shorten(name string) string {
	if len(name) <= maxField {
		return name
	}
	return strings.ToValidUTF8(name[:maxField-len("…")], "") + "…"
}

func place(field string) string {
	if field == "" {
		return "the row"
	}
	return fmt.Sprintf("column %q", field)
}

// kindName names a JSON value's kind for a person.
func kindName(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "an array"
	}
	return "no JSON value"
}
