package wire

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
)

// The SQL functions.
const (
	Push   = "penstock_push"
	Plan   = "penstock_plan"
	Begin  = "penstock_begin"
	Gate   = "penstock_gate"
	Finish = "penstock_finish"
	Cancel = "penstock_cancel"
	Retry  = "penstock_retry"
	Reset  = "penstock_reset"
	Status = "penstock_status"
	Errors = "penstock_errors"
	Syncs  = "penstock_syncs"
	// Freshness reads how old the data at a sync's destination is.
	Freshness = "penstock_freshness"
)

// A Param names an argument of a function.
type Param string

// The arguments.
const (
	Target   Param = "sync or run"
	Object   Param = "row" // the row's columns, an object
	Sync     Param = "sync"
	Mode     Param = "mode" // incremental, full
	Run      Param = "run"
	Verdict  Param = "verdict"  // the row of a gate's view, an object
	RowCount Param = "rows"     // how many rows were pushed
	Reason   Param = "reason"   // why a run is cancelled, for people
	Selector Param = "selector" // which errors, an object
	After    Param = "after"    // where a page goes on
	From     Param = "since"    // no runs begun, or errors that occurred, before this time
)

// A Function is a SQL function of Penstock: the same name and arguments on every
// warehouse.
type Function struct {
	Name   string
	Params []Param // in the order in which they are passed
	Needed int     // how many of them may not be left out
}

// functions is the one place that knows at which position an argument stands.
var functions = []Function{
	{Push, []Param{Target, Object}, 2},
	{Plan, []Param{Sync, Object}, 2},
	{Begin, []Param{Sync, Mode}, 1},
	{Gate, []Param{Run, Verdict}, 2},
	{Finish, []Param{Run, RowCount}, 2},
	{Cancel, []Param{Run, Reason}, 1},
	{Retry, []Param{Run, Selector}, 1},
	{Reset, []Param{Sync}, 1},
	{Status, []Param{Target, From, After}, 1},
	{Errors, []Param{Run, After, From}, 1},
	{Freshness, []Param{Sync}, 1},
	{Syncs, []Param{After}, 0},
}

const prefix = "penstock_"

// Lookup finds a function by its name in any case, with or without its prefix.
func Lookup(name string) (*Function, bool) {
	name = strings.TrimPrefix(strings.ToLower(name), prefix)
	for i := range functions {
		if functions[i].Name[len(prefix):] == name {
			return &functions[i], true
		}
	}
	return nil, false
}

// Functions are the names of all functions.
func Functions() []string {
	names := make([]string, len(functions))
	for i := range functions {
		names[i] = functions[i].Name
	}
	return names
}

// Unknown refuses a request that names no function.
func Unknown() *row.Refusal {
	return row.Refuse("the request names no function of Penstock; there are %s", strings.Join(Functions(), ", "))
}

// TakesRows reports whether each call carries a row of a model: a Batch then has Rows,
// and no Calls.
func (f *Function) TakesRows() bool { return slices.Contains(f.Params, Object) }

// Signature is the function as a person would write it:
// penstock_cancel(run [, reason]).
func (f *Function) Signature() string {
	b := f.Name + "("
	for i, p := range f.Params {
		switch {
		case i >= f.Needed && i > 0:
			b += " [, " + string(p) + "]"
		case i >= f.Needed:
			b += "[" + string(p) + "]"
		case i > 0:
			b += ", " + string(p)
		default:
			b += string(p)
		}
	}
	return b + ")"
}

// first is what the first argument of a function that takes rows names, for people.
func (f *Function) first() string {
	if f.Params[0] == Target {
		return "sync, or the run that penstock_begin gave"
	}
	return "sync"
}

// takes says what is wrong with so many arguments.
func (f *Function) takes(n int) *row.Fault {
	if n >= f.Needed && n <= len(f.Params) {
		return nil
	}
	return &row.Fault{Rule: "wrong_arguments", Message: fmt.Sprintf("%s takes other arguments than the %d that came", f.Signature(), n)}
}

// A Call is one row of a function that takes no rows.
type Call struct {
	Number int        // the caller's own number, 0-based within the batch
	Fault  *row.Fault // set when its arguments cannot be read

	function *Function
	args     []jsontext.Value
}

// NewCall makes a call as Decode would: for schedules and the command line.
func NewCall(f *Function, number int, args ...jsontext.Value) Call {
	return Call{Number: number, Fault: f.takes(len(args)), function: f, args: args}
}

// Value is an argument in raw JSON; nil for null, one that was left out, and one
// that the function does not have.
func (c Call) Value(p Param) jsontext.Value {
	if c.function == nil {
		return nil
	}
	for i, have := range c.function.Params {
		if have == p && i < len(c.args) && c.args[i].Kind() != 'n' {
			return c.args[i]
		}
	}
	return nil
}

// Text is an argument as text: a string's content, a number's digits; "" for
// null, left out, and no scalar.
func (c Call) Text(p Param) string { return rawjson.Scalar(c.Value(p)) }

// Int is a whole number, however the caller spells numbers.
func (c Call) Int(p Param) (int64, bool) { return rawjson.Int(c.Value(p)) }
