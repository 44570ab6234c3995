package salesforce

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/rawjson"
)

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

// A room is what is left of one query.
type room struct{ terms, likes, bytes int }

func newRoom() room { return room{terms: termsPerQuery, likes: likesPerQuery, bytes: maxAddress} }

// take makes room for a question, and reports whether it had to begin a query.
func (r *room) take(q question, field string) (fresh bool) {
	size := q.size(field)
	if r.terms < len(q.equals) || r.likes < len(q.likes) || r.bytes < size {
		*r, fresh = newRoom(), true
	}
	r.terms -= len(q.equals)
	r.likes -= len(q.likes)
	r.bytes -= size
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
	return "SELECT Id, " + field + " FROM " + d.def.Object + " WHERE " + where
}

// "SOQL and SOSL Reference", Quoted String Escape Sequences.
var (
	escapeText = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\b", `\b`, "\f", `\f`)
	escapeLike = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\b", `\b`, "\f", `\f`, `%`, `\%`, `_`, `\_`)
)

// composite writes a composite request of queries: their length would not fit
// into an address of its own.
func (d *destination) composite(queries []string) []byte {
	b := []byte(`{"allOrNone":false,"compositeRequest":[`)
	for i, q := range queries {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"method":"GET","referenceId":"`...)
		b = append(b, reference(i)...)
		b = append(b, `","url":`...)
		b = rawjson.AppendQuote(b, d.client.data+"query?q="+url.QueryEscape(q))
		b = append(b, '}')
	}
	return append(b, "]}"...)
}

// reference names a query within its request.
func reference(i int) string { return "q" + strconv.Itoa(i) }

// A part is the answer of one query of a composite request, its body a span of the
// whole's.
type part struct {
	status    int
	reference string
	body      jsontext.Value
}

// decodeComposite reads the parts of an answer, one for each of n queries and in
// their order.
func decodeComposite(body []byte, n int) ([]part, error) {
	if err := whole(body); err != nil {
		return nil, err
	}
	var parts []part
	err := members(body, func(name string, v jsontext.Value) error {
		if name != "compositeResponse" {
			return nil
		}
		return elements(v, func(v jsontext.Value) error {
			p, err := decodePart(v)
			parts = append(parts, p)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	if len(parts) != n {
		return nil, fmt.Errorf("it has %d parts for %d queries", len(parts), n)
	}
	for i, p := range parts {
		if p.reference != reference(i) || p.status == 0 || len(p.body) == 0 {
			return nil, errShape
		}
	}
	return parts, nil
}

func decodePart(v jsontext.Value) (p part, err error) {
	err = members(v, func(name string, v jsontext.Value) error {
		switch name {
		case "httpStatusCode":
			status, _ := rawjson.Int(v)
			p.status = int(status)
		case "referenceId":
			p.reference, _ = rawjson.Text(v)
		case "body":
			p.body = v
		}
		return nil
	})
	return p, err
}

// failure is the error of a query that failed, nil when it did not: its keys would
// look missing.
func (p part) failure(op string) error {
	if p.status >= 200 && p.status <= 299 {
		return nil
	}
	errs := readErrors(p.body)
	if len(errs) == 0 || p.status >= 500 {
		e := &dest.CallError{Op: op, Class: dest.Unavailable, Code: strconv.Itoa(p.status), Received: true, Message: "a query failed with status " + strconv.Itoa(p.status)}
		if len(errs) > 0 {
			e.Code, e.Message = errs[0].code, e.Message+": "+errs[0].code+": "+withoutQuery(errs[0])
		}
		return e
	}
	errs[0].message = withoutQuery(errs[0])
	// A query names its object: what is not found is never the API version's.
	return callError(request{op: op, path: "composite/sobjects/", method: http.MethodGet}, p.status, errs[0], 0)
}

// withoutQuery is a query error's message without the part of the query that
// Salesforce quotes above it: keys are row values (I6).
func withoutQuery(e vendorError) string {
	_, rest, quoted := strings.Cut(e.message, "ERROR at Row:")
	if _, text, ok := strings.Cut(rest, "\n"); quoted && ok && e.code != "MALFORMED_QUERY" {
		return text
	}
	if quoted || e.code == "MALFORMED_QUERY" {
		return "Salesforce cannot read the lookup's query: check match.destination, and that match.data_type is its type"
	}
	return masked(e.message)
}
