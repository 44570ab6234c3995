// Package wire is the seam between a caller's bytes and rows. A caller (a
// warehouse's way to call a function outside of it) is one
// Protocol; how its bytes travel to a Lambda is not its concern (package gateway
// does API Gateway's events, a direct invocation needs nothing). It maps nothing,
// stores nothing, and knows no sync.
//
// To add a caller: a folder with a Protocol, its Decode handing each row's
// arguments to Rows.Add by position, and a wiretest.Caller that speaks for its
// client. What differs between callers stays in that folder: rows or columns of
// arguments, where the batch's id and the function's name stand, which statuses
// are tried again, and how large an answer may be.
package wire

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
)

// A Request is what a caller sent, as its transport hands it over.
type Request struct {
	Method string                   // POST, GET; "" where the transport has none
	Path   string                   // /push; "" where the transport has none
	Header func(name string) string // by name in any case, "" when absent; nil where there are none
	Body   []byte                   // plain bytes; must stay unchanged as long as the batch is used
	// Verified is what the transport has verified of who calls, by name (email), "" when it
	// has not. No caller can write it. nil where the transport verifies nothing.
	Verified func(name string) string
}

// A Response is what the caller gets.
type Response struct {
	Status  int // as in HTTP; a transport without statuses fails the invocation from 500 on
	Headers map[string]string
	Body    []byte // UTF-8 text
}

// A Batch is one request: rows to push, or calls of another function, or a
// question after an earlier request.
type Batch struct {
	row.Batch        // ID, Query, Function; Rows of a function that takes them
	Calls     []Call // one per row of any other function
	Poll      bool   // asks for the answer to batch ID again, and carries nothing
}

// Len is the number of rows or calls, of which each is answered.
func (b *Batch) Len() int { return len(b.Rows) + len(b.Calls) }

// Number is the caller's number of the i-th of them.
func (b *Batch) Number(i int) int {
	if i < len(b.Rows) {
		return b.Rows[i].Number
	}
	return b.Calls[i-len(b.Rows)].Number
}

// A Protocol is one caller as a value.
type Protocol struct {
	Name string // snowflake
	// Decode reads a request. What cannot be read of one row is that row's Fault; an
	// error is a *row.Refusal of the whole. The batch's Caller is read from where only
	// the caller's own system can write.
	Decode func(Request) (Batch, error)
	// Encode writes the answer: for each i below b.Len() the JSON value that value
	// appends to dst. An answer over the caller's limit is a *row.Refusal of kind
	// TooLarge, which says how to get a smaller one.
	Encode func(b *Batch, value func(dst []byte, i int) []byte) (Response, error)
	// Refuse writes an answer without rows, with the status that makes this caller
	// fail the query (Mistake, TooLarge) or send the same batch again (SlowDown,
	// Failure), and the message where a person sees it.
	Refuse func(kind row.RefusalKind, message string) Response
	// MaxValue is how many bytes the answer to one row may have, so that pages are cut
	// to it; 0 where only whole answers have a limit.
	MaxValue int
}

// Answer answers a batch of Push: one answer per row, in order. Where full
// answers would pass the caller's limit, all go without run, record id and
// message. The error is ours, to be logged; the response is good either way.
func (p Protocol) Answer(b *Batch, answers []row.Answer) (Response, error) {
	if len(answers) != b.Len() {
		return p.Fail(fmt.Errorf("%d answers for %d rows", len(answers), b.Len()))
	}
	r, err := p.Encode(b, func(dst []byte, i int) []byte { return answers[i].AppendJSON(dst) })
	if isTooLarge(err) {
		r, err = p.Encode(b, func(dst []byte, i int) []byte { return answers[i].AppendShort(dst) })
	}
	if err != nil {
		return p.Fail(err)
	}
	return r, nil
}

// Reply answers a batch of any other function: one JSON value per call, in order.
func (p Protocol) Reply(b *Batch, values []jsontext.Value) (Response, error) {
	if len(values) != b.Len() {
		return p.Fail(fmt.Errorf("%d answers for %d calls", len(values), b.Len()))
	}
	r, err := p.Encode(b, func(dst []byte, i int) []byte { return append(dst, values[i]...) })
	if isTooLarge(err) {
		err = &row.Refusal{Kind: row.TooLarge, Message: "the answer is too large: ask for fewer runs in one statement"}
	}
	if err != nil {
		return p.Fail(err)
	}
	return r, nil
}

// Fail answers a request that failed. A *row.Refusal is shown to the caller; of
// any other error, which is returned to be logged, the caller learns only that
// it should try again.
func (p Protocol) Fail(err error) (Response, error) {
	if refusal, ok := errors.AsType[*row.Refusal](err); ok {
		if refusal.Kind != row.Failure {
			err = nil
		}
		return p.Refuse(refusal.Kind, refusal.Message), err
	}
	return p.Refuse(row.Failure, "Penstock could not answer this batch, and the caller tries again. If it goes on, see Penstock's log"), err
}

func isTooLarge(err error) bool {
	refusal, ok := errors.AsType[*row.Refusal](err)
	return ok && refusal.Kind == row.TooLarge
}
