//go:build cgo

package cli

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// The sample's two statements, as it has them.
const (
	sampleAges = `SELECT
		COUNT(*) as total_records,
		COUNT(CASE WHEN health_score_last_updated >= CURRENT_TIMESTAMP - INTERVAL '1 HOUR' THEN 1 END) as updated_last_hour,
		COUNT(CASE WHEN health_score_last_updated >= CURRENT_TIMESTAMP - INTERVAL '4 HOURS' THEN 1 END) as updated_last_4_hours,
		COUNT(CASE WHEN health_score_last_updated >= CURRENT_TIMESTAMP - INTERVAL '1 DAY' THEN 1 END) as updated_last_day,
		MIN(health_score_last_updated) as oldest_update,
		MAX(health_score_last_updated) as newest_update,
		COUNT(CASE WHEN health_score_pct IS NULL THEN 1 END) as missing_health_scores,
		COUNT(CASE WHEN customer_health_status IS NULL THEN 1 END) as missing_status
		FROM salesforce_accounts WHERE health_score_last_updated IS NOT NULL`
	sampleStale = `SELECT
		COUNT(*) as total_records_with_health_data,
		COUNT(CASE WHEN health_score_last_updated >= CURRENT_TIMESTAMP - INTERVAL '4 HOURS' THEN 1 END) as records_updated_recently,
		100 - (COUNT(CASE WHEN health_score_last_updated >= CURRENT_TIMESTAMP - INTERVAL '4 HOURS' THEN 1 END) * 100.0 / COUNT(*)) as stale_data_percentage
		FROM salesforce_accounts_view WHERE health_score_pct IS NOT NULL`
)

const agedSync = `connection: salesforce_prod
destination_object: Account
matching_strategy: external_id
match: {source: id, destination: Customer_ID__c}
record_id: id
field_mappings:
  - {source: company, destination: Name}
  - {source: health_score_pct, destination: Health_Score__c, data_type: number, scale: 1}
  - {source: customer_health_status, destination: Health_Status__c}
  - {source: scored, destination: Health_Score_Last_Updated__c, data_type: datetime}
freshness: {destination_field: Health_Score_Last_Updated__c}
`

const agedModel = `SELECT * FROM (VALUES
	(1, 'One', 85.5, 'Healthy', now()::TIMESTAMP - INTERVAL '10 MINUTES'),
	(2, 'Two', 7, NULL, now()::TIMESTAMP - INTERVAL '2 HOURS'),
	(3, 'Three', 50, 'At Risk', now()::TIMESTAMP - INTERVAL '10 HOURS'),
	(4, 'Four', 0, NULL, now()::TIMESTAMP - INTERVAL '80 HOURS'),
	(5, 'Five', 12, 'At Risk', NULL),
	(6, 'Six', NULL, 'At Risk', NULL)) t(id, company, health_score_pct, customer_health_status, scored)`

// Over the table that verify makes of the destination's records the sample's own statements
// give the figures that the workers counted there.
func TestIntoTheWarehouse(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"syncs/connections.yaml": "connections:\n  salesforce_prod: {type: salesforce, url: https://acme.my.salesforce.com}\n",
		"syncs/aged.yaml":        agedSync, "syncs/aged.sql": agedModel,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(line string) string {
		t.Helper()
		out, err := shell(dir, line).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		return string(out)
	}
	run("penstock apply --yes && penstock run aged")
	count(t, filepath.Join(dir, defaultData))
	for range 2 { // its own table it replaces
		if out := run("penstock verify aged --into warehouse"); !strings.Contains(out, "salesforce_accounts and the view salesforce_accounts_view hold what was read") || strings.Contains(out, "has no column") {
			t.Error(out)
		}
	}
	query := func(sql string) string {
		t.Helper()
		return run("penstock sql --csv '" + strings.ReplaceAll(strings.Join(strings.Fields(sql), " "), "'", `'\''`) + "'")
	}
	run(`penstock sql "CALL penstock_refresh()"`)
	ages := query("SELECT total_records, updated_last_hour, updated_last_4_hours, updated_last_day, oldest_update, newest_update, missing_health_scores, missing_status FROM destination_data_freshness WHERE sync_name = 'aged'")
	if theirs := query(sampleAges); theirs != ages || !strings.Contains(ages, "\n4,1,2,3,") || !strings.HasSuffix(ages, ",0,2\n") {
		t.Errorf("theirs %sours %s", theirs, ages)
	}
	stale := query("SELECT total_records_with_health_data, records_updated_recently, stale_data_percentage FROM data_freshness_check WHERE sync_name = 'aged'")
	if theirs := query(sampleStale); theirs != stale || !strings.Contains(stale, "\n4,2,50") {
		t.Errorf("theirs %sours %s", theirs, stale)
	}
	if out, err := shell(dir, `penstock sql "DROP VIEW salesforce_accounts_view; DROP TABLE salesforce_accounts; CREATE TABLE salesforce_accounts (x INTEGER)" && penstock verify aged --into warehouse`).CombinedOutput(); err == nil || !strings.Contains(string(out), "a relation salesforce_accounts that is not this command's") {
		t.Errorf("somebody else's table: %v\n%s", err, out)
	}
}

// count has a worker count the records of a data folder's syncs, as penstock local does
// every minute.
func count(t *testing.T, data string) {
	t.Helper()
	store, err := openState(data)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	s := program{out: io.Discard, err: io.Discard, clock: clock{now: time.Now, zone: time.UTC}, known: listed()}
	asker, done, err := asking{Data: data}.asker(s)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = done() }()
	for _, vendor := range s.known.vendors() {
		if vendor.Name != "salesforce" {
			continue
		}
		d := machine.Verifier(store, vendor.Name, func(c syncdef.Connection) (dest.Account, error) { return asker.Open(vendor, c) })
		if n, err := d.Freshen(t.Context()); n != 1 || err != nil {
			t.Fatalf("%d counted, %v", n, err)
		}
	}
}
