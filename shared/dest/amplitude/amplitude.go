package amplitude

import (
	"context"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Vendor is Amplitude as a destination type.
var Vendor = dest.Vendor{Kind: Kind, Open: open, Anonymous: true}

// Amplitude's caps on a batch ("Batch Event Upload API").
const (
	maxEvents = 2000
	maxBytes  = 20_000_000
	overhead  = 4096 // of a request beside its events
)

func open(cfg dest.Config) (dest.Account, error) {
	c, err := newClient(cfg)
	if err != nil {
		return nil, &dest.CallError{Op: "open Amplitude", Class: dest.Configuration, Scope: dest.ScopeConnection, Code: "invalid_settings", Message: "connection " + cfg.Connection.Name + ": " + err.Error()}
	}
	return &account{client: c, updates: newUpdates()}, nil
}

// An account is one project; it implements dest.Account.
type account struct {
	client  *client
	updates *updates
}

// Identity is empty: Amplitude tells nobody which project an API key is of.
func (a *account) Identity(context.Context) (string, error) { return "", nil }

// Probe sends a batch without events, which is refused where the key is taken or
// before it is looked at; either way Amplitude answers.
func (a *account) Probe(ctx context.Context) error {
	const op = "probe Amplitude"
	key, err := a.client.apiKey(ctx, op)
	if err != nil {
		return err
	}
	body := rawjson.AppendQuote([]byte(`{"api_key":`), key)
	r, err := a.client.post(ctx, op, append(body, `,"events":[]}`...))
	if err != nil {
		return err
	}
	if failed := judgeProbe(op, r, a.client.now()); failed != nil {
		a.refused(failed)
		return failed
	}
	return nil
}

// refused forgets a key that Amplitude does not take.
func (a *account) refused(failed *dest.CallError) {
	if failed.Code == codeKey {
		a.client.forget()
	}
}

// Limits are this package's own: see the package comment.
func (a *account) Limits() dest.Limits {
	return dest.Limits{Concurrency: concurrency, InFlight: inFlight, Probe: []dest.Cost{{Tokens: 1}}, Windows: func(string) []pace.Window { return []pace.Window{{Calls: perSecond, Per: time.Second}} }}
}

// APICalls counts every request.
func (a *account) APICalls() int64 { return a.client.calls.Load() }

// Open makes the destination of a version.
func (a *account) Open(v syncdef.Version) (dest.Destination, error) {
	least, err := minID(&v.Definition)
	if err != nil {
		return nil, &dest.CallError{Op: "open sync " + v.Definition.Sync, Class: dest.Configuration, Scope: dest.ScopeVersion, Code: "invalid_definition", Message: err.Error()}
	}
	d := &destination{account: a, sync: v.Definition.Sync, minID: least, spreads: v.Rules.Spread, operations: map[string]string{}}
	if size := v.Definition.BatchSize; size != syncdef.DefaultBatchSize {
		d.most = size // the default is half a batch, and is not meant to halve it
	}
	for i := range v.Definition.Fields {
		f := &v.Definition.Fields[i]
		property := f.Destination
		if v.Rules.Nested {
			property = syncdef.TopField(property)
		}
		d.operations[property] = operationOf(f)
	}
	return d, nil
}

// A destination is one version's users; it implements dest.Destination.
type destination struct {
	account    *account
	sync       string
	minID      int
	most       int               // events a call by the definition; 0 for the vendor's cap
	operations map[string]string // property -> operation
	spreads    bool              // the members of an object are properties too
}

// operation is how a property is changed.
func (d *destination) operation(property string) string {
	if op := d.operations[property]; op != "" {
		return op
	}
	return opSet
}

// Lookups has none: an event finds its user.
func (d *destination) Lookups(dest.Batch) []dest.Call { return nil }

// Lookup is never called.
func (d *destination) Lookup(context.Context, dest.Batch, dest.Call) ([]dest.Outcome, error) {
	return nil, &dest.CallError{Op: "look up users", Class: dest.Configuration, Scope: dest.ScopeVersion, Code: "no_lookup", Message: "Amplitude's users are not looked up"}
}

// Calls cuts by Amplitude's caps on a batch's events and bytes, and by batch_size.
func (d *destination) Calls(b dest.Batch, most int) []dest.Call {
	if most <= 0 || most > maxEvents {
		most = maxEvents
	}
	if d.most > 0 {
		most = min(most, d.most)
	}
	var calls []dest.Call
	events, bytes := 0, 0
	for i := range b.Records {
		n, size := d.size(&b.Records[i])
		if len(calls) == 0 || len(calls[len(calls)-1].Records) >= most || events+n > maxEvents || bytes+size > maxBytes-overhead {
			calls = append(calls, dest.Call{Costs: []dest.Cost{{Tokens: 1}}})
			events, bytes = 0, 0
		}
		last := &calls[len(calls)-1]
		last.Records = append(last.Records, i)
		events, bytes = events+n, bytes+size
	}
	return calls
}
