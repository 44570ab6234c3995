package cardfile

import (
	"bytes"
	"encoding/json"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/rawjson"
)

// encode writes {"cards":[{"key":"...","fields":{...}},...]}, values as they are.
func encode(b dest.Batch, c dest.Call) []byte {
	out := []byte(`{"cards":[`)
	for n, at := range c.Records {
		r := &b.Records[at]
		if n > 0 {
			out = append(out, ',')
		}
		key := r.Match
		if key == "" {
			key = r.Key
		}
		out = rawjson.AppendQuote(append(out, `{"key":`...), key)
		out = append(out, `,"fields":{`...)
		for i, f := range r.Fields {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(rawjson.AppendQuote(out, f.Name), ':')
			out = append(out, f.Value...)
		}
		out = append(out, `}}`...)
	}
	return append(out, `]}`...)
}

// A result answers one card.
type result struct {
	OK      bool   `json:"ok"`
	ID      string `json:"id"`
	Created bool   `json:"created"`
	Code    string `json:"code"`
	Field   string `json:"field"`
}

// decode reads one result per card, in order; anything else is no answer.
func decode(op string, body []byte, cards int) ([]dest.Outcome, error) {
	var answer struct {
		Results []result `json:"results"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if d.Decode(&answer) != nil || d.More() || len(answer.Results) != cards {
		return nil, unreadable(op, body, 200)
	}
	out := make([]dest.Outcome, cards)
	for n, r := range answer.Results {
		if r.OK == (r.Code != "") || r.OK && r.ID == "" {
			return nil, unreadable(op, body, 200)
		}
		out[n] = outcome(r)
	}
	return out, nil
}
