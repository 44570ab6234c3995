package hubspot

import (
	"fmt"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// example is a first sync: a file's rows as contacts, found by their address where the
// file has one.
var example = syncdef.Example{
	Ask:    "object",
	Object: "contacts",
	Target: func(object, key string, columns []syncdef.Column) []string {
		if address := addressOf(key, columns); address != "" && holdsContacts(object) {
			lines := []string{
				fmt.Sprintf("destination_object: %q", object),
				"matching_strategy: email",
				fmt.Sprintf("match: {source: %q, destination: email}", address),
			}
			if address != key {
				lines = append(lines, fmt.Sprintf("record_id: %q # tells rows apart, and names them in errors", key))
			}
			return append(lines, "operation: upsert # what is not found is created")
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
		taken := map[string]bool{propEmail: true, propID: true, propertyOf(key): true}
		address := addressOf(key, columns)
		for _, c := range columns {
			name := propertyOf(c.Name)
			if taken[name] || c.Name == address {
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

// addressOf is the column with a person's address: the key where it is one, else one
// named email, else the first of addresses; "" where there is none.
func addressOf(key string, columns []syncdef.Column) string {
	for _, fits := range []func(syncdef.Column) bool{
		func(c syncdef.Column) bool { return strings.EqualFold(c.Name, key) && c.Type == syncdef.Email },
		func(c syncdef.Column) bool { return strings.EqualFold(c.Name, propEmail) },
		func(c syncdef.Column) bool { return c.Type == syncdef.Email },
	} {
		if i := slices.IndexFunc(columns, fits); i >= 0 {
			return columns[i].Name
		}
	}
	return ""
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
