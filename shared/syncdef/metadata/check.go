package metadata

import (
	"fmt"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// A Report is what a comparison found. A fault would have the destination refuse rows,
// or all of them; a notice may. Their Paths are those of the definition's keys.
type Report struct {
	Faults  []syncdef.Fault
	Notices []syncdef.Fault
}

// Check compares a definition that is sound by itself with the object that its rows go
// to.
func Check(d *syncdef.Definition, o *Object) Report {
	c := &checker{def: d, object: o, report: Report{Faults: slices.Clone(o.Faults), Notices: slices.Clone(o.Notices)}}
	c.operation()
	c.match()
	for i := range d.Fields {
		c.field(i)
	}
	c.required()
	c.cleared()
	c.unbounded()
	return c.report
}

// A checker collects what there is to say about one definition.
type checker struct {
	def    *syncdef.Definition
	object *Object
	report Report
	loose  []string // fields whose texts nothing bounds
}

// fault is told at a path, which the message begins with the last key of.
func (c *checker) fault(path, format string, args ...any) {
	c.report.Faults = append(c.report.Faults, syncdef.Fault{Path: path, Message: key(path) + ": " + fmt.Sprintf(format, args...)})
}

func (c *checker) notice(path, format string, args ...any) {
	c.report.Notices = append(c.report.Notices, syncdef.Fault{Path: path, Message: key(path) + ": " + fmt.Sprintf(format, args...)})
}

// key is how a path is told: match.destination whole, of a mapping the last key.
func key(path string) string {
	if strings.HasPrefix(path, "field_mappings[") {
		path, _, _ = strings.Cut(path[strings.LastIndexByte(path, '.')+1:], "[")
	}
	return path
}

// creates reports whether rows of the definition may make records.
func creates(d *syncdef.Definition) bool {
	return d.Operation == syncdef.Insert || d.Operation == syncdef.Upsert && d.OnMissing != syncdef.Report
}

// changes reports whether rows of it may change records that are there.
func changes(d *syncdef.Definition) bool {
	return d.Operation == syncdef.Update || d.Operation == syncdef.Upsert || d.Operation == syncdef.Delete && d.OnDelete == syncdef.RemoveClear
}

// deletes reports whether rows of it may delete records.
func deletes(d *syncdef.Definition) bool {
	return (d.Operation == syncdef.Delete || d.Mirror != nil) && d.OnDelete != syncdef.RemoveClear
}

// Needs are what rows of a definition may do with records: create, change, delete.
func Needs(d *syncdef.Definition) []string { return actions(d, nil) }

// Lacks are those of Needs that the connection's user may not do.
func Lacks(d *syncdef.Definition, o *Object) []string { return actions(d, o) }

// actions are what a definition needs: all of it, or what an object denies.
func actions(d *syncdef.Definition, o *Object) []string {
	var out []string
	for _, one := range []struct {
		needed, denied bool
		name           string
	}{
		{creates(d), o == nil || o.NoCreate, "create"},
		{changes(d), o == nil || o.NoUpdate, "change"},
		{deletes(d), o == nil || o.NoDelete, "delete"},
	} {
		if one.needed && one.denied {
			out = append(out, one.name)
		}
	}
	return out
}

// operation wants the account's user to be allowed what the rows ask for.
func (c *checker) operation() {
	if lacks := Lacks(c.def, c.object); lacks != nil {
		c.fault("operation", "%s, but the connection's user may not %s records of %s: give it the permission, or choose another operation", c.def.Operation, strings.Join(lacks, " and "), c.object.Name)
	}
}

// match judges the field that records are found by.
func (c *checker) match() {
	name := c.def.Match.Destination
	if c.object.Match == MatchNothing || name == "" {
		return
	}
	f := c.object.Find(name)
	switch {
	case f == nil:
		c.unknown("match.destination", name)
	case c.object.Match == MatchKey && !f.Key:
		c.fault("match.destination", "records of %s cannot be written by %s %s, which %s: %s", c.object.Name, c.object.word(), f.Name, c.lack(), c.keys())
	case c.object.Match == MatchKey && f.NoCreate && creates(c.def):
		c.fault("match.destination", "%s %s cannot be given to new records, which an upsert makes: %s", c.object.word(), f.Name, f.why())
	case textual(c.def.Strategy) && len(f.Takes) > 0 && !slices.Contains(f.Takes, syncdef.String):
		c.fault("match.destination", "matching_strategy %s compares texts, but %s %s is of type %s: match by another one, or use matching_strategy: field", c.def.Strategy, c.object.word(), f.Name, f.Type)
	case c.object.Match == MatchSearch && f.NoSearch:
		c.fault("match.destination", "records of %s cannot be searched by %s %s (%s): match by another one", c.object.Name, c.object.word(), f.Name, f.Type)
	default:
		c.compared(f)
	}
}

// compared wants what the definition says of the match field to be so.
func (c *checker) compared(f *Field) {
	m := &c.def.Match
	if m.DataType != "" && f.Compared != "" && m.DataType != f.Compared {
		c.fault("match.data_type", "%s, but %s %s holds a %s: write data_type: %s, or leave it out", m.DataType, c.object.word(), f.Name, f.Compared, f.Compared)
	}
	switch {
	case m.Case == nil || f.Case == nil:
	case *m.Case && !*f.Case:
		c.fault("match.case", "true, but %s %s compares texts without regard to case: leave it out, or make the %[1]s case-sensitive", c.object.word(), f.Name)
	case !*m.Case && *f.Case:
		c.fault("match.case", "false, but %s %s is case-sensitive: leave it out, or write case: true", c.object.word(), f.Name)
	}
}

// textual reports whether a strategy compares texts.
func textual(s syncdef.Strategy) bool {
	return s == syncdef.MatchEmail || s == syncdef.MatchEmailDomain || s == syncdef.MatchName
}

// lack is what is wrong with a field that is no key.
func (c *checker) lack() string {
	if c.object.KeyLack != "" {
		return c.object.KeyLack
	}
	return "has no unique values"
}

// keys says what could be matched by instead.
func (c *checker) keys() string {
	var names []string
	for i := range c.object.Fields {
		if c.object.Fields[i].Key {
			names = append(names, c.object.Fields[i].Name)
		}
	}
	if names == nil {
		return c.object.Name + " has no " + c.object.word() + " to match by, so make one"
	}
	return "match by another one, such as " + shortList(names)
}

// unknown is a field that is not there.
func (c *checker) unknown(path, name string) {
	remedy := c.object.Remedy
	if remedy == "" {
		remedy = "correct the name"
	}
	if near := c.object.nearest(strings.TrimPrefix(name, c.object.Prefix)); near != "" {
		c.fault(path, "%s has no %s %s; did you mean %s? If not: %s", c.object.Name, c.object.word(), short(name), near, remedy)
		return
	}
	c.fault(path, "%s has no %s %s: %s", c.object.Name, c.object.word(), short(name), remedy)
}

// required wants a new record to be given what the account asks of it.
func (c *checker) required() {
	if !creates(c.def) || c.object.NoCreate {
		return
	}
	given := map[*Field]bool{c.object.Find(c.def.Match.Destination): true}
	for i := range c.def.Fields {
		f, _ := c.object.target(c.def.Fields[i].Destination)
		given[f] = true
	}
	for i := range c.object.Fields {
		if f := &c.object.Fields[i]; f.Required && !f.NoCreate && !given[f] {
			c.fault("field_mappings", "a new record of %s needs %s %s, which nothing is mapped to: add {source: …, destination: %s}", c.object.Name, c.object.word(), f.Name, f.Name)
		}
	}
}

// cleared tells of fields that a deleting row would empty though a record needs them.
func (c *checker) cleared() {
	if c.def.OnDelete != syncdef.RemoveClear {
		return
	}
	var needed []string
	for i := range c.def.Fields {
		if f, _ := c.object.target(c.def.Fields[i].Destination); f != nil && f.Required && f != c.object.Find(c.def.Match.Destination) {
			needed = append(needed, f.Name)
		}
	}
	if needed != nil {
		c.notice("on_delete", "clear empties every mapped %s, and a record needs these, so that deleting rows may fail: %s; remove the record instead, or leave them out of a sync that deletes", c.object.word(), shortList(needed))
	}
}

// unbounded tells of texts that may be longer than their fields.
func (c *checker) unbounded() {
	if c.loose != nil {
		c.notice("field_mappings", "a text longer than its %s takes is refused, unless max_length and on_too_long say otherwise: %s", c.object.word(), shortList(c.loose))
	}
}

// short cuts a text for a message.
func short(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// shortList is the first few of a list.
func shortList(names []string) string {
	const most = 8
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}
