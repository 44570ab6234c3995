//go:build cgo

package cli

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/app/control"
	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/app/view"
	"github.com/penstock-data/penstock/shared/freshness"
	"github.com/penstock-data/penstock/shared/local"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
	setup "github.com/penstock-data/penstock/sql"
)

// A world of figures: what the test stores of syncs and runs, swept once, and a warehouse
// that was refreshed from it.
type figures struct {
	t     *testing.T
	dir   string
	store *sqlite.Store
	now   time.Time
	db    *sql.DB
	runs  int
}

func newFigures(t *testing.T) *figures {
	t.Helper()
	// The warehouse's clock is the machine's: the test stands at its beginning.
	f := &figures{t: t, dir: t.TempDir(), now: time.Now().UTC().Truncate(time.Second)} //nolint:forbidigo // see above
	var err error
	if f.store, err = sqlite.Open(filepath.Join(f.dir, stateFile), func() time.Time { return f.now }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.store.Close() })
	f.ok(f.store.PutConnection(t.Context(), syncdef.Connection{Name: "crm_prod", Type: "crm"}))
	return f
}

func (f *figures) ok(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *figures) apply(name string, change func(*syncdef.Definition)) {
	d := syncdef.Definition{
		Sync: name, Connection: "crm_prod", Object: "Account", Operation: syncdef.Upsert, Frequency: "hourly", Freshness: &syncdef.Freshness{WarnAfter: "2h", StaleAfter: "4h", DestinationField: "At__c"},
		Fields: []syncdef.Field{{Source: "score", Destination: "Score__c", Type: syncdef.Number}},
	}
	if change != nil {
		change(&d)
	}
	applied := f.now.Add(-100 * time.Hour)
	if name == "never" { // the warehouse has seen it now, and no due time was missed
		applied = f.now
	}
	v := syncdef.NewVersion(d, syncdef.Rules{Type: "crm"}, applied)
	f.ok(f.store.Apply(f.t.Context(), v))
}

// ran stores a run that took so many seconds and ended so long ago, and an error of each
// row that it lost.
func (f *figures) ran(name string, mode run.Mode, ago time.Duration, seconds int, c run.Counts) {
	f.t.Helper()
	f.runs++
	v, err := f.store.Current(f.t.Context(), name)
	f.ok(err)
	r := run.Run{
		ID: run.BegunID(name, fmt.Sprint(f.runs)), Sync: name, Version: v.ID, Mode: mode, Bracketed: true, Status: run.Complete,
		BegunAt: f.now.Add(-ago - time.Duration(seconds)*time.Second), EndedAt: f.now.Add(-ago), Expected: c.Received, Counts: c,
	}
	r.Outcome = run.OutcomeOf(r, c)
	latest, err := f.store.Latest(f.t.Context(), name)
	f.ok(err)
	f.ok(f.store.BeginRun(f.t.Context(), r, latest))
	var errs []run.RowError
	for n := range int(c.Rejected + c.Failed) {
		errs = append(errs, run.RowError{
			Sync: name, Run: r.ID, Batch: "b", Row: n, RecordID: fmt.Sprintf("c%d", n), Type: "above_max", Message: "found 120", Field: "x", Stage: "deliver", At: r.EndedAt,
		})
	}
	f.ok(f.store.StoreErrors(f.t.Context(), errs))
}

// refreshed sweeps, and brings a warehouse up to date.
func (f *figures) refreshed() {
	f.t.Helper()
	c := machine.Control(f.store)
	c.Now = func() time.Time { return f.now }
	sweep := &runs.Sweep{Stores: c.Stores, Policy: run.DefaultPolicy(), Now: c.Now}
	f.ok(sweep.Run(f.t.Context()))
	h := &control.Handler{Log: slog.New(slog.DiscardHandler), Control: c}
	routes := map[string]local.Invoker{}
	for _, path := range control.Paths() {
		routes[path] = h
	}
	server := httptest.NewServer(local.Gateway(routes))
	f.t.Cleanup(server.Close)
	w, err := duckdb.Open(f.t.Context(), duckdb.Config{Gateway: server.URL, Threads: 2})
	f.ok(err)
	f.t.Cleanup(func() { _ = w.Close() })
	script, err := setup.Setup("duckdb", setup.Params{NoRows: true})
	f.ok(err)
	_, err = w.Exec(f.t.Context(), script)
	f.ok(err)
	f.db = w.DB()
	f.asked("FROM penstock_refresh()")
}

// asked are the rows of a query, each as JSON.
func (f *figures) asked(query string) []map[string]any {
	f.t.Helper()
	rows, err := f.db.QueryContext(f.t.Context(), "SELECT CAST(to_json(q) AS VARCHAR) FROM ("+query+") AS q")
	f.ok(err)
	defer rows.Close()
	var out []map[string]any
	for rows.Next() {
		var text string
		f.ok(rows.Scan(&text))
		one := map[string]any{}
		f.ok(json.Unmarshal([]byte(text), &one))
		out = append(out, one)
	}
	f.ok(rows.Err())
	return out
}

