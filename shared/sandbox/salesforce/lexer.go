package salesforce

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// A lexeme is one word of a query.
type lexeme struct {
	kind byte // 'w' word or number, 's' string, or the punctuation itself; 0 at the end
	text string
	like []byte // 's': the string as a pattern of the record store
}

// maxQuery is the vendor's cap ("SOQL and SOSL Limits").
const maxQuery = 100_000

// wordLength is how many bytes a lexeme takes in long queries, about: lists of patterns.
const wordLength = 8

// lex cuts a query into lexemes.
func lex(q string) ([]lexeme, error) {
	if utf8.RuneCountInString(q) > maxQuery {
		return nil, fmt.Errorf("SOQL statements can not be longer than 100000 characters")
	}
	out := make([]lexeme, 0, len(q)/wordLength+16)
	for i := 0; i < len(q); {
		c := q[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '\'':
			l, n, err := lexString(q[i:])
			if err != nil {
				return nil, err
			}
			out = append(out, l)
			i += n
		case strings.IndexByte("(),=<>!", c) >= 0:
			n := 1
			if i+1 < len(q) && (c == '!' && q[i+1] == '=' || c == '<' && q[i+1] == '>') {
				n = 2
			}
			l := lexeme{kind: c, text: q[i : i+n]}
			switch {
			case n == 2:
				l.kind = '!'
			case c == '!':
				return nil, fmt.Errorf("unexpected token: '!'")
			}
			out = append(out, l)
			i += n
		default:
			n := strings.IndexAny(q[i:], " \t\n\r'(),=<>!")
			if n < 0 {
				n = len(q) - i
			}
			out = append(out, lexeme{kind: 'w', text: q[i : i+n]})
			i += n
		}
	}
	return append(out, lexeme{}), nil
}

// lexString reads a quoted string with its escapes ("SOQL and SOSL Reference",
// Quoted String Escape Sequences) and answers how many bytes it took.
func lexString(q string) (lexeme, int, error) {
	l := lexeme{kind: 's'}
	var text []byte
	for i := 1; i < len(q); i++ {
		c := q[i]
		switch c {
		case '\'':
			l.text = string(text)
			return l, i + 1, nil
		case '%':
			text, l.like = append(text, c), append(l.like, records.AnyRun)
		case '_':
			text, l.like = append(text, c), append(l.like, records.AnyChar)
		case '\\':
			i++
			if i == len(q) {
				return l, 0, fmt.Errorf("unexpected end of the string")
			}
			plain, used, err := unescape(q[i:])
			if err != nil {
				return l, 0, err
			}
			i += used - 1
			text, l.like = append(text, plain...), append(l.like, plain...)
		default:
			text, l.like = append(text, c), append(l.like, c)
		}
	}
	return l, 0, fmt.Errorf("line 1:0 mismatched character '<EOF>' expecting '''")
}

// unescape reads what follows a backslash.
func unescape(q string) (string, int, error) {
	switch q[0] {
	case 'n', 'N':
		return "\n", 1, nil
	case 'r', 'R':
		return "\r", 1, nil
	case 't', 'T':
		return "\t", 1, nil
	case 'b', 'B':
		return "\b", 1, nil
	case 'f', 'F':
		return "\f", 1, nil
	case '"', '\'', '\\', '%', '_':
		return q[:1], 1, nil
	case 'u':
		if len(q) >= 5 {
			if n, err := strconv.ParseUint(q[1:5], 16, 16); err == nil {
				return string(rune(n)), 5, nil
			}
		}
	}
	return "", 0, fmt.Errorf("Illegal string literal: Invalid string escape '\\%c'", q[0]) //nolint:staticcheck // the vendor's wording
}
