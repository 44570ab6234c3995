package slack

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	maxText     = 40_000  // characters of a message
	maxMetadata = 8 << 10 // bytes; Slack publishes metadata_too_large without the number
	botID       = "B0PENSTOCK"
	appID       = "A0PENSTOCK"
	userID      = "U0PENSTOCK"
	teamID      = "T0PENSTOCK"
)

// postMessage is chat.postMessage.
func (s *Server) postMessage(r *http.Request, args url.Values) (any, error) {
	if err := s.need(scopeWrite); err != nil {
		return nil, err
	}
	channel, err := s.byIDOrName(args.Get("channel"))
	if err != nil {
		return nil, err
	}
	for _, name := range []string{channel.ID, channel.Name, args.Get("channel")} {
		if code, _, struck := s.core.FailRecord(r, name); struck {
			return nil, fail(code)
		}
	}
	if err := member(channel); err != nil {
		return nil, err
	}
	if channel.Archived {
		return nil, fail("is_archived")
	}
	text := args.Get("text")
	switch {
	case strings.TrimSpace(text) == "":
		return nil, fail("no_text")
	case utf8.RuneCountInString(text) > maxText:
		return nil, fail("msg_too_long")
	}
	metadata, err := readMetadata(args.Get("metadata"))
	if err != nil {
		return nil, err
	}
	m, err := s.accept(channel, text, metadata)
	if err != nil {
		return nil, err
	}
	return map[string]any{"ok": true, "channel": m.Channel, "ts": m.TS, "message": event(m, true)}, nil
}

// readMetadata checks the shape of the metadata argument.
func readMetadata(raw string) (*Metadata, error) {
	if raw == "" {
		return nil, nil
	}
	if len(raw) > maxMetadata {
		return nil, fail("metadata_too_large")
	}
	var m Metadata
	if json.Unmarshal([]byte(raw), &m) != nil {
		return nil, fail("invalid_metadata_format")
	}
	var object map[string]json.RawMessage
	if m.EventType == "" || json.Unmarshal(m.EventPayload, &object) != nil || object == nil {
		return nil, fail("invalid_metadata_schema")
	}
	return &m, nil
}

// accept stores a message, unless the channel had one less than a second ago.
func (s *Server) accept(channel Channel, text string, metadata *Metadata) (Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.core.Now()
	if last, posted := s.last[channel.ID]; posted && s.cfg.Spacing > 0 {
		if wait := last.Add(s.cfg.Spacing).Sub(now); wait > 0 {
			return Message{}, &failure{code: "ratelimited", retryAfter: int(math.Ceil(wait.Seconds()))}
		}
	}
	ts := max(now.UnixMicro(), s.lastTS[channel.ID]+1)
	m := Message{Channel: channel.ID, ChannelName: channel.Name, TS: formatTS(ts), Text: text, Metadata: metadata}
	if s.core.Durable() {
		entry, err := json.Marshal(m)
		if err == nil {
			err = s.core.Commit(entry)
		}
		if err != nil {
			return Message{}, fmt.Errorf("keep a message: %w", err)
		}
	}
	s.messages = append(s.messages, m)
	s.last[channel.ID], s.lastTS[channel.ID] = now, ts
	return m, nil
}

// event is a message as the API shows it.
func event(m Message, metadata bool) map[string]any {
	e := map[string]any{"type": "message", "ts": m.TS, "text": m.Text,
		"bot_id": botID, "app_id": appID, "user": userID, "team": teamID}
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
