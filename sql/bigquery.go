package sql

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/bigquery"
)

// A Remote is a remote function of BigQuery, which knows neither overloads nor defaults:
// every argument is passed, NULL for one that is left out elsewhere.
type Remote struct {
	Name        string
	Arguments   string // sync STRING, row_object JSON
	Description string
	Context     string // user_defined_context: what the function is called at Penstock
	Rows        int    // max_batching_rows
}

// Remotes are BigQuery's remote functions, one for each function of Penstock.
func (p Params) Remotes() []Remote {
	var out []Remote
	for _, name := range wire.Functions() {
		f, _ := wire.Lookup(name)
		var arguments []string
		whole := *f
		if name == wire.Syncs { // whose answer has no pages there
			whole.Params = nil
		}
		for _, a := range whole.Params {
			arguments = append(arguments, cmp.Or(argumentNames[a], string(a))+" "+cmp.Or(argumentTypes[a], "STRING"))
		}
		r := Remote{Name: name, Arguments: strings.Join(arguments, ", "), Description: whole.Signature(), Rows: 1, Context: fmt.Sprintf("('%s', '%s')", bigquery.ContextFunction, name)}
		switch name {
		case wire.Push, wire.Plan:
			r.Rows = p.MaxBatchRows
		case wire.Status, wire.Freshness, wire.Syncs:
			r.Rows = 10
		}
		out = append(out, r)
	}
	return out
}

// argumentNames are the arguments' names in SQL; another one's is its own.
var argumentNames = names{wire.Target: "sync", wire.Object: "row_object", wire.RowCount: "row_count", wire.After: "after_page"}

// names are words for arguments, those that SQL would misread in others.
type names map[wire.Param]string

// argumentTypes are the types of those that are no text.
var argumentTypes = names{wire.Object: "JSON", wire.Verdict: "JSON", wire.RowCount: "INT64", wire.Selector: "JSON"}
