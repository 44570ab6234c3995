// Package snowflake speaks Snowflake's external function protocol: requests of
// rows in, one answer per row out, by number and in order. Values stay raw JSON
// spans of the request, so that 9007199254740993 and 25-digit decimals arrive as
// they were sent. It maps nothing, stores nothing, and knows no sync.
//
// Format: Snowflake documentation, "Remote service input and output data
// formats" (external-functions-data-format).
package snowflake

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire/gateway"
)

// The headers of a request. Some have a twin that ends in -base64, which is
// preferred, because it carries names outside ASCII.
const (
	HeaderFormat        = "sf-external-function-format"         // json
	HeaderFormatVersion = "sf-external-function-format-version" // 1.0
	HeaderBatchID       = "sf-external-function-query-batch-id"
	HeaderQueryID       = "sf-external-function-current-query-id"
	HeaderName          = "sf-external-function-name"
)

// An Error is a request that is refused as a whole. Snowflake fails the query
// with Message for any Status but 200, 202, 429 and 5xx.
type Error struct {
	Status  int    // 400
	Message string // what, where, how to mend it; no row value
	Err     error  // the cause, or nil
}

// Error implements error.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// A PollError is returned as an error by DecodeRequest for the GET that follows an
// answer 202: same headers as the batch, no rows.
type PollError struct {
	ID       string // the batch that is asked for
	Query    string
	Function string
}

// Error implements error.
func (p *PollError) Error() string { return "a poll for batch " + p.ID + " carries no rows" }

// DecodeRequest reads a POST's batch. A GET gives *PollError, what cannot be read
// *Error.
func DecodeRequest(r gateway.Request) (row.Batch, error) {
	switch r.Method {
	case "POST":
		return Decode(r.Header, r.Body)
	case "GET":
		b, err := identify(r.Header)
		if err != nil {
			return row.Batch{}, err
		}
		return row.Batch{}, &PollError{ID: b.ID, Query: b.Query, Function: b.Function}
	}
	return row.Batch{}, &Error{Status: 400, Message: fmt.Sprintf("method %q is not part of Snowflake's protocol; use POST", r.Method)}
}

// identify reads the headers. Without a query id the batch id's part before its
// first colon stands for it ("<query id>:1:1:0:0" is what has been seen).
func identify(header func(string) string) (row.Batch, error) {
	var b row.Batch
	var err error
	if b.ID, err = get(header, HeaderBatchID); err != nil {
		return b, err
	}
	if b.ID == "" {
		return b, &Error{Status: 400, Message: "header " + HeaderBatchID + " is missing: without it a retry cannot be told from new rows. " +
			"Call this address through a Snowflake external function, or send a batch id of your own that stays the same when you retry"}
	}
	if b.Query, err = get(header, HeaderQueryID); err != nil {
		return b, err
	}
	if b.Query == "" {
		b.Query, _, _ = strings.Cut(b.ID, ":")
	}
	name, err := get(header, HeaderName)
	b.Function = function(name)
	return b, err
}

// get is a header's value, from its -base64 twin where there is one.
func get(header func(string) string, name string) (string, error) {
	twin := header(name + "-base64")
	if twin == "" {
		return header(name), nil
	}
	text, err := base64.StdEncoding.DecodeString(twin)
	if err != nil {
		return "", &Error{Status: 400, Message: "header " + name + "-base64 is not base64", Err: err}
	}
	return string(text), nil
}

// function strips database, schema, quotes and a signature from a function's
// name and lower-cases it: "DB"."S"."PENSTOCK_PUSH" is penstock_push.
func function(name string) string {
	name, _, _ = strings.Cut(name, "(")
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name = name[i+1:]
	}
	return strings.ToLower(strings.Trim(name, `" `))
}
