package salesforce

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Config is what one sync needs to reach its object.
type Config struct {
	Connection syncdef.Connection
	Definition syncdef.Definition
	// Secret reads the connection's secret when a login is needed: client_id and
	// client_secret, or for jwt_bearer client_id, username, private_key (PEM) and
	// optionally audience (default https://login.salesforce.com).
	Secret func(ctx context.Context) (map[string]string, error)
	// HTTP makes the calls; nil is a client of its own. Redirects are never followed.
	HTTP *http.Client
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Salesforce is one sync's object at one organisation. It implements
// pipeline.Destination and is safe for concurrent use; it keeps its session.
type Salesforce struct {
	def     syncdef.Definition
	conn    syncdef.Connection
	client  *client
	search  bool     // records without an id are looked up
	members []string // per mapped field, its name as a JSON member: ,"Name":
}

const (
	// maxRecords is the vendor's cap on one call (sObject Collections).
	maxRecords = 200
	// concurrency is calls in flight from one worker: few, because parallel
	// batches lock the same parent rows.
	concurrency = 4
	defaultDay  = 100_000 // calls a day when the connection names no limit
	defaultPart = 50      // percent of it
)

// New checks the configuration; it makes no call.
func New(cfg Config) (*Salesforce, error) {
	def := cfg.Definition
	var faults []error
	if !name(def.Object) {
		faults = append(faults, fmt.Errorf("destination_object %q is not the API name of an object", def.Object))
	}
	for _, f := range def.Fields {
		if !name(f.Destination) {
			faults = append(faults, fmt.Errorf("destination %q is not the API name of a field", f.Destination))
		}
	}
	if def.Strategy != syncdef.MatchNone && !name(def.Match.Destination) {
		faults = append(faults, fmt.Errorf("match.destination %q is not the API name of a field", def.Match.Destination))
	}
	switch def.Operation {
	case syncdef.Upsert, syncdef.Update:
		if def.Strategy == syncdef.MatchNone {
			faults = append(faults, fmt.Errorf("%s needs a matching_strategy: external_id, email_domain, email, name or field", def.Operation))
		}
	case syncdef.Insert:
	default:
		faults = append(faults, fmt.Errorf("operation %q is not carried out at Salesforce yet; allowed: upsert, update, insert", def.Operation))
	}
	client, err := newClient(cfg)
	if err != nil {
		faults = append(faults, err)
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("sync %s to Salesforce: %w", def.Sync, errors.Join(faults...))
	}
	s := &Salesforce{def: def, conn: cfg.Connection, client: client, search: searches(def)}
	for _, f := range def.Fields {
		s.members = append(s.members, string(appendMember(nil, f.Destination)))
	}
	return s, nil
}

// searches reports whether records must be looked up before they are written.
// Upserts by external id are the vendor's own; inserts make new records.
func searches(def syncdef.Definition) bool {
	if def.Operation == syncdef.Insert {
		return false
	}
	return def.Strategy != syncdef.MatchExternalID || def.Operation == syncdef.Update
}

// name reports whether s can be an API name: letters, digits, underscores.
func name(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) < 0
}

// Limits implements pipeline.Destination: the connection's share of the
// organisation's calls in any 24 hours (I7).
func (s *Salesforce) Limits() dest.Limits {
	day, share := s.conn.Quota.CallsPerDay, int64(s.conn.Quota.Share)
	if day == 0 {
		day = defaultDay
	}
	if share == 0 {
		share = defaultPart
	}
	windows := []pace.Window{{Calls: max(1, day*share/100), Per: 24 * time.Hour}}
	return dest.Limits{Concurrency: concurrency, Windows: func(string) []pace.Window { return windows }}
}

// APICalls is how many HTTP calls were made to the API so far, logins excluded:
// more than the pipeline's when a lookup had further pages or a session ended.
func (s *Salesforce) APICalls() int64 { return s.client.calls.Load() }

// Calls implements pipeline.Destination. A call holds one kind of write, and a
// record once: Salesforce refuses an id that is there twice.
func (s *Salesforce) Calls(b dest.Batch) []dest.Call {
	size := maxRecords
	if s.def.BatchSize > 0 {
		size = min(size, s.def.BatchSize)
	}
	var calls []dest.Call
	var open [kinds]struct {
		call int
		seen map[string]struct{}
	}
	for i := range b.Records {
		r := &b.Records[i]
		o := &open[s.kind(r)]
		_, twice := o.seen[r.ID]
		if o.seen == nil || len(calls[o.call].Records) == size || twice {
			calls = append(calls, dest.Call{Records: make([]int, 0, min(size, len(b.Records)-i))})
			o.call, o.seen = len(calls)-1, make(map[string]struct{}, size)
		}
		calls[o.call].Records = append(calls[o.call].Records, i)
		if r.ID != "" {
			o.seen[r.ID] = struct{}{}
		}
	}
	return calls
}

// The kinds of writes.
const (
	upsertKind = iota // by external id
	updateKind        // by Id
	createKind
	kinds
)

// kind is how a record is written. An external id needs no Id, and Salesforce
// refuses both together.
func (s *Salesforce) kind(r *dest.Record) int {
	switch {
	case s.def.Strategy == syncdef.MatchExternalID && s.def.Operation == syncdef.Upsert:
		return upsertKind
	case r.ID != "":
		return updateKind
	}
	return createKind
}

// Push implements pipeline.Destination.
func (s *Salesforce) Push(ctx context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	if len(c.Records) == 0 {
		return nil, nil
	}
	kind := s.kind(&b.Records[c.Records[0]])
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	*buf = s.encode((*buf)[:0], kind, b, c)
	method, path := s.endpoint(kind)
	op := [kinds]string{"upsert ", "update ", "create "}[kind] + s.def.Object
	answer, err := s.client.do(ctx, op, method, path, *buf)
	var lost *lostError
	if errors.As(err, &lost) {
		return lostOutcomes(kind, len(c.Records), lost), nil
	}
	if err != nil {
		return nil, err
	}
	defer answer.free()
	return decodeOutcomes(op, kind, answer.body, len(c.Records))
}

// endpoint is the resource of a kind of write.
func (s *Salesforce) endpoint(kind int) (method, path string) {
	switch kind {
	case upsertKind:
		return http.MethodPatch, "composite/sobjects/" + s.def.Object + "/" + s.def.Match.Destination
	case updateKind:
		return http.MethodPatch, "composite/sobjects"
	}
	return http.MethodPost, "composite/sobjects"
}
