package slack

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

const (
	maxText     = 40_000  // characters of a message
	maxMetadata = 8 << 10 // bytes; Slack publishes metadata_too_large without the number
	botID       = "B0PENSTOCK"
	appID       = "A0PENSTOCK"
	userID      = "U0PENSTOCK"
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
	metadata, malformed := readMetadata(args.Get("metadata"))
	for _, name := range known(channel, args.Get("channel"), metadata) {
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
	case malformed != nil:
		return nil, malformed
	}
	if err := s.limits.message("chat.postMessage", channel.ID, s.core.Now()); err != nil {
		return nil, err
	}
	m, err := s.keep(channel, text, metadata)
	if err != nil {
		return nil, err
	}
	return map[string]any{"ok": true, "channel": m.Channel, "ts": m.TS, "message": s.event(m, true)}, nil
}

// known are the names that a fault may know a message by.
func known(channel Channel, given string, metadata *Metadata) []string {
	names := []string{channel.ID, channel.Name, given}
	if metadata == nil {
		return names
	}
	var payload map[string]any
	if json.Unmarshal(metadata.EventPayload, &payload) != nil {
		return names
	}
	for _, value := range payload {
		if text, ok := value.(string); ok {
			names = append(names, text)
		}
	}
	return names
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
