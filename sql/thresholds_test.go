//go:build cgo

package sql_test

import (
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// in gives what queries give in one transaction after statements: the clock of a
// transaction stands still, so that a threshold is met to the hour.
func (m *monitored) in(statements []string, query string) string {
	m.t.Helper()
	tx, err := m.db.BeginTx(m.t.Context(), nil)
	m.ok(err)
	defer tx.Rollback() //nolint:errcheck // nothing of it is to stay
	for _, s := range statements {
		if _, err := tx.ExecContext(m.t.Context(), s); err != nil {
			m.t.Fatalf("%s: %v", s, err)
		}
	}
	var got sql.NullString
	if err := tx.QueryRowContext(m.t.Context(), query).Scan(&got); err != nil && !errors.Is(err, sql.ErrNoRows) {
		m.t.Fatalf("%s: %v", query, err)
	}
	if !got.Valid {
		return "-"
	}
	return got.String
}

// Each threshold and one on either side: of an hourly sync the sample's, of a slower one
// multiples of its interval, and what freshness says.
func TestThresholds(t *testing.T) {
	m := newMonitored(t)
	m.apply("hourly", nil)
	m.apply("daily", func(d *syncdef.Definition) { d.Frequency = "daily" })
	m.apply("workdays", func(d *syncdef.Definition) { d.Frequency = "0 6 * * 1-5" })
	m.apply("by_hand", func(d *syncdef.Definition) { d.Frequency = "" })
	m.apply("odd", func(d *syncdef.Definition) { d.Frequency = "every 100m" }) // 200, 400 and 600 minutes
	m.apply("own", func(d *syncdef.Definition) {
		d.Frequency, d.Freshness = "daily", &syncdef.Freshness{WarnAfter: "2h", StaleAfter: "4h"}
	})
	m.apply("own_minutes", func(d *syncdef.Definition) { d.Freshness = &syncdef.Freshness{WarnAfter: "90m", StaleAfter: "100m"} })
	m.refresh()
	const hours, minutes = "hour", "minute"
	for _, c := range []struct {
		sync, unit               string
		ago                      int
		health, dashboard, alert string
	}{
		{"hourly", hours, 0, "HEALTHY", "HEALTHY", "-"}, {"hourly", hours, 1, "HEALTHY", "HEALTHY", "-"},
		{"hourly", hours, 2, "HEALTHY", "HEALTHY", "-"}, {"hourly", hours, 3, "WARNING", "WARNING", "-"},
		{"hourly", hours, 4, "WARNING", "WARNING", "-"}, {"hourly", hours, 5, "STALE", "WARNING", "Sync overdue: hourly last ran 5 hours ago"},
		{"hourly", hours, 6, "STALE", "WARNING", "Sync overdue: hourly last ran 6 hours ago"}, {"hourly", hours, 7, "STALE", "STALE", "Sync overdue: hourly last ran 7 hours ago"},
		{"by_hand", hours, 2, "HEALTHY", "HEALTHY", "-"}, {"by_hand", hours, 5, "STALE", "WARNING", "Sync overdue: by_hand last ran 5 hours ago"},
		{"daily", hours, 47, "HEALTHY", "HEALTHY", "-"}, {"daily", hours, 48, "HEALTHY", "HEALTHY", "-"}, {"daily", hours, 49, "WARNING", "WARNING", "-"},
		{"daily", hours, 96, "WARNING", "WARNING", "-"}, {"daily", hours, 97, "STALE", "WARNING", "Sync overdue: daily last ran 97 hours ago"},
		{"daily", hours, 144, "STALE", "WARNING", "Sync overdue: daily last ran 144 hours ago"}, {"daily", hours, 145, "STALE", "STALE", "Sync overdue: daily last ran 145 hours ago"},
		{"workdays", hours, 144, "HEALTHY", "HEALTHY", "-"}, {"workdays", hours, 145, "WARNING", "WARNING", "-"}, // twice Friday to Monday
		{"odd", minutes, 200, "HEALTHY", "HEALTHY", "-"}, {"odd", minutes, 201, "WARNING", "WARNING", "-"},
		{"odd", minutes, 400, "WARNING", "WARNING", "-"}, {"odd", hours, 10, "STALE", "WARNING", "Sync overdue: odd last ran 10 hours ago"},
		{"odd", hours, 11, "STALE", "STALE", "Sync overdue: odd last ran 11 hours ago"},
		{"own", hours, 2, "HEALTHY", "HEALTHY", "-"}, {"own", hours, 3, "WARNING", "WARNING", "-"},
		{"own", hours, 4, "WARNING", "WARNING", "-"}, {"own", hours, 5, "STALE", "STALE", "Sync overdue: own last ran 5 hours ago"},
		{"own_minutes", minutes, 90, "HEALTHY", "HEALTHY", "-"}, {"own_minutes", minutes, 91, "WARNING", "WARNING", "-"},
		{"own_minutes", minutes, 100, "WARNING", "WARNING", "-"},
	} {
		at := fmt.Sprintf("date_trunc('%s', %s) - INTERVAL %d %s", c.unit, now, c.ago, c.unit)
		given := []string{
			"UPDATE reverse_etl_sync_state SET last_successful_run = " + at + " WHERE sync_name = '" + c.sync + "'",
			"UPDATE multi_destination_sync_state SET last_successful_sync = " + at + " WHERE sync_id = '" + c.sync + "'",
		}
		got := []string{
			m.in(given, "SELECT freshness_status FROM reverse_etl_sync_health WHERE sync_name = '"+c.sync+"'"),
			m.in(given, "SELECT health_status FROM reverse_etl_dashboard WHERE sync_id = '"+c.sync+"'"),
			m.in(given, "SELECT alert_message FROM reverse_etl_alerts WHERE sync_name = '"+c.sync+"'"),
		}
		if d := cmp.Diff([]string{c.health, c.dashboard, c.alert}, got); d != "" {
			t.Errorf("%s, %d %ss ago: %s", c.sync, c.ago, c.unit, d)
		}
	}
}

// The error rate is too high above 10 percent, not at it; a row count is odd when it
// changes by more than half of more than 100.
func TestRates(t *testing.T) {
	m := newMonitored(t)
	m.apply("sf_health", nil)
	m.apply("sf_health_eu", nil)
	m.ran("sf_health", 0, run.Counts{Received: 100, Delivered: 100}, nil)
	m.ran("sf_health_eu", 0, run.Counts{Received: 100, Delivered: 100}, nil)
	m.refresh()
	const dashboard, alert = "SELECT health_status FROM reverse_etl_dashboard WHERE sync_id = 'sf_health'", "SELECT alert_message FROM reverse_etl_alerts WHERE sync_name = 'sf_health'"
	failed := func(n int) []string {
		return []string{fmt.Sprintf("UPDATE multi_destination_sync_state SET records_failed = %d, records_processed = 1000", n)}
	}
	yours := func(n int, id string) []string {
		return []string{fmt.Sprintf("INSERT INTO reverse_etl_sync_errors (sync_run_id, error_type) SELECT '%s', 'MY_OWN' FROM range(%d)", id, n)}
	}
	missed := func(n int) []string {
		return []string{fmt.Sprintf("UPDATE penstock_runs SET delivered = received - %d, outcome = 'partial'", n)}
	}
	before := func(previous, records int) []string {
		return []string{
			fmt.Sprintf("INSERT INTO penstock_runs SELECT * REPLACE ('x' AS sync_run_id, ended_at - INTERVAL 1 HOUR AS ended_at, begun_at - INTERVAL 1 HOUR AS begun_at, %d AS received, %d AS delivered) FROM penstock_runs", previous, previous),
			fmt.Sprintf("UPDATE penstock_runs SET received = %d, delivered = %d WHERE sync_run_id <> 'x'", records, records),
			fmt.Sprintf("UPDATE reverse_etl_sync_state SET last_synced_record_count = %d", records),
		}
	}
	for _, c := range []struct {
		name  string
		given []string
		query string
		want  string
	}{
		{"99 of 1000", failed(99), dashboard, "HEALTHY"},
		{"100 of 1000", failed(100), dashboard, "HEALTHY"},
		{"101 of 1000", failed(101), dashboard, "HIGH_ERROR_RATE"},
		{"9 errors of 100", yours(9, "sf_health.x"), alert, "-"},
		{"10 errors of 100", yours(10, "sf_health.x"), alert, "-"},
		{"11 errors of 100", yours(11, "sf_health.x"), alert, "High error rate: sf_health has 11.0% error rate"},
		{"of another sync", yours(11, "sf_health_eu.x"), alert, "-"},
		{"of no run of it", yours(11, "my_sf_health_job"), alert, "-"},
		{"9 rows missed", missed(9), alert, "-"},
		{"10 rows missed", missed(10), alert, "-"},
		{"11 rows missed", missed(11), alert, "High error rate: sf_health has 11.0% error rate"},
		{"missed an hour ago", append(missed(50), "UPDATE penstock_runs SET ended_at = ended_at - INTERVAL 61 MINUTE"), alert, "-"},
		{"100 before", before(100, 1), alert, "-"},
		{"half of 101", before(101, 51), alert, "-"}, // by 50, and 50.5 is half
		{"more than half of 101", before(101, 50), alert, "Record count anomaly: sf_health synced 50 records vs 101 previous"},
		{"far more", before(101, 152), alert, "Record count anomaly: sf_health synced 152 records vs 101 previous"},
	} {
		if got := m.in(c.given, c.query); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// A run that delivered nothing of what it got moves no last success, and counts as 100
// percent errors; one that had nothing to deliver succeeded. Counts are compared within
// a mode, and only between complete runs.
func TestSuccessGoesByRows(t *testing.T) {
	const hour = time.Hour
	const earlier = 90 * time.Minute // with what passes meanwhile less than three hours begin
	for _, c := range []struct {
		name  string
		runs  func(m *monitored)
		state string // minutes since the last success, count
		shown string // outcome, health, dashboard, rate, previous, change, alert
	}{
		{"never ran", func(*monitored) {}, "NULL | NULL", "NULL | STALE | STALE | NULL | NULL | NULL | NULL"},
		{"nothing delivered", func(m *monitored) {
			m.ran("s", earlier, run.Counts{Received: 50, Delivered: 50}, nil)
			m.ran("s", hour, run.Counts{Received: 9, Failed: 5, Rejected: 3, Superseded: 1}, nil)
		}, "90 | 50", "failed | HEALTHY | HIGH_ERROR_RATE | 0.0 | NULL | NULL | High error rate: s has 100.0% error rate"},
		{"part of it delivered", func(m *monitored) {
			m.ran("s", earlier, run.Counts{Received: 50, Delivered: 50}, nil)
			m.ran("s", hour, run.Counts{Received: 40, Delivered: 30, Unchanged: 9, Failed: 1}, nil)
		}, "60 | 39", "partial | HEALTHY | HEALTHY | 97.5 | 50 | -11 | NULL"},
		{"nothing to deliver", func(m *monitored) { m.ran("s", hour, run.Counts{}, nil) }, "60 | 0", "succeeded | HEALTHY | HEALTHY | NULL | NULL | NULL | NULL"},
		{"superseded only", func(m *monitored) { m.ran("s", hour, run.Counts{Received: 3, Superseded: 3}, nil) }, "60 | 0", "succeeded | HEALTHY | HEALTHY | 100.0 | NULL | NULL | NULL"},
		{"another mode between", func(m *monitored) {
			m.ran("s", 3*hour, run.Counts{Received: 60, Delivered: 60}, nil)
			m.ran("s", 2*hour, run.Counts{Received: 1000, Delivered: 1000}, func(r *run.Run) { r.Mode = run.Full })
			m.ran("s", hour, run.Counts{Received: 50, Delivered: 50}, nil)
		}, "60 | 50", "succeeded | HEALTHY | HEALTHY | 100.0 | 60 | -10 | NULL"},
		{"cancelled", func(m *monitored) {
			m.ran("s", earlier, run.Counts{Received: 60, Delivered: 60}, nil)
			m.ran("s", hour/2, run.Counts{Received: 10, Delivered: 4, Cancelled: 6}, func(r *run.Run) { r.Status, r.Reason = run.Cancelled, "no model" })
		}, "90 | 60", "partial | HEALTHY | HIGH_ERROR_RATE | 40.0 | NULL | NULL | High error rate: s has 60.0% error rate"},
		{"a model that is missing", func(m *monitored) {
			m.ran("s", earlier, run.Counts{Received: 60, Delivered: 60}, nil)
			m.ran("s", hour, run.Counts{}, func(r *run.Run) { r.Status, r.Reason = run.Cancelled, "the model is missing" })
		}, "90 | 60", "failed | HEALTHY | HIGH_ERROR_RATE | NULL | NULL | NULL | High error rate: s has 100.0% error rate"},
		{"on its way", func(m *monitored) {
			m.ran("s", earlier, run.Counts{Received: 60, Delivered: 60}, nil)
			m.ran("s", 0, run.Counts{Received: 60, Queued: 60}, func(r *run.Run) { r.Status, r.EndedAt = run.Open, time.Time{} })
		}, "90 | 60", "succeeded | HEALTHY | HEALTHY | 100.0 | NULL | NULL | NULL"},
	} {
		m := newMonitored(t)
		m.apply("s", nil)
		c.runs(m)
		m.refresh()
		m.same(map[string][]string{
			"SELECT date_diff('minute', last_successful_run, TIMESTAMP '" + m.now.Format(time.DateTime) + "'), last_synced_record_count FROM reverse_etl_sync_state": {c.state},
			`SELECT h.last_outcome, freshness_status, health_status, success_rate_pct, previous_record_count, record_count_change, alert_message
				FROM reverse_etl_sync_health h JOIN reverse_etl_dashboard d ON sync_id = h.sync_name LEFT JOIN reverse_etl_alerts a ON a.sync_name = h.sync_name`: {c.shown},
		})
		if t.Failed() {
			t.Fatal(c.name)
		}
	}
}
