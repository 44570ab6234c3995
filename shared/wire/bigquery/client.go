package bigquery

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/rawjson"
)

// A Request is what BigQuery sends, for tests and stand-ins.
type Request struct {
	ID, Job, User string   // requestId, caller, sessionUser; "" leaves one out
	Context       []string // userDefinedContext: names and values in turn
	Calls         [][]jsontext.Value
}

// Append appends the request's body.
func (r Request) Append(dst []byte) []byte {
	dst = append(dst, '{')
	for _, m := range [][2]string{{"requestId", r.ID}, {"caller", r.Job}, {"sessionUser", r.User}} {
		if m[1] != "" {
			dst = rawjson.AppendMember(dst, m[0], m[1])
		}
	}
	if len(r.Context) > 0 {
		dst = append(rawjson.AppendName(dst, "userDefinedContext"), '{')
		for i := 0; i+1 < len(r.Context); i += 2 {
			dst = rawjson.AppendMember(dst, r.Context[i], r.Context[i+1])
		}
		dst = append(dst, '}')
	}
	dst = append(rawjson.AppendName(dst, "calls"), '[')
	for i, args := range r.Calls {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '[')
		for j, v := range args {
			if j > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, v...)
		}
		dst = append(dst, ']')
	}
	return append(dst, "]}"...)
}

// DecodeReply reads a good answer: one value per call, spans of body.
func DecodeReply(body []byte) ([]jsontext.Value, error) {
	if !jsontext.Value(body).IsValid() {
		return nil, fmt.Errorf("read reply: no JSON")
	}
	list := rawjson.Get(body, "replies")
	if list.Kind() != '[' {
		return nil, fmt.Errorf("read reply: no replies")
	}
	values := []jsontext.Value{}
	w := rawjson.Elements(list)
	for w.Next() {
		values = append(values, w.Value())
	}
	return values, w.Err()
}

// Message is the errorMessage of a failure, "" where there is none.
func Message(body []byte) string {
	text, _ := rawjson.Text(rawjson.Get(body, "errorMessage"))
	return text
}
