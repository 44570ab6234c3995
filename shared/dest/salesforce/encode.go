package salesforce

import (
	"strings"
	"sync"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// buffers are request bodies, reused because one of 200 records is about 100 kB.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// encode appends the body of one sObject Collections call: only the fields that
// the record holds, their JSON as it came (numbers keep every digit).
func (d *destination) encode(dst []byte, kind int, b dest.Batch, c dest.Call) []byte {
	dst = append(dst, `{"allOrNone":false,"records":[`...)
	for i, at := range c.Records {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"attributes":{"type":"`...)
		dst = append(dst, d.def.Object...)
		dst = append(dst, `"}`...)
		dst = d.encodeRecord(dst, kind, &b.Records[at])
		dst = append(dst, '}')
	}
	return append(dst, "]}"...)
}

// encodeRecord appends a record's identity and fields. The external id of an
// upsert must not be a mapped field as well; a create takes the match field from
// the mapping where it is mapped, else from the match value.
func (d *destination) encodeRecord(dst []byte, kind int, r *dest.Record) []byte {
	match := d.def.Match.Destination
	skip := ""
	switch {
	case kind == upsertKind:
		dst = d.appendMatch(dst, r)
		skip = match
	case kind == updateKind:
		dst = appendMember(dst, idField)
		dst = rawjson.AppendQuote(dst, d.id(r))
	case d.def.Strategy != syncdef.MatchNone && !holds(r, match):
		dst = d.appendMatch(dst, r)
		skip = match // mapped, but null: the match value is better
	}
	next := 0
	for i := range r.Fields {
		f := &r.Fields[i]
		if skip != "" && len(f.Name) == len(skip) && strings.EqualFold(f.Name, skip) {
			continue
		}
		// Records name their fields in definition order, some left out.
		for next < len(d.members) && d.def.Fields[next].Destination != f.Name {
			next++
		}
		if next < len(d.members) {
			dst = append(dst, d.members[next]...)
			next++
		} else {
			dst = appendMember(dst, f.Name)
			next = 0
		}
		if c := f.Value.Kind(); c == '{' || c == '[' {
			dst = rawjson.AppendQuote(dst, []byte(f.Value)) // no field holds objects; one of text keeps the JSON
			continue
		}
		if r.Delete && d.def.MappingOf(f.Name).Type == syncdef.Boolean { // clear: a checkbox is never empty
			dst = append(dst, "false"...)
			continue
		}
		dst = append(dst, f.Value...)
	}
	return dst
}

// id is the record that an update names.
func (d *destination) id(r *dest.Record) string {
	if d.write == byID {
		return r.Key
	}
	return r.ID
}

// appendMatch appends the match field with the value as the row writes it: the key
// has its case taken away, and what tells records apart must not change it. Of an
// email domain only the key is what the field holds.
func (d *destination) appendMatch(dst []byte, r *dest.Record) []byte {
	dst = appendMember(dst, d.def.Match.Destination)
	switch {
	case d.identity.Has(row.StepNumber) && numeric(r.Key):
		return append(dst, r.Key...)
	case r.Match == "" || d.def.Strategy == syncdef.MatchEmailDomain || d.identity.Has(row.StepID18):
		return rawjson.AppendQuote(dst, r.Key)
	}
	return rawjson.AppendQuote(dst, d.identity.Trim([]byte(r.Match)))
}

// holds reports whether a record has a value for a field.
func holds(r *dest.Record, field string) bool {
	for i := range r.Fields {
		if strings.EqualFold(r.Fields[i].Name, field) {
			return r.Fields[i].Value.Kind() != 'n'
		}
	}
	return false
}

// appendMember appends ,"name": for a name that check has passed.
func appendMember(dst []byte, name string) []byte {
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	return append(dst, '"', ':')
}
