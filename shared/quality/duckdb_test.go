//go:build cgo

package quality_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/quality"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// warehouse is an embedded warehouse of one connection.
func warehouse(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func exec(t testing.TB, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%v\n%s", err, s)
		}
	}
}

// bothWays is the verdict of the gate's view over the definition's model, which Go's
// over the same rows as JSON must be too.
func bothWays(t testing.TB, db *sql.DB, d *syncdef.Definition) quality.Verdict {
	t.Helper()
	g, err := quality.Compile(d)
	if err != nil {
		t.Fatal(err)
	}
	exec(t, db, "CREATE OR REPLACE VIEW "+quality.ViewName(d.Sync)+" AS "+g.Select(quality.DuckDB, d.Relation()))
	var decision, text string
	read := "SELECT decision, CAST(to_json({decision: decision, total: total, rules: rules, definition: definition}) AS VARCHAR) FROM " + quality.ViewName(d.Sync)
	if err := db.QueryRow(read).Scan(&decision, &text); err != nil {
		t.Fatal(err)
	}
	v, err := g.Read([]byte(text))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	var said quality.Verdict
	if err := json.Unmarshal([]byte(text), &said); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(v, said); diff != "" {
		t.Errorf("the view's verdict (+) is not the one that its counts mean (-):\n%s", diff)
	}
	total, failed := inGo(t, db, g, d.Relation())
	if diff := cmp.Diff(v, g.Judge(total, failed, true)); diff != "" {
		t.Errorf("Go judges the rows otherwise (+) than the view (-):\n%s", diff)
	}
	return v
}

func inGo(t testing.TB, db *sql.DB, g *quality.Gate, relation string) (total int64, failed []int64) {
	t.Helper()
	rows, err := db.Query("SELECT CAST(to_json(m) AS VARCHAR) FROM " + relation + " AS m")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	failed = make([]int64, g.Rules())
	c := g.Counter()
	for rows.Next() {
		var object []byte
		if err := rows.Scan(&object); err != nil {
			t.Fatal(err)
		}
		total++
		c.Row(object, func(rule int) { failed[rule]++ })
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return total, failed
}

// The same generated rows fail the same rules in DuckDB and in Go: texts with quotes,
// blanks, new lines and letters of several bytes; numbers of every type, and what is
// none; null, JSON's null, lists and objects.
func TestDuckDBAndGoJudgeAlike(t *testing.T) {
	db := warehouse(t)
	exec(t, db, `CREATE TABLE rows (n INTEGER, text VARCHAR, "Odd Name" VARCHAR, amount DOUBLE, price DECIMAL(12, 4), whole BIGINT, doc JSON, list INTEGER[], day TIMESTAMP, flag BOOLEAN)`)
	texts := []string{"", " ", "a", "low", "Low", "LOW", "medium", "it's", `back\slash`, `"quoted"`, "naïve", "日本語", "👩‍🚀", "two\nlines", "tab\there", "a@b.co", "a@b", "@", "12", "-1.5", "1e3", "1e-2", "1.", ".5", "+1", "0x1F", "NaN", "inf", "1e400", " 1", "007", "12345", "1234567890123456789012345678901234567890"}
	docs := []string{"null", `"text"`, `""`, "1", "1.0", "-0", "1e2", "true", "[]", "[1,2]", `{"a":null}`, `"null"`, `"1"`}
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(all []string) any {
		if random.IntN(8) == 0 {
			return nil
		}
		return all[random.IntN(len(all))]
	}
	insert, err := db.Prepare("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, CAST(? AS JSON), CAST(? AS INTEGER[]), CAST(? AS TIMESTAMP), ?)")
	if err != nil {
		t.Fatal(err)
	}
	defer insert.Close()
	maybe := func(v any) any {
		if random.IntN(6) == 0 {
			return nil
		}
		return v
	}
	for n := range 3000 {
		_, err := insert.Exec(n, pick(texts), pick(texts), maybe(float64(random.IntN(40)-10)/8), maybe(float64(random.IntN(4000)-1000)/1e3), maybe(random.IntN(5)-1), pick(docs), pick([]string{"[]", "[1, 2]"}), pick([]string{"2026-01-02 03:04:05", "1999-12-31"}), maybe(random.IntN(2) == 0))
		if err != nil {
			t.Fatal(err)
		}
	}
	columns := []string{"text", "TEXT", "odd name", "amount", "price", "whole", "doc", "list", "day", "flag"}
	patterns := []string{"^[^@ ]+@[^@ ]+$", "^$", "a|b", "^(low|medium)$", `\d{2}`, `^\w+$`, `\s`, `^.$`, "^.+$", "(?i)^low$", `'`, `\\`, `"`, `[^a-z]`, "ï", "^(a|)$", `\.`, `^\S*$`, "[]]", `[a\-z]`, "(?:ab|c)*?", "^-?[0-9]+$", `x*`, `日.語`}
	var rules []syncdef.QualityRule
	for _, c := range columns {
		rules = append(rules,
			syncdef.QualityRule{Column: c, NotNull: true}, syncdef.QualityRule{Column: c, NotEmpty: true},
			syncdef.QualityRule{Column: c, Between: numbers("0", "1")}, syncdef.QualityRule{Column: c, Between: numbers("-1.5", "99.25")},
			syncdef.QualityRule{Column: c, MaxLength: 1}, syncdef.QualityRule{Column: c, MaxLength: 5},
			syncdef.QualityRule{Column: c, In: raw(`"low"`, `"it's"`, `"true"`, `"naïve"`, `"back\\slash"`)},
			syncdef.QualityRule{Column: c, In: raw("1", "-0.5", "12", "100")}, syncdef.QualityRule{Column: c, In: raw(`"1"`, "2", `"[]"`)})
	}
	for _, p := range patterns {
		rules = append(rules, syncdef.QualityRule{Column: "text", Matches: p}, syncdef.QualityRule{Column: "doc", Matches: p})
	}
	shares := []syncdef.Share{"", "0", "0.05", "0.5", "1", "0.12345678"}
	for at := 0; at < len(rules); at += 20 {
		d := &syncdef.Definition{Sync: fmt.Sprintf("generated_%d", at), Model: "rows", Quality: &syncdef.Quality{Rules: rules[at:min(at+20, len(rules))]}}
		for i := range d.Quality.Rules {
			d.Quality.Rules[i].WarnOver, d.Quality.Rules[i].BlockOver = shares[random.IntN(len(shares))], shares[random.IntN(len(shares))]
		}
		if v := bothWays(t, db, d); v.Total != 3000 {
			t.Errorf("%d rows were judged", v.Total)
		}
	}
}
