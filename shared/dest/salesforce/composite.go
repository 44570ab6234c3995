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

// composite writes a composite request of queries: their length would not fit
// into an address of its own.
func (c *client) composite(queries []string) []byte {
	b := []byte(`{"allOrNone":false,"compositeRequest":[`)
	for i, q := range queries {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"method":"GET","referenceId":"`...)
		b = append(b, reference(i)...)
		b = append(b, `","url":`...)
		b = rawjson.AppendQuote(b, c.data+"query?q="+url.QueryEscape(q))
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
	parts := make([]part, 0, n)
	w := rawjson.Members(body).AnyDepth()
	for w.Next() {
		if !w.Named("compositeResponse") {
			continue
		}
		list := w.Into()
		for list.Next() {
			p := list.Into()
			parts = append(parts, decodePart(&p))
			list.Leave(&p)
		}
		w.Leave(&list)
	}
	if w.Err() != nil {
		return nil, errShape
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

func decodePart(w *rawjson.Walker) (p part) {
	for w.Next() {
		switch {
		case w.Named("httpStatusCode"):
			status, _ := rawjson.Int(w.Value())
			p.status = int(status)
		case w.Named("referenceId"):
			p.reference, _ = rawjson.Text(w.Value())
		case w.Named("body"):
			p.body = w.Value()
		}
	}
	return p
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
