package syncdef

// DiffConnection lists what differs between two settings of a connection, key by
// key in the order of the YAML, as they are told by apply: connections are no part
// of a version. From the zero Connection everything is added; the name is left out.
func DiffConnection(older, newer Connection) []Change {
	a, b := settings(older), settings(newer)
	var out []Change
	for _, k := range keys(a, b) {
		diffValue(&out, k, a[k], b[k])
	}
	if older.Name == "" {
		return out
	}
	for i := range out {
		switch out[i].Path {
		case "type":
			out[i].Note = "its syncs start with an empty ledger: every record is sent again"
		case "personal":
			if out[i].Op == Removed {
				out[i].Note = "syncs with mappings that are marked personal halt: their rows fail until it is allowed again or the mappings are gone"
			}
		case "url", "secret":
			out[i].Note = "the ledger is kept while it is the same account"
		}
	}
	return out
}

// settings lays a connection out as it stands in the file.
func settings(c Connection) map[string]any {
	if c.Name == "" {
		return map[string]any{}
	}
	out := tree(c)
	delete(out, "name")
	delete(out, "options")
	for k, v := range c.Options {
		out[k] = v
	}
	return out
}
