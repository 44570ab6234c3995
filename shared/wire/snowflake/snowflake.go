// Package snowflake speaks Snowflake's external function protocol: requests of
// rows in, one answer per row out, by number and in order. Values stay raw JSON
// spans of the request, so that 9007199254740993 and 25-digit decimals arrive as
// they were sent. DuckDB's functions speak it, too.
//
// Format: Snowflake documentation, "Remote service input and output data
// formats" (external-functions-data-format).
package snowflake

import (
	"encoding/base64"
	"path"
	"strings"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
)

// Protocol is Snowflake as a caller.
var Protocol = wire.Protocol{Name: "snowflake", Decode: Decode, Encode: encode, Refuse: refuse}

// The headers of a request. Some have a twin that ends in -base64, which is
// preferred, because it carries names outside ASCII.
const (
	HeaderFormat        = "sf-external-function-format"         // json
	HeaderFormatVersion = "sf-external-function-format-version" // 1.0
	HeaderBatchID       = "sf-external-function-query-batch-id"
	HeaderQueryID       = "sf-external-function-current-query-id"
	HeaderName          = "sf-external-function-name"
)

// Decode reads a request: POST carries rows, GET asks again for the answer of a
// batch that was answered 202 (same headers, no rows). Errors are *row.Refusal.
func Decode(r wire.Request) (wire.Batch, error) {
	switch r.Method {
	case "POST":
		return decode(r)
	case "GET":
		b := wire.Batch{Poll: true}
		function, err := identify(r, &b.Batch)
		if err != nil {
			return wire.Batch{}, err
		}
		b.Function = function.Name
		return b, nil
	}
	return wire.Batch{}, row.Refuse("method %q is not part of Snowflake's protocol; use POST", r.Method)
}

// maxID is how many bytes an id may have, far more than Snowflake's: it is stored.
const maxID = 256

// identify reads which batch of which function it is. Without a query id the
// batch id's part before its first colon stands for it ("<query id>:1:1:0:0" is
// what has been seen).
func identify(r wire.Request, b *row.Batch) (*wire.Function, error) {
	var err error
	if b.ID, err = get(r.Header, HeaderBatchID); err != nil {
		return nil, err
	}
	if b.ID == "" {
		return nil, row.Refuse("header " + HeaderBatchID + " is missing: without it a retry cannot be told from new rows. " +
			"Call this address through a Snowflake external function, or send a batch id of your own that stays the same when you retry")
	}
	if b.Query, err = get(r.Header, HeaderQueryID); err != nil {
		return nil, err
	}
	if b.Query == "" {
		b.Query, _, _ = strings.Cut(b.ID, ":")
	}
	for _, id := range []string{b.ID, b.Query} {
		if len(id) > maxID {
			return nil, row.Refuse("the request's batch or query id has %d bytes, at most %d are taken", len(id), maxID)
		}
	}
	if b.Caller, err = caller(r.Header); err != nil {
		return nil, err
	}
	return function(r)
}

// function tells what is called by the address, which the function's definition
// fixes, or else by the function's own name, which may be any.
func function(r wire.Request) (*wire.Function, error) {
	if f, ok := wire.Lookup(path.Base(r.Path)); ok {
		return f, nil
	}
	name, err := get(r.Header, HeaderName)
	if err != nil {
		return nil, err
	}
	if f, ok := wire.Lookup(bare(name)); ok {
		return f, nil
	}
	return nil, wire.Unknown()
}

// get is a header's value, from its -base64 twin where there is one.
func get(header func(string) string, name string) (string, error) {
	if header == nil {
		return "", nil
	}
	twin := header(name + "-base64")
	if twin == "" {
		return header(name), nil
	}
	text, err := base64.StdEncoding.DecodeString(twin)
	if err != nil {
		return "", row.Refuse("header %s-base64 is not base64", name)
	}
	return string(text), nil
}

// bare strips database, schema, quotes and a signature from a function's name:
// "DB"."S"."PENSTOCK_PUSH"(VARCHAR) is PENSTOCK_PUSH.
func bare(name string) string {
	name, _, _ = strings.Cut(name, "(")
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name = name[i+1:]
	}
	return strings.Trim(name, `" `)
}
