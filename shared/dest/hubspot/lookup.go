package hubspot

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/rawjson"
)

// Lookups implements dest.Destination: records that are updated by an id which is not
// known, and inserts that may have arrived. Reading by a unique property sees what was
// just written, unlike a search.
func (d *destination) Lookups(b dest.Batch) []dest.Call {
	var calls []dest.Call
	for i := range b.Records {
		if !d.wanted(&b.Records[i]) {
			continue
		}
		if len(calls) == 0 || len(calls[len(calls)-1].Records) == maxRecords {
			calls = append(calls, dest.Call{Costs: oneCall})
		}
		last := &calls[len(calls)-1]
		last.Records = append(last.Records, i)
	}
	return calls
}

// wanted reports whether a record must be found before it can be sent.
func (d *destination) wanted(r *dest.Record) bool {
	switch {
	case d.def.Match.Destination == "" || d.write == byID:
		return false
	case r.Delete:
		return r.ID == ""
	case d.write == insertOnly:
		return r.Intent
	}
	return d.write == byLookup && (r.Intent || r.ID == "")
}

// Lookup implements dest.Destination.
func (d *destination) Lookup(ctx context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	asked := map[string][]int{} // positions in c.Records by folded value
	var values []string
	for n, at := range c.Records {
		value := d.sought(&b.Records[at])
		key := d.folded(value)
		if asked[key] == nil {
			values = append(values, value)
		}
		asked[key] = append(asked[key], n)
	}
	r := request{op: "look up " + d.def.Object, method: http.MethodPost, path: d.path + "/batch/read", body: d.question(values), object: true, holds: func(s string) bool { return asked[d.folded(s)] != nil }}
	got, err := d.client.do(ctx, r)
	if err != nil {
		return nil, err
	}
	said, ok := readBody(got.body)
	if ok && got.status == http.StatusNotFound && said.Category == "OBJECT_NOT_FOUND" && len(values) == 1 && !noObject(string(said.Message)) {
		said.Results = &[]result{}
	} else if failed := judge(r, got, d.client.now()); failed != nil {
		return nil, failed
	}
	found, failed := d.found(r, got, said, asked)
	if failed != nil {
		return nil, failed
	}
	out := make([]dest.Outcome, len(c.Records))
	for key, positions := range asked {
		for _, n := range positions {
			out[n] = d.lookedUp(&b.Records[c.Records[n]], found[key])
		}
	}
	return out, nil
}

// sought is the value that a record is looked up by.
func (d *destination) sought(r *dest.Record) string {
	if r.Match != "" {
		return strings.TrimSpace(r.Match)
	}
	return r.Key
}

// question is {"idProperty":"email","inputs":[{"id":"..."}],"properties":["email",..],"propertiesWithHistory":[]}.
func (d *destination) question(values []string) []byte {
	name := d.def.Match.Destination
	out := rawjson.AppendQuote([]byte(`{"idProperty":`), name)
	out = append(out, `,"inputs":[`...)
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

// found are the ids by folded value. A contact is found by each of its addresses. A
// record that answers to none of the values can only be of the one that is left, or
// the answer is none.
func (d *destination) found(r request, got answer, said body, asked map[string][]int) (map[string]string, *dest.CallError) {
	entries, ok := said.entries()
	if said.Results == nil || !ok {
		return nil, unreadable(r.op, got, "it has no results")
	}
	for _, e := range entries {
		if e.Category != "OBJECT_NOT_FOUND" {
			return nil, unreadable(r.op, got, "it does not account for every record")
		}
	}
	found := map[string]string{}
	var strange []string
	for _, one := range *said.Results {
		if one.ID == "" {
			return nil, unreadable(r.op, got, "a record has no id")
		}
		hit := false
		for _, value := range d.names(one) {
			if key := d.folded(value); asked[key] != nil {
				found[key], hit = string(one.ID), true
			}
		}
		if !hit {
			strange = append(strange, string(one.ID))
		}
	}
	if len(strange) == 0 {
		return found, nil
	}
	var left []string
	for key := range asked {
		if found[key] == "" {
			left = append(left, key)
		}
	}
	if len(strange) != 1 || len(left) != 1 {
		return nil, unreadable(r.op, got, "it has records that were not asked for")
	}
	found[left[0]] = strange[0]
	return found, nil
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
func (d *destination) lookedUp(r *dest.Record, id string) dest.Outcome {
	switch {
	case id == "" && r.Delete:
		return dest.Outcome{Status: dest.Delivered} // there is none to archive
	case id != "" && d.write == insertOnly:
		return dest.Outcome{Status: dest.Delivered, ID: id, Created: true}
	case id != "":
		return dest.Outcome{Status: dest.Found, ID: id}
	case d.write == byLookup:
		return missing(d)
	}
	return dest.Outcome{Status: dest.Pending}
}
