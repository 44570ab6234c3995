package intake

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/mapping"
	"github.com/penstock-data/penstock/shared/pipeline/version"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// A check is one part's way through the intake: it maps the rows, finds
// duplicates, and cuts what is queued into messages. The texts of all rows are
// in one arena, so that a row costs no allocation.
type check struct {
	v     *version.Compiled
	run   run.Run
	now   time.Time
	batch run.Batch // what is pinned
	fates []fate    // per row
	texts string    // the arena
	rows  func(n int) *row.Row
	// replays are set where the rows failed before; their sequences differ.
	replays []run.ReplayRow
	least   map[int]run.Cursor // of the rows that a row superseded, by the winner

	groups    []string // per row, for versions that gather
	gathering run.Gathering
	messages  []envelope.Message
}

// A fate is what is known of a row. The arena holds its key from key to id and
// its record id from id to end.
type fate struct {
	status       row.AnswerStatus
	key, id, end int
	cursor       jsontext.Value // nil where the row has none
	fault        *row.Fault     // its own, as its error keeps it
	shown        *row.Fault     // as the answer says it
	code         run.Code       // where it goes
	action       row.Action     // what it asks for
	created      jsontext.Value // of incremental.created, for a plan
	always       bool           // the same of incremental.always
	half         bool           // the new half of an update, of a stream of changes
	found        string         // the key that its record id stands for, of a deleting row without a match value
}

func (c *check) key(n int) string {
	if f := &c.fates[n]; f.found == "" {
		return c.texts[f.key:f.id]
	}
	return c.fates[n].found
}

// keyless reports whether a row has nothing that its record could be found by but its
// record id.
func (c *check) keyless(n int) bool {
	f := &c.fates[n]
	return f.action == row.Delete && f.key == f.id && f.status == row.Queued
}

func (c *check) recordID(n int) string { return c.texts[c.fates[n].id:c.fates[n].end] }

// newCheck prepares a batch of so many rows.
func newCheck(v *version.Compiled, r run.Run, rows int, now time.Time) *check {
	return &check{
		v: v, run: r, now: now, fates: make([]fate, rows),
		batch: run.Batch{Run: r.ID, Sync: r.Sync, Version: r.Version, At: now},
	}
}

// mapRows maps every row, and rejects those that cannot be.
func (c *check) mapRows(rows func(n int) *row.Row) {
	c.rows = rows
	m := c.v.Get()
	defer c.v.Put(m)
	arena := make([]byte, 0, 48*len(c.fates))
	var got mapping.Mapped
	for n := range c.fates {
		f, r := &c.fates[n], rows(n)
		f.status, f.fault = row.Queued, unreadable(r)
		if r.Object != nil { // beside a fault too: its record id helps people
			if fault := m.MapTo(&got, r.Object); f.fault == nil {
				f.fault = fault
			}
			f.key = len(arena)
			arena = append(arena, got.Key...)
			f.id = len(arena)
			arena = append(arena, got.RecordID...)
			f.end = len(arena)
			f.cursor, f.action, f.half = got.Cursor, got.Action, got.Half
			f.created, f.always = got.Created, got.Always
			c.note(n, got.Group)
		}
		switch {
		case f.fault != nil:
			f.status = row.Rejected
		case f.action == row.OldHalf:
			f.status = row.Superseded
		}
	}
	c.texts = string(arena)
}

// readCursors finds the greatest plausible cursor of the accepted rows, and counts
// those without one: a rejected row moves no watermark, nor does a text in a column
// of something else (I4).
func (c *check) readCursors() {
	inc := c.v.Version.Definition.Incremental
	if inc == nil || inc.Cursor == "" || c.replays != nil {
		return
	}
	column := run.NewColumn(c.run.From)
	for n := range c.fates {
		status := c.fates[n].status
		accepted := status == row.Queued || status == row.Superseded
		cur, ok := run.ReadCursor(c.fates[n].cursor)
		switch {
		case ok && accepted && cur.Plausible(c.now):
			column.Add(cur)
			continue
		case ok:
			column.Tell(cur)
		}
		if accepted {
			c.batch.Counts.NoCursor++
		}
	}
	c.batch.Told = column.Told()
	c.batch.Cursor, c.batch.Texts = column.Greatest(), column.Texts()
	c.batch.Counts.NoCursor += column.Unreadable()
}

// note keeps the row's group; neighbours mostly share one.
func (c *check) note(n int, group []byte) {
	if group == nil || !c.v.Version.Rules.Gather {
		return
	}
	if c.groups == nil {
		c.groups = make([]string, len(c.fates))
	}
	if n > 0 && c.groups[n-1] == string(group) {
		c.groups[n] = c.groups[n-1]
		return
	}
	c.groups[n] = string(group)
}

// unreadable says why a row cannot go to the mapping.
func unreadable(r *row.Row) *row.Fault {
	switch {
	case r.Fault != nil:
		return r.Fault
	case r.Object == nil:
		return &row.Fault{Rule: "not_an_object", Message: "the row is missing: pass one JSON object with the columns as its members (Snowflake: " + row.SnowflakeRow + ")"}
	case len(r.Object) > envelope.MaxRow:
		return tooLarge(len(r.Object))
	}
	return nil
}

func (c *check) answer(n int) row.Answer {
	f := &c.fates[n]
	shown := f.shown
	if shown == nil {
		shown = f.fault
	}
	return row.Answer{Status: f.status, Run: c.run.ID, RecordID: c.recordID(n), Fault: shown}
}
