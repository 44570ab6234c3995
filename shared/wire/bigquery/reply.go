package bigquery

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
)

// BatchRows is how many rows a request has at most: max_batching_rows of the remote
// functions. Without it BigQuery chooses, up to what no Lambda could answer.
const BatchRows = 1000

// MaxReply is how many bytes the body of an answer may take inside the Lambda's
// answer, quoted as a string: 6 MB (AWS documentation, "Lambda quotas": invocation
// payload, synchronous), less room for the proxy response's status and headers.
const MaxReply = 6<<20 - 1024

// MaxMessage is how many bytes the body of a failure has at most: BigQuery takes an
// errorMessage of less than 1 KB.
const MaxMessage = 1000

const (
	prefix = `{"replies":[`
	suffix = `]}`
)

// encode writes {"replies":[value,...]}.
func encode(b *wire.Batch, value func(dst []byte, i int) []byte) (wire.Response, error) {
	body := append(make([]byte, 0, len(prefix)+len(suffix)+128*b.Len()), prefix...)
	for i := range b.Len() {
		if i > 0 {
			body = append(body, ',')
		}
		if body = value(body, i); len(body) > MaxReply {
			return wire.Response{}, tooLarge()
		}
	}
	body = append(body, suffix...)
	if len(body)+rawjson.Escapes(body) > MaxReply {
		return wire.Response{}, tooLarge()
	}
	return wire.Response{Status: 200, Body: body, Headers: map[string]string{"Content-Type": "application/json"}}, nil
}

func tooLarge() error {
	return &row.Refusal{Kind: row.TooLarge, Message: fmt.Sprintf("the batch has too many rows to answer within 6 MB: set max_batching_rows = %d on the remote function", BatchRows)}
}

// statuses are what makes BigQuery do the right thing: it sends the same again at 408,
// 429, 500, 503 and 504, and fails the query with the errorMessage at anything else.
var statuses = [...]int{row.Mistake: 400, row.TooLarge: 413, row.SlowDown: 429, row.Failure: 503}

func refuse(kind row.RefusalKind, message string) wire.Response {
	return wire.Response{Status: statuses[kind], Body: Failure(message), Headers: map[string]string{"Content-Type": "application/json"}}
}

// Failure is the body of a failure: {"errorMessage":message}, the message cut off where
// the body would pass MaxMessage bytes.
func Failure(message string) []byte {
	text := strings.ToValidUTF8(message, "\uFFFD")
	text = text[:min(len(text), MaxMessage)]
	for shown := text; ; shown = text + "…" {
		if body := append(rawjson.AppendMember([]byte(`{`), "errorMessage", shown), '}'); len(body) <= MaxMessage && utf8.ValidString(shown) {
			return body
		}
		text = text[:len(text)-1]
	}
}
