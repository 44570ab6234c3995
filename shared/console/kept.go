package console

import (
	"html/template"
	"strconv"
	"sync"
	"time"
)

// keptFor is how long a written row of the overview serves while nothing of it changes: its
// ages may be so much older than they say.
const keptFor = 5 * time.Second

// keptRows are rows of the overview as they were written last, by sync. Writing one takes
// longer than reading it, and of 50 syncs most are as they were.
type keptRows struct {
	mu   sync.Mutex
	rows map[string]keptRow
}

type keptRow struct {
	mark string
	at   time.Time
	html template.HTML
}

// keptRow writes a row, or gives what was written of it a moment ago.
func (c *Console) keptRow(row syncRow) (template.HTML, error) {
	mark, now := row.mark(), c.cfg.Now()
	c.rows.mu.Lock()
	last, ok := c.rows.rows[row.Sync]
	c.rows.mu.Unlock()
	if age := now.Sub(last.at); ok && last.mark == mark && age >= 0 && age < keptFor {
		return last.html, nil
	}
	row.Spark = c.bars(row.Row.Spark, 14, 98, 24, 2)
	text, err := c.execute("overview", "syncrow", row)
	if err != nil {
		return "", err
	}
	html := template.HTML(text) //nolint:gosec // written by html/template
	c.rows.mu.Lock()
	defer c.rows.mu.Unlock()
	if c.rows.rows == nil || len(c.rows.rows) > 1000 { // syncs that were removed
		c.rows.rows = map[string]keptRow{}
	}
	c.rows.rows[row.Sync] = keptRow{mark, now, html}
	return html, nil
}

// mark is equal for two rows that differ in nothing but their ages: AsOf is when the row
// was put together, and what goes on is read at the moment.
func (s syncRow) mark() string {
	b := strconv.AppendInt(nil, s.AsOf.UnixNano(), 36)
	for _, text := range []string{s.Version, string(s.Health), s.Late, s.Unreadable} {
		b = append(append(b, ' '), text...)
	}
	for _, l := range s.Running {
		b = append(append(append(b, ' '), l.Run...), l.Status...)
		b = strconv.AppendInt(append(b, ' '), l.AsOf.UnixNano(), 36)
		b = strconv.AppendInt(append(b, ' '), l.Expected, 36)
	}
	return string(b)
}
