package hubspot

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/rawjson"
)

// Lookups implements dest.Destination: records that are updated by an id which is not
// known, inserts that may have arrived, and all that are to be removed: those whose id is
// known by it, for HubSpot answers the id of a merged record with the one that it became.
// An upsert by an address with several spellings would add a second record of it.
// Reading by a unique property sees what was just written, unlike a search.
func (d *destination) Lookups(b dest.Batch) []dest.Call {
	var calls []dest.Call
	open, size := map[bool]int{}, map[bool]int{} // by whether records are read by their ids: the call that takes more, from 1, and what it asks for
	for i := range b.Records {
		r := &b.Records[i]
		if !d.wanted(r) {
			continue
		}
		byID, asks := d.removedID(r) != "", len(d.sought(r))
		if open[byID] == 0 || size[byID]+asks > maxRecords {
			calls = append(calls, dest.Call{Costs: oneCall})
			open[byID], size[byID] = len(calls), 0
		}
		size[byID] += asks
		last := &calls[open[byID]-1]
		last.Records = append(last.Records, i)
	}
	return calls
}

// removedID is the record id that a record to be removed is known by, "" without one.
func (d *destination) removedID(r *dest.Record) string {
	if !r.Delete {
		return ""
	}
	return d.named(r, d.kind(r))
}

// wanted reports whether a record must be found before it can be sent.
func (d *destination) wanted(r *dest.Record) bool {
	switch {
	case r.Delete:
		return true
	case d.def.Match.Destination == "" || d.write == byID:
		return false
	case d.write == insertOnly:
		return r.Intent
	}
	return d.write == byLookup && (r.Intent || r.ID == "") || d.write == byProperty && r.ID == "" && len(d.spellings(r)) > 1
}

// Lookup implements dest.Destination. Whether HubSpot names what it does not find is not
// documented for every version, and an answer that left records out was seen: what it is
// silent about is asked for once more, and then believed not to be there.
func (d *destination) Lookup(ctx context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	l := looking{byID: d.removedID(&b.Records[c.Records[0]]) != "", spellings: map[string][]string{}}
	out := make([]dest.Outcome, len(c.Records))
	asked := map[string][]int{} // positions in c.Records by folded value
	for n, at := range c.Records {
		spellings := d.sought(&b.Records[at])
		if d.overlong(spellings[0]) {
			out[n] = overlong(d)
			continue
		}
		key := d.folded(spellings[0])
		l.spellings[key] = spellings
		asked[key] = append(asked[key], n)
	}
	if len(asked) == 0 {
		return out, nil
	}
	found, silent, err := d.look(ctx, l)
	if err == nil && len(silent) > 0 {
		l.spellings = silent
		var more map[string][]hit
		more, _, err = d.look(ctx, l)
		maps.Copy(found, more)
	}
	if err != nil {
		return nil, err
	}
	for key, positions := range asked {
		for _, n := range positions {
			out[n] = d.lookedUp(&b.Records[c.Records[n]], found[key])
		}
	}
	return out, nil
}

// looking is what one call asks for: the spellings of each folded value, which are record
// ids or values of the match property.
type looking struct {
	byID      bool
	spellings map[string][]string
}

// A hit is a record that answers to a value.
type hit struct {
	id      string
	created time.Time // zero where HubSpot does not say when it was made
	other   bool      // the value is not its own: a further address, or one of a record that it was merged with
}

