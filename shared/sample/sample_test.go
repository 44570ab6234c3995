//go:build cgo

package sample

import (
	"database/sql"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
	setup "github.com/penstock-data/penstock/sql"
)

// warehouse is a database in memory with the sample's tables and views. Its clock
// is the machine's, since the views read it: tests stay an hour from its edges.
func warehouse(t testing.TB) *sql.DB {
	t.Helper()
	w, err := duckdb.Open(t.Context(), duckdb.Config{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	script, err := setup.Setup("duckdb", setup.Params{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Exec(t.Context(), script); err != nil {
		t.Fatal(err)
	}
	return w.DB()
}

func generate(t testing.TB, db *sql.DB, rows int, now time.Time) Plan {
	t.Helper()
	p, err := Generate(t.Context(), db, Options{Rows: rows, Seed: 7, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func rescore(t testing.TB, db *sql.DB, now time.Time) (Pass, Plan) {
	t.Helper()
	pass, err := Rescore(t.Context(), db, 0.01, now)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ReadPlan(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return pass, p
}

func count(t testing.TB, db *sql.DB, query string, args ...any) int {
	t.Helper()
	var n int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestGenerate(t *testing.T) {
	db := warehouse(t)
	p := generate(t, db, 1000, time.Now())
	want := map[Fault]int{MissingEmail: 4, MalformedEmail: 4, ScoreOutOfRange: 4, UnknownRisk: 4, NameTooLong: 4,
		LowConfidence: 5, NullScore: 5, MissingAccount: 10, AmbiguousAccount: 10, None: 953}
	if d := cmp.Diff(want, p.Faults); d != "" {
		t.Error(d)
	}
	if p.Rows != 1003 || p.Accounts != 1003+10 {
		t.Errorf("%d customers, %d accounts; want 10 in reserve, 10 missing, 10 twice", p.Rows, p.Accounts)
	}
	for _, c := range []struct {
		what, query string
		want        int
	}{
		{"one domain each", "(SELECT DISTINCT domain FROM sample.customers)", 1013},
		{"missing email", "customer_health_comprehensive WHERE email IS NULL", 4},
		{"malformed email", `customer_health_comprehensive WHERE NOT regexp_full_match(trim(email), '[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}')`, 4},
		{"score", "customer_health_comprehensive WHERE health_score > 1", 4},
		{"risk", "customer_health_comprehensive WHERE risk_category NOT IN ('high_risk', 'medium_risk', 'low_risk')", 4},
		{"name", "customer_health_comprehensive WHERE length(company_name) > 255", 4},
		{"confidence", "customer_health_comprehensive WHERE confidence_score < 0.7", 5},
		{"null score", "customer_health_comprehensive WHERE health_score IS NULL", 5},
		{"the view", "salesforce_customer_health_sync", p.Expect(AccountHealth).Pushed},
		{"the first query", "salesforce_customer_health", p.Expect(CustomerHealth).Pushed},
		{"the alerts", "slack_health_alerts", p.Expect(Alerts).Pushed},
		{"null metrics", "salesforce_customer_health_sync WHERE support_tickets_last_30d IS NULL OR monthly_recurring_revenue IS NULL", 41},
		{"other metrics", "salesforce_customer_health_sync WHERE daily_active_users IS NULL OR feature_adoption_pct IS NULL OR renewal_probability_pct IS NULL OR days_since_last_login IS NULL", 0},
		{"spellings", "(SELECT DISTINCT regexp_replace(lower(website), '[a-z-]+-[0-9]{7}[.]com', 'D') AS s FROM sample.accounts WHERE s LIKE '%D%')", 6},
	} {
		if got := count(t, db, c.query); got != c.want {
			t.Errorf("%s: %d rows, want %d", c.what, got, c.want)
		}
	}
}

// Every size has its faults, and the same seed gives the same rows.
func TestGenerateSizes(t *testing.T) {
	db := warehouse(t)
	now := time.Now()
	for _, rows := range []int{0, 1, 9, 10, 97, 5000} {
		p := generate(t, db, rows, now)
		if p.Rows != rows+3 || p.Faults[None] < 3 {
			t.Errorf("%d rows: %+v", rows, p)
		}
		if rows >= 9 && len(p.Faults) != 10 {
			t.Errorf("%d rows: %d kinds of fault", rows, len(p.Faults)-1)
		}
		for _, sync := range []string{AccountHealth, CustomerHealth, Alerts} {
			e := p.Expect(sync)
			if e.Pushed != e.Delivered+e.Unchanged+e.Rejected+e.Failed {
				t.Errorf("%d rows: %s: %+v does not add up", rows, sync, e)
			}
		}
	}
	sum := func(seed uint64) (s string) {
		if _, err := Generate(t.Context(), db, Options{Rows: 500, Seed: seed, Now: now}); err != nil {
			t.Fatal(err)
		}
		if err := db.QueryRowContext(t.Context(), "SELECT CAST(sum(hash(c)) AS VARCHAR) FROM customer_health_comprehensive c").Scan(&s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	if first, other, again := sum(7), sum(8), sum(7); first != again || first == other {
		t.Errorf("seed 7 gave %s and %s, seed 8 %s", first, again, other)
	}
}

// A second and a third scoring change what they say, and all alerts fire.
func TestRescore(t *testing.T) {
	db := warehouse(t)
	now := time.Now().Add(-2 * time.Minute)
	before := generate(t, db, 1000, now)
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE before AS SELECT * FROM salesforce_customer_health_sync"); err != nil {
		t.Fatal(err)
	}
	pass, p := rescore(t, db, now.Add(time.Minute))
	want := Pass{Number: 2, At: now.Add(time.Minute).UTC().Truncate(time.Second), Rescored: 8, Added: 2, Escalated: 2, Dropped: 2, NewRisk: 2, Gone: 2}
	if d := cmp.Diff(want, pass); d != "" {
		t.Error(d)
	}
	e := p.Expect(AccountHealth)
	if e.Delivered != 12 || e.Pushed != before.Expect(AccountHealth).Pushed+2 || e.Unchanged+e.Delivered != p.Faults[None] {
		t.Errorf("%+v", e)
	}
	if n := count(t, db, "(SELECT * FROM salesforce_customer_health_sync EXCEPT SELECT * FROM before)"); n != e.Delivered {
		t.Errorf("%d rows of the model changed, want %d", n, e.Delivered)
	}
	if n := count(t, db, "(SELECT * FROM before EXCEPT SELECT * FROM salesforce_customer_health_sync)"); n != pass.Rescored+pass.Gone {
		t.Errorf("%d rows of the model were others before, want %d", n, pass.Rescored+pass.Gone)
	}
	for alert, want := range map[string]int{"ESCALATED_TO_HIGH_RISK": 2, "SIGNIFICANT_SCORE_DROP": 2, "NEW_HIGH_RISK_CUSTOMER": 2} {
		if got := count(t, db, "slack_health_alerts WHERE alert_type = ? AND alert_time = ?", alert, pass.At); got != want {
			t.Errorf("%d alerts %s, want %d", got, alert, want)
		}
	}
	if e := p.Expect(Alerts); e.Pushed != count(t, db, "slack_health_alerts") || e.Delivered != 6 || e.Unchanged != 2 {
		t.Errorf("alerts: %+v", e)
	}
	third, p := rescore(t, db, now.Add(time.Minute)) // the clock stood still: the scoring is a second later
	if !third.At.Equal(pass.At.Add(time.Second)) || third.Number != 3 || p.Expect(Alerts).Pushed != count(t, db, "slack_health_alerts") {
		t.Errorf("%+v", third)
	}
}

func BenchmarkGenerate(b *testing.B) {
	db := warehouse(b)
	for b.Loop() {
		generate(b, db, 100_000, time.Now())
	}
}
