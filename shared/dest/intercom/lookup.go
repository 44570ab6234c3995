package intercom

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row/address"
	"github.com/penstock-data/penstock/shared/syncdef"
)

const (
	perSearch = 15  // values a search asks for ("Search contacts", query limitations: 15 filters a group)
	pageSize  = 150 // contacts a page, at most ("Pagination")
	maxPages  = 20
	maxNamed  = 3 // ids named in an ambiguous match
	opLook    = "look contacts up"
)

// Lookups implements dest.Destination: records without an id, 15 values a search.
func (d *destination) Lookups(b dest.Batch) []dest.Call {
	var calls []dest.Call
	left := 0
	for i := range b.Records {
		if b.Records[i].ID != "" {
			continue
		}
		n := len(d.values(&b.Records[i]))
		if left < n {
			calls, left = append(calls, dest.Call{Costs: oneCall}), perSearch
		}
		left -= n
		last := &calls[len(calls)-1]
		last.Records = append(last.Records, i)
	}
	return calls
}

// values are what a record is searched by: of an address, which is kept in lower case, its
// domain in ASCII and as people write it, in both Unicode forms.
func (d *destination) values(r *dest.Record) []string {
	if d.def.Strategy != syncdef.MatchEmail {
		return []string{matchValue(r)}
	}
	at := strings.LastIndexByte(r.Key, '@') + 1
	out := address.Spellings(r.Key[at:])
	for i, domain := range out {
		out[i] = r.Key[:at] + domain
	}
	return out
}

// Lookup implements dest.Destination. The search lags minutes behind: what it misses
// is created, and a conflict then names it. Where nothing may be created, and for a
// record alone in its call, an external id is asked for by itself, which is true at
// once and follows a merge.
func (d *destination) Lookup(ctx context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	byID := d.def.Strategy == syncdef.MatchExternalID
	out := make([]dest.Outcome, len(c.Records))
	hits := map[string][]string{}
	alone := byID && len(c.Records) == 1
	if !alone {
		var values []string
		for _, at := range c.Records {
			values = append(values, d.values(&b.Records[at])...)
		}
		for some := range slices.Chunk(values, perSearch) {
			if err := d.search(ctx, some, hits); err != nil {
				return nil, unsent(err)
			}
		}
	}
	for i, at := range c.Records {
		r := &b.Records[at]
		found := hits[r.Key]
		var err error
		if len(found) == 0 && byID && (alone || r.Delete || !d.creates()) && askable(matchValue(r)) {
			found, err = d.find(ctx, r)
		}
		var slow *refusal
		switch {
		case errors.As(err, &slow):
			out[i] = slowed(slow, "this contact")
		case err != nil:
			return nil, unsent(err)
		case len(found) == 1:
			out[i] = dest.Outcome{Status: dest.Found, ID: found[0]}
		case len(found) > 1:
			out[i] = d.ambiguous(named(found))
		case r.Delete:
			out[i] = dest.Outcome{Status: dest.Delivered} // there is none to remove
		case !d.creates():
			out[i] = d.missing()
		}
	}
	return out, nil
}

// askable reports whether an external id can stand in a path: a proxy would take . and
// .. for folders.
func askable(id string) bool { return id != "." && id != ".." }

// find asks for one user by the external id; a merged one answers whose it is now, which
// is nobody to remove. The error may be the *refusal that asks to wait with this one.
func (d *destination) find(ctx context.Context, r *dest.Record) ([]string, error) {
	got, err := d.client.do(ctx, opLook, http.MethodGet, "/contacts/find_by_external_id/"+url.PathEscape(matchValue(r)), nil)
	switch {
	case err != nil:
		return nil, err
	case got.err != nil && got.err.status == http.StatusGone && got.link != "" && !r.Delete:
		return []string{got.link}, nil
	case got.err != nil && (got.err.status == http.StatusNotFound || got.err.status == http.StatusGone):
		return nil, nil
	case got.err != nil && got.err.status == http.StatusTooManyRequests:
		return nil, got.err
	case got.err != nil:
		return nil, d.unanswered(got.err)
	}
	c, ok := readContact(got.body)
	if !ok || !d.has(c, r) {
		return nil, d.client.unreadable(opLook, got)
	}
	return []string{c.ID}, nil
}

