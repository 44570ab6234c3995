package sample

import (
	"context"
	"database/sql"
	"fmt"
	"math/bits"
	"strings"
	"time"
)

// Generate empties the sample's tables and fills them again, all in DuckDB: the
// customers with their faults, yesterday's scoring and today's, and the accounts
// to seed. Each customer has a domain of its own.
func Generate(ctx context.Context, db *sql.DB, o Options) (Plan, error) {
	if o.Rows < 0 {
		return Plan{}, fmt.Errorf("generate the sample: %d rows cannot be", o.Rows)
	}
	g := generator{rows: o.Rows, reserve: max(10, o.Rows/100), seed: o.Seed, now: o.Now.UTC().Truncate(time.Second)}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return Plan{}, fmt.Errorf("generate the sample: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
	for _, s := range []struct{ what, sql string }{
		{"empty the tables", emptyTables}, {"make the customers", g.customers()}, {"add the sample's customers", g.samples()},
		{"make the scores", g.scores("first_pass = 1 AND n > 0")}, {"make the full picture", g.comprehensive("first_pass = 1 AND n > 0")},
		{"make the history", g.history()}, {"make the accounts", g.accounts()}, {"note the scoring", g.pass()},
	} {
		if _, err := tx.ExecContext(ctx, s.sql); err != nil {
			return Plan{}, fmt.Errorf("generate the sample: %s: %w", s.what, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return Plan{}, fmt.Errorf("generate the sample: %w", err)
	}
	return ReadPlan(ctx, db)
}

const emptyTables = `
CREATE SCHEMA IF NOT EXISTS sample;
DELETE FROM customer_health_scores;
DELETE FROM customer_health_comprehensive;
DELETE FROM customer_health_history;
DELETE FROM deleted_customers;`

// A generator writes the statements.
type generator struct {
	rows    int // generated customers of the first scoring
	reserve int // customers whose first score comes with a later scoring
	seed    uint64
	now     time.Time
}

// random is SQL for a whole number from 0 to below n: the same for the same
// customer, seed and salt.
func (g generator) random(salt, n int) string {
	return fmt.Sprintf("CAST(hash(n, %d::UBIGINT, %d) %% %d AS BIGINT)", g.seed, salt, n)
}

func (g generator) at() string { return "TIMESTAMP '" + g.now.Format(time.DateTime) + "'" }

// fault is SQL for a customer's fault. The customers are shuffled by a
// multiplication modulo their number, so that each fault has its exact count.
func (g generator) fault() string {
	if g.rows == 0 {
		return "'none'"
	}
	a := g.seed%uint64(g.rows) | 1
	for gcd(a, uint64(g.rows)) != 1 {
		a += 2
	}
	_, shift := bits.Mul64(g.seed, 0x9E3779B97F4A7C15)
	var b strings.Builder
	b.WriteString("CASE")
	end := 0
	for _, s := range shares {
		end += max(1, g.rows*s.perMille/1000)
		fmt.Fprintf(&b, " WHEN (n * %d + %d) %% %d < %d THEN '%s'", a, shift%uint64(g.rows), g.rows, end, s.fault)
	}
	b.WriteString(" ELSE 'none' END")
	return fmt.Sprintf("CASE WHEN n > %d THEN 'none' ELSE %s END", g.rows, b.String())
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// customers makes sample.customers: who they are, and what is wrong with them.
// The reserve are good customers of high risk that a Rescore will add.
func (g generator) customers() string {
	return fmt.Sprintf(`
CREATE OR REPLACE TABLE sample.customers AS
WITH numbered AS (
    SELECT CAST(i AS BIGINT) AS n, %[1]s AS w1, %[2]s AS w2, %[3]s AS w3, %[4]s AS w4, lpad(CAST(i AS VARCHAR), 7, '0') AS padded
    FROM (SELECT i AS n, i FROM range(1, %[5]d) r(i))
)
SELECT
    n,
    'cust_' || padded                                                                   AS customer_id,
    concat(%[6]s, '-', %[7]s, '-', padded, '.com')                                      AS domain,
    concat(%[8]s, ' ', %[9]s, ' ', padded)                                              AS name,
    concat(%[10]s, '.', %[11]s)                                                         AS mailbox,
    %[12]s                                                                            AS fault,
    CASE WHEN n > %[13]d THEN 99 ELSE 1 END                                           AS first_pass,
    CAST(NULL AS INTEGER)                                                             AS left_pass,
    CAST(CASE WHEN n > %[13]d THEN 500 + %[14]s ELSE 400 + %[15]s END / 10000 AS DECIMAL(5, 4)) AS score
FROM numbered;`,
		g.random(1, len(firstWords)), g.random(2, len(secondWords)), g.random(3, len(givenNames)), g.random(4, len(familyNames)),
		g.rows+g.reserve+1, pick("w1", slugs(firstWords)), pick("w2", slugs(secondWords)), pick("w1", names(firstWords)), pick("w2", names(secondWords)),
		pick("w3", givenNames), pick("w4", familyNames), g.fault(), g.rows, g.random(5, 2500), g.random(5, 9500))
}

// samples adds the sample's three, numbered below the generated ones. Of the full
// picture the sample shows the first only; the other two follow from their scores.
func (g generator) samples() string {
	return strings.ReplaceAll(`
INSERT INTO sample.customers VALUES
    (0, 'cust_001', 'acmecorp.com', 'ACME Corporation', 'john.doe', 'none', 1, NULL, 0.8547),
    (-1, 'cust_002', 'techstartup.com', 'TechStartup', 'sarah', 'none', 1, NULL, 0.4500),
    (-2, 'cust_003', 'enterprise.com', 'Enterprise', 'mike', 'none', 1, NULL, 0.1500);
INSERT INTO customer_health_scores VALUES
    ('cust_001', 'john@acmecorp.com', 'ACME Corp', 0.85, 'low', NOW - INTERVAL 10 MINUTES, '{"usage": 0.9, "support": 0.8}'),
    ('cust_002', 'sarah@techstartup.com', 'TechStartup', 0.45, 'medium', NOW - INTERVAL 5 MINUTES, '{"usage": 0.6, "support": 0.3}'),
    ('cust_003', 'mike@enterprise.com', 'Enterprise', 0.15, 'high', NOW, '{"usage": 0.2, "support": 0.1}');
INSERT INTO customer_health_comprehensive VALUES
    ('cust_001', 'john.doe@acmecorp.com', 'ACME Corporation', 0.8547, 'low_risk', 0.92,
        '{"daily_active_users": 45, "feature_adoption": 0.87, "api_calls_trend": "increasing"}',
        '{"mrr": 12500, "payment_history": "excellent", "contract_renewal_probability": 0.95}',
        '{"support_tickets_30d": 1, "last_login_days_ago": 2, "training_completion": 1.0}',
        'v2.1.3', NOW, NOW - INTERVAL 30 DAYS, NOW),
    ('cust_002', 'sarah@techstartup.com', 'TechStartup', 0.4500, 'medium_risk', 0.81,
        '{"daily_active_users": 12, "feature_adoption": 0.60, "api_calls_trend": "stable"}',
        '{"mrr": 2400, "payment_history": "good", "contract_renewal_probability": 0.55}',
        '{"support_tickets_30d": 5, "last_login_days_ago": 9, "training_completion": 0.4}',
        'v2.1.3', NOW, NOW - INTERVAL 30 DAYS, NOW),
    ('cust_003', 'mike@enterprise.com', 'Enterprise', 0.1500, 'high_risk', 0.88,
        '{"daily_active_users": 3, "feature_adoption": 0.20, "api_calls_trend": "decreasing"}',
        '{"mrr": 30000, "payment_history": "late", "contract_renewal_probability": 0.20}',
        '{"support_tickets_30d": 8, "last_login_days_ago": 31, "training_completion": 0.1}',
        'v2.1.3', NOW, NOW - INTERVAL 30 DAYS, NOW);`, "NOW", g.at())
}

// email, companyName, score and risk are SQL for what lands in the tables, faults
// included. Some addresses carry blanks and capitals, which the views take off.
const (
	email = `CASE fault
        WHEN 'missing_email' THEN NULL
        WHEN 'malformed_email' THEN CASE n % 3 WHEN 0 THEN mailbox || '@' WHEN 1 THEN replace(mailbox, '.', ' ') || '@' || domain ELSE mailbox || '@@' || domain END
        ELSE CASE n % 10 WHEN 3 THEN '  ' || upper(mailbox) || '@' || domain || ' ' WHEN 7 THEN mailbox || '@' || upper(domain) ELSE mailbox || '@' || domain END
    END`
	companyName = `CASE fault WHEN 'name_too_long' THEN left(repeat(name || ' ', 20), 300) ELSE name END`
	landedScore = `CASE fault WHEN 'null_score' THEN NULL WHEN 'score_out_of_range' THEN CAST(1.05 + (n % 46) / 100 AS DECIMAL(5, 4)) ELSE score END`
	risk        = `CASE WHEN fault = 'unknown_risk' THEN 'critical' WHEN score < 0.35 THEN 'high' WHEN score < 0.65 THEN 'medium' ELSE 'low' END`
	fullRisk    = `CASE WHEN fault = 'unknown_risk' THEN 'critical' WHEN score < 0.35 THEN 'high_risk' WHEN score < 0.65 THEN 'medium_risk' ELSE 'low_risk' END`
)

// scoredAt is when a customer was scored: within the ten minutes before now, so
// that a second pass some minutes later finds it inside the views' windows.
func (g generator) scoredAt() string {
	return g.at() + " - INTERVAL 1 SECOND * " + g.random(6, 600)
}

func (g generator) scores(where string) string {
	return fmt.Sprintf(`
INSERT INTO customer_health_scores
SELECT customer_id, %s, %s, CAST(%s AS DECIMAL(3, 2)), %s, %s,
    concat('{"usage": 0.', 10 + %s, ', "support": 0.', 10 + %s, '}')
FROM sample.customers WHERE %s;`, email, companyName, landedScore, risk, g.scoredAt(), g.random(7, 90), g.random(8, 90), where)
}

// comprehensive fills the full picture. A few customers never filed a ticket or
// pay nothing yet: those members are absent, and the views give null.
func (g generator) comprehensive(where string) string {
	return fmt.Sprintf(`
INSERT INTO customer_health_comprehensive
SELECT customer_id, %[1]s, %[2]s, %[3]s, %[4]s,
    CAST(CASE fault WHEN 'low_confidence' THEN 0.30 + %[5]s / 100 ELSE 0.70 + %[6]s / 100 END AS DECIMAL(3, 2)),
    concat('{"daily_active_users": ', %[7]s, ', "feature_adoption": 0.', 10 + %[8]s, ', "api_calls_trend": "', CASE %[9]s WHEN 0 THEN 'increasing' WHEN 1 THEN 'stable' ELSE 'decreasing' END, '"}'),
    concat('{', CASE WHEN n %% 100 <> 57 THEN concat('"mrr": ', 100 + %[10]s, ', ') END,
        '"payment_history": "', CASE %[11]s WHEN 0 THEN 'excellent' WHEN 1 THEN 'good' ELSE 'late' END, '", "contract_renewal_probability": 0.', 10 + %[12]s, '}'),
    concat('{', CASE WHEN n %% 33 <> 5 THEN concat('"support_tickets_30d": ', %[13]s, ', ') END,
        '"last_login_days_ago": ', %[14]s, ', "training_completion": 0.', 10 + %[15]s, '}'),
    'v2.1.3', scored_at, scored_at - INTERVAL 30 DAYS, scored_at
FROM (SELECT *, %[16]s AS scored_at FROM sample.customers WHERE %[17]s);`,
		email, companyName, landedScore, fullRisk, g.random(9, 40), g.random(10, 30), g.random(11, 400), g.random(12, 90), g.random(13, 3),
		g.random(14, 24000), g.random(15, 3), g.random(16, 90), g.random(17, 9), g.random(18, 60), g.random(19, 90), g.scoredAt(), where)
}

// history appends yesterday's scoring and today's. Generated customers moved by
// less than 3 points and kept their category; of the sample's, TechStartup fell
// and Enterprise became high risk: the two alerts of the first pass.
func (g generator) history() string {
	return fmt.Sprintf(`
INSERT INTO customer_health_history
SELECT c.customer_id, c.email, c.company_name,
    CASE c.customer_id WHEN 'cust_002' THEN 0.71 WHEN 'cust_003' THEN 0.42
        ELSE c.health_score + CAST(CASE WHEN c.health_score > 0.5 THEN -%[1]s ELSE %[1]s END AS DECIMAL(2, 0)) * 0.001 END,
    CASE c.customer_id WHEN 'cust_002' THEN 'low_risk' WHEN 'cust_003' THEN 'medium_risk' ELSE c.risk_category END,
    c.calculated_at - INTERVAL 1 DAY
FROM (SELECT *, CAST(right(customer_id, 3) AS BIGINT) AS n FROM customer_health_comprehensive) c;
INSERT INTO customer_health_history
SELECT customer_id, email, company_name, health_score, risk_category, calculated_at FROM customer_health_comprehensive;`, g.random(20, 30))
}

// accounts makes sample.accounts: one per customer, none or two where that is the
// fault. Faulty rows have theirs, too, which nobody may touch.
func (g generator) accounts() string {
	const website = `CASE spelling %% 6
        WHEN 0 THEN 'https://www.' || domain || '/'
        WHEN 1 THEN domain
        WHEN 2 THEN 'HTTP://' || upper(domain) || '/contact'
        WHEN 3 THEN 'http://' || domain
        WHEN 4 THEN 'www.' || domain
        ELSE 'https://' || domain || '/about/us?from=crm'
    END`
	return fmt.Sprintf(`
CREATE OR REPLACE TABLE sample.accounts AS
SELECT row_number() OVER (ORDER BY n, second) AS position, customer_id, `+website+` AS website, CASE WHEN second THEN name || ' (old)' ELSE name END AS name
FROM (
    SELECT n, customer_id, domain, name, false AS second, abs(n) AS spelling FROM sample.customers WHERE fault <> '%[1]s'
    UNION ALL
    SELECT n, customer_id, domain, name, true, abs(n) + 2 FROM sample.customers WHERE fault = '%[2]s'
);`, MissingAccount, AmbiguousAccount)
}

func (g generator) pass() string {
	return fmt.Sprintf(`
CREATE OR REPLACE TABLE sample.passes (pass INTEGER, seed UBIGINT, scored_at TIMESTAMP, rescored INTEGER, added INTEGER, escalated INTEGER, dropped INTEGER, new_risk INTEGER, gone INTEGER);
INSERT INTO sample.passes SELECT 1, %d, %s, count(*), 0, 1, 1, 0, 0 FROM customer_health_comprehensive;`, g.seed, g.at())
}
