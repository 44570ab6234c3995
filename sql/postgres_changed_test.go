//go:build cgo

package sql_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/run"
)

// ran runs a sync to its end, and tells what was selected and the records that were pushed.
func (s *shifted) ran(sync, mode, want string) {
	s.t.Helper()
	got, err := s.summary(sync, mode)
	if err != nil {
		s.t.Fatal(err)
	}
	s.settle()
	last := s.last(sync)
	if last.Status != run.Complete {
		s.t.Fatalf("%s: the run is %s: %s", got, last.Status, last.Reason)
	}
	pushed := s.query("SELECT COALESCE(string_agg(k, ' ' ORDER BY k), '-') FROM (SELECT json_extract_path_text(answer, 'record_id') AS k FROM penstock_receipts WHERE run = '" + last.ID + "') AS p")
	if told := strings.Fields(got)[2] + ": " + pushed[0]; told != want {
		s.t.Errorf("%s %s: %s, want %s", sync, mode, told, want)
	}
}

// planned makes a dry run, twice: it stores nothing.
func (s *shifted) planned(sync, want string) {
	s.t.Helper()
	before, receipts := s.last(sync).ID, s.query("SELECT COUNT(*) FROM penstock_receipts")
	for range 2 {
		out, err := s.psql(fmt.Sprintf("CALL penstock.penstock_run('%s', 'dry_run', NULL);", sync))
		if err != nil {
			s.t.Fatal(err)
		}
		var v struct {
			Run                                  *string
			Status, Selected, Reason             string
			Received, Queued, Rejected           int
			Created, Updated, Deleted, Unchanged int
			Calls, Seconds, Dollars              float64
			Decision                             *string
			Superseded, Blocked                  int
		}
		if err := json.Unmarshal([]byte(out), &v); err != nil {
			s.t.Fatalf("%q: %v", out, err)
		}
		got := fmt.Sprint(v.Status, " ", v.Selected, " ", v.Received, v.Queued, v.Rejected, v.Updated, v.Unchanged)
		if got != want || v.Run != nil || v.Updated > 0 && (v.Calls <= 0 || v.Seconds <= 0 || v.Dollars <= 0) {
			s.t.Errorf("%s: %s, want %s: %s", sync, got, want, out)
		}
	}
	if s.last(sync).ID != before || s.query("SELECT COUNT(*) FROM penstock_receipts")[0] != receipts[0] || s.world.Depth(s.t, "salesforce") != 0 {
		s.t.Errorf("%s: a dry run left something", sync)
	}
}

// Only what differs is pushed, until it has arrived; a dry run plans just that. A view of
// another definition ends the run.
func TestPostgresChangedOnly(t *testing.T) {
	s := newShifted(t, map[string]string{"accounts": definition("model: penstock.health\nrecord_id: email\nincremental: {changed_only: true}\n")})
	s.setUp(s.params)
	// Old runs are not kept, so that the warehouse's clock has to be Penstock's.
	s.exec("CREATE OR REPLACE FUNCTION public.getdate() RETURNS timestamp LANGUAGE sql STABLE AS $$SELECT CAST(timestamptz '" + s.world.Clock.Now().UTC().Format(time.RFC3339) + "' AS timestamp)$$;")
	s.exec("INSERT INTO penstock.health VALUES ('x@a.com', 1, 'n', NULL), ('x@b.com', 2, 'n', NULL), ('x@nowhere.com', 3, 'n', NULL);")
	s.ran("accounts", "incremental", "all: x@a.com x@b.com x@nowhere.com")
	s.ran("accounts", "incremental", "changed: x@nowhere.com")
	s.exec("UPDATE penstock.health SET note = 'is not read'; DELETE FROM penstock.health WHERE email = 'x@nowhere.com'; UPDATE penstock.health SET score = 5 WHERE email = 'x@a.com';")
	s.planned("accounts", "planned changed 1 1 0 1 0")
	s.ran("accounts", "incremental", "changed: x@a.com")
	s.exec("UPDATE penstock.health SET score = 1 WHERE email = 'x@a.com';") // back
	s.ran("accounts", "incremental", "changed: x@a.com")
	s.ran("accounts", "incremental", "changed: -")
	s.exec("CALL penstock.penstock_refresh();")
	if d := cmp.Diff([]string{"x@a.com | 1", "x@b.com | 2"}, s.query("SELECT key, row_data ->> 'score' FROM penstock_pushed WHERE gone IS NULL ORDER BY 1")); d != "" {
		t.Error(d)
	}
	s.exec("INSERT INTO penstock.health VALUES ('x@a.com', 7, 'n', NULL);") // a second row of the record
	s.ran("accounts", "incremental", "changed: x@a.com")
	s.ran("accounts", "incremental", "changed: x@a.com x@a.com")
	s.exec("DELETE FROM penstock.health WHERE score = 7;")
	s.ran("accounts", "full", "all: x@a.com x@b.com")
	s.exec("ALTER VIEW penstock.penstock_source_accounts RENAME TO older; CREATE VIEW penstock.penstock_source_accounts AS SELECT email, penstock_row, penstock_always, penstock_hash, 'deadbeef' AS penstock_definition FROM penstock.older;")
	if _, err := s.summary("accounts", "incremental"); err == nil || !strings.Contains(err.Error(), "made of another definition: run penstock sql-setup again") {
		t.Error(err)
	}
	if r := s.last("accounts"); r.Status != run.Cancelled || !strings.Contains(r.Reason, "made of another definition: run penstock sql-setup again") {
		t.Errorf("%s, %q", r.Status, r.Reason)
	}
	if _, err := s.summary("accounts", "cdc"); err == nil || !strings.Contains(err.Error(), "mode cdc reads a stream of changes, and this warehouse has none") {
		t.Error(err)
	}
}

