package amplitude

import (
	"encoding/json"
	"slices"
	"unicode/utf16"

	"github.com/go-json-experiment/json/jsontext"
)

const maxText = 1024

// carryOut does to the properties what the operation says.
func (c change) carryOut(have map[string]json.RawMessage) {
	old, there := have[c.name]
	value := cut(c.value)
	switch c.op {
	case "$unset":
		delete(have, c.name)
	case "$set":
		have[c.name] = value
	case "$setOnce":
		if !there {
			have[c.name] = value
		}
	case "$add":
		have[c.name] = sum(old, value)
	case "$append":
		have[c.name] = list(append(elements(old), elements(value)...))
	case "$prepend":
		have[c.name] = list(append(elements(value), elements(old)...))
	case "$postInsert", "$preInsert":
		var fresh []json.RawMessage
		for _, v := range elements(value) {
			if !slices.ContainsFunc(elements(old), func(o json.RawMessage) bool { return string(o) == string(v) }) {
				fresh = append(fresh, v)
			}
		}
		if c.op == "$postInsert" {
			have[c.name] = list(append(elements(old), fresh...))
		} else {
			have[c.name] = list(append(fresh, elements(old)...))
		}
	case "$remove":
		gone := elements(value)
		have[c.name] = list(slices.DeleteFunc(elements(old), func(o json.RawMessage) bool {
			return slices.ContainsFunc(gone, func(g json.RawMessage) bool { return string(g) == string(o) })
		}))
	}
}

// elements are a list's, or the one that a single value is.
func elements(v json.RawMessage) []json.RawMessage {
	var out []json.RawMessage
	switch {
	case len(v) == 0:
	case v[0] == '[':
		if json.Unmarshal(v, &out) != nil {
			return nil
		}
	default:
		out = []json.RawMessage{v}
	}
	return out
}

func list(v []json.RawMessage) json.RawMessage {
	if v == nil {
		return json.RawMessage("[]")
	}
	b, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage("[]") // cannot happen: the elements are JSON
	}
	return b
}

// sum adds to a number; what is none counts as 0.
func sum(old, more json.RawMessage) json.RawMessage {
	var a, b float64
	if json.Unmarshal(old, &a) != nil {
		a = 0
	}
	if json.Unmarshal(more, &b) != nil {
		return old
	}
	out, err := json.Marshal(a + b)
	if err != nil {
		return old
	}
	return out
}

// cut shortens every text of a value to what Amplitude keeps, without a word.
func cut(v json.RawMessage) json.RawMessage {
	if len(v) <= maxText {
		return v
	}
	var text string
	if json.Unmarshal(v, &text) == nil {
		units := utf16.Encode([]rune(text))
		if len(units) <= maxText {
			return v
		}
		b, err := jsontext.AppendQuote(nil, string(utf16.Decode(units[:maxText])))
		if err != nil {
			return v
		}
		return b
	}
	parts := elements(v)
	if v[0] != '[' {
		return v
	}
	for i := range parts {
		parts[i] = cut(parts[i])
	}
	return list(parts)
}
