package salesforce

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// maxRecords is the vendor's cap on one call (sObject Collections).
const maxRecords = 200

// idField is the field that holds a record's id.
const idField = "Id"

// createdField is the system field that says when a record was made, in createdLayout.
const (
	createdField  = "CreatedDate"
	createdLayout = "2006-01-02T15:04:05.000Z0700"
)

// A destination is one version's object at one organisation. It implements
// dest.Destination and is safe for concurrent use.
type destination struct {
	def      syncdef.Definition
	client   *client
	identity row.Identity
	write    write
	header   http.Header // of writes
	members  []string    // per mapped field, its name as a JSON member: ,"Name":
	digits   digits      // of the match field
	prefix   prefix      // of the object's Ids
}

// newDestination makes the destination of a version that check has passed.
func newDestination(v syncdef.Version, conn syncdef.Connection, c *client) (*destination, error) {
	def := v.Definition
	if faults := check(&def, &conn); len(faults) > 0 {
		return nil, &dest.CallError{Op: "open sync " + def.Sync, Class: dest.Configuration, Scope: dest.ScopeVersion,
			Code: "definition", Message: syncdef.Faults(faults).Error()}
	}
	d := &destination{def: def, client: c, identity: v.Rules.Identity, write: writeOf(&def), digits: digits{turn: make(chan struct{}, 1)}, prefix: prefix{turn: make(chan struct{}, 1)}}
	if def.Strategy != syncdef.MatchNone && len(d.identity.Steps) == 0 {
		d.identity = identity(&def)
	}
	if readOptions(&def).DuplicateRule == duplicatesAllow {
		d.header = http.Header{"Sforce-Duplicate-Rule-Header": {"allowSave=true"}}
	}
	for _, f := range def.Fields {
		d.members = append(d.members, string(appendMember(nil, f.Destination)))
	}
	return d, nil
}

// write is how a definition's records are written.
type write uint8

// The ways to write.
const (
	byLookup     write = iota // found by search, then updated by Id, or created
	byExternalID              // the vendor's own upsert
	byID                      // the key is the record's Id
	insertOnly                // created
)

func writeOf(d *syncdef.Definition) write {
	switch {
	case d.Operation == syncdef.Insert:
		return insertOnly
	case matchesID(d):
		return byID
	case d.Operation == syncdef.Upsert && d.Strategy == syncdef.MatchExternalID:
		return byExternalID
	}
	return byLookup
}

// The kinds of calls, which are never mixed in one.
const (
	upsertKind = iota // by external id
	updateKind        // by Id
	createKind
	deleteKind // by Id
	kinds
)

// kind is the call that a record needs. An external id needs no Id, and Salesforce
// refuses both together.
func (d *destination) kind(r *dest.Record) int {
	switch {
	case r.Delete && d.def.OnDelete == syncdef.RemoveClear:
		return updateKind
	case r.Delete:
		return deleteKind
	case d.write == byExternalID:
		return upsertKind
	case d.write == byID || r.ID != "":
		return updateKind
	}
	return createKind
}

// widest takes for one, of texts in lower case, at least what Salesforce may: İ is i in lower
// case, and its folding is another.
var widest = steps(row.StepLower, row.StepNFC)

// named is what a call may hold once only: Salesforce refuses a record that is
// there twice, by its own comparison of external ids.
func (d *destination) named(r *dest.Record, kind int) string {
	switch {
	case kind == createKind:
		return ""
	case kind == upsertKind && (d.identity.CaseUnsure || !ascii(r.Key)):
		name, _ := widest.Key(nil, bytes.ToLower([]byte(r.Key)))
		return string(name)
	case kind == upsertKind || d.write == byID:
		return r.Key
	}
	return r.ID
}

// Calls implements dest.Destination.
func (d *destination) Calls(b dest.Batch, most int) []dest.Call {
	size := maxRecords
	if d.def.BatchSize > 0 {
		size = min(size, d.def.BatchSize)
	}
	if most > 0 {
		size = min(size, most)
	}
	var calls []dest.Call
	var open [kinds]struct {
		call int
		seen map[string]struct{}
	}
	for i := range b.Records {
		r := &b.Records[i]
		kind := d.kind(r)
		o, name := &open[kind], d.named(r, kind)
		_, twice := o.seen[name]
		if o.seen == nil || len(calls[o.call].Records) == size || twice {
			calls = append(calls, dest.Call{Records: make([]int, 0, min(size, len(b.Records)-i)), Costs: oneCall})
			o.call, o.seen = len(calls)-1, make(map[string]struct{}, size)
		}
		calls[o.call].Records = append(calls[o.call].Records, i)
		if name != "" {
			o.seen[name] = struct{}{}
		}
	}
	return calls
}

// Push implements dest.Destination.
func (d *destination) Push(ctx context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	if len(c.Records) == 0 {
		return nil, nil
	}
	kind := d.kind(&b.Records[c.Records[0]])
	op := [kinds]string{"upsert ", "update ", "create ", "delete "}[kind] + d.def.Object
	r := request{op: op, header: d.header, records: len(c.Records)}
	if kind == deleteKind {
		r.method, r.path, r.header = http.MethodDelete, d.deletion(b, c), nil
	} else {
		buf := buffers.Get().(*[]byte)
		defer buffers.Put(buf)
		*buf = d.encode((*buf)[:0], kind, b, c)
		r.method, r.path = d.endpoint(kind)
		r.body = *buf
	}
	answer, err := d.client.do(ctx, r)
	if err != nil {
		return nil, discreet(err, b, c)
	}
	defer answer.free()
	out, err := d.decodeOutcomes(kind, answer.body, b, c)
	if err != nil {
		return nil, unreadable(op, err)
	}
	return out, nil
}

// endpoint is the resource of a kind of call.
func (d *destination) endpoint(kind int) (method, path string) {
	switch kind {
	case upsertKind:
		return http.MethodPatch, "composite/sobjects/" + d.def.Object + "/" + d.def.Match.Destination
	case updateKind:
		return http.MethodPatch, "composite/sobjects"
	}
	return http.MethodPost, "composite/sobjects"
}

// deletion is the resource of a delete: it names its records in the address, 200 of
// them in some 3,800 bytes of the 16 KB that a request's address may have.
func (d *destination) deletion(b dest.Batch, c dest.Call) string {
	ids := make([]string, len(c.Records))
	for i, at := range c.Records {
		ids[i] = url.QueryEscape(d.id(&b.Records[at]))
	}
	return "composite/sobjects?allOrNone=false&ids=" + strings.Join(ids, ",")
}
