package hubspot

import (
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// Options are what a Server is made from.
type Options struct {
	Token   string   // the one that is taken
	Portal  string   // the account's id; "" is 4711
	Journal string   // file that keeps the records; "" keeps them in memory only
	Schema  []Object // nil is DefaultSchema
	Scopes  []string // of the token; nil is all
	// Accept makes objects and properties that are not known when they are first
	// written to, and tells Notice so.
	Accept bool
	Notice func(line string)
	// WholeBatch fails a whole call for one record, as accounts and versions have been
	// seen to.
	WholeBatch bool
	// Calls in 10 seconds and a day; 0 is 190 and 650,000, negative is no limit.
	TenSeconds, Daily int
	// Window is how long the 10 seconds last; 0 is 10 seconds.
	Window time.Duration
	Now    func() time.Time
}

// A Server is one account. Its methods are safe for concurrent use.
type Server struct {
	core    *sandbox.Core
	opts    Options
	handler http.Handler

	mu      sync.Mutex // orders the store and the limits
	store   *records.Store
	objects []*object
	limits  limits
}

// portalTable keeps the account's id, so that it moves with the journal.
var portalTable = records.Spec{Name: "-portal", Columns: []records.Column{{Name: "id"}}}

// New makes an account, with the records of the journal when it has one.
func New(opts Options) (*Server, error) {
	if opts.Schema == nil {
		opts.Schema = DefaultSchema()
	}
	if opts.Portal == "" {
		opts.Portal = "4711"
	}
	core, err := sandbox.New(sandbox.Options{Journal: opts.Journal, Now: opts.Now, Label: label})
	if err != nil {
		return nil, fmt.Errorf("make the simulated HubSpot: %w", err)
	}
	s := &Server{core: core, opts: opts, limits: newLimits(opts)}
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("make the simulated HubSpot: %w", err)
	}
	s.handler = core.Wrap(s.routes())
	return s, nil
}

// open makes the tables and replays the journal.
func (s *Server) open() error {
	specs := []records.Spec{portalTable}
	for i := range s.opts.Schema {
		o := &s.opts.Schema[i]
		o.Properties = append(system(o.ID == "0-1"), o.Properties...)
		spec := records.Spec{Name: o.Name}
		for j := range o.Properties {
			spec.Columns = append(spec.Columns, o.Properties[j].column())
		}
		specs = append(specs, spec)
	}
	var err error
	if s.store, err = records.Open(s.core, specs...); err != nil {
		return err
	}
	for i, t := range s.store.Tables() {
		switch {
		case i == 0:
		case i <= len(s.opts.Schema):
			s.add(s.opts.Schema[i-1], t)
		default:
			s.add(Object{Name: t.Name(), Singular: t.Name(), ID: fmt.Sprintf("2-%d", 1000+i)}, t)
		}
	}
	portal := s.store.Table(portalTable.Name)
	if portal.Rows() > 0 {
		s.opts.Portal = string(portal.Get(0, 0))
		return nil
	}
	w := s.store.Writer()
	w.Put(portal, records.NewRow, s.core.Now(), []records.Change{{Text: []byte(s.opts.Portal)}})
	return w.Commit()
}

// add takes a table in, with the properties that the journal brought beside the schema's.
func (s *Server) add(o Object, t *records.Table) *object {
	one := &object{Object: o, table: t, secondary: map[string]int{}, merged: map[int]int{}}
	for i := len(o.Properties); i < t.Columns(); i++ {
		p := propertyOf(t.Column(i))
		p.ReadOnly = i < len(system(false)) && len(o.Properties) == 0 || p.Name == propMerged
		one.Properties = append(one.Properties, p)
	}
	if at, ok := t.Lookup(propMore); ok && one.contacts() {
		for row := range t.Rows() {
			one.remember(row, string(t.Get(row, at)))
		}
	}
	for row := range t.Rows() {
		if !t.Deleted(row) {
			one.recall(row)
		}
	}
	s.objects = append(s.objects, one)
	return one
}

// remember keeps a contact's secondary addresses.
func (o *object) remember(row int, list string) {
	for _, address := range strings.Split(list, ";") {
		if address != "" {
			o.secondary[strings.ToLower(address)] = row
		}
	}
}

// ServeHTTP serves the API and the control paths.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Core is the shared half: faults and call counts.
func (s *Server) Core() *sandbox.Core { return s.core }

// Close closes the journal.
func (s *Server) Close() error { return s.core.Close() }

