package cli

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/dustin/go-humanize/english"

	"github.com/penstock-data/penstock/shared/quality"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
	"github.com/penstock-data/penstock/sql"
)

// A validGate is the quality gate of a valid sync.
type validGate struct {
	Rules   int              `json:"rules"`
	Verdict *quality.Verdict `json:"verdict,omitempty"` // over the model as the embedded warehouse has it; absent where it has none
	Why     string           `json:"not_judged,omitempty"`
}

// gates compiles the gate of each valid sync, and judges the rows that the warehouse has:
// what stands there already, a table or a view, and no text of the definitions.
func (c validateCmd) gates(ctx context.Context, set yamlfile.Set, v *validation) error {
	dialect := c.Dialect
	if set.Warehouse != nil {
		dialect = cmp.Or(dialect, set.Warehouse.Type)
	}
	v.elsewhere = dialect != "" && dialect != string(sql.DuckDB)
	var w *duckdb.Warehouse
	var closed string // why the warehouse cannot be read
	defer func() {
		if w != nil {
			w.Close()
		}
	}()
	for i := range v.Syncs {
		one := &v.Syncs[i]
		n := slices.IndexFunc(set.Syncs, func(y yamlfile.Sync) bool { return y.Definition.Sync == one.Sync })
		if n < 0 {
			continue // cannot be: it is one of them
		}
		y := set.Syncs[n]
		g, err := quality.Compile(&y.Definition)
		if err != nil || g == nil { // a fault is told where the definition is read
			continue
		}
		one.Gate = &validGate{Rules: g.Rules()}
		if w == nil && closed == "" {
			w, closed = c.gateWarehouse(ctx)
		}
		if one.Gate.Why = closed; w != nil {
			one.Gate.judge(ctx, c, w, g, y.Definition.Relation())
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// gateWarehouse opens the warehouse to be read only, or says why it cannot.
func (c validateCmd) gateWarehouse(ctx context.Context) (*duckdb.Warehouse, string) {
	path := cmp.Or(c.Warehouse, filepath.Join(c.Data, warehouseFile))
	if haveWarehouse(ctx, path, c.Data) != nil {
		return nil, "there is no warehouse " + path
	}
	w, err := duckdb.Open(ctx, duckdb.Config{Path: path, ReadOnly: true})
	if err != nil {
		return nil, firstLine(warehouseFault(err, path, c.Data))
	}
	return w, ""
}

// judge judges the rows of a relation.
func (v *validGate) judge(ctx context.Context, c validateCmd, w *duckdb.Warehouse, g *quality.Gate, name string) {
	if _, err := columnsOf(ctx, w, qualified(name)); err != nil {
		v.Why = "the warehouse has no table or view " + name
		return
	}
	ctx, cancel := context.WithTimeout(ctx, c.CheckTime)
	defer cancel()
	var text string
	err := scanOne(ctx, w, "SELECT CAST(to_json(g) AS VARCHAR) FROM (\n"+g.Select(quality.DuckDB, qualified(name))+"\n) AS g", nil, &text)
	if err != nil {
		v.Why = "the rows of " + name + " cannot be read" // the error may quote a value (I6)
		return
	}
	verdict, err := g.Read([]byte(text))
	if err != nil {
		v.Why = firstLine(err)
		return
	}
	v.Verdict = &verdict
}

// line is the gate of a sync for people; elsewhere says that the model is in another
// warehouse than this machine's.
func (v *validGate) line(sync string, elsewhere bool) string {
	text := fmt.Sprintf("%s: gate of %s", sync, english.Plural(v.Rules, "rule", ""))
	switch {
	case v.Verdict != nil:
		return text + ": " + gateLine(&run.Gate{Verdict: *v.Verdict}, false)
	case elsewhere:
		return text + ", which SELECT * FROM " + quality.ViewName(sync) + " judges in your warehouse"
	}
	return text + ", not judged (" + v.Why + "): penstock plan " + sync + " judges the rows"
}
