package salesforce

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Lookups implements dest.Destination: records without an id that are found by
// search, inserts that an earlier attempt may have sent, and those to be deleted by the Id
// that a row names, which may be another object's.
func (d *destination) Lookups(b dest.Batch) []dest.Call {
	var calls []dest.Call
	queries, left := 0, newBudget()
	for i := range b.Records {
		r := &b.Records[i]
		if !d.wanted(r) {
			continue
		}
		q, _ := d.ask(r) // what cannot be asked for is answered by Lookup
		if left.take(q, d.def.Match.Destination) || len(calls) == 0 {
			if len(calls) == 0 || queries == queriesPerCall {
				calls = append(calls, dest.Call{Costs: oneCall})
				queries = 0
			}
			queries++
		}
		last := &calls[len(calls)-1]
		last.Records = append(last.Records, i)
	}
	return calls
}

// wanted reports whether a record must be looked up before it is written.
func (d *destination) wanted(r *dest.Record) bool {
	if r.ID != "" {
		return false
	}
	if r.Delete && (d.write == byExternalID || d.write == byID && d.deletes()) {
		return true
	}
	return d.write == byLookup || r.Intent && d.write == insertOnly && d.def.Strategy != syncdef.MatchNone
}

// A hit collects the distinct records that match one key.
type hit struct {
	found []dest.Candidate // at most dest.MaxNamed, of an insert all
	more  int              // how many beyond
	near  bool             // a record equals the key but for case, and nobody knows whether case counts
}

// Lookup implements dest.Destination. It makes further calls when a query has more
// than one page, and for the match field's type; APICalls counts them.
func (d *destination) Lookup(ctx context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	if d.write == byID {
		return d.ownIDs(ctx, b, c)
	}
	hits, all := make(map[string]*hit, len(c.Records)), make([]hit, len(c.Records))
	near := map[string][]string{} // with CaseUnsure: keys by their text without case
	reasons := make([]string, len(c.Records))
	var queries []string
	open := make([]question, 0, min(len(c.Records), termsPerQuery))
	left := newBudget()
	for i, at := range c.Records {
		r := &b.Records[at]
		q, reason := d.ask(r)
		if reasons[i] = reason; reason != "" {
			continue
		}
		hits[r.Key] = &all[i]
		if can, err := d.holds(ctx, r.Key); err != nil {
			return nil, err
		} else if !can {
			continue // no record has it
		}
		if d.identity.CaseUnsure {
			near[d.folded(r.Key)] = append(near[d.folded(r.Key)], r.Key)
		}
		// One long key alone may be beyond a query's budget; it is asked for all the same.
		if left.take(q, d.def.Match.Destination) && len(open) > 0 {
			queries, open = append(queries, d.statement(open)), open[:0]
		}
		open = append(open, q)
	}
	if len(open) > 0 {
		queries = append(queries, d.statement(open))
	}
	for some := range slices.Chunk(queries, queriesPerCall) {
		if err := d.query(ctx, some, len(c.Records), d.collect(hits, near)); err != nil {
			return nil, discreet(err, b, c)
		}
	}
	out := make([]dest.Outcome, len(c.Records))
	for i, at := range c.Records {
		if reasons[i] != "" {
			out[i] = dest.Outcome{Status: dest.Rejected, Code: "bad_match_value", Field: d.def.Match.Destination,
				Message: "the match value is " + reasons[i] + ": correct the row"}
			continue
		}
		r := &b.Records[at]
		h := hits[r.Key]
		switch {
		case d.write == insertOnly && !r.Delete && !h.near:
			out[i] = r.Tried.Inserted(h.found)
		case r.Delete && len(h.found) == 0 && !h.near:
			out[i] = dest.Outcome{Status: dest.Delivered} // there is none to delete
		default:
			out[i] = d.verdict(*h)
		}
	}
	return out, nil
}

