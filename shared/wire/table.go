package wire

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
)

// A Table is the JSON object by which callers send rows, and take answers: under
// one key an array of rows, each an array of values.
type Table struct {
	Key      string // under which the rows stand: data, arguments, calls
	Form     string // what the object looks like, for people
	Numbered bool   // whether a row begins with its number; else its position is it
	// Bare says that a row may be null, for which Row gets nil, or one argument's value
	// without its array.
	Bare bool
	// Optional says that the rows may be left out, or null: then there are none.
	Optional bool
	// Row takes a row's values, which are valid JSON, and the fault that was found in
	// them. args may be kept only as long as the call.
	Row func(number int, args []jsontext.Value, fault *row.Fault)
	// Member takes the value under another key; nil passes over it.
	Member func(name string, v jsontext.Value)
	// Whole takes the span of all rows, once they are read; may be nil.
	Whole func(jsontext.Value)
	// Reserve is told before each row how many bytes of rows were read and how many of
	// the body are left; may be nil.
	Reserve func(read, rest int)
}

// Read reads a body. One that is not JSON, or not of the form, is a *row.Refusal.
// A duplicate key, broken UTF-8 or too many levels inside a value are its row's
// fault, and the others go on.
func (t Table) Read(scan *Scanner) error {
	if len(bytes.TrimSpace(scan.body)) == 0 {
		return row.Refuse("the request has no body; send %s", t.Form)
	}
	r := reader{Table: t, scan: scan, body: scan.body}
	return r.document()
}

// A reader walks one body.
type reader struct {
	Table

	body []byte
	at   int
	scan *Scanner
	args []jsontext.Value // of the row in hand
	rows int
}

func (r *reader) document() error {
	if r.space() != '{' {
		return r.other("the request's body")
	}
	r.at++
	seen := map[string]bool{}
	for c := r.space(); c != '}'; c = r.space() {
		if len(seen) > 0 {
			if err := r.step(','); err != nil {
				return err
			}
		}
		name, err := r.name()
		if err != nil {
			return err
		}
		if seen[name] {
			return row.Refuse("the request's body has the key %q twice", name)
		}
		seen[name] = true
		if err := r.member(name); err != nil {
			return err
		}
	}
	if r.at++; r.space() != 0 || r.at < len(r.body) {
		return row.Refuse("the request's body goes on after its JSON ends (byte %d)", r.at)
	}
	if !seen[r.Key] && !r.Optional {
		return row.Refuse("the request's body has no %q; send %s", r.Key, r.Form)
	}
	return nil
}

// member reads the value under a key of the top level.
func (r *reader) member(name string) error {
	r.space()
	if name == r.Key {
		return r.table()
	}
	v, fault, err := r.value()
	switch {
	case err != nil:
		return err
	case fault != nil:
		return row.Refuse("the request's body has a broken value under the key %q", name)
	case r.Member != nil:
		r.Member(name, v)
	}
	return nil
}

// table reads the array of rows.
func (r *reader) table() error {
	if c := r.space(); c == 'n' && r.Optional {
		_, _, err := r.value()
		return err
	} else if c != '[' {
		return r.other(strconv.Quote(r.Key))
	}
	whole := r.at
	r.args = make([]jsontext.Value, 0, 8)
	r.at++
	start := r.at
	for c := r.space(); c != ']'; c = r.space() {
		if r.rows > 0 {
			if err := r.step(','); err != nil {
				return err
			}
		}
		array := r.space() == '['
		if !array && !r.Bare {
			return r.other(fmt.Sprintf("row %d of the request", r.rows))
		}
		if r.Reserve != nil {
			r.Reserve(r.at-start, len(r.body)-r.at)
		}
		read := r.row
		if !array {
			read = r.bare
		}
		if err := read(); err != nil {
			return err
		}
		r.rows++
	}
	r.at++
	if r.Whole != nil {
		r.Whole(r.body[whole:r.at:r.at])
	}
	return nil
}

// bare reads a row that is null, or the value of its one argument.
func (r *reader) bare() error {
	v, fault, err := r.value()
	if err != nil {
		return err
	}
	args := append(r.args[:0], v)
	if v.Kind() == 'n' {
		args = nil // nothing tells how many arguments are null
	}
	r.Row(r.rows, args, fault)
	return nil
}

// row reads [number, argument, ...].
func (r *reader) row() error {
	r.at++
	number, due := r.rows, false // whether a comma is due
	if r.Numbered {
		var err error
		if number, err = r.number(); err != nil {
			return err
		}
		due = true
	}
	r.args = r.args[:0]
	var fault *row.Fault
	for c := r.space(); c != ']'; c = r.space() {
		if due {
			if err := r.step(','); err != nil {
				return err
			}
			r.space()
		}
		due = true
		v, flawed, err := r.value()
		if err != nil {
			return err
		}
		if fault == nil {
			fault = flawed
		}
		r.args = append(r.args, v)
	}
	r.at++
	r.Row(number, r.args, fault)
	return nil
}
