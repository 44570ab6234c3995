package slack

import (
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// A Message is one that was posted.
type Message struct {
	Channel     string    `json:"channel"` // id
	ChannelName string    `json:"channel_name"`
	TS          string    `json:"ts"`
	Text        string    `json:"text"` // as it was sent
	Metadata    *Metadata `json:"metadata,omitempty"`
}

// Metadata is what the app attached to a message.
type Metadata struct {
	EventType    string          `json:"event_type"`
	EventPayload json.RawMessage `json:"event_payload"` // an object, as it was sent
}

// The columns of messageTable.
const (
	columnChannel = iota
	columnTS
	columnText
	columnEvent
	columnPayload
)

var messageTable = records.Spec{Name: "messages", Columns: []records.Column{
	{Name: "channel", Indexed: true}, {Name: "ts"}, {Name: "text"}, {Name: "event_type"}, {Name: "event_payload"},
}}

// Messages lists what was posted, oldest first.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Message
	for _, row := range s.store.Table(messageTable.Name).Select(nil) {
		out = append(out, s.message(row))
	}
	return out
}

// messageObject is what a message's object is called.
const messageObject = "message"

// held is a message as every simulator's records are looked at: a field is channel,
// text, event_type or event_payload.
type held struct {
	t   *records.Table
	row int
}

// ID implements sandbox.Record: a message's ts.
func (h held) ID() string { return string(h.t.Get(h.row, columnTS)) }

// Text implements sandbox.Record.
func (h held) Text(field string) ([]byte, bool) {
	column, known := h.t.Lookup(field)
	if !known || h.t.Null(h.row, column) {
		return nil, false
	}
	return h.t.Get(h.row, column), true
}

// Records implements sandbox.Holder.
func (s *Server) Records(object string) iter.Seq[sandbox.Record] {
	return func(yield func(sandbox.Record) bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		t := s.store.Table(messageTable.Name)
		for row := 0; object == messageObject && row < t.Rows(); row++ {
			if !t.Deleted(row) && !yield(held{t, row}) {
				return
			}
		}
	}
}

// message reads a row of messageTable.
func (s *Server) message(row int) Message {
	t := s.store.Table(messageTable.Name)
	m := Message{Channel: string(t.Get(row, columnChannel)), TS: string(t.Get(row, columnTS)), Text: string(t.Get(row, columnText))}
	if c, ok := s.find(columnID, m.Channel); ok {
		m.ChannelName = c.Name
	}
	if !t.Null(row, columnEvent) {
		m.Metadata = &Metadata{EventType: string(t.Get(row, columnEvent)), EventPayload: json.RawMessage(string(t.Get(row, columnPayload)))}
	}
	return m
}

// keep stores a message. Its ts is unique in its channel and grows, whatever the
// clock does.
func (s *Server) keep(channel Channel, text string, metadata *Metadata) (Message, error) {
	now := s.core.Now()
	ts := max(now.UnixMicro(), s.limits.lastTS[channel.ID]+1)
	m := Message{Channel: channel.ID, ChannelName: channel.Name, TS: formatTS(ts), Text: text, Metadata: metadata}
	changes := []records.Change{{Column: columnChannel, Text: []byte(m.Channel)}, {Column: columnTS, Text: []byte(m.TS)}, {Column: columnText, Text: []byte(text)}}
	if metadata != nil {
		changes = append(changes, records.Change{Column: columnEvent, Text: []byte(metadata.EventType)}, records.Change{Column: columnPayload, Text: metadata.EventPayload})
	}
	w := s.store.Writer()
	w.Put(s.store.Table(messageTable.Name), records.NewRow, now, changes)
	if err := w.Commit(); err != nil {
		return Message{}, fmt.Errorf("keep a message: %w", err)
	}
	s.limits.posted(channel.ID, now, ts)
	return m, nil
}

// resume takes each channel's last ts, and the time that it was posted, from the
// store. Rows are in the order of posting.
func (s *Server) resume() {
	t := s.store.Table(messageTable.Name)
	for row := range t.Rows() {
		if at, err := parseTS(string(t.Get(row, columnTS))); err == nil {
			s.limits.posted(string(t.Get(row, columnChannel)), time.UnixMicro(at), at)
		}
	}
}

// event is a message as the API shows it.
func (s *Server) event(m Message, metadata bool) map[string]any {
	e := map[string]any{"type": "message", "ts": m.TS, "text": m.Text,
		"bot_id": botID, "app_id": appID, "user": userID, "team": s.cfg.TeamID}
	if metadata && m.Metadata != nil {
		e["metadata"] = m.Metadata
	}
	return e
}

// formatTS writes microseconds as Slack's ts: seconds, a point, six digits.
func formatTS(micros int64) string {
	return fmt.Sprintf("%d.%06d", micros/1e6, micros%1e6)
}

// parseTS reads a ts, or whole or fractional seconds, as microseconds.
func parseTS(ts string) (int64, error) {
	whole, fraction, _ := strings.Cut(ts, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return 0, fail("invalid_ts_oldest")
	}
	micros, err := strconv.ParseInt((fraction + "000000")[:6], 10, 64)
	if err != nil || micros < 0 {
		return 0, fail("invalid_ts_oldest")
	}
	return seconds*int64(time.Second/time.Microsecond) + micros, nil
}
