package pipeline_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A simVendor is the destination of a simulation: what it holds, and who it makes
// suffer. Names are sync/key.
type simVendor struct {
	s       *sim
	books   map[string]*book           // by account
	causes  map[string]map[string]bool // which codes were answered for a record
	halts   map[string]bool            // the same of a sync
	grants  []time.Time                // of calls that cost
	paused  bool                       // something was answered that is the connection's
	resends map[string]map[string]bool // what a person's retries of the type unknown sent again, by name
}

// A book is what one account holds.
type book struct {
	values map[string]int          // what it holds
	sends  map[string]int          // how often a record was stored, but for a stalled worker's repeats
	ever   map[string]map[int]bool // all values that it held
	held   map[string]int64        // sequence of what it holds
	pinned bool                    // the connection may deliver to it
	epoch  int64                   // of the targets that are its
}

// firstOrg is the account of the connection's first settings.
const firstOrg = "org-1"

func newSimVendor(s *sim) *simVendor {
	return &simVendor{s: s, books: map[string]*book{}, causes: map[string]map[string]bool{}, halts: map[string]bool{}, resends: map[string]map[string]bool{}}
}

// at is what an account holds.
func (v *simVendor) at(org string) *book {
	b := v.books[org]
	if b == nil {
		b = &book{values: map[string]int{}, sends: map[string]int{}, ever: map[string]map[int]bool{}, held: map[string]int64{}}
		v.books[org] = b
	}
	return b
}

// pins notes which account the connection may deliver to, and with which targets.
func (v *simVendor) pins(c syncdef.Stored) {
	if c.Account != "" {
		b := v.at(c.Account)
		b.pinned, b.epoch = true, c.Epoch
	}
}

// ever reports whether some account held a value.
func (v *simVendor) ever(name string, value int) bool {
	for _, b := range v.books {
		if b.ever[name][value] {
			return true
		}
	}
	return false
}

// sent is how often all accounts stored a record.
func (v *simVendor) sent(name string) (n int) {
	for _, b := range v.books {
		n += b.sends[name]
	}
	return n
}

// resend notes that a retry sends a record again that may have arrived.
func (v *simVendor) resend(name, retry string) {
	if v.resends[name] == nil {
		v.resends[name] = map[string]bool{}
	}
	v.resends[name][retry] = true
}

// spell reports whether something is out of order now.
func (s *sim) spell(kind string) bool {
	if s.healed {
		return false
	}
	at := s.now.Sub(epoch) - s.shift
	for _, sp := range s.plan.Spells {
		if sp.Kind == kind && at >= sp.At && at < sp.At+sp.For {
			s.hits["spell:"+kind]++
			return true
		}
	}
	return false
}

// A simAccount is the vendor as one process has it open.
type simAccount struct {
	p     *proc
	org   string
	calls int64
}

func (a *simAccount) down() (failed *dest.CallError) {
	defer func() { a.p.s.vendor.paused = a.p.s.vendor.paused || failed != nil }()
	switch s := a.p.s; {
	case s.spell("outage"):
		return &dest.CallError{Op: "call", Class: dest.Unavailable, Code: "503", Message: "503"}
	case s.spell("login"):
		return &dest.CallError{Op: "log in", Class: dest.Configuration, Scope: dest.ScopeConnection, Code: "login", Message: "the secret is refused"}
	case s.spell("throttle"):
		return &dest.CallError{Op: "call", Class: dest.Throttled, Code: "429", Message: "429", After: 20 * time.Second}
	}
	return nil
}

func (a *simAccount) Identity(context.Context) (string, error) {
	a.p.meet("Identity")
	if f := a.down(); f != nil {
		return "", f
	}
	return a.org, nil
}

func (a *simAccount) Probe(ctx context.Context) error {
	a.p.meet("Probe")
	if end, ok := ctx.Deadline(); ok && !a.p.now().Before(end) {
		return context.DeadlineExceeded
	}
	if f := a.down(); f != nil {
		return f
	}
	return nil
}

func (a *simAccount) APICalls() int64 { return a.calls }
func (a *simAccount) Limits() dest.Limits {
	l := dest.Limits{Concurrency: 1}
	if q := a.p.s.plan.Quota; q > 0 {
		if p := a.p.s.plan; p.Moving {
			// Every worker knows of it at another time.
			known := a.p.now().Add(time.Duration(slices.Index(a.p.s.workers, a.p)) * 7 * time.Second)
			q = max(1, q>>(known.Unix()/20%3))
		}
		l.Windows = func(string) []pace.Window { return []pace.Window{{Calls: q, Per: 10 * time.Second}} }
	}
	return l
}

