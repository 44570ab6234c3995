package run

import (
	"fmt"
	"time"
)

// A Completion is what moves a mark: a complete bracketed run, and what it added
// up to.
type Completion struct {
	Run    Run
	Tally  *Tally
	Latest bool          // no run of the sync was begun after this one
	Window time.Duration // include_failed
	// Remembers says that the warehouse selects by what it remembers as pushed: changed_only.
	Remembers bool
	Now       time.Time
}

// Complete is the mark after a complete run (I4), how many of the run's rows it
// leaves behind, and what a person should know; changed is false when the mark
// stays as it is stored.
func (m Mark) Complete(c Completion) (next Mark, changed bool, left int64, note string) {
	next, changed, left, note = m.complete(c)
	r := c.Run
	doubled := c.doubled()
	if doubled != "" {
		note = doubled
	}
	if (c.Tally.Doubt > 0 || doubled != "") && r.Status == Complete && next.Version != "" { // which rows those are is not known
		next, changed = next.forget(c.Now), true
	}
	if r.Always && r.Status == Complete && r.Bracketed && c.Latest && c.Tally.Counts.Received <= r.Expected && c.Tally.Counts.Blocked == 0 {
		next.Always, changed = r.BegunAt, true
	}
	return next, changed, left, note
}

// doubled says that rows gave way to others of their key, which the warehouse remembers
// as pushed: once the other one leaves the model, fails or is another record's, nothing
// but a run of all rows sends them. "" where there are none.
func (c *Completion) doubled() string {
	n := c.Tally.Counts.Superseded
	if !c.Remembers || n == 0 || c.Run.Status != Complete || !c.Run.Bracketed {
		return ""
	}
	rows := "rows share their match value with another row"
	if n == 1 {
		rows = "row shares its match value with another row"
	}
	return fmt.Sprintf("%d %s, so the next run selects all rows: give each record one row in the model", n, rows)
}

func (m Mark) complete(c Completion) (next Mark, changed bool, left int64, note string) {
	r := c.Run
	switch {
	case r.Status != Complete || !r.Bracketed:
		return m, false, 0, ""
	case !c.Latest:
		next, changed = m.Lower(c.Tally.Hold, c.Window, c.Now)
		return next, changed, 0, "a later run was begun: the watermark is only held back by this one"
	case c.Tally.Counts.Received > r.Expected || c.Tally.Counts.Blocked > 0:
		next, changed = m.Lower(c.Tally.Hold, c.Window, c.Now)
		return next, changed, 0, ""
	}
	next, all := m, r.Mode == Full || r.SelectAll
	if all {
		next.Version, next.Past = r.Version, nil
		if m.Left > r.MarkRevision { // another mapping came and went, which may have sent rows
			next.Version = ""
		}
	}
	greatest := c.Tally.Cursor
	if !all && greatest != "" && r.From != "" && alike(r.From, greatest) {
		greatest = Greatest(r.From, greatest) // only a run that selected all rows may lower it
	}
	if !all && (greatest == "" || m.Value == "") { // without a value somebody reset it since begin
		return m, false, 0, ""
	}
	if !all && !alike(m.Value, greatest) {
		return m.forget(c.Now), true, 0, fmt.Sprintf("the cursor column held a %s and holds a %s now: the next run selects all rows", m.Type, typeOf(greatest))
	}
	released := next.released(c.Window, c.Now)
	next.Value = greatest
	if r.MarkRevision != m.Revision {
		next.hold(m.Low, released) // another run's row failed since this one began
	}
	next.hold(c.Tally.Hold, released)
	next.Low, next.Type, next.At = "", typeOf(next.Value), c.Now
	next.remember(greatest, c.Window, c.Now)
	return next, true, c.Tally.behind(next.Value), ""
}

// Doubted is the mark after rows of a sync without a cursor whose values may not be at
// the destination, and which no error names: the next run selects all rows.
func (m Mark) Doubted(now time.Time) (next Mark, changed bool) {
	return m.forget(now), m.Version != ""
}

