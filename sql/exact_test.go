//go:build cgo

package sql_test

import (
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/app/apptest"
)

// A number in a JSON column arrives as it stands, and a FLOAT by its shortest digits, by
// whatever rows are selected; a change in digits that no double holds is a change.
func TestExactRows(t *testing.T) {
	for _, c := range []struct{ incremental, mode string }{
		{"{changed_only: true}", "incremental"},
		{"{cursor: seen}", "incremental"},
		{"{cursor: day}", "incremental"},
		{"{cursor: n}", "incremental"},
		{"{cursor: word}", "incremental"},
		{"{cursor: seen, always: email IS NOT NULL every 24h}", "incremental"},
		{"{cursor: seen}", "full"},
		{"{stream: health}", "cdc"},
	} {
		t.Run(c.incremental+" "+c.mode, func(t *testing.T) {
			r := newRoad(t, map[string]string{"accounts": "destination_object: Account\nmatching_strategy: email_domain\nrecord_id: email\nmodel: health\nincremental: " + c.incremental +
				"\nfield_mappings: [{source: payload.n, destination: Description}, {source: score, destination: Health_Score__c, data_type: number}]\n"})
			r.exec("CREATE TABLE health (email VARCHAR, payload JSON, score FLOAT, seen TIMESTAMPTZ, day TIMESTAMP, n INTEGER, word VARCHAR, \"METADATA$ACTION\" VARCHAR DEFAULT 'INSERT', \"METADATA$ISUPDATE\" BOOLEAN DEFAULT FALSE)")
			r.views()
			r.world.Clock.Advance(time.Since(apptest.Start))
			holds := func(digits, score string) {
				t.Helper()
				r.same(r.world.Vendors.Accounts("Description")["https://a.com"], digits)
				r.same(r.world.Vendors.Accounts("Health_Score__c")["https://a.com"], score)
			}
			r.exec(`INSERT INTO health (email, payload, score, seen, day, n, word) VALUES ('x@a.com', '{"n": 123456789012345678901.25}', 0.1, '2024-05-01 10:00:00+00', '2024-05-01 10:00:00', 1, 'a')`)
			r.ran(c.mode)
			holds("123456789012345678901.25", "0.1")
			r.exec("DELETE FROM health")
			r.exec(`INSERT INTO health (email, payload, score, seen, day, n, word) VALUES ('x@a.com', '{"n": 123456789012345678902.75}', 0.1, '2024-05-01 10:00:00+00', '2024-05-01 10:00:00', 1, 'a')`)
			r.ran(c.mode)
			holds("123456789012345678902.75", "0.1")
			if c.mode == "cdc" {
				return
			}
			r.exec(`UPDATE health SET payload = '{"n": 123456789012345678902.50}'`)
			r.same(read(t, r.w.DB(), "SELECT concat_ws(' ', received, updated) FROM penstock_run('accounts', 'dry_run')")[0], "1 1")
			if c.incremental == "{changed_only: true}" {
				r.refresh()
				r.same(read(t, r.w.DB(), "SELECT regexp_extract(CAST(row_data AS VARCHAR), '\"payload\":([^}]*})', 1) FROM penstock_pushed WHERE gone IS NULL")[0], `{"n": 123456789012345678902.75}`)
			}
		})
	}
}
