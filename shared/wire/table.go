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
	// Row takes a row's values, which are valid JSON, and the fault that was found in
	// them. args may be kept only as long as the call.
	Row func(number int, args []jsontext.Value, fault *row.Fault)
	// Member takes the value under another key; nil passes over it.
	Member func(name string, v jsontext.Value)
	// Room is told before each row how many bytes of rows were read and how many of
	// the body are left; may be nil.
	Room func(read, rest int)
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
	if !seen[r.Key] {
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
	if r.space() != '[' {
		return r.other(strconv.Quote(r.Key))
	}
	r.at++
	start := r.at
	for c := r.space(); c != ']'; c = r.space() {
		if r.rows > 0 {
			if err := r.step(','); err != nil {
				return err
			}
		}
		if r.space() != '[' {
			return r.other(fmt.Sprintf("row %d of the request", r.rows))
		}
		if r.Room != nil {
			r.Room(r.at-start, len(r.body)-r.at)
		}
		if err := r.row(); err != nil {
			return err
		}
		r.rows++
	}
	r.at++
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
