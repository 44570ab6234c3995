package slack

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// The destination's fields, and the metadata that tells messages apart.
const (
	fieldText    = "text"
	fieldChannel = "channel"

	eventRow    = "penstock_row"
	eventDigest = "penstock_digest"
)

// How many characters a message should have and may have (Slack, chat.postMessage,
// "Truncating content": "limit the text field to 4,000 characters"; longer than 40,000
// is cut). Whether an entity counts as one of them or as its letters is not
// published: it is counted as its letters, which is the stricter way.
const (
	goodText = 4_000
	maxText  = 40_000
)

// A message is one chat.postMessage call.
type message struct {
	channel string
	text    string
	event   string
	payload map[string]any
}

// single is a record's own message.
func (d *destination) single(run string, r dest.Record) message {
	return message{
		channel: d.channel(r),
		text:    d.content(r),
		event:   eventRow,
		payload: map[string]any{"run": run, "sync": d.def.Sync, "record_id": r.RecordID},
	}
}

// content is a record's text as it is sent, cut where the definition says so.
func (d *destination) content(r dest.Record) string {
	text := d.written(r)
	if d.options.OnTooLong == truncateLong {
		if short := shorten(text, goodText); short != "" {
			return short
		}
	}
	return text
}

// written is a record's text in Slack's markup.
func (d *destination) written(r dest.Record) string {
	text := field(r, fieldText)
	if d.isMarkup(text) {
		return text
	}
	return escape(text)
}

// most is how many characters the definition's messages have at most; versions of
// before there was on_too_long have no other bound than Slack's own.
func (d *destination) most() int {
	if d.options.OnTooLong == "" {
		return maxText
	}
	return goodText
}

// isMarkup reports whether a text was written as Slack's markup: where the mapping
// says so of its column, where the text is the definition's own, a default or one of
// a picklist's values, and where it is the definition's template, into which the
// mapping has put columns without markup (Rules.Entities), to be read no further.
func (d *destination) isMarkup(text string) bool {
	f := d.text
	key, _ := unescapes(f)
	return f.Markup || f.Value != nil && key == "" || f.Default != nil && text == *f.Default || slices.Contains(f.Values, text)
}

// fieldOf is a definition's mapping of a part of the message; empty when there is
// none.
func fieldOf(d *syncdef.Definition, part string) syncdef.Field {
	if i := slices.IndexFunc(d.Fields, func(f syncdef.Field) bool { return f.Destination == part }); i >= 0 {
		return d.Fields[i]
	}
	return syncdef.Field{}
}

// escaper replaces the three characters that Slack's markup is made of (Slack,
// "Formatting text for app surfaces", "Escaping text"). Without them a text can
// neither mention anybody nor be a link under another name.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func escape(s string) string { return escaper.Replace(s) }

// tooLongRemedy says what a person can do.
func (d *destination) tooLongRemedy() string {
	if d.options.OnTooLong == truncateLong {
		return "it begins with a link or a word that cannot be cut; shorten it in the model"
	}
	return "shorten it in the model, or set slack: {on_too_long: truncate}"
}

// fault is the outcome of a record that cannot be sent as it is; nil for others.
func (d *destination) fault(r dest.Record) *dest.Outcome {
	text := d.content(r)
	switch {
	case strings.TrimSpace(text) == "":
		return &dest.Outcome{Status: dest.Rejected, Code: "no_text", Field: fieldText,
			Message: "the message has no text: give the row a text, or leave it out of the model (WHERE ... IS NOT NULL)"}
	case len(text) > d.most() && utf8.RuneCountInString(text) > d.most():
		return &dest.Outcome{Status: dest.Rejected, Code: "msg_too_long", Field: fieldText,
			Message: fmt.Sprintf("the message has %d characters as it is sent (&, < and > take 4 or 5), and %d at most are sent: %s", utf8.RuneCountInString(text), d.most(), d.tooLongRemedy())}
	case d.channel(r) == "":
		return &dest.Outcome{Status: dest.Rejected, Code: "no_channel", Field: fieldChannel,
			Message: "the row names no channel: map a column to channel, or set slack.channel in the sync's definition"}
	}
	return nil
}

// field is a field's value as text; "" when it is absent or null.
func field(r dest.Record, name string) string {
	for _, f := range r.Fields {
		if f.Name == name {
			return plain(f.Value)
		}
	}
	return ""
}

// plain is a JSON value as text: a string's content, any other value as written.
func plain(v jsontext.Value) string {
	switch v.Kind() {
	case '"':
		// Mapping wrote the value, so that it is valid; if it is not, what can be
		// read of it is sent.
		s, _ := jsontext.AppendUnquote(nil, v)
		return string(s)
	case 'n', 0:
		return ""
	default:
		return string(v)
	}
}
