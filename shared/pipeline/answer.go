package pipeline

import (
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
)

// An AnswerStatus is what SQL is told of a row.
type AnswerStatus string

// The answers of penstock_push.
const (
	Queued     AnswerStatus = "queued"
	Rejected   AnswerStatus = "rejected"
	Blocked    AnswerStatus = "blocked"
	Superseded AnswerStatus = "superseded" // a later row of the batch has the same key
)

// An Answer is one row's answer in SQL.
type Answer struct {
	Status   AnswerStatus
	Run      string
	RecordID string
	Fault    *row.Fault // rejected and blocked: why
}

// AppendJSON appends the answer as the JSON object that SQL sees.
func (a Answer) AppendJSON(b []byte) []byte {
	b = append(b, `{"status":"`...)
	b = append(b, a.Status...)
	b = append(b, '"')
	b = appendMember(b, "run", a.Run)
	b = appendMember(b, "record_id", a.RecordID)
	if a.Fault != nil {
		b = appendMember(b, "field", a.Fault.Field)
		b = appendMember(b, "reason", a.Fault.Rule)
		b = appendMember(b, "message", a.Fault.Message)
	}
	return append(b, '}')
}

// AppendShort appends the answer without run and record id, for replies that
// would pass the warehouse's 6 MB.
func (a Answer) AppendShort(b []byte) []byte {
	a.Run, a.RecordID = "", ""
	if a.Fault != nil {
		a.Fault = &row.Fault{Field: a.Fault.Field, Rule: a.Fault.Rule}
	}
	return a.AppendJSON(b)
}

func appendMember(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	if !utf8.ValidString(value) {
		value = strings.ToValidUTF8(value, "\uFFFD")
	}
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	q, err := jsontext.AppendQuote(b, value)
	if err != nil { // cannot happen: the text is valid UTF-8
		return append(b, `""`...)
	}
	return q
}
