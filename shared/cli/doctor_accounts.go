package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/penstock-data/penstock/shared/app/doctor"
	"github.com/penstock-data/penstock/shared/app/inspect"
	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/netguard"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/secretfile"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// accounts are the checks of connections: one each, of this machine's.
func (e *examination) accounts() []doctor.Check {
	n, err := readNote(e.Data)
	if err != nil {
		return []doctor.Check{{Name: "connections", Run: func(context.Context) ([]doctor.Finding, error) { return nil, err }}}
	}
	all := e.connections()
	boxes := sync.OnceValues(func() (*machine.Sandbox, map[string]string) { return e.simulators(n, all) })
	var checks []doctor.Check
	for _, c := range all {
		open := func(v dest.Vendor, connection syncdef.Connection) (dest.Account, error) {
			return e.open(n, boxes, v, connection)
		}
		checks = append(checks, doctor.Check{
			Name: "connection " + c.Name, Remedy: fmt.Sprintf("%s connect test %s%s", self(), c.Name, e.flags()),
			Run: func(ctx context.Context) ([]doctor.Finding, error) { return e.account(ctx, c, n, open) },
		})
	}
	return checks
}

// connections are those of the files, and the stored ones that they do not name and that
// an applied sync uses.
func (e *examination) connections() syncdef.Connections {
	all := slices.Clone(e.set.Connections)
	for i := range e.applied {
		name := e.applied[i].Definition.Connection
		if _, there := all.Find(name); there || e.control == nil {
			continue
		}
		stored, err := e.control.Connections.Connection(context.Background(), name)
		if err == nil { // else the check of what is applied says so
			all = append(all, stored.Connection)
		}
	}
	slices.SortFunc(all, func(a, b syncdef.Connection) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// simulators opens those that connections go to, all in one go: one process has them.
func (e *examination) simulators(n note, all syncdef.Connections) (*machine.Sandbox, map[string]string) {
	var kinds []string
	for _, c := range all {
		if to, err := e.to(context.Background(), n, c); err == nil && to == ownSimulator {
			kinds = append(kinds, c.Type)
		}
	}
	if len(kinds) == 0 {
		return nil, nil
	}
	box, urls, err := simulatorsOf(e.program, e.Data, n, kinds...)
	if err != nil {
		return nil, map[string]string{}
	}
	if box != nil {
		e.closes(box.Close)
	}
	return box, urls
}

// open opens an account through a client that notes what time its servers say it is.
func (e *examination) open(n note, boxes func() (*machine.Sandbox, map[string]string), v dest.Vendor, c syncdef.Connection) (dest.Account, error) {
	to, err := e.to(context.Background(), n, c)
	if err != nil {
		return nil, err
	}
	secret := secretsOf(e.Data).Secret
	simulated := func(context.Context, string) (map[string]string, error) { return e.known.secret(v.Name), nil }
	loopback := to != ownURL
	client := &http.Client{Transport: e.clocks.Watch(netguard.Transport(loopback)), Timeout: e.Wait}
	switch to {
	case ownURL:
	case ownSimulator:
		box, urls := boxes()
		if c.URL = urls[v.Name]; c.URL == "" {
			return nil, fmt.Errorf("another process works in %s, and does not say where its simulators are", e.Data)
		}
		if secret = simulated; box != nil {
			client = box.Client(v.Name)
		}
	default:
		c.URL = to
		if _, err := secret(context.Background(), secretName(c)); errors.Is(err, secretfile.ErrAbsent) && onLoopback(to) {
			secret = simulated // which guard nothing
		}
	}
	return openAccount(v, c, client, loopback, secret)
}

// account tries a connection as connect test does, and lets its account say what it
// finds out about itself.
func (e *examination) account(ctx context.Context, c syncdef.Connection, n note, open func(dest.Vendor, syncdef.Connection) (dest.Account, error)) ([]doctor.Finding, error) {
	if _, err := e.to(ctx, n, c); n.To[c.Type] == "" && e.Endpoint[c.Type] == "" && errors.Is(err, secretfile.ErrAbsent) {
		return []doctor.Finding{{
			Check: "connection", About: c.Name, Verdict: doctor.Warn, Detail: "its secret is not here, and no row went anywhere yet: the first rows go to this folder's simulator",
			Remedy: fmt.Sprintf("set %s, or write %s/secrets/%s.json with mode 0600 (docs/destinations/%s.md), then  %s local --endpoint %s=%s%s", secretfile.Variable(secretName(c)), e.Data, secretName(c), c.Type, self(), c.Type, ownURL, e.flags()),
		}}, nil
	}
	asker := &inspect.Asker{Vendors: e.known.vendors(), Open: open, Flags: e.flags()}
	pinned := ""
	if e.control != nil {
		stored, err := e.control.Connections.Connection(ctx, c.Name)
		if err != nil && !errors.Is(err, run.ErrNotFound) {
			return nil, err
		}
		pinned = stored.Account
	}
	uses := e.uses(c.Name)
	steps, err := asker.Test(ctx, c, pinned, uses)
	if err != nil {
		return nil, err
	}
	found := e.judge(c, steps)
	for _, d := range asker.Diagnose(ctx, c, uses) {
		f := doctor.Finding{Check: "connection", About: c.Name, Verdict: doctor.OK, Detail: d.Name + ": " + d.Detail, Remedy: d.Remedy}
		if d.Remedy != "" {
			f.Verdict = doctor.Warn
		}
		found = append(found, f)
	}
	return append(found, e.pace(ctx, c)...), nil
}

// uses are the definitions that deliver to a connection.
func (e *examination) uses(connection string) []syncdef.Definition {
	var out []syncdef.Definition
	for _, y := range e.set.Syncs {
		if y.Definition.Connection == connection {
			out = append(out, y.Definition)
		}
	}
	for i := range e.applied {
		if d := e.applied[i].Definition; d.Connection == connection && !has(e.set, d.Sync) {
			out = append(out, d)
		}
	}
	return out
}

// judge makes one line of what is granted, and one of each thing that is missing.
func (e *examination) judge(c syncdef.Connection, steps []inspect.Step) []doctor.Finding {
	var found []doctor.Finding
	granted, account := 0, "not told"
	for _, step := range steps {
		switch {
		case step.Verdict == inspect.Granted && step.Name == "account":
			account = step.Detail
		case step.Verdict == inspect.Granted:
			granted++
		case step.Verdict == inspect.Missing:
			found = append(found, doctor.Finding{Check: "connection", About: c.Name, Verdict: doctor.Fail, Detail: step.Name + ": " + step.Detail, Remedy: e.remedyOf(c, step.Name)})
		case step.Verdict == inspect.Unknown && !step.Never:
			found = append(found, doctor.Finding{Check: "connection", About: c.Name, Verdict: doctor.Warn, Detail: step.Name + ": " + step.Detail, Remedy: e.remedyOf(c, step.Name)})
		}
	}
	if granted == 0 {
		return found
	}
	return append([]doctor.Finding{{
		Check: "connection", About: c.Name, Verdict: doctor.OK,
		Detail: fmt.Sprintf("%s takes the secret, account %s, %s granted", c.Type, account, english.Plural(granted, "thing", "")),
	}}, found...)
}

// remedyOf is what to do about a step of a connection's test.
func (e *examination) remedyOf(c syncdef.Connection, step string) string {
	switch {
	case step == "secret", step == "login":
		return fmt.Sprintf("put a working secret into %s (docs/destinations/%s.md says what it holds), then  %s connect test %s%s", e.secretPlace(c), c.Type, self(), c.Name, e.flags())
	case step == "account":
		return fmt.Sprintf("%s connect %s --accept-account%s , or mend url and secret", self(), c.Name, e.flags())
	case step == "api":
		return fmt.Sprintf("see whether this machine reaches url in connections.yaml (network, proxy), then  %s connect test %s%s", self(), c.Name, e.flags())
	case strings.HasPrefix(step, "object "):
		return fmt.Sprintf("%s validate --connection%s", self(), e.syncsFlag())
	}
	return fmt.Sprintf("docs/destinations/%s.md, then  %s connect test %s%s", c.Type, self(), c.Name, e.flags())
}

// secretPlace is where a connection's secret is kept.
func (e *examination) secretPlace(c syncdef.Connection) string {
	if e.Stack != "" {
		return "the secret " + e.prefix + secretName(c)
	}
	return fmt.Sprintf("%s or %s/secrets/%s.json", secretfile.Variable(secretName(c)), e.Data, secretName(c))
}

// pace says that a connection's rows wait, and what for.
func (e *examination) pace(ctx context.Context, c syncdef.Connection) []doctor.Finding {
	p, err := e.paceOf(ctx, c.Name)
	if err != nil || !p.Failing() {
		return nil
	}
	f := doctor.Finding{Check: "connection", About: c.Name, Verdict: doctor.Warn, Detail: fmt.Sprintf("its rows wait since %s: %s", e.clock.when(p.Since), p.Reason)}
	f.Remedy = "it is tried again by itself at " + e.clock.when(p.Until)
	if p.SetUp {
		f.Verdict, f.Remedy = doctor.Fail, fmt.Sprintf("mend it, then  %s connect test %s%s , with which it goes on; else by itself within %v", self(), c.Name, e.flags(), 30*time.Minute)
	}
	return []doctor.Finding{f}
}

// paceOf reads how a connection is paced.
func (e *examination) paceOf(ctx context.Context, name string) (pace.State, error) {
	if e.tokens == nil {
		return pace.State{}, nil
	}
	return e.tokens.Pace(ctx, name)
}