// What was made since, what was committed late and what is to be sent again is selected
// beside what lies above the watermark.
func TestPostgresStrategies(t *testing.T) {
	s := newShifted(t, map[string]string{"accounts": definition("model: penstock.moving\nrecord_id: email\nincremental: {cursor: end, created: made, overlap: 10m, always: \"score > 90 every 24h\"}\n")})
	s.exec("CREATE TABLE penstock.moving (email text, score numeric, \"end\" timestamp, made timestamp);" +
		"INSERT INTO penstock.moving VALUES ('x@a.com', 1, '2024-01-15 10:00:00', '2023-01-01'), ('x@d.com', 99, '2024-01-01', '2023-01-01');")
	s.setUp(s.params)
	s.exec("CREATE OR REPLACE PROCEDURE penstock.penstock_refresh() AS 'BEGIN END' LANGUAGE plpgsql;") // it has tests of its own, and takes long
	s.ran("accounts", "incremental", "all: x@a.com x@d.com")
	s.exec("INSERT INTO penstock.moving VALUES ('x@b.com', 2, '2024-01-15 09:49:59', '2024-01-15 09:50:00'), ('x@c.com', 3, '2024-01-15 09:50:00', NULL), ('z@a.com', 4, '2024-01-15 09:49:59', '2024-01-15 09:49:59');")
	s.planned("accounts", "planned since 3 3 0 2 1")
	s.ran("accounts", "incremental", "since: x@a.com x@b.com x@c.com")
	s.world.Clock.Advance(25 * time.Hour)
	s.ran("accounts", "incremental", "since: x@a.com x@b.com x@c.com x@d.com")
}

// The view beside the model has what was delivered as of the last refresh, in the types of
// the definition: the sample's query finds what changed since.
func TestPostgresSyncHistory(t *testing.T) {
	to := "connection: crm\ndestination_object: Account\nmatching_strategy: email_domain\nmatch: {source: email, destination: Website}\nrecord_id: [customer_id, region]\n"
	s := newShifted(t, map[string]string{"health": to + "model: analytics.customer_health\nfield_mappings:\n" +
		"- {source: Health_Score, destination: Health_Score__c, data_type: number}\n- {source: risk_category, destination: Recommended_Action__c}\n" +
		"- {source: changed, destination: Health_Score_Last_Updated__c, data_type: datetime}\nincremental: {changed_only: true}\n"})
	s.exec("CREATE SCHEMA analytics; CREATE TABLE analytics.customer_health (customer_id text, region text, email text, health_score numeric(3, 2), risk_category text, changed timestamp);" +
		"INSERT INTO analytics.customer_health VALUES ('c:1', 'eu', 'x@a.com', 0.8, 'low', '2024-01-15 10:00:00'), ('c2', 'us', 'x@b.com', 0.4, 'medium', NULL);")
	s.setUp(s.params)
	s.exec("CREATE OR REPLACE FUNCTION public.getdate() RETURNS timestamp LANGUAGE sql STABLE AS $$SELECT CAST(timestamptz '" + s.world.Clock.Now().UTC().Format(time.RFC3339) + "' AS timestamp)$$;")
	see := func(want ...string) {
		t.Helper()
		got := s.query("SELECT customer_id, region, current_health_score, last_synced_health_score, last_synced_risk_category, last_synced_changed FROM customer_health_with_sync_history ORDER BY 1")
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
	see("c2 | us | 0.40 | NULL | NULL | NULL", "c:1 | eu | 0.80 | NULL | NULL | NULL")
	s.ran("health", "incremental", `all: c2:us c\:1:eu`)
	s.exec("CALL penstock.penstock_refresh();")
	s.exec("UPDATE analytics.customer_health SET health_score = 0.1 WHERE region = 'us';")
	see("c2 | us | 0.10 | 0.4 | medium | NULL", "c:1 | eu | 0.80 | 0.8 | low | 2024-01-15 10:00:00")
	got := s.query(`SELECT customer_id, CASE WHEN current_health_score != COALESCE(last_synced_health_score, -1) THEN current_health_score END,
    CASE WHEN current_risk_category != COALESCE(last_synced_risk_category, '') THEN current_risk_category END
FROM customer_health_with_sync_history
WHERE current_health_score != COALESCE(last_synced_health_score, -1) OR current_risk_category != COALESCE(last_synced_risk_category, '')`)
	if d := cmp.Diff([]string{"c2 | 0.10 | NULL"}, got); d != "" {
		t.Error(d)
	}
}
