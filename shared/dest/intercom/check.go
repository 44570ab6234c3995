package intercom

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// The contact's own fields that have a use beyond being written.
const (
	fieldExternalID = "external_id"
	fieldEmail      = "email"
	fieldRole       = "role"
	fieldOwner      = "owner_id"
	fieldTags       = "tags"
	fieldCustom     = "custom_attributes"

	customPrefix = fieldCustom + "."
)

// own are the contact's own fields that can be written, and what their values are
// ("Update a contact", Request Body Schema). Whatever else is mapped is a custom
// attribute.
var own = map[string]syncdef.Type{
	"name": syncdef.String, "phone": syncdef.String, "avatar": syncdef.String, "language_override": syncdef.String,
	fieldEmail: syncdef.String, fieldExternalID: syncdef.String, fieldRole: syncdef.String, fieldOwner: syncdef.String,
	"signed_up_at": syncdef.DateTime, "last_seen_at": syncdef.DateTime,
	"unsubscribed_from_emails": syncdef.Boolean,
	fieldTags:                  syncdef.JSON, fieldCustom: syncdef.JSON,
}

// given are the fields that Intercom writes itself, or only in ways that Penstock
// does not use, with the reason.
var given = map[string]string{
	"id": "Intercom gives it", "created_at": "Intercom gives it", "updated_at": "Intercom gives it", "workspace_id": "Intercom gives it",
	"last_replied_at": "Intercom writes it", "last_contacted_at": "Intercom writes it", "last_email_opened_at": "Intercom writes it",
	"last_email_clicked_at": "Intercom writes it", "has_hard_bounced": "Intercom writes it", "marked_email_as_spam": "Intercom writes it",
	"location": "Intercom writes it", "social_profiles": "Intercom writes it", "segments": "Intercom writes it",
	"email_verified": "Intercom takes it only beside a new email", "companies": "companies are not written by this version", "company": "companies are not written by this version",
	"last_request_at": "Intercom writes it",
}

// attributeName is what a custom attribute may be called: letters, digits, currency
// signs, hyphens, underscores and blanks. newName is the same of one that is made over the
// API ("Create a data attribute"), without blanks.
var (
	attributeName = regexp.MustCompile(`^[\p{L}\p{N}\p{Sc}_-][\p{L}\p{N}\p{Sc} _-]{0,189}$`)
	newName       = regexp.MustCompile(`^[\p{L}\p{N}\p{Sc}_-]{1,190}$`)
)

// custom is the custom attribute that a destination names, in full
// (custom_attributes.plan) or by its name alone.
func custom(destination string) (name string, is bool) {
	if name, full := strings.CutPrefix(destination, customPrefix); full {
		return name, true
	}
	_, standard := own[destination]
	return destination, !standard
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
	c.match()
	attributes := map[string]string{}
	for i := range d.Fields {
		if name, is := custom(d.Fields[i].Destination); is {
			if other, twice := attributes[name]; twice {
				c.fault(fmt.Sprintf("field_mappings[%d].destination", i), "destination %s is the custom attribute that %s is; map it once", d.Fields[i].Destination, other)
			}
			attributes[name] = d.Fields[i].Destination
		}
		c.field(fmt.Sprintf("field_mappings[%d].", i), &d.Fields[i])
	}
	c.tags()
	if d.OnDelete == syncdef.RemoveClear && slices.ContainsFunc(d.Fields, func(f syncdef.Field) bool { return f.Destination == fieldCustom }) {
		c.fault("on_delete", "on_delete: clear empties the fields that the definition names, and what is mapped to %s is named by each row; map its attributes one by one, or use on_delete: archive", fieldCustom)
	}
	switch {
	case d.OnMissing == syncdef.Create && d.Operation == syncdef.Update:
		c.fault("on_missing", "on_missing: an update creates nothing; use operation: upsert, or on_missing: report")
	case d.OnMissing != "":
	case d.Operation != syncdef.Upsert:
		d.OnMissing = syncdef.Report
	default:
		d.OnMissing = syncdef.Create
	}
	return c.faults
}

