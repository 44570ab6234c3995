package syncdef

import (
	"fmt"
	"strings"
)

// Columns lists every column that a row of the sync must have, each once: record
// id, match source, mapped columns, cursor, those of the gate. Names that differ only by case count
// as one, because columns match without regard to case.
func Columns(d Definition) []string {
	var out []string
	seen := map[string]bool{}
	for _, n := range needs(d) {
		if k := strings.ToLower(n.column); !seen[k] {
			seen[k] = true
			out = append(out, n.column)
		}
	}
	return out
}

// CheckColumns compares a definition with the columns of its model and reports
// each place that names a column which the model does not have. The faults carry
// a Path and the sync's name as File; yamlfile.Sync.CheckColumns knows the lines.
func CheckColumns(d Definition, columns []string) []Fault {
	var out []Fault
	for _, n := range needs(d) {
		if why := missing(n.column, columns); why != "" {
			if p := SourcePath(n.column); n.nested && p != nil {
				if why = missing(p[0].Name, columns); why == "" {
					continue
				}
			}
			out = append(out, Fault{File: d.Sync, Path: n.path, Message: why})
		}
	}
	return out
}

// CheckReserved reports each place that names a column which Penstock itself adds to a
// model's rows: one that begins with ReservedPrefix.
func CheckReserved(d Definition) []Fault {
	var out []Fault
	for _, n := range needs(d) {
		if len(n.column) > len(ReservedPrefix) && strings.EqualFold(n.column[:len(ReservedPrefix)], ReservedPrefix) {
			out = append(out, Fault{File: d.Sync, Path: n.path, Message: fmt.Sprintf("column %q: names that begin with %s are Penstock's own; give the model's column another one", n.column, ReservedPrefix)})
		}
	}
	return out
}

type need struct {
	path, column string
	nested       bool // the column may be a path into one
}

// needs pairs every column with the place in the YAML that asks for it.
func needs(d Definition) []need {
	var out []need
	for i, c := range d.RecordID {
		out = append(out, need{path: fmt.Sprintf("record_id[%d]", i), column: c})
	}
	if d.Match.Source != "" {
		out = append(out, need{path: "match.source", column: d.Match.Source})
	}
	for i, f := range d.Fields {
		key := "source"
		if f.Value != nil {
			key = "value"
		}
		for _, c := range f.Columns() {
			out = append(out, need{fmt.Sprintf("field_mappings[%d].%s", i, key), c, true})
		}
	}
	if i := d.Incremental; i != nil {
		for _, n := range []need{{path: "incremental.cursor", column: i.Cursor}, {path: "incremental.created", column: i.Created}} {
			if n.column != "" {
				out = append(out, n)
			}
		}
	}
	if d.Quality != nil {
		for i := range d.Quality.Rules {
			out = append(out, need{path: fmt.Sprintf("quality.rules[%d].column", i), column: d.Quality.Rules[i].Column})
		}
	}
	return out
}

// missing says why a column cannot be found, "" when it can: an exact name wins,
// else the one that differs by case only.
func missing(name string, columns []string) string {
	var folded []string
	for _, c := range columns {
		if c == name {
			return ""
		}
		if strings.EqualFold(c, name) {
			folded = append(folded, c)
		}
	}
	switch {
	case len(folded) == 1:
		return ""
	case len(folded) > 1:
		return fmt.Sprintf("column %q: the model has %s, which differ only by case; write the one that is meant",
			name, strings.Join(folded, " and "))
	}
	if near := Nearest(name, columns); near != "" {
		return fmt.Sprintf("column %q is not in the model; did you mean %s?", name, near)
	}
	return fmt.Sprintf("column %q is not in the model, which has: %s", name, strings.Join(columns, ", "))
}
