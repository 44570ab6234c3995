package hubspot

import (
	"fmt"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// example is a first sync: a file's rows as contacts, found by their address.
var example = syncdef.Example{
	Ask:    "object",
	Object: "contacts",
	Target: func(object, key string) []string {
		if holdsContacts(object) {
			return []string{
				fmt.Sprintf("destination_object: %q", object),
				"matching_strategy: email",
				`match: {source: "email", destination: email}`,
				"operation: upsert # what is not found is created",
			}
		}
		return []string{
			fmt.Sprintf("destination_object: %q", object),
			"matching_strategy: external_id # the property below must have unique values",
			fmt.Sprintf("match: {source: %q, destination: %s}", key, propertyOf(key)),
			"operation: upsert # what is not found is created",
		}
	},
	Fields: func(key string, columns []syncdef.Column) []syncdef.Field {
		var out []syncdef.Field
		taken := map[string]bool{propEmail: true, propertyOf(key): true}
		for _, c := range columns {
			name := propertyOf(c.Name)
			if taken[name] {
				continue // the match writes it
			}
			taken[name] = true
			out = append(out, syncdef.Field{Source: c.Name, Destination: name, Type: c.Type})
		}
		return out
	},
	Rows: [][]string{
		{"customer_id", "email", "firstname", "ltv_usd", "ltv_segment"},
		{"C-1", "ana@acme.example", "Ana", "144000", "high"},
		{"C-2", "ben@globex.example", "Ben", "30000.5", "medium"},
		{"C-3", "chris@initech.example", "Chris", "1200", "low"},
	},
}

// propertyOf is a property's internal name after a column.
func propertyOf(column string) string {
	name := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		}
		return '_'
	}, column), "_")
	if name == "" || name[0] < 'a' {
		return "x_" + name
	}
	return name
}