// query makes one composite request and reads all pages of its queries.
func (d *destination) query(ctx context.Context, queries []string, records int, each func(f found)) error {
	op := "look up " + d.def.Object
	answer, err := d.client.do(ctx, request{op: op, method: http.MethodPost, path: "composite", body: d.client.composite(queries), records: records})
	if err != nil {
		return err
	}
	defer answer.free()
	parts, err := decodeComposite(answer.body, len(queries))
	if err != nil {
		return unreadable(op, err)
	}
	for _, part := range parts {
		if err := part.failure(op); err != nil {
			return err
		}
		p := newPages(each)
		next, err := p.page(part.body)
		for err == nil && next != "" {
			page, failed := d.client.do(ctx, request{op: op, method: http.MethodGet, path: next})
			if failed != nil {
				return failed
			}
			next, err = p.read(page.body)
			page.free()
		}
		if err != nil {
			return unreadable(op, err)
		}
	}
	return nil
}

// collect answers what is done with each found record. A query finds more than its
// keys (acme.com.au and notacme.com for acme.com), so the value is compared.
func (d *destination) collect(hits map[string]*hit, near map[string][]string) func(f found) {
	var text, key []byte
	dated := slices.ContainsFunc(d.def.Fields, func(f syncdef.Field) bool { return strings.EqualFold(f.Destination, createdField) })
	return func(f found) {
		if dated { // the row says it, where the organisation lets it ("Set Audit Fields upon Record Creation")
			f.created = time.Time{}
		}
		text = append(text[:0], f.value...)
		key, _ = d.identity.Key(key[:0], text) // nothing where it can be none
		if d.identity.CaseUnsure {
			for _, other := range near[d.folded(string(key))] {
				hits[other].near = hits[other].near || other != string(key)
			}
		}
		h := hits[string(key)]
		switch {
		case h == nil || slices.ContainsFunc(h.found, func(c dest.Candidate) bool { return c.ID == f.id }):
		case len(h.found) < dest.MaxNamed || d.write == insertOnly:
			h.found = append(h.found, dest.Candidate{ID: f.id, Created: f.created})
		default:
			h.more++
		}
	}
}

// verdict answers one key, without naming it: it is a row's value (I6).
func (d *destination) verdict(h hit) dest.Outcome {
	object, match := d.def.Object, d.def.Match.Destination
	missing := func(remedy string) dest.Outcome {
		return dest.Outcome{Status: dest.Rejected, Code: "no_match", Field: match,
			Message: fmt.Sprintf("no %s matches the row's value by %s: %s", object, match, remedy)}
	}
	switch n := len(h.found) + h.more; {
	case h.near:
		status := dest.Rejected
		if d.write == insertOnly { // it may be the one
			status = dest.Unknown
		}
		return dest.Outcome{Status: status, Code: "ambiguous_match", Field: match,
			Message: fmt.Sprintf("a record of %s equals the row's value by %s but for case, and nobody has said whether case counts: write match: {case: true} where the field is unique and case-sensitive, else match: {case: false}; or apply again where the account can be asked", object, match)}
	case n == 1:
		return dest.Outcome{Status: dest.Found, ID: h.found[0].ID}
	case n > 1:
		remedy := "merge them, or match by something that only one of them has"
		if (d.identity.Has(row.StepLower) || d.identity.Has(row.StepLetters)) && (d.def.Strategy == syncdef.MatchField || d.def.Strategy == syncdef.MatchExternalID) {
			remedy += "; where the field is unique and case-sensitive, write match: {case: true}"
		}
		return dest.Outcome{Status: dest.Rejected, Code: "ambiguous_match", Field: match,
			Message: fmt.Sprintf("%d records of %s match the row's value by %s (%s): %s", n, object, match, dest.IDs(h.found), remedy)}
	case d.def.Operation == syncdef.Upsert && d.def.OnMissing == syncdef.Create:
		return dest.Outcome{Status: dest.Pending}
	case d.def.Operation == syncdef.Update:
		return missing("create it in Salesforce, or correct the row")
	}
	return missing("create it in Salesforce, correct the row, or set on_missing: create")
}
