package redshift

import (
	"fmt"
	"strconv"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
)

// encode writes {"success":true,"num_records":n,"results":["...",...]} as one JSON
// string, as Redshift's documentation shows it: each result is the text of a JSON value.
func encode(b *wire.Batch, value func(dst []byte, i int) []byte) (wire.Response, error) {
	body := append(make([]byte, 0, 64+160*b.Len()), `{"success":true,"num_records":`...)
	body = strconv.AppendInt(body, int64(b.Len()), 10)
	body = append(body, `,"results":[`...)
	var text []byte
	for i := range b.Len() {
		if i > 0 {
			body = append(body, ',')
		}
		if text = value(text[:0], i); len(text) > MaxValue {
			return wire.Response{}, &row.Refusal{Kind: row.TooLarge, Message: fmt.Sprintf("an answer has more than the %d bytes that are safe in a VARCHAR", MaxValue)}
		}
		if body = rawjson.AppendQuote(body, text); len(body) > MaxReply {
			return wire.Response{}, tooLarge()
		}
	}
	body = append(body, `]}`...)
	if len(body)+2+rawjson.Escapes(body) > MaxReply {
		return wire.Response{}, tooLarge()
	}
	return whole(body), nil
}

func tooLarge() error {
	return &row.Refusal{Kind: row.TooLarge, Message: fmt.Sprintf("the batch has too many rows to answer within 6 MB: set MAX_BATCH_ROWS %d on the external function", BatchRows)}
}

// whole is an answer that Redshift reads, whatever it says.
func whole(body []byte) wire.Response {
	quoted := rawjson.AppendQuote(make([]byte, 0, len(body)+len(body)/4+2), body)
	return wire.Response{Status: 200, Body: quoted}
}

// statuses are those of wire.Response: from 500 on the invocation fails.
var statuses = [...]int{row.Mistake: 200, row.TooLarge: 200, row.SlowDown: 503, row.Failure: 500}

// refuse answers a mistake so that the query fails and shows the text. What may be sent
// again fails the invocation: Redshift sends a batch again after throttling and after
// errors of the Lambda service, and does not say what it does when the function itself
// fails. If it does not send it again the query fails, which loses nothing either.
func refuse(kind row.RefusalKind, message string) wire.Response {
	if statuses[kind] != 200 {
		return wire.Response{Status: statuses[kind], Body: []byte(message)}
	}
	return whole(append(rawjson.AppendMember([]byte(`{"success":false`), "error_msg", message), '}'))
}
