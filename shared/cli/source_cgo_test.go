//go:build cgo

package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
)

// Every value of a file goes as it stands, whatever its neighbours are. DuckDB reads a file's
// parts side by side: rows come in no order.
func TestFileRows(t *testing.T) {
	const uuid, zoned = `"550E8400-E29B-41D4-A716-446655440000"`, `"2024-05-01T10:00:00+02:00"`
	for _, c := range []struct{ file, text, want string }{
		{"long.ndjson", `{"id":9007199254740993}` + "\n" + `{"id":9007199254740992}` + "\n" + `{"id":1e5}`, `{"id":9007199254740993} {"id":9007199254740992} {"id":1e5}`},
		{"longer.jsonl", `{"id":12345678901234567891}` + "\n\n" + `{"id":98765432109876543210987}` + "\r\n", `{"id":12345678901234567891} {"id":98765432109876543210987}`},
		{"texts.json", `{"id":` + uuid + `,"t":` + zoned + `,"d":"2024-05-01"}`, `{"id":` + uuid + `,"t":` + zoned + `,"d":"2024-05-01"}`},
		{"digits.ndjson", `{"n":2}` + "\n" + `{"n":1.10}`, `{"n":2} {"n":1.10}`},
		{"nested.ndjson", `{"a":{"b":[1.10,null,{}]},"c":null,"d":true}`, `{"a":{"b":[1.10,null,{}]},"c":null,"d":true}`},
		{"lacking.ndjson", `{"a":1}` + "\n{ }\n" + `{"a":2,"b'\"c":3.0}` + "\n" + `{"A":4 }`, `{"a":1,"b'\"c":null} {"a":null,"b'\"c":null} {"a":2,"b'\"c":3.0} {"A":4,"b'\"c":null}`},
		{"array.json", " [\n{\"a\":1.10,\n\"b\":[2]}, {\"a\":1e5}]\n", `{"a":1.10,"b":[2]} {"a":1e5,"b":null}`},
		{"marked.ndjson", "\ufeff{\"a\":1.10}\n{\"a\":2}\n", `{"a":1.10} {"a":2}`},
		{"marked.json", "\ufeff[{\"a\":1.10}]", `{"a":1.10}`},
		{"loose.json", "{\"a\":1.10} {\"a\":2}{\n\"a\":3}", `{"a":1.10} {"a":2} {"a":3}`},
		{"late.ndjson", "{\"a\":1}\n{\"a\":\n2}\n", `{"a":1} {"a":2}`},
		{"none.ndjson", "\n", ""},
		{"none.json", "[]", ""},
		{"ids.csv", "id,s\n7,1\n8.5,2.50\n9,x\n-0,1e5\n", `{"id":7,"s":1} {"id":8.5,"s":"2.50"} {"id":9,"s":"x"} {"id":"-0","s":"1e5"}`},
		{"words.csv", "b,z,e\ntrue,01234,\nTRUE,12345,\"a\"\"b\"\n", `{"b":true,"z":"01234","e":null} {"b":"TRUE","z":12345,"e":"a\"b"}`},
		{"long.csv", "id\n9007199254740993\n12345678901234567891\n0.5\n", `{"id":9007199254740993} {"id":"12345678901234567891"} {"id":0.5}`},
	} {
		path := filepath.Join(t.TempDir(), c.file)
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		w, rows, err := openFile(t.Context(), path, 0, duckdb.Config{})
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		var got []string
		err = eachObject(t.Context(), w, rows, func(v jsontext.Value) error {
			got = append(got, strings.ReplaceAll(string(v), "\n", ""))
			return nil
		})
		slices.Sort(got)
		want := strings.Fields(c.want)
		slices.Sort(want)
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || d != "" {
			t.Errorf("%s: %v %s", c.file, err, d)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}
