package snowflake

import (
	"crypto/md5" // the protocol's checksum, not a safeguard
	"encoding/base64"
	"fmt"
	"strconv"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
)

// MaxReply is how many bytes the body of an answer may take inside the Lambda's
// answer, quoted as a string: 6 MB (AWS documentation, "Lambda quotas":
// invocation payload, synchronous), less room for the proxy response's status
// and headers.
const MaxReply = 6<<20 - 1024

const (
	prefix = `{"data":[`
	suffix = `]}`
)

// encode writes {"data":[[number, value],...]}. Snowflake checks Content-MD5,
// base64 of the body's MD5, and fails the query on a mismatch.
func encode(b *wire.Batch, value func(dst []byte, i int) []byte) (wire.Response, error) {
	body := append(make([]byte, 0, len(prefix)+len(suffix)+136*b.Len()), prefix...)
	for i := range b.Len() {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, '[')
		body = strconv.AppendInt(body, int64(b.Number(i)), 10)
		body = append(body, ',')
		body = append(value(body, i), ']')
		if len(body) > MaxReply {
			return wire.Response{}, tooLarge()
		}
	}
	body = append(body, suffix...)
	if len(body)+rawjson.Escapes(body) > MaxReply {
		return wire.Response{}, tooLarge()
	}
	sum := md5.Sum(body)
	return wire.Response{Status: 200, Body: body, Headers: map[string]string{
		"Content-Type": "application/json",
		"Content-MD5":  base64.StdEncoding.EncodeToString(sum[:]),
	}}, nil
}

func tooLarge() error {
	return &row.Refusal{Kind: row.TooLarge, Message: fmt.Sprintf("the batch has too many rows to answer within 6 MB: set MAX_BATCH_ROWS = %d on the external function", BatchRows)}
}

// statuses are what makes Snowflake do the right thing: it slows down and tries
// again at 429, tries again from 500 on, and fails the query with the text at
// anything else.
var statuses = [...]int{row.Mistake: 400, row.TooLarge: 413, row.SlowDown: 429, row.Failure: 500}

func refuse(kind row.RefusalKind, message string) wire.Response {
	return wire.Response{Status: statuses[kind], Body: []byte(message), Headers: map[string]string{
		"Content-Type": "text/plain; charset=utf-8",
	}}
}
