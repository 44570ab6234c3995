package salesforce

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// A fieldError is one entry of a record's errors.
type fieldError struct {
	code    string
	message string
	field   string
}

// A kindError is a JSON value of the wrong kind: Salesforce refuses the whole
// call for it.
type kindError struct{ message string }

func (e *kindError) Error() string { return e.message }

// check turns a JSON value into the text that the field keeps ("" for null),
// appended to dst. It answers a *kindError for a value that cannot be read as the
// field's type, and a fieldError for one that the record is refused for.
func (f *Field) check(dst []byte, v jsontext.Value) ([]byte, *fieldError, error) {
	kind := v.Kind()
	if kind == 'n' {
		return dst, f.checkNull(), nil
	}
	if kind == '{' || kind == '[' {
		return dst, nil, f.unreadable(map[jsontext.Kind]string{'{': "START_OBJECT", '[': "START_ARRAY"}[kind], v)
	}
	start := len(dst)
	switch {
	case kind != '"':
		dst = append(dst, v...)
	case bytes.IndexByte(v, '\\') < 0:
		dst = append(dst, v[1:len(v)-1]...)
	default:
		var err error
		if dst, err = jsontext.AppendUnquote(dst, v); err != nil {
			return dst, nil, f.unreadable("VALUE_STRING", v)
		}
	}
	if kind == '"' && f.Type.isText() {
		dst = append(dst[:start], bytes.Trim(dst[start:], blanks)...)
	}
	if len(dst) == start {
		return dst, f.checkNull(), nil // "" is null
	}
	switch {
	case f.Type.isNumber():
		return f.checkNumber(dst, start, kind)
	case f.Type == Boolean:
		if got := string(dst[start:]); got != "true" && got != "false" {
			return dst, nil, f.unreadable("VALUE_STRING", v)
		}
		return dst, nil, nil
	case kind != '"':
		return dst, nil, f.unreadable(map[jsontext.Kind]string{'0': "VALUE_NUMBER_INT", 't': "VALUE_TRUE", 'f': "VALUE_FALSE"}[kind], v)
	case f.Type == DateTime:
		var buf [32]byte
		stored, ok := appendDateTime(buf[:0], dst[start:])
		if !ok {
			return dst, nil, f.unreadable("VALUE_STRING", v)
		}
		return append(dst[:start], stored...), f.checkRange(stored), nil
	case f.Type == Date:
		if _, err := time.Parse(time.DateOnly, string(dst[start:])); err != nil {
			return dst, nil, f.unreadable("VALUE_STRING", v)
		}
		return dst, f.checkRange(dst[start:]), nil
	case f.Type == Reference:
		id := string(dst[start:])
		if !validID(id) {
			return dst, &fieldError{"MALFORMED_ID", fmt.Sprintf("%s: id value of incorrect type: %s", f.label(), clip(dst[start:])), f.Name}, nil
		}
		return appendID18(dst[:start], id), nil, nil
	case f.Type == MultiPicklist:
		dst, fault := f.checkMulti(dst, start)
		return dst, fault, nil
	}
	return dst, f.checkText(dst[start:]), nil
}

// checkNull refuses what a checkbox cannot be.
func (f *Field) checkNull() *fieldError {
	if f.Type != Boolean {
		return nil
	}
	return &fieldError{"INVALID_TYPE_ON_FIELD_IN_RECORD", f.label() + ": value not of required type: ", f.Name}
}

// blanks are what Salesforce takes off both ends of a text; a no-break space stays
// ("Apex Developer Guide", Primitive Data Types: sObject strings).
const blanks = " \t\r\n\f\v"

// checkRange enforces the dates that Salesforce keeps ("SOQL and SOSL Reference",
// Date Formats and Date Literals). Which code it refuses others with is not
// published; this one was seen.
func (f *Field) checkRange(b []byte) *fieldError {
	if text := string(b); text >= "1700-01-01" && text <= "4000-12-31T00:00:00.000+0000" {
		return nil
	}
	return &fieldError{"FIELD_INTEGRITY_EXCEPTION", f.label() + ": date out of range", f.Name}
}

