package hubspot

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Vendor is HubSpot as a destination type.
var Vendor = dest.Vendor{Kind: Kind, Open: open, Link: link}

// concurrency is calls in flight from one invocation of a worker and inFlight from one
// process. HubSpot documents no such limit; a batch of 100 takes it a second or so,
// and its windows grant about 10 a second.
const (
	concurrency = 4
	inFlight    = 10
)

// open makes the account of a connection.
func open(cfg dest.Config) (dest.Account, error) {
	c, err := newClient(cfg)
	if err != nil {
		return nil, &dest.CallError{Op: "open HubSpot", Class: dest.Configuration, Scope: dest.ScopeConnection, Code: "settings", Message: "connection " + cfg.Connection.Name + ": " + err.Error()}
	}
	return &account{conn: cfg.Connection, client: c}, nil
}

// An account is one HubSpot account (portal). It implements dest.Account and
// dest.Describer.
type account struct {
	conn   syncdef.Connection
	client *client
}

// missingScopes is the category of a call that the key has no scope for.
const missingScopes = "MISSING_SCOPES"

// Identity implements dest.Account: the account's id (portal id, Hub ID). A key that may
// not ask for it cannot tell.
func (a *account) Identity(ctx context.Context) (string, error) {
	return a.details(ctx, "ask for the HubSpot account")
}

// Probe implements dest.Account by the same call, which needs no scope of an object.
func (a *account) Probe(ctx context.Context) error {
	_, err := a.details(ctx, "probe HubSpot")
	return err
}

// details reads the account's id. What refuses the call refuses the connection.
func (a *account) details(ctx context.Context, op string) (string, error) {
	r := request{op: op, method: http.MethodGet, path: "/account-info/" + apiVersion + "/details"}
	got, err := a.client.do(ctx, r)
	if err != nil {
		return "", err
	}
	if failed := judge(r, got, a.client.now()); failed != nil {
		if failed.Code == missingScopes { // the key was taken, and that is all it may not do
			return "", nil
		}
		if failed.Class == dest.Configuration || failed.Class == dest.Refused {
			failed.Class, failed.Scope = dest.Configuration, dest.ScopeConnection
		}
		return "", failed
	}
	var details struct {
		PortalID json.Number `json:"portalId"`
	}
	if json.Unmarshal(got.body, &details) != nil || details.PortalID == "" {
		return "", unreadable(op, got, "it names no account")
	}
	return details.PortalID.String(), nil
}

// searchBucket is the bucket of searches, which an account may make 4 of in a second
// ("CRM search").
const (
	searchBucket  = "search"
	searchASecond = 4
)

// oneCall is what a request costs.
var oneCall = []dest.Cost{{Tokens: 1}}

// Limits implements dest.Account: the connection's share of the account's calls in
// any 10 seconds and in any 24 hours, and of its searches in any second (I7). HubSpot's day ends at the account's
// midnight; over any 24 hours the share holds for it too.
func (a *account) Limits() dest.Limits {
	rate, err := strconv.ParseInt(a.conn.Options[keyRate], 10, 64)
	if err != nil || rate < 1 {
		rate = defaultRate
	}
	day, share := a.conn.Quota.CallsPerDay, int64(a.conn.Quota.Share)
	if day == 0 {
		day = defaultDay
	}
	if share == 0 {
		share = defaultShare
	}
	windows := []pace.Window{
		{Calls: max(1, rate*share/100), Per: 10 * time.Second},
		{Calls: max(1, day*share/100), Per: 24 * time.Hour},
	}
	searches := []pace.Window{{Calls: max(1, searchASecond*share/100), Per: time.Second}}
	return dest.Limits{Concurrency: concurrency, InFlight: inFlight, Probe: oneCall, Windows: func(bucket string) []pace.Window {
		if bucket == searchBucket {
			return searches
		}
		return windows
	}}
}

// APICalls implements dest.Account.
func (a *account) APICalls() int64 { return a.client.calls.Load() }

// Open implements dest.Account.
func (a *account) Open(v syncdef.Version) (dest.Destination, error) {
	def := v.Definition
	if faults := check(&def, &a.conn); len(faults) > 0 {
		return nil, &dest.CallError{Op: "open sync " + def.Sync, Class: dest.Configuration, Scope: dest.ScopeVersion, Code: "definition", Message: syncdef.Faults(faults).Error()}
	}
	return newDestination(def, v.Rules.Identity, a.client), nil
}
