//go:build cgo

package duckdb

import (
	"fmt"
	"testing"

	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

// A chunk of DuckDB's goes out in batches of at most 1,000 rows and of what fits the
// 6 MB of a Lambda event, and every row gets its own answer.
func TestBatches(t *testing.T) {
	for name, c := range map[string]struct{ rows, width int }{
		"one":         {1, 10},
		"full":        {1000, 10},
		"one more":    {1001, 10},
		"a chunk":     {2048, 10},
		"wide":        {300, 30_000},
		"hardly fits": {3, snowflake.BatchBytes - 100},
		"too wide":    {3, snowflake.BatchBytes + 100},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t)
			w, _ := open(t, g)
			got, err := column(t, w, fmt.Sprintf(`SELECT CAST(penstock_push('s', {'n': i, 'text': repeat('x', %d)}) AS JSON)->>'n' FROM range(%d) t(i)`, c.width, c.rows))
			if err != nil || len(got) != c.rows {
				t.Fatalf("%d rows, %v", len(got), err)
			}
			for i, n := range got {
				if n != fmt.Sprint(i) {
					t.Fatalf("row %d got the answer of row %s", i, n)
				}
			}
			for _, call := range g.calls {
				if call.rows > snowflake.BatchRows || call.rows > 1 && len(call.body) > snowflake.BatchBytes {
					t.Errorf("a batch of %d rows and %d bytes", call.rows, len(call.body))
				}
			}
			if least := max((c.rows+999)/1000, 1); c.width < 100 && len(g.calls) != least {
				t.Errorf("%d batches, want %d", len(g.calls), least)
			}
		})
	}
}
