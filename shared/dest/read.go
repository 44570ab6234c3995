package dest

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// A Reader is an Account that reads records back, so that what it holds can be compared
// with what was delivered. It is optional: what cannot be read, such as messages, has none.
// Its methods ask spend for each request before they make it, and end with spend's error;
// any other error is a *CallError, or the context's.
type Reader interface {
	// Readable says of each of the fields, in their order, what reading it back tells. The
	// definition is the one that wrote them.
	Readable(ctx context.Context, d *syncdef.Definition, fields []string, spend Spend) ([]Readable, error)
	// Read reads records by the destination's own ids, at most ReadSize of them: one answer
	// an id, in their order.
	Read(ctx context.Context, d *syncdef.Definition, fields, ids []string, spend Spend) ([]Kept, error)
	// ReadSize is how many records one Read takes at most, ReadCalls how many requests are
	// made for so many records: what Readable needs, and what Read does.
	ReadSize() int
	ReadCalls(d *syncdef.Definition, records int) int
}

// Readable is what reading a field back tells.
type Readable struct {
	Why    string // why nothing can be said of it, for people: it is not shown, or computed; "" is readable
	Alters string // why the destination may keep another value than was sent, for people; "" does not
	// Altered says of which shown values Alters may be true; nil is of all.
	Altered func(v jsontext.Value) bool
	Trims   bool           // texts are kept without outer white space
	Empty   jsontext.Value // what stands for an empty field beside null, such as false; nil is nothing
	// Also are other values that the destination shows as this one, which a row may have
	// sent just as well, such as an id's short form; nil is none.
	Also func(v jsontext.Value) []jsontext.Value
}

// Kept is a record as the destination holds it.
type Kept struct {
	Gone    bool // there is no such record any more
	Refused bool // the destination does not show this one
	// Values are those of the fields, in their order, as JSON of the mapped type: numbers as
	// numbers, times in RFC 3339, null for an empty field; nil where none was shown.
	Values []jsontext.Value
}