func (a *simAccount) Open(v syncdef.Version) (dest.Destination, error) { return &simEnd{a, v}, nil }

// A simEnd is one version's end at an account.
type simEnd struct {
	a *simAccount
	v syncdef.Version
}

func (e *simEnd) name(key string) string { return e.v.Definition.Sync + "/" + key }

func (e *simEnd) Lookups(b dest.Batch) []dest.Call {
	var call dest.Call
	for i, r := range b.Records {
		if r.Intent && e.v.Rules.Lookup || r.ID == "" && !e.v.Rules.Once && e.a.p.s.plan.Search {
			call.Records = append(call.Records, i)
		}
	}
	if len(call.Records) == 0 {
		return nil
	}
	call.Costs = []dest.Cost{{Tokens: 1}}
	return []dest.Call{call}
}

func (e *simEnd) Lookup(ctx context.Context, b dest.Batch, call dest.Call) ([]dest.Outcome, error) {
	s := e.a.p.s
	kind, failed := e.begin(ctx, "Lookup", b, call)
	if failed != nil {
		return nil, failed
	}
	out := make([]dest.Outcome, len(call.Records))
	for n, i := range call.Records {
		name := e.name(b.Records[i].Key)
		switch there := s.vendor.at(e.a.org).sends[name] > 0; {
		case !there && b.Records[i].Delete:
			out[n] = dest.Outcome{Status: dest.Delivered}
		case there && e.v.Rules.Once:
			out[n] = dest.Outcome{Status: dest.Delivered, ID: "id-" + name}
		case there:
			out[n] = dest.Outcome{Status: dest.Found, ID: "id-" + name}
		}
	}
	return e.answer(ctx, kind, b, call, out)
}

func (e *simEnd) Calls(b dest.Batch, most int) []dest.Call {
	size := e.a.p.s.plan.CallSize
	if most > 0 {
		size = min(size, most)
	}
	var calls []dest.Call
	for i := range b.Records {
		if i%size == 0 {
			calls = append(calls, dest.Call{Costs: []dest.Cost{{Tokens: 1}}})
		}
		last := &calls[len(calls)-1]
		last.Records = append(last.Records, i)
	}
	return calls
}

func (e *simEnd) Push(ctx context.Context, b dest.Batch, call dest.Call) ([]dest.Outcome, error) {
	s := e.a.p.s
	kind, failed := e.begin(ctx, "Push", b, call)
	if failed != nil {
		return nil, failed
	}
	if kind == "hang" && s.plan.Late && !e.v.Rules.Once {
		e.late(b, call)
		return e.answer(ctx, kind, b, call, nil)
	}
	out := make([]dest.Outcome, len(call.Records))
	for n, i := range call.Records {
		name := e.name(b.Records[i].Key)
		switch {
		case kind == "partial" && n >= (len(call.Records)+1)/2:
		case s.lasts(s.plan.Refused, name):
			out[n] = e.say(name, dest.Outcome{Status: dest.Rejected, Code: "refused", Message: "never"})
		case slices.Contains(s.plan.Busy, name) && !s.healed, kind == "busy" && n == 0:
			out[n] = e.say(name, dest.Outcome{Status: dest.Retry, Code: "busy", Message: "locked"})
		default:
			created := e.store(b.Run, name, b.Records[i])
			out[n] = dest.Outcome{Status: dest.Delivered, ID: "id-" + name, Created: created}
			if kind == "unknown" && n == 0 {
				out[n] = e.say(name, dest.Outcome{Status: dest.Unknown, Message: "no answer"})
			}
		}
	}
	mixed := 0
	for _, o := range out {
		if o.Status == dest.Delivered {
			mixed |= 1
		} else {
			mixed |= 2
		}
	}
	if mixed == 3 {
		s.hits["cell:partial success"]++
	}
	return e.answer(ctx, kind, b, call, out)
}

// late carries a push out when its caller has given it up, or not yet: at the latest a
// moment before its messages would come back if its worker had died.
func (e *simEnd) late(b dest.Batch, call dest.Call) {
	s, p := e.a.p.s, *e.a.p
	left := p.since.Add(hidden - 5*time.Second).Sub(s.now)
	after := time.Duration(s.rng.Int64N(int64(max(left, 1))))
	then, at := &simEnd{&simAccount{p: &p, org: e.a.org}, e.v}, s.now.Add(after)
	s.spawn(after, func(*task) {
		if s.now.After(at) { // time stood still for the workers alone, and a vendor does not wait for them
			return
		}
		s.hits["cell:late"]++
		for _, i := range call.Records {
			if name := e.name(b.Records[i].Key); !s.lasts(s.plan.Refused, name) {
				then.store(b.Run, name, b.Records[i])
			}
		}
	})
}

