package salesforce

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// Options configure a Simulator.
type Options struct {
	Core       sandbox.Options // journal, clock; Label and Actions are filled in
	Schema     Schema          // nil is DefaultSchema
	SchemaFile string          // adds objects and fields to Schema (ReadSchema); "" adds none
	// AcceptCustom takes names ending in __c that the schema lacks: the field or object
	// is made when something is first sent to it, and Notice is told. Off, such a name
	// is refused as the vendor does.
	AcceptCustom bool
	Notice       func(line string) // nil tells nobody
	Credentials  Credentials       // the External Client App
	OrgID        string            // the organisation's id, 18 characters; "" is one of its own
	Version      int               // the newest API version, whole; 0 is 68
	DailyLimit   int64             // API calls in 24 hours; 0 is 100,000
	// MaxConcurrent is how many requests may be under way before the next is refused;
	// 0 is any number. Salesforce counts only those that take 20 s or more, of which an
	// organisation has 25.
	MaxConcurrent int64
	// DuplicateRules are switched on from the start; SetDuplicateRules changes them.
	DuplicateRules []DuplicateRule
	// MaxLiterals is how many values a query may compare with before it is refused as
	// QUERY_TOO_COMPLICATED; 0 is any number. Salesforce counts what the statement
	// expands to inside, and publishes no number.
	MaxLiterals int
}

// A Simulator is one Salesforce organisation. Its methods are safe for
// concurrent use.
type Simulator struct {
	opts     Options
	core     *sandbox.Core
	handler  http.Handler
	writes   sync.Pool // of *write
	underWay atomic.Int64
	serial   sync.Mutex // AcceptCustom: one call at a time, because any may change the schema

	mu       sync.Mutex
	store    *records.Store
	rules    []DuplicateRule
	none     *records.Table    // see empty
	tables   map[string]*table // by lower-case name
	order    []*table
	sessions map[string]bool
	usage    usage
	cursors  cursors
}

// New opens an organisation and replays its journal.
func New(opts Options) (*Simulator, error) {
	if opts.Schema == nil {
		opts.Schema = DefaultSchema()
	}
	if opts.SchemaFile != "" {
		var err error
		if opts.Schema, err = ReadSchema(opts.SchemaFile, opts.Schema); err != nil {
			return nil, fmt.Errorf("salesforce simulator: %w", err)
		}
	}
	if opts.DailyLimit == 0 {
		opts.DailyLimit = 100_000
	}
	if opts.Version == 0 {
		opts.Version = servedTo
	}
	if opts.OrgID == "" {
		opts.OrgID = "00D5g0000000001EAA"
	}
	if !validID(opts.OrgID) || len(opts.OrgID) != 18 {
		return nil, fmt.Errorf("salesforce simulator: organisation id %q: not an id of 18 characters", opts.OrgID)
	}
	if opts.Credentials.Audiences == nil {
		opts.Credentials.Audiences = []string{"https://login.salesforce.com", "https://test.salesforce.com"}
	}
	if err := opts.Schema.check(); err != nil {
		return nil, fmt.Errorf("salesforce simulator: schema: %w", err)
	}
	s := &Simulator{opts: opts, rules: opts.DuplicateRules, tables: map[string]*table{}, sessions: map[string]bool{}}
	s.writes.New = func() any { return &write{in: &incoming{}, first: map[uint64]int{}} }
	opts.Core.Label = label
	opts.Core.Actions = map[string]func(){"expire_sessions": s.ExpireSessions}
	core, err := sandbox.New(opts.Core)
	if err != nil {
		return nil, fmt.Errorf("salesforce simulator: %w", err)
	}
	if err := s.openStore(core); err != nil {
		core.Close() //nolint:errcheck // the first error says it
		return nil, fmt.Errorf("salesforce simulator: %w", err)
	}
	s.core = core
	s.handler = core.Wrap(http.HandlerFunc(s.serve))
	return s, nil
}

// openStore makes the tables and replays the journal.
func (s *Simulator) openStore(core *sandbox.Core) error {
	var specs []records.Spec
	for i := range s.opts.Schema {
		specs = append(specs, s.opts.Schema[i].spec())
	}
	store, err := records.Open(core, specs...)
	if err != nil {
		return err
	}
	s.store = store
	for i, t := range store.Tables() {
		o := Object{Name: t.Name(), Prefix: s.freePrefix()}
		if i < len(s.opts.Schema) {
			o = s.opts.Schema[i]
		}
		o.Fields = append(slices.Clone(o.Fields), added(t, len(o.Fields))...)
		s.addObject(t, o)
	}
	return nil
}

// addObject makes a stored table known; o has all its columns as fields.
func (s *Simulator) addObject(stored *records.Table, o Object) *table {
	o.Fields = append(slices.Clone(system), o.Fields...)
	t := &table{Table: stored, object: &o}
	s.order = append(s.order, t)
	s.tables[strings.ToLower(o.Name)] = t
	return t
}

// Core gives access to faults and counts.
func (s *Simulator) Core() *sandbox.Core { return s.core }

// Close closes the journal.
func (s *Simulator) Close() error { return s.core.Close() }

// ServeHTTP implements http.Handler.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, sandbox.Prefix) {
		s.underWay.Add(1) // waits of faults included
		defer s.underWay.Add(-1)
	}
	s.handler.ServeHTTP(w, r)
}

// label names calls without version, ids and queries: "PATCH /composite/sobjects/Account/X__c".
func label(r *http.Request) string {
	if m := dataPath.FindStringSubmatch(r.URL.Path); m != nil {
		rest := m[2]
		if strings.HasPrefix(rest, "query/") && rest != "query/" {
			rest = "query/NEXT"
		}
		return r.Method + " /" + rest
	}
	return r.Method + " " + r.URL.Path
}

