package sample

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"iter"

	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

// A Record is one record of a destination, as its own store holds it.
type Record = sandbox.Record

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

// Compare compares what a simulated destination holds of a sync's object with the
// sync's model, field by field: every good row's record holds the mapped values
// (numbers compared as decimals, datetimes as instants, lists as sets, objects by their
// members), what was seeded and is no good row's is as it was, and there is nothing
// else. Messages are compared by their texts and numbers. def gives the mapping, model
// is the view; the records are kept in a table of the database meanwhile, not in this
// process.
func Compare(ctx context.Context, db *sql.DB, def *syncdef.Definition, model string, records iter.Seq[Record]) (Comparison, error) {
	if def.Sync == Alerts {
		return compareAlerts(ctx, db, def, records)
	}
	c := comparison{def: def, model: model, at: placeOf(def)}
	out, err := c.compare(ctx, db, records)
	if err != nil {
		return out, fmt.Errorf("compare %s: %w", def.Sync, err)
	}
	return out, nil
}

// A comparison writes the statements of one Compare.
type comparison struct {
	def    *syncdef.Definition
	model  string
	at     place
	values []value
}

func (c *comparison) compare(ctx context.Context, db *sql.DB, records iter.Seq[Record]) (out Comparison, err error) {
	if c.values, err = readValues(ctx, db, c.def, c.model); err != nil {
		return out, err
	}
	if err := c.load(ctx, db, records); err != nil {
		return out, err
	}
	for _, s := range []string{c.expected(), c.wanted(), c.differences()} {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return out, err
		}
	}
	err = db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM sample.destination), (SELECT count(*) FROM sample.expected),
		(SELECT count(*) FROM sample.destination d WHERE d.key NOT IN (SELECT key FROM sample.expected)), (SELECT count(*) FROM sample.differences)`).
		Scan(&out.Records, &out.Compared, &out.Untouched, &out.Total)
	if err != nil {
		return out, err
	}
	if out.Differences, err = readDifferences(ctx, db); err != nil {
		return out, err
	}
	_, err = db.ExecContext(ctx, "DROP TABLE sample.destination; DROP TABLE sample.expected; DROP TABLE sample.wanted; DROP TABLE sample.differences")
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

// load copies the records' ids, keys, names and mapped fields, all as text.
func (c *comparison) load(ctx context.Context, db *sql.DB, records iter.Seq[Record]) error {
	columns := "id VARCHAR, key VARCHAR, name VARCHAR"
	fields := []string{c.at.key, c.at.name}
	for i, v := range c.values {
		columns += fmt.Sprintf(", f%d VARCHAR", i)
		fields = append(fields, v.destination)
	}
	if _, err := db.ExecContext(ctx, "CREATE OR REPLACE TABLE sample.destination ("+columns+")"); err != nil {
		return err
	}
	return duckdb.Append(ctx, db, "sample", "destination", func(add func(...driver.Value) error) error {
		texts := make([]driver.Value, 1+len(fields))
		for r := range records {
			texts[0] = r.ID()
			for i, f := range fields {
				texts[1+i] = nil
				if text, ok := r.Text(f); ok && f != "" {
					texts[1+i] = string(text)
				}
			}
			if err := add(texts...); err != nil {
				return err
			}
		}
		return nil
	})
}