func (e *simEnd) say(name string, o dest.Outcome) dest.Outcome {
	code := o.Code
	if o.Status == dest.Unknown {
		code = "no_answer"
	}
	e.a.p.s.vendor.caused(name, code)
	return o
}

func (e *simEnd) names(b dest.Batch, call dest.Call) (names []string) {
	for _, i := range call.Records {
		names = append(names, e.name(b.Records[i].Key))
	}
	return names
}

func (v *simVendor) caused(name, code string) {
	if v.causes[name] == nil {
		v.causes[name] = map[string]bool{}
	}
	v.causes[name][code] = true
}

// begin is what may happen to a call before the vendor carries it out.
func (e *simEnd) begin(ctx context.Context, port string, b dest.Batch, call dest.Call) (kind string, failed error) {
	s := e.a.p.s
	v := s.vendor
	kind = e.a.p.meet(port)
	e.a.calls++
	v.spend()
	all := func(f *dest.CallError) error {
		s.trace("%s of %s fails: %+v", port, e.names(b, call), *f)
		for _, i := range call.Records {
			v.caused(e.name(b.Records[i].Key), f.Code)
		}
		return f
	}
	if f := e.a.down(); f != nil {
		return kind, all(f)
	}
	if port == "Push" && e.broken() {
		v.halts[e.v.Definition.Sync] = true
		f := &dest.CallError{Op: "upsert", Class: dest.Configuration, Scope: dest.ScopeVersion, Code: "INVALID_FIELD", Message: "no such field"}
		if s.plan.Seed%2 == 0 {
			f.Class, f.Scope = dest.Unavailable, dest.ScopeUntold
		}
		return kind, all(f)
	}
	for _, i := range call.Records {
		if s.lasts(s.plan.Poison, e.name(b.Records[i].Key)) {
			s.hits["poison"]++
			return kind, all(&dest.CallError{Op: "upsert", Class: dest.Unavailable, Code: "500", Message: "500",
				Received: !s.plan.Calm || !e.v.Rules.Once || e.v.Rules.Lookup}) // else the whole call may have arrived, and ends unknown
		}
	}
	v.paused = v.paused || kind == "throttle" || kind == "throttle-long" || kind == "login"
	switch kind {
	case "500":
		return kind, all(&dest.CallError{Op: "upsert", Class: dest.Unavailable, Code: "502", Message: "502"})
	case "throttle":
		return kind, all(&dest.CallError{Op: "upsert", Class: dest.Throttled, Code: "429", Message: "429", After: time.Second})
	case "throttle-long":
		return kind, all(&dest.CallError{Op: "upsert", Class: dest.Throttled, Code: "429", Message: "429", After: 5 * time.Minute})
	case "login":
		return kind, all(&dest.CallError{Op: "upsert", Class: dest.Configuration, Scope: dest.ScopeConnection, Code: "login", Message: "401"})
	case "refused":
		return kind, all(&dest.CallError{Op: "upsert", Class: dest.Refused, Code: "413", Message: "413"})
	}
	return kind, nil
}

// broken reports whether the version names a field that the vendor does not have.
func (e *simEnd) broken() bool {
	return slices.ContainsFunc(e.v.Definition.Fields, func(f syncdef.Field) bool { return f.Destination == "Broken__c" })
}

// answer is what becomes of the answer of a call that was carried out.
func (e *simEnd) answer(ctx context.Context, kind string, b dest.Batch, call dest.Call, out []dest.Outcome) ([]dest.Outcome, error) {
	s, p := e.a.p.s, e.a.p
	lost := func(code string) error {
		s.trace("the answer about %s is lost: %s", e.names(b, call), code)
		for _, i := range call.Records {
			s.vendor.caused(e.name(b.Records[i].Key), code)
		}
		return &dest.CallError{Op: "upsert", Class: dest.Unavailable, Code: code, Message: code, Received: true}
	}
	if s.spell("reset") { // no call of the sync is answered, and the connection lives: it looks like a broken version
		s.vendor.halts[e.v.Definition.Sync] = true
		if kind != "hang" || !s.plan.Late { // what is carried out late is not answered sooner: its caller waits, or gives it up
			return nil, lost("reset")
		}
	}
	switch kind {
	case "die-after":
		p.die()
	case "lost", "partial":
		return nil, lost("reset")
	case "hang":
		if end, ok := ctx.Deadline(); ok {
			for left := end.Sub(p.now()); left > 0; left = end.Sub(p.now()) { // the clock may be set back meanwhile
				p.wait(left)
			}
		} else {
			p.wait(70 * time.Second)
		}
		return nil, lost("timeout")
	case "short":
		for _, i := range call.Records {
			s.vendor.caused(e.name(b.Records[i].Key), "unreadable_answer")
		}
		return out[:len(out)/2], nil
	}
	return out, nil
}

