package amplitude

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// Config is what a project is made of.
type Config struct {
	APIKey  string
	Journal string           // file that keeps users and groups; "" keeps them in memory only
	Now     func() time.Time // nil is time.Now
	// First has /batch name only the first of several faulty events, as /2/httpapi does.
	First bool
	// PerSecond, PerDay and PerHour are a user's or device's limits of events and, of
	// PerHour, property updates; 0 is Amplitude's own.
	PerSecond, PerDay, PerHour int
	// Span and Hour are how long the 30 seconds that events are counted in last, and
	// the hour; 0 is as long.
	Span, Hour time.Duration
}

// A Server is one simulated project. Its methods are safe for concurrent use.
type Server struct {
	core    *sandbox.Core
	cfg     Config
	handler http.Handler

	mu         sync.Mutex // orders the store and the limits
	store      *records.Store
	limits     limits
	properties map[string]bool // of users, by name
	groupTypes map[string]bool
	events     int64 // that were taken
}

// Amplitude's limits of a user or device ("Batch Event Upload API").
const (
	perSecond = 1000
	perDay    = 500_000
	perHour   = 1800
)

// New makes a project, with the users and groups of the journal when it has one.
func New(cfg Config) (*Server, error) {
	if cfg.APIKey == "" {
		return nil, errors.New("make the simulated Amplitude: it needs an API key")
	}
	if cfg.PerSecond == 0 {
		cfg.PerSecond = perSecond
	}
	if cfg.PerDay == 0 {
		cfg.PerDay = perDay
	}
	if cfg.PerHour == 0 {
		cfg.PerHour = perHour
	}
	s := &Server{cfg: cfg, limits: limits{ids: map[string]*usage{}, short: cmp.Or(cfg.Span, shortSpan), hour: cmp.Or(cfg.Hour, time.Hour)}, properties: map[string]bool{}, groupTypes: map[string]bool{}}
	core, err := sandbox.New(sandbox.Options{Journal: cfg.Journal, Now: cfg.Now})
	if err != nil {
		return nil, fmt.Errorf("make the simulated Amplitude: %w", err)
	}
	s.core = core
	if s.store, err = records.Open(core, tables...); err != nil {
		return nil, fmt.Errorf("make the simulated Amplitude: %w", err)
	}
	s.resume()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /batch", s.upload(limitsOf{events: 2000, bytes: 20 << 20, first: cfg.First, perSecond: cfg.PerSecond}))
	mux.HandleFunc("POST /2/httpapi", s.upload(limitsOf{events: 1999, bytes: 1 << 20, first: true, perSecond: min(cfg.PerSecond, 30)}))
	mux.HandleFunc("/identify", s.identify)
	mux.HandleFunc("/groupidentify", s.groupIdentify)
	mux.HandleFunc("GET "+sandbox.Prefix+"records", s.serveRecords)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusBadRequest, refusal("Invalid request path"))
	})
	s.handler = core.Wrap(mux)
	return s, nil
}

// ServeHTTP serves the API and the control paths.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Core is the shared half: faults and call counts.
func (s *Server) Core() *sandbox.Core { return s.core }

// Close closes the journal.
func (s *Server) Close() error { return s.core.Close() }

// serveRecords is GET /_sandbox/records.
func (s *Server) serveRecords(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, map[string]any{"users": s.Users(), "groups": s.Groups(), "events": s.Events()})
}

// write answers with JSON.
func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) //nolint:errcheck // the client may be gone; there is nobody to tell
}

// refusal is a body of status 400 without lists.
func refusal(text string) map[string]any { return map[string]any{"code": 400, "error": text} }
