package run

import (
	"errors"
	"testing"
	"time"
)

func TestMinus(t *testing.T) {
	for _, c := range []struct {
		cursor string
		length time.Duration
		number int64
		want   string // "" is ErrOverlap
	}{
		{`"2026-01-05 12:00:00.5"`, 10 * time.Minute, 0, `"2026-01-05 11:50:00.5"`},
		{`"2026-01-05T12:00:00+02:00"`, time.Hour, 0, `"2026-01-05T09:00:00Z"`},
		{`"0001-01-01"`, time.Hour, 0, `"0001-01-01 00:00:00"`},
		{`"2026-01-05"`, 0, 10, ""},
		{`9007199254740993`, 0, 1, `9007199254740992`},
		{`10.25`, 0, 11, `-0.75`},
		{`1e3`, 0, 1, `999`},
		{`5`, time.Hour, 0, ""},
		{`"a7"`, time.Hour, 0, ""},
		{`"a7"`, 0, 5, ""},
	} {
		cursor, ok := ReadCursor(c.cursor)
		got, err := cursor.Minus(c.length, c.number)
		if !ok || got != c.want || errors.Is(err, ErrOverlap) != (c.want == "") {
			t.Errorf("%s: %q %v, want %q", c.cursor, got, err, c.want)
		}
		if floor, ok := ReadCursor(cursor.Floor()); !ok || floor.Type != cursor.Type || floor.Compare(cursor) >= 0 && c.cursor != `"0001-01-01"` || floor.Zoned() != cursor.Zoned() {
			t.Errorf("%s: the floor is %s", c.cursor, cursor.Floor())
		}
	}
}

// What a sync sends again once a period moves with complete runs only.
func TestAlwaysMoves(t *testing.T) {
	begun := noon.Add(-time.Minute)
	for name, c := range map[string]struct {
		change func(*Completion)
		moves  bool
	}{
		"complete":                 {func(*Completion) {}, true},
		"not due":                  {func(c *Completion) { c.Run.Always = false }, false},
		"not complete":             {func(c *Completion) { c.Run.Status = Incomplete }, false},
		"a later run was begun":    {func(c *Completion) { c.Latest = false }, false},
		"more rows than announced": {func(c *Completion) { c.Run.Expected = 1 }, false},
		"blocked":                  {func(c *Completion) { c.Tally.Counts.Blocked = 1 }, false},
		"without a row":            {func(c *Completion) { c.Tally.Cursor = "" }, true},
	} {
		in := completion("90")
		in.Run.From, in.Run.Always, in.Run.BegunAt = "50", true, begun
		c.change(&in)
		old := noon.Add(-30 * time.Hour)
		next, _, _, _ := Mark{Value: "50", Type: "number", Version: "v1", Always: old}.Complete(in)
		want := old
		if c.moves {
			want = begun
		}
		if !next.Always.Equal(want) {
			t.Errorf("%s: %s, want %s", name, next.Always, want)
		}
	}
}

// Rows without a cursor that are in doubt make the next run select all.
func TestDoubt(t *testing.T) {
	in := completion("")
	in.Tally.AddChunk(Chunk{Done: true, Doubt: 1})
	mark := Mark{Version: "v1", Always: noon}
	next, changed, _, _ := mark.Complete(in)
	if !changed || next.Version != "" || !next.Always.Equal(noon) || in.Tally.Held != 1 {
		t.Errorf("%+v %v", next, changed)
	}
	if next, changed := mark.Doubted(noon); !changed || next.Version != "" {
		t.Errorf("%+v %v", next, changed)
	}
	if _, changed := (Mark{}).Doubted(noon); changed {
		t.Error("a mark that says nothing changed")
	}
}

// Rows that gave way to others make the next run select all, where the warehouse remembers
// them as pushed.
func TestDoubled(t *testing.T) {
	for _, c := range []struct {
		name       string
		superseded int64
		change     func(*Completion)
		forgets    bool
		note       string
	}{
		{"one", 1, nil, true, "1 row shares its match value with another row, so the next run selects all rows: give each record one row in the model"},
		{"two", 2, nil, true, "2 rows share their match value with another row, so the next run selects all rows: give each record one row in the model"},
		{"none", 0, nil, false, ""},
		{"a sync of all rows", 1, func(c *Completion) { c.Remembers = false }, false, ""},
		{"not complete", 1, func(c *Completion) { c.Run.Status = Cancelled }, false, ""},
		{"a plain push", 1, func(c *Completion) { c.Run.Bracketed = false }, false, ""},
	} {
		in := completion("")
		in.Remembers, in.Tally.Counts.Superseded = true, c.superseded
		if c.change != nil {
			c.change(&in)
		}
		next, _, _, note := (Mark{Version: "v1"}).Complete(in)
		if next.Version == "" != c.forgets || note != c.note {
			t.Errorf("%s: %+v, %q", c.name, next, note)
		}
	}
}