// lasts reports whether a record is among those in lasting trouble. Of a sync that
// stops at an error people mend it in the end: else nothing could follow it.
func (s *sim) lasts(all []string, name string) bool {
	return slices.Contains(all, name) && !(s.healed && s.plan.Stop[slices.Index(syncNames[:], run.SyncOf(strings.Replace(name, "/", ".", 1)))])
}

// store keeps a record. An older value than is held breaks I3.
func (e *simEnd) store(runID, name string, r dest.Record) (created bool) {
	s := e.a.p.s
	v := s.vendor.at(e.a.org)
	if !v.pinned {
		s.fails("%s was delivered to the account %s, which nobody accepted", name, e.a.org)
	}
	value := -1
	if r.Delete {
		value = removed
	}
	for _, f := range r.Fields {
		if f.Name == "Value__c" {
			value, _ = strconv.Atoi(string(f.Value))
		}
	}
	at, ok := s.model.cancelled[runID]
	if !ok && run.IsDue(runID) {
		at, ok = s.model.cancelled[run.OriginalOf(runID)]
	}
	if ok && at.Before(e.a.p.since) {
		s.fails("%s of run %s was delivered, which was cancelled at %v, before the worker had it in hand", name, runID, at.Sub(epoch))
	}
	s.trace("store %s = %d by run %s", name, value, runID)
	if value == removed {
		e.order(runID, name, r.Key, value)
		v.values[name], v.sends[name] = removed, 0
		return false
	}
	created = v.sends[name] == 0
	v.sends[name]++
	switch {
	case !e.v.Rules.Once || created:
	case e.a.p.stalls: // it counts for no retry
		s.hits["exempt:stalled"]++
		v.sends[name]--
	case v.sends[name] <= 1+len(s.vendor.resends[name]):
		s.hits["exempt:asked for"]++
	default:
		s.fails("%s was sent %d times", name, v.sends[name])
	}
	if value < 0 {
		return created
	}
	e.order(runID, name, r.Key, value)
	v.values[name] = value
	if v.ever[name] == nil {
		v.ever[name] = map[int]bool{}
	}
	v.ever[name][value] = true
	return created
}

// removed is the value of a record that was deleted.
const removed = -2

// order holds a value against the one that is there (I3). Not promised: a worker
// that stalled between its check and its send, and one that died, or whose storage
// failed, between the newer value's push and its commit.
func (e *simEnd) order(runID, name, key string, value int) {
	s := e.a.p.s
	v := s.vendor.at(e.a.org)
	held, there := v.values[name]
	mine, known := s.model.sequence[cell{run.OriginalOf(runID), name, value}]
	if value == removed {
		mine, known = s.model.deletions[run.OriginalOf(runID)+" "+name]
	}
	theirs := v.held[name]
	v.held[name] = mine
	if !known {
		s.fails("%s got %d, which nobody pushed in run %s", name, value, runID)
		return
	}
	if mine >= theirs || !there || held == value {
		return
	}
	target := ledger.Target(&e.v.Definition, &e.v.Rules, v.epoch)
	entries, err := s.store.Entries(bg, target, []string{key})
	if err != nil {
		s.fails("%v", err)
	}
	switch {
	case entries[key].Sequence() < theirs:
		s.hits["exempt:not committed"]++
	case e.a.p.stalls:
		s.hits["exempt:stalled"]++
	default:
		s.fails("I3: %s held %d (sequence %d) and got %d (%d) by run %s; the ledger says %+v", name, held, theirs, value, mine, runID, entries[key].Last)
	}
}

// spend holds the calls against the quota (I7).
func (v *simVendor) spend() {
	q := v.s.plan.Quota
	if q == 0 {
		return
	}
	v.grants = append(v.grants, v.s.now)
	if i := len(v.grants) - 1 - int(q); i >= 0 && v.s.now.Sub(v.grants[i]) < 10*time.Second {
		v.s.fails("I7: %d calls within %v", q+1, v.s.now.Sub(v.grants[i]))
	}
}

var simRules = row.Identity{Steps: []row.Step{row.StepTrim}}
