package hubspot

import (
	"bytes"
	"context"
	"net/http"
	"strings"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/row/address"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// maxRecords is the vendor's cap on one batch ("Object APIs", batch endpoints).
const maxRecords = 100

// A destination is one version's object at one account. It implements
// dest.Destination and is safe for concurrent use.
type destination struct {
	def      syncdef.Definition
	client   *client
	identity row.Identity
	write    write
	path     string          // of the object, without an end
	json     map[string]bool // fields whose lists stay JSON
	fields   map[string]bool // the property names that an error may name
}

func newDestination(def syncdef.Definition, id row.Identity, c *client) *destination {
	d := &destination{def: def, client: c, identity: id, write: writeOf(&def), json: keepsJSON(&def), fields: map[string]bool{}}
	d.path = "/crm/objects/" + apiVersion + "/" + objectPath(def.Object)
	if def.Strategy != syncdef.MatchNone && len(id.Steps) == 0 {
		d.identity = identity(&def)
	}
	for _, f := range def.Fields {
		d.fields[f.Destination] = true
	}
	d.fields[def.Match.Destination] = true
	return d
}

// write is how a definition's records are written.
type write uint8

// The ways to write.
const (
	byProperty write = iota // the vendor's upsert by a unique property
	byID                    // the key is the record's own id
	byLookup                // found by a unique property, then updated by id
	insertOnly              // created
)

func writeOf(d *syncdef.Definition) write {
	switch {
	case d.Operation == syncdef.Insert:
		return insertOnly
	case matchesID(d):
		return byID
	case d.Operation == syncdef.Update || d.Operation == syncdef.Delete:
		return byLookup
	}
	return byProperty
}

// The kinds of calls, which are never mixed in one.
const (
	upsertKind = iota
	updateKind // by id
	createKind
	archiveKind // by id
	kinds
)

// verbs are the ends of their paths.
var verbs = [kinds]string{"upsert", "update", "create", "archive"}

// kind is the call that a record needs. One that is known by an address is updated by its
// id: it may be stored under another spelling of it, and an upsert by email may take what
// is not sent for absent.
func (d *destination) kind(r *dest.Record) int {
	switch {
	case r.Delete && d.def.OnDelete == syncdef.RemoveClear:
		return updateKind
	case r.Delete:
		return archiveKind
	case d.write == insertOnly:
		return createKind
	case d.write == byProperty && (r.ID == "" || !d.identity.Has(row.StepEmail)):
		return upsertKind
	}
	return updateKind
}

// named is the id that a record is sent under: its own, or the value of the unique
// property; "" creates, or cannot be sent.
func (d *destination) named(r *dest.Record, kind int) string {
	switch {
	case kind == createKind:
		return ""
	case (kind == updateKind || kind == archiveKind) && d.write != byID:
		return r.ID
	}
	return d.value(r)
}

// value is a record's match value as it is sent: as the row writes it but without outer
// white space, for the key has its case taken away. A number is the key, which has one
// spelling: HubSpot takes no exponent, and may take 101.0 for another text than 101.
func (d *destination) value(r *dest.Record) string {
	if text := strings.TrimSpace(r.Match); text != "" && !d.identity.Has(row.StepNumber) {
		return text
	}
	return r.Key
}

// spellings are what a record is looked up by: its value, and an address also with its
// domain in ASCII and as people write it, in both Unicode forms, which are one key.
func (d *destination) spellings(r *dest.Record) []string {
	value := d.value(r)
	if !d.identity.Has(row.StepEmail) {
		return []string{value}
	}
	key, _ := d.identity.Key(nil, []byte(value)) // the record's, where it was made by another rule
	at := bytes.LastIndexByte(key, '@') + 1
	out := []string{value}
	for _, domain := range address.Spellings(string(key[at:])) {
		if s := string(key[:at]) + domain; at > 0 && s != strings.ToLower(value) {
			out = append(out, s)
		}
	}
	return out
}

// overlong reports whether what a record is to be named by is a number that no property
// holds: a key of more than 64 digits has an exponent.
func (d *destination) overlong(id string) bool {
	return d.identity.Has(row.StepNumber) && strings.Contains(id, "e")
}

// folded is what two ids that HubSpot may take for one have in common: it refuses a
// whole call that has one twice.
func (d *destination) folded(id string) string {
	key, ok := d.identity.Key(nil, []byte(id))
	if !ok {
		key = []byte(id)
	}
	return strings.ToLower(string(key))
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
		seen map[string]bool
	}
	for i := range b.Records {
		r := &b.Records[i]
		kind := d.kind(r)
		o, id := &open[kind], d.folded(d.named(r, kind))
		if o.seen == nil || len(calls[o.call].Records) == size || id != "" && o.seen[id] {
			calls = append(calls, dest.Call{Costs: oneCall})
			o.call, o.seen = len(calls)-1, make(map[string]bool, size)
		}
		calls[o.call].Records = append(calls[o.call].Records, i)
		o.seen[id] = true
	}
	return calls
}

// maxRounds is how often a call is made again without the records that a refusal of
// the whole call named; then it is halved like any other.
const maxRounds = 4

// Push implements dest.Destination. Records that cannot be sent are answered at once.
// Where HubSpot refuses the whole call and names the records, these are refused and
// the others sent again: nothing of the call was taken.
func (d *destination) Push(ctx context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	if len(c.Records) == 0 {
		return nil, nil
	}
	p := d.newPush(b, c)
	r := request{op: verbs[p.kind] + " " + d.def.Object, method: http.MethodPost, path: d.path + "/batch/" + verbs[p.kind], object: true, holds: p.holds}
	for range maxRounds {
		if len(p.inputs) == 0 {
			return p.out, nil
		}
		r.body, r.records = p.encode(), len(p.inputs)
		got, err := d.client.do(ctx, r)
		if err != nil {
			return nil, err
		}
		if failed := p.read(r, got); failed != nil {
			return nil, failed
		}
	}
	if len(p.inputs) > 0 {
		return nil, &dest.CallError{Op: r.op, Class: dest.Refused, Code: "refused", Message: "HubSpot refuses the call again and again, each time for other records"}
	}
	return p.out, nil
}
