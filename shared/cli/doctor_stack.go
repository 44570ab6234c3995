package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/penstock-data/penstock/shared/app/apply"
	"github.com/penstock-data/penstock/shared/app/doctor"
	"github.com/penstock-data/penstock/shared/app/remote"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/netguard"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// deployPage is where a stack's faults are mended.
const deployPage = "docs/deploy.md"

// stack examines a stack with the person's own credentials: first what the other checks
// look into.
func (e *examination) stack(ctx context.Context) []doctor.Finding {
	opened := make(chan *remote.Place, 1)
	found := doctor.Examine(ctx, []doctor.Check{
		{Name: "version", Run: e.version},
		{Name: "stack", Remedy: deployPage, Run: func(ctx context.Context) ([]doctor.Finding, error) { return e.look(ctx, opened) }},
	}, e.Wait)
	var p *remote.Place
	select {
	case p = <-opened:
	default:
		return append(found, doctor.Examine(ctx, []doctor.Check{{Name: "proxy", Run: proxies}}, e.Wait)...)
	}
	e.control, e.tokens, e.prefix = p.Control, p.State, p.Outputs["SecretPrefix"]
	if !p.ServerTime.IsZero() {
		e.clocks.See("AWS", p.ServerTime.UTC().Format(http.TimeFormat), p.Sent, p.Answered)
	}
	found = append(found, e.definitions(ctx)...)
	checks := []doctor.Check{
		{Name: "tables", Remedy: deployPage, Run: func(ctx context.Context) ([]doctor.Finding, error) { return e.tables(ctx, p) }},
		{Name: "trust", Run: func(ctx context.Context) ([]doctor.Finding, error) { return e.trust(ctx, p) }},
		{Name: "policy", Run: func(ctx context.Context) ([]doctor.Finding, error) { return e.policy(ctx, p) }},
		{Name: "schedules", Run: e.entries},
		{Name: "proxy", Run: proxies},
	}
	for _, kind := range slices.Sorted(maps.Keys(p.Queues)) {
		checks = append(checks, doctor.Check{Name: "queue " + kind, Remedy: deployPage, Run: func(ctx context.Context) ([]doctor.Finding, error) {
			return e.queue(ctx, p, kind)
		}})
	}
	for _, c := range e.connections() {
		checks = append(checks, doctor.Check{Name: "connection " + c.Name, Run: func(ctx context.Context) ([]doctor.Finding, error) { return e.remoteAccount(ctx, p, c) }})
	}
	checks = append(checks, e.perSync()...)
	return append(found, doctor.Examine(ctx, checks, e.Wait)...)
}

// look opens the stack and says how its deployment ended.
func (e *examination) look(ctx context.Context, opened chan<- *remote.Place) ([]doctor.Finding, error) {
	f := doctor.Finding{Check: "stack", Verdict: doctor.OK}
	p, err := remote.Look(ctx, e.Stack, e.clock.now)
	if err != nil {
		f.Verdict, f.Detail, f.Remedy = doctor.Fail, oneLine(err.Error()), "aws cloudformation describe-stacks --stack-name "+e.Stack
		return []doctor.Finding{f}, nil
	}
	opened <- p
	f.Detail = fmt.Sprintf("%s, deployed %s", p.Status, e.clock.when(p.Deployed))
	switch {
	case strings.HasSuffix(p.Status, "_IN_PROGRESS"):
		f.Verdict, f.Remedy = doctor.Warn, "wait until the deployment has ended"
	case strings.Contains(p.Status, "FAILED") || strings.Contains(p.Status, "ROLLBACK"):
		f.Verdict, f.Remedy = doctor.Warn, "aws cloudformation describe-stack-events --stack-name "+e.Stack+"  says why; "+deployPage
	}
	return []doctor.Finding{f}, nil
}

// tables reads each: an item of another format is refused with both numbers.
func (e *examination) tables(ctx context.Context, p *remote.Place) ([]doctor.Finding, error) {
	for _, one := range []struct {
		name string
		read func() error
	}{
		{"StateTable", func() error { _, err := p.Control.Syncs.List(ctx); return err }},
		{"LedgerTable", func() error {
			_, err := p.Control.Ledger.Entries(ctx, "doctor", []string{"doctor"})
			return err
		}},
		{"ErrorsTable", func() error {
			_, err := p.Control.Errors.ErrorsByRef(ctx, "doctor", []string{"doctor.r0#b#0"})
			return err
		}},
	} {
		if err := one.read(); err != nil {
			return nil, fmt.Errorf("%s %s cannot be read: %w", one.name, p.Outputs[one.name], err)
		}
	}
	return []doctor.Finding{{Check: "tables", Verdict: doctor.OK, Detail: "state, ledger and errors are read, in formats that this program knows"}}, nil
}