// numbered are the paths of the numeric versions, which stand before the resource.
var numbered = regexp.MustCompile(`^/crm/(v[134])/(objects|properties|schemas|associations)(/|$)`)

// dated writes a numeric path as a dated one.
func dated(path string) string {
	if m := numbered.FindStringSubmatchIndex(path); m != nil {
		version, resource, rest := path[m[2]:m[3]], path[m[4]:m[5]], path[m[5]:]
		if resource == "schemas" {
			return "/crm-object-schemas/" + version + "/schemas" + rest
		}
		return "/crm/" + resource + "/" + version + rest
	}
	return path
}

// versions are those that are served.
var versions = regexp.MustCompile(`^(v3|v4|2025-09|2026-03|2026-09)$`)

// label names a request in the counts, without record ids.
func label(r *http.Request) string {
	parts := strings.Split(dated(r.URL.Path), "/")
	if len(parts) == 6 && parts[2] == "objects" && parts[5] != "search" {
		parts[5] = "{id}"
	}
	return r.Method + " " + strings.Join(parts, "/")
}

// routes are the API, behind token and limits.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+sandbox.Prefix+"records", s.serveRecords)
	for pattern, serve := range map[string]func(*call) *failure{
		"GET /account-info/{version}/details":                  s.details,
		"POST /crm/objects/{version}/{object}/batch/{verb}":    s.batch,
		"POST /crm/objects/{version}/{object}/search":          s.search,
		"POST /crm/objects/{version}/{object}/gdpr-delete":     s.erase,
		"POST /crm/objects/{version}/{object}/merge":           s.merge,
		"POST /crm/objects/{version}/{object}":                 s.create,
		"GET /crm/objects/{version}/{object}":                  s.list,
		"GET /crm/objects/{version}/{object}/{id}":             s.read,
		"PATCH /crm/objects/{version}/{object}/{id}":           s.update,
		"DELETE /crm/objects/{version}/{object}/{id}":          s.remove,
		"GET /crm/properties/{version}/{object}":               s.properties,
		"POST /crm/properties/{version}/{object}":              s.makeProperty,
		"GET /crm/properties/{version}/{object}/{name}":        s.propertyByName,
		"GET /crm-object-schemas/{version}/schemas":            s.schemas,
		"GET /crm-object-schemas/{version}/schemas/{object}":   s.schema,
		"POST /crm/properties/{version}/{object}/batch/{verb}": s.propertyBatch,
	} {
		mux.HandleFunc(pattern, s.guarded(serve))
	}
	mux.HandleFunc("/", s.guarded(func(*call) *failure {
		return &failure{status: http.StatusNotFound, Category: "OBJECT_NOT_FOUND", Message: "resource not found"}
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path := dated(r.URL.Path); path != r.URL.Path {
			again := *r.URL
			again.Path, again.RawPath = path, ""
			r.URL = &again
		}
		mux.ServeHTTP(w, r)
	})
}

// A call is one request under way; the server's lock is held.
type call struct {
	s    *Server
	w    http.ResponseWriter
	r    *http.Request
	body []byte
}

// guarded checks token, limits and version, and takes the lock.
func (s *Server) guarded(serve func(*call) *failure) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := sandbox.Body(r)
		if err != nil {
			http.Error(w, "", http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		c := &call{s: s, w: w, r: r, body: body}
		failed := s.admit(c)
		if failed == nil {
			failed = serve(c)
		}
		if failed != nil {
			c.refuse(failed)
		}
	}
}

// admit is what every request passes first.
func (s *Server) admit(c *call) *failure {
	token, bearer := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	if !bearer || token != s.opts.Token {
		return &failure{status: http.StatusUnauthorized, Category: "INVALID_AUTHENTICATION", Message: "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview"}
	}
	if failed := s.limits.spend(c.w.Header(), s.core.Now(), strings.HasSuffix(c.r.URL.Path, "/search")); failed != nil {
		return failed
	}
	if v := c.r.PathValue("version"); v != "" && !versions.MatchString(v) {
		return &failure{status: http.StatusNotFound, Category: "OBJECT_NOT_FOUND", Message: "resource not found"}
	}
	kind, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if len(c.body) > 0 && (err != nil || kind != "application/json") {
		return &failure{status: http.StatusUnsupportedMediaType, Message: "HTTP 415 Unsupported Media Type"}
	}
	return s.allowed(c.r)
}