// look makes one call. silent are the values of which the answer says nothing.
func (d *destination) look(ctx context.Context, l looking) (found map[string][]hit, silent map[string][]string, err error) {
	var values []string
	for _, key := range slices.Sorted(maps.Keys(l.spellings)) {
		values = append(values, l.spellings[key]...)
	}
	r := request{op: "look up " + d.def.Object, method: http.MethodPost, path: d.path + "/batch/read", body: d.question(values, l.byID), object: true, records: len(values), holds: func(s string) bool { return l.spellings[d.folded(s)] != nil }}
	got, err := d.client.do(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	said, ok := readBody(got.body)
	if ok && got.status == http.StatusNotFound && said.Category == "OBJECT_NOT_FOUND" && len(l.spellings) == 1 && !noObject(string(said.Message)) {
		return map[string][]hit{}, nil, nil
	}
	if failed := judge(r, got, d.client.now()); failed != nil {
		return nil, nil, failed
	}
	found, silent, failed := d.found(r, got, said, l)
	if failed != nil {
		return nil, nil, failed
	}
	return found, silent, nil
}

// sought are the values that a record is looked up by.
func (d *destination) sought(r *dest.Record) []string {
	if id := d.removedID(r); id != "" {
		return []string{id}
	}
	return d.spellings(r)
}

// question is {"idProperty":"email","inputs":[{"id":"..."}],"properties":["email",..],"propertiesWithHistory":[]},
// without idProperty where the values are record ids.
func (d *destination) question(values []string, byID bool) []byte {
	name, out := propID, []byte{'{'}
	if !byID {
		name = d.def.Match.Destination
		out = append(rawjson.AppendQuote(append(out, `"idProperty":`...), name), ',')
	}
	out = append(out, `"inputs":[`...)
	for i, v := range values {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(rawjson.AppendQuote(append(out, `{"id":`...), v), '}')
	}
	out = rawjson.AppendQuote(append(out, `],"properties":[`...), name)
	if name == propEmail {
		out = append(out, `,"`+propMore+`"`...)
	}
	return append(out, `],"propertiesWithHistory":[]}`...)
}

// found are the records by folded value, of which there is one but where spellings of it are
// several records', and the values that the answer is silent about. A contact is found by
// each of its addresses. A record that answers to none of the values can only be of the one
// that is left, or the answer is none. Of ids it is one that a merged record became, and
// nobody's.
func (d *destination) found(r request, got answer, said body, l looking) (found map[string][]hit, silent map[string][]string, failed *dest.CallError) {
	entries, ok := said.entries()
	if said.Results == nil || !ok || !said.done() {
		return nil, nil, unreadable(r.op, got, "it has no results, or not all")
	}
	silent = maps.Clone(l.spellings)
	for _, e := range entries {
		if e.Category != "OBJECT_NOT_FOUND" {
			return nil, nil, unreadable(r.op, got, "it does not account for every record")
		}
		for _, value := range e.Context["ids"] {
			delete(silent, d.folded(string(value)))
		}
	}
	found = map[string][]hit{}
	var strange []hit
	for _, one := range *said.Results {
		if one.ID == "" {
			return nil, nil, unreadable(r.op, got, "a record has no id")
		}
		id, own, names := string(one.ID), string(one.ID), []string{string(one.ID)}
		created, _ := time.Parse(time.RFC3339, string(one.Created))
		if !l.byID {
			own, names = property(one.Properties, d.def.Match.Destination), d.names(one)
		}
		known := false
		for _, value := range names {
			key := d.folded(value)
			if l.spellings[key] == nil {
				continue
			}
			delete(silent, key)
			if known = true; !slices.ContainsFunc(found[key], func(h hit) bool { return h.id == id }) {
				found[key] = append(found[key], hit{id: id, created: created, other: key != d.folded(own)})
			}
		}
		if !known {
			strange = append(strange, hit{id: id, created: created, other: true})
		}
	}
	if l.byID && len(strange) == len(silent) { // what they became
		return found, nil, nil
	}
	if len(strange) == 0 || l.byID {
		return found, silent, nil
	}
	var left []string
	for key := range l.spellings {
		if found[key] == nil {
			left = append(left, key)
		}
	}
	if len(strange) != 1 || len(left) != 1 {
		return nil, nil, unreadable(r.op, got, "it has records that were not asked for")
	}
	found[left[0]] = strange
	return found, nil, nil
}

// names are the values that a record answers to.
func (d *destination) names(one result) []string {
	out := []string{property(one.Properties, d.def.Match.Destination)}
	if d.def.Match.Destination == propEmail {
		out = append(out, strings.Split(property(one.Properties, propMore), ";")...)
	}
	return slices.DeleteFunc(out, func(s string) bool { return strings.TrimSpace(s) == "" })
}

// lookedUp is the outcome of a lookup.
func (d *destination) lookedUp(r *dest.Record, hits []hit) dest.Outcome {
	if r.Delete && len(hits) > 0 {
		first := hits[0].id
		if hits = slices.DeleteFunc(slices.Clone(hits), func(h hit) bool { return h.other }); len(hits) == 0 {
			return d.another(first)
		}
	}
	if d.write == insertOnly && !r.Delete {
		var found []dest.Candidate
		for _, h := range hits {
			c := dest.Candidate{ID: h.id, Created: h.created}
			if d.fields["createdate"] || d.fields["hs_createdate"] { // the row may have said it
				c.Created = time.Time{}
			}
			found = append(found, c)
		}
		return r.Tried.Inserted(found)
	}
	var ids []string
	for _, h := range hits {
		ids = append(ids, h.id)
	}
	id := ""
	if len(ids) > 0 {
		id = ids[0]
	}
	switch {
	case len(ids) > 1:
		return dest.Outcome{Status: dest.Rejected, Code: "ambiguous_match", Field: d.def.Match.Destination,
			Message: fmt.Sprintf("%d records of %s have the row's value by %s in different spellings (%s): merge them in HubSpot", len(ids), d.def.Object, d.def.Match.Destination, strings.Join(ids, ", "))}
	case id == "" && r.Delete:
		return dest.Outcome{Status: dest.Delivered} // there is none to archive
	case id != "":
		return dest.Outcome{Status: dest.Found, ID: id}
	case d.write == byLookup:
		return missing(d)
	}
	return dest.Outcome{Status: dest.Pending}
}

// another is a record that is not the row's to remove, though it answers to its value.
func (d *destination) another(id string) dest.Outcome {
	return dest.Outcome{Status: dest.Rejected, Code: "secondary_match", Field: d.def.Match.Destination, ID: id,
		Message: fmt.Sprintf("record %s answers to the row's value by %s, but has another one of its own, as after a merge: take the value off that record in HubSpot, remove the record there, or leave the row out of the model", id, d.def.Match.Destination)}
}
