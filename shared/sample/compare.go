package sample

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

// A Record is one record of the destination, as its own store holds it.
type Record interface {
	// ID is the record's id.
	ID() string
	// Text is a field's value as text; ok is false for null. The bytes are read
	// before the next call.
	Text(field string) (text []byte, ok bool)
}

// A Difference is one value at the destination that is not the warehouse's.
type Difference struct {
	Customer string // the warehouse's record id, "" when there is none
	Record   string // the destination's id, "" when there is none
	Field    string // "" when the whole record is at fault
	Want     string // as text; null is "null"
	Got      string
}

// String is the difference in one line.
func (d Difference) String() string {
	return fmt.Sprintf("%s (record %s) %s: want %s, got %s", d.Customer, d.Record, d.Field, d.Want, d.Got)
}

// A Comparison is the result of comparing.
type Comparison struct {
	Records     int          // records at the destination
	Compared    int          // records that must hold the warehouse's values
	Untouched   int          // records that nobody may have touched
	Total       int          // differences found
	Differences []Difference // the first of them
}

// Matches reports whether the destination is equal to the warehouse.
func (c Comparison) Matches() bool { return c.Total == 0 }

// shown is how many differences a Comparison lists.
const shown = 50

// CompareAccounts compares the simulated Salesforce's Accounts with a sync's model,
// field by field: every good row's Account holds the mapped values (numbers
// compared as decimals, datetimes as instants), and every other Account is as it
// was seeded. def gives the mapping, model is the view; each passes the records,
// which are kept in a table of the database meanwhile, not in this process.
func CompareAccounts(ctx context.Context, db *sql.DB, def *syncdef.Definition, model string, each func(yield func(Record) bool)) (Comparison, error) {
	c := comparison{def: def, model: model}
	if err := c.load(ctx, db, each); err != nil {
		return Comparison{}, fmt.Errorf("compare %s: %w", def.Sync, err)
	}
	for _, s := range []string{c.expected(), c.differences()} {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return Comparison{}, fmt.Errorf("compare %s: %w", def.Sync, err)
		}
	}
	var out Comparison
	err := db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM sample.destination), (SELECT count(*) FROM sample.expected),
		(SELECT count(*) FROM sample.destination d WHERE d.website NOT IN (SELECT website FROM sample.expected)), (SELECT count(*) FROM sample.differences)`).
		Scan(&out.Records, &out.Compared, &out.Untouched, &out.Total)
	if err != nil {
		return out, fmt.Errorf("compare %s: %w", def.Sync, err)
	}
	if out.Differences, err = readDifferences(ctx, db); err != nil {
		return out, fmt.Errorf("compare %s: %w", def.Sync, err)
	}
	_, err = db.ExecContext(ctx, "DROP TABLE sample.destination; DROP TABLE sample.expected; DROP TABLE sample.differences")
	return out, err
}

func readDifferences(ctx context.Context, db *sql.DB) ([]Difference, error) {
	rows, err := db.QueryContext(ctx, fmt.Sprintf(`SELECT coalesce(customer_id, ''), coalesce(id, ''), field, coalesce(want, 'null'), coalesce(got, 'null')
		FROM sample.differences ORDER BY ALL LIMIT %d`, shown))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Difference
	for rows.Next() {
		var d Difference
		if err := rows.Scan(&d.Customer, &d.Record, &d.Field, &d.Want, &d.Got); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

// A comparison writes the statements of one CompareAccounts.
type comparison struct {
	def   *syncdef.Definition
	model string
}

// load copies the records' ids, websites, names and mapped fields, all as text.
func (c comparison) load(ctx context.Context, db *sql.DB, each func(yield func(Record) bool)) error {
	columns := "id VARCHAR, website VARCHAR, name VARCHAR"
	for i := range c.def.Fields {
		columns += fmt.Sprintf(", f%d VARCHAR", i)
	}
	if _, err := db.ExecContext(ctx, "CREATE OR REPLACE TABLE sample.destination ("+columns+")"); err != nil {
		return err
	}
	fields := []string{"Website", "Name"}
	for _, f := range c.def.Fields {
		fields = append(fields, f.Destination)
	}
	return duckdb.Append(ctx, db, "sample", "destination", func(add func(...driver.Value) error) error {
		values := make([]driver.Value, 1+len(fields))
		var err error
		each(func(r Record) bool {
			values[0] = r.ID()
			for i, f := range fields {
				values[1+i] = nil
				if text, ok := r.Text(f); ok {
					values[1+i] = string(text)
				}
			}
			err = add(values...)
			return err == nil
		})
		return err
	})
}

// expected makes sample.expected: the Accounts that must hold a row's values.
func (c comparison) expected() string {
	return fmt.Sprintf(`
