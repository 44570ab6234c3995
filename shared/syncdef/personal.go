package syncdef

import (
	"fmt"
	"strings"
)

// PersonalColumns are the columns that a definition marks as personal data, each once,
// those of its templates and the roots of its paths included.
func PersonalColumns(d *Definition) []string {
	var out []string
	seen := map[string]bool{}
	add := func(column string) {
		if k := strings.ToLower(column); !seen[k] {
			seen[k] = true
			out = append(out, column)
		}
	}
	for i := range d.Fields {
		if !d.Fields[i].Personal {
			continue
		}
		for _, c := range d.Fields[i].Columns() {
			add(c)
			if p := SourcePath(c); p != nil {
				add(p[0].Name)
			}
		}
	}
	return out
}

// PersonalRefused says why a definition's personal data may not be sent over a
// connection; "" where they may, and where there are none.
func PersonalRefused(d *Definition, c *Connection) string {
	if c.Personal == PersonalAllowed {
		return ""
	}
	for i := range d.Fields {
		if f := &d.Fields[i]; f.Personal {
			return fmt.Sprintf("sync %q sends personal data (%s -> %s), and the connection %q does not say personal: %s: leave the mapping out, or allow it at the connection; then run penstock apply",
				d.Sync, f.From(), f.Destination, d.Connection, PersonalAllowed)
		}
	}
	return ""
}
