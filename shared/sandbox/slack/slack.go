package slack

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// Config is what a Server is made from.
type Config struct {
	Token string // the one bot token that is accepted
	// TeamID is a new workspace's id, as auth.test tells it; "" makes one, or is
	// T0PENSTOCK without a journal. A journal keeps it: a folder that is moved or copied
	// holds the same workspace.
	TeamID string
	// Channels are the workspace's; at least one, unless AcceptChannels is set.
	// ReadChannels reads them from a file.
	Channels []Channel
	// AcceptChannels makes a channel of any name or id that is asked for and has the
	// form of one. The first time, Say is told.
	AcceptChannels bool
	Say            func(line string) // nil keeps quiet
	Scopes         []string          // what the token may do; nil is chat:write, channels:history and channels:read
	// Spacing is between two messages of a channel; 0 is Slack's second, negative
	// enforces no limit, those of the other methods included.
	Spacing time.Duration
	Minute  time.Duration    // how long a minute of the other methods' limits lasts; 0 is a minute
	Journal string           // file that keeps channels and messages; "" keeps them in memory only
	Now     func() time.Time // nil is time.Now
}

// A Server is one simulated workspace. Its methods are safe for concurrent use.
type Server struct {
	core    *sandbox.Core
	cfg     Config
	handler http.Handler
	revoked atomic.Bool

	mu     sync.Mutex // orders the store and the limits
	store  *records.Store
	limits limits
	said   bool // that channels are accepted
}

// New makes a workspace, with the channels and messages of the journal when it has
// one.
func New(cfg Config) (*Server, error) {
	if cfg.Token == "" || len(cfg.Channels) == 0 && !cfg.AcceptChannels {
		return nil, fmt.Errorf("make the simulated Slack: it needs a token and a channel")
	}
	if cfg.Scopes == nil {
		cfg.Scopes = []string{scopeWrite, scopeHistory, scopeRead}
	}
	if cfg.Spacing == 0 {
		cfg.Spacing = time.Second
	}
	if cfg.Minute == 0 {
		cfg.Minute = time.Minute
	}
	s := &Server{cfg: cfg, limits: newLimits(cfg.Spacing, cfg.Minute)}
	core, err := sandbox.New(sandbox.Options{Journal: cfg.Journal, Now: cfg.Now, Label: label, Actions: map[string]func(){
		"revoke_token":  func() { s.revoked.Store(true) },
		"restore_token": func() { s.revoked.Store(false) },
	}})
	if err != nil {
		return nil, fmt.Errorf("make the simulated Slack: %w", err)
	}
	s.core = core
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("make the simulated Slack: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", s.serve)
	mux.HandleFunc("GET "+sandbox.Prefix+"records", s.serveRecords)
	mux.HandleFunc("GET "+sandbox.Prefix+"channels", s.serveChannels)
	s.handler = core.Wrap(mux)
	return s, nil
}

// open opens the store, adds the channels that it does not have yet, and takes the
// pace up where the journal left it.
func (s *Server) open() error {
	store, err := records.Open(s.core, workspaceTable, channelTable, messageTable)
	if err != nil {
		return err
	}
	s.store = store
	s.name()
	for _, c := range s.cfg.Channels {
		if err := c.check(); err != nil {
			return err
		}
		s.putChannel(c)
	}
	s.resume()
	return store.Writer().Commit()
}

var workspaceTable = records.Spec{Name: "workspace", Columns: []records.Column{{Name: "team_id"}}}

// newTeam is an id that no other workspace has.
func newTeam() string { return "T" + rand.Text()[:10] }

// name finds the workspace's id in the store, or gives it one.
func (s *Server) name() {
	t := s.store.Table(workspaceTable.Name)
	switch {
	case t.Rows() > 0:
		s.cfg.TeamID = string(t.Get(0, 0))
		return
	case s.cfg.TeamID == "" && s.core.Durable():
		s.cfg.TeamID = newTeam()
	case s.cfg.TeamID == "":
		s.cfg.TeamID = "T0PENSTOCK"
	}
	s.store.Writer().Put(t, records.NewRow, s.core.Now(), []records.Change{{Text: []byte(s.cfg.TeamID)}})
}

// ServeHTTP serves the API and the control paths.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Core is the shared half: faults and call counts.
func (s *Server) Core() *sandbox.Core { return s.core }

// Close closes the journal.
func (s *Server) Close() error { return s.core.Close() }

// label counts calls under the method's name.
func label(r *http.Request) string { return strings.TrimPrefix(r.URL.Path, "/api/") }

// serveRecords is GET /_sandbox/records.
func (s *Server) serveRecords(w http.ResponseWriter, _ *http.Request) {
	messages := s.Messages()
	if messages == nil {
		messages = []Message{}
	}
	write(w, http.StatusOK, map[string]any{"messages": messages})
}

// serveChannels is GET /_sandbox/channels.
func (s *Server) serveChannels(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	write(w, http.StatusOK, map[string]any{"channels": s.channels()})
}

// write answers with JSON.
func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.Encode(v) //nolint:errcheck // the client may be gone; there is nobody to tell
}
