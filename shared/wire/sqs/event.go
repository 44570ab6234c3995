package sqs

import (
	"crypto/md5" // SQS's checksum, not a safeguard
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/rawjson"
)

// EncodeEvent writes the event that Lambda would hand over with these messages
// of the queue, whose ARN is arn:aws:sqs:REGION:ACCOUNT:NAME.
func EncodeEvent(ds []envelope.Delivery, queueARN string) []byte {
	size := 16
	for i := range ds {
		size += 1024 + len(ds[i].Body)
	}
	b := append(make([]byte, 0, size), `{"Records":[`...)
	for i := range ds {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendRecord(b, &ds[i], queueARN)
	}
	return append(b, `]}`...)
}

func appendRecord(b []byte, d *envelope.Delivery, queueARN string) []byte {
	sent := strconv.FormatInt(d.SentAt.UnixMilli(), 10)
	sum := md5.Sum(d.Body)
	b = member(b, `{`, "messageId", d.ID)
	b = member(b, `,`, "receiptHandle", d.Receipt)
	b = rawjson.AppendQuote(append(b, `,"body":`...), d.Body)
	b = append(b, `,"attributes":`...)
	b = member(b, `{`, "ApproximateReceiveCount", strconv.Itoa(d.Receives))
	b = member(b, `,`, "SentTimestamp", sent)
	if d.Group != "" {
		b = member(b, `,`, "MessageGroupId", d.Group)
	}
	b = append(b, `},"messageAttributes":{}`...)
	b = member(b, `,`, "md5OfBody", hex.EncodeToString(sum[:]))
	b = member(b, `,`, "eventSource", "aws:sqs")
	b = member(b, `,`, "eventSourceARN", queueARN)
	b = member(b, `,`, "awsRegion", region(queueARN))
	return append(b, '}')
}

func member(b []byte, before, name, value string) []byte {
	b = append(b, before...)
	b = rawjson.AppendQuote(b, name)
	b = append(b, ':')
	return rawjson.AppendQuote(b, value)
}

// region is the fourth part of an ARN, "" when there is none.
func region(arn string) string {
	parts := strings.SplitN(arn, ":", 5)
	if len(parts) < 5 {
		return ""
	}
	return parts[3]
}
