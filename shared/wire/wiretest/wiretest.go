// Package wiretest holds the one suite that every caller's protocol passes: what
// a caller sends becomes the same rows whatever its bytes look like, a fault
// stays with its row, and every answer makes the caller do the right thing.
package wiretest

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/wire"
)

// A Caller is a protocol and the client's side of it, written from the caller's
// documentation.
type Caller struct {
	Protocol wire.Protocol
	// Request is what the client sends for a function's rows: arguments by position,
	// raw JSON; a protocol that cannot carry objects sends them as text. An empty id
	// leaves the batch's id out.
	Request func(id, function string, rows [][]jsontext.Value) wire.Request
	// ID is the batch's id of a request with this id; nil where it is the same.
	ID func(id string) string
	// As is a request that somebody of this role makes.
	As func(r wire.Request, role string) wire.Request
	// Poll is how the client asks again for an answer; nil when it never does.
	Poll func(id, function string) wire.Request
	// Values reads a good answer: one value per row, in the order of the request.
	Values func(wire.Response) ([]jsontext.Value, error)
	// React is what the client does with any answer, and the text that it shows.
	React func(wire.Response) (Reaction, string)
	// Sent is how many bytes an answer takes on its way, of which Limit are allowed.
	Sent  func(wire.Response) int
	Limit int
	// Gateway says that requests arrive through API Gateway, plain or compressed.
	Gateway bool
}

// A Reaction is what a caller does with an answer.
type Reaction string

// The reactions.
const (
	Takes   Reaction = "takes the rows"
	Fails   Reaction = "fails the query"
	Waits   Reaction = "slows down and sends the same again"
	Retries Reaction = "sends the same again"
)

// Run runs the suite.
func Run(t *testing.T, c Caller) {
	for _, part := range []struct {
		name string
		run  func(*testing.T, Caller)
	}{
		{"good rows", goodRows},
		{"faulty rows", faultyRows},
		{"wrong arguments", wrongArguments},
		{"no rows", noRows},
		{"broken requests", brokenRequests},
		{"large requests", largeRequests},
		{"compressed", compressed},
		{"calls", calls},
		{"roles", roles},
		{"polls", polls},
		{"retries", retries},
		{"refusals", refusals},
		{"large answers", largeAnswers},
	} {
		t.Run(part.name, func(t *testing.T) { part.run(t, c) })
	}
}

// id is the batch's id of a request with this id.
func (c Caller) id(id string) string {
	if c.ID == nil {
		return id
	}
	return c.ID(id)
}

// args are arguments in raw JSON.
func args(texts ...string) (vs []jsontext.Value) {
	for _, t := range texts {
		vs = append(vs, jsontext.Value(t))
	}
	return vs
}

func decode(t *testing.T, c Caller, r wire.Request) wire.Batch {
	t.Helper()
	b, err := c.Protocol.Decode(r)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	return b
}

func values(t *testing.T, c Caller, r wire.Response) []jsontext.Value {
	t.Helper()
	if reaction, text := c.React(r); reaction != Takes {
		t.Fatalf("the caller %s: %s", reaction, text)
	}
	if n := c.Sent(r); n > c.Limit {
		t.Errorf("the answer takes %d bytes, %d are allowed", n, c.Limit)
	}
	vs, err := c.Values(r)
	if err != nil {
		t.Fatal(err)
	}
	return vs
}
