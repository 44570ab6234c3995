package run

import (
	"fmt"
	"testing"
	"time"
)

// A completion of numbers: run r1, begun last, that pushed up to a cursor.
func completion(cursor string, holds ...string) Completion {
	t := tallyOf(2, 2)
	t.Cursor = cursor
	for _, h := range holds {
		t.AddChunk("b", Chunk{Done: true, Hold: h, Cursors: []Held{{h, 1}}, Counts: Counts{Failed: 1}})
	}
	return Completion{
		Run:   Run{ID: "s.r1", Bracketed: true, Status: Complete, Mode: Incremental, Expected: 2, Version: "v2"},
		Tally: t, Latest: true, Window: 24 * time.Hour, Now: noon,
	}
}

func TestComplete(t *testing.T) {
	stored := Mark{Value: "50", Type: "number", Version: "v1", Revision: 7}
	for name, c := range map[string]struct {
		mark   Mark
		change func(*Completion)
		cursor string
		holds  []string
		want   string // value, version; "stays"
	}{
		"the greatest cursor":         {mark: stored, cursor: "90", want: "90 v1"},
		"no further than the hold":    {mark: stored, cursor: "90", holds: []string{"80", "70"}, want: "70 v1"},
		"a hold above it":             {mark: stored, cursor: "90", holds: []string{"95"}, want: "90 v1"},
		"never lowered by its rows":   {mark: stored, cursor: "40", want: "50 v1"},
		"a full run lowers it":        {mark: stored, cursor: "40", change: func(c *Completion) { c.Run.Mode = Full }, want: "40 v2"},
		"a full run without a cursor": {mark: stored, change: func(c *Completion) { c.Run.Mode = Full }, want: " v2"},
		"the first of all rows":       {cursor: "40", change: func(c *Completion) { c.Run.SelectAll = true }, want: "40 v2"},
		"no cursor":                   {mark: stored, want: "stays"},
		"reset since it began":        {mark: Mark{Revision: 9}, cursor: "90", want: "stays"},
		"not complete":                {mark: stored, cursor: "90", change: func(c *Completion) { c.Run.Status = Incomplete }, want: "stays"},
		"more rows than announced":    {mark: stored, cursor: "90", change: func(c *Completion) { c.Run.Expected = 1 }, want: "stays"},
		"more rows, and one failed": {mark: stored, cursor: "90", holds: []string{"30"},
			change: func(c *Completion) { c.Run.Expected = 1 }, want: "30 v1"},
		"not begun last":                          {mark: stored, cursor: "90", change: func(c *Completion) { c.Latest = false }, want: "stays"},
		"not begun last, with hold":               {mark: stored, cursor: "90", holds: []string{"30"}, change: func(c *Completion) { c.Latest = false }, want: "30 v1"},
		"another run's row failed since it began": {mark: Mark{Value: "20", Low: "20", Version: "v1", Revision: 8}, cursor: "90", want: "20 v1"},
		"another run's row failed before":         {mark: Mark{Value: "20", Low: "20", Version: "v1", Revision: 7}, cursor: "90", want: "90 v1"},
		"its first, and another run's row failed since": {mark: Mark{Low: "20", Revision: 8}, cursor: "90",
			change: func(c *Completion) { c.Run.SelectAll, c.Run.From = true, "" }, want: "20 v2"},
		"another type": {mark: stored, cursor: `"2026-01-05"`, want: " "},
		"a text was the mark": {mark: Mark{Value: `"n/a"`, Type: "text", Version: "v1", Revision: 7}, cursor: `"2026-01-05"`,
			change: func(c *Completion) { c.Run.From = `"n/a"` }, want: " "},
		"a text holds a timestamp": {mark: Mark{Value: `"2026-01-04"`, Type: "timestamp", Version: "v1", Revision: 7}, cursor: `"2026-01-05"`, holds: []string{`"-"`},
			change: func(c *Completion) { c.Run.From = `"2026-01-04"` }, want: " v1"},
	} {
		in := completion(c.cursor, c.holds...)
		in.Run.From, in.Run.MarkRevision = "50", 7
		if c.change != nil {
			c.change(&in)
		}
		next, changed, _, _ := c.mark.Complete(in)
		got := "stays"
		if changed {
			got = next.Value + " " + next.Version
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if changed && next.Revision != c.mark.Revision {
			t.Errorf("%s: the revision is the storage's to raise", name)
		}
	}
}

// A row that fails in every run holds the mark for a day; then it is left behind,
// and the run says so.
func TestIncludeFailed(t *testing.T) {
	m := Mark{}
	for hour := range 30 {
		c := completion(fmt.Sprint(1000+hour), "1000") // the row at 1000 fails again
		c.Now = after(time.Duration(hour) * time.Hour)
		c.Run.SelectAll = hour == 0
		c.Run.From, c.Run.MarkRevision = m.Value, m.Revision
		next, changed, left, _ := m.Complete(c)
		want, behind := "1000", int64(0)
		if hour >= 24 {
			want = fmt.Sprint(1000 + hour - 24)
		}
		if hour > 24 { // at the mark it would be selected again
			behind = 1
		}
		if !changed || next.Value != want || left != behind {
			t.Fatalf("hour %d: %s, %d left behind, want %s and %d", hour, next.Value, left, want, behind)
		}
		m = next
		if len(m.Past) > 26 {
			t.Fatalf("hour %d: the past has %d entries", hour, len(m.Past))
		}
	}
	full := completion("1030", "1000")
	full.Run.Mode, full.Now = Full, after(31*time.Hour)
	if next, _, left, _ := m.Complete(full); next.Value != "1000" || left != 0 || len(next.Past) != 1 {
		t.Errorf("a full run forgets the past: %+v, %d left behind", next, left)
	}
}

// A chunk tells its least hold only: one that is released must not release another
// row of the chunk with it.
func TestReleasedHoldKeepsTheOthers(t *testing.T) {
	m := Mark{Value: "100", Type: "number", Version: "v1", Past: []Past{{At: after(-25 * time.Hour), Cursor: "60"}}}
	c := completion("130", "10") // rows at 10 and, in the same message, at 90 failed
	c.Run.From = "100"
	if next, _, _, _ := m.Complete(c); next.Value != "60" {
		t.Errorf("%s, want 60: what was reached a day ago, since the row at 90 still holds", next.Value)
	}
}

func TestLower(t *testing.T) {
	past := []Past{{At: after(-25 * time.Hour), Cursor: "30"}, {At: after(-time.Hour), Cursor: "50"}}
	for name, c := range map[string]struct {
		mark Mark
		hold string
		want string
	}{
		"below":         {Mark{Value: "50"}, "40", "40 low 40"},
		"above":         {Mark{Value: "50"}, "60", "50 low 60"},
		"released":      {Mark{Value: "50", Past: past}, "10", "30 low 10"},
		"no mark yet":   {Mark{}, "40", " low 40"},
		"nothing":       {Mark{Value: "50"}, "", "same"},
		"known already": {Mark{Value: "40", Low: "40", Type: "number"}, "40", "same"},
		"another type":  {Mark{Value: "50"}, `"2026-01-01"`, ` low "2026-01-01"`},
	} {
		next, changed := c.mark.Lower(c.hold, 24*time.Hour, noon)
		got := "same"
		if changed {
			got = next.Value + " low " + next.Low
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// The cursors of a message's rows are summed up, and bounded.
func TestBoundHeld(t *testing.T) {
	got := BoundHeld([]Held{{"30", 1}, {"9", 1}, {"10", 1}, {"9", 2}})
	if fmt.Sprint(got) != "[{9 3} {10 1} {30 1}]" {
		t.Error(got)
	}
	var many []Held
	for n := range 2500 {
		many = append(many, Held{fmt.Sprintf(`"%04d%0900d"`, n, 0), 1})
	}
	rows, bytes := int64(0), 0
	for _, h := range BoundHeld(many) {
		rows += h.Rows
		bytes += len(h.Cursor)
	}
	if rows != 2500 || bytes > maxHeldBytes {
		t.Errorf("%d rows in %d bytes", rows, bytes)
	}
}
