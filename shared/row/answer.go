package row

import "github.com/penstock-data/penstock/shared/rawjson"

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
	Fault    *Fault // rejected and blocked: why
}

// AppendJSON appends the answer as the JSON object that SQL sees: status, and
// run, record_id, field, error_type and error_message where there is one.
func (a Answer) AppendJSON(b []byte) []byte {
	b = append(b, `{"status":"`...)
	b = append(b, a.Status...)
	b = append(b, '"')
	b = appendMember(b, "run", a.Run)
	b = appendMember(b, "record_id", a.RecordID)
	if a.Fault != nil {
		b = appendMember(b, "field", a.Fault.Field)
		b = appendMember(b, "error_type", a.Fault.Rule)
		b = appendMember(b, "error_message", a.Fault.Message)
	}
	return append(b, '}')
}

// AppendShort appends the answer without run, record id and message, for replies
// that would pass the caller's limit.
func (a Answer) AppendShort(b []byte) []byte {
	a.Run, a.RecordID = "", ""
	if a.Fault != nil {
		a.Fault = &Fault{Field: a.Fault.Field, Rule: a.Fault.Rule}
	}
	return a.AppendJSON(b)
}

func appendMember(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	return rawjson.AppendQuote(b, value)
}
