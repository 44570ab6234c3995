package run

import (
	"errors"
	"strconv"
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
		{`"1700000000123456789"`, 0, 1000, `"1700000000123455789"`}, // a text in BigQuery's JSON
		{`"9007199254740993"`, 0, 1000, `9007199254739993`},
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

// However a row spells it, a watermark goes to SQL in a form that every warehouse reads,
// and not above the row.
func TestWatermarkForSQL(t *testing.T) {
	for _, c := range []struct{ cursor, want string }{
		{`"2024-05-01 10:00:00.000 +0000"`, `"2024-05-01T10:00:00Z"`},
		{`"Wed, 01 May 2024 10:00:00 GMT"`, `"2024-05-01T10:00:00Z"`},
		{`"Wed, 01 May 2024 10:00:00 +0200"`, `"2024-05-01T08:00:00Z"`},
		{`"2024-05-01t10:00:00z"`, `"2024-05-01T10:00:00Z"`},
		{`"2024-05-01T10:00:00.123456789-07"`, `"2024-05-01T17:00:00.123456Z"`},
		{`"2024-05-01 10:00:00,5"`, `"2024-05-01 10:00:00.5"`},
		{`"2024-05-01 10:00:60"`, `"2024-05-01 10:01:00"`},
		{`"1969-12-31 23:59:59.9999999"`, `"1969-12-31 23:59:59.999999"`},
		{`"2024/05/01"`, `"2024-05-01 00:00:00"`},
		{`9007199254740993`, `9007199254740993`},
		{`"100.25"`, `"100.25"`},
		{`"o'brien"`, `"o'brien"`},
	} {
		cursor, ok := ReadCursor(c.cursor)
		got := cursor.Watermark()
		back, okBack := ReadCursor(got)
		if !ok || got != c.want || !okBack || back.Type != cursor.Type || back.Compare(cursor) > 0 || back.Watermark() != got {
			t.Errorf("%s: %s, want %s", c.cursor, got, c.want)
		}
	}
}

// A date says no more than the day on which a row was made.
func TestReaches(t *testing.T) {
	for _, c := range []struct {
		made, mark string
		want       bool
	}{
		{`"2024-05-03"`, `"2024-05-03T10:00:00Z"`, true},
		{`"2024-05-02"`, `"2024-05-03T10:00:00Z"`, false},
		{`"1960-05-03"`, `"1960-05-03 10:00:00"`, true},
		{`"2024-05-03 09:59:59"`, `"2024-05-03 10:00:00"`, false},
		{`"2024-05-03 10:00:00"`, `"2024-05-03 10:00:00"`, true},
		{`9`, `10`, false}, {`10`, `10`, true}, {`10`, `"2024-05-03 10:00:00"`, false},
	} {
		made, _ := ReadCursor(c.made)
		mark, _ := ReadCursor(c.mark)
		if got := made.Reaches(mark); got != c.want {
			t.Errorf("%s and %s: %v", c.made, c.mark, got)
		}
	}
}

// Dates that are not read as such are told from other texts.
func TestLooksDate(t *testing.T) {
	for text, want := range map[string]bool{
		"03.05.2024": true, "3/5/24": true, "31-12-2024 10:00:00": true, "05/03/2024 09:00:00 PM": true, "03-MAY-2024": true, "Fri, 3 May 2024 10:00:00 EST": true,
		"May 3, 2024": true, "2024-05-03 09:00:00 PM": true, "2024-5-3": true, "2024-05-3": true,
		"2024-05-03": false, "2024-05-03 10:00:00": false, "2024.05.03 10:00": false, "20240503": false, "2024-05-01-batch7": false,
		"a7": false, "n/a": false, "10.0.0.1": false, "1.2.3": false, "12 apples": false, "": false,
		"24-05-0123": false, "1234-56-7": false, "45.45.2024": false, "13/31/2024": false, // ids and versions
	} {
		c, _ := ReadCursor(strconv.Quote(text))
		if c.LooksDate() != want {
			t.Errorf("%q: %v", text, !want)
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
	in.Tally.AddChunk("b", Chunk{Done: true, Doubt: 1})
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
