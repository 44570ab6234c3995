package intercom

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// Config is what a Server is made from.
type Config struct {
	Token string // the one access token that is taken
	// AppID is a new workspace's id, as /me tells it; "" makes one, or is app0penstock
	// without a journal. A journal keeps it.
	AppID string
	// Attributes are the custom attributes of contacts that there are; AcceptAttributes
	// makes one of any name that a contact is written with, and Say is told of it.
	Attributes       []Attribute
	AcceptAttributes bool
	Say              func(line string) // nil keeps quiet
	Denied           []string          // what the app may not: contacts, tags, data_attributes
	Owners           []string          // the members of the workspace; nil is 814860
	// SearchLag is how long a new contact is not found by a search; 0 is two minutes,
	// negative is none.
	SearchLag time.Duration
	// Limit is how many calls a window of 10 seconds allows; 0 is 1,667, negative is no
	// limit.
	Limit   int
	Window  time.Duration    // how long the 10 seconds last; 0 is 10 seconds
	Journal string           // file that keeps the workspace; "" keeps it in memory only
	Now     func() time.Time // nil is time.Now
}

// A Server is one simulated workspace. Its methods are safe for concurrent use.
type Server struct {
	core    *sandbox.Core
	cfg     Config
	handler http.Handler

	mu         sync.Mutex // orders the store and the limits
	store      *records.Store
	contacts   *records.Table
	tags       *records.Table
	attributes *records.Table
	window     time.Time // when the current one began
	calls      int       // made in it
	said       map[string]bool
}

// New makes a workspace, with what the journal kept when it has one.
func New(cfg Config) (*Server, error) {
	if cfg.Token == "" {
		return nil, fmt.Errorf("make the simulated Intercom: it needs a token")
	}
	if cfg.Owners == nil {
		cfg.Owners = []string{"814860"}
	}
	if cfg.SearchLag == 0 {
		cfg.SearchLag = 2 * time.Minute
	}
	if cfg.Limit == 0 {
		cfg.Limit = 1667
	}
	if cfg.Window == 0 {
		cfg.Window = window
	}
	core, err := sandbox.New(sandbox.Options{Journal: cfg.Journal, Now: cfg.Now, Label: label})
	if err != nil {
		return nil, fmt.Errorf("make the simulated Intercom: %w", err)
	}
	s := &Server{core: core, cfg: cfg, said: map[string]bool{}}
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("make the simulated Intercom: %w", err)
	}
	s.handler = core.Wrap(s.routes())
	return s, nil
}

var workspaceTable = records.Spec{Name: "workspace", Columns: []records.Column{{Name: "app_id"}}}

// open opens the store, names the workspace, and adds the attributes that it lacks.
func (s *Server) open() error {
	store, err := records.Open(s.core, workspaceTable, contactTable, tagTable, attributeTable)
	if err != nil {
		return err
	}
	s.store = store
	s.contacts, s.tags, s.attributes = store.Table(contactTable.Name), store.Table(tagTable.Name), store.Table(attributeTable.Name)
	t := store.Table(workspaceTable.Name)
	switch {
	case t.Rows() > 0:
		s.cfg.AppID = string(t.Get(0, 0))
	case s.cfg.AppID == "" && s.core.Durable():
		s.cfg.AppID = strings.ToLower(rand.Text()[:8])
	case s.cfg.AppID == "":
		s.cfg.AppID = "app0penstock"
	}
	if t.Rows() == 0 {
		store.Writer().Put(t, records.NewRow, s.core.Now(), []records.Change{{Column: 0, Text: []byte(s.cfg.AppID)}})
	}
	for _, a := range s.cfg.Attributes {
		if err := a.check(); err != nil {
			return err
		}
		if s.findAttribute(a.Name) < 0 {
			s.putAttribute(a)
		}
	}
	return store.Writer().Commit()
}

// ServeHTTP serves the API and the control paths.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Core is the shared half: faults and call counts.
func (s *Server) Core() *sandbox.Core { return s.core }

// Close closes the journal.
func (s *Server) Close() error { return s.core.Close() }

// label names a request without its ids.
func label(r *http.Request) string {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	for i, p := range parts {
		switch p {
		case "contacts", "search", "merge", "find_by_external_id", "tags", "data_attributes", "me", "archive", "unarchive", "block":
		default:
			parts[i] = "*"
		}
	}
	return r.Method + " /" + strings.Join(parts, "/")
}
