package salesforce

import (
	"fmt"
	"strings"
)

// A Type is a field's type, in the words of describe.
type Type string

// The types that the simulator checks.
const (
	Text     Type = "string"
	TextArea Type = "textarea"
	URL      Type = "url"
	Phone    Type = "phone"
	Email    Type = "email"
	Picklist Type = "picklist"
	// MultiPicklist holds several values, with ; between them.
	MultiPicklist Type = "multipicklist"
	Double        Type = "double"
	Currency      Type = "currency"
	Percent       Type = "percent"
	Int           Type = "int"
	Boolean       Type = "boolean"
	Date          Type = "date"
	DateTime      Type = "datetime"
	ID            Type = "id"
	Reference     Type = "reference"
)

// unset is the type of a custom field that nothing was sent to yet.
const unset Type = ""

// A Field of an object.
type Field struct {
	Name      string
	Label     string // "" is the name
	Type      Type
	Length    int  // texts: at most so many characters
	Precision int  // numbers: digits in all
	Scale     int  // numbers: digits after the point; more are rounded
	Required  bool // not nillable, no default
	Unique    bool // without regard to case, unless CaseSensitive
	// CaseSensitive says that texts are compared with regard to case: the option
	// "Treat ABC and abc as different values" of a unique field.
	CaseSensitive bool
	ExternalID    bool     // may be upserted by
	Values        []string // picklists: the active values
	Restricted    bool     // picklists: only Values
	ReadOnly      bool     // system fields
	Inactive      []string // picklist: values that were switched off, beside Values
	Access        Access   // of the integration user; AccessRead makes the field ReadOnly
}

// An Object of the organisation. Id, CreatedDate and LastModifiedDate are added
// to Fields by New.
type Object struct {
	Name   string
	Prefix string // the first three characters of its records' ids
	Access Access // of the integration user
	Fields []Field
}

// A Schema is the organisation's objects.
type Schema []Object

// text, number and flag keep the default schema readable.
func text(name string, length int) Field { return Field{Name: name, Type: Text, Length: length} }
func number(name string, precision, scale int) Field {
	return Field{Name: name, Type: Double, Precision: precision, Scale: scale}
}

// DefaultSchema is an organisation with Account and Contact and the custom
// fields that the syncs in sql/syncs write.
func DefaultSchema() Schema {
	customer := Field{Name: "Customer_ID__c", Label: "Customer ID", Type: Text, Length: 255, ExternalID: true, Unique: true}
	health := []Field{
		number("Health_Score__c", 5, 1),
		{Name: "Health_Status__c", Type: Picklist, Length: 255, Values: []string{
			"At Risk", "Moderate Risk", "Healthy",
			"At Risk - Immediate Action Required", "Moderate Risk - Monitor Closely",
			"Healthy - Expansion Opportunity", "Score Pending",
		}, Restricted: true},
		number("Usage_Score__c", 5, 2),
		number("Support_Score__c", 5, 2),
		{Name: "Health_Score_Last_Updated__c", Type: DateTime},
		number("Daily_Active_Users__c", 18, 0),
		number("Feature_Adoption__c", 5, 2),
		{Name: "Monthly_Recurring_Revenue__c", Type: Currency, Precision: 18, Scale: 2},
		number("Renewal_Probability__c", 5, 2),
		number("Support_Tickets_Last_30d__c", 18, 0),
		number("Days_Since_Last_Login__c", 18, 0),
		number("Score_Confidence__c", 5, 2),
		text("Recommended_Action__c", 255),
		text("Health_Company_Name__c", 255),
		{Name: "Health_Contact_Email__c", Type: Email, Length: 80},
		customer,
	}
	return Schema{
		{Name: "Account", Prefix: "001", Fields: append([]Field{
			{Name: "Name", Type: Text, Length: 255, Required: true},
			{Name: "Website", Type: URL, Length: 255},
			{Name: "Phone", Type: Phone, Length: 40},
			text("AccountNumber", 40),
			{Name: "Industry", Type: Picklist, Length: 255, Values: []string{"Banking", "Education", "Energy", "Healthcare", "Manufacturing", "Retail", "Technology"}},
			{Name: "Type", Type: Picklist, Length: 255, Values: []string{"Prospect", "Customer", "Partner", "Other"}},
			{Name: "NumberOfEmployees", Type: Int, Precision: 8},
			{Name: "AnnualRevenue", Type: Currency, Precision: 18},
			{Name: "Description", Type: TextArea, Length: 32000},
			{Name: "Products__c", Type: MultiPicklist, Length: maxMulti, Values: []string{"Analytics", "Billing", "Core Platform", "Support"}, Restricted: true},
			text("BillingCity", 40),
			text("BillingCountry", 80),
		}, health...)},
		{Name: "Contact", Prefix: "003", Fields: append([]Field{
			{Name: "LastName", Type: Text, Length: 80, Required: true},
			{Name: "FirstName", Type: Text, Length: 40},
			{Name: "Email", Type: Email, Length: 80},
			{Name: "Phone", Type: Phone, Length: 40},
			text("Title", 128),
			{Name: "AccountId", Label: "Account ID", Type: Reference, Length: 18},
			{Name: "HasOptedOutOfEmail", Type: Boolean},
		}, health...)},
	}
}

// system are the fields that every object has; their positions are fixed.
var system = []Field{
	{Name: "Id", Label: "Record ID", Type: ID, Length: 18, ReadOnly: true},
	{Name: "CreatedDate", Label: "Created Date", Type: DateTime, ReadOnly: true},
	{Name: "LastModifiedDate", Label: "Last Modified Date", Type: DateTime, ReadOnly: true},
}

const (
	fieldID = iota
	fieldCreated
	fieldModified
)

// note is what the journal keeps of a field's type.
func (f *Field) note() string { return fmt.Sprintf("%s %d %d", f.Type, f.Precision, f.Scale) }

// check reports what makes a schema unusable.
func (s Schema) check() error {
	prefixes := map[string]bool{}
	for _, o := range s {
		if o.Name == "" || len(o.Prefix) != 3 || prefixes[o.Prefix] {
			return fmt.Errorf("object %q: needs a name, and an id prefix of 3 characters that no other object has", o.Name)
		}
		prefixes[o.Prefix] = true
		seen := map[string]bool{"id": true, "createddate": true, "lastmodifieddate": true}
		for _, f := range o.Fields {
			if seen[strings.ToLower(f.Name)] {
				return fmt.Errorf("object %s: field %q is there twice", o.Name, f.Name)
			}
			seen[strings.ToLower(f.Name)] = true
		}
	}
	return nil
}

// isText reports whether values of the type are texts that are compared without
// regard to case.
func (t Type) isText() bool {
	switch t {
	case Text, TextArea, URL, Phone, Email, Picklist, MultiPicklist:
		return true
	}
	return false
}

// isNumber reports whether values of the type are decimals.
func (t Type) isNumber() bool { return t == Double || t == Currency || t == Percent || t == Int }
