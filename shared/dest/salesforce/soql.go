package salesforce

import "strings"

// Lookups go out as composite requests of up to 5 queries. The sizes keep a query
// far below the vendor's 100,000 characters, its address below the 16,384 bytes
// that hold for addresses elsewhere (none is documented for a subrequest's), and
// its answer mostly within one page of 2,000 rows.
const (
	queriesPerCall = 5
	likesPerQuery  = 200
	termsPerQuery  = 400
	maxAddress     = 15_000 // bytes of a query in an address, percent-encoded
	// maxLiteral is characters of a string in WHERE ("Salesforce Developer Limits and
	// Allocations Quick Reference"), counted as Java does, in UTF-16 units, and after
	// escaping, since which of the two is meant is not said.
	maxLiteral = 4000
)

// A question is what is asked for one key: literals that the field may equal and
// patterns that it may be LIKE, escaped and quoted.
type question struct {
	equals []string
	likes  []string
}

// size is what a question adds to a query's address, in bytes.
func (q question) size(field string) int {
	n := 0
	for _, text := range q.equals {
		n += escapedLen(text) + len("%2C")
	}
	for _, text := range q.likes {
		n += escapedLen(text) + len("+OR+") + len(field) + len("+LIKE+")
	}
	return n
}

// escapedLen is the length of url.QueryEscape(s).
func escapedLen(s string) int {
	n := len(s)
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~', c == ' ':
		default:
			n += 2
		}
	}
	return n
}

// A budget is what is left of one query.
type budget struct{ terms, likes, bytes int }

func newBudget() budget { return budget{terms: termsPerQuery, likes: likesPerQuery, bytes: maxAddress} }

// take makes room for a question, and reports whether it had to begin a query.
func (b *budget) take(q question, field string) (fresh bool) {
	size := q.size(field)
	if b.terms < len(q.equals) || b.likes < len(q.likes) || b.bytes < size {
		*b, fresh = newBudget(), true
	}
	b.terms -= len(q.equals)
	b.likes -= len(q.likes)
	b.bytes -= size
	return fresh
}

// statement writes the SOQL of some questions.
func (d *destination) statement(questions []question) string {
	field := d.def.Match.Destination
	var in, or strings.Builder
	for _, q := range questions {
		for _, text := range q.equals {
			if in.Len() > 0 {
				in.WriteByte(',')
			}
			in.WriteString(text)
		}
		for _, text := range q.likes {
			or.WriteString(" OR " + field + " LIKE " + text)
		}
	}
	where := strings.TrimPrefix(or.String(), " OR ")
	if in.Len() > 0 {
		where = field + " IN (" + in.String() + ")" + or.String()
	}
	fields := "Id, " + field
	if d.write == insertOnly {
		fields = "Id, " + createdField + ", " + field
	}
	return "SELECT " + fields + " FROM " + d.def.Object + " WHERE " + where
}

// "SOQL and SOSL Reference", Quoted String Escape Sequences.
var (
	escapeText = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\b", `\b`, "\f", `\f`)
	escapeLike = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\b", `\b`, "\f", `\f`, `%`, `\%`, `_`, `\_`, anything, `_%`)
)
