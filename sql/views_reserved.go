package sql

import (
	"fmt"
	"strings"

	"github.com/penstock-data/penstock/shared/quality"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// reservedColumns are the columns that a source view has beside the model's, "EXPRESSION
// AS NAME", none where the definition asks for no view: penstock_always, true in the rows
// that are sent again once a period; penstock_priority, 1 in the row that is pushed first;
// penstock_hash, over the columns that the definition reads; penstock_definition, by
// which penstock_run knows a view of another definition. All four are always there.
func reservedColumns(params Params, d syncdef.Definition) ([]string, error) {
	if d.SourceView() == "" {
		return nil, nil
	}
	always, err := alwaysOf(d)
	if err != nil {
		return nil, err
	}
	priority := "CAST(NULL AS " + whole(params.dialect) + ")"
	if terms := d.Incremental.OrderBy; len(terms) > 0 {
		for _, term := range terms {
			if err := syncdef.CheckFragment(term); err != nil {
				return nil, fmt.Errorf("incremental.order_by %q: %w", term, err)
			}
		}
		priority = "ROW_NUMBER() OVER (ORDER BY " + strings.Join(terms, ", ") + ")"
	}
	hash := "CAST(NULL AS " + speeches[params.dialect].str(32) + ")"
	if d.ChangedOnly() {
		hash = hashOf(params, d)
	}
	return []string{
		always + " AS " + syncdef.AlwaysColumn,
		priority + " AS penstock_priority",
		hash + " AS penstock_hash",
		"'" + d.SourceHash() + "' AS penstock_definition",
	}, nil
}

// alwaysOf is the condition of incremental.always as an expression that is never null.
func alwaysOf(d syncdef.Definition) (string, error) {
	if d.Incremental == nil || d.Incremental.Always == "" {
		return "FALSE", nil
	}
	condition, _, ok := syncdef.SplitAlways(d.Incremental.Always)
	if !ok {
		return "", fmt.Errorf("incremental.always: %q is not CONDITION every DURATION", d.Incremental.Always)
	}
	if err := syncdef.CheckFragment(condition); err != nil {
		return "", fmt.Errorf("incremental.always: %w", err)
	}
	return "COALESCE((" + condition + "), FALSE)", nil
}

// orderOf ends a source view whose rows have a priority: as far as a warehouse keeps the
// order of a view, the rows come in it.
func orderOf(d syncdef.Definition) string {
	if d.Incremental == nil || len(d.Incremental.OrderBy) == 0 {
		return ""
	}
	return "\nORDER BY penstock_priority"
}

func whole(d Dialect) string {
	if d == BigQuery {
		return "INT64"
	}
	return "BIGINT"
}

// actions are the columns beside the definition's whose change changes what becomes of a
// row, where the model has them.
var actions = []string{"sync_action", "should_delete_from_destination"}

// hashOf is the hash over what a row says: the columns that the definition reads, and
// the actions. Another column may change, such as the time of the query, and the row is
// the same.
func hashOf(params Params, d syncdef.Definition) string {
	dialect := params.dialect
	columns := d.SourceColumns()
	switch dialect {
	case DuckDB:
		var names []string
		for _, c := range append(append([]string(nil), columns...), actions...) {
			names = append(names, literal(dialect, strings.ToLower(c)))
		}
		return "md5(CAST(row(*COLUMNS(lambda c: list_contains([" + strings.Join(names, ", ") + "], lower(c)))) AS VARCHAR))" // to_json would round what JSON holds
	case Snowflake:
		var pairs []string
		for _, c := range columns {
			pairs = append(pairs, literal(dialect, c)+", m."+column(dialect, c))
		}
		return "MD5(TO_JSON(OBJECT_CONSTRUCT_KEEP_NULL(" + strings.Join(pairs, ", ") +
			", 'penstock_action', OBJECT_PICK(OBJECT_CONSTRUCT_KEEP_NULL(*), 'SYNC_ACTION', 'SHOULD_DELETE_FROM_DESTINATION'))))"
	case Redshift:
		return "MD5(" + shiftText(d, shiftObject(d, append(columnsOf(d), deletesOf(params, d)...))) + ")"
	case BigQuery:
		var fields []string
		for _, c := range columns {
			fields = append(fields, rowAlias+"."+column(dialect, c))
		}
		for _, c := range actions {
			fields = append(fields, "JSON_VALUE(TO_JSON("+rowAlias+"), '$."+c+"') AS penstock_"+c)
		}
		return "TO_HEX(MD5(TO_JSON_STRING(STRUCT(" + strings.Join(fields, ", ") + "))))"
	}
	return "NULL"
}

// column is a column's name, and literal a text in quotes, as the dialect takes them.
func column(d Dialect, name string) string  { return quality.In(string(d)).Column(name) }
func literal(d Dialect, text string) string { return quality.In(string(d)).Literal(text) }

// WithAlways is a relation of DuckDB with the column penstock_always that the source
// view of a definition has, for what reads rows without making that view; the relation
// itself where the definition has no condition.
func WithAlways(relation string, d syncdef.Definition) (string, error) {
	if d.AlwaysEvery() == 0 {
		return relation, nil
	}
	always, err := alwaysOf(d)
	return "(SELECT m.*, " + always + " AS " + syncdef.AlwaysColumn + " FROM " + relation + " AS m)", err
}
