package syncdef

import (
	"encoding/json"
	"slices"
	"strings"
)

// Op is the kind of a Change.
type Op string

// The kinds, as they are printed.
const (
	Added   Op = "+"
	Removed Op = "-"
	Changed Op = "~"
)

// A Change is one difference between two versions.
type Change struct {
	Op   Op
	Path string // field_mappings[Health_Score__c].scale
	Old  string // as JSON without quotes around plain text; "" for Added
	New  string // "" for Removed
	Note string // what the change does to the sync, "" when it is evident
}

// String prints the change on one line: ~ lanes: 4 -> 8.
func (c Change) String() string {
	var b strings.Builder
	b.WriteString(string(c.Op) + " " + c.Path + ": ")
	switch c.Op {
	case Added:
		b.WriteString(c.New)
	case Removed:
		b.WriteString(c.Old)
	default:
		b.WriteString(c.Old + " -> " + c.New)
	}
	if c.Note != "" {
		b.WriteString("  (" + c.Note + ")")
	}
	return b.String()
}

// FormatChanges prints one change a line, each line ended.
func FormatChanges(changes []Change) string {
	var b strings.Builder
	for _, c := range changes {
		b.WriteString(c.String() + "\n")
	}
	return b.String()
}

// Diff lists what differs between two versions of a sync, key by key in the
// order of the YAML, mappings by their destination; last what a new release of
// the destination type says of it otherwise. From the zero Version everything is
// added; between versions of one id nothing differs.
func Diff(older, newer Version) []Change {
	if older.ID == newer.ID {
		return nil
	}
	a, b := sides(older), sides(newer)
	var out []Change
	for _, k := range keys(a, b) {
		if k == "field_mappings" {
			out = append(out, diffFields(older.Definition.Fields, newer.Definition.Fields)...)
			continue
		}
		diffValue(&out, k, a[k], b[k])
	}
	if older.ID == "" {
		return out
	}
	older.Rules.Effort, newer.Rules.Effort = nil, nil
	diffValue(&out, "rules", tree(older.Rules), tree(newer.Rules))
	for i := range out {
		out[i].Note = consequence(out[i].Path)
	}
	return out
}

// consequence says what a changed key does beyond the obvious.
func consequence(path string) string {
	switch {
	case path == "connection" || path == "destination_object" || path == "rules.type":
		return "starts with an empty ledger: every record is sent again"
	case path == "matching_strategy" || path == "match.source" || path == "match.destination" ||
		strings.HasPrefix(path, "rules.identity"):
		return "records are known by another key: every record is matched and sent again"
	case path == "model":
		return "rows are read from another table or view: the next run selects all of them"
	case path == "lanes":
		return "takes effect when nothing of the sync is unsettled"
	default:
		return ""
	}
}

// sides lays a definition out as one object, with the destination type's own
// keys under its name, as in the YAML.
func sides(v Version) map[string]any {
	if v.ID == "" {
		return map[string]any{}
	}
	out := tree(v.Definition)
	if v.Definition.Strategy == MatchNone {
		delete(out, "matching_strategy")
		delete(out, "match")
	}
	if own, ok := out["options"]; ok {
		delete(out, "options")
		out[v.Rules.Type] = own
	}
	return out
}

// yamlOrder is the order in which people write and read the keys.
var yamlOrder = append(KeyNames(DefinitionKeys), KeyNames(ConnectionKeys)...)

// keys are those of both sides: the known in YAML order, the others sorted.
func keys(a, b map[string]any) []string {
	var out []string
	for k := range a {
		out = append(out, k)
	}
	for k := range b {
		if _, both := a[k]; !both {
			out = append(out, k)
		}
	}
	rank := func(k string) int {
		if i := slices.Index(yamlOrder, k); i >= 0 {
			return i
		}
		return len(yamlOrder)
	}
	slices.SortFunc(out, func(x, y string) int {
		if d := rank(x) - rank(y); d != 0 {
			return d
		}
		return strings.Compare(x, y)
	})
	return out
}

// diffValue goes into objects and compares everything else as a whole.
func diffValue(out *[]Change, path string, a, b any) {
	ao, aok := a.(map[string]any)
	bo, bok := b.(map[string]any)
	if (aok || a == nil) && (bok || b == nil) && (aok || bok) {
		for _, k := range keys(ao, bo) {
			diffValue(out, path+"."+k, ao[k], bo[k])
		}
		return
	}
	was, is := text(a), text(b)
	switch {
	case was == is:
	case was == "":
		*out = append(*out, Change{Op: Added, Path: path, New: is})
	case is == "":
		*out = append(*out, Change{Op: Removed, Path: path, Old: was})
	default:
		*out = append(*out, Change{Op: Changed, Path: path, Old: was, New: is})
	}
}

// text prints a value as JSON, plain words without their quotes; "" is absent.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		if plain(v) {
			return v
		}
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error() // cannot happen: v came from JSON
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// plain reports whether a string reads the same without quotes.
func plain(s string) bool {
	return s != "" && strings.TrimSpace(s) == s && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == '"' })
}
