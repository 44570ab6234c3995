package hubspot

import (
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// An Object is a type of records.
type Object struct {
	Name       string // in paths: contacts
	Singular   string // contact
	ID         string // 0-1
	Properties []Property
}

// A Property is one of an object's fields.
type Property struct {
	Name, Label string
	Type        string   // string, number, bool, date, datetime, enumeration
	FieldType   string   // checkbox of an enumeration takes several options
	Options     []string // internal values
	Hidden      []string // those of Options that people are not shown
	External    bool     // an enumeration whose options are elsewhere
	Unique      bool
	ReadOnly    bool
	Required    bool // of new records
}

func text(name string) Property   { return Property{Name: name, Type: "string", FieldType: "text"} }
func number(name string) Property { return Property{Name: name, Type: "number", FieldType: "number"} }
func key(name string) Property {
	return Property{Name: name, Type: "string", FieldType: "text", Unique: true}
}
func choice(name string, options ...string) Property {
	return Property{Name: name, Type: "enumeration", FieldType: "select", Options: options}
}
func plain(name, kind string) Property { return Property{Name: name, Type: kind, FieldType: kind} }
func owner() Property {
	return Property{Name: "hubspot_owner_id", Type: "enumeration", FieldType: "select", External: true}
}

// Names with rules of their own.
const (
	propID    = "hs_object_id"
	propEmail = "email"
	propMore  = "hs_additional_emails"
)

// system are the properties that every object has and HubSpot writes.
func system(contacts bool) []Property {
	modified := "hs_lastmodifieddate"
	if contacts {
		modified = "lastmodifieddate"
	}
	return []Property{
		{Name: propID, Type: "number", FieldType: "number", ReadOnly: true, Unique: false},
		{Name: "createdate", Type: "datetime", FieldType: "date", ReadOnly: true},
		{Name: modified, Type: "datetime", FieldType: "date", ReadOnly: true},
	}
}

// DefaultSchema is an account with the standard objects, and the properties that the
// examples' syncs write to.
func DefaultSchema() []Object {
	return []Object{
		{Name: "contacts", Singular: "contact", ID: "0-1", Properties: []Property{
			{Name: propEmail, Type: "string", FieldType: "text", Unique: true},
			{Name: propMore, Type: "string", FieldType: "text", ReadOnly: true},
			text("firstname"), text("lastname"), text("phone"), text("company"), text("website"), text("jobtitle"),
			text("address"), text("city"), text("state"), text("zip"), text("country"),
			choice("lifecyclestage", "subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", "evangelist", "other"),
			choice("hs_lead_status", "NEW", "OPEN", "IN_PROGRESS", "OPEN_DEAL", "UNQUALIFIED", "ATTEMPTED_TO_CONTACT", "CONNECTED", "BAD_TIMING"),
			owner(), key("customer_id"), number("ltv_usd"), choice("ltv_segment", "high", "medium", "low"), number("health_score"),
			{Name: "interests", Type: "enumeration", FieldType: "checkbox", Options: []string{"sql", "etl", "alerts"}},
			plain("renewal_date", "date"), plain("last_seen", "datetime"), plain("is_customer", "bool"),
		}},
		{Name: "companies", Singular: "company", ID: "0-2", Properties: []Property{
			text("name"), text("domain"), text("website"), text("phone"), text("city"), text("country"), text("description"),
			number("annualrevenue"), number("numberofemployees"), owner(), key("customer_id"), number("health_score"),
		}},
		{Name: "deals", Singular: "deal", ID: "0-3", Properties: []Property{
			text("dealname"), number("amount"), choice("pipeline", "default"), plain("closedate", "datetime"), owner(), key("deal_key"),
			choice("dealstage", "appointmentscheduled", "qualifiedtobuy", "presentationscheduled", "decisionmakerboughtin", "contractsent", "closedwon", "closedlost"),
		}},
		{Name: "tickets", Singular: "ticket", ID: "0-5", Properties: []Property{text("subject"), text("content"), choice("hs_pipeline", "0"), choice("hs_pipeline_stage", "1", "2", "3", "4"), owner()}},
		{Name: "products", Singular: "product", ID: "0-7", Properties: []Property{text("name"), text("description"), number("price"), key("hs_sku")}},
	}
}

// column is a property in the store.
func (p *Property) column() records.Column {
	return records.Column{Name: p.Name, Note: p.note(), Compare: p.compare(), Indexed: p.Unique}
}

// compare is how values are compared: 101 and 101.0 are one number.
func (p *Property) compare() records.Compare {
	switch {
	case p.Type == "number":
		return records.Number
	case p.Unique:
		return records.Folded
	}
	return records.Exact
}

// note is a property in the journal: what a property that was made later needs.
func (p *Property) note() string {
	unique := ""
	if p.Unique {
		unique = "unique"
	}
	return strings.Join([]string{p.Type, p.FieldType, unique, strings.Join(p.Options, "\x1f")}, "\x1e")
}

// propertyOf reads a note.
func propertyOf(c records.Column) Property {
	parts := strings.Split(c.Note, "\x1e")
	p := Property{Name: c.Name, Type: "string", FieldType: "text"}
	if len(parts) == 4 {
		p.Type, p.FieldType, p.Unique = parts[0], parts[1], parts[2] == "unique"
		if parts[3] != "" {
			p.Options = strings.Split(parts[3], "\x1f")
		}
	}
	return p
}

// An object is an Object with its records.
type object struct {
	Object
	table     *records.Table
	secondary map[string]int // a contact's other addresses, in lower case
	merged    map[int]int    // the rows that merged ones became
}

// property finds one by its name.
func (o *object) property(name string) (*Property, bool) {
	at := slices.IndexFunc(o.Properties, func(p Property) bool { return p.Name == name })
	if at < 0 {
		return nil, false
	}
	return &o.Properties[at], true
}

// canonical is the form in which the ids of a property are equal, of records' own ids
// without one.
func (o *object) canonical(property, id string) string {
	rule := records.Folded
	if p, there := o.property(property); there {
		rule, id = p.compare(), p.trimmed(id)
	}
	return string(rule.Canonical(nil, []byte(id)))
}

// contacts reports whether it is the object of people.
func (o *object) contacts() bool { return o.ID == "0-1" }
