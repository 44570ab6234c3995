package salesforce

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// concurrency is calls in flight from one invocation of a worker, of which there are
// as many as a sync has lanes, and inFlight from one process. Salesforce has 25 at
// once that take 20 seconds or more ("Salesforce Developer Limits and Allocations
// Quick Reference", concurrent API request limits), and shorter ones are not counted:
// 20 leave room to others even if all of them are long.
const (
	concurrency = 4
	inFlight    = 20
)

// An account is one organisation, as one integration user sees it. It implements
// dest.Account.
type account struct {
	conn   syncdef.Connection
	client *client
}

// Open makes the account of a connection. The error is a *dest.CallError of class
// Configuration and scope Connection.
func Open(cfg dest.Config) (dest.Account, error) {
	c, err := newClient(cfg)
	if err != nil {
		return nil, &dest.CallError{Op: "open Salesforce", Class: dest.Configuration, Scope: dest.ScopeConnection, Code: "settings", Message: err.Error()}
	}
	return &account{conn: cfg.Connection, client: c}, nil
}

// Identity implements dest.Account: the organisation's id, in 18 characters. The
// login's answer names it in the address of the user's identity ("OAuth 2.0 JWT
// Bearer Flow", id: https://login.salesforce.com/id/ORGANISATION/USER); where it
// does not, the organisation is asked for its own record, which needs no right but
// to use the API. An organisation that refuses this cannot tell.
func (a *account) Identity(ctx context.Context) (string, error) {
	s, err := a.client.open(ctx, session{})
	if err != nil {
		return "", err
	}
	if s.org != "" {
		return s.org, nil
	}
	const op = "read the organisation's id"
	answer, err := a.client.do(ctx, request{op: op, method: http.MethodGet, path: "query?q=" + url.QueryEscape("SELECT Id FROM Organization")})
	if err != nil {
		if call := asCallError(err); call != nil && call.Scope != dest.ScopeConnection && call.Class != dest.Unavailable {
			return "", nil
		}
		return "", err
	}
	defer answer.free()
	org := ""
	p := newPages(func(f found) { org = f.id })
	if _, err := p.read(answer.body); err != nil {
		return "", unreadable(op, err)
	}
	id, _ := id18(org)
	return id, nil
}

// Probe implements dest.Account: the list of the version's resources, which any
// user of the API may read, whatever the rights to objects ("REST API Developer
// Guide", Resources by Version). It fails with the login, the session, the network,
// the organisation's limits, and a version that the organisation does not have.
func (a *account) Probe(ctx context.Context) error {
	const op = "probe Salesforce"
	answer, err := a.client.do(ctx, request{op: op, method: http.MethodGet, path: ""})
	if err != nil {
		if call := asCallError(err); call != nil && call.Class == dest.Configuration {
			call.Scope = dest.ScopeConnection
		}
		return err
	}
	defer answer.free()
	err = whole(answer.body)
	if err == nil && jsontext.Value(answer.body).Kind() != '{' {
		err = errShape
	}
	if err != nil {
		return unreadable(op, err)
	}
	return nil
}

// oneCall is what a request costs.
var oneCall = []dest.Cost{{Tokens: 1}}

// Limits implements dest.Account: the connection's share of the organisation's
// calls in any 24 hours (I7).
func (a *account) Limits() dest.Limits {
	day, share := a.conn.Quota.CallsPerDay, int64(a.conn.Quota.Share)
	if day == 0 {
		day = defaultDay
	}
	if share == 0 {
		share = defaultShare
	}
	windows := []pace.Window{{Calls: max(1, day*share/100), Per: 24 * time.Hour}}
	return dest.Limits{Concurrency: concurrency, InFlight: inFlight, Probe: oneCall, Windows: func(string) []pace.Window { return windows }}
}

// APICalls implements dest.Account.
func (a *account) APICalls() int64 { return a.client.calls.Load() }

// Open implements dest.Account. The error is a *dest.CallError of scope Version.
func (a *account) Open(v syncdef.Version) (dest.Destination, error) {
	return newDestination(v, a.conn, a.client)
}
