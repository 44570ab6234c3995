package intercom

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Vendor is Intercom as a destination type.
var Vendor = dest.Vendor{Kind: Kind, Open: open, Link: link}

// How many calls are in flight: from one invocation of a worker, and from one
// process. Intercom publishes no limit on calls at once; a call takes a few hundred
// milliseconds, so that 8 use up the calls of an app with 1,000 a minute.
const (
	concurrency = 8
	inFlight    = 32
)

// An account is one app's access to one workspace. It implements dest.Account.
type account struct {
	conn       syncdef.Connection
	client     *client
	attributes *attributeBook
	tags       *tagBook
}

func open(cfg dest.Config) (dest.Account, error) {
	c, err := newClient(cfg)
	if err != nil {
		return nil, &dest.CallError{Op: "open Intercom", Class: dest.Configuration, Scope: dest.ScopeConnection, Code: "settings", Message: "connection " + cfg.Connection.Name + ": " + err.Error()}
	}
	return &account{conn: cfg.Connection, client: c, attributes: newAttributeBook(c), tags: newTagBook(c)}, nil
}

// me asks whose the token is: the workspace's app id ("Identify an admin"). What refuses the
// call refuses the connection.
func (a *account) me(ctx context.Context, op string) (string, error) {
	got, err := a.client.do(ctx, op, http.MethodGet, "/me", nil)
	if call := asCallError(err); call != nil && (call.Class == dest.Configuration || call.Class == dest.Refused) {
		call.Class, call.Scope = dest.Configuration, dest.ScopeConnection
	}
	if err != nil {
		return "", err
	}
	var me struct {
		Type string `json:"type"`
		App  struct {
			ID string `json:"id_code"`
		} `json:"app"`
	}
	switch {
	case got.err != nil && got.err.status == http.StatusTooManyRequests:
		return "", &dest.CallError{Op: op, Class: dest.Throttled, Scope: dest.ScopeConnection, Quota: dest.QuotaSecond, Code: got.err.code, After: got.err.after, Message: "Intercom asks to slow down"}
	case got.err != nil:
		return "", &dest.CallError{Op: op, Class: dest.Configuration, Scope: dest.ScopeConnection, Code: got.err.code, Message: "Intercom does not tell whose the token is (" + got.err.code + "): check the connection's url and secret"}
	case json.Unmarshal(got.body, &me) != nil || me.Type == "" || me.App.ID == "":
		return "", a.client.unreadable(op, got)
	}
	return me.App.ID, nil
}

// Identity implements dest.Account: the id of the app, which Intercom's own address
// of the workspace holds (app.intercom.com/a/apps/ID).
func (a *account) Identity(ctx context.Context) (string, error) {
	return a.me(ctx, "ask for the Intercom workspace")
}

// Probe implements dest.Account with the same call, which needs no permission.
func (a *account) Probe(ctx context.Context) error {
	_, err := a.me(ctx, "probe Intercom")
	return unsent(err)
}

// unsent says that a call that failed was to change nothing.
func unsent(err error) error {
	if call := asCallError(err); call != nil {
		call.Received = false
	}
	return err
}

var oneCall = []dest.Cost{{Tokens: 1}}

// Limits implements dest.Account: the connection's share of what the app may call in
// 10 seconds, by the connection or, where that is less, by Intercom's own word (I7).
func (a *account) Limits() dest.Limits {
	calls := window(&a.conn, perMinute(&a.conn))
	if told := a.client.limit.Load(); told > 0 {
		calls = min(calls, window(&a.conn, told*6))
	}
	windows := []pace.Window{{Calls: calls, Per: 10 * time.Second}}
	return dest.Limits{Concurrency: concurrency, InFlight: inFlight, Probe: oneCall, Windows: func(string) []pace.Window { return windows }}
}

// APICalls implements dest.Account.
func (a *account) APICalls() int64 { return a.client.calls.Load() }

// Open implements dest.Account. The error is a *dest.CallError of scope Version.
func (a *account) Open(v syncdef.Version) (dest.Destination, error) {
	fail := func(message string) error {
		return &dest.CallError{Op: "open sync " + v.Definition.Sync, Class: dest.Configuration, Scope: dest.ScopeVersion, Code: "definition", Message: message}
	}
	def := v.Definition
	if faults := check(&def, &a.conn); len(faults) > 0 {
		return nil, fail(syncdef.Faults(faults).Error())
	}
	o, err := readOptions(&def)
	if err != nil {
		return nil, fail(err.Error())
	}
	d := &destination{account: a, def: def, options: o, identity: v.Rules.Identity, types: map[string]syncdef.Type{}}
	if len(d.identity.Steps) == 0 {
		d.identity = identity(&def)
	}
	for _, f := range def.Fields {
		d.types[f.Destination] = f.Type
		d.identifies = d.identifies || f.Destination == fieldEmail || f.Destination == fieldExternalID
	}
	return d, nil
}