// unseen is the finding where the person's credentials may not look.
func unseen(check, about string, err error) ([]doctor.Finding, error) {
	if !errors.Is(err, remote.ErrLacking) {
		return nil, err
	}
	return []doctor.Finding{{Check: check, About: about, Verdict: doctor.Warn, Detail: "not known: " + err.Error(), Remedy: "set AWS_PROFILE to a profile that may look, and run it again"}}, nil
}

// queue judges one, and its dead letters. How old its oldest message is, is told by the
// dashboard and an alarm.
func (e *examination) queue(ctx context.Context, p *remote.Place, kind string) ([]doctor.Finding, error) {
	q := doctor.Queue{Name: kind, Working: true, Errors: self() + " errors RUN" + e.flags()}
	var err error
	if q.Waiting, q.Dead, err = p.Queue(ctx, p.Queues[kind]); err != nil {
		return unseen("queue", kind, err)
	}
	return []doctor.Finding{q.Finding()}, nil
}

// trust judges who may assume the role that the warehouse calls by.
func (e *examination) trust(ctx context.Context, p *remote.Place) ([]doctor.Finding, error) {
	if p.Parameters["SnowflakeUserArn"] == "" && (p.Parameters["TokenEmails"] != "" || p.Parameters["RedshiftUsers"] != "") {
		return []doctor.Finding{{Check: "trust", Verdict: doctor.OK, Detail: "no Snowflake calls this stack, and nobody may assume its role"}}, nil
	}
	document, err := p.Trust(ctx)
	if err != nil {
		return unseen("trust", "", err)
	}
	return []doctor.Finding{doctor.Trust(document, p.Parameters["SnowflakeUserArn"], p.Parameters["SnowflakeExternalId"])}, nil
}

// policy judges whom the API admits.
func (e *examination) policy(ctx context.Context, p *remote.Place) ([]doctor.Finding, error) {
	document, err := p.Access(ctx)
	if err != nil {
		return unseen("policy", "", err)
	}
	return []doctor.Finding{doctor.Access(document, p.Role())}, nil
}

// entries holds the schedules of EventBridge Scheduler against the files.
func (e *examination) entries(ctx context.Context) ([]doctor.Finding, error) {
	if len(e.set.Syncs) == 0 {
		return nil, nil
	}
	control, schedules, err := apply.FromStack(ctx, e.Stack)
	if err != nil {
		return nil, err
	}
	f := doctor.Finding{Check: "schedules", Verdict: doctor.OK, Detail: "as in the files"}
	remedy := fmt.Sprintf("%s apply%s%s", self(), e.syncsFlag(), e.flags())
	switch n := frequent(e.set); {
	case n > 0 && e.set.Warehouse == nil:
		f.Verdict, f.Detail, f.Remedy = doctor.Warn, english.Plural(n, "sync has", "syncs have")+" a sync_frequency, and connections.yaml names no warehouse: nothing runs by it", "docs/schedules.md"
	case schedules == nil && n > 0:
		f.Verdict, f.Detail, f.Remedy = doctor.Fail, "the stack has no output ScheduleGroup", "deploy it again from this release's template.yaml: "+deployPage
	case schedules != nil:
		applied, err := control.Syncs.List(ctx)
		if err != nil {
			return nil, err
		}
		definitions := make([]syncdef.Definition, len(e.set.Syncs))
		for i, y := range e.set.Syncs {
			definitions[i] = y.Definition
		}
		changes, err := schedules.Changes(ctx, definitions, applied, e.set.Warehouse != nil && n > 0)
		if err != nil {
			return nil, err
		}
		if len(changes) > 0 {
			f.Verdict, f.Remedy = doctor.Warn, remedy
			f.Detail = english.Plural(len(changes), "entry differs", "entries differ") + " from the files, the first: " + changes[0].String()
		}
	}
	return []doctor.Finding{f}, nil
}

// remoteAccount tries a connection with its secret of the stack, from here.
func (e *examination) remoteAccount(ctx context.Context, p *remote.Place, c syncdef.Connection) ([]doctor.Finding, error) {
	if _, err := p.Secret(ctx, secretName(c)); errors.Is(err, remote.ErrLacking) {
		found := []doctor.Finding{{Check: "connection", About: c.Name, Verdict: doctor.Warn, Detail: "not tried: your AWS credentials may not read its secret " + e.prefix + secretName(c), Remedy: "set AWS_PROFILE to one with secretsmanager:GetSecretValue, and run it again"}}
		return append(found, e.pace(ctx, c)...), nil
	}
	open := func(v dest.Vendor, connection syncdef.Connection) (dest.Account, error) {
		loopback := false
		if to := e.Endpoint[v.Name]; to != "" && to != ownURL {
			connection.URL, loopback = to, true
		}
		client := &http.Client{Transport: e.clocks.Watch(netguard.Transport(loopback)), Timeout: e.Wait}
		return openAccount(v, connection, client, loopback, p.Secret)
	}
	return e.account(ctx, c, note{To: where{c.Type: ownURL}}, open)
}
