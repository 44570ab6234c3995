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
	"encoding/hex"
	"path"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/zeebo/xxh3"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
)

// Protocol is BigQuery as a caller.
var Protocol = wire.Protocol{Name: "bigquery", Decode: Decode, Encode: encode, Refuse: refuse}

// PathPrefix is where the API takes this protocol: /token/push.
const PathPrefix = "/token/"

// ContextFunction is the key of userDefinedContext, which CREATE FUNCTION fixes, under
// which the function's name stands: penstock_push. It counts where the address names
// none.
const ContextFunction = "function"

// table is what requests look like.
var table = wire.Table{Key: "calls", Form: `{"requestId":"...","caller":"...","sessionUser":"...","calls":[[...],...]}`}

// A head is a request without its calls.
type head struct {
	id    string         // requestId: unique within the query's job
	job   string         // caller: the job's full name
	user  string         // sessionUser: the email of who runs the query
	calls jsontext.Value // as they came
}

func (h *head) member(name string, v jsontext.Value) {
	switch name {
	case "requestId":
		h.id, _ = rawjson.Text(v)
	case "caller":
		h.job, _ = rawjson.Text(v)
	case "sessionUser":
		h.user, _ = rawjson.Text(v)
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
	t.Row, t.Reserve, t.Member = rows.Add, rows.Reserve, h.member
	t.Whole = func(v jsontext.Value) { h.calls = v }
	if err := t.Read(scan); err != nil {
		return wire.Batch{}, err
	}
	if !known {
		return wire.Batch{}, wire.Unknown()
	}
	b := rows.Batch()
	if err := h.identify(&b); err != nil {
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

// maxID is how many bytes the ids may have together, far more than BigQuery's: they
// are stored. A job's id has 1,024 at most (BigQuery documentation, "jobs").
const maxID = 1600

// identify says which batch of which query it is. A job is one statement, within which
// the request's id is unique; nobody says whether a request that is sent again keeps
// it. So what it holds is its other identity: a hash of 128 bits of what the caller
// itself sent, so that whoever made two requests collide would only harm a query of his
// own.
func (h *head) identify(b *wire.Batch) error {
	query := h.job[strings.LastIndexByte(h.job, '/')+1:]
	switch {
	case h.id == "" || query == "":
		return row.Refuse("the request has no requestId, or no caller that names a job: without them a retry cannot be told from new rows. " +
			"Call this address through a BigQuery remote function")
	case len(h.id)+len(h.job) > maxID:
		return row.Refuse("the request's requestId and caller have %d bytes, at most %d are taken", len(h.id)+len(h.job), maxID)
	}
	sum := xxh3.Hash128(h.calls).Bytes()
	b.Query, b.ID = query, query+"/"+h.id
	b.Same = strings.Join([]string{h.job, b.Function, hex.EncodeToString(sum[:])}, "\x00")
	return nil
}
