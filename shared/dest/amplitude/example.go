package amplitude

import (
	"fmt"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// example is a first sync: a file's columns as properties of users.
var example = syncdef.Example{
	Ask:        "object",
	Object:     "user",
	Connection: []string{"region: us # eu when the project's data are in the EU"},
	Target: func(object, key string, _ []syncdef.Column) []string {
		return []string{
			fmt.Sprintf("destination_object: %q", object),
			"matching_strategy: external_id",
			fmt.Sprintf("match: {source: %q, destination: user_id} # as your product sets it, case included", key),
			"operation: upsert",
		}
	},
	Fields: func(key string, columns []syncdef.Column) []syncdef.Field {
		var out []syncdef.Field
		for _, c := range columns {
			name := strings.ToLower(c.Name)
			if strings.EqualFold(c.Name, key) || name == fieldUser || strings.HasPrefix(name, "$") {
				continue // the match writes it
			}
			out = append(out, syncdef.Field{Source: c.Name, Destination: name, Type: c.Type})
		}
		return out
	},
	Rows: [][]string{
		{"user_id", "plan", "daily_active_users", "feature_adoption", "updated_at"},
		{"user-1001", "enterprise", "42", "0.85", "2026-01-05T09:30:00Z"},
		{"user-1002", "starter", "3", "0.2", "2026-01-05T10:00:00Z"},
		{"user-1003", "growth", "17", "0.55", "2026-01-06T08:15:00Z"},
	},
}
