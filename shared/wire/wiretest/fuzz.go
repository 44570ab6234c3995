package wiretest

import (
	"bytes"
	"errors"
	"regexp"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
)

// Decoded holds a caller's protocol to what is true of any request of Push, and answers
// the batch, false where it was refused: for fuzz targets. The body stays as it is; a
// refusal is the caller's mistake and says so; what was taken is JSON, but for words in
// place of values; a row has either a fault that can be stored, or a target and an object
// that come out the same when they are sent again.
func Decoded(t *testing.T, c Caller, r wire.Request) (wire.Batch, bool) {
	t.Helper()
	kept := bytes.Clone(r.Body)
	b, err := c.Protocol.Decode(r)
	if !bytes.Equal(r.Body, kept) {
		t.Fatal("the body was changed")
	}
	if err != nil {
		if e, ok := errors.AsType[*row.Refusal](err); !ok || e.Kind != row.Mistake || e.Message == "" {
			t.Fatalf("untyped error: %v", err)
		}
		return b, false
	}
	// A reader of its own is the judge of what is JSON.
	if end, deepest := rawjson.Extent(kept, rawjson.Space(kept, 0)); deepest < rawjson.MaxDepth && end > 0 &&
		!jsontext.Value(withoutWords(kept)).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
		t.Fatalf("%q is no JSON, but was taken", kept)
	}
	sentAgain(t, c, goodOf(t, b))
	return b, true
}

// tokens are texts, and what stands without quotes; words are those of the latter for which
// JSON has no value, and which are their row's fault alone.
var (
	tokens = regexp.MustCompile(`(?s)"(?:[^"\\]|\\.)*"|[-+.0-9A-Za-z_]+`)
	words  = regexp.MustCompile(`^(-?(NaN|nan|Infinity|inf|Inf)|undefined)$`)
)

// withoutWords is a body with null in place of such words.
func withoutWords(body []byte) []byte {
	return tokens.ReplaceAllFunc(body, func(token []byte) []byte {
		if words.Match(token) {
			return []byte("null")
		}
		return token
	})
}

// goodOf are the arguments of the rows without a fault.
func goodOf(t *testing.T, b wire.Batch) (rows [][]jsontext.Value) {
	t.Helper()
	seen := map[int]bool{}
	for _, r := range b.Rows {
		switch {
		case seen[r.Number]:
			t.Fatalf("row %d twice", r.Number)
		case r.Fault != nil && r.Fault.Message == "":
			t.Fatalf("row %d: a fault without a message", r.Number)
		case r.Fault != nil && r.Object != nil && !r.Object.IsValid(jsontext.AllowDuplicateNames(true)):
			t.Fatalf("row %d: %q cannot be stored", r.Number, r.Object)
		case r.Fault == nil && (r.Target == "" || !r.Object.IsValid() || r.Object.Kind() != '{'):
			t.Fatalf("row %d: no fault, but target %q, object %q", r.Number, r.Target, r.Object)
		case r.Fault == nil:
			rows = append(rows, []jsontext.Value{rawjson.AppendQuote(nil, r.Target), r.Object})
		}
		seen[r.Number] = true
	}
	return rows
}

func sentAgain(t *testing.T, c Caller, rows [][]jsontext.Value) {
	t.Helper()
	again, err := c.Protocol.Decode(c.Request("r", wire.Push, rows))
	if err != nil || len(again.Rows) != len(rows) {
		t.Fatalf("encoded again: %d of %d rows, %v", len(again.Rows), len(rows), err)
	}
	for i := range rows {
		if r := again.Rows[i]; r.Fault != nil || !bytes.Equal(r.Object, rows[i][1]) {
			t.Fatalf("row %d: %q became %q, %v", i, rows[i][1], r.Object, r.Fault)
		}
	}
}
