package redshift

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
)

// form is what a request looks like, for people.
const form = `{"request_id":"...","external_function":"...","num_records":1,"arguments":[[...],...]}`

// maxCalls is how many rows of a function without arguments a request may announce.
const maxCalls = 10_000

// Decode reads a request. Errors are *row.Refusal.
//
// A row is an array of arguments, null where all of them are, or the bare value of one
// argument. A function without arguments has as many rows as num_records says.
func Decode(r wire.Request) (wire.Batch, error) {
	f, known := function(r.Body)
	if !known {
		f, _ = wire.Lookup(wire.Push) // so that a body that is no request is told as such
	}
	scan := wire.Scan(r.Body)
	if f.Name == wire.Push || f.Name == wire.Plan {
		scan.Unfold()
	}
	rows := wire.NewRows(f, scan)
	h := head{}
	t := wire.Table{Key: "arguments", Form: form, Bare: true, Optional: f.Needed == 0, Member: h.member, Reserve: rows.Reserve}
	t.Row = func(number int, args []jsontext.Value, fault *row.Fault) { rows.Add(number, spread(f, args), fault) }
	t.Whole = func(v jsontext.Value) { h.arguments = v }
	if err := t.Read(scan); err != nil {
		return wire.Batch{}, err
	}
	if !known {
		return wire.Batch{}, wire.Unknown()
	}
	if h.fault != nil {
		return wire.Batch{}, h.fault
	}
	b := rows.Batch()
	if err := h.count(f, rows, b.Len()); err != nil {
		return wire.Batch{}, err
	}
	b = rows.Batch()
	longRows(&b)
	if err := h.identify(f, &b); err != nil {
		return wire.Batch{}, err
	}
	return b, nil
}

// longRows rejects the rows that were too long to be sent, by what was sent for them.
func longRows(b *wire.Batch) {
	for i := range b.Rows {
		w := &b.Rows[i]
		if w.Fault != nil || !bytes.HasPrefix(w.Object, marked) {
			continue
		}
		w.Fault = &row.Fault{Rule: "row_too_large", Message: fmt.Sprintf("the row has %s bytes as JSON, and Redshift passes at most %d: "+
			"shorten its texts in the model, or map fewer columns", rawjson.Scalar(rawjson.Get(w.Object, TooLarge)), MaxRow)}
	}
}

var marked = []byte(`{"` + TooLarge + `":`)

// spread makes a row's arguments of what came: of a row that is null nobody knows how
// many there were, and of one that needs no arguments whatever stands in its place is nothing.
func spread(f *wire.Function, args []jsontext.Value) []jsontext.Value {
	switch {
	case f.Needed == 0 && (len(args) == 0 || len(args) == 1 && args[0].Kind() == 'n'):
		return nil
	case args == nil:
		return nulls[:max(1, f.Needed)]
	}
	return args
}

var nulls = []jsontext.Value{jsontext.Value("null"), jsontext.Value("null"), jsontext.Value("null"), jsontext.Value("null")}

// A head is what a request says beside its rows.
type head struct {
	request, query, user, database, cluster string

	records   int64 // num_records, -1 when it is missing
	told      bool  // whether num_records came
	arguments jsontext.Value
	fault     error
}

// member takes the value under a key. Numbers may come as text, ids as numbers.
func (h *head) member(name string, v jsontext.Value) {
	switch name {
	case "request_id":
		h.request = rawjson.Scalar(v)
	case "query_id":
		h.query = rawjson.Scalar(v)
	case "user":
		h.user, _ = rawjson.Text(v)
	case "database":
		h.database, _ = rawjson.Text(v)
	case "cluster":
		h.cluster, _ = rawjson.Text(v)
	case "num_records":
		n, ok := rawjson.Int(v)
		if h.told = v.Kind() != 'n'; h.told && (!ok || n < 0) {
			h.fault = row.Refuse("num_records of the request is no whole number; send %s", form)
		}
		h.records = n
	}
}

// count compares the rows with num_records, and makes those of a function without
// arguments, for which nothing need stand under arguments.
func (h *head) count(f *wire.Function, rows *wire.Rows, n int) error {
	if !h.told || h.records == int64(n) {
		return nil
	}
	if f.Needed > 0 || n > 0 || h.records > maxCalls {
		return row.Refuse("num_records of the request is %d, and it has %d rows: nothing is taken of a request that contradicts itself", h.records, n)
	}
	for i := range int(h.records) {
		rows.Add(i, nil, nil)
	}
	return nil
}

// maxID is how many bytes an id may have, far more than Redshift's: it is stored.
const maxID = 256

// identify says which batch of which query it is, and whose.
func (h *head) identify(f *wire.Function, b *wire.Batch) error {
	if h.request == "" {
		return row.Refuse("request_id is missing: without it a retry cannot be told from new rows. " +
			"Call this function through a Redshift external function, or send a request id of your own that stays the same when you retry")
	}
	for _, id := range []string{h.request, h.query, h.user, h.database, h.cluster} {
		if len(id) > maxID {
			return row.Refuse("an id or a name in the request has %d bytes, at most %d are taken", len(id), maxID)
		}
	}
	b.ID, b.Query = h.request, h.request
	if h.known() {
		b.Query = fmt.Sprintf("%s/%s", h.cluster, h.query)
		b.Same = h.same(f)
	}
	b.Caller = row.Caller{Names: row.Lower, Remedy: remedy}
	if h.database != "" { // Redshift names both; without a database no name is believed
		b.Caller.Role, b.Caller.Within = h.user, h.database
	}
	return nil
}

const remedy = "the role is the Redshift user whose session calls; allow names it as user, or as database/user"
