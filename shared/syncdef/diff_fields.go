package syncdef

import (
	"slices"
	"strings"
)

// diffFields compares mappings by destination, case ignored as vendors ignore it.
func diffFields(older, newer []Field) []Change {
	var out []Change
	for _, f := range older {
		path := "field_mappings[" + f.Destination + "]"
		i := slices.IndexFunc(newer, func(g Field) bool { return strings.EqualFold(f.Destination, g.Destination) })
		if i < 0 {
			out = append(out, Change{Op: Removed, Path: path, Old: summary(f)})
			continue
		}
		diffValue(&out, path, tree(f), tree(newer[i]))
	}
	for _, f := range newer {
		if !slices.ContainsFunc(older, func(g Field) bool { return strings.EqualFold(f.Destination, g.Destination) }) {
			out = append(out, Change{Op: Added, Path: "field_mappings[" + f.Destination + "]", New: summary(f)})
		}
	}
	was, is := order(older, newer), order(newer, older)
	if !slices.EqualFunc(was, is, strings.EqualFold) {
		out = append(out, Change{Op: Changed, Path: "field_mappings order",
			Old: strings.Join(was, ", "), New: strings.Join(is, ", ")})
	}
	return out
}

// order lists the destinations of those mappings that the other side has too:
// their order is content, because the fingerprint is taken in it.
func order(fields, other []Field) []string {
	var out []string
	for _, f := range fields {
		if slices.ContainsFunc(other, func(g Field) bool { return strings.EqualFold(f.Destination, g.Destination) }) {
			out = append(out, f.Destination)
		}
	}
	return out
}

// summary prints a whole mapping on one line: its column, then its settings.
func summary(f Field) string {
	all := tree(f)
	delete(all, "source")
	delete(all, "destination")
	delete(all, "value")
	parts := []string{f.From()}
	for _, k := range keys(all, nil) {
		parts = append(parts, k+" "+text(all[k]))
	}
	return strings.Join(parts, ", ")
}
