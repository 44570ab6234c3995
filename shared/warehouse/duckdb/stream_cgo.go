//go:build cgo

package duckdb

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// deepest is how many views may lie over a table of changes.
const deepest = 5

// viewText is what stands before a view's SELECT in its definition.
var viewText = regexp.MustCompile(`(?is)^CREATE\s.*?\bVIEW\s+(?:"(?:[^"]|"")*"|[\w.$])+\s*(?:\([^)]*\))?\s*AS\s+`)

// changesOf is the table of changes that a stream's relation reads: itself, or of a view
// the only table in it, through views between.
func (w *Warehouse) changesOf(ctx context.Context, relation string, depth int) (string, error) {
	kind, err := w.kindOf(ctx, relation)
	switch {
	case err != nil:
		return "", fmt.Errorf("look for it: %w", err)
	case kind == "":
		return "", errors.New("there is no table or view of that name")
	case kind == "BASE TABLE":
		return relation, w.holdsChanges(ctx, relation)
	case depth >= deepest:
		return "", fmt.Errorf("more than %d views lie over its table", deepest)
	}
	parts := strings.Split(relation, ".")
	var schema, database string // "" is the current one
	if n := len(parts) - 2; n >= 0 {
		schema = parts[n]
	}
	if n := len(parts) - 3; n >= 0 {
		database = parts[n]
	}
	var text string
	err = w.db.QueryRowContext(ctx, `SELECT coalesce(max(sql), '') FROM duckdb_views() WHERE lower(view_name) = lower(?) AND NOT internal
		AND lower(schema_name) = lower(coalesce(nullif(?, ''), current_schema())) AND lower(database_name) = lower(coalesce(nullif(?, ''), current_database()))`,
		parts[len(parts)-1], schema, database).Scan(&text)
	if err != nil {
		return "", fmt.Errorf("read the view: %w", err)
	}
	tables, err := w.tablesOf(ctx, viewText.ReplaceAllString(strings.TrimRight(text, "; \n"), ""))
	if err != nil {
		return "", fmt.Errorf("read the view: %w", err)
	}
	if len(tables) != 1 {
		return "", fmt.Errorf("a stream is one table of changes, or a view over one, and this view reads %d: %s", len(tables), strings.Join(tables, ", "))
	}
	return w.changesOf(ctx, tables[0], depth+1)
}

// actionColumns are those of which a table of changes has one, in any case.
var actionColumns = []string{"metadata$action", "sync_action"}

// holdsChanges refuses a table that does not say of each row what happened to it: it
// holds records, and its rows would be deleted once they are pushed.
func (w *Warehouse) holdsChanges(ctx context.Context, table string) error {
	rows, err := w.db.QueryContext(ctx, "SELECT lower(column_name) FROM (DESCRIBE SELECT * FROM "+quoteRelation(table)+")")
	if err != nil {
		return fmt.Errorf("read its columns: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var column string
		if err := rows.Scan(&column); err != nil {
			return fmt.Errorf("read its columns: %w", err)
		}
		if slices.Contains(actionColumns, column) {
			return nil
		}
	}
	return cmp.Or(rows.Err(), fmt.Errorf("the table %s has no column METADATA$ACTION, so that it is no table of changes, and its rows would be deleted once they are pushed: name one that has it, or use mode incremental", table))
}

// tablesOf are the tables and views that a SELECT reads, each once: those of its tree
// that are not its own WITH.
func (w *Warehouse) tablesOf(ctx context.Context, query string) ([]string, error) {
	var answer string
	if err := w.db.QueryRowContext(ctx, "SELECT CAST(json_serialize_sql(CAST(? AS VARCHAR)) AS VARCHAR)", query).Scan(&answer); err != nil {
		return nil, err
	}
	var tree any
	if err := json.Unmarshal([]byte(answer), &tree); err != nil {
		return nil, err
	}
	var tables, own []string
	named(tree, &tables, &own)
	tables = slices.DeleteFunc(tables, func(t string) bool { return slices.Contains(own, strings.ToLower(t)) })
	slices.Sort(tables)
	return slices.Compact(tables), nil
}

// named walks a statement's tree: the relations that it names, and what its WITH calls so.
func named(tree any, tables, own *[]string) {
	switch n := tree.(type) {
	case []any:
		for _, one := range n {
			named(one, tables, own)
		}
	case map[string]any:
		if n["type"] == "BASE_TABLE" {
			var parts []string
			for _, key := range []string{"catalog_name", "schema_name", "table_name"} {
				if part, _ := n[key].(string); part != "" {
					parts = append(parts, part)
				}
			}
			*tables = append(*tables, strings.Join(parts, "."))
		}
		if with, ok := n["cte_map"].(map[string]any); ok {
			entries, _ := with["map"].([]any)
			for _, e := range entries {
				entry, _ := e.(map[string]any)
				name, _ := entry["key"].(string)
				*own = append(*own, strings.ToLower(name))
			}
		}
		for _, one := range n {
			named(one, tables, own)
		}
	}
}
