package snowflake

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
)

// Object is the JSON object that an OBJECT or VARIANT argument holds. Snowflake
// may send it as raw JSON or as a JSON string; in the second case its text is
// appended to scratch, which is returned grown, and checked as strictly as
// Decode checks the first. What is no object is a Fault: not_an_object,
// duplicate_key, invalid_utf8 or invalid_json.
func Object(v jsontext.Value, scratch []byte) (jsontext.Value, []byte, *row.Fault) {
	switch v.Kind() {
	case '{':
		return v, scratch, nil
	case '"':
	default:
		return nil, scratch, notAnObject(v)
	}
	start := len(scratch)
	scratch, err := jsontext.AppendUnquote(scratch, v)
	if err != nil {
		return nil, scratch[:start], flaw(v)
	}
	text := jsontext.Value(bytes.TrimSpace(scratch[start:]))
	if text.Kind() != '{' {
		return nil, scratch[:start], notAnObject(v)
	}
	if fault := flaw(text); fault != nil {
		return nil, scratch[:start], fault
	}
	return text[:len(text):len(text)], scratch, nil
}

func notAnObject(v jsontext.Value) *row.Fault {
	return &row.Fault{Rule: "not_an_object", Message: fmt.Sprintf("the row is %s; pass the whole row as an object: OBJECT_CONSTRUCT_KEEP_NULL(*)", kind(v.Kind()))}
}

// flaw says what is wrong with one JSON value, nil when nothing is.
func flaw(v jsontext.Value) *row.Fault {
	if v.IsValid() {
		return nil
	}
	_, err := jsontext.NewDecoder(bytes.NewBuffer(v)).ReadValue()
	var s *jsontext.SyntacticError
	field := ""
	if errors.As(err, &s) && v.Kind() == '{' {
		field = topLevel(s.JSONPointer)
	}
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return &row.Fault{Field: field, Rule: "duplicate_key", Message: fmt.Sprintf("the key %q comes twice in one object; "+
			"give the columns of the model different names", s.JSONPointer.LastToken())}
	case v.IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)):
		return &row.Fault{Field: field, Rule: "invalid_utf8", Message: place(field) + " holds bytes that are no UTF-8 text; " +
			"convert it to UTF-8 in the model, or pass binary data as hex or base64"}
	}
	return &row.Fault{Field: field, Rule: "invalid_json", Message: place(field) + " is not valid JSON; " +
		"build the row with OBJECT_CONSTRUCT_KEEP_NULL(*) or PARSE_JSON"}
}

func place(field string) string {
	if field == "" {
		return "the row"
	}
	return fmt.Sprintf("column %q", field)
}

// topLevel is the first name of a pointer: the column.
func topLevel(p jsontext.Pointer) string {
	for name := range p.Tokens() {
		return name
	}
	return ""
}
