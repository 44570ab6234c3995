package salesforce

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/penstock-data/penstock/shared/sandbox"
)

// Options configure a Simulator.
type Options struct {
	Core        sandbox.Options // journal, clock; Label and Actions are filled in
	Schema      Schema          // nil is DefaultSchema
	Credentials Credentials     // the connected app
	DailyLimit  int64           // API calls in 24 hours; 0 is 100,000
}

// A Simulator is one Salesforce organisation. Its methods are safe for
// concurrent use.
type Simulator struct {
	opts        Options
	core        *sandbox.Core
	handler     http.Handler
	fingerprint uint32
	writes      sync.Pool // of *write

	mu       sync.Mutex
	tables   map[string]*table // by lower-case name
	order    []*table
	position map[*table]int
	sessions map[string]bool
	usage    usage
	cursors  cursors
}

// New opens an organisation and replays its journal.
func New(opts Options) (*Simulator, error) {
	if opts.Schema == nil {
		opts.Schema = DefaultSchema()
	}
	if opts.DailyLimit == 0 {
		opts.DailyLimit = 100_000
	}
	if opts.Credentials.Audiences == nil {
		opts.Credentials.Audiences = []string{"https://login.salesforce.com", "https://test.salesforce.com"}
	}
	if err := opts.Schema.check(); err != nil {
		return nil, fmt.Errorf("salesforce simulator: schema: %w", err)
	}
	s := &Simulator{
		opts: opts, fingerprint: opts.Schema.fingerprint(),
		tables: map[string]*table{}, position: map[*table]int{}, sessions: map[string]bool{},
	}
	s.writes.New = func() any { return &write{in: &incoming{}, touched: map[touch]bool{}} }
	for _, o := range opts.Schema {
		o.Fields = append(slices.Clone(system), o.Fields...)
		t := newTable(&o)
		s.position[t] = len(s.order)
		s.order = append(s.order, t)
		s.tables[strings.ToLower(o.Name)] = t
	}
	opts.Core.Label = label
	opts.Core.Actions = map[string]func(){"expire_sessions": s.ExpireSessions}
	core, err := sandbox.New(opts.Core)
	if err != nil {
		return nil, fmt.Errorf("salesforce simulator: %w", err)
	}
	if err := core.Replay(s.replay); err != nil {
		core.Close() //nolint:errcheck // the first error says it
		return nil, fmt.Errorf("salesforce simulator: %w", err)
	}
	s.core = core
	s.handler = core.Wrap(http.HandlerFunc(s.serve))
	return s, nil
}

// Core gives access to faults and counts.
func (s *Simulator) Core() *sandbox.Core { return s.core }

// Close closes the journal.
func (s *Simulator) Close() error { return s.core.Close() }

// ServeHTTP implements http.Handler.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

var dataPath = regexp.MustCompile(`^/services/data/v(\d{2,3}\.0)/(.*)$`)

// label names calls without version, ids and queries: "PATCH /composite/sobjects/Account/X__c".
func label(r *http.Request) string {
	if m := dataPath.FindStringSubmatch(r.URL.Path); m != nil {
		rest := m[2]
		if strings.HasPrefix(rest, "query/") {
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
	case "/services/oauth2/token":
		s.serveToken(w, r)
		return
	}
	if strings.HasPrefix(r.URL.Path, sandbox.Prefix) {
		http.NotFound(w, r)
		return
	}
	if tooLong(w, r) {
		return
	}
	refusal := s.authorised(r)
	if refusal == nil {
		refusal = s.spend(w)
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
	m := dataPath.FindStringSubmatch(r.URL.Path)
	if m == nil {
		return notFound()
	}
	parts := strings.Split(m[2], "/")
	switch {
	case m[2] == "" && r.Method == http.MethodGet && !nested:
		return s.serveResources(w, m[1])
	case parts[0] == "query" && len(parts) <= 2 && r.Method == http.MethodGet:
		return s.serveQuery(w, r, m[1], parts[1:])
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
	t := s.tables[strings.ToLower(object)]
	if t == nil {
		return notFound()
	}
	i, known := t.field(field)
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
	out, entry := []byte{'['}, []byte(nil)
	for i, id := range ids {
		if i > 0 {
			out = append(out, ',')
		}
		t, row, errs := s.findAny(id)
		if errs != nil {
			out = appendFailure(out, errs)
			continue
		}
		t.remove(row)
		entry = appendRow(s.beginEntry(entry), entryDelete, s.position[t], row, s.core.Now().Unix(), 0)
		out = append(t.appendID(append(out, `{"id":"`...), row), `","success":true,"errors":[]}`...)
	}
	if entry != nil {
		if err := s.core.Commit(entry); err != nil {
			return &apiError{status: http.StatusInternalServerError, code: "UNKNOWN_EXCEPTION", message: err.Error()}
		}
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
		case row >= t.rows():
			return nil, 0, fault("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", "")
		case t.deleted[row]:
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
