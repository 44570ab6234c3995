package records

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/sandbox"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files")

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var people = Spec{Name: "People", Columns: []Column{
	{Name: "Name", Compare: Folded},
	{Name: "Key", Compare: Folded, Indexed: true},
	{Name: "Score", Compare: Number},
	{Name: "Code"},
}}

// open makes a store on a journal, "" for none.
func open(t testing.TB, path string, specs ...Spec) *Store {
	t.Helper()
	core, err := sandbox.New(sandbox.Options{Journal: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { core.Close() })
	s, err := Open(core, specs...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// put writes a row of texts, a NewRow or another.
func put(s *Store, table *Table, row int, texts ...string) int {
	var changes []Change
	for i, text := range texts {
		changes = append(changes, Change{i, []byte(text)})
	}
	return s.Writer().Put(table, row, noon, changes)
}

// dump lists the living rows' values.
func dump(s *Store) string {
	var b strings.Builder
	for _, table := range s.Tables() {
		for _, row := range table.Select(nil) {
			fmt.Fprintf(&b, "%s %d", table.Name(), row)
			for i := range table.Columns() {
				fmt.Fprintf(&b, " %s=%s", table.Column(i).Name, table.Get(row, i))
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func TestSelect(t *testing.T) {
	s := open(t, "", people)
	table := s.Table("people")
	for _, row := range [][]string{
		{"Ann", "k1", "85.0", "A"}, {"ANN", "K2", "9", "a"}, {"Bob", "", "-1.5", "B"}, {"Söhne 100%", "k4", "", "B"}, {"gone", "k5", "85", "A"},
	} {
		put(s, table, NewRow, row...)
	}
	s.Writer().Remove(table, 4)
	one := func(op Op, column int, values ...string) *Condition {
		c := &Condition{Op: op, Column: column}
		for _, v := range values {
			c.Values = append(c.Values, []byte(v))
		}
		return c
	}
	null := &Condition{Op: Equal, Column: 2, Values: [][]byte{nil}}
	for name, test := range map[string]struct {
		c    *Condition
		want []int
	}{
		"all":             {nil, []int{0, 1, 2, 3}},
		"folded":          {one(Equal, 0, "ann"), []int{0, 1}},
		"any of":          {one(Equal, 1, "k2", "K1", "k2"), []int{0, 1}},
		"exact":           {one(Equal, 3, "a"), []int{1}},
		"number":          {one(Equal, 2, "8.5e1"), []int{0}},
		"null":            {null, []int{3}},
		"not":             {&Condition{Op: Not, Kids: []*Condition{one(Equal, 0, "ANN")}}, []int{2, 3}},
		"less":            {one(Less, 2, "9.0"), []int{2}},
		"at most":         {one(LessEqual, 2, "9.0"), []int{1, 2}},
		"more":            {one(Greater, 2, "-1.50"), []int{0, 1}},
		"at least":        {one(GreaterEqual, 2, "10"), []int{0}},
		"like":            {one(Like, 0, "s\xfehne\xff"), []int{3}},
		"like, case":      {one(Like, 3, "\xffB\xff"), []int{2, 3}},
		"rows":            {&Condition{Op: In, Rows: []int{3, 1, 4, 9, -1, 1}}, []int{1, 3}},
		"and":             {&Condition{Op: And, Kids: []*Condition{one(Equal, 0, "ann"), one(Equal, 1, "k2")}}, []int{1}},
		"or":              {&Condition{Op: Or, Kids: []*Condition{one(Equal, 0, "bob"), null}}, []int{2, 3}},
		"nobody":          {one(Equal, 1, "k5"), nil},
		"no such literal": {one(Like, 0, "\xffabcdefghijk\xff"), nil},
	} {
		if got := table.Select(test.c); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
	for name, test := range map[string]struct {
		by   int
		down bool
		want []int
	}{
		"number":   {2, false, []int{3, 2, 1, 0}},
		"number ↓": {2, true, []int{0, 1, 2, 3}},
		"text":     {0, false, []int{0, 1, 2, 3}},
		"created":  {ByCreated, true, []int{0, 1, 2, 3}},
	} {
		rows := table.Select(nil)
		if table.Sort(rows, test.by, test.down); !slices.Equal(rows, test.want) {
			t.Errorf("sorted by %s: %v, want %v", name, rows, test.want)
		}
	}
}

// TestRestart kills a store (never closed) and opens its journal again.
func TestRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	first := open(t, path, people)
	table := first.Table("People")
	put(first, table, NewRow, "One", "k1", "1")
	put(first, table, NewRow, "Two", "k2")
	if err := first.Writer().Commit(); err != nil {
		t.Fatal(err)
	}
	extra, err := first.AddColumn(table, Column{Name: "Extra", Compare: Folded, Indexed: true, Note: "string"})
	if err != nil {
		t.Fatal(err)
	}
	pets, err := first.AddTable(Spec{Name: "Pets", Columns: []Column{{Name: "Name"}}})
	if err != nil {
		t.Fatal(err)
	}
	first.Writer().Put(table, 0, noon.Add(time.Hour), []Change{{extra, []byte("E")}, {0, nil}})
	first.Writer().Remove(table, 1)
	put(first, pets, NewRow, "Rex")
	if err := first.Writer().Commit(); err != nil {
		t.Fatal(err)
	}
	want := dump(first)
	put(first, pets, NewRow, "never committed")

	second := open(t, path, people)
	if diff := cmp.Diff(want, dump(second)); diff != "" || !strings.Contains(want, "Extra=E") || !strings.Contains(want, "Rex") {
		t.Errorf("after the restart (-before +after):\n%s", diff)
	}
	again := second.Table("PEOPLE")
	if got := again.Find(nil, extra, []byte("e")); !slices.Equal(got, []int{0}) || again.Column(extra).Note != "string" {
		t.Errorf("the added column: %v %+v", got, again.Column(extra))
	}
	if !again.Modified(0).Equal(noon.Add(time.Hour)) || !again.Created(0).Equal(noon) || !again.Deleted(1) || again.Live() != 1 {
		t.Errorf("times or deletions were forgotten: %v %v", again.Created(0), again.Modified(0))
	}

	other := people
	other.Columns = slices.Clone(people.Columns[:3])
	core, err := sandbox.New(sandbox.Options{Journal: path})
	if err != nil {
		t.Fatal(err)
	}
	defer core.Close()
	if _, err := Open(core, other); err == nil || !strings.Contains(err.Error(), "another schema") {
		t.Errorf("a journal of another schema: %v", err)
	}
}

// TestJournalFormat locks what is persisted: a journal of an earlier build must be
// replayed by the next one, or refused.
func TestJournalFormat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	s := open(t, path, people)
	table := s.Table("People")
	put(s, table, NewRow, "One", "k1", "1.5")
	s.Writer().Remove(table, 0)
	s.Writer().Commit()
	s.AddColumn(table, Column{Name: "More", Compare: Number, Indexed: true, Note: "double"})
	s.AddTable(Spec{Name: "T", Columns: []Column{{Name: "C"}}})
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%x\n", b)
	golden := filepath.Join("testdata", "journal.golden")
	if *rewrite {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the journal changed; run with -rewrite if it should (-want +got):\n%s", diff)
	}
}

// TestReplayRefuses feeds entries that this build cannot have written.
func TestReplayRefuses(t *testing.T) {
	good := open(t, "", people).beginEntry(nil)
	for name, test := range map[string]struct {
		entry []byte
		says  string
	}{
		"empty":          {nil, "ends too early"},
		"other format":   {append([]byte{9}, good[1:]...), "format 9, and this program reads format 2; " + startEmpty},
		"other schema":   {[]byte{format, 1, 2, 3, 4}, "another schema; give another --data; or delete the journal to start empty, and let each connection of this type start anew too, else its rows count as delivered:  penstock connect CONNECTION --accept-account"},
		"unknown change": {append(slices.Clone(good), 99, 0), "unknown change 99"},
		"no such table":  {append(slices.Clone(good), entrySet, 7, 0, 0, 0), "table 7"},
		"no such row":    {append(slices.Clone(good), entryRemove, 0, 0), "row 0 of 0"},
		"a gap":          {append(slices.Clone(good), entrySet, 0, 3, 0, 0), "row 3 after 0"},
		"cut off":        {append(slices.Clone(good), entrySet, 0, 0, 0, 1, 0, 200), "ends too early"},
	} {
		if err := open(t, "", people).replay(test.entry); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReplay(f *testing.F) {
	good := open(f, "", people).beginEntry(nil)
	f.Add(append(slices.Clone(good), entrySet, 0, 0, 1, 1, 0, 1, 'x'))
	f.Add(append(slices.Clone(good), entryTable, 1, 'T', entryColumn, 1, 0, 0, 1, 'C', 0))
	f.Fuzz(func(t *testing.T, entry []byte) {
		s := open(t, "", people)
		if s.replay(entry) == nil {
			dump(s)
		}
	})
}

// TestLikeAgainstRegexp compares the index with a plain look at every row, while
// the column changes between queries.
func TestLikeAgainstRegexp(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	letters := []rune("abcABC.é_-")
	word := func() string {
		var b strings.Builder
		for range 5 + rng.IntN(20) {
			b.WriteRune(letters[rng.IntN(len(letters))])
		}
		return b.String()
	}
	s := open(t, "", people)
	table := s.Table("People")
	values := make([]string, 2000)
	for i := range values {
		values[i] = word()
		put(s, table, NewRow, values[i])
	}
	for round := range 300 {
		for range 5 {
			row := rng.IntN(len(values))
			values[row] = word()
			put(s, table, row, values[row])
		}
		source := []rune(values[rng.IntN(len(values))])
		from := rng.IntN(len(source))
		part := string(source[from : from+rng.IntN(len(source)-from)+1])
		pattern, want := "\xff"+part+"\xff", "(?is)^.*"+regexp.QuoteMeta(part)+".*$"
		if rng.IntN(3) == 0 {
			pattern, want = "\xfe"+pattern[1:], "(?is)^."+regexp.QuoteMeta(part)+".*$"
		}
		expected := regexp.MustCompile(want)
		var rows []int
		for i, v := range values {
			if expected.MatchString(v) {
				rows = append(rows, i)
			}
		}
		if got := table.Select(&Condition{Op: Like, Values: [][]byte{[]byte(pattern)}}); !slices.Equal(got, rows) {
			t.Fatalf("round %d, pattern %q: %d rows, want %d", round, pattern, len(got), len(rows))
		}
		if got := table.Find(nil, 0, []byte(values[round])); !slices.Contains(got, round) {
			t.Fatalf("round %d: %q is not found by equality", round, values[round])
		}
	}
	if table.columns[0].grams == nil {
		t.Error("the index was never used")
	}
}

func TestCompact(t *testing.T) {
	s := open(t, "", people)
	table := s.Table("People")
	for i := range 400 {
		put(s, table, NewRow, strings.Repeat("x", 1000), fmt.Sprint("k", i))
	}
	for pass := range 60 {
		for i := range 400 {
			put(s, table, i, fmt.Sprint(pass, i, strings.Repeat("y", 1000)))
		}
	}
	if n := len(table.texts.blocks); n > 16 {
		t.Errorf("%d MiB are kept for 400 kB", n)
	}
	if got := table.Find(nil, 1, []byte("K399")); !slices.Equal(got, []int{399}) || !strings.HasPrefix(string(table.Get(7, 0)), "59 7y") {
		t.Errorf("%v %.20s", got, table.Get(7, 0))
	}
}
