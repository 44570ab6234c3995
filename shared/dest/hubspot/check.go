package hubspot

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
)

var (
	// objectName is a name, a fully qualified name or an object type id ("Object APIs").
	objectName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`)
	// propertyName is a property's internal name ("Properties"): lower case.
	propertyName = regexp.MustCompile(`^[a-z0-9_][a-z0-9_-]{0,249}$`)
)

// standard are the standard objects' names in paths, by what people also call them.
var standard = map[string]string{
	"contact": "contacts", "company": "companies", "deal": "deals", "ticket": "tickets", "product": "products",
	"line_item": "line_items", "quote": "quotes", "lead": "leads", "order": "orders", "invoice": "invoices", "subscription": "subscriptions",
}

// objectPath is an object as it stands in a path.
func objectPath(object string) string {
	lower := strings.ToLower(object)
	if plural, ok := standard[lower]; ok {
		return plural
	}
	for _, plural := range standard {
		if lower == plural {
			return plural
		}
	}
	return object
}

// holdsContacts reports whether an object is the one that has people's addresses.
func holdsContacts(object string) bool {
	return objectPath(object) == "contacts" || object == "0-1"
}

// A checker collects the faults of one definition.
type checker struct {
	def    *syncdef.Definition
	faults []syncdef.Fault
}

func (c *checker) fault(path, format string, args ...any) {
	c.faults = append(c.faults, syncdef.Fault{Path: path, Message: fmt.Sprintf(format, args...)})
}

// check judges a definition that is sound by the common rules, and fills in what a
// match that finds nothing does.
func check(d *syncdef.Definition, _ *syncdef.Connection) []syncdef.Fault {
	c := &checker{def: d}
	if !objectName.MatchString(d.Object) {
		c.fault("destination_object", "destination_object: %q is no HubSpot object; write its name or its id, such as contacts, companies, p4711_car or 2-4711", short(d.Object))
	}
	for i, f := range d.Fields {
		c.property(fmt.Sprintf("field_mappings[%d].destination", i), "destination", f.Destination)
		if strings.EqualFold(f.Destination, propID) {
			c.fault(fmt.Sprintf("field_mappings[%d].destination", i), "destination %s cannot be mapped: HubSpot gives it; to change records whose id is known, use operation: update with match: {source: %s, destination: %s}", propID, f.Source, propID)
		}
	}
	kept := keepsJSON(d)
	for i, f := range d.Fields {
		if kept[f.Destination] && f.Type != syncdef.JSON {
			c.fault(fmt.Sprintf("field_mappings[%d].%s", i, keyJSON), "%s has no use with data_type %s; allowed: %s", keyJSON, f.Type, syncdef.JSON)
		}
	}
	if d.Strategy != syncdef.MatchNone {
		c.match()
	}
	switch {
	case d.Operation == syncdef.Upsert && d.OnMissing == syncdef.Report:
		c.fault("on_missing", "on_missing: report has no use with upsert, which always creates; use operation: update to change existing records only")
	case d.Operation == syncdef.Update && d.OnMissing == syncdef.Create:
		c.fault("on_missing", "on_missing: create has no use with update; use operation: upsert")
	case d.OnMissing == "" && d.Operation == syncdef.Upsert:
		d.OnMissing = syncdef.Create
	case d.OnMissing == "":
		d.OnMissing = syncdef.Report
	}
	return c.faults
}

// property wants an internal name.
func (c *checker) property(path, key, name string) {
	switch {
	case propertyName.MatchString(name):
	case propertyName.MatchString(strings.ToLower(name)):
		c.fault(path, "%s: HubSpot's internal property names are in lower case: write %s", key, strings.ToLower(name))
	default:
		c.fault(path, "%s: %q is no internal name of a HubSpot property; write it as Settings > Properties shows it, such as lifecyclestage", key, short(name))
	}
}

// match judges the property that records are found by.
func (c *checker) match() {
	d, m := c.def, c.def.Match
	if m.Destination != "" {
		c.property("match.destination", "match.destination", m.Destination)
	}
	byID, byEmail := matchesID(d), m.Destination == propEmail
	switch {
	case byID && d.Strategy == syncdef.MatchEmail:
		c.fault("match.destination", "match.destination: %s holds no address; use matching_strategy: field", propID)
	case byID && d.Operation != syncdef.Update && d.Operation != syncdef.Delete:
		c.fault("operation", "operation: HubSpot gives %s itself, so a match by it only changes records that exist; use operation: update, or delete", propID)
	case byEmail && !holdsContacts(d.Object):
		c.fault("match.destination", "match.destination: only contacts are told apart by email; match %s by a property of unique values", short(d.Object))
	case (byID || byEmail || d.Strategy == syncdef.MatchEmail) && m.Case != nil && *m.Case:
		c.fault("match.case", "match.case: true has no use here: HubSpot compares this property without case")
	}
}

// short cuts a text for a message.
func short(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

// keepsJSON are the fields whose lists are sent as JSON.
func keepsJSON(d *syncdef.Definition) map[string]bool {
	out := map[string]bool{}
	for _, f := range d.Fields {
		var o struct {
			KeepJSON bool `json:"keep_json"`
		}
		if len(f.Options) > 0 && json.Unmarshal(f.Options, &o) == nil && o.KeepJSON {
			out[f.Destination] = true
		}
	}
	return out
}
