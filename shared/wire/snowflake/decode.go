package snowflake

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
)

// maxGuess bounds the room made on the evidence of one row.
const maxGuess = 8192

// decode reads a batch: {"data":[[0,arg1,...],[1,arg1,...]]}. A request that is
// not JSON, or not of that form, is refused. A duplicate key, broken UTF-8 or too
// many levels inside an argument are that row's fault, and the others go on.
func decode(r wire.Request) (wire.Batch, error) {
	var id row.Batch
	f, err := identify(r, &id)
	if err != nil {
		return wire.Batch{}, err
	}
	if len(bytes.TrimSpace(r.Body)) == 0 {
		return wire.Batch{}, row.Refuse(`the request has no body; send {"data":[[0,...],...]}`)
	}
	scan := wire.Scan(r.Body)
	rows := wire.NewRows(f, scan)
	d := reader{body: r.Body, scan: scan, add: rows.Add, room: func(read, rest int) {
		if rows.Full() && rows.Len() > 0 {
			rows.Grow(guess(rows.Len(), read, rest))
		}
	}}
	if err := d.document(); err != nil {
		return wire.Batch{}, err
	}
	b := rows.Batch()
	b.ID, b.Query = id.ID, id.Query
	return b, distinct(&b)
}

// guess is how many rows are to come, by the mean length of those that came, read
// bytes in all: growing by doubling would take twice the memory.
func guess(rows, read, rest int) int {
	n := rest/(read/rows+1) + 1
	n += n / 8
	if rows < maxGuess {
		n = min(n, maxGuess)
	}
	return n
}

// A reader walks one request or one reply.
type reader struct {
	body []byte
	at   int
	scan *wire.Scanner
	args []jsontext.Value // of the row in hand
	add  func(number int, args []jsontext.Value, fault *row.Fault)
	room func(read, rest int) // before each row: bytes of rows behind, and of body ahead
	rows int
}

// space goes to the next byte that is no white space; 0 is the end.
func (r *reader) space() byte {
	if r.at < len(r.body) && r.body[r.at] > ' ' {
		return r.body[r.at]
	}
	if r.at = rawjson.Space(r.body, r.at); r.at >= len(r.body) {
		return 0
	}
	return r.body[r.at]
}

// step takes the byte c, or says what is wrong with what stands there.
func (r *reader) step(c byte) error {
	if r.space() != c {
		return r.broken(r.at)
	}
	r.at++
	return nil
}

// broken refuses a request whose JSON is wrong at a place.
func (r *reader) broken(at int) error {
	if at >= len(r.body) {
		return row.Refuse("the request's body ends in the middle; " + `send {"data":[[0,...],...]}`)
	}
	return row.Refuse(`the request's body is not JSON (byte %d); send {"data":[[0,...],...]}`, at)
}

// other refuses a value of another kind than the one that belongs there.
func (r *reader) other(format string, args ...any) error {
	r.space()
	if r.at >= len(r.body) {
		return r.broken(r.at)
	}
	k := jsontext.Value(r.body[r.at:]).Kind()
	if k == 0 || k == ']' || k == '}' {
		return r.broken(r.at)
	}
	return row.Refuse(format, append(args, wire.KindName(k))...)
}

func (r *reader) document() error {
	if r.space() != '{' {
		return r.other(`the request's body is %s; send an object: {"data":[[0,...],...]}`)
	}
	r.at++
	var seen []string
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
		if slices.Contains(seen, name) {
			return row.Refuse("the request's body has the key %q twice", name)
		}
		seen = append(seen, name)
		if err := r.member(name); err != nil {
			return err
		}
	}
	if r.at++; r.space() != 0 || r.at < len(r.body) {
		return row.Refuse("the request's body goes on after its JSON ends (byte %d)", r.at)
	}
	if !slices.Contains(seen, "data") {
		return row.Refuse(`the request's body has no "data"; send {"data":[[0,...],...]}`)
	}
	return nil
}

// name reads a key of the top level and its colon.
func (r *reader) name() (string, error) {
	if r.space() != '"' {
		return "", r.broken(r.at)
	}
	end := rawjson.StringEnd(r.body, r.at)
	if end < 0 {
		return "", r.broken(len(r.body))
	}
	quoted := r.body[r.at:end]
	name, ok := rawjson.Text(quoted)
	if !ok && !utf8.Valid(quoted) {
		return "", row.Refuse("a key of the request's body is broken UTF-8 (byte %d)", r.at)
	}
	if !ok {
		return "", r.broken(r.at)
	}
	r.at = end
	return name, r.step(':')
}

// member reads the value under a key of the top level.
func (r *reader) member(name string) error {
	r.space()
	if name == "data" {
		return r.table()
	}
	_, fault, err := r.value()
	if err == nil && fault != nil {
		err = row.Refuse("the request's body has a broken value under the key %q", name)
	}
	return err
}

// value reads a value, which starts right here.
func (r *reader) value() (jsontext.Value, *row.Fault, error) {
	start := r.at
	v, end, fault := r.scan.Value(start)
	switch {
	case end < 0 && start < len(r.body) && bytes.IndexByte([]byte(",:]}"), r.body[start]) >= 0:
		return nil, nil, r.broken(start)
	case end < 0:
		return nil, nil, r.broken(len(r.body))
	case fault != nil && fault.Rule == wire.InvalidJSON:
		return nil, nil, r.broken(start)
	}
	r.at = end
	return v, fault, nil
}

// table reads the array of rows.
func (r *reader) table() error {
	if r.space() != '[' {
		return r.other(`"data" is %s; it must be an array of rows, each [number, argument, ...]`)
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
			return r.other("row %d of the request is %s; it must be an array [number, argument, ...]", r.rows)
		}
		r.room(r.at-start, len(r.body)-r.at)
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
	number, err := r.number()
	if err != nil {
		return err
	}
	r.args = r.args[:0]
	var fault *row.Fault
	for c := r.space(); c != ']'; c = r.space() {
		if err := r.step(','); err != nil {
			return err
		}
		r.space()
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
	r.add(number, r.args, fault)
	return nil
}

// number reads a row's number. Nothing above 2^31 is one: a request is 10 MB.
func (r *reader) number() (int, error) {
	if c := r.space(); c == ']' {
		return 0, row.Refuse("row %d of the request has no number: it is empty", r.rows)
	} else if c != '-' && (c < '0' || c > '9') {
		return 0, r.other("row %d of the request has no number: its first element is %s", r.rows)
	}
	v, fault, err := r.value()
	if err != nil {
		return 0, err
	}
	n := 0
	for _, c := range v {
		if c < '0' || c > '9' || n > 1<<31/10 {
			fault = &row.Fault{}
			break
		}
		n = n*10 + int(c-'0')
	}
	if fault != nil || n >= 1<<31 {
		return 0, row.Refuse("row %d of the request has a number that is none; it must be an integer from 0 on", r.rows)
	}
	return n, nil
}

// distinct refuses two rows with one number, for which there would be one answer.
func distinct(b *wire.Batch) error {
	ascending := true
	for i := 1; i < b.Len() && ascending; i++ {
		ascending = b.Number(i-1) < b.Number(i)
	}
	if ascending {
		return nil
	}
	numbers := make([]int, b.Len())
	for i := range numbers {
		numbers[i] = b.Number(i)
	}
	slices.Sort(numbers)
	for i := 1; i < len(numbers); i++ {
		if numbers[i-1] == numbers[i] {
			return row.Refuse("the request has two rows with the number %d", numbers[i])
		}
	}
	return nil
}
