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
	OrgID        string            // of a new organisation, 18 characters; "" makes one, or is the journal's
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
	opts, err := opts.filled()
	if err != nil {
		return nil, fmt.Errorf("salesforce simulator: %w", err)
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

// filled puts the defaults in and reports what makes the options unusable.
func (opts Options) filled() (Options, error) {
	if opts.Schema == nil {
		opts.Schema = DefaultSchema()
	}
	if opts.SchemaFile != "" {
		var err error
		if opts.Schema, err = ReadSchema(opts.SchemaFile, opts.Schema); err != nil {
			return opts, err
		}
	}
	if opts.DailyLimit == 0 {
		opts.DailyLimit = 100_000
	}
	if opts.Version == 0 {
		opts.Version = servedTo
	}
	if opts.OrgID != "" && (!validID(opts.OrgID) || len(opts.OrgID) != 18) {
		return opts, fmt.Errorf("organisation id %q: not an id of 18 characters", opts.OrgID)
	}
	if opts.Credentials.Audiences == nil {
		opts.Credentials.Audiences = []string{"https://login.salesforce.com", "https://test.salesforce.com"}
	}
	if err := opts.Schema.check(); err != nil {
		return opts, fmt.Errorf("schema: %w", err)
	}
	return opts, nil
}

// openStore makes the tables and replays the journal.
func (s *Simulator) openStore(core *sandbox.Core) error {
	var specs []records.Spec
	for i := range s.opts.Schema {
		specs = append(specs, s.opts.Schema[i].spec())
	}
	specs = append(specs, organisationTable)
	store, err := records.Open(core, specs...)
	if err != nil {
		return err
	}
	s.store = store
	for i, t := range store.Tables() {
		if t.Name() == organisationTable.Name {
			continue
		}
		o := Object{Name: t.Name(), Prefix: s.freePrefix()}
		if i < len(s.opts.Schema) {
			o = s.opts.Schema[i]
		}
		o.Fields = append(slices.Clone(o.Fields), added(t, len(o.Fields))...)
		s.addObject(t, o)
	}
	return s.found(core)
}

// addObject makes a stored table known; o has all its columns as fields.
func (s *Simulator) addObject(stored *records.Table, o Object) *table {
	o.Fields = append(slices.Clone(system), o.Fields...)
	t := &table{Table: stored, object: &o}
	s.order = append(s.order, t)
	if o.Access != AccessNone {
		s.tables[strings.ToLower(o.Name)] = t
	}
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

// names lists the objects.
func (s *Simulator) names() []string {
	names := make([]string, len(s.order))
	for i, t := range s.order {
		names[i] = t.object.Name
	}
	return names
}
