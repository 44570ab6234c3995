package modelcheck

import (
	"slices"
	"strings"
)

// A Use is a column that a model selects with what its expression is made of.
type Use struct {
	Column string `json:"column"`
	// Of are the columns of the tables that the expression reads, each once, sorted,
	// through subqueries and WITH as far as these name them. Functions that give another
	// value each time stand among them as name().
	Of []string `json:"of"`
	// Made says that it is more than a column passed on.
	Made bool `json:"made,omitempty"`
}

// uses are the columns that a statement's tree names itself.
func uses(tree node) []Use { return usesOf(tree, nil) }

// usesOf knows the columns of the WITHs around it.
func usesOf(tree node, around map[string][]Use) []Use {
	with := map[string][]Use{}
	for name, columns := range around {
		with[name] = columns
	}
	cte, _ := tree["cte_map"].(node)
	entries, _ := cte["map"].([]any)
	for _, e := range entries {
		entry, _ := e.(node)
		name, _ := entry["key"].(string)
		value, _ := entry["value"].(node)
		query, _ := value["query"].(node)
		inner, _ := query["node"].(node)
		with[strings.ToLower(name)] = usesOf(inner, with)
	}
	for tree["type"] == "SET_OPERATION_NODE" {
		left, ok := tree["left"].(node)
		if !ok {
			return nil
		}
		tree = left
	}
	var below []Use
	from, _ := tree["from_table"].(node)
	switch from["type"] {
	case "BASE_TABLE":
		name, _ := from["table_name"].(string)
		below = with[strings.ToLower(name)]
	case "SUBQUERY":
		query, _ := from["subquery"].(node)
		inner, _ := query["node"].(node)
		below = usesOf(inner, with)
	}
	var out []Use
	list, _ := tree["select_list"].([]any)
	for _, one := range list {
		n, _ := one.(node)
		if n["class"] == "STAR" {
			out = append(out, below...)
			continue
		}
		u := Use{Made: n["class"] != "COLUMN_REF"}
		u.Column, _ = n["alias"].(string)
		var names []string
		reads(n, &names)
		for _, name := range names {
			at := slices.IndexFunc(below, func(b Use) bool { return strings.EqualFold(b.Column, name) })
			if at < 0 {
				u.Of = append(u.Of, strings.ToLower(name))
				continue
			}
			u.Of, u.Made = append(u.Of, below[at].Of...), u.Made || below[at].Made
		}
		if u.Column == "" && len(names) == 1 && n["class"] == "COLUMN_REF" {
			u.Column = names[0]
		}
		if slices.Sort(u.Of); u.Column != "" {
			u.Of = slices.Compact(u.Of)
			out = append(out, u)
		}
	}
	return out
}

// fresh are functions that give another value each time.
var fresh = words("NOW CURRENT_TIMESTAMP CURRENT_DATE CURRENT_TIME GET_CURRENT_TIMESTAMP TODAY TRANSACTION_TIMESTAMP RANDOM UUID GEN_RANDOM_UUID UUIDV4 UUIDV7 UUID_STRING SYSDATE GETDATE")

// reads gathers the columns that an expression names, and the functions that are fresh.
func reads(tree any, names *[]string) {
	switch n := tree.(type) {
	case []any:
		for _, one := range n {
			reads(one, names)
		}
	case node:
		switch n["class"] {
		case "COLUMN_REF":
			parts, _ := n["column_names"].([]any)
			if len(parts) > 0 {
				if name, _ := parts[len(parts)-1].(string); fresh[strings.ToUpper(name)] {
					*names = append(*names, strings.ToLower(name)+"()")
				} else {
					*names = append(*names, name)
				}
			}
			return
		case "FUNCTION":
			if name, _ := n["function_name"].(string); fresh[strings.ToUpper(name)] {
				*names = append(*names, strings.ToLower(name)+"()")
			}
		case "SUBQUERY":
			return // of other tables
		}
		for _, key := range sortedKeys(n) {
			reads(n[key], names)
		}
	}
}
