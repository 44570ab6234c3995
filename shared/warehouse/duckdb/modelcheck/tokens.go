package modelcheck

import "strings"

// A tok is a word, a number, a quoted text or a single mark of a statement.
type tok struct {
	kind  byte // w a word, n a number, ' a text, " a quoted name, else the mark itself
	text  string
	begin int // in bytes
	line  int
	open  bool // a quote that nothing closes
}

func (t tok) end() int { return t.begin + len(t.text) }

// tokens cuts a statement up, without blanks and comments.
func tokens(text string) (out []tok) {
	line := 1
	for i := 0; i < len(text); {
		t := tok{begin: i, line: line}
		n := 1
		switch c := text[i]; {
		case strings.HasPrefix(text[i:], "--"):
			n = length(text[i:], 2, "\n")
		case strings.HasPrefix(text[i:], "/*"):
			n = length(text[i:], 2, "*/")
		case c == '\'' || c == '"':
			t.kind = c
			n = length(text[i:], 1, string(c))
			for n < len(text)-i && text[i+n] == c { // doubled: a part of the text
				n += length(text[i+n:], 1, string(c))
			}
			t.open = n < 2 || text[i+n-1] != c
		case letter(c):
			t.kind = 'w'
			for n < len(text)-i && (letter(text[i+n]) || digit(text[i+n])) {
				n++
			}
		case digit(c):
			t.kind = 'n'
			for n < len(text)-i && (letter(text[i+n]) || digit(text[i+n]) || text[i+n] == '.') {
				n++
			}
		case strings.IndexByte(" \t\r\n\f\v", c) < 0:
			t.kind = c
		}
		if t.kind != 0 {
			t.text = text[i : i+n]
			out = append(out, t)
		}
		line += strings.Count(text[i:i+n], "\n")
		i += n
	}
	return out
}

// length is the length of text up to and with end, looked for from a place on.
func length(text string, from int, end string) int {
	if i := strings.Index(text[from:], end); i >= 0 {
		return from + i + len(end)
	}
	return len(text)
}

func letter(c byte) bool { return c == '_' || c == '$' || c >= 0x80 || c|0x20 >= 'a' && c|0x20 <= 'z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

// keywords end an operand or begin something else than one.
var keywords = words(`SELECT FROM WHERE GROUP ORDER BY HAVING LIMIT OFFSET QUALIFY WINDOW UNION INTERSECT EXCEPT ALL DISTINCT AS ON USING JOIN LEFT RIGHT
	FULL INNER OUTER CROSS NATURAL LATERAL ASOF SEMI ANTI AND OR NOT IN IS LIKE ILIKE BETWEEN WHEN THEN ELSE WITH RECURSIVE ASC DESC NULLS FIRST LAST
	OVER PARTITION FILTER ROWS RANGE COLLATE ESCAPE EXCLUDE REPLACE SAMPLE`)

// clauses are keywords before which a bracket has to be closed.
var clauses = words("FROM WHERE GROUP ORDER HAVING LIMIT AS")

// begins are keywords with which an operand begins.
var begins = words("CASE CAST TRY_CAST NULL TRUE FALSE INTERVAL DATE TIMESTAMP EXISTS")

func words(list string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(list) {
		out[w] = true
	}
	return out
}

// keyword reports whether a token is one.
func (t tok) keyword() bool { return t.kind == 'w' && keywords[strings.ToUpper(t.text)] }

// ends reports whether an operand may end with a token.
func (t tok) ends() bool {
	return t.kind == 'w' && !t.keyword() || t.kind == 'n' || t.kind == '\'' || t.kind == '"' || t.kind == ')' || t.kind == ']'
}

// starts reports whether an operand may begin with a token.
func (t tok) starts() bool {
	return t.kind == 'w' && !t.keyword() || t.kind == 'n' || t.kind == '\'' || t.kind == '"'
}

// name reports whether a token is a name that is written plainly or in quotes.
func (t tok) name() bool {
	return t.kind == '"' || t.kind == 'w' && !t.keyword() && !begins[strings.ToUpper(t.text)]
}

// plain is a name without its quotes.
func (t tok) plain() string {
	if t.kind == '"' {
		return strings.ReplaceAll(strings.Trim(t.text, `"`), `""`, `"`)
	}
	return t.text
}
