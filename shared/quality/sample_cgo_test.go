//go:build cgo

package quality_test

import (
	"database/sql"
	_ "embed"
	"fmt"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/quality"
)

//go:embed testdata/checks.sql
var checksSQL string

//go:embed testdata/thresholds.sql
var thresholdsSQL string

// asked is what the sample's own query says.
func asked(t *testing.T, db *sql.DB, query string) (said string) {
	t.Helper()
	if err := db.QueryRow(query).Scan(&said); err != nil {
		t.Fatal(err)
	}
	return said
}

// The sample's data quality checks stop a run where its own query says FAIL: at its
// thresholds, one row either side, and only there.
func TestSampleChecks(t *testing.T) {
	db := warehouse(t)
	g := sampleChecks()
	for _, c := range []struct {
		name  string
		total int
		edit  []string
		want  quality.Decision
	}{
		{"all is well", 1000, nil, quality.Proceed},
		{"one row under 5%", 1000, []string{"UPDATE customer_health_scores SET email = NULL WHERE n < 49"}, quality.Proceed},
		{"5%", 1000, []string{"UPDATE customer_health_scores SET email = CASE WHEN n % 2 = 0 THEN '' END WHERE n < 50"}, quality.Proceed},
		{"one row over 5%", 1000, []string{"UPDATE customer_health_scores SET email = CASE WHEN n % 2 = 0 THEN '' END WHERE n < 51"}, quality.Block},
		{"5% of 20", 20, []string{"UPDATE customer_health_scores SET email = '' WHERE n < 1"}, quality.Proceed},
		{"one of 19", 19, []string{"UPDATE customer_health_scores SET email = '' WHERE n < 1"}, quality.Block},
		{"a blank is an email", 1000, []string{"UPDATE customer_health_scores SET email = ' '"}, quality.Proceed},
		{"scores at the ends", 1000, []string{"UPDATE customer_health_scores SET health_score = n % 2"}, quality.Proceed},
		{"no scores", 1000, []string{"UPDATE customer_health_scores SET health_score = NULL"}, quality.Proceed},
		{"one score over 1", 1000, []string{"UPDATE customer_health_scores SET health_score = 1.01 WHERE n = 7"}, quality.Block},
		{"one score under 0", 1000, []string{"UPDATE customer_health_scores SET health_score = -0.01 WHERE n = 7"}, quality.Block},
		{"names of 255", 1000, []string{"UPDATE customer_health_scores SET company_name = repeat('ä', 255)"}, quality.Proceed},
		{"names of 256 are counted", 1000, []string{"UPDATE customer_health_scores SET company_name = repeat('ä', 256)"}, quality.Proceed},
		{"all at once", 1000, []string{"UPDATE customer_health_scores SET email = NULL, health_score = 9, company_name = repeat('x', 300)"}, quality.Block},
	} {
		exec(t, db, "CREATE OR REPLACE TABLE customer_health_scores (n INTEGER, email VARCHAR(255), company_name VARCHAR, health_score DECIMAL(3, 2))",
			fmt.Sprintf("INSERT INTO customer_health_scores SELECT i, 'a' || i || '@b.co', 'Company', 0.5 FROM range(%d) t(i)", c.total))
		exec(t, db, c.edit...)
		v := bothWays(t, db, g)
		if said := asked(t, db, checksSQL); (said == "FAIL") != (c.want == quality.Block) || v.Decision != c.want {
			t.Errorf("%s: %s, want %s; the sample's query says %s", c.name, v.Decision, c.want, said)
		}
		if strings.Contains(c.name, "256") && (v.Rules[2].Failed != 1000 || v.Rules[2].Decision != quality.Proceed) {
			t.Errorf("%s: %+v", c.name, v.Rules[2])
		}
	}
}

// The sample's validation warns and blocks where its own query does.
func TestSampleThresholds(t *testing.T) {
	db := warehouse(t)
	g := sampleThresholds()
	for null, want := range map[int]quality.Decision{
		0: quality.Proceed, 9: quality.Proceed, 10: quality.Proceed, 11: quality.Warn, 49: quality.Warn, 50: quality.Warn, 51: quality.Block, 1000: quality.Block,
	} {
		exec(t, db, "CREATE OR REPLACE TABLE salesforce_customer_health_sync AS SELECT CASE WHEN i >= "+fmt.Sprint(null)+" THEN '' END AS email FROM range(1000) t(i)")
		v := bothWays(t, db, g)
		if said := asked(t, db, thresholdsSQL); said != string(want) || v.Decision != want || v.Rules[0].Failed != int64(null) {
			t.Errorf("%d of 1000: %s, want %s; the sample's query says %s", null, v.Decision, want, said)
		}
	}
}

// An empty model goes on with a count of 0, unless min_rows says otherwise.
func TestEmptyModel(t *testing.T) {
	db := warehouse(t)
	exec(t, db, "CREATE TABLE salesforce_customer_health_sync (email VARCHAR)")
	d := sampleThresholds()
	if v := bothWays(t, db, d); v.Decision != quality.Proceed || v.Total != 0 || v.Rules[0].Failed != 0 || v.Rules[0].Share != 0 {
		t.Errorf("%+v", v)
	}
	d.Quality.MinRows = 2
	for rows, want := range []quality.Decision{quality.Block, quality.Block, quality.Proceed, quality.Proceed} {
		v := bothWays(t, db, d)
		if v.Decision != want || v.Rules[0].Rule != quality.MinRows || v.Rules[0].Failed != int64(max(0, 2-rows)) {
			t.Errorf("%d rows: %+v", rows, v)
		}
		exec(t, db, "INSERT INTO salesforce_customer_health_sync VALUES ('a@b.co')")
	}
}
