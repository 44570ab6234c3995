package sql

import (
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// A column whose name is no plain word stands in quotes, as the warehouse has them.
func TestViewsQuoteColumns(t *testing.T) {
	d := syncdef.Definition{
		Sync: "health", RecordID: []string{"Account Name"}, Fields: []syncdef.Field{{Source: "Order"}, {Source: "it's"}},
		Incremental: &syncdef.Incremental{ChangedOnly: true},
	}
	for dialect, want := range map[Dialect][]string{
		Snowflake: {`'Account Name', m."Account Name"`, `'Order', m."ORDER"`, `'it''s', m."it's"`},
		Redshift:  {`'account name', m."account name"`, `'order', m."order"`, `'it''s', m."it's"`},
		BigQuery:  {"penstock_row.`Account Name`", "penstock_row.`Order`", "penstock_row.`it's`"},
		DuckDB:    {`'account name'`, `'order'`, `'it''s'`},
	} {
		views, err := Views(dialect, filled(dialect), d)
		if err != nil || len(views) == 0 {
			t.Fatal(views, err)
		}
		for _, w := range want {
			if !strings.Contains(views[0].Query, w) {
				t.Errorf("%s has no %s: %s", dialect, w, views[0].Query)
			}
		}
	}
}
