package hubspot

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/penstock-data/penstock/shared/dest"
)

// A detail is what an error says of one property: codes and names only, for its words
// quote values (I6).
type detail struct {
	code  string // the vendor's, in capitals
	field string // the property, "" when none is named
}

func newDetail(code, field string) detail {
	return detail{code: dest.ErrorCode(code), field: dest.Code(field)}
}

// discreet is a detail without what is a value of the rows that were sent. A code of the
// vendor's own words stays, or a row that holds one would change what the error means.
func (d detail) discreet(holds func(string) bool) detail {
	if holds == nil {
		return d
	}
	if holds(d.field) {
		d.field = ""
	}
	if d.code != "" && remedies[d.code] == "" && !slices.Contains(transient, d.code) && holds(d.code) {
		d.code = dest.CodeUnreadable
	}
	return d
}

// Codes that any record of a version would meet: they are about a property, not a value.
var aboutProperty = []string{"PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE", "READ_ONLY_PROPERTY", "PROPERTY_READ_ONLY"}

// configuration reports whether any record of the version would meet the error.
func (d detail) configuration() bool { return slices.Contains(aboutProperty, d.code) }

// transient are categories of a record's error that may pass.
var transient = []string{"RATE_LIMITS", "RATE_LIMIT", "INTERNAL_ERROR", "SERVER_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT", "LOCKED", "CONFLICTING_WRITE", "CONCURRENT_MODIFICATION"}

// remedies say in Penstock's own words what a code means and what to do. The codes are
// those of "Handling API errors" and of the changelog on property validation; of
// others the code alone is told.
var remedies = map[string]string{
	"PROPERTY_DOESNT_EXIST": "HubSpot has no such property: create it, or correct the name in field_mappings or match",
	"READ_ONLY_VALUE":       "HubSpot computes this property: remove it from field_mappings",
	"READ_ONLY_PROPERTY":    "HubSpot computes this property: remove it from field_mappings",
	"PROPERTY_READ_ONLY":    "HubSpot computes this property: remove it from field_mappings",
	"INVALID_OPTION":        "the value is none of the property's options: send the option's internal value, or add the option in HubSpot",
	"INVALID_INTEGER":       "the property takes whole numbers only",
	"INVALID_NUMBER":        "the property takes numbers only, with a point and without commas",
	"INVALID_DOUBLE":        "the property takes numbers only, with a point and without commas",
	"INVALID_LONG":          "the property takes whole numbers only",
	"INVALID_BOOLEAN":       "the property takes true or false only",
	"INVALID_DATE":          "the property takes dates only: use data_type: date for a date, datetime for a moment",
	"INVALID_EMAIL":         "HubSpot takes the value for no email address",
	"INVALID_PHONE_NUMBER":  "HubSpot takes the value for no phone number",
	"INVALID_ALPHA":         "the property takes letters only",
	"INVALID_ALPHANUMERIC":  "the property takes letters and digits only",
	"STRING_TOO_LONG":       "the value is too long: shorten it with max_length and on_too_long",
	codeRequired:            "HubSpot wants a property of every new record that the row does not give: map it, or give it a default",
	"CONFLICT":              "another record has this unique value already",
	"OBJECT_NOT_FOUND":      "HubSpot has no such record",
	"OBJECT_ALREADY_EXISTS": "the record exists already",
	"414":                   "the record is too large, or has more than 250 identities in HubSpot: merge or clean it there",
	"413":                   "the record is too large for one call",
}

// codeRequired stands for a refusal that has no code of its own.
const codeRequired = "REQUIRED_PROPERTIES"

// message is an error for people.
func (d detail) message() string {
	text := d.code
	if d.field != "" {
		text += " (" + d.field + ")"
	}
	if remedy := remedies[d.code]; remedy != "" {
		text += ": " + remedy
	}
	return text
}

// details are all that an error says of properties, its own parts first.
func (e *entry) details() []detail {
	var out []detail
	for i := range e.Errors {
		inner := &e.Errors[i]
		more := inner.details()
		if inner.Code != "" {
			more = append([]detail{newDetail(string(inner.Code), inner.property())}, more...)
		}
		out = append(out, more...)
	}
	out = append(out, embedded(string(e.Message))...)
	if e.requires() {
		out = append(out, newDetail(codeRequired, e.property()))
	}
	return out
}

