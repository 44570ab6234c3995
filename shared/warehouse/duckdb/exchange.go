package duckdb

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/gzip"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

// An exchange holds the buffers of one request and its reply, reused from one
// batch to the next.
type exchange struct {
	text   []byte             // the arguments of all rows, one after the other
	ends   []int              // where each argument ends in text
	args   []jsontext.Value   // spans of text
	rows   [][]jsontext.Value // spans of args
	plain  []byte             // the request
	packed bytes.Buffer       // the same, compressed
	body   []byte             // whichever of the two is sent
	zip    *gzip.Writer
	reply  bytes.Buffer
}

func (x *exchange) begin() { x.text, x.ends = x.text[:0], x.ends[:0] }

// argument adds the next argument, JSON text that DuckDB made. DuckDB writes NaN
// and Infinity, and keeps broken escapes, which are no JSON elsewhere: such a
// value goes as a string, so that the gateway refuses this row and no other.
func (x *exchange) argument(text string) {
	if suspicious(text) && !jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true)) {
		x.text, _ = jsontext.AppendQuote(x.text, text)
	} else {
		x.text = append(x.text, text...)
	}
	x.ends = append(x.ends, len(x.text))
}

// size is about how large the request of n rows becomes: the arguments, and for each
// row its number, commas and brackets.
func (x *exchange) size(n int) int { return len(x.text) + len(x.ends) + 16*n }

// suspicious finds the little in DuckDB's JSON that other readers refuse, so that
// the rest need not be parsed again.
func suspicious(text string) bool {
	return strings.Contains(text, "NaN") || strings.Contains(text, "Inf") || strings.Contains(text, `\u`)
}

// end writes the request's body: n rows of so many arguments.
func (x *exchange) end(n, columns int) {
	x.args, x.rows = x.args[:0], x.rows[:0]
	start := 0
	for _, end := range x.ends {
		x.args = append(x.args, x.text[start:end:end])
		start = end
	}
	for i := range n {
		x.rows = append(x.rows, x.args[i*columns:(i+1)*columns])
	}
	x.plain = snowflake.EncodeRequest(x.plain[:0], x.rows)
}

// pack chooses the body that is sent, and says in the header how it is encoded. On
// one machine compressing and inflating cost more than the way does. A large body is
// compressed all the same: an event holds 6 MB, in which text may take twice its bytes.
func (x *exchange) pack(header http.Header) error {
	if len(x.plain) <= plainMost {
		x.body = x.plain
		return nil
	}
	if x.zip == nil {
		x.zip, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is a constant and valid
	}
	x.packed.Reset()
	x.zip.Reset(&x.packed)
	if _, err := x.zip.Write(x.plain); err != nil {
		return err
	}
	if err := x.zip.Close(); err != nil {
		return err
	}
	x.body = x.packed.Bytes()
	header.Set("Content-Encoding", "gzip")
	return nil
}

// translate puts the advice of the reply's messages into this warehouse's SQL.
func (x *exchange) translate() {
	if !bytes.Contains(x.reply.Bytes(), []byte(row.SnowflakeRow)) {
		return
	}
	text := row.InDuckDB(x.reply.String())
	x.reply.Reset()
	x.reply.WriteString(text)
}
