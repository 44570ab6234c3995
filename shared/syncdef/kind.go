package syncdef

import (
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/row"
)

// A Kind is what a destination type adds to the definition language: data and
// pure checks, no I/O. Package dest's Vendor carries one; the reader, the JSON
// Schema, the configuration page and the messages take the list of them.
type Kind struct {
	Name  string // the connection's type, its queue and its function: lower case
	Title string // towards people
	// Connection holds the keys that a connection of this type has beside type, url,
	// secret and quota; Definition those of the object under the type's name in a
	// definition; Field those of a field mapping beside the common ones.
	Connection []Key
	Definition []Key
	Field      []Key
	Operations []Operation // what it carries out, in the order of the messages; the default is upsert, or else the first
	// Removals are what it can do with a record whose row is deleted, the first being
	// the default of on_delete; nil removes nothing, and deleting rows are rejected.
	Removals   []Removal
	Strategies []Strategy // how it can match; nil when rows have no match
	Objects    []string   // the objects that it has, the first being the default; nil is any, and one must be named
	// Pairs are the defaults of match, side by side with matching_strategy; a
	// strategy without one needs match in the file.
	Pairs map[Strategy]Match
	Lanes int // default of lanes; 0 is DefaultLanes
	// Nesting says whether a destination may be a Path into a field, as in
	// address.city; NestNone refuses it.
	Nesting Nesting
	// Spreads says that a destination may end with SpreadMark: each member of an object
	// becomes a field, by its name.
	Spreads bool
	// Posts says that it can post a notice into a channel, so that notifications may
	// name it.
	Posts bool
	// CheckConnection and Check report what is wrong with settings that are sound by
	// the common rules, and fill in the type's own defaults; what stood in no file
	// and has no default in a Key is still empty, but for on_missing, which is report.
	// A fault's Path is that of the file (match.destination, TYPE.key, and of a
	// connection url or quota.share); the reader finds its place, or that of what
	// holds it. Either may be nil.
	CheckConnection func(c *Connection) []Fault
	Check           func(d *Definition, c *Connection) []Fault
	// Rules states what the pipeline must know of a version, as data. It is asked of
	// faulty definitions too, whose mappings are still judged.
	Rules func(d *Definition, c *Connection) Rules
	// Effort states what the calls of a sound definition carry and what bounds them, for
	// estimates; nil tells nothing.
	Effort func(d *Definition) Effort
	// Example is what penstock init writes; the zero value offers none.
	Example Example
	// AsksAccount reports whether the rule of identity depends on what kind of field
	// the account's match field is; apply then asks the account (dest.Describer). nil is never.
	AsksAccount func(d *Definition) bool
}

// RulesOf gives the rules of a definition of this type, the type's name filled in.
func (k Kind) RulesOf(d *Definition, c *Connection) Rules {
	var r Rules
	if k.Rules != nil {
		r = k.Rules(d, c)
	}
	r.Type = k.Name
	if k.Effort != nil {
		e := k.Effort(d)
		r.Effort = &e
	}
	r.Nested = k.Nesting == NestObjects && slices.ContainsFunc(d.Fields, func(f Field) bool {
		p, err := ParsePath(f.Destination)
		return err == nil && (p.Nested() || p[0].Name != f.Destination)
	})
	r.Spread = k.Spreads && slices.ContainsFunc(d.Fields, func(f Field) bool { return strings.HasSuffix(f.Destination, SpreadMark) })
	return r
}

// Nesting is what a destination with dots or brackets means to a type.
type Nesting uint8

// The kinds of nesting.
const (
	NestNone    Nesting = iota // nothing: fields hold no objects
	NestNames                  // a name: the type's Check judges it
	NestObjects                // a path: the field's object is built of its parts, and sent whole
)

// Kinds are the destination types that a program knows.
type Kinds []Kind

// Find gives the type of that name.
func (k Kinds) Find(name string) (Kind, bool) {
	for _, one := range k {
		if one.Name == name {
			return one, true
		}
	}
	return Kind{}, false
}

// Names lists the names, for messages.
func (k Kinds) Names() []string {
	out := make([]string, len(k))
	for i, one := range k {
		out[i] = one.Name
	}
	return out
}

// Rules is what a version's destination type says of it, as data: NewVersion
// writes them into the version, intake and dead letters interpret them and link
// no vendor. A new release's rules take effect at the next apply only.
type Rules struct {
	Type     string       `json:"type"`     // the destination type: the queue's name
	Identity row.Identity `json:"identity"` // how the destination compares match values
	// Group names the destination field whose value groups a run's rows (Slack:
	// channel), "" for none; GroupDefault is the group of rows that have none.
	// GroupPrefix is what a group may be written with or without.
	Group        string `json:"group,omitempty"`
	GroupDefault string `json:"group_default,omitempty"`
	GroupPrefix  string `json:"group_prefix,omitempty"`
	// Gather says that a run's rows wait until all of them are received, because
	// what is sent depends on how many there are per group.
	Gather bool `json:"gather,omitempty"`
	// Once says that a key is sent once, ever (inserts), after a stored intent.
	Once bool `json:"once,omitempty"`
	// Idempotent says that a push which is made twice, also at the same time, creates nothing
	// twice, and is refused for it neither.
	Idempotent bool `json:"idempotent,omitempty"`
	// Lookup says that it can be found out whether an insert arrived.
	Lookup bool `json:"lookup,omitempty"`
	// Nested says that destinations are Paths, some of them into objects and lists.
	Nested bool `json:"nested,omitempty"`
	// Spread says that some destinations end with SpreadMark.
	Spread bool `json:"spread,omitempty"`
	// Adds names the destination fields whose value is added to what is there: the same value
	// sent twice counts twice.
	Adds []string `json:"adds,omitempty"`
	// Along names the destination fields that go along with what changed of a row, also
	// where they did not change: they say where it belongs.
	Along []string `json:"along,omitempty"`
	// Entities names the destination field in whose templates &, < and > of columns
	// are written as entities, because its text is markup; "" for none.
	Entities string `json:"entities,omitempty"`
	// LengthUnit is what the vendor counts in max_length; "" is utf16.
	LengthUnit LengthUnit `json:"length_unit,omitempty"`
	// DateMin and DateMax are the first and the last day that the vendor takes in a
	// date or datetime, YYYY-MM-DD; "" is no bound but the years 1 to 9999.
	DateMin string `json:"date_min,omitempty"`
	DateMax string `json:"date_max,omitempty"`
	// Effort is for estimates alone, and no part of the version's content; nil tells
	// nothing.
	Effort *Effort `json:"effort,omitempty"`
}

// LengthUnit is what a text's length is counted in.
type LengthUnit string

// The units.
const (
	LengthUTF16 LengthUnit = "utf16" // UTF-16 code units: an emoji is 2
	LengthRune  LengthUnit = "rune"  // Unicode code points
	LengthByte  LengthUnit = "byte"  // bytes of UTF-8
)