// match wants the field that the strategy finds contacts by.
func (c *checker) match() {
	d := c.def
	want := map[syncdef.Strategy]string{syncdef.MatchExternalID: fieldExternalID, syncdef.MatchEmail: fieldEmail}[d.Strategy]
	switch {
	case d.Strategy == syncdef.MatchNone:
		c.fault("matching_strategy", "matching_strategy: contacts are found by external_id or by email; write one of them")
	case want != "" && d.Match.Destination != want:
		c.fault("match.destination", "match.destination %q: matching_strategy %s compares %s", short(d.Match.Destination), d.Strategy, want)
	}
	if d.Match.DataType != "" && d.Match.DataType != syncdef.MatchText {
		c.fault("match.data_type", "match.data_type: %s is text; allowed: text", want)
	}
	if d.Match.Case != nil && d.Strategy == syncdef.MatchEmail {
		c.fault("match.case", "match.case has no use with email, which is compared without case")
	}
}

// field judges one mapping.
func (c *checker) field(path string, f *syncdef.Field) {
	to := f.Destination
	if reason := given[to]; reason != "" {
		c.fault(path+"destination", "destination %s cannot be mapped: %s", to, reason)
		return
	}
	if to == c.def.Match.Destination && c.def.Strategy != syncdef.MatchNone {
		c.fault(path+"destination", "destination %s is what contacts are found by, and is written with a new one; remove this mapping", to)
		return
	}
	name, is := custom(to)
	want := own[to]
	if meant := strings.ToLower(to); is && (own[meant] != "" || given[meant] != "") {
		c.fault(path+"destination", "destination %s: Intercom has %s of its own, and no custom attribute of that name; write %s for it, or another name", to, meant, meant)
		return
	}
	switch {
	case is && !attributeName.MatchString(name):
		c.fault(path+"destination", "destination %q is no name of a custom attribute; allowed: letters, digits, currency signs, blanks, - and _", short(to))
	case is && f.Type == syncdef.JSON:
		c.fault(path+"data_type", "data_type json: a custom attribute holds no objects or lists; map an object to %s, whose members become attributes, or use another data_type", fieldCustom)
	case is || f.Type == "":
	case want == syncdef.JSON && f.Type != syncdef.JSON:
		c.fault(path+"data_type", "data_type: %s is %s; write data_type: json", to, map[string]string{fieldTags: "a list of names", fieldCustom: "an object of attributes"}[to])
	case want == syncdef.DateTime && !slices.Contains([]syncdef.Type{syncdef.DateTime, syncdef.Date, syncdef.Integer}, f.Type):
		c.fault(path+"data_type", "data_type: %s is a time; allowed: datetime, date, or integer for Unix seconds", to)
	case want == syncdef.Boolean && f.Type != syncdef.Boolean:
		c.fault(path+"data_type", "data_type: %s is true or false; write data_type: boolean", to)
	case want == syncdef.String && !slices.Contains([]syncdef.Type{syncdef.String, syncdef.Email, syncdef.Picklist, syncdef.Integer}, f.Type):
		c.fault(path+"data_type", "data_type: %s is text; write data_type: string", to)
	}
}

// tags wants to be told which tags are the sync's own: no other one is ever taken off.
func (c *checker) tags() {
	o, err := readOptions(c.def)
	if err != nil {
		return // Open says so
	}
	at := slices.IndexFunc(c.def.Fields, func(f syncdef.Field) bool { return f.Destination == fieldTags })
	switch {
	case at >= 0 && len(o.ManagedTags) == 0:
		c.fault(kindName+"."+keyManaged, "tags are mapped, so say which are this sync's own, by how their names begin: %s: {%s: [risk_, health_score_]}; of a contact's tags only these are ever taken off", kindName, keyManaged)
	case at < 0 && len(o.ManagedTags) > 0:
		c.fault(kindName+"."+keyManaged, "%s has no use here: no column is mapped to tags", keyManaged)
	}
}

// short cuts a text for a message.
func short(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
