package modelcheck

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// node is one node of DuckDB's tree of a statement.
type node = map[string]any

// tableFunctions are those that a model may select from: they compute, and reach
// nothing.
var tableFunctions = words("RANGE GENERATE_SERIES UNNEST JSON_EACH JSON_TREE REGEXP_SPLIT_TO_TABLE")

// fileName is a table's name that DuckDB would take for a file or an address.
var fileName = regexp.MustCompile(`(?i)://|[/\\*]|\.(csv|tsv|txt|json|jsonl|ndjson|parquet|xlsx|db|duckdb|gz|zst)$`)

// refused looks through a statement's tree for what a model may not have.
func refused(text string, tree any) *Fault {
	switch n := tree.(type) {
	case []any:
		for _, one := range n {
			if f := refused(text, one); f != nil {
				return f
			}
		}
	case node:
		if f := refusedNode(text, n); f != nil {
			return f
		}
		for _, key := range slices.Sorted(maps.Keys(n)) {
			if f := refused(text, n[key]); f != nil {
				return f
			}
		}
	}
	return nil
}

func refusedNode(text string, n node) *Fault {
	at := offsetOf(n)
	switch n["type"] {
	case "SHOW_REF":
		return faultAt(text, at, "SUMMARIZE, SHOW and DESCRIBE are no models; write a SELECT")
	case "BASE_TABLE":
		if name, _ := n["table_name"].(string); fileName.MatchString(name) {
			return faultAt(text, at, "a model reads no file, and %q is one to DuckDB; select from a table, or push the file itself with --from", name)
		}
	case "TABLE_FUNCTION":
		f, _ := n["function"].(node)
		name, _ := f["function_name"].(string)
		if name == "" || tableFunctions[strings.ToUpper(name)] {
			return nil
		}
		return faultAt(text, at, "a model selects from tables, and %s is a function that may reach further; select from a table, or push a file itself with --from", name)
	}
	return nil
}

// offsetOf is where a node stands in the text, 0 when DuckDB does not know.
func offsetOf(n node) int {
	number, _ := n["query_location"].(json.Number)
	if at, err := number.Int64(); err == nil {
		return int(at)
	}
	return 0 // the greatest number stands for none
}

// selected are the columns that the text itself names, nil when it does not name
// all.
func selected(tree node) (out []string) {
	for tree["type"] == "SET_OPERATION_NODE" {
		left, ok := tree["left"].(node)
		if !ok {
			return nil
		}
		tree = left
	}
	list, _ := tree["select_list"].([]any)
	for _, one := range list {
		n, _ := one.(node)
		name, _ := n["alias"].(string)
		if names, ok := n["column_names"].([]any); ok && name == "" && n["class"] == "COLUMN_REF" && len(names) > 0 {
			name, _ = names[len(names)-1].(string)
		}
		if name == "" {
			return nil
		}
		out = append(out, name)
	}
	return out
}
