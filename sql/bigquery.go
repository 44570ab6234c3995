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

// Remotes are BigQuery's remote functions, one for each function of Penstock, and one
// more of penstock_begin for penstock_run: its last argument is an id of the call, by
// which a request that is sent again is known whatever BigQuery calls it.
func (p Params) Remotes() []Remote {
	var out []Remote
	for _, name := range wire.Functions() {
		f, _ := wire.Lookup(name)
		out = append(out, p.remote(f, ""))
		if name == wire.Begin {
			out = append(out, p.remote(f, "_once"))
		}
	}
	return out
}

func (p Params) remote(f *wire.Function, suffix string) Remote {
	var arguments []string
	for _, a := range f.Params {
		arguments = append(arguments, cmp.Or(argumentNames[a], string(a))+" "+cmp.Or(argumentTypes[a], "STRING"))
	}
	r := Remote{Name: f.Name + suffix, Description: f.Signature(), Rows: 1, Context: fmt.Sprintf("('%s', '%s')", bigquery.ContextFunction, f.Name)}
	if suffix != "" {
		arguments = append(arguments, "call_id STRING")
		r.Context += fmt.Sprintf(", ('%s', 'last')", bigquery.ContextCall)
		r.Description += ", by penstock_run"
	}
	r.Arguments = strings.Join(arguments, ", ")
	switch f.Name {
	case wire.Push, wire.Plan:
		r.Rows = p.MaxBatchRows
	case wire.Status, wire.Syncs:
		r.Rows = 10
	}
	return r
}

// argumentNames are the arguments' names in SQL; another one's is its own.
var argumentNames = names{wire.Target: "sync", wire.Object: "row_object", wire.RowCount: "row_count", wire.After: "after_page"}

// names are words for arguments, those that SQL would misread in others.
type names map[wire.Param]string

// argumentTypes are the types of those that are no text.
var argumentTypes = names{wire.Object: "JSON", wire.RowCount: "INT64", wire.Selector: "JSON"}
