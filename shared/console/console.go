// Package console is a web page over the state, for the people of one machine: an
// overview of all syncs, runs as they go, errors with the actions that mend them, one
// sync, one record, and what people did. Pages are rendered here, from what package view
// answers; what is live is the same page's content, sent again as an event when it
// differs. Actions ask before they act.
//
// It deploys nothing, holds no rule of the road, reads no storage itself, and works
// without JavaScript.
package console

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/penstock-data/penstock/shared/app/view"
	"github.com/penstock-data/penstock/shared/netguard"
	"github.com/penstock-data/penstock/shared/run"
)

// Pages answers what is shown: a view.Reader.
type Pages interface {
	Overview(ctx context.Context) (view.Overview, error)
	Names(ctx context.Context) (view.Names, error)
	Run(ctx context.Context, id string) (view.Run, error)
	Sync(ctx context.Context, name string) (view.Sync, error)
	Record(ctx context.Context, connection, key, after string) (view.Record, error)
}

// Errors answers the rows that were not delivered: a view.Reader.
type Errors interface {
	// Errors is a page of them, without their source rows.
	Errors(ctx context.Context, f view.Filter) (view.Errors, error)
	// Error is one of them, its source row with it where that is stored.
	Error(ctx context.Context, ref string) (view.Error, error)
}

// Audit answers what people did, the newest first.
type Audit interface {
	Actions(ctx context.Context, since time.Time, limit int) ([]run.Action, error)
}

// Config says what a Console shows, and how it acts.
type Config struct {
	Pages   Pages
	Errors  Errors
	Audit   Audit    // nil where nobody's actions are kept
	Actions *Actions // nil: it shows only
	// Where is the state's place towards people, "penstock-data" or "stack penstock-prod";
	// Flags what a command needs to work there, such as " --data DIR", "" for nothing.
	Where, Flags string
	// Program is how people start the command line, "penstock".
	Program string
	// Wake waits until the page is to be looked at again; false where ctx ended. It may be
	// called from many goroutines.
	Wake func(ctx context.Context) bool
	Now  func() time.Time
	Zone *time.Location // in which times are written
	Log  *slog.Logger   // takes failures of reading and acting
}

// A Console is the handler. Token opens it: Open is the path that a person is given.
type Console struct {
	cfg     Config
	token   string
	key     []byte // of the sessions
	sets    map[string]*pageSet
	results results
	handler http.Handler
}

// New makes a Console with a token of its own.
func New(cfg Config) (*Console, error) {
	c := &Console{cfg: cfg, token: rand.Text(), key: []byte(rand.Text() + rand.Text())}
	if c.cfg.Program == "" {
		c.cfg.Program = "penstock"
	}
	if c.cfg.Zone == nil {
		c.cfg.Zone = time.UTC
	}
	if err := c.parse(); err != nil {
		return nil, err
	}
	c.handler = c.routes()
	return c, nil
}

// Open is the path, with its query, that lets a browser in.
func (c *Console) Open() string { return "/open?token=" + c.token }

// ServeHTTP answers this machine's browsers alone.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

func (c *Console) routes() http.Handler {
	pages := http.NewServeMux()
	pages.Handle("GET /{$}", c.page(c.overview))
	pages.Handle("GET /run/{id}", c.page(c.run))
	pages.Handle("GET /errors", c.page(c.errors))
	pages.Handle("GET /error", c.page(c.oneError))
	pages.Handle("GET /sync/{name}", c.page(c.sync))
	pages.Handle("GET /record", c.page(c.record))
	pages.Handle("GET /audit", c.page(c.audit))
	pages.Handle("GET /result/{id}", c.page(c.result))
	for name := range acts {
		pages.Handle("GET /confirm/"+name, c.page(c.confirm(name)))
		pages.Handle("POST /do/"+name, c.do(name))
	}
	pages.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { c.fail(w, r, view.ErrNotFound) })

	all := http.NewServeMux()
	all.Handle("GET /static/", assets())
	all.HandleFunc("GET /open", c.open)
	all.Handle("/", c.inside(pages))
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.refuse(w, r, http.StatusForbidden, "The console takes no form of another site.")
	}))
	return headers(netguard.Door{What: "the console"}.Wrap(cross.Handler(all)))
}

// headers forbid what the pages do not need: scripts and styles but their own files,
// frames, guesses at content types, and addresses that are told to others.
func headers(next http.Handler) http.Handler {
	const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin") // with no-referrer, forms would come from the origin null
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// gone reports whether a page's work was ended by the browser that asked for it.
func gone(r *http.Request, err error) bool {
	return r.Context().Err() != nil && errors.Is(err, context.Canceled)
}