// has reports whether a contact's match value is a record's. Where nobody has said
// whether case counts, Intercom's own comparison holds.
func (d *destination) has(c *contact, r *dest.Record) bool {
	key, ok := d.identity.Key(nil, []byte(c.value(d.def.Match.Destination)))
	if ok && d.identity.CaseUnsure {
		return bytes.Equal(d.identity.FoldedKey(nil, key), d.identity.FoldedKey(nil, []byte(r.Key)))
	}
	return ok && string(key) == r.Key
}

// unanswered is a lookup that was refused for what it asked.
func (d *destination) unanswered(e *refusal) *dest.CallError {
	if e.status == http.StatusTooManyRequests {
		return slowedCall(opLook, e)
	}
	return &dest.CallError{Op: opLook, Class: dest.Refused, Code: e.code, Message: "Intercom does not take the lookup (" + e.code + ")"}
}

// search asks for the contacts of some values and adds their ids to hits, by key. Only
// an answer that is whole tells what was not found: as many contacts as it says, and
// says on every page.
func (d *destination) search(ctx context.Context, values []string, hits map[string][]string) error {
	after, total, seen := "", -1, map[string]bool{}
	for range maxPages {
		got, err := d.client.do(ctx, opLook, http.MethodPost, "/contacts/search", d.question(values, after))
		if err != nil {
			return err
		}
		if got.err != nil {
			return d.unanswered(got.err)
		}
		p, ok := readPage(got.body)
		if !ok || total >= 0 && p.total != total {
			return d.client.unreadable(opLook, got)
		}
		total = p.total
		for i := range p.contacts {
			c := &p.contacts[i]
			seen[c.ID] = true
			key, ok := d.identity.Key(nil, []byte(c.value(d.def.Match.Destination)))
			if ok && !slices.Contains(hits[string(key)], c.ID) {
				hits[string(key)] = append(hits[string(key)], c.ID)
			}
		}
		if p.next == "" && len(seen) != total {
			return d.client.unreadable(opLook, got)
		}
		if p.next == "" {
			return nil
		}
		after = p.next
	}
	return &dest.CallError{Op: opLook, Class: dest.Refused, Code: "too_many", Message: fmt.Sprintf("more than %d contacts match the values of one search", maxPages*pageSize)}
}

// question is the body of a search.
func (d *destination) question(values []string, after string) []byte {
	out := append([]byte(`{"query":{"field":"`), d.def.Match.Destination...)
	out = append(out, `","operator":"IN","value":[`...)
	for i, value := range values {
		if i > 0 {
			out = append(out, ',')
		}
		out = rawjson.AppendQuote(out, value)
	}
	out = append(out, `]},"pagination":{"per_page":`...)
	out = strconv.AppendInt(out, pageSize, 10)
	if after != "" {
		out = rawjson.AppendQuote(append(out, `,"starting_after":`...), after)
	}
	return append(out, `}}`...)
}

// A page is one of a search's.
type page struct {
	contacts []contact
	total    int    // of all pages
	next     string // the next one's cursor, "" after the last
}

// readPage reads a page; anything else is no answer.
func readPage(body []byte) (p page, ok bool) {
	var said struct {
		Type  string     `json:"type"`
		Data  *[]contact `json:"data"`
		Total *int       `json:"total_count"`
		Pages *struct {
			Next *struct {
				After string `json:"starting_after"`
			} `json:"next"`
		} `json:"pages"`
	}
	if json.Unmarshal(body, &said) != nil || said.Type != "list" || said.Data == nil || said.Total == nil {
		return page{}, false
	}
	for _, c := range *said.Data {
		if c.ID == "" {
			return page{}, false
		}
	}
	p = page{contacts: *said.Data, total: *said.Total}
	if said.Pages != nil && said.Pages.Next != nil {
		p.next = said.Pages.Next.After
		return p, p.next != ""
	}
	return p, true
}

// ambiguous is a row that more than one contact matches.
func (d *destination) ambiguous(ids string) dest.Outcome {
	if ids != "" {
		ids = " (" + ids + ")"
	}
	field := d.def.Match.Destination
	return dest.Outcome{Status: dest.Rejected, Code: "ambiguous_match", Field: field,
		Message: "more than one contact matches the row's value by " + field + ids + ": merge them in Intercom, or match by external_id"}
}

// named lists the first ids, and how many more there are.
func named(ids []string) string {
	if len(ids) <= maxNamed {
		return strings.Join(ids, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(ids[:maxNamed], ", "), len(ids)-maxNamed)
}
