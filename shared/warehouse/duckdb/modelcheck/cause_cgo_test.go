//go:build cgo

package modelcheck

import (
	"fmt"
	"strings"
	"testing"
)

// wrong are models with a mistake, and the line and column of the mistake.
var wrong = []struct {
	name, text string
	line, col  int
}{
	{"comma missing, on one line", "SELECT customer_id email name FROM customers", 1, 25},
	{"comma missing between lines", "SELECT\n    customer_id,\n    email\n    name\n    score\nFROM customers", 3, 10},
	{"comma missing between lines, the list going on", "SELECT\n    customer_id\n    email\n    name,\n    score\nFROM customers", 2, 16},
	{"comma missing after a qualified name", "SELECT c.customer_id c.email FROM customers c", 1, 21},
	{"comma missing before a function", "SELECT customer_id\n  round(score, 1) AS score\nFROM customers", 1, 19},
	{"comma missing after a function", "SELECT round(score, 1) AS score\n  customer_id\nFROM customers", 1, 32},
	{"comma missing before a text", "SELECT customer_id AS id 'x' AS y FROM customers", 1, 25},
	{"comma missing in a call", "SELECT round(score 1) AS x FROM customers", 1, 19},
	{"comma missing before CASE", "SELECT customer_id\n  CASE WHEN score > 1 THEN 'a' END AS c\nFROM customers", 1, 19},
	{"comma too many", "SELECT customer_id,, email FROM customers", 1, 19},
	{"comma twice in a list", "SELECT email FROM customers WHERE score IN (1, 2,, 3)", 1, 49},
	{"quote not closed", "SELECT 'abc FROM customers", 1, 8},
	{"quote not closed, another one later", "SELECT customer_id\nFROM customers\nWHERE name = 'x AND email = 'y'", 3, 14},
	{"quote not closed, more lines", "SELECT customer_id, 'x AS kind\nFROM customers\nWHERE name = 'y' AND email = 'z'", 1, 21},
	{"quoted name not closed", "SELECT \"customer_id FROM customers", 1, 8},
	{"comment not closed", "SELECT 1 /* abc", 1, 10},
	{"bracket not closed before FROM", "SELECT round(score, 1 AS score\nFROM customers", 1, 13},
	{"bracket not closed at the end", "SELECT customer_id FROM customers WHERE score IN (1, 2", 1, 50},
	{"bracket too many", "SELECT round(score, 1)) AS score FROM customers", 1, 23},
	{"keyword mistyped", "SELEC customer_id FROM customers", 1, 1},
	{"FROM mistyped", "SELECT customer_id FORM customers WHERE score > 1", 1, 20},
	{"GROUP mistyped", "SELECT email, count(*) FROM customers GROPU BY email", 1, 39},
	{"WHERE mistyped", "SELECT email FROM customers WEHRE score > 1", 1, 29},
	{"ends too early", "SELECT email FROM customers ORDER BY", 1, 37},
	{"END missing", "SELECT CASE WHEN score > 1 THEN 'a' FROM customers", 1, 37},
	{"clauses in the wrong order", "SELECT email FROM customers LIMIT 5 WHERE score > 1", 1, 37},
	{"not ASCII before it", "SELECT 'Größe' AS g, email\nFROM customers WHERE 'ä' = 'ö AND x = 'y'", 2, 28},
	{"column unknown", "SELECT customer_id,\n       emial\nFROM customers", 2, 8},
	{"function with a wrong argument", "SELECT score + email AS x FROM customers", 1, 14},
	{"column not grouped", "SELECT email, max(score) FROM customers", 1, 8},
	{"Windows lines", "SELECT\r\n    customer_id\r\n    email\r\n    name,\r\n    score\r\nFROM customers", 2, 16},
}

func TestCauses(t *testing.T) {
	c := open(t, Source{Script: script})
	var told strings.Builder
	for _, w := range wrong {
		r, err := c.Check(t.Context(), w.text)
		if err != nil || r.Fault == nil {
			t.Errorf("%s: %+v %v", w.name, r, err)
			continue
		}
		if r.Fault.Line != w.line || r.Fault.Col != w.col {
			t.Errorf("%s: want %d:%d, got %+v in\n%s", w.name, w.line, w.col, *r.Fault, w.text)
		}
		fmt.Fprintf(&told, "== %s\n%d:%d %s\n", w.name, r.Fault.Line, r.Fault.Col, r.Fault.Message)
	}
	golden(t, "wrong.golden", told.String())
}

// A comma that is missing between two columns is valid SQL: the second names the
// first.
func TestAliases(t *testing.T) {
	c := open(t, Source{Script: script})
	r, err := c.Check(t.Context(), "SELECT\n    customer_id\n    email,\n    name\nFROM customers")
	want := Alias{"customer_id", "email", true, Place{2, 16}}
	if err != nil || len(r.Aliases) != 1 || r.Aliases[0] != want || strings.Join(r.Columns, " ") != "email name" {
		t.Errorf("%+v %v", r, err)
	}
	r, err = c.Check(t.Context(), "SELECT customer_id AS\n  id, email e,\n  name\nFROM customers\n  c")
	if err != nil || len(r.Aliases) != 1 || r.Aliases[0] != (Alias{"email", "e", false, Place{2, 12}}) {
		t.Errorf("%+v %v", r, err)
	}
}

// Whatever the text, the search for a cause ends, at a place in the text.
func FuzzCause(f *testing.F) {
	for _, w := range wrong {
		f.Add(w.text, 5)
	}
	f.Fuzz(func(t *testing.T, text string, at int) {
		got := cause(text, at, "syntax error")
		if got.Line < 1 || got.Line > strings.Count(text, "\n")+1 || got.Col < 1 || got.Message == "" {
			t.Errorf("%+v", got)
		}
		aliasesOf(text)
	})
}
