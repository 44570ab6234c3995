package slack

import (
	"fmt"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// example is a first sync: a message for each row of a file, into one channel.
var example = syncdef.Example{
	Ask:    "channel",
	Object: "#customer-alerts",
	Target: func(channel, key string, _ []syncdef.Column) []string {
		if !strings.HasPrefix(channel, "#") && !channelID.MatchString(channel) {
			channel = "#" + channel
		}
		return []string{
			"destination_object: message",
			"operation: insert # a message is not found again",
			fmt.Sprintf("record_id: %q # a row is posted once per value, ever", key),
			"slack:",
			fmt.Sprintf("  channel: %q # in quotes, because # begins a comment", channel),
		}
	},
	Fields: func(key string, columns []syncdef.Column) []syncdef.Field {
		return []syncdef.Field{{Source: textOf(key, columns), Destination: fieldText, Type: syncdef.String}}
	},
	Rows: [][]string{
		{"alert_id", "message", "created_at"},
		{"A-1", "Acme Corp: the health score fell to 42", "2026-01-05T09:30:00Z"},
		{"A-2", "Globex: no login for 30 days", "2026-01-05T10:00:00Z"},
		{"A-3", "Initech: the renewal is due in a week", "2026-01-06T08:15:00Z"},
	},
}

// textOf is the column that most likely holds a message: one of that name, or else
// the first of text that is not the key.
func textOf(key string, columns []syncdef.Column) string {
	for _, c := range columns {
		name := strings.ToLower(c.Name)
		if name == "text" || strings.Contains(name, "message") {
			return c.Name
		}
	}
	for _, kind := range []syncdef.Type{syncdef.String, ""} {
		for _, c := range columns {
			if !strings.EqualFold(c.Name, key) && (kind == "" || c.Type == kind) {
				return c.Name
			}
		}
	}
	return columns[0].Name
}
