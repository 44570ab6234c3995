package salesforce

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
)

// quoting are the phrases behind which Salesforce quotes a row's value, as the
// messages of "SOAP API Developer Guide", StatusCode, and of the REST API's JSON
// reader have them. The first group stays, and the last.
var quoting = []*regexp.Regexp{
	regexp.MustCompile(`(?s)(data value too large: ).*?( \(max length=\d+\))`),
	regexp.MustCompile(`(?s)(value outside of valid range on numeric field: ).*()`),
	regexp.MustCompile(`(?s)(invalid email address: ).*()`),
	regexp.MustCompile(`(?s)(bad value for restricted picklist field: ).*()`),
	regexp.MustCompile(`(?s)(id value of incorrect type: ).*()`),
	regexp.MustCompile(`(?s)([Mm]alformed id:? ).*()`),
	regexp.MustCompile(`(?s)(invalid ID field: ).*()`),
	regexp.MustCompile(`(?s)(bad id ).*()`),
	regexp.MustCompile(`(?s)([Ff]oreign key external ID: ).*?( not found for field|$)`),
	regexp.MustCompile(`(?s)(duplicate external id specified: ).*()`),
	regexp.MustCompile(`(?s)(alue not of required type: ).*()`),
	regexp.MustCompile(`(?s)(For input string: ).*()`),
	// A query that is refused is quoted around the place, with its literals.
	regexp.MustCompile(`(?s)^().+?(\s*\^?\s*ERROR at Row:\d+:Column:\d+)`),
	regexp.MustCompile(`(?s)(unexpected token: ).*()`),
	regexp.MustCompile(`(?s)( from VALUE_\w+ value ).*?( or request may be missing|$)`),
}

const hiddenValue = "(value)"

// masked takes out what a message quotes of a row (I6), as far as its wording
// tells.
func masked(message string) string {
	for _, q := range quoting {
		message = q.ReplaceAllString(message, "${1}"+hiddenValue+"${2}")
	}
	return message
}

// hidden takes out the row's own values, wherever a message has them: an
// organisation's validation rules and triggers word theirs as they like.
func hidden(message string, r *dest.Record) string {
	message = without(message, r.Key)
	message = without(message, strings.TrimSpace(r.Match))
	for i := range r.Fields {
		v := r.Fields[i].Value
		switch v.Kind() {
		case '"':
			if text, err := jsontext.AppendUnquote(nil, v); err == nil {
				message = without(message, strings.TrimSpace(string(text)))
			}
		case '0':
			message = without(message, string(v))
		}
	}
	return message
}

// without replaces a value where it stands as a word of its own. Shorter ones than
// three characters tell nothing, and stand in most sentences.
func without(message, value string) string {
	if utf8.RuneCountInString(value) < 3 || !strings.Contains(message, value) {
		return message
	}
	var b strings.Builder
	for at := 0; at < len(message); {
		rest := message[at:]
		before, _ := utf8.DecodeLastRuneInString(message[:at])
		after := rune(utf8.RuneError)
		found := strings.HasPrefix(rest, value)
		if found {
			after, _ = utf8.DecodeRuneInString(rest[len(value):])
		}
		if found && !letter(before) && !letter(after) {
			b.WriteString(hiddenValue)
			at += len(value)
			continue
		}
		_, size := utf8.DecodeRuneInString(rest)
		b.WriteString(rest[:size])
		at += size
	}
	return b.String()
}

func letter(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

// discreet takes the values of a call's records out of its error.
func discreet(err error, b dest.Batch, c dest.Call) error {
	if call := asCallError(err); call != nil {
		for _, at := range c.Records {
			call.Message = hidden(call.Message, &b.Records[at])
		}
	}
	return err
}
