package intercom

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// example is a first sync: a file's rows as contacts, found by an external id.
var example = syncdef.Example{
	Ask:        "object",
	Object:     objectContact,
	Connection: []string{"region: us # where the workspace is hosted: us, eu or au"},
	Target: func(_, key string, _ []syncdef.Column) []string {
		return []string{
			"destination_object: contact",
			"matching_strategy: external_id # the id that your own systems know a person by",
			fmt.Sprintf("match: {source: %q, destination: external_id, case: true}", key),
			"operation: upsert # what is not found is created",
			"intercom:",
			"  create_attributes: true # custom attributes that the workspace lacks are made",
		}
	},
	Fields: func(key string, columns []syncdef.Column) []syncdef.Field {
		var out []syncdef.Field
		taken := map[string]bool{fieldExternalID: true}
		for _, c := range columns {
			field := fieldFor(c.Name)
			if strings.EqualFold(c.Name, key) || taken[strings.ToLower(field)] || !attributeName.MatchString(field) {
				continue
			}
			taken[strings.ToLower(field)] = true
			kind := c.Type
			if want, standard := own[field]; standard && want == syncdef.String {
				kind = syncdef.String
			}
			out = append(out, syncdef.Field{Source: c.Name, Destination: field, Type: kind})
		}
		return out
	},
	Rows: [][]string{
		{"customer_id", "name", "email", "health_score", "updated_at"},
		{"C-1", "Ana Ito", "ana@acme.example", "87.5", "2026-01-05T09:30:00Z"},
		{"C-2", "Ben Roy", "ben@globex.example", "42", "2026-01-05T10:00:00Z"},
		{"C-3", "Chris Lu", "chris@initech.example", "63.2", "2026-01-06T08:15:00Z"},
	},
}

// fieldFor is the field of a contact that a column's name suggests: name, email and
// phone are the contact's own, whatever else is a custom attribute.
func fieldFor(column string) string {
	switch name := strings.ToLower(column); name {
	case "name", fieldEmail, "phone":
		return name
	}
	name := strings.Trim(strings.Map(func(c rune) rune {
		if c == '_' || c == '-' || unicode.IsLetter(c) || unicode.IsDigit(c) {
			return unicode.ToLower(c)
		}
		return '_'
	}, column), "_")
	if _, standard := own[name]; standard || given[name] != "" || name == "" {
		return "warehouse_" + name // Intercom has that name for something else
	}
	return name
}