func (f *Field) unreadable(token string, v jsontext.Value) error {
	return &kindError{fmt.Sprintf("Cannot deserialize instance of %s from %s value %s or request may be missing a required field", f.Type, token, strings.Trim(string(v), `"`))}
}

// checkText enforces length, picklist and email format.
func (f *Field) checkText(b []byte) *fieldError {
	if f.Length > 0 && tooLongText(b, f.Length) {
		return &fieldError{"STRING_TOO_LONG", fmt.Sprintf("%s: data value too large: %s (max length=%d)", f.label(), clip(b), f.Length), f.Name}
	}
	switch f.Type {
	case Picklist:
		if !f.Restricted {
			return nil
		}
		for _, v := range f.Values {
			if strings.EqualFold(v, string(b)) {
				return nil
			}
		}
		return &fieldError{"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", fmt.Sprintf("%s: bad value for restricted picklist field: %s", f.label(), clip(b)), f.Name}
	case Email:
		if !emailLike(b) {
			return &fieldError{"INVALID_EMAIL_ADDRESS", fmt.Sprintf("%s: invalid email address: %s", f.label(), clip(b)), f.Name}
		}
	}
	return nil
}

// checkNumber rounds to the field's scale and enforces its precision.
func (f *Field) checkNumber(dst []byte, start int, kind jsontext.Kind) ([]byte, *fieldError, error) {
	if kind != '"' && kind != '0' {
		return dst, nil, f.unreadable("VALUE_TRUE", jsontext.Value(dst[start:]))
	}
	if f.Type == Int && !isInt(dst[start:]) {
		return dst, nil, f.unreadable("VALUE_NUMBER_FLOAT", jsontext.Value(dst[start:]))
	}
	whole := f.Precision - f.Scale
	if records.FitsPlainly(dst[start:], whole, f.Scale) {
		return dst, nil, nil
	}
	rounded, verdict := records.Round(nil, dst[start:], whole, f.Scale)
	switch verdict {
	case records.Bad:
		return dst, nil, f.unreadable("VALUE_STRING", jsontext.Value(dst[start:]))
	case records.TooLarge:
		return dst, &fieldError{"NUMBER_OUTSIDE_VALID_RANGE", fmt.Sprintf("%s: value outside of valid range on numeric field: %s", f.label(), clip(dst[start:])), f.Name}, nil
	}
	if rounded != nil {
		dst = append(dst[:start], rounded...)
	}
	return dst, nil, nil
}

// isInt reports whether a number is written as a whole one and has 32 bits.
func isInt(b []byte) bool {
	_, err := strconv.ParseInt(string(b), 10, 32)
	return err == nil
}

func (f *Field) label() string {
	if f.Label != "" {
		return f.Label
	}
	return strings.ReplaceAll(strings.TrimSuffix(f.Name, "__c"), "_", " ")
}

// clip shortens a value for a message.
func clip(b []byte) string {
	if len(b) <= 255 {
		return string(b)
	}
	cut := 255
	for cut > 0 && !utf8.RuneStart(b[cut]) {
		cut--
	}
	return string(b[:cut]) + "..."
}

// emailLike is Salesforce's check as far as it shows: one @ with something before
// it, a dotted domain after it, and no white space.
func emailLike(b []byte) bool {
	at := bytes.IndexByte(b, '@')
	if at < 1 {
		return false
	}
	for i, c := range b {
		switch c {
		case ' ', '\t', '\r', '\n', ',', ';', '<', '>', '(', ')':
			return false
		case '@':
			if i != at {
				return false
			}
		}
	}
	host := b[at+1:]
	dot := bytes.LastIndexByte(host, '.')
	return dot > 0 && dot < len(host)-1 && host[0] != '.' && !bytes.Contains(host, []byte(".."))
}