// notSet is how a message begins that says so.
var notSet = regexp.MustCompile(`^(?:Error creating \S+\. )?Some required properties were not set`)

// requires reports whether an error is about properties that a new record lacks.
func (e *entry) requires() bool {
	return notSet.MatchString(string(e.Message)) ||
		strings.Contains(string(e.SubCategory), "REQUIRED_PROPERT")
}

// property is the property that an error names.
func (e *entry) property() string {
	for _, name := range []string{"propertyName", "properties", "property", "name"} {
		if list := e.Context[name]; len(list) > 0 {
			return string(list[0])
		}
	}
	return string(e.In)
}

// silent reports whether an error says nothing, as one of a gateway's in HubSpot's place.
func (e *entry) silent() bool {
	return e.detail().code == "" && e.SubCategory == "" && len(e.Errors) == 0 && len(e.Context) == 0
}

// everywhere are the texts of a kind in an error's contexts.
func (e entry) everywhere(name string) []text {
	out := slices.Clone(e.Context[name])
	for _, inner := range e.Errors {
		out = append(out, inner.everywhere(name)...)
	}
	return out
}

// detail is the one that is told of an error: what is wrong for every record before
// what is wrong with one, a code of a property before the category.
func (e *entry) detail() detail {
	all := e.details()
	for _, d := range all {
		if d.configuration() {
			return d
		}
	}
	if len(all) > 0 {
		return all[0]
	}
	if e.Code != "" {
		return newDetail(string(e.Code), e.property())
	}
	return newDetail(string(e.Category), e.property())
}

// outcome is what became of an input of which an answer has an error. What it passes on
// is no value of any row of the call: one error may quote another record's.
func (p *push) outcome(e entry, n, status int) dest.Outcome {
	d, r, kind := p.d, p.record(n), p.kind
	told := e.detail()
	if told.code == "" || status == 413 || status == 414 {
		told.code = strconv.Itoa(status)
	}
	named := told.field
	if told = told.discreet(p.holds); d.fields[named] {
		told.field = named
	} else if told.code != codeRequired {
		told.field = ""
	}
	out := dest.Outcome{Status: dest.Rejected, Code: told.code, Field: told.field, Message: told.message()}
	switch {
	case slices.Contains(transient, told.code):
		out.Status, out.Message = dest.Retry, told.code+": HubSpot could not write this record now"
	case told.configuration():
		out.Scope = dest.ScopeVersion
	case r.Delete && told.code == "OBJECT_NOT_FOUND": // that is what was asked for
		return dest.Outcome{Status: dest.Delivered, ID: d.named(r, kind)}
	case kind == updateKind && told.code == "OBJECT_NOT_FOUND":
		return d.gone(told.code)
	case told.code == "CONFLICT":
		if id := existing(string(e.Message)); id != "" && !p.holds(id) {
			out.Message += ": record " + id
		}
	}
	return out
}

// gone is the outcome of a record that is not there any more: matched anew where its
// id was only remembered, missing where the row itself names it.
func (d *destination) gone(code string) dest.Outcome {
	if d.write != byID {
		return dest.Outcome{Status: dest.Found, Code: code, Message: "the record is no longer in HubSpot; it is matched anew"}
	}
	return missing(d)
}

// missing is a record that an update does not find.
func missing(d *destination) dest.Outcome {
	return dest.Outcome{Status: dest.Rejected, Code: "no_match", Field: d.def.Match.Destination,
		Message: "no record of " + d.def.Object + " has this " + d.def.Match.Destination + ": create it in HubSpot, or use operation: upsert"}
}

// overlong is a record whose match value can be neither asked for nor written.
func overlong(d *destination) dest.Outcome {
	return dest.Outcome{Status: dest.Rejected, Code: "bad_match_value", Field: d.def.Match.Destination,
		Message: "the match value is a number of more than 64 digits, which no property holds: correct the row"}
}

var existingID = regexp.MustCompile(`^[A-Za-z]+ already exists\. Existing ID: ([0-9]{1,20})\b`)

// existing is the id in "Contact already exists. Existing ID: 101", "" where there is
// none.
func existing(message string) string {
	if m := existingID.FindStringSubmatch(message); m != nil {
		return m[1]
	}
	return ""
}
