package hubspot

import (
	"encoding/json"
	"strconv"
)

// A body is an answer of the CRM: results, errors, or both, or one error ("Handling
// API errors"), all of whose members are optional.
type body struct {
	Results   *[]result       `json:"results"`
	Errors    json.RawMessage `json:"errors"`
	NumErrors text            `json:"numErrors"`

	Status      text     `json:"status"`
	Category    text     `json:"category"`
	SubCategory text     `json:"subCategory"`
	Message     text     `json:"message"`
	Context     mentions `json:"context"`
	Policy      text     `json:"policyName"`
	Kind        text     `json:"errorType"`
	Correlation text     `json:"correlationId"`
}

// A result is a record that was written or read.
type result struct {
	ID         text            `json:"id"`
	New        bool            `json:"new"`
	Trace      text            `json:"objectWriteTraceId"`
	Properties json.RawMessage `json:"properties"`
	Created    text            `json:"createdAt"`
}

// An entry is one error in an answer: of a record, or of one of its properties.
type entry struct {
	Category    text     `json:"category"`
	SubCategory text     `json:"subCategory"`
	Code        text     `json:"code"`
	In          text     `json:"in"`
	Message     text     `json:"message"`
	Context     mentions `json:"context"`
	Errors      []entry  `json:"errors"`
}

// A text is a string or a number, "" for anything else.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*t = text(s)
	} else if len(b) > 0 && (b[0] == '-' || '0' <= b[0] && b[0] <= '9') {
		*t = text(b)
	}
	return nil
}

// Mentions are what an error is about: lists of texts by kind.
type mentions map[string][]text

// UnmarshalJSON implements json.Unmarshaler; what has another form is left out.
func (c *mentions) UnmarshalJSON(b []byte) error {
	var members map[string]json.RawMessage
	if json.Unmarshal(b, &members) != nil {
		return nil
	}
	*c = mentions{}
	for name, v := range members {
		var list []text
		if json.Unmarshal(v, &list) != nil {
			var one text
			if json.Unmarshal(v, &one) != nil || one == "" {
				continue
			}
			list = []text{one}
		}
		(*c)[name] = list
	}
	return nil
}

// readBody reads an answer; ok is false for what is no JSON object.
func readBody(b []byte) (out body, ok bool) {
	if plain(b) || json.Unmarshal(b, &out) != nil {
		return body{}, false
	}
	return out, true
}

// entries are an answer's errors; ok is false for what is no list of them, and for one
// that is shorter than it says. One error may name several records, and whether it
// counts as one or as so many is not documented.
func (b *body) entries() (out []entry, ok bool) {
	if len(b.Errors) > 0 && string(b.Errors) != "null" && json.Unmarshal(b.Errors, &out) != nil {
		return nil, false
	}
	listed := 0
	for _, e := range out {
		listed += max(1, len(e.Context["ids"]), len(e.Context["objectWriteTraceId"]))
	}
	said, _ := strconv.Atoi(string(b.NumErrors)) // 0 for what is none
	return out, said <= listed
}

// done reports whether an answer's batch is over: the specification also knows PENDING,
// PROCESSING and CANCELED, under which what is not listed may be there, or still come.
func (b *body) done() bool { return b.Status == "" || b.Status == complete }

// complete is the status of a batch that was carried out.
const complete = "COMPLETE"

// whole is the answer's own error as an entry.
func (b *body) whole() entry {
	inner, _ := b.entries()
	category := b.Category
	if category == "" {
		category = b.Kind
	}
	return entry{Category: category, SubCategory: b.SubCategory, Message: b.Message, Context: b.Context, Errors: inner}
}
