package snowflake

import (
	"crypto/md5" // the protocol's checksum, not a safeguard
	"encoding/base64"
	"errors"
	"strconv"

	"github.com/penstock-data/penstock/shared/wire/gateway"
)

// MaxReply is the largest Reply.Size that fits a Lambda's answer: 6 MB (AWS
// documentation, "Lambda quotas": invocation payload, synchronous), less room
// for the proxy response's status and headers.
const MaxReply = 6<<20 - 1024

// A Reply builds {"data":[[number, value],...]}. The zero value is an empty one.
type Reply struct {
	body    []byte
	escapes int // bytes that quoting the body inside the proxy response adds
	rows    int
}

// Append answers one row: raw is one JSON value. Rows are answered in the order
// in which they came.
func (r *Reply) Append(number int, raw []byte) {
	r.start()
	if r.rows > 0 {
		r.body = append(r.body, ',')
	}
	r.rows++
	r.body = append(r.body, '[')
	r.body = strconv.AppendInt(r.body, int64(number), 10)
	r.body = append(r.body, ',')
	r.body = append(r.body, raw...)
	r.body = append(r.body, ']')
	r.escapes += escapes(raw)
}

const (
	opening = `{"data":[`
	closing = `]}`
)

func (r *Reply) start() {
	if len(r.body) == 0 {
		r.body = append(r.body, opening...)
		r.escapes = escapes([]byte(opening))
	}
}

// Size is the answer's length so far as it counts against MaxReply: closed, and
// quoted as a string of the proxy response.
func (r *Reply) Size() int {
	r.start()
	return len(r.body) + len(closing) + r.escapes
}

// Rows is the number of rows answered so far.
func (r *Reply) Rows() int { return r.rows }

// Grow makes room for n more bytes of body.
func (r *Reply) Grow(n int) {
	if cap(r.body)-len(r.body) < n {
		r.body = append(make([]byte, 0, len(r.body)+n), r.body...)
	}
}

// Bytes is the body. The Reply must not be appended to afterwards.
func (r *Reply) Bytes() []byte {
	r.start()
	return append(r.body, closing...)
}

// added holds, per byte, how many bytes longer its JSON escape is.
var added = func() (t [256]uint8) {
	for c := range 0x20 {
		t[c] = 5 // \u001f
	}
	for _, c := range "\b\t\n\f\r\"\\" {
		t[c] = 1
	}
	return t
}()

func escapes(b []byte) (n int) {
	for _, c := range b {
		n += int(added[c])
	}
	return n
}

// Response is an answer with rows: status 200 and a Reply's bytes. Snowflake
// checks Content-MD5, base64 of the body's MD5, and fails the query on a mismatch.
func Response(status int, body []byte) gateway.Response {
	sum := md5.Sum(body)
	return gateway.Response{Status: status, Body: body, Headers: map[string]string{
		"Content-Type": "application/json",
		"Content-MD5":  base64.StdEncoding.EncodeToString(sum[:]),
	}}
}

// ErrorResponse is an answer without rows. Snowflake fails the query and shows
// message for 400 and 413, slows down and retries for 429, retries for 500.
func ErrorResponse(status int, message string) gateway.Response {
	return gateway.Response{Status: status, Body: []byte(message), Headers: map[string]string{
		"Content-Type": "text/plain; charset=utf-8",
	}}
}

// Refusal is the answer to a request that gateway.Decode, Decode or
// DecodeRequest refused; ok is false for any other error.
func Refusal(err error) (answer gateway.Response, ok bool) {
	if e, is := errors.AsType[*Error](err); is {
		return ErrorResponse(e.Status, e.Error()), true
	}
	if e, is := errors.AsType[*gateway.Error](err); is {
		return ErrorResponse(e.Status, e.Error()), true
	}
	return gateway.Response{}, false
}
