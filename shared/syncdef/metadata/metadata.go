// Package metadata holds a definition against what a destination's account says of
// itself: which fields an object has, what they take, and what the account's user may
// do. Destinations fill in an Object (dest.Inspector); Check compares it, and knows no
// vendor. Nothing here reads or sends.
package metadata

import (
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// An Object is a kind of records as an account shows it to its user. What the account
// does not tell is at its zero value, and allowed.
type Object struct {
	Name     string  // as the account writes it
	Label    string  // towards people
	Fields   []Field // in the account's order
	NoCreate bool    // the user may not make records
	NoUpdate bool    // the user may not change records
	NoDelete bool    // the user may not delete records
	Word     string  // what the vendor calls a field: field, property, attribute; "" is field
	Fold     bool    // names of fields, and values that they offer, are compared without regard to case
	Prefix   string  // that a mapping may write before a field's name
	// Makes says that the definition has fields made that there are not.
	Makes bool
	// KeyLack is what is wrong with a field that is no Key: "is no external id".
	KeyLack string
	// Match is what the definition's way of writing asks of its match field.
	Match Match
	// Remedy is what to do about a field that is not there; "" is to correct the name.
	Remedy string
	// Faults and Notices are what only the vendor can say of the definition.
	Faults, Notices []syncdef.Fault
}

// Match is what a way of writing asks of the field that records are found by.
type Match uint8

// The kinds.
const (
	MatchNothing Match = iota // it is no field, or nothing is asked of it
	MatchSearch               // records are searched by it
	MatchKey                  // records are upserted by it
)

// A Field of an Object.
type Field struct {
	Name      string // as a mapping writes it
	Label     string
	Type      string            // the vendor's word
	Takes     []syncdef.Type    // the data types whose values it takes, the best first; nil is not known
	Length    int               // the longest text, in characters; 0 is not told
	Precision int               // of a number: digits in all; 0 is not told
	Scale     int               // of a number with a Precision: digits after the point
	Required  bool              // a new record must be given a value
	NoCreate  bool              // a new record cannot be given a value
	NoUpdate  bool              // the value of a record that is there cannot be changed
	NoNull    bool              // a null is refused
	Why       string            // why it cannot be written, and the remedy
	Unique    bool              // no two records have the same value
	Key       bool              // records can be upserted by it
	NoSearch  bool              // records cannot be searched by it
	Compared  syncdef.MatchType // how its values are compared; "" is not told
	Case      *bool             // whether texts that differ by case are different values; nil is not told
	Options   []Option          // the values that it offers
	Open      bool              // it takes others than its Options
	Several   bool              // it takes several Options, joined by semicolons
}

// An Option is a value that a field offers.
type Option struct {
	Value    string // what is sent
	Label    string
	Inactive bool // not offered any more: refused
	Hidden   bool // taken, but not shown to people
}

// Find is the field that a mapping's destination names; nil where there is none.
func (o *Object) Find(name string) *Field {
	if o.Prefix != "" {
		name = strings.TrimPrefix(name, o.Prefix)
	}
	for i := range o.Fields {
		if f := &o.Fields[i]; f.Name == name || o.Fold && strings.EqualFold(f.Name, name) {
			return f
		}
	}
	return nil
}

// target is the field that a mapping's destination names, or the one that it leads into:
// address of address.city.
func (o *Object) target(destination string) (f *Field, within bool) {
	if whole := o.Find(destination); whole != nil {
		return whole, false
	}
	top := syncdef.TopField(strings.TrimPrefix(destination, o.Prefix))
	path, err := syncdef.ParsePath(destination)
	return o.Find(top), err == nil && path.Nested()
}

// word is what a field is called.
func (o *Object) word() string {
	if o.Word != "" {
		return o.Word
	}
	return "field"
}

// nearest is the field that a name most likely meant: by its label, or mistyped.
func (o *Object) nearest(name string) string {
	names := make([]string, len(o.Fields))
	for i := range o.Fields {
		if f := &o.Fields[i]; f.Label != "" && strings.EqualFold(f.Label, name) {
			return f.Name
		}
		names[i] = o.Fields[i].Name
	}
	return syncdef.Nearest(name, names)
}
