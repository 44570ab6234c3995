// Package slack simulates the part of Slack's Web API that Penstock uses, for
// tests and the demo: chat.postMessage, conversations.history, conversations.list
// and auth.test below /api/, with Slack's way of failing (HTTP 200 and "ok": false),
// its tokens, channels, cursors and metadata, and one message a second and channel,
// enforced with 429 and Retry-After. Faults, call counts and the journal are the
// Core's. It renders nothing and knows neither users nor threads.
//
//	GET /_sandbox/records   {"messages": [{"channel", "channel_name", "ts", "text", "metadata"}]}
package slack

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/penstock-data/penstock/shared/sandbox"
)

// A Channel is a conversation of the simulated workspace.
type Channel struct {
	ID       string // C024BE91L
	Name     string // without #
	Private  bool
	Archived bool // posting answers is_archived
	Outside  bool // the bot is no member: not_in_channel (channel_not_found when private)
}

// A Message is one that was posted.
type Message struct {
	Channel     string    `json:"channel"` // id
	ChannelName string    `json:"channel_name"`
	TS          string    `json:"ts"`
	Text        string    `json:"text"`
	Metadata    *Metadata `json:"metadata,omitempty"`
}

// Metadata is what the app attached to a message.
type Metadata struct {
	EventType    string          `json:"event_type"`
	EventPayload json.RawMessage `json:"event_payload"` // an object, as it was sent
}

// Config is what a Server is made from.
type Config struct {
	Token    string           // the one bot token that is accepted
	Channels []Channel        // at least one
	Scopes   []string         // what the token may do; nil is chat:write, channels:history and channels:read
	Spacing  time.Duration    // between two messages of a channel; 0 is Slack's second, negative is not enforced
	Journal  string           // file that keeps the messages; "" keeps them in memory only
	Now      func() time.Time // nil is time.Now
}

// A Server is one simulated workspace. Its methods are safe for concurrent use.
type Server struct {
	core    *sandbox.Core
	cfg     Config
	handler http.Handler

	mu       sync.Mutex
	messages []Message            // in the order in which they were posted
	last     map[string]time.Time // channel id -> when its last message was accepted
	lastTS   map[string]int64     // channel id -> ts of its last message, in microseconds
}

// New makes a workspace, with the messages of the journal when it has one.
func New(cfg Config) (*Server, error) {
	if cfg.Token == "" || len(cfg.Channels) == 0 {
		return nil, fmt.Errorf("make the simulated Slack: it needs a token and a channel")
	}
	if cfg.Scopes == nil {
		cfg.Scopes = []string{scopeWrite, scopeHistory, scopeRead}
	}
	if cfg.Spacing == 0 {
		cfg.Spacing = time.Second
	}
	core, err := sandbox.New(sandbox.Options{Journal: cfg.Journal, Now: cfg.Now, Label: label})
	if err != nil {
		return nil, fmt.Errorf("make the simulated Slack: %w", err)
	}
	s := &Server{core: core, cfg: cfg, last: map[string]time.Time{}, lastTS: map[string]int64{}}
	if err := core.Replay(s.replay); err != nil {
		return nil, fmt.Errorf("make the simulated Slack: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", s.serve)
	mux.HandleFunc("GET "+sandbox.Prefix+"records", s.serveRecords)
	s.handler = core.Wrap(mux)
	return s, nil
}

// ServeHTTP serves the API and the control paths.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Core is the shared half: faults and call counts.
func (s *Server) Core() *sandbox.Core { return s.core }

// Close closes the journal.
func (s *Server) Close() error { return s.core.Close() }

// Messages lists what was posted, oldest first.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// label counts calls under the method's name.
func label(r *http.Request) string { return strings.TrimPrefix(r.URL.Path, "/api/") }

// replay takes one message from the journal.
func (s *Server) replay(entry []byte) error {
	var m Message
	if err := json.Unmarshal(entry, &m); err != nil {
		return fmt.Errorf("read a message: %w", err)
	}
	at, err := parseTS(m.TS)
	if err != nil {
		return err
	}
	s.messages = append(s.messages, m)
	s.lastTS[m.Channel] = at
	s.last[m.Channel] = time.UnixMicro(at)
	return nil
}

// serveRecords is GET /_sandbox/records.
func (s *Server) serveRecords(w http.ResponseWriter, _ *http.Request) {
	messages := s.Messages()
	if messages == nil {
		messages = []Message{}
	}
	write(w, http.StatusOK, map[string]any{"messages": messages})
}

// write answers with JSON.
func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.Encode(v) //nolint:errcheck // the client may be gone; there is nobody to tell
}
