package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sample"
)

// A pushed sync and the statement that pushes it.
type pushedSync struct {
	name, kind, title, view, source string
}

// sampleSyncs are what the demo pushes.
var sampleSyncs = []pushedSync{
	{sample.AccountHealth, sample.CRM, "Salesforce", "salesforce_customer_health_sync", "customer_health_comprehensive"},
	{sample.ContactWorth, sample.Marketing, "HubSpot", "hubspot_customer_health_sync", "customer_health_comprehensive"},
	{sample.ContactHealth, sample.Support, "Intercom", "intercom_customer_health_sync", "customer_health_comprehensive"},
	{sample.ProductUsage, sample.Product, "Amplitude", "amplitude_customer_health_sync", "customer_health_comprehensive"},
	{sample.Alerts, sample.Chat, "Slack", "slack_health_alerts", "customer_health_history"},
}

// syncs are those that are pushed.
func (c demoCmd) syncs() ([]pushedSync, error) {
	var out []pushedSync
	var names []string
	for _, p := range sampleSyncs {
		names = append(names, p.name)
		if len(c.Only) == 0 || slices.Contains(c.Only, p.name) {
			out = append(out, p)
		}
	}
	for _, name := range c.Only {
		if !slices.Contains(names, name) {
			return nil, usage("--only %s: the demo has no such sync; it has %s", name, strings.Join(names, ", "))
		}
	}
	return out, nil
}

func (p pushedSync) statement() string {
	return fmt.Sprintf("SELECT penstock_push('%s', to_json(m))\n    FROM %s m", p.name, p.view)
}

// heading says where the sync's rows go.
func (p pushedSync) heading() string { return p.name + " -> " + p.title }

// pass pushes every sync once and waits until its run has settled.
func (d *demo) pass(ctx context.Context, pass int) error {
	d.heading(pass)
	for n, p := range d.syncs {
		r, err := d.push(ctx, p, pass, d.cmd.Kill && pass == 1 && n == 0)
		if err != nil {
			return fmt.Errorf("pass %d of %s: %w", pass, p.name, err)
		}
		if _, err := d.warehouse.Exec(ctx, "SET memory_limit = '"+d.cmd.preparing()+"'"); err != nil {
			return err
		}
		differences, err := d.compare(ctx, p, &r)
		if err != nil {
			return fmt.Errorf("compare pass %d of %s: %w", pass, p.name, err)
		}
		d.wrong = append(d.wrong, differences...)
		d.report.Syncs = append(d.report.Syncs, r)
		d.settled(p, r)
	}
	return d.summary(ctx, pass)
}

// push runs the statement, shows what SQL saw, and waits for the run.
func (d *demo) push(ctx context.Context, p pushedSync, pass int, kill bool) (syncRun, error) {
	r := syncRun{Sync: p.name, Destination: p.kind, Pass: pass, title: p.title}
	if _, err := d.warehouse.Exec(ctx, "SET memory_limit = '"+pushing+"'"); err != nil {
		return r, err
	}
	calls, cpu := d.simulator(p)
	started := time.Now()
	crashed, queued := make(chan error, 1), make(chan struct{})
	if kill {
		go func() { crashed <- d.crash(ctx, p, queued) }()
	} else {
		crashed <- nil
	}
	if _, err := d.warehouse.Exec(ctx, "CREATE OR REPLACE TABLE sample.pushed AS SELECT penstock_push('"+p.name+"', to_json(m)) AS answer FROM "+p.view+" m"); err != nil {
		return r, err
	}
	answered := time.Now()
	close(queued)
	if err := d.seen(ctx, p, answered.Sub(started)); err != nil {
		return r, err
	}
	if err := <-crashed; err != nil {
		return r, err
	}
	if err := d.warehouse.DB().QueryRowContext(ctx, "SELECT coalesce((SELECT answer->>'run' FROM sample.pushed WHERE answer->>'run' IS NOT NULL LIMIT 1), '')").Scan(&r.Run); err != nil {
		return r, err
	}
	if err := d.warehouse.DB().QueryRowContext(ctx, "SELECT count(*) FROM sample.pushed WHERE answer->>'status' = 'queued'").Scan(&r.Queued); err != nil {
		return r, err
	}
	if r.Run == "" { // the model has no rows now
		r.MatchesWarehouse = true
		return r, d.filtered(ctx, p, &r)
	}
	settled, err := d.wait(ctx, p, r.Run)
	if err != nil {
		return r, err
	}
	c := settled.Counts
	r.Pushed, r.Rejected, r.Delivered = c.Received, c.Rejected, c.Delivered
	r.Unchanged, r.Superseded, r.Failed = c.Unchanged, c.Superseded, c.Failed
	r.Seconds = settled.EndedAt.Sub(started).Seconds()
	nowCalls, nowCPU := d.simulator(p)
	r.APICalls, r.simulator = nowCalls-calls, nowCPU-cpu
	return r, d.filtered(ctx, p, &r)
}

