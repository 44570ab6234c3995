package wire

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
)

// Rows gathers a request's rows. A Protocol's Decode adds each row's arguments,
// and takes the batch at the end.
type Rows struct {
	batch     Batch
	function  *Function
	scan      *Scanner
	takesRows bool
	last      jsontext.Value // the target before, raw
	target    string         // its text
}

// NewRows gathers the rows of a function from values that scan read.
func NewRows(f *Function, scan *Scanner) *Rows {
	r := &Rows{function: f, takesRows: f.TakesRows(), scan: scan}
	r.batch.Function = f.Name
	return r
}

// Batch is what was gathered.
func (r *Rows) Batch() Batch { return r.batch }

// maxGuess bounds what is reserved on the evidence of one row.
const maxGuess = 8192

// Reserve makes room for as many rows as are likely to come, by the mean length of
// those that came, read bytes in all, where rest bytes are left: growing by
// doubling would take twice the memory.
func (r *Rows) Reserve(read, rest int) {
	n := len(r.batch.Rows)
	if n == 0 || n < cap(r.batch.Rows) {
		return
	}
	more := rest/(read/n+1) + 1
	more += more / 8
	if n < maxGuess {
		more = min(more, maxGuess)
	}
	r.batch.Rows = slices.Grow(r.batch.Rows, more)
}

// Add adds a row with its arguments by position, each valid JSON, and with the
// fault that was found in them. args may be used again; the values are kept.
func (r *Rows) Add(number int, args []jsontext.Value, fault *row.Fault) {
	if !r.takesRows {
		c := NewCall(r.function, number, slices.Clone(args)...)
		if fault != nil {
			c.Fault = fault
		}
		r.batch.Calls = append(r.batch.Calls, c)
		return
	}
	w := row.Row{Number: number, Fault: fault}
	if len(args) > 0 {
		w.Target = r.targetOf(args[0])
	}
	if w.Fault == nil {
		w.Fault = r.function.takes(len(args))
	}
	if w.Fault == nil && w.Target == "" {
		w.Fault = &row.Fault{Field: "sync", Rule: "unknown_sync", Message: "the first argument of " + r.function.Name + " is missing, null or no text: name a " + r.function.first()}
	}
	if len(args) > 1 {
		object, flawed := r.scan.object(args[1])
		w.Object = object
		if w.Fault == nil {
			w.Fault = flawed
		}
	}
	r.batch.Rows = append(r.batch.Rows, w)
}

// targetOf is the text of the first argument, made once for all rows in a row that
// name the same.
func (r *Rows) targetOf(v jsontext.Value) string {
	if r.last == nil || string(v) != string(r.last) {
		r.target, _ = rawjson.Text(v)
		r.last = v
	}
	return r.target
}
