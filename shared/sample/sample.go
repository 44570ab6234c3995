// Package sample makes the demo's data and judges its result. It fills a DuckDB
// warehouse with the sample's three customers and any number of generated ones, a
// few percent of them faulty in the ways that the sample names, knows exactly what
// must become of every row, scores some of them anew for a second pass, and
// compares what the destinations hold with the warehouse's models, field by field.
//
// Its inputs are a database with the tables and views of sql/duckdb, a seed and a
// time; the same seed gives the same rows. It pushes nothing, reads no ledger and
// does not use the mapping whose work it checks. What it knows beyond the sample's
// tables stands in the schema "sample" of the same database.
package sample

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// A Fault is what is wrong with a customer; each has at most one, so that the
// expected counts are exact.
type Fault string

// The faults, in the order in which customers are assigned to them.
const (
	MissingEmail     Fault = "missing_email"
	MalformedEmail   Fault = "malformed_email"
	ScoreOutOfRange  Fault = "score_out_of_range" // 105 to 150 percent
	UnknownRisk      Fault = "unknown_risk"       // a risk category that nobody knows
	NameTooLong      Fault = "name_too_long"      // over 255 characters
	LowConfidence    Fault = "low_confidence"     // below 0.7: the view leaves it out
	NullScore        Fault = "null_score"         // the views leave it out
	MissingAccount   Fault = "missing_account"    // a good row without an Account
	AmbiguousAccount Fault = "ambiguous_account"  // a good row with two
	None             Fault = "none"               // a good row with one Account
)

// shares say what part of the generated customers has a fault: at least one each.
var shares = []struct {
	fault    Fault
	perMille int
}{
	{MissingEmail, 4}, {MalformedEmail, 4}, {ScoreOutOfRange, 4}, {UnknownRisk, 4}, {NameTooLong, 4},
	{LowConfidence, 5}, {NullScore, 5}, {MissingAccount, 10}, {AmbiguousAccount, 10},
}

// Options say what Generate makes.
type Options struct {
	Rows int       // generated customers, beside the sample's three; 0 makes none
	Seed uint64    // the same seed makes the same customers
	Now  time.Time // when the scoring happens; the views compare it with the database's clock
}

// A Plan is what is in the warehouse, as of the last scoring.
type Plan struct {
	Rows     int           // customers in the tables
	Accounts int           // to seed in the simulated Salesforce
	Faults   map[Fault]int // customers by fault, None included
	Passes   []Pass        // the scorings, oldest first: Generate's, then each Rescore's
}

// A Pass is one scoring.
type Pass struct {
	Number    int       // 1 is Generate's
	At        time.Time // when, to the second, UTC
	Rescored  int       // customers with a new score (in pass 1: all)
	Added     int       // customers scored for the first time (in pass 1: none counted)
	Escalated int       // alerts ESCALATED_TO_HIGH_RISK
	Dropped   int       // alerts SIGNIFICANT_SCORE_DROP
	NewRisk   int       // alerts NEW_HIGH_RISK_CUSTOMER
	Gone      int       // customers that were deleted
}

// Alerts is how many alerts the scoring fires.
func (p Pass) Alerts() int { return p.Escalated + p.Dropped + p.NewRisk }

// ReadPlan reads the plan of a warehouse that Generate filled, for a process that
// goes on where another one stopped.
func ReadPlan(ctx context.Context, db *sql.DB) (Plan, error) {
	p := Plan{Faults: map[Fault]int{}}
	rows, err := db.QueryContext(ctx, `SELECT fault, count(*) FROM sample.customers WHERE first_pass <= (SELECT max(pass) FROM sample.passes) GROUP BY fault`)
	if err != nil {
		return p, fmt.Errorf("read the sample's plan (was it generated here?): %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var f Fault
		var n int
		if err := rows.Scan(&f, &n); err != nil {
			return p, fmt.Errorf("read the sample's plan: %w", err)
		}
		p.Faults[f] = n
		p.Rows += n
	}
	if err := rows.Err(); err != nil {
		return p, fmt.Errorf("read the sample's plan: %w", err)
	}
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM sample.accounts`).Scan(&p.Accounts); err != nil {
		return p, fmt.Errorf("read the sample's plan: %w", err)
	}
	p.Passes, err = passes(ctx, db)
	return p, err
}

func passes(ctx context.Context, db *sql.DB) ([]Pass, error) {
	rows, err := db.QueryContext(ctx, `SELECT pass, scored_at, rescored, added, escalated, dropped, new_risk, gone FROM sample.passes ORDER BY pass`)
	if err != nil {
		return nil, fmt.Errorf("read the sample's scorings: %w", err)
	}
	defer rows.Close()
	var out []Pass
	for rows.Next() {
		var p Pass
		if err := rows.Scan(&p.Number, &p.At, &p.Rescored, &p.Added, &p.Escalated, &p.Dropped, &p.NewRisk, &p.Gone); err != nil {
			return nil, fmt.Errorf("read the sample's scorings: %w", err)
		}
		p.At = p.At.UTC()
		out = append(out, p)
	}
	return out, rows.Err()
}

// Accounts gives every Account to seed in the simulated Salesforce: its Website,
// spelt in many ways, and its Name. It stops when yield answers false.
func Accounts(ctx context.Context, db *sql.DB, yield func(website, name string) bool) error {
	rows, err := db.QueryContext(ctx, `SELECT website, name FROM sample.accounts ORDER BY position`)
	if err != nil {
		return fmt.Errorf("read the sample's accounts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var website, name string
		if err := rows.Scan(&website, &name); err != nil {
			return fmt.Errorf("read the sample's accounts: %w", err)
		}
		if !yield(website, name) {
			break
		}
	}
	return rows.Err()
}
