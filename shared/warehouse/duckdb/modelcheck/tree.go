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

// fileFunctions read files of this machine: a check does not open them.
var fileFunctions = words("READ_CSV READ_CSV_AUTO READ_PARQUET PARQUET_SCAN READ_JSON READ_JSON_AUTO READ_NDJSON READ_NDJSON_AUTO READ_JSON_OBJECTS READ_NDJSON_OBJECTS READ_DUCKDB")

// address is what a file's name begins with that is on another machine.
var address = regexp.MustCompile(`(?i)^[a-z][a-z0-9+.-]*://`)

// readOf is the first file that a statement reads, nil for none.
func readOf(text string, tree any) (found *Read) {
	each(tree, func(n node) {
		var name string
		switch n["type"] {
		case "BASE_TABLE":
			if name, _ = n["table_name"].(string); !fileName.MatchString(name) {
				return
			}
		case "TABLE_FUNCTION":
			f, _ := n["function"].(node)
			if name, _ = f["function_name"].(string); !fileFunctions[strings.ToUpper(name)] {
				return
			}
		default:
			return
		}
		if found == nil {
			found = &Read{name, placeOf(text, offsetOf(n))}
		}
	})
	return found
}

// addressOf is an address that a file function is given, "" for none.
func addressOf(n node) (name string) {
	each(n, func(one node) {
		if value, ok := one["value"].(string); ok && name == "" && address.MatchString(value) {
			name = value
		}
	})
	return name
}

// each calls back for every node of a tree.
func each(tree any, f func(node)) {
	switch n := tree.(type) {
	case []any:
		for _, one := range n {
			each(one, f)
		}
	case node:
		f(n)
		for _, key := range slices.Sorted(maps.Keys(n)) {
			each(n[key], f)
		}
	}
}

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
		for _, key := range sortedKeys(n) {
			if f := refused(text, n[key]); f != nil {
				return f
			}
		}
	}
	return nil
}

func sortedKeys(n node) []string { return slices.Sorted(maps.Keys(n)) }

// acts are functions that do something, which a model that is merely read must not.
var acts = words("PENSTOCK_PUSH PENSTOCK_PUSH_WAIT PENSTOCK_BEGIN PENSTOCK_FINISH PENSTOCK_CANCEL PENSTOCK_RETRY PENSTOCK_RESET PENSTOCK_GATE NEXTVAL")

func refusedNode(text string, n node) *Fault {
	at := offsetOf(n)
	if name, _ := n["function_name"].(string); n["class"] == "FUNCTION" && acts[strings.ToUpper(name)] {
		return faultAt(text, at, "a model only reads, and %s does something; leave it out", name)
	}
	switch n["type"] {
	case "SHOW_REF":
		return faultAt(text, at, "SUMMARIZE, SHOW and DESCRIBE are no models; write a SELECT")
	case "BASE_TABLE":
		if name, _ := n["table_name"].(string); address.MatchString(name) {
			return elsewhere(text, at)
		}
	case "TABLE_FUNCTION":
		f, _ := n["function"].(node)
		name, _ := f["function_name"].(string)
		if name == "" || tableFunctions[strings.ToUpper(name)] {
			return nil
		}
		if !fileFunctions[strings.ToUpper(name)] {
			return faultAt(text, at, "a model selects from tables and files, and %s is a function that may reach further; select from a table, or from a file with read_csv, read_parquet, read_json or read_duckdb", name)
		}
		if addressOf(n) != "" {
			return elsewhere(text, at)
		}
	}
	return nil
}

// elsewhere refuses a file that is on another machine.
func elsewhere(text string, at int) *Fault {
	return faultAt(text, at, "a model reads files of this machine, and this is an address; fetch it into a file or a table first")
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
