package run

import (
	"slices"
	"testing"
	"time"
)

// batchOf is what intake pins of rows with these cursors, in a run that begins at from.
// A row whose cursor is implausible is told.
func batchOf(from string, raws ...string) *Batch {
	l := NewColumn(from)
	b := &Batch{Sent: true, At: noon}
	for _, raw := range raws {
		if c, ok := ReadCursor(raw); !ok || !c.Plausible(noon) {
			l.Tell(c)
			b.Counts.NoCursor++
		} else {
			l.Add(c)
		}
	}
	b.Cursor, b.Texts, b.Told = l.Greatest(), l.Texts(), l.Told()
	b.Counts.NoCursor += l.Unreadable()
	return b
}

// A text beside numbers or timestamps is no cursor, however the rows are cut into
// batches and whichever comes first.
func TestColumn(t *testing.T) {
	for name, c := range map[string]struct {
		from string
		rows []string
		want string
		none int64
	}{
		"timestamps":                    {"", []string{`"2024-05-02"`, `"2024-05-01 10:00:00"`}, `"2024-05-02"`, 0},
		"a word":                        {"", []string{`"2024-05-01"`, `"n/a"`, `"-"`}, `"2024-05-01"`, 2},
		"a date of another form":        {"", []string{`"2024-05-01"`, `"31.12.2099"`, `"20991231"`}, `"2024-05-01"`, 2},
		"a future that is read":         {"", []string{`"2024-05-01"`, `" 2099-12-31"`, `"Thu, 31 Dec 2099 00:00:00 GMT"`}, `"2024-05-01"`, 2},
		"a word beside a future":        {"", []string{`"n/a"`, `"2099-12-31"`}, ``, 2},
		"numbers":                       {"", []string{`9`, `10`}, `10`, 0},
		"a word beside numbers":         {"", []string{`9`, `"n/a"`, `10`}, `10`, 1},
		"large numbers as text":         {"", []string{`9`, `"9007199254740993"`, `"10000000000000000000"`, `"n/a"`}, `"10000000000000000000"`, 1},
		"large numbers since a number":  {"9", []string{`"9007199254740993"`, `"10000000000000000000"`, `"n/a"`}, `"10000000000000000000"`, 1},
		"booleans":                      {"", []string{`true`, `5`, `false`}, `5`, 2},
		"texts":                         {"", []string{`"b7"`, `"a9"`, `"12"`}, `"b7"`, 0},
		"texts since a text":            {`"a"`, []string{`"b7"`, `"12"`}, `"b7"`, 0},
		"texts that spell numbers":      {"", []string{`"9"`, `"10"`}, `"9"`, 0},
		"texts since a timestamp":       {`"2024-05-01"`, []string{`"n/a"`, `"7"`}, ``, 2},
		"texts since a number":          {"5", []string{`"n/a"`, `"-"`}, ``, 2},
		"a timestamp since a text":      {`"n/a"`, []string{`"2024-05-01"`, `"n/b"`}, `"2024-05-01"`, 1},
		"two spellings of one moment":   {"", []string{`"2024-05-01 10:00:00"`, `"2024-05-01T10:00:00Z"`}, `"2024-05-01T10:00:00Z"`, 0},
		"numbers since a timestamp":     {`"2024-05-01"`, []string{`5`, `"n/a"`}, `5`, 1}, // the mark is forgotten
		"numbers, timestamps and texts": {"", []string{`5`, `"2024-05-01"`, `"n/a"`}, `"2024-05-01"`, 1},
	} {
		permute(c.rows, func(rows []string) {
			for cut := range 1 << (len(rows) - 1) { // a bit says that a batch ends there
				tally, from := &Tally{}, 0
				for n := range rows {
					if n == len(rows)-1 || cut>>n&1 == 1 {
						tally.AddBatch(batchOf(c.from, rows[from:n+1]...))
						from = n + 1
					}
				}
				if tally.Cursor != c.want || tally.Counts.NoCursor != c.none {
					t.Errorf("%s: %v cut %b: %s and %d without, want %s and %d", name, rows, cut, tally.Cursor, tally.Counts.NoCursor, c.want, c.none)
				}
			}
		})
	}
}

// permute calls f with each order of the rows.
func permute(rows []string, f func([]string)) {
	var from func(n int)
	rows = slices.Clone(rows)
	from = func(n int) {
		if n == len(rows) {
			f(rows)
		}
		for m := n; m < len(rows); m++ {
			rows[n], rows[m] = rows[m], rows[n]
			from(n + 1)
			rows[n], rows[m] = rows[m], rows[n]
		}
	}
	from(0)
}

// What a sweep took for a run's cursor is none beside later rows.
func TestSettleDropsText(t *testing.T) {
	tally, r := &Tally{}, Run{ID: "s.r1", Bracketed: true, Status: Open, BegunAt: noon}
	for n, b := range []struct{ row, want string }{{`"n/a"`, `"n/a"`}, {`"2099-12-31"`, ``}, {`"2024-05-01"`, `"2024-05-01"`}} {
		tally.AddBatch(batchOf("", b.row))
		if r = Settle(r, tally, noon.Add(time.Second), DefaultPolicy()); r.Cursor != b.want {
			t.Errorf("batch %d: %s, want %s", n, r.Cursor, b.want)
		}
	}
}
