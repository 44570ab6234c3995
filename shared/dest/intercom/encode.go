package intercom

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// maxValue is how many characters a custom attribute's text may have; Intercom may
// cut a longer one in silence.
const maxValue = 255

// A payload is what is sent of a record.
type payload struct {
	body   []byte
	empty  bool // it holds no field but tags
	tagged bool // the record has tags
	tags   []string
}

// A contact is as much of one as Penstock reads.
type contact struct {
	Type       string  `json:"type"`
	ID         string  `json:"id"`
	ExternalID *string `json:"external_id"`
	Email      *string `json:"email"`
	Tags       *struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
		Total   *int `json:"total_count"`
		HasMore bool `json:"has_more"`
	} `json:"tags"`
}

// readContact reads one contact; anything else is no answer.
func readContact(body []byte) (*contact, bool) {
	var c contact
	if json.Unmarshal(body, &c) != nil || c.Type != "contact" || c.ID == "" {
		return nil, false
	}
	return &c, true
}

// value is the contact's own match value, "" when it has none.
func (c *contact) value(field string) string {
	v := c.Email
	if field == fieldExternalID {
		v = c.ExternalID
	}
	if v == nil {
		return ""
	}
	return *v
}

// tagIDs are the contact's tags where the answer has all of them: it shows the first
// ten.
func (c *contact) tagIDs() (ids []string, all bool) {
	if c == nil || c.Tags == nil || c.Tags.HasMore || c.Tags.Total != nil && *c.Tags.Total != len(c.Tags.Data) {
		return nil, false
	}
	for _, t := range c.Tags.Data {
		ids = append(ids, t.ID)
	}
	return ids, true
}

// A body is a contact's JSON in the making: its own members, then its attributes.
type body struct {
	own, custom []byte
}

func (b *body) add(name string, value []byte) { b.own = member(b.own, name, value) }

func member(to []byte, name string, value []byte) []byte {
	if len(to) > 0 {
		to = append(to, ',')
	}
	return append(append(rawjson.AppendQuote(to, name), ':'), value...)
}

func (b *body) bytes() []byte {
	out := append([]byte{'{'}, b.own...)
	if len(b.custom) > 0 {
		if len(b.own) > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, `"custom_attributes":{`...), b.custom...), '}')
	}
	return append(out, '}')
}

// standard is the value of a contact's own field as Intercom takes it.
func (d *destination) standard(name string, v jsontext.Value) []byte {
	switch kind := v.Kind(); {
	case kind == 'n' && (name == fieldEmail || name == fieldExternalID):
		return []byte(`""`) // these are not nullable; an empty text clears them
	case own[name] == syncdef.DateTime:
		return seconds(v)
	case own[name] == syncdef.String && kind == '0':
		return rawjson.AppendQuote(nil, string(v))
	}
	return v
}

// seconds turns a date or time, as the mapping writes it, into Unix seconds; what is
// none stays as it is.
func seconds(v jsontext.Value) []byte {
	text, ok := rawjson.Text(v)
	if !ok {
		return v
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return strconv.AppendInt(nil, at.Unix(), 10)
		}
	}
	return v
}

// attributeValue is a custom attribute's value as Intercom takes it, or why the row
// cannot have it. Only a time of the definition's becomes Unix seconds, unless the
// attribute is a text.
func attributeValue(a attribute, t syncdef.Type, v jsontext.Value) (value []byte, code, message string) {
	switch v.Kind() {
	case '{', '[':
		return nil, "nested_attribute", "a custom attribute holds no object and no list: write data_type: string with as: join or as: json, which makes a text of it"
	case '"':
	default:
		return v, "", ""
	}
	if (t == syncdef.Date || t == syncdef.DateTime) && a.kind != "string" {
		return seconds(v), "", ""
	}
	text, _ := rawjson.Text(v)
	switch {
	case utf8.RuneCountInString(text) > maxValue:
		return nil, "attribute_too_long", "a custom attribute's text has at most 255 characters: shorten it in the model, or set max_length: 255 and on_too_long: truncate"
	case len(a.options) > 0 && text != "" && !contains(a.options, text):
		return nil, "not_an_option", "the value is none of the attribute's options in Intercom: add it there, or use data_type: picklist with values and default"
	}
	return v, "", ""
}

func contains(list []string, s string) bool {
	for _, one := range list {
		if one == s {
			return true
		}
	}
	return false
}

// unwrapped is a JSON value that a warehouse may have written into a text.
func unwrapped(v jsontext.Value, first byte) jsontext.Value {
	text, ok := rawjson.Text(v)
	inner := jsontext.Value(bytes.TrimSpace([]byte(text)))
	if !ok || len(inner) == 0 || inner[0] != first || !inner.IsValid() {
		return v
	}
	return inner
}

// tagsOf reads a list of tags: texts, nulls left out, each once.
func tagsOf(v jsontext.Value) (tags []string, ok bool) {
	if v.Kind() == 'n' {
		return nil, true
	}
	if v = unwrapped(v, '['); v.Kind() != '[' {
		return nil, false
	}
	seen := map[string]bool{}
	w := rawjson.Elements(v)
	for w.Next() {
		one := w.Value()
		if one[0] == 'n' {
			continue
		}
		text, is := rawjson.Text(one)
		if !is {
			return nil, false
		}
		if text = trimmed(text); text == "" || seen[fold(text)] {
			continue
		}
		seen[fold(text)] = true
		tags = append(tags, text)
	}
	return tags, w.Err() == nil
}

// matchValue is what a new contact is matched by.
func matchValue(r *dest.Record) string {
	if r.Match != "" {
		return r.Match
	}
	return r.Key
}
