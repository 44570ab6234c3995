package salesforce

import (
	"fmt"
	"strings"

	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// struck asks the Core whether this record is to fail: it is known by its Id and
// by each of the values that the call sends.
func (c *write) struck(r *record, row int) []fieldError {
	names := []string{r.id}
	if row != records.NewRow {
		names = append(names, string(r.table.appendID(nil, row)))
	}
	for _, ch := range c.in.changes[r.changes.from:r.changes.to] {
		names = append(names, string(c.in.text(ch)))
	}
	for _, name := range names {
		code, message, struck := c.sim.core.FailRecord(c.request, name)
		if !struck {
			continue
		}
		if message == "" {
			message = usual[code]
		}
		return fault(code, message, "")
	}
	return nil
}

// usual are the messages of codes that a fault gives without one.
var usual = map[string]string{
	"UNABLE_TO_LOCK_ROW":              "unable to obtain exclusive access to this record",
	"INSUFFICIENT_ACCESS_OR_READONLY": "insufficient access rights on object id",
}

// refuse checks what needs the store: required fields, references, unique values
// and duplicate rules.
func (c *write) refuse(r *record, row int) []fieldError {
	t := r.table
	set := c.in.changes[r.changes.from:r.changes.to]
	var missing []string
	for i, f := range t.object.Fields {
		if !f.Required {
			continue
		}
		mentioned, empty := false, false
		for _, ch := range set {
			if ch.field == i {
				mentioned, empty = true, ch.text.from == ch.text.to
			}
		}
		if empty || !mentioned && row < 0 {
			missing = append(missing, f.Name)
		}
	}
	if missing != nil {
		return fault("REQUIRED_FIELD_MISSING", "Required fields are missing: ["+strings.Join(missing, ", ")+"]", missing[0])
	}
	for _, ch := range set {
		f := &t.object.Fields[ch.field]
		if ch.text.from == ch.text.to {
			continue
		}
		if f.Type == Reference {
			if _, _, errs := c.sim.findAny(string(c.in.text(ch))); errs != nil { // without the field's name, as of the record itself
				if errs[0].code == "MALFORMED_ID" {
					return fault("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", "")
				}
				return errs
			}
		}
		if !f.Unique {
			continue
		}
		for _, other := range c.lookUp(t, ch.field, c.in.text(ch)) {
			if other != row {
				return fault("DUPLICATE_VALUE", fmt.Sprintf("duplicate value found: %s duplicates value on record with id: %s", f.Name, t.appendID(nil, other)), f.Name)
			}
		}
	}
	return c.duplicates(r, row)
}

func fault(code, message, field string) []fieldError {
	return []fieldError{{code, message, field}}
}

// appendFailure appends a record's refusal.
func appendFailure(dst []byte, errs []fieldError) []byte {
	dst = append(dst, `{"success":false,"errors":[`...)
	for i, e := range errs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"statusCode":`...)
		dst = appendString(dst, e.code)
		dst = append(dst, `,"message":`...)
		dst = appendString(dst, e.message)
		dst = append(dst, `,"fields":[`...)
		if e.field != "" {
			dst = appendString(dst, e.field)
		}
		dst = append(dst, "]}"...)
	}
	return append(dst, "]}"...)
}
