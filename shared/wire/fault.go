package wire

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
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
	NotFinite    = "not_finite"
	TooDeep      = "too_deep"
)

// mend judges a value that Checker is not sure of; deepest is how deep it nests.
// Beside a fault the value comes back as text that can be stored: duplicate keys
// stay, broken characters become U+FFFD, and columns that nest too deep become null,
// as do words that JSON has no value for. A value with the fault InvalidJSON is no JSON
// whatever is done to it.
func mend(v jsontext.Value, deepest int) (jsontext.Value, *row.Fault) {
	v, fault := shallow(v, deepest)
	if flawed := flaw(v); fault == nil || flawed != nil && flawed.Rule == InvalidJSON {
		fault = flawed
	}
	if fault != nil && fault.Rule == InvalidJSON {
		if plain, word := withoutWords(v); word != "" {
			if left := flaw(plain); left == nil || left.Rule != InvalidJSON {
				v, fault = plain, &row.Fault{Field: fault.Field, Rule: NotFinite, Message: place(fault.Field) + " holds " + word + ", for which JSON has no value; " +
					"make it NULL in the model"}
			}
		}
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
	return invalid(field)
}

// words are what encoders write where JSON has no value: floats that are not finite, and
// an array's element that was never set.
var words = []string{"NaN", "nan", "-NaN", "-nan", "Infinity", "-Infinity", "inf", "-inf", "Inf", "-Inf", "undefined"}

// withoutWords writes null in place of each of the words that stands by itself, outside of
// a text, and tells the first; "" where none does.
func withoutWords(v jsontext.Value) (plain jsontext.Value, first string) {
	for i := 0; i < len(v); {
		end := i + 1
		switch c := v[i]; {
		case c == '"':
			if end = rawjson.StringEnd(v, i); end < 0 {
				return nil, ""
			}
		case bare(c):
			for end < len(v) && bare(v[end]) {
				end++
			}
			if word := string(v[i:end]); slices.Contains(words, word) {
				plain = append(plain, "null"...)
				first, i = cmp.Or(first, word), end
				continue
			}
		}
		plain = append(plain, v[i:end]...)
		i = end
	}
	return plain, first
}

// bare reports whether a byte may be part of a value that stands without quotes.
func bare(c byte) bool {
	return c == '-' || c == '+' || c == '.' || c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
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
