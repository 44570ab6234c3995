package salesforce

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/mapping"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Lookups go out as composite requests of up to 5 queries. The sizes keep a query
// far below the vendor's 100,000 characters, because a subrequest's URL has a cap
// that is not documented, and its answer mostly within one page of 2,000 rows.
const (
	queriesPerCall = 5
	likesPerQuery  = 200
	keysPerQuery   = 400
	maxQueryBytes  = 15_000
	maxNamed       = 3 // ids named in an ambiguous match
)

// Lookups implements pipeline.Destination: records without an id that are matched
// by search, and inserts that an earlier attempt may have sent.
func (s *Salesforce) Lookups(b dest.Batch) []dest.Call {
	var calls []dest.Call
	queries, count, size := 0, 0, 0
	for i := range b.Records {
		r := &b.Records[i]
		if !s.wanted(r) {
			continue
		}
		n := len(s.term(r.Key))
		if len(calls) == 0 || count == s.keysPerQuery() || size+n > maxQueryBytes {
			if len(calls) == 0 || queries == queriesPerCall {
				calls = append(calls, dest.Call{})
				queries = 0
			}
			queries++
			count, size = 0, 0
		}
		last := &calls[len(calls)-1]
		last.Records = append(last.Records, i)
		count, size = count+1, size+n
	}
	return calls
}

// wanted reports whether a record must be looked up before it is written.
func (s *Salesforce) wanted(r *dest.Record) bool {
	if r.ID != "" {
		return false
	}
	return s.search || r.Intent && s.def.Operation == syncdef.Insert && s.def.Match.Destination != ""
}

func (s *Salesforce) keysPerQuery() int {
	if s.def.Strategy == syncdef.MatchEmailDomain {
		return likesPerQuery
	}
	return keysPerQuery
}

// term is a key's part of WHERE.
func (s *Salesforce) term(key string) string {
	if s.def.Strategy == syncdef.MatchEmailDomain {
		return s.def.Match.Destination + " LIKE '%" + escapeLike.Replace(key) + "%'"
	}
	return "'" + escapeText.Replace(key) + "'"
}

// "SOQL and SOSL Reference", Quoted String Escape Sequences.
var (
	escapeText = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`)
	escapeLike = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`, `%`, `\%`, `_`, `\_`)
)

// queries writes the SOQL of one call's keys.
func (s *Salesforce) queries(b dest.Batch, c dest.Call) []string {
	var out []string
	var q strings.Builder
	match := s.def.Match.Destination
	like := s.def.Strategy == syncdef.MatchEmailDomain
	count, size := 0, 0
	flush := func() {
		if count > 0 {
			if !like {
				q.WriteByte(')')
			}
			out = append(out, q.String())
		}
		q.Reset()
		count, size = 0, 0
	}
	for _, at := range c.Records {
		term := s.term(b.Records[at].Key)
		if count == s.keysPerQuery() || size+len(term) > maxQueryBytes {
			flush()
		}
		switch {
		case count == 0:
			q.WriteString("SELECT Id, " + match + " FROM " + s.def.Object + " WHERE ")
			if !like {
				q.WriteString(match + " IN (")
			}
		case like:
			q.WriteString(" OR ")
		default:
			q.WriteByte(',')
		}
		q.WriteString(term)
		count, size = count+1, size+len(term)
	}
	flush()
	return out
}

// A hit collects the distinct records that match one key.
type hit struct {
	ids  []string // at most maxNamed
	more int      // how many beyond
}

// Lookup implements pipeline.Destination. It may make further calls when a query
// has more than one page; APICalls counts them.
func (s *Salesforce) Lookup(ctx context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	op := "look up " + s.def.Object
	hits := make(map[string]*hit, len(c.Records))
	for _, at := range c.Records {
		hits[s.normal(b.Records[at].Key)] = &hit{}
	}
	answer, err := s.client.do(ctx, op, http.MethodPost, "composite", s.composite(s.queries(b, c)))
	if err != nil {
		return nil, nothingDone(op, err)
	}
	pages, err := s.client.decodeComposite(op, answer.body, s.collect(hits))
	answer.free()
	for err == nil && len(pages) > 0 {
		answer, err = s.client.do(ctx, op, http.MethodGet, pages[0], nil)
		if err != nil {
			break
		}
		var next string
		next, err = decodePage(op, answer.body, s.collect(hits))
		answer.free()
		if pages = pages[1:]; next != "" {
			pages = append(pages, next)
		}
	}
	if err != nil {
		return nil, nothingDone(op, err)
	}
	out := make([]dest.Outcome, len(c.Records))
	for i, at := range c.Records {
		key := b.Records[at].Key
		out[i] = s.verdict(key, *hits[s.normal(key)])
	}
	return out, nil
}

// nothingDone turns a lost answer into an outage: a query changes nothing.
func nothingDone(op string, err error) error {
	var lost *lostError
	if errors.As(err, &lost) {
		return &dest.CallError{Op: op, Class: dest.Unavailable, Code: lost.code, Message: lost.cause}
	}
	return err
}

// normal is the form in which a key and a found value are compared. Salesforce
// compares texts without regard to case.
func (s *Salesforce) normal(value string) string {
	switch s.def.Strategy {
	case syncdef.MatchEmailDomain:
		return mapping.Domain(value)
	case syncdef.MatchName:
		return mapping.Name(value)
	}
	return strings.ToLower(value)
}

// collect answers what is done with each found record. LIKE finds more than the
// key (acme.com.au, notacme.com), so the value is compared once more.
func (s *Salesforce) collect(hits map[string]*hit) func(id, value string) {
	return func(id, value string) {
		value = s.normal(value)
		h := hits[value]
		switch {
		case value == "" || h == nil || slices.Contains(h.ids, id):
		case len(h.ids) < maxNamed:
			h.ids = append(h.ids, id)
		default:
			h.more++
		}
	}
}

// verdict answers one key.
func (s *Salesforce) verdict(key string, h hit) dest.Outcome {
	object, match := s.def.Object, s.def.Match.Destination
	switch n := len(h.ids) + h.more; {
	case n == 1:
		return dest.Outcome{Status: dest.Found, ID: h.ids[0]}
	case n > 1:
		return dest.Outcome{Status: dest.Rejected, Code: "ambiguous_match", Field: match,
			Message: fmt.Sprintf("%d records of %s match %q by %s (%s): merge them, or match by something that only one of them has", n, object, key, match, strings.Join(h.ids, ", "))}
	case s.def.Operation == syncdef.Insert || s.def.Operation == syncdef.Upsert && s.def.OnMissing == syncdef.Create:
		return dest.Outcome{Status: dest.Pending}
	case s.def.Operation == syncdef.Update:
		return dest.Outcome{Status: dest.Rejected, Code: "no_match", Field: match,
			Message: fmt.Sprintf("no %s matches %q by %s: create it in Salesforce, or correct the row", object, key, match)}
	}
	return dest.Outcome{Status: dest.Rejected, Code: "no_match", Field: match,
		Message: fmt.Sprintf("no %s matches %q by %s: create it in Salesforce, correct the row, or set on_missing: create", object, key, match)}
}