CREATE OR REPLACE TABLE sample.expected AS
SELECT l.customer_id, a.website, a.name
FROM sample.customers l JOIN sample.accounts a USING (customer_id)
WHERE l.customer_id IN (SELECT customer_id FROM %s) AND l.fault NOT IN (%s);`, c.model, c.notDelivered())
}

// notDelivered are the faults whose rows do not arrive by this sync.
func (c comparison) notDelivered() string {
	reports := healthReports
	if c.def.Sync == CustomerHealth {
		reports = scoreReports
	}
	list := ""
	for i, r := range reports {
		if i > 0 {
			list += ", "
		}
		list += "'" + string(r.Fault) + "'"
	}
	return list
}

// differences makes sample.differences. The first part is field by field; then
// come Accounts that are gone, that nobody seeded, and that were touched though
// they should not have been. Both sides are put beside each other first, since the
// optimiser would otherwise compare them inside the join.
func (c comparison) differences() string {
	var sides, same, fields, touched []string
	named := false // whether the sync writes Name
	for i := range c.def.Fields {
		f := &c.def.Fields[i]
		want, have := rule(f, fmt.Sprintf("d.f%d", i))
		sides = append(sides, fmt.Sprintf("%s AS w%d, %s AS h%d, d.f%d AS f%d", want, i, have, i, i, i))
		// A text that cannot be read is no null.
		equal := fmt.Sprintf("(w%d IS NOT DISTINCT FROM h%d AND (w%d IS NULL) = (f%d IS NULL))", i, i, i, i)
		same = append(same, equal)
		fields = append(fields, fmt.Sprintf("CASE WHEN NOT %s THEN {'field': '%s', 'want': CAST(w%d AS VARCHAR), 'got': f%d} END", equal, f.Destination, i, i))
		if f.Destination == "Name" {
			named = true
			continue
		}
		touched = append(touched, fmt.Sprintf("WHEN d.f%d IS NOT NULL THEN {'field': '%s', 'want': NULL, 'got': d.f%d}", i, f.Destination, i))
	}
	if !named {
		same = append(same, "name IS NOT DISTINCT FROM seeded")
		fields = append(fields, "CASE WHEN name IS DISTINCT FROM seeded THEN {'field': 'Name', 'want': seeded, 'got': name} END")
	}
	return fmt.Sprintf(`
CREATE OR REPLACE TABLE sample.differences AS
WITH sides AS MATERIALIZED (
    SELECT e.customer_id, d.id, d.name, e.name AS seeded, %[1]s
    FROM sample.expected e JOIN %[2]s m USING (customer_id) JOIN sample.destination d USING (website)
)
SELECT customer_id, id, difference.field, difference.want, difference.got FROM (
    SELECT customer_id, id, unnest(list_filter([%[3]s], lambda x: x IS NOT NULL)) AS difference
    FROM sides WHERE NOT (%[4]s)
    UNION ALL
    SELECT a.customer_id, d.id, CASE WHEN d.name IS DISTINCT FROM a.name THEN {'field': 'Name', 'want': a.name, 'got': d.name} %[5]s END AS difference
    FROM sample.accounts a JOIN sample.destination d USING (website)
    WHERE a.website NOT IN (SELECT website FROM sample.expected) AND difference IS NOT NULL
    UNION ALL
    SELECT a.customer_id, NULL, {'field': '', 'want': 'the Account ' || a.website, 'got': 'none'} FROM sample.accounts a ANTI JOIN sample.destination d USING (website)
    UNION ALL
    SELECT NULL, d.id, {'field': '', 'want': 'no such Account', 'got': coalesce(d.website, d.name, 'an Account without Website')} FROM sample.destination d
    WHERE d.website IS NULL OR d.website NOT IN (SELECT website FROM sample.accounts)
);`, strings.Join(sides, ",\n        "), c.model, strings.Join(fields, ",\n        "), strings.Join(same, " AND "), strings.Join(touched, " "))
}
