package snowflake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
)

// maxGuess bounds the room made on the evidence of one row.
const maxGuess = 8192

// Decode reads a batch: {"data":[[0,arg1,...],[1,arg1,...]]}. Args are spans of
// body, which must stay unchanged as long as the batch is used.
//
// A request that is not JSON, or not of that form, is an *Error. A duplicate key
// or broken UTF-8 inside an argument is that row's Fault (rules duplicate_key,
// invalid_utf8), and the other rows go on; the argument keeps its duplicates,
// and its broken characters become U+FFFD, so that what is stored of it is text.
func Decode(header func(string) string, body []byte) (row.Batch, error) {
	b, err := identify(header)
	if err != nil {
		return row.Batch{}, err
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return row.Batch{}, &Error{Status: 400, Message: `the request has no body; send {"data":[[0,...],...]}`}
	}
	r := reader{body: body, dec: jsontext.NewDecoder(bytes.NewBuffer(body))}
	if err := r.document(); err != nil {
		// Rare: find the rows at fault, and let the others through.
		r = reader{body: body, lenient: true, seen: map[string]bool{}, dec: jsontext.NewDecoder(bytes.NewBuffer(body),
			jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
		if err := r.document(); err != nil {
			return row.Batch{}, refuse(err)
		}
	}
	if err := distinct(r.rows); err != nil {
		return row.Batch{}, err
	}
	b.Rows = r.rows
	return b, nil
}

// refuse makes the error of a request that cannot be followed.
func refuse(err error) error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	message := "the request's body is not JSON"
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		message = "the request's body ends in the middle"
	}
	var s *jsontext.SyntacticError
	if errors.As(err, &s) {
		return &Error{Status: 400, Message: fmt.Sprintf(`%s (byte %d); send {"data":[[0,...],...]}`, message, s.ByteOffset), Err: s.Err}
	}
	return &Error{Status: 400, Message: message, Err: err}
}

func malformed(format string, args ...any) error {
	return &Error{Status: 400, Message: fmt.Sprintf(format, args...)}
}

// A reader walks one request. The strict one refuses every flaw; the lenient one
// follows the structure past flaws inside arguments and checks each by itself.
type reader struct {
	dec     *jsontext.Decoder
	body    []byte
	rows    []row.Row
	args    []jsontext.Value // all rows' arguments, one after the other
	lenient bool
	seen    map[string]bool // lenient: the top level's keys
	data    bool
}