// byView are the rows of the page of all syncs, as JSON.
func (f *figures) byView() map[string]map[string]any {
	f.t.Helper()
	c := machine.Control(f.store)
	o, err := view.New(view.Config{Stores: c.Stores, Now: time.Now}).Overview(f.t.Context())
	f.ok(err)
	out := map[string]map[string]any{}
	for _, row := range o.Syncs {
		out[row.Sync] = f.plain(row)
	}
	return out
}

// byCommand are those that penstock status prints.
func (f *figures) byCommand() map[string]map[string]any {
	f.t.Helper()
	var b bytes.Buffer
	s := program{out: &b, clock: clock{now: time.Now, zone: time.UTC}}
	f.ok(statusCmd{JSON: true, somewhere: somewhere{Data: f.dir}}.Run(f.t.Context(), s))
	var printed struct {
		Syncs []struct {
			Sync     string         `json:"sync"`
			Overview map[string]any `json:"overview"`
		} `json:"syncs"`
	}
	f.ok(json.Unmarshal(b.Bytes(), &printed))
	out := map[string]map[string]any{}
	for _, x := range printed.Syncs {
		out[x.Sync] = x.Overview
	}
	return out
}

func (f *figures) plain(v any) map[string]any {
	text, err := json.Marshal(v)
	f.ok(err)
	out := map[string]any{}
	f.ok(json.Unmarshal(text, &out))
	return out
}

// Each figure of the sample's monitoring is the same number on the page, on the command
// line and in SQL.
func TestFiguresAgree(t *testing.T) {
	f := newFigures(t)
	f.apply("well", nil)
	f.ran("well", run.Incremental, 50*time.Hour, 10, run.Counts{Received: 120, Delivered: 120})
	f.ran("well", run.Full, 20*time.Hour, 10, run.Counts{Received: 9000, Delivered: 9000})
	f.ran("well", run.Incremental, 30*time.Minute, 61, run.Counts{Received: 130, Delivered: 100, Unchanged: 20, Superseded: 7, Failed: 3, Calls: 9})
	f.apply("late", nil)
	f.ran("late", run.Incremental, 3*time.Hour, 0, run.Counts{Received: 10, Delivered: 10})
	f.apply("stale", nil)
	f.ran("stale", run.Incremental, 30*time.Hour, 5, run.Counts{Received: 1, Delivered: 1})
	f.apply("paused", nil)
	f.ran("paused", run.Incremental, 30*time.Hour, 5, run.Counts{Received: 1, Delivered: 1})
	f.ok(f.store.SetPause(t.Context(), run.Pause{Sync: "paused", By: "ann", At: f.now.Add(-time.Hour), Reason: "the model is wrong"}))
	f.apply("anomaly", nil)
	f.ran("anomaly", run.Incremental, 2*time.Hour, 5, run.Counts{Received: 1000, Delivered: 1000})
	f.ran("anomaly", run.Incremental, 10*time.Minute, 5, run.Counts{Received: 400, Delivered: 390, Rejected: 10})
	f.apply("faulty", nil)
	f.ran("faulty", run.Incremental, 90*time.Minute, 5, run.Counts{Received: 7, Delivered: 7})
	f.ran("faulty", run.Incremental, 10*time.Minute, 7, run.Counts{Received: 30, Delivered: 20, Failed: 10})
	f.apply("broken", nil)
	f.ran("broken", run.Incremental, 90*time.Minute, 5, run.Counts{Received: 7, Delivered: 7})
	f.ran("broken", run.Incremental, 10*time.Minute, 7, run.Counts{Received: 3, Failed: 3})
	f.apply("never", nil)
	f.apply("empty", nil)
	f.ran("empty", run.Incremental, 10*time.Minute, 7, run.Counts{})
	f.apply("missed", func(d *syncdef.Definition) { d.Frequency = "0 * * * *"; d.Freshness.StaleAfter = "72h" })
	f.ran("missed", run.Incremental, 50*time.Hour, 7, run.Counts{Received: 3, Delivered: 3})
	oldest := f.now.Add(-9 * time.Hour)
	f.ok(f.store.SetFreshness(t.Context(), freshness.Reading{
		Sync: "well", Connection: "crm_prod", Object: "Account", Asked: "At__c", TriedAt: f.now, AsOf: f.now,
		Figures: freshness.Figures{Field: "At__c", Total: freshness.N(12), Updated1h: freshness.N(3), Updated4h: freshness.N(5), Updated1d: freshness.N(9), Oldest: &oldest, Newest: &f.now, Missing: map[string]int64{"Score__c": 2}},
	}))
	f.refreshed()

	// The views count up to the moment: a figure lies between those of before and after.
	for _, read := range []func() map[string]map[string]any{f.byView, f.byCommand} {
		before := read()
		health := f.asked("FROM reverse_etl_sync_health")
		board := f.asked("FROM reverse_etl_dashboard")
		alerts := f.asked("FROM reverse_etl_alerts")
		ages := f.asked("FROM destination_data_freshness")
		after := read()
		if len(health) != 10 || len(board) != 10 || len(before) != 10 {
			t.Fatalf("%d, %d and %d syncs", len(health), len(board), len(before))
		}
		for _, h := range health {
			f.agree(h["sync_name"].(string), h, before, after, map[string]string{
				"minutes_since_last_sync": "minutes_since_last_sync", "last_synced_record_count": "records", "freshness_status": "freshness_status", "previous_record_count": "previous_records",
			})
		}
		for _, d := range board {
			if d["success_rate_pct"] != nil {
				d["success_rate_pct"] = d["success_rate_pct"].(float64) / 100
			}
			f.agree(d["sync_id"].(string), d, before, after, map[string]string{
				"minutes_since_last_sync": "minutes_since_last_sync", "success_rate_pct": "success_rate", "records_per_second": "rows_per_second", "health_status": "health",
				"error_summary": "error_summary", "destination_name": "connection", "destination_type": "type",
			})
		}
		said := map[string]any{}
		for _, a := range alerts {
			said[a["sync_name"].(string)] = a["alert_message"]
		}
		for name := range before {
			f.agree(name, map[string]any{"alert_message": said[name]}, before, after, map[string]string{"alert_message": "alert_message"})
		}
		if len(said) < 5 || said["paused"] != nil || !strings.HasPrefix(fmt.Sprint(said["missed"]), "Missed schedule: ") {
			t.Errorf("alerts: %v", said)
		}
		f.agreeOnAges(ages, before["well"]["destination"].(map[string]any)["figures"].(map[string]any))
	}
	f.agreeOnErrors()
}