// filtered counts the rows that the view leaves out: no errors.
func (d *demo) filtered(ctx context.Context, p pushedSync, r *syncRun) error {
	return d.warehouse.DB().QueryRowContext(ctx, fmt.Sprintf("SELECT (SELECT count(*) FROM %s) - (SELECT count(*) FROM %s)", p.source, p.view)).Scan(&r.Filtered)
}

// wait shows a bar until the run has ended. It asks as a user would: in SQL.
func (d *demo) wait(ctx context.Context, p pushedSync, id string) (run.Run, error) {
	bar := d.bar(p)
	defer bar.done()
	for {
		r, err := d.status(ctx, id)
		if err != nil {
			return r, err
		}
		bar.show(r)
		switch {
		case r.Status == run.Complete:
			return r, nil
		case r.Status.Ended():
			return r, fmt.Errorf("run %s is %s: %s", r.ID, r.Status, r.Reason)
		}
		select {
		case <-ctx.Done():
			return r, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// status asks for one run.
func (d *demo) status(ctx context.Context, id string) (run.Run, error) {
	var text string
	if err := d.warehouse.DB().QueryRowContext(ctx, "SELECT penstock_status(?)", id).Scan(&text); err != nil {
		return run.Run{}, err
	}
	var s runs.SyncStatus
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return run.Run{}, fmt.Errorf("read the status of run %s: %w", id, err)
	}
	if len(s.Runs) == 0 {
		return run.Run{}, fmt.Errorf("penstock_status(%q) knows no run", id)
	}
	return s.Runs[0].Run, nil
}

// crash kills the road once a third of the rows are at the destination, or, where a call
// takes more rows, with the first call after all are queued, and starts it again.
func (d *demo) crash(ctx context.Context, p pushedSync, queued <-chan struct{}) error {
	before, _ := d.simulator(p)
	third := int64(d.plan.Rows / 200 / 3)
	for {
		select {
		case <-queued:
			third, queued = 0, nil
		default:
		}
		if now, _ := d.simulator(p); now-before > third {
			d.say("killing the road's process, and starting it again ...")
			return d.road.crash(ctx)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// simulator reads the vendor's own count of API calls and its CPU seconds. A
// login is no API call.
func (d *demo) simulator(p pushedSync) (calls int64, cpu float64) {
	s := d.box.Simulated[p.kind].Core().Calls()
	return s.Total - s.By["POST /services/oauth2/token"], s.CPU
}

// rescore is the second scoring: 1% of the customers change.
func (d *demo) rescore(ctx context.Context) (err error) {
	if _, err := sample.Rescore(ctx, d.warehouse.DB(), 0.01, d.s.clock.now()); err != nil {
		return err
	}
	d.plan, err = sample.ReadPlan(ctx, d.warehouse.DB())
	return err
}
