package cardfile

import (
	"context"
	"encoding/json"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Vendor is the card file as a destination type.
var Vendor = dest.Vendor{Kind: Kind, Open: open}

// maxCards is the vendor's cap on a call.
const maxCards = 50

func open(cfg dest.Config) (dest.Account, error) {
	c, err := newClient(cfg)
	if err != nil {
		return nil, &dest.CallError{Op: "open the card file", Class: dest.Configuration, Scope: dest.ScopeConnection, Code: "settings", Message: "connection " + cfg.Connection.Name + ": " + err.Error()}
	}
	return &account{client: c}, nil
}

// An account implements dest.Account.
type account struct{ client *client }

// Identity is the account's id.
func (a *account) Identity(ctx context.Context) (string, error) {
	return a.client.me(ctx, "ask for the card file's account")
}

// Probe asks the same: it needs the token and nothing else.
func (a *account) Probe(ctx context.Context) error {
	_, err := a.client.me(ctx, "probe the card file")
	return err
}

// Limits are the vendor's.
func (a *account) Limits() dest.Limits {
	return dest.Limits{Concurrency: inFlight, Probe: []dest.Cost{{Tokens: 1}}, Windows: func(string) []pace.Window { return []pace.Window{{Calls: 100, Per: time.Minute}} }}
}

// APICalls counts every request.
func (a *account) APICalls() int64 { return a.client.calls.Load() }

// Open reads the drawer.
func (a *account) Open(v syncdef.Version) (dest.Destination, error) {
	o := struct{ Drawer string }{"main"}
	if len(v.Definition.Options) > 0 {
		if err := json.Unmarshal(v.Definition.Options, &o); err != nil {
			return nil, &dest.CallError{Op: "open sync " + v.Definition.Sync, Class: dest.Configuration, Scope: dest.ScopeVersion, Code: "invalid_definition", Message: err.Error()}
		}
	}
	return &destination{client: a.client, drawer: o.Drawer}, nil
}

// A destination is one drawer; it implements dest.Destination.
type destination struct {
	client *client
	drawer string
}

// Lookups has none: writing a card finds it.
func (d *destination) Lookups(dest.Batch) []dest.Call { return nil }

// Lookup is never called.
func (d *destination) Lookup(context.Context, dest.Batch, dest.Call) ([]dest.Outcome, error) {
	return nil, &dest.CallError{Op: "look up cards", Class: dest.Configuration, Scope: dest.ScopeVersion, Code: "no_lookup", Message: "cards are not looked up"}
}

// Calls cuts by the vendor's cap; cards are written in some and removed in others.
func (d *destination) Calls(b dest.Batch, most int) []dest.Call {
	if most <= 0 || most > maxCards {
		most = maxCards
	}
	var calls []dest.Call
	open := map[bool]int{} // the last call, by whether it removes
	for i := range b.Records {
		removes := b.Records[i].Delete
		at, there := open[removes]
		if !there || len(calls[at].Records) == most {
			calls = append(calls, dest.Call{Costs: []dest.Cost{{Tokens: 1}}})
			at = len(calls) - 1
			open[removes] = at
		}
		calls[at].Records = append(calls[at].Records, i)
	}
	return calls
}

// Push writes or removes the cards of a call.
func (d *destination) Push(ctx context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error) {
	op, method := "write cards", "PUT"
	removes := len(c.Records) > 0 && b.Records[c.Records[0]].Delete
	if removes {
		op, method = "remove cards", "DELETE"
	}
	answer, err := d.client.do(ctx, op, method, "/v1/drawers/"+d.drawer+"/cards", encode(b, c))
	if err != nil {
		return nil, err
	}
	out, err := decode(op, answer, len(c.Records))
	for n := range out {
		if removes && out[n].Code == "not_found" {
			out[n] = dest.Outcome{Status: dest.Delivered} // that is what was asked for
		}
	}
	return out, err
}