// agree compares columns with fields, by name; what SQL calls NULL is absent or -1, but
// for the records of a sync that never succeeded, which are 0.
func (f *figures) agree(sync string, sqls map[string]any, before, after map[string]map[string]any, names map[string]string) {
	f.t.Helper()
	for column, field := range names {
		got, low, high := sqls[column], before[sync][field], after[sync][field]
		switch {
		case got == nil && (low == nil || low == float64(-1) || low == "" || field == "records" && low == float64(0)):
		case fmt.Sprint(got) == fmt.Sprint(low) || fmt.Sprint(got) == fmt.Sprint(high):
		default:
			f.t.Errorf("%s: %s is %v in SQL, %s is %v", sync, column, got, field, low)
		}
	}
}

// agreeOnAges compares the figures of the destination.
func (f *figures) agreeOnAges(rows []map[string]any, want map[string]any) {
	f.t.Helper()
	for _, row := range rows {
		if row["sync_name"] != "well" {
			continue
		}
		for column, field := range map[string]string{"total_records": "total", "updated_last_hour": "updated_1h", "updated_last_4_hours": "updated_4h", "updated_last_day": "updated_1d"} {
			if row[column] != want[field] || row[column] == nil {
				f.t.Errorf("%s is %v in SQL, %s is %v", column, row[column], field, want[field])
			}
		}
		return
	}
	f.t.Errorf("no figures of the destination: %v", rows)
}

// agreeOnErrors compares how many errors each sync has.
func (f *figures) agreeOnErrors() {
	f.t.Helper()
	reader := view.New(view.Config{Stores: machine.Control(f.store).Stores, Now: time.Now})
	for _, row := range f.asked("SELECT split_part(sync_run_id, '.', 1) AS sync, count(*) AS errors FROM reverse_etl_sync_errors GROUP BY ALL") {
		name := row["sync"].(string)
		page, err := reader.Errors(f.t.Context(), view.Filter{Sync: name})
		f.ok(err)
		var b bytes.Buffer
		f.ok(errorsCmd{Name: name, JSON: true, Limit: 50, somewhere: somewhere{Data: f.dir}}.Run(context.WithoutCancel(f.t.Context()), program{out: &b, clock: clock{now: time.Now, zone: time.UTC}}))
		var printed struct{ Errors []json.RawMessage }
		f.ok(json.Unmarshal(b.Bytes(), &printed))
		if n := int(row["errors"].(float64)); n == 0 || len(page.Errors) != n || len(printed.Errors) != n {
			f.t.Errorf("%s: %d errors in SQL, %d on the page, %d on the command line", name, n, len(page.Errors), len(printed.Errors))
		}
	}
}
