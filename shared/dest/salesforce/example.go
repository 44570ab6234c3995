package salesforce

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// example is a first sync: a file's rows as records of a custom object, found by an
// external id of its own.
var example = syncdef.Example{
	Ask:        "object",
	Object:     "Customer__c",
	Connection: []string{"url: https://acme.my.salesforce.com # your organisation's own domain (My Domain)"},
	Target: func(object, key string, _ []syncdef.Column) []string {
		return []string{
			fmt.Sprintf("destination_object: %q", object),
			"matching_strategy: external_id # the field below is an External ID of the object,",
			fmt.Sprintf("match: {source: %q, destination: %s, case: false} # not case-sensitive", key, fieldOf(key)),
			"operation: upsert # what is not found is created",
		}
	},
	Fields: func(key string, columns []syncdef.Column) []syncdef.Field {
		var out []syncdef.Field
		taken := map[string]bool{strings.ToLower(fieldOf(key)): true}
		for _, c := range columns {
			if strings.EqualFold(c.Name, key) {
				continue // the match writes it
			}
			field := fieldOf(c.Name)
			if strings.EqualFold(c.Name, "name") {
				field = "Name"
			}
			if taken[strings.ToLower(field)] {
				continue
			}
			taken[strings.ToLower(field)] = true
			out = append(out, syncdef.Field{Source: c.Name, Destination: field, Type: c.Type})
		}
		return out
	},
	Rows: [][]string{
		{"customer_id", "name", "email", "health_score", "updated_at"},
		{"C-1", "Acme Corp", "ana@acme.example", "87.5", "2026-01-05T09:30:00Z"},
		{"C-2", "Globex", "ben@globex.example", "42", "2026-01-05T10:00:00Z"},
		{"C-3", "Initech", "chris@initech.example", "63.2", "2026-01-06T08:15:00Z"},
	},
}

// longestField is how long the name of a custom field may be, without __c (Salesforce
// Help, "Custom Field Attributes": Field Name).
const longestField = 40

// fieldOf is a custom field's name after a column: health_score is
// Health_Score__c. It begins with a letter and holds no two underscores in a row
// ("Custom Field Attributes").
func fieldOf(column string) string {
	words := strings.FieldsFunc(column, func(c rune) bool {
		return c > unicode.MaxASCII || !unicode.IsLetter(c) && !unicode.IsDigit(c)
	})
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	name := strings.Join(words, "_")
	if name == "" || !unicode.IsLetter(rune(name[0])) {
		name = "X" + name
	}
	if len(name) > longestField {
		name = strings.TrimRight(name[:longestField], "_")
	}
	return name + "__c"
}