func (r *reader) document() error {
	if k := r.dec.PeekKind(); k != '{' && k != 0 {
		return malformed(`the request's body is %s; send an object: {"data":[[0,...],...]}`, kind(k))
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	for r.dec.PeekKind() == '"' {
		if err := r.member(); err != nil {
			return err
		}
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	if _, err := r.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return malformed("the request's body goes on after its JSON ends (byte %d)", r.dec.InputOffset())
	}
	if !r.data {
		return malformed(`the request's body has no "data"; send {"data":[[0,...],...]}`)
	}
	return nil
}

// member reads one key of the top level and its value.
func (r *reader) member() error {
	quoted, err := r.dec.ReadValue()
	if err != nil {
		return err
	}
	name, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil {
		return malformed("a key of the request's body is broken UTF-8 (byte %d)", r.dec.InputOffset())
	}
	if r.lenient {
		if r.seen[string(name)] {
			return malformed("the request's body has the key %q twice", name)
		}
		r.seen[string(name)] = true
	}
	if string(name) == "data" {
		r.data = true
		return r.table()
	}
	v, err := r.dec.ReadValue()
	if err == nil && r.lenient && !v.IsValid() {
		return malformed("the request's body has a broken value under the key %q", name)
	}
	return err
}

// table reads the array of rows.
func (r *reader) table() error {
	if k := r.dec.PeekKind(); k != '[' && k != 0 {
		return malformed(`"data" is %s; it must be an array of rows, each [number, argument, ...]`, kind(k))
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	start := r.dec.InputOffset()
	for r.dec.PeekKind() == '[' {
		if err := r.row(); err != nil {
			return err
		}
		if len(r.rows) == cap(r.rows) {
			r.makeRoom(int(r.dec.InputOffset() - start))
		}
	}
	if k := r.dec.PeekKind(); k != ']' && k != 0 {
		return malformed("row %d of the request is %s; it must be an array [number, argument, ...]", len(r.rows), kind(k))
	}
	_, err := r.dec.ReadToken()
	r.carve()
	return err
}

// makeRoom guesses how many rows are to come from the mean length of those that
// came, read bytes in all: growing by doubling would take twice the memory.
func (r *reader) makeRoom(read int) {
	rows, rest := len(r.rows), len(r.body)-int(r.dec.InputOffset())
	n := rest/(read/rows+1) + 1
	n += n / 8
	if rows < maxGuess {
		n = min(n, maxGuess)
	}
	r.args = slices.Grow(r.args, n*((len(r.args)+rows-1)/rows))
	r.rows = slices.Grow(r.rows, n)
}

// row reads [number, argument, ...].
func (r *reader) row() error {
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	if k := r.dec.PeekKind(); k != '0' && k != 0 {
		return malformed("row %d of the request has no number: its first element is %s", len(r.rows), kind(k))
	}
	v, err := r.dec.ReadValue()
	if err != nil {
		return err
	}
	number, ok := integer(v)
	if !ok {
		return malformed("row %d of the request has the number %s; it must be an integer from 0 on", len(r.rows), v)
	}
	r.rows = append(r.rows, row.Row{Number: number})
	first := len(r.args)
	for k := r.dec.PeekKind(); k != ']' && k != 0; k = r.dec.PeekKind() {
		v, err := r.dec.ReadValue()
		if err != nil {
			return err
		}
		end := int(r.dec.InputOffset())
		v = r.body[end-len(v) : end : end]
		if r.lenient {
			v = r.check(v)
		}
		r.args = append(r.args, v)
	}
	// Only the length counts until carve: args may still move.
	r.rows[len(r.rows)-1].Args = r.args[first:len(r.args):len(r.args)]
	_, err = r.dec.ReadToken()
	return err
}

// carve points every row at its part of args, now that args stays where it is.
func (r *reader) carve() {
	at := 0
	for i := range r.rows {
		n := len(r.rows[i].Args)
		r.rows[i].Args = r.args[at : at+n : at+n]
		at += n
	}
}

// check notes the first flaw of the row in hand.
func (r *reader) check(v jsontext.Value) jsontext.Value {
	fault := flaw(v)
	if fault == nil {
		return v
	}
	if w := &r.rows[len(r.rows)-1]; w.Fault == nil {
		w.Fault = fault
	}
	mended, err := jsontext.AppendFormat(nil, v, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return jsontext.Value("null") // cannot be: the structure was followed above
	}
	return mended
}

// integer reads a row number. Nothing above 2^31 is one: a request is 10 MB.
func integer(v jsontext.Value) (int, bool) {
	n, err := strconv.ParseInt(string(v), 10, 32)
	return int(n), err == nil && n >= 0 && v[0] != '-'
}

// distinct refuses two rows with one number, for which there would be one answer.
func distinct(rows []row.Row) error {
	ascending := true
	for i := 1; i < len(rows) && ascending; i++ {
		ascending = rows[i-1].Number < rows[i].Number
	}
	if ascending {
		return nil
	}
	numbers := make([]int, len(rows))
	for i := range rows {
		numbers[i] = rows[i].Number
	}
	slices.Sort(numbers)
	for i := 1; i < len(numbers); i++ {
		if numbers[i-1] == numbers[i] {
			return malformed("the request has two rows with the number %d", numbers[i])
		}
	}
	return nil
}

// kind names a JSON value's kind for a person.
func kind(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "an array"
	}
	return "no JSON value"
}
