package sql

import (
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/redshift"
)

// A Function is a function of Penstock's as Redshift declares it: once per number of
// arguments, because Redshift has no optional ones.
type Function struct {
	Signature string
	Forms     []Form
}

// A Form is one declaration of a function.
type Form struct {
	Name         string
	Types        string // VARCHAR(255), BIGINT
	BatchRows    int
	BatchMB      int
	RetryTimeout int  // milliseconds
	Reads        bool // readers may call it
}

// Functions are all functions, by the list that every protocol goes by.
func (p Params) Functions() []Function {
	var out []Function
	for _, name := range wire.Functions() {
		f, _ := wire.Lookup(name)
		one := Function{Signature: f.Signature()}
		for n := f.Needed; n <= len(f.Params); n++ {
			one.Forms = append(one.Forms, Form{
				Name: name, Types: shiftTypes(f.Params[:n]), BatchRows: p.shiftBatch(name), BatchMB: redshift.BatchMB, RetryTimeout: redshift.RetryTimeout,
				Reads: slices.Contains([]string{wire.Status, wire.Errors, wire.Freshness, wire.Syncs}, name),
			})
		}
		out = append(out, one)
	}
	return out
}

// shiftBatch is MAX_BATCH_ROWS: what does something is called one by one, so that a
// statement that fails has done no more than it says.
func (p Params) shiftBatch(function string) int {
	switch function {
	case wire.Push, wire.Plan:
		return p.MaxBatchRows
	case wire.Status, wire.Errors:
		return 10
	}
	return 1
}

// shiftTypes are the types of arguments: texts are as long as they may be at all, and
// names as Redshift's own.
func shiftTypes(params []wire.Param) string {
	types := make([]string, len(params))
	for i, p := range params {
		switch p {
		case wire.RowCount:
			types[i] = "BIGINT"
		case wire.Target, wire.Sync, wire.Mode, wire.Run, wire.After, wire.From:
			types[i] = "VARCHAR(255)"
		default: // a row, a selector, a reason, and what is not known yet
			types[i] = "VARCHAR(65535)"
		}
	}
	return strings.Join(types, ", ")
}
