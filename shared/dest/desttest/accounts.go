package desttest

import (
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
)

// accounts are what all versions of a connection share.
var accounts = map[string]func(*testing.T, *world){
	"knows its account":         identity,
	"probes the connection":     probes,
	"shares login and meter":    shares,
	"names a destination type":  names,
	"states its limits":         limits,
	"reads the secret when due": secretLate,
	"calls public addresses":    publicOnly,
}

func identity(t *testing.T, w *world) {
	if w.Vendor.Anonymous != (w.Identity == "") {
		t.Errorf("anonymous: %t, and its account is %q", w.Vendor.Anonymous, w.Identity)
	}
	for range 2 {
		if got, err := w.account.Identity(t.Context()); err != nil || got != w.Identity {
			t.Errorf("identity %q, %v; want %q", got, err, w.Identity)
		}
	}
	if got, err := open(t, w.Subject).account.Identity(t.Context()); err != nil || got != w.Identity {
		t.Errorf("opened again: identity %q, %v; want %q", got, err, w.Identity)
	}
}

// probes wants the probe to answer while calls fail, and to fail with the
// connection.
func probes(t *testing.T, w *world) {
	before := w.account.APICalls()
	if err := w.account.Probe(t.Context()); err != nil {
		t.Fatalf("probe: %v", err)
	}
	if n, cost := w.account.APICalls()-before, w.account.Limits().Probe; n != 1 || len(cost) == 0 {
		t.Errorf("%d calls, cost %+v", n, cost)
	}
	w.always(t, sandbox.Fault{Status: 503, Body: "<html>", ContentType: "text/html"})
	if call := failed(t, w.account.Probe(t.Context())); call.Class != dest.Unavailable {
		t.Errorf("the vendor is out: class %d: %v", call.Class, call)
	}
	w.Core.ClearFaults()
	w.always(t, sandbox.Fault{Status: 200, Body: "<html>sign in</html>", ContentType: "text/html"})
	_ = failed(t, w.account.Probe(t.Context())) // whatever class
}

// publicOnly opens the account as on AWS, where the simulator's address is one that no
// rows may go to, and at one that is worse: nothing is sent, and a person is told.
func publicOnly(t *testing.T, w *world) {
	for _, url := range []string{w.Config.Connection.URL, "https://169.254.169.254", "https://[fd00:ec2::254]"} {
		cfg := w.Config
		cfg.HTTP, cfg.Loopback, cfg.Connection.URL = nil, false, url
		account, err := w.Vendor.Open(cfg)
		if err != nil {
			t.Fatalf("%s: %v", url, err)
		}
		before := w.Core.Calls().Total
		call := failed(t, account.Probe(t.Context()))
		if call.Class != dest.Configuration || call.Scope != dest.ScopeConnection || call.Code != "address_refused" || call.Received || !strings.Contains(call.Message, "public internet only") {
			t.Errorf("%s: %+v", url, call)
		}
		d, err := account.Open(w.Version)
		if err != nil {
			t.Fatalf("%s: %v", url, err)
		}
		b := of(w.Record(1_002))
		_, err = d.Push(t.Context(), b, d.Calls(b, 0)[0])
		if call := failed(t, err); call.Class != dest.Configuration || call.Scope != dest.ScopeConnection || call.Received {
			t.Errorf("%s: push: %+v", url, call)
		}
		if n := w.Core.Calls().Total - before; n != 0 {
			t.Errorf("%s: %d calls came through", url, n)
		}
	}
}

// shares opens a second version at the account: no second login, one meter.
func shares(t *testing.T, w *world) {
	w.warm(t)
	other := destination(t, w.account, w.Version)
	total, metered := w.Core.Calls().Total, w.account.APICalls()
	b := of(w.Record(1_001))
	for _, c := range other.Calls(b, 0) {
		if out, err := other.Push(t.Context(), b, c); err != nil || statuses(out) != "d" {
			t.Fatalf("%+v, %v", out, err)
		}
	}
	if n := w.Core.Calls().Total - total; n != 1 || w.account.APICalls()-metered != n {
		t.Errorf("%d requests, %d metered; want one, without a login", n, w.account.APICalls()-metered)
	}
}

func names(t *testing.T, w *world) {
	def, conn := w.Version.Definition, w.Config.Connection
	if rules := w.Vendor.RulesOf(&def, &conn); rules.Type == "" || rules.Type != w.Vendor.Name || w.Vendor.Title == "" {
		t.Errorf("type %q, name %q, title %q", rules.Type, w.Vendor.Name, w.Vendor.Title)
	}
	if len(w.Vendor.Operations) == 0 {
		t.Error("it carries out no operation")
	}
}

func limits(t *testing.T, w *world) {
	l := w.account.Limits()
	if l.Concurrency < 1 || l.InFlight != 0 && l.InFlight < l.Concurrency {
		t.Errorf("%d calls in flight from an invocation, %d from a process", l.Concurrency, l.InFlight)
	}
	b := w.batch(2)
	for _, c := range append(w.dest.Calls(b, 0), dest.Call{Costs: l.Probe}) {
		for _, cost := range c.Costs {
			for _, window := range l.Windows(cost.Bucket) {
				if window.Calls < int64(cost.Tokens) || window.Per <= 0 {
					t.Errorf("a call costs %d of bucket %q, its window is %+v", cost.Tokens, cost.Bucket, window)
				}
			}
		}
	}
}

// secretLate opens an account whose secret cannot be read: opening makes no call,
// the first call says what is wrong.
func secretLate(t *testing.T, w *world) {
	if w.Config.Secret == nil {
		t.Skip("the vendor asks for no credentials")
	}
	cfg := w.Config
	cfg.Secret = noSecret
	account, err := w.Vendor.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if call := failed(t, account.Probe(t.Context())); call.Class != dest.Configuration || call.Scope != dest.ScopeConnection {
		t.Errorf("class %d, scope %d: %v", call.Class, call.Scope, call)
	} else if !strings.Contains(call.Message, "not there") { // why, and how to mend it
		t.Errorf("what reads the secret said why, and the message does not: %s", call.Message)
	}
}
