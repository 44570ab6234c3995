package hubspot

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxText is how many characters a text may have.
const maxText = 65_536

var (
	decimals = regexp.MustCompile(`^-?\d+(\.\d+)?$`)
	address  = regexp.MustCompile(`^[^\s@<>()",;:\\\[\]]+@[^\s@.<>()",;:\\\[\]]+(\.[^\s@.<>()",;:\\\[\]]+)+$`)
)

// layouts are those of times. Milliseconds are taken beside them.
var layouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateOnly}

// A badValue is one entry of "Property values were not valid: [...]".
type badValue struct {
	Valid   bool   `json:"isValid"`
	Message string `json:"message"`
	Error   string `json:"error"`
	Name    string `json:"name"`
}

// kept is a value as it is stored, or why it is refused.
func (p *Property) kept(value, before string) (string, *badValue) {
	bad := func(code, format string, args ...any) (string, *badValue) {
		return "", &badValue{Message: fmt.Sprintf(format, args...), Error: code, Name: p.Name}
	}
	if value == "" {
		return "", nil
	}
	switch value = p.trimmed(value); p.Type {
	case "number":
		if !decimals.MatchString(value) {
			return bad("INVALID_INTEGER", "%s was not a valid number.", value)
		}
	case "bool":
		if value != "true" && value != "false" {
			return bad("INVALID_OPTION", "%s was not one of the allowed options: [true, false]", value)
		}
	case "date":
		return p.day(value, bad)
	case "datetime":
		if t, ok := moment(value); ok {
			return t.Format(instant), nil
		}
		return bad("INVALID_DATE", "%s is not a valid datetime", value)
	case "enumeration":
		return p.chosen(value, before, bad)
	default:
		if utf8.RuneCountInString(value) > maxText {
			return bad("STRING_TOO_LONG", "the value for %s is longer than %d characters", p.Name, maxText)
		}
		if p.Name == propEmail {
			value = strings.ToLower(value)
			if !address.MatchString(value) {
				return bad("INVALID_EMAIL", "Email address %s is invalid", value)
			}
		}
	}
	return value, nil
}

// trimmed is a value without outer white space where the property is none of texts: of a
// text it is a part, in an address too, which is then none. A blank alone is left.
func (p *Property) trimmed(value string) string {
	if text := strings.TrimSpace(value); p.Type != "string" && text != "" {
		return text
	}
	return value
}

// moment reads a date or a time, or milliseconds.
func moment(value string) (time.Time, bool) {
	if ms, err := strconv.ParseInt(value, 10, 64); err == nil {
		return time.UnixMilli(ms).UTC(), true
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, value); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

type refuser func(code, format string, args ...any) (string, *badValue)

// day takes YYYY-MM-DD, or milliseconds of midnight UTC.
func (p *Property) day(value string, bad refuser) (string, *badValue) {
	if _, err := time.Parse(time.DateOnly, value); err == nil {
		return value, nil
	}
	if ms, err := strconv.ParseInt(value, 10, 64); err == nil {
		if t := time.UnixMilli(ms).UTC(); t.Equal(t.Truncate(24 * time.Hour)) {
			return t.Format(time.DateOnly), nil
		}
		return bad("INVALID_DATE", "%s is at a time of day, not midnight UTC", value)
	}
	return bad("INVALID_DATE", "%s is not a valid date", value)
}

// chosen takes internal values, several where the property has check boxes; a leading
// semicolon adds to what is there.
func (p *Property) chosen(value, before string, bad refuser) (string, *badValue) {
	if p.External {
		return value, nil
	}
	values := []string{value}
	if p.FieldType == "checkbox" {
		values = strings.Split(strings.TrimPrefix(value, ";"), ";")
	}
	for _, v := range values {
		if !slices.Contains(p.Options, v) {
			return bad("INVALID_OPTION", "%s was not one of the allowed options: [%s]", v, strings.Join(p.Options, ", "))
		}
	}
	if strings.HasPrefix(value, ";") && before != "" {
		for _, v := range strings.Split(before, ";") {
			if !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
	}
	return strings.Join(values, ";"), nil
}

// notValid is the failure of values.
func notValid(bad []badValue) *failure {
	b, err := json.Marshal(bad)
	if err != nil {
		panic("hubspot: an answer: " + err.Error())
	}
	f := invalid("Property values were not valid: %s", b)
	for _, one := range bad {
		f.Errors = append(f.Errors, detail{Message: one.Message, Code: one.Error, Context: map[string][]string{"propertyName": {one.Name}}})
	}
	return f
}