// Leave is the mark once a version of another mapping, target or column takes over: what
// that one sends the mark does not know, so that the first run after a return selects all
// rows. So does a run of all rows that goes on, once it is complete.
func (m Mark) Leave() Mark {
	m.Version, m.Left = "", m.Revision+1
	return m
}

// Lower holds the mark at a cursor: a row there is not right at the destination,
// and no run that is going on may know of it.
func (m Mark) Lower(hold string, window time.Duration, now time.Time) (next Mark, changed bool) {
	if hold == "" {
		return m, false
	}
	next = m
	next.Low = Least(m.Low, hold)
	next.hold(hold, m.released(window, now))
	next.Type = typeOf(next.Value)
	return next, next.Low != m.Low || next.Value != m.Value
}

// hold lowers the value to a hold, but no further than what is released: rows at
// or below that hold no longer.
func (m *Mark) hold(hold, released string) {
	if hold == "" || m.Value == "" {
		return
	}
	if hold = Greatest(hold, released); alike(hold, m.Value) {
		m.Value = Least(m.Value, hold)
		return
	}
	m.Value = "" // nothing can be said: the next run selects all rows
}

// released is the greatest cursor at a completion the window ago; "" when there
// was none.
func (m Mark) released(window time.Duration, now time.Time) string {
	cursor := ""
	for _, p := range m.Past {
		if now.Sub(p.At) >= window {
			cursor = p.Cursor
		}
	}
	return cursor
}

// remember adds a completion to the past, at most one an hour, and drops what is
// older than the window needs.
func (m *Mark) remember(greatest string, window time.Duration, now time.Time) {
	if greatest == "" {
		return
	}
	past := append([]Past(nil), m.Past...)
	for len(past) > 1 && now.Sub(past[1].At) >= window {
		past = past[1:]
	}
	step := max(time.Hour, window/maxPast)
	if n := len(past); n == 0 || now.Sub(past[n-1].At) >= step {
		past = append(past, Past{At: now, Cursor: greatest})
	}
	for len(past) > 2 && weight(past) > maxPastBytes {
		past = thinned(past)
	}
	m.Past = past
}

// maxPast and maxPastBytes keep a mark small, however long its window and its
// cursors are.
const (
	maxPast      = 100
	maxPastBytes = 48 << 10
)

// weight is about how many bytes the past takes in JSON, where quotes, control
// characters and the signs < > & are escaped.
func weight(past []Past) int {
	n := 0
	for _, p := range past {
		n += 64
		for i := range len(p.Cursor) {
			switch c := p.Cursor[i]; {
			case c < ' ', c == '<', c == '>', c == '&', c >= 0x80:
				n += 6
			case c == '"', c == '\\':
				n += 2
			default:
				n++
			}
		}
	}
	return n
}

// thinned leaves out every second completion, but not the oldest, which the window
// may have released already, nor the latest: what was completed between two that
// stay is released with the later one.
func thinned(past []Past) []Past {
	out := past[:0:0]
	for n, p := range past {
		if n%2 == 0 || n == len(past)-1 {
			out = append(out, p)
		}
	}
	return out
}

// forget is the mark without a value: the next run selects all rows.
func (m Mark) forget(now time.Time) Mark {
	m.Value, m.Type, m.Version, m.Past, m.Low, m.At = "", "", "", nil, "", now
	return m
}

// behind counts the rows that no run selects any more: those below the mark.
func (t *Tally) behind(mark string) int64 {
	rows := int64(0)
	for _, h := range t.Cursors {
		if mark != "" && compareStored(h.Cursor, mark) < 0 {
			rows += h.Rows
		}
	}
	return rows
}

func alike(a, b string) bool {
	x, okX := ReadCursor(a)
	y, okY := ReadCursor(b)
	return okX && okY && x.Comparable(y)
}

func typeOf(cursor string) string {
	c, _ := ReadCursor(cursor)
	return string(c.Type)
}
