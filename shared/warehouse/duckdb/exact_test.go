//go:build cgo

package duckdb

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is JSON at any depth is in the row as it is written, and a FLOAT by its shortest
// digits; null is null, and all else is as to_json writes it.
func TestExact(t *testing.T) {
	w, _ := open(t, newGateway(t))
	const long = `{"n": 123456789012345678901.25, "m": [1.10, null]}`
	for _, c := range []struct{ name, rows, want string }{
		{"JSON", `SELECT 'é"' AS t, '` + long + `'::JSON AS "p ""q'"`, `{"t":"é\"","p \"q'":` + long + `}`},
		{"nulls", `SELECT NULL::JSON AS j, NULL::JSON[] AS l, NULL::STRUCT(a JSON) AS s, NULL::MAP(INT, JSON) AS m, NULL::UNION(a JSON) AS u, NULL::FLOAT AS f, NULL AS n, 'null'::JSON AS x`,
			`{"j":null,"l":null,"s":null,"m":null,"u":null,"f":null,"n":null,"x":null}`},
		{"lists", `SELECT ['1.10'::JSON, NULL] AS l, []::JSON[] AS e, [['0.1234567890123456789'::JSON], NULL] AS d, ['1.10', '2']::JSON[2] AS a`, `{"l":[1.10,null],"e":[],"d":[[0.1234567890123456789],null],"a":[1.10,2]}`},
		{"structs", `SELECT {'a': '1.10'::JSON, 'b c': {'d': ['1.20'::JSON], 'e': 'x'}} AS s, {'g': NULL::JSON} AS n`, `{"s":{"a":1.10,"b c":{"d":[1.20],"e":"x"}},"n":{"g":null}}`},
		{"a list of structs", `SELECT [{'a': '1.10'::JSON, 'l': ['2.50'::JSON]}, NULL] AS l`, `{"l":[{"a":1.10,"l":[2.50]},null]}`},
		{"maps", `SELECT MAP {'k"': '1.10'::JSON, 'l': NULL} AS m, MAP {DATE '2024-05-01': 0.1::FLOAT} AS d, MAP {}::MAP(INT, JSON) AS e`, `{"m":{"k\"":1.10,"l":null},"d":{"2024-05-01":0.1},"e":{}}`},
		{"unions", `SELECT union_value(a := '1.10'::JSON) AS u, union_value(b := 2)::UNION(a JSON, b INT) AS v`, `{"u":{"a":1.10},"v":{"b":2}}`},
		{"FLOAT", `SELECT 0.1::FLOAT AS f, [16777216::FLOAT, 1e20::FLOAT, -1e-7::FLOAT] AS l, 'nan'::FLOAT AS n, '-inf'::FLOAT AS i`, `{"f":0.1,"l":[16777216.0,100000000000000000000.0,-1e-7],"n":NaN,"i":-Infinity}`},
		{"others beside it", `SELECT '1.10'::JSON AS j, 0.1::DOUBLE AS d, 1234567890123456789012345.10::DECIMAL(38,2) AS n, TRUE AS b, TIMESTAMP '2024-05-01 10:00:00' AS t, [1, 2] AS l, {'x': 1} AS s, 1 AS m, 2 AS penstock`,
			`{"j":1.10,"d":0.1,"n":1234567890123456789012345.10,"b":true,"t":"2024-05-01 10:00:00","l":[1,2],"s":{"x":1},"m":1,"penstock":2}`},
	} {
		from := w.Exact(t.Context(), "("+c.rows+")")
		got, err := column(t, w, "SELECT CAST(CAST(penstock_row AS JSON) AS VARCHAR) FROM "+from+" AS penstock_row")
		if d := cmp.Diff([]string{c.want}, got); err != nil || d != "" {
			t.Errorf("%s: %v %s", c.name, err, d)
		}
	}
	for _, from := range []string{"(SELECT 1 AS a, {'b': [1.5::DOUBLE]} AS s, MAP {0.1::FLOAT: 1} AS m, 'x' AS json)", `(SELECT '{"n": 1.10}'::JSON AS penstock_row)`, "no_such_table"} {
		if got := w.Exact(t.Context(), from); got != from {
			t.Errorf("%s became %s", from, got)
		}
	}
}
