package sample

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"time"
)

// Rescore is the next scoring: it changes a fraction (0.01 is 1 percent) of the
// good customers and no other row, and appends each to the history. Of the
// changed ones about a fifth, and at least one, are customers that are scored for
// the first time, at high risk (NewRisk); of the others a quarter each become
// high risk (Escalated) and lose more than 20 points (Dropped); the rest move a
// little. Usage and revenue of all of them grow. As many as are new are deleted (Gone).
// Their records at the destinations change, and no others.
func Rescore(ctx context.Context, db *sql.DB, fraction float64, now time.Time) (Pass, error) {
	r, err := prepareRescore(ctx, db, fraction, now)
	if err != nil {
		return Pass{}, err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return Pass{}, fmt.Errorf("score the sample anew: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
	for _, s := range []struct{ what, sql string }{
		{"choose the customers", r.choose()}, {"change their scores", r.change()}, {"add new customers", r.add()},
		{"delete customers", r.remove()}, {"append the history", r.append()}, {"note the scoring", r.note()},
	} {
		if _, err := tx.ExecContext(ctx, s.sql); err != nil {
			return Pass{}, fmt.Errorf("score the sample anew: %s: %w", s.what, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return Pass{}, fmt.Errorf("score the sample anew: %w", err)
	}
	all, err := passes(ctx, db)
	if err != nil {
		return Pass{}, err
	}
	return all[len(all)-1], nil
}

// A rescoring writes the statements of one Rescore.
type rescoring struct {
	generator
	number                       int
	escalated, dropped, moved, n int // rows wanted; n new customers
}

func prepareRescore(ctx context.Context, db *sql.DB, fraction float64, now time.Time) (rescoring, error) {
	r := rescoring{generator: generator{now: now.UTC().Truncate(time.Second)}}
	var last time.Time
	var customers, reserve int
	err := db.QueryRowContext(ctx, `SELECT max(pass) + 1, any_value(seed), max(scored_at),
		(SELECT count(*) FROM sample.customers WHERE n > 0 AND first_pass < 99), (SELECT count(*) FROM sample.customers WHERE first_pass = 99) FROM sample.passes`).
		Scan(&r.number, &r.seed, &last, &customers, &reserve)
	if err != nil {
		return r, fmt.Errorf("score the sample anew (was it generated here?): %w", err)
	}
	if !r.now.After(last) {
		// The history needs an order, and the cursor has to grow.
		r.now = last.UTC().Add(time.Second)
	}
	changes := max(4, int(math.Round(fraction*float64(customers))))
	r.n = min(reserve, max(1, changes/5))
	r.escalated = max(1, (changes-r.n)/4)
	r.dropped = r.escalated
	r.moved = max(1, changes-r.n-r.escalated-r.dropped)
	return r, nil
}

// choose makes sample.chosen: who is scored anew, how, and the new score. Only
// good customers whose row is in the view take part, so that every change arrives.
func (r rescoring) choose() string {
	const pick = `
INSERT INTO sample.chosen
SELECT n, customer_id, '%[1]s', %[2]s, %[3]s
FROM sample.customers JOIN customer_health_comprehensive c USING (customer_id)
WHERE fault = 'none' AND left_pass IS NULL AND n > 0 AND %[4]s AND n NOT IN (SELECT n FROM sample.chosen)
ORDER BY hash(n, %[5]d::UBIGINT, %[6]d), n LIMIT %[7]d;`
	const band = "CASE WHEN %[1]s < 0.35 THEN 'high_risk' WHEN %[1]s < 0.65 THEN 'medium_risk' ELSE 'low_risk' END"
	salt := 100 * r.number
	low := "CAST(0.10 + " + r.random(salt+1, 2000) + " / 10000 AS DECIMAL(5, 4))"
	fallen := "CAST(c.health_score - 0.25 AS DECIMAL(5, 4))"
	nudged := "CAST(CASE WHEN c.health_score > 0.5 THEN c.health_score - 0.02 ELSE c.health_score + 0.02 END AS DECIMAL(5, 4))"
	return "CREATE OR REPLACE TABLE sample.chosen (n BIGINT, customer_id VARCHAR, how VARCHAR, score DECIMAL(5, 4), risk VARCHAR);" +
		fmt.Sprintf(pick, "escalated", low, "'high_risk'", "c.risk_category <> 'high_risk'", r.seed, salt, r.escalated) +
		fmt.Sprintf(pick, "dropped", fallen, fmt.Sprintf(band, fallen), "c.health_score >= 0.61", r.seed, salt, r.dropped) +
		fmt.Sprintf(pick, "moved", nudged, "c.risk_category", "true", r.seed, salt, r.moved)
}

func (r rescoring) change() string {
	return fmt.Sprintf(`
UPDATE customer_health_comprehensive AS c
SET health_score = w.score, risk_category = w.risk, calculated_at = %[1]s, updated_at = %[1]s,
    usage_metrics = json_merge_patch(usage_metrics, json_object('daily_active_users', 7 + CAST(usage_metrics->>'daily_active_users' AS BIGINT))),
    financial_metrics = json_merge_patch(financial_metrics, json_object('mrr', 250 + coalesce(CAST(financial_metrics->>'mrr' AS BIGINT), 0)))
FROM sample.chosen AS w WHERE c.customer_id = w.customer_id;
UPDATE customer_health_scores AS c
SET health_score = CAST(w.score AS DECIMAL(3, 2)), risk_category = replace(w.risk, '_risk', ''), last_updated = %[1]s
FROM sample.chosen AS w WHERE c.customer_id = w.customer_id;`, r.at())
}

// add takes new customers, all of high risk, from the reserve.
func (r rescoring) add() string {
	where := fmt.Sprintf("first_pass = %d", r.number)
	return fmt.Sprintf(`
UPDATE sample.customers SET first_pass = %d
WHERE n IN (SELECT n FROM sample.customers WHERE first_pass = 99 ORDER BY n LIMIT %d);`, r.number, r.n) +
		r.scores(where) + r.comprehensive(where) + fmt.Sprintf(`
UPDATE customer_health_comprehensive SET calculated_at = %[1]s, updated_at = %[1]s
WHERE customer_id IN (SELECT customer_id FROM sample.customers WHERE %[2]s);`, r.at(), where)
}

// remove deletes customers: good ones that had been scored before, and are not now.
func (r rescoring) remove() string {
	return fmt.Sprintf(`
UPDATE sample.customers SET left_pass = %[1]d
WHERE n IN (SELECT n FROM sample.customers WHERE fault = 'none' AND left_pass IS NULL AND n > 0 AND first_pass < %[1]d AND n NOT IN (SELECT n FROM sample.chosen)
    ORDER BY hash(n, %[2]d::UBIGINT, %[3]d), n LIMIT %[4]d);
INSERT INTO deleted_customers SELECT customer_id, %[5]s FROM sample.customers WHERE left_pass = %[1]d;`, r.number, r.seed, 100*r.number+2, r.n, r.at())
}

func (r rescoring) append() string {
	return fmt.Sprintf(`
INSERT INTO customer_health_history
SELECT customer_id, email, company_name, health_score, risk_category, calculated_at
FROM customer_health_comprehensive
WHERE customer_id IN (SELECT customer_id FROM sample.chosen UNION ALL SELECT customer_id FROM sample.customers WHERE first_pass = %d);`, r.number)
}

func (r rescoring) note() string {
	return fmt.Sprintf(`
INSERT INTO sample.passes
SELECT %[1]d, %[2]d, %[3]s, count(*), (SELECT count(*) FROM sample.customers WHERE first_pass = %[1]d),
    count(*) FILTER (how = 'escalated'), count(*) FILTER (how = 'dropped'), (SELECT count(*) FROM sample.customers WHERE first_pass = %[1]d),
    (SELECT count(*) FROM sample.customers WHERE left_pass = %[1]d)
FROM sample.chosen;`, r.number, r.seed, r.at())
}
