package amplitude

import (
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
)

// What Amplitude keeps of a value ("Limits", "Identify API"). It counts characters;
// UTF-16 units are never fewer.
const (
	maxText  = 1024
	maxDepth = 40
)

// utf16Length counts UTF-16 code units.
func utf16Length(s string) int {
	n := 0
	for _, r := range s {
		if n++; r >= 0x10000 {
			n++
		}
	}
	return n
}

// utf16Quoted counts the UTF-16 units of a JSON string's text.
func utf16Quoted(v jsontext.Value) int {
	if len(v)-2 <= maxText {
		return len(v) - 2 // no text has more units than bytes
	}
	text, _ := rawjson.Text(v)
	return utf16Length(text)
}

// refusal is why Amplitude would not keep a value as it is, "" when it does.
func refusal(v jsontext.Value) (code, message string) {
	switch v.Kind() {
	case '"':
		if utf16Quoted(v) > maxText {
			return codeTooLong, tooLong
		}
	case '{', '[':
		return refusalInside(v)
	}
	return "", ""
}

// The codes of rows that are rejected before they are sent.
const (
	codeTooLong = "value_too_long"
	codeTooDeep = "value_too_deep"
	codeID      = "invalid_id"
	codeNumber  = "not_a_number"
	codeName    = "bad_property_name"

	tooLong = "the value holds a text of more than 1024 characters, which Amplitude would cut: shorten it in the model, or set max_length: 1024 and on_too_long: truncate"
	tooDeep = "the value is nested deeper than 40 levels"
)

// refusalInside looks at the texts, names and depth of an array or object.
func refusalInside(v jsontext.Value) (code, message string) {
	d := jsontext.NewDecoder(strings.NewReader(string(v)))
	for {
		tok, err := d.ReadToken()
		switch {
		case err != nil:
			return "", "" // the end: the mapping makes whole JSON
		case d.StackDepth() > maxDepth:
			return codeTooDeep, tooDeep
		case tok.Kind() == '"' && utf16Length(tok.String()) > maxText:
			return codeTooLong, tooLong
		}
	}
}

// placeholders are ids that stand for nobody: Amplitude refuses them ("How Amplitude
// identifies your users"; compared without case, as it is not told).
var placeholders = map[string]bool{
	"anonymous": true, "nil": true, "none": true, "null": true, "n/a": true, "na": true, "undefined": true, "unknown": true,
	"00000000-0000-0000-0000-000000000000": true, "{}": true, "lmy47d": true, "0": true, "-1": true, "": true,
}

// idRefusal is why an id is not sent, "" for one that is. It names no id.
func idRefusal(what, id string, least int) string {
	switch n := utf8.RuneCountInString(id); {
	case placeholders[strings.ToLower(id)]:
		return what + " is a placeholder that stands for nobody, such as null or unknown: Amplitude takes no such id; leave the row out of the model"
	case n < least:
		return what + " is shorter than Amplitude takes: give longer ones, or set amplitude: {min_id_length: 1} if they are right"
	case utf16Length(id) > maxText:
		return what + " has more than 1024 characters"
	}
	return ""
}
