// Package verify compares what a destination holds with what was delivered to it: which
// records are missing, and which fields somebody changed. The ledger keeps no values, only
// a hash per field, so that values read back are brought into the forms in which they may
// have been sent, and hashed. Pure: what is read, and when, is decided elsewhere.
package verify

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
)

// State is what comparing a record came to.
type State string

// The states. Of all but Same, Changed and Missing nothing can be said.
const (
	Same    State = "same"
	Changed State = "changed"          // a field holds another value than was delivered
	Missing State = "missing"          // the destination has no record of that id any more
	Waits   State = "waits"            // it is not known what the record holds, so that the next run that selects it sends it
	Removed State = "removed"          // this sync removed the record
	NoID    State = "no_id"            // the destination gave no id to read it by
	Moved   State = "delivered_since"  // it was delivered anew while it was read
	Unkept  State = "no_hashes"        // the ledger keeps no hashes of its fields
	Untold  State = "unknown_version"  // the version that delivered it is not stored, or not known to this release
	Unread  State = "nothing_readable" // none of its fields can be read back, or the destination does not show it
)

// Before is what can be said of a record without reading it; "" asks to read it.
func Before(e *ledger.Entry) State {
	switch {
	case e.Held.Fingerprint == row.Gone:
		return Removed
	case e.Held.Fingerprint.Void():
		return Waits
	case e.Held.ID == "":
		return NoID
	case len(e.Held.Fields) == 0:
		return Unkept
	}
	return ""
}

// A Form brings the value of the field at a position into the forms in which it may have
// been sent (mapping.Mapper.ReadBack).
type Form func(at int, v jsontext.Value) []jsontext.Value

// A Field is one that a version sends, and what reading it back tells.
type Field struct {
	Name    string
	Why     string                                  // why it cannot be compared; "" can
	Alters  string                                  // why the destination may keep another value than was sent
	Altered func(v jsontext.Value) bool             // of which shown values Alters may be true; nil is of all
	Trims   bool                                    // texts are kept without outer white space
	Empty   jsontext.Value                          // what stands for an empty field beside null
	Also    func(v jsontext.Value) []jsontext.Value // other values that the destination shows as this one; nil is none
	Match   bool                                    // records are found by it: its value is compared by the rule of identity
}

// Fields are those of one version, by position in its mapping's names.
type Fields struct {
	Of       []Field
	Identity row.Identity // of the match field
	Form     Form
}

// Compare says which fields of a record differ from what was delivered, by position, and
// of which nothing can be said though they can be read. values are by position; nil is a
// field that was not shown.
func (f *Fields) Compare(e *ledger.Entry, values []jsontext.Value) (changed, unsure []int) {
	for i := range f.Of {
		field := &f.Of[i]
		if field.Why != "" || i >= len(e.Held.Fields) || e.Held.Fields[i] == 0 || values[i] == nil {
			continue // it was left alone, or is not known
		}
		switch {
		case field.Match && f.Found(e.Key, values[i]), f.holds(field, i, e.Held.Fields[i], values[i]):
		case field.Alters != "" && (field.Altered == nil || field.Altered(values[i])) && !field.Match: // the rule of identity passes over what is altered
			unsure = append(unsure, i)
		default:
			changed = append(changed, i)
		}
	}
	return changed, unsure
}

// Found reports whether a record with this match value is the key's.
func (f *Fields) Found(key string, v jsontext.Value) bool {
	got, ok := f.Identity.Key(nil, []byte(rawjson.Scalar(v)))
	return ok && string(got) == key
}

// holds reports whether a value may be the one whose hash is known.
func (f *Fields) holds(field *Field, at int, hash uint32, v jsontext.Value) bool {
	is := func(form jsontext.Value) bool { return ledger.FieldHash(form) == hash }
	if slices.ContainsFunc(f.Form(at, v), is) {
		return true
	}
	if field.Empty != nil && string(v) == string(field.Empty) && is(jsontext.Value("null")) {
		return true
	}
	if field.Also != nil {
		for _, other := range field.Also(v) {
			if slices.ContainsFunc(f.Form(at, other), is) {
				return true
			}
		}
	}
	return field.Trims && v.Kind() == '"' && slices.ContainsFunc(padded(v), is)
}

// blanks are what people leave around a text. Of a text that the destination trims these
// are tried: the hash tells which one was sent, and no more.
var blanks = []string{"", " ", "  ", "\n", "\r\n", "\t"}

// padded are a text with white space around it.
func padded(v jsontext.Value) (out []jsontext.Value) {
	text, ok := rawjson.Text(v)
	if !ok {
		return nil
	}
	for _, before := range blanks {
		for _, after := range blanks {
			if before+after != "" {
				out = append(out, rawjson.AppendQuote(nil, before+text+after))
			}
		}
	}
	return out
}

// Position is where a name stands among the fields; -1 for none. Case does not count.
func (f *Fields) Position(name string) int {
	return slices.IndexFunc(f.Of, func(o Field) bool { return strings.EqualFold(o.Name, name) })
}
