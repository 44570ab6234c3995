// Package bigquery speaks BigQuery's remote function protocol: requests of argument
// lists in, one reply per list out, in order. Values stay raw JSON spans of the
// request, so that 9007199254740993 and 25-digit decimals arrive as they were sent.
//
// A remote function reaches Cloud Run only, so that a forwarder there carries each
// request to the API with a Google ID token of its own (package forwarder in
// shared/app); who may call is what the API verified of that token.
//
// Format: BigQuery documentation, "Work with remote functions"; values as by "JSON
// functions", JSON encodings.
package bigquery

import (
	"path"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
)

// Protocol is BigQuery as a caller.
var Protocol = wire.Protocol{Name: "bigquery", Decode: Decode, Encode: encode, Refuse: refuse}

// PathPrefix is where the API takes this protocol: /token/push.
const PathPrefix = "/token/"

// The keys of userDefinedContext, which CREATE FUNCTION fixes.
const (
	ContextFunction = "function" // penstock_push; counts where the address names no function
	ContextCall     = "call"     // "last": the last argument is the call's own id, and none of the function's
)

// table is what requests look like.
var table = wire.Table{Key: "calls", Form: `{"requestId":"...","caller":"...","sessionUser":"...","calls":[[...],...]}`}

// A head is a request without its calls.
type head struct {
	id      string         // requestId: unique within the query's job
	job     string         // caller: the job's full name
	user    string         // sessionUser: the email of who runs the query
	context jsontext.Value // userDefinedContext
}

func (h *head) member(name string, v jsontext.Value) {
	switch name {
	case "requestId":
		h.id, _ = rawjson.Text(v)
	case "caller":
		h.job, _ = rawjson.Text(v)
	case "sessionUser":
		h.user, _ = rawjson.Text(v)
	case "userDefinedContext":
		h.context = v
	}
}

// Decode reads a request. Errors are *row.Refusal.
func Decode(r wire.Request) (wire.Batch, error) {
	if r.Method != "POST" {
		return wire.Batch{}, row.Refuse("method %q is not part of BigQuery's protocol; use POST", r.Method)
	}
	f, known := function(r)
	if !known {
		f, _ = wire.Lookup(wire.Push) // so that a broken body is told as such
	}
	scan := wire.Scan(r.Body)
	rows := wire.NewRows(f, scan)
	var h head
	t := table
	t.Row, t.Room, t.Member = rows.Add, rows.Room, h.member
	var call string
	if f.Name != wire.Push && last(r.Body) {
		t.Row = func(number int, args []jsontext.Value, fault *row.Fault) {
			if n := len(args); n > 0 {
				call = rawjson.Scalar(args[n-1])
				args = args[:n-1]
			}
			rows.Add(number, args, fault)
		}
	}
	if err := t.Read(scan); err != nil {
		return wire.Batch{}, err
	}
	if !known {
		return wire.Batch{}, wire.Unknown()
	}
	b := rows.Batch()
	if err := h.identify(&b, call); err != nil {
		return wire.Batch{}, err
	}
	b.Caller = caller(r, h.user)
	return b, nil
}

// function tells what is called by the address, or else by what the function's
// definition says.
func function(r wire.Request) (*wire.Function, bool) {
	if f, ok := wire.Lookup(path.Base(r.Path)); ok {
		return f, true
	}
	return wire.Lookup(rawjson.Scalar(rawjson.Get(rawjson.Get(r.Body, "userDefinedContext"), ContextFunction)))
}

// last reports whether the last argument of each call is an id of the call.
func last(body []byte) bool {
	return rawjson.Scalar(rawjson.Get(rawjson.Get(body, "userDefinedContext"), ContextCall)) == "last"
}

// maxID is how many bytes the ids may have together, far more than BigQuery's: they
// are stored. A job's id has 1,024 at most (BigQuery documentation, "jobs").
const maxID = 1600

// identify says which batch of which query it is. A job is one statement, and within it
// the request's id is unique; nobody says whether a request that is sent again keeps
// it. Rows are safe either way, by their keys. A call that must not be made twice brings
// an id of its own in its arguments, which are the same whenever it is sent again.
func (h *head) identify(b *wire.Batch, call string) error {
	switch {
	case h.id == "" || h.job == "":
		return row.Refuse("the request has no requestId or no caller: without them a retry cannot be told from new rows. " +
			"Call this address through a BigQuery remote function")
	case len(h.id)+len(h.job)+len(call) > maxID:
		return row.Refuse("the request's requestId and caller have %d bytes, at most %d are taken", len(h.id)+len(h.job)+len(call), maxID)
	}
	b.Query = h.job[strings.LastIndexByte(h.job, '/')+1:]
	b.ID = b.Query + "/" + h.id
	if call != "" && b.Len() == 1 {
		b.ID = b.Query + "/call/" + call
	}
	return nil
}