// serve is the vendor's API and the listing of records.
func (s *Simulator) serve(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case sandbox.Prefix + "records":
		s.serveRecords(w, r)
		return
	case sandbox.Prefix + "duplicate_rules":
		s.serveRules(w, r)
		return
	case "/services/oauth2/token":
		s.serveToken(w, r)
		return
	case "/services/data", "/services/data/":
		s.serveVersions(w)
		return
	}
	if strings.HasPrefix(r.URL.Path, sandbox.Prefix) {
		http.NotFound(w, r)
		return
	}
	if tooLong(w, r) {
		return
	}
	if s.opts.AcceptCustom {
		s.serial.Lock()
		defer s.serial.Unlock()
	}
	refusal := s.authorised(r)
	if refusal == nil {
		refusal = s.spend(w)
	}
	if refusal == nil {
		refusal = s.crowded()
	}
	if refusal == nil {
		refusal = readable(r)
	}
	if refusal == nil {
		refusal = s.route(w, r, false)
	}
	if refusal != nil {
		refusal.write(w)
	}
}

// route finds the resource. nested is a composite's subrequest.
func (s *Simulator) route(w http.ResponseWriter, r *http.Request, nested bool) *apiError {
	if path := r.URL.Path; path == "/services/oauth2/userinfo" || strings.HasPrefix(path, "/id/"+s.opts.OrgID+"/") {
		s.serveIdentity(w, r)
		return nil
	}
	m := dataPath.FindStringSubmatch(r.URL.Path)
	if m == nil {
		return notFound()
	}
	if refusal := s.served(m[1]); refusal != nil {
		return refusal
	}
	parts := strings.Split(m[2], "/")
	switch {
	case m[2] == "" && r.Method == http.MethodGet && !nested:
		return s.serveResources(w, m[1])
	case parts[0] == "query" && len(parts) <= 2 && r.Method == http.MethodGet:
		return s.serveQuery(w, r, m[1], parts[1:])
	case m[2] == "limits" && r.Method == http.MethodGet:
		s.serveLimits(w)
		return nil
	case parts[0] == "sobjects" && len(parts) == 3 && parts[2] == "describe" && r.Method == http.MethodGet:
		return s.serveDescribe(w, parts[1])
	case m[2] == "composite" && r.Method == http.MethodPost && !nested:
		return s.serveComposite(w, r)
	case m[2] == "composite/sobjects":
		return s.serveCollection(w, r)
	case parts[0] == "composite" && len(parts) == 4 && parts[1] == "sobjects":
		return s.serveUpsert(w, r, parts[2], parts[3])
	}
	return notFound()
}

func (s *Simulator) serveCollection(w http.ResponseWriter, r *http.Request) *apiError {
	switch r.Method {
	case http.MethodPost:
		return s.serveWrite(w, r, create, nil, 0)
	case http.MethodPatch:
		return s.serveWrite(w, r, update, nil, 0)
	case http.MethodDelete:
		return s.serveDelete(w, r)
	}
	return notAllowed(r.Method)
}

func (s *Simulator) serveUpsert(w http.ResponseWriter, r *http.Request, object, field string) *apiError {
	if r.Method != http.MethodPatch {
		return notAllowed(r.Method)
	}
	t, err := s.object(object)
	if err != nil {
		return unknown(err)
	}
	if t == nil {
		return notFound()
	}
	i, known := t.field(field)
	if !known && s.custom(field) {
		known = true
		if i, err = s.newField(t, field, nil, true); err != nil {
			return unknown(err)
		}
	}
	if !known || !t.object.Fields[i].ExternalID {
		return &apiError{status: http.StatusNotFound, code: "NOT_FOUND", message: "Provided external ID field does not exist or is not accessible: " + field}
	}
	return s.serveWrite(w, r, upsert, t, i)
}

// serveDelete is DELETE composite/sobjects?ids=a,b&allOrNone=false.
func (s *Simulator) serveDelete(w http.ResponseWriter, r *http.Request) *apiError {
	ids := strings.Split(r.URL.Query().Get("ids"), ",")
	if len(ids) > maxRecords {
		return &apiError{status: http.StatusBadRequest, code: "EXCEEDED_ID_LIMIT", message: "record limit reached. cannot submit more than 200 records into this call"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out, changes := []byte{'['}, s.store.Writer()
	for i, id := range ids {
		if i > 0 {
			out = append(out, ',')
		}
		t, row, errs := s.findAny(id)
		if errs != nil {
			out = appendFailure(out, errs)
			continue
		}
		changes.Remove(t.Table, row)
		out = append(t.appendID(append(out, `{"id":"`...), row), `","success":true,"errors":[]}`...)
	}
	if err := changes.Commit(); err != nil {
		return unknown(err)
	}
	answer(w, http.StatusOK, append(out, ']'))
	return nil
}

// findAny finds a living record of any object by id.
func (s *Simulator) findAny(id string) (*table, int, []fieldError) {
	for _, t := range s.order {
		row, valid := t.row([]byte(id))
		switch {
		case !valid:
			continue
		case row >= t.Rows():
			return nil, 0, fault("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", "")
		case t.Deleted(row):
			return nil, 0, fault("ENTITY_IS_DELETED", "entity is deleted", "")
		}
		return t, row, nil
	}
	return nil, 0, fault("MALFORMED_ID", "malformed id "+id, "")
}

// names lists the objects.
func (s *Simulator) names() []string {
	names := make([]string, len(s.order))
	for i, t := range s.order {
		names[i] = t.object.Name
	}
	return names
}
