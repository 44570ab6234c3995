package runs

import (
	"bytes"
	"encoding/json"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// plain is how two texts are one towards a person who asks to be forgotten: outer and
// inner white space, case, Unicode's form and the spelling of an address's domain do not
// count. It is at least as wide as any destination's rule of identity.
var plain = row.Identity{Steps: []row.Step{row.StepTrim, row.StepSpace, row.StepLower, row.StepNFC}}

// address adds that an international domain may be written in ASCII.
var address = row.Identity{Steps: []row.Step{row.StepEmail, row.StepTrim, row.StepLower, row.StepNFC}}

// forms are the plain forms of a text.
func forms(text string) []string {
	var all []string
	for _, id := range []row.Identity{plain, address} {
		if b, ok := id.Key(nil, []byte(text)); ok {
			all = append(all, string(b))
		}
	}
	return all
}

// matcher tells the errors that are of a key, or hold it.
func matcher(key string) func(e *run.RowError) bool {
	wanted := map[string]bool{}
	for _, f := range forms(key) {
		wanted[f] = true
	}
	is := func(text string) bool {
		for _, f := range forms(text) {
			if wanted[f] {
				return true
			}
		}
		return false
	}
	return func(e *run.RowError) bool {
		if e.Key != "" && is(e.Key) || e.RecordID != "" && is(e.RecordID) {
			return true
		}
		if len(e.Source) == 0 {
			return false
		}
		d := json.NewDecoder(bytes.NewReader(e.Source))
		d.UseNumber() // of any size
		var v any
		return d.Decode(&v) == nil && holds(v, is)
	}
}

// holds reports whether a text that matches is anywhere in a JSON value. A number is
// anybody's.
func holds(v any, is func(string) bool) bool {
	switch v := v.(type) {
	case string:
		return is(v)
	case []any:
		for _, e := range v {
			if holds(e, is) {
				return true
			}
		}
	case map[string]any:
		for _, e := range v {
			if holds(e, is) {
				return true
			}
		}
	}
	return false
}
