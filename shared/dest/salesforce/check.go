package salesforce

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// apiName is what an object or a field may be called in the API ("Object
// Reference", API Field Properties).
var apiName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,79}$`)

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
	if !apiName.MatchString(d.Object) {
		c.fault("destination_object", "destination_object: %q is no Salesforce API name; allowed: letters, digits and _, such as Account or Health__c", short(d.Object))
	}
	c.fields()
	if d.Strategy != syncdef.MatchNone {
		c.match()
	}
	c.onMissing()
	return c.faults
}

// short cuts a text for a message.
func short(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

// fields refuses mappings that Salesforce refuses: the external id that an upsert
// names in its address, and the record's own Id.
func (c *checker) fields() {
	inAddress := writeOf(c.def) == byExternalID
	for i, f := range c.def.Fields {
		path := fmt.Sprintf("field_mappings[%d].destination", i)
		switch {
		case !apiName.MatchString(f.Destination):
			c.fault(path, "destination: %q is no Salesforce API name; allowed: letters, digits and _, such as Name or Health_Score__c", short(f.Destination))
		case strings.EqualFold(f.Destination, idField):
			c.fault(path, "destination Id cannot be mapped: Salesforce gives it; to change records whose Id is known, use match: {source: %s, destination: Id}", f.Source)
		case inAddress && strings.EqualFold(f.Destination, c.def.Match.Destination):
			c.fault(path, "destination %s is the external id already; Salesforce refuses it as a mapped field too, so remove this mapping", f.Destination)
		}
	}
}

// match judges the field that records are found by.
func (c *checker) match() {
	d, m := c.def, c.def.Match
	text := slices.Contains([]syncdef.Strategy{syncdef.MatchEmail, syncdef.MatchEmailDomain, syncdef.MatchName}, d.Strategy)
	byID := strings.EqualFold(m.Destination, idField)
	if !apiName.MatchString(m.Destination) {
		c.fault("match.destination", "match.destination: %q is no Salesforce API name", short(m.Destination))
	}
	switch {
	case byID && text:
		c.fault("match.destination", "match.destination: Id holds no text that %s could find; use matching_strategy: field", d.Strategy)
	case byID && d.Operation != syncdef.Update && d.Operation != syncdef.Delete:
		c.fault("operation", "operation: Salesforce gives Ids itself, so a match by Id only changes records that exist; use operation: update, or delete")
	case text && m.DataType != "" && m.DataType != syncdef.MatchText:
		c.fault("match.data_type", "match.data_type: %s compares text; allowed: text", d.Strategy)
	case byID && m.DataType != "" && m.DataType != syncdef.MatchID:
		c.fault("match.data_type", "match.data_type: the field Id holds ids; allowed: id")
	}
	if m.Case != nil && (byID || m.DataType == syncdef.MatchNumber || m.DataType == syncdef.MatchID) {
		c.fault("match.case", "match.case has no use here: ids are told apart by case in any spelling, numbers have none")
	}
	if m.Case != nil && *m.Case && text {
		c.fault("match.case", "match.case: true has no use with %s, which leaves case out", d.Strategy)
	}
}

// createNeeds are the fields without which Salesforce refuses a new record
// ("Object Reference", required fields). Other objects are not known here.
var createNeeds = map[string][]string{
	"account":     {"Name"},
	"contact":     {"LastName"},
	"lead":        {"LastName", "Company"},
	"opportunity": {"Name", "StageName", "CloseDate"},
}

// onMissing fills in what happens when matching finds nothing: records are created
// only where everything that creation needs is mapped.
func (c *checker) onMissing() {
	d := c.def
	needs, known := createNeeds[strings.ToLower(d.Object)]
	lacks := slices.DeleteFunc(slices.Clone(needs), c.given)
	external := writeOf(d) == byExternalID
	switch {
	case external && d.OnMissing == syncdef.Report:
		c.fault("on_missing", "on_missing: an upsert by external id always creates; use operation: update to change existing records only")
	case !external && d.OnMissing == syncdef.Create && len(lacks) > 0:
		c.fault("on_missing", "on_missing: creating %s needs a mapping to %s; add it, or use on_missing: report", d.Object, strings.Join(lacks, " and "))
	case d.OnMissing != "":
	case external, d.Operation == syncdef.Upsert && known && len(lacks) == 0:
		d.OnMissing = syncdef.Create
	default:
		d.OnMissing = syncdef.Report
	}
}

// given reports whether a new record gets this field: mapped, or matched by.
func (c *checker) given(field string) bool {
	return slices.ContainsFunc(c.def.Fields, func(f syncdef.Field) bool { return strings.EqualFold(f.Destination, field) })
}
