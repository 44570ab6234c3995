package sql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/quality"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A View is one that a definition adds to a warehouse: what the definition says in SQL
// is looked at there, and comes to no call of penstock_run as text.
type View struct {
	Name  string
	Query string // a SELECT without its semicolon
}

// SourceView is the name of the view of a sync's rows, as penstock_run reads them.
func SourceView(sync string) string { return syncdef.SourcePrefix + sync }

// Views are the views of a definition, none where penstock_run reads the model itself
// and no gate is asked for. params are those of the script.
func Views(dialect Dialect, params Params, d syncdef.Definition) ([]View, error) {
	params.dialect = dialect
	var out []View
	source, err := sourceView(params, d)
	if err != nil {
		return nil, fmt.Errorf("the view of the rows of %s: %w", d.Sync, err)
	}
	if source != "" {
		out = append(out, View{SourceView(d.Sync), source})
	}
	if history := historyQuery(params, d); history != "" {
		out = append(out, View{historyName(dialect, d), history})
	}
	gate, err := gateQuery(params, d)
	if err != nil {
		return nil, fmt.Errorf("the gate of %s: %w", d.Sync, err)
	}
	if gate != "" {
		out = append(out, View{quality.ViewName(d.Sync), gate})
	}
	return out, nil
}

// modelQuery is a model's SELECT without its semicolon, nor what stands behind that. What
// follows is on a line of its own, because the text may end in a comment.
func modelQuery(text string) string {
	end := 0
	for _, at := range token.FindAllStringIndex(text, -1) {
		if t := text[at[0]:at[1]]; t != ";" && !strings.HasPrefix(t, "--") && !strings.HasPrefix(t, "/*") {
			end = at[1]
		}
	}
	if strings.Contains(text[end:], ";") {
		text = text[:end]
	}
	return strings.TrimSpace(text) + "\n"
}

// possible are the names of all views that a definition may have had, as far as they stand
// where the script makes its own: a schema of others may not be ours to drop from.
func possible(dialect Dialect, d syncdef.Definition) []string {
	out := []string{SourceView(d.Sync)}
	if history := historyName(dialect, d); !strings.Contains(history, ".") {
		out = append(out, history)
	}
	return append(out, quality.ViewName(d.Sync))
}

// Create makes the view, in place of an older one.
func (v View) Create(dialect Dialect) string {
	return fmt.Sprintf(speeches[dialect].view, v.Name) + "\n" + v.Query + ";\n"
}

func (v View) drop() string { return "DROP VIEW IF EXISTS " + v.Name + ";" }

// sourceView is the query of a source view, "" where the model is read itself. The
// reserved columns stand beside the model's. Redshift has no whole row as an object, so
// that the columns which the definition names are listed there.
func sourceView(params Params, d syncdef.Definition) (string, error) {
	reserved, err := reservedColumns(params, d)
	if err != nil {
		return "", err
	}
	m := modelAlias(params.dialect)
	list := []string{m + ".*"}
	if params.dialect == Redshift {
		list = append(list, shiftRow(d, deletesOf(params, d))+" AS "+rowAlias)
	}
	if list = append(list, reserved...); len(list) == 1 {
		return "", nil
	}
	return "SELECT\n    " + strings.Join(list, ",\n    ") + "\nFROM " + relation(params, d.Relation()) + " AS " + m + orderOf(d), nil
}

// modelAlias is what a source view calls the model. BigQuery takes a name for a column
// before it takes it for a table's alias, so that it is one that no column has there.
func modelAlias(d Dialect) string {
	if d == BigQuery {
		return rowAlias
	}
	return "m"
}

// columnsOf are the model's columns that the definition names, small, each once: of a
// path into a column the column.
func columnsOf(d syncdef.Definition) []string {
	var out []string
	seen := map[string]bool{}
	for _, c := range syncdef.Columns(d) {
		c, _, _ = strings.Cut(strings.ToLower(c), ".")
		if !seen[c] {
			seen[c] = true
			out = append(out, c)
		}
	}
	return out
}

// relation is a model's name as the dialect takes it. BigQuery knows no name without its
// dataset; on Redshift what is made by the script is in its schema, and other models are
// where the search_path finds them.
func relation(params Params, name string) string {
	parts := strings.Split(name, ".")
	switch {
	case params.dialect == BigQuery:
		have := []string{params.Project, params.Dataset}
		return "`" + strings.Join(append(have[:max(0, 3-len(parts))], parts...), ".") + "`"
	case params.dialect == Redshift && len(parts) == 1 && slices.ContainsFunc(params.Syncs, func(y Sync) bool { return y.Model != "" && y.Definition.Relation() == name }):
		return params.own(name)
	}
	return name
}
