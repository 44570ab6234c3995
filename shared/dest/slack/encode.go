package slack

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
)

// The destination's fields, and the metadata that tells messages apart.
const (
	fieldText    = "text"
	fieldChannel = "channel"

	eventRow    = "penstock_row"
	eventDigest = "penstock_digest"
)

const (
	maxText    = 40_000 // characters; Slack, chat.postMessage, "Truncating content"
	listed     = 20     // rows that a digest lists
	maxSummary = 160    // characters of a listed row; 20 of them stay below 4,000
	maxHead    = 400    // characters of a digest's first line
)

// A message is one chat.postMessage call.
type message struct {
	channel string
	text    string
	event   string
	payload map[string]any
}

// single is a record's own message.
func (d *Destination) single(run string, r dest.Record) message {
	return message{
		channel: d.channel(r),
		text:    field(r, fieldText),
		event:   eventRow,
		payload: map[string]any{"run": run, "sync": d.def.Sync, "record_id": r.RecordID},
	}
}

// digest is the one message of a run and channel: how many rows there are, the
// first of those in hand, and how many are not listed.
func (d *Destination) digest(b dest.Batch, channel string, total int, records []int) message {
	var text strings.Builder
	text.WriteString(cut(fmt.Sprintf("*%d messages from %s* (run %s)", total, d.def.Sync, b.Run), maxHead))
	shown := records[:min(len(records), listed)]
	for _, i := range shown {
		text.WriteString("\n• ")
		text.WriteString(summary(field(b.Records[i], fieldText)))
	}
	if more := total - len(shown); more > 0 {
		fmt.Fprintf(&text, "\n… and %d more", more)
	}
	return message{
		channel: channel,
		text:    text.String(),
		event:   eventDigest,
		payload: map[string]any{"run": b.Run, "sync": d.def.Sync, "channel": channel, "rows": total},
	}
}

// summary is one line that stands for a message: its first line, and the line that
// names the customer, or else the second.
func summary(text string) string {
	var first, second string
	for line := range strings.Lines(text) {
		line = strings.Join(strings.Fields(line), " ")
		switch {
		case line == "":
		case first == "":
			first = line
		case second == "" || strings.HasPrefix(line, "Customer:"):
			second = line
		}
		if strings.HasPrefix(second, "Customer:") {
			break
		}
	}
	if second != "" {
		first += " | " + second
	}
	return cut(first, maxSummary)
}

// cut shortens s to n characters, the last of which says that it was cut.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// fault is the outcome of a record that cannot be sent as it is; nil for others.
func (d *Destination) fault(r dest.Record) *dest.Outcome {
	text := field(r, fieldText)
	switch {
	case strings.TrimSpace(text) == "":
		return &dest.Outcome{Status: dest.Rejected, Code: "no_text", Field: fieldText,
			Message: "the message has no text: give the row a text, or leave it out of the model (WHERE ... IS NOT NULL)"}
	case len(text) > maxText && utf8.RuneCountInString(text) > maxText:
		return &dest.Outcome{Status: dest.Rejected, Code: "msg_too_long", Field: fieldText,
			Message: fmt.Sprintf("the message has %d characters, Slack takes %d: shorten it in the model, or set max_length and on_too_long: truncate", utf8.RuneCountInString(text), maxText)}
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
