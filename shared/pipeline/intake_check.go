package pipeline

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"time"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/mapping"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A check is one group's way through the intake. It keeps the texts of all rows
// in one arena, so that a row costs no allocation.
type check struct {
	p      *program
	run    run.Run
	group  *group
	batch  run.Batch
	marks  []mark // per row of the group
	texts  string // the arena of keys and record ids
	groups []string
	cursor []byte
	lanes  [][]envelope.Row // the queued rows, per lane
	chunks []Message
}

// A mark is what the mapping said of a row: the arena holds its key from key to
// id and its record id from id to end.
type mark struct{ key, id, end int }

func (c *check) key(n int) string { return c.texts[c.marks[n].key:c.marks[n].id] }
func (c *check) id(n int) string  { return c.texts[c.marks[n].id:c.marks[n].end] }

func newCheck(p *program, r run.Run, b row.Batch, g *group, place int64) *check {
	return &check{p: p, run: r, group: g, batch: run.Batch{
		Run: r.ID, ID: run.BatchID(g.name, b.Function, b.ID), Sync: r.Sync, Version: r.Version, Place: place,
	}}
}

// mapRows maps every row of the group and rejects those that cannot be.
func (c *check) mapRows(rows []row.Row, answers []Answer) {
	m := c.p.mappers.Get().(*mapping.Mapper)
	defer c.p.mappers.Put(m)
	c.marks = make([]mark, len(c.group.rows))
	arena := make([]byte, 0, 48*len(c.group.rows))
	for n, i := range c.group.rows {
		fault := unreadable(rows[i])
		var got mapping.Mapped
		if fault == nil {
			got, fault = m.Map(rows[i].Args[1])
		}
		answers[i] = Answer{Status: Queued, Fault: fault}
		if fault != nil {
			answers[i].Status = Rejected
		}
		k := mark{key: len(arena)}
		arena = append(arena, got.Key...)
		k.id = len(arena)
		arena = append(arena, got.RecordID...)
		k.end = len(arena)
		c.marks[n] = k
		c.note(n, got)
	}
	c.texts = string(arena)
	for n, i := range c.group.rows {
		answers[i].Run, answers[i].RecordID = c.run.ID, c.id(n)
	}
	c.batch.Cursor = string(c.cursor)
}

// note keeps the greatest cursor and the row's group.
func (c *check) note(n int, got mapping.Mapped) {
	if got.Group != nil {
		if c.groups == nil {
			c.groups = make([]string, len(c.marks))
		}
		if n > 0 && c.groups[n-1] == string(got.Group) {
			c.groups[n] = c.groups[n-1]
		} else {
			c.groups[n] = string(got.Group)
		}
	}
	switch cur := got.Cursor; {
	case cur == nil || bytes.Equal(cur, c.cursor):
	case len(c.cursor) > 0 && cur[0] == '"' && c.cursor[0] == '"' && bytes.Compare(cur, c.cursor) < 0:
	default:
		c.cursor = append(c.cursor[:0:0], run.Later(string(c.cursor), string(cur))...)
	}
}

// dropDuplicates keeps a key's last row, answers the earlier ones, and counts.
func (c *check) dropDuplicates(answers []Answer) {
	seen := make(map[string]struct{}, len(c.marks))
	for n, i := range slices.Backward(c.group.rows) {
		if answers[i].Status != Queued {
			continue
		}
		if _, later := seen[c.key(n)]; !later {
			seen[c.key(n)] = struct{}{}
			continue
		}
		answers[i].Status = Superseded
		if c.p.version.Definition.OnDuplicate == syncdef.Reject {
			answers[i].Status = Rejected
			answers[i].Fault = &row.Fault{Field: c.p.version.Definition.Match.Source, Rule: "duplicate_key", Message: fmt.Sprintf("a later row of the batch has the same key %q, and on_duplicate is reject", c.key(n))}
		}
	}
	counts := &c.batch.Counts
	counts.Received = int64(len(c.group.rows))
	for n, i := range c.group.rows {
		switch answers[i].Status {
		case Queued:
			counts.Queued++
			if c.groups != nil {
				if c.batch.Groups == nil {
					c.batch.Groups = map[string]int{}
				}
				c.batch.Groups[c.groups[n]]++
			}
		case Superseded:
			counts.Superseded++
		default:
			counts.Rejected++
		}
	}
}

// sort spreads the queued rows over the lanes and sums up all that came, so that
// a batch id that comes back with other rows is noticed: a guard against mix-ups,
// not against forgery, which is why a CRC and the length do.
func (c *check) sort(rows []row.Row, answers []Answer) {
	c.lanes = make([][]envelope.Row, max(1, c.p.version.Definition.Lanes))
	var sum uint32
	var length int
	var number [binary.MaxVarintLen64]byte
	for n, i := range c.group.rows {
		sum = crc32.Update(sum, castagnoli, binary.AppendUvarint(number[:0], uint64(rows[i].Number)))
		for _, a := range rows[i].Args {
			sum = crc32.Update(sum, castagnoli, a)
			length += len(a)
		}
		if answers[i].Status != Queued {
			continue
		}
		k := c.marks[n]
		lane := row.Lane(c.texts[k.key:k.id], len(c.lanes))
		if c.lanes[lane] == nil {
			c.lanes[lane] = make([]envelope.Row, 0, len(rows)/len(c.lanes)*5/4+8)
		}
		c.lanes[lane] = append(c.lanes[lane], envelope.Row{Number: rows[i].Number, Object: rows[i].Args[1]})
	}
	c.batch.BodyHash = fmt.Sprintf("%08x.%d", sum, length)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// pack cuts the lanes into chunks: as pinned by an earlier attempt, or afresh
// where pinned is nil.
func (c *check) pack(pinned []run.Cut) error {
	packer, err := packers.get()
	if err != nil {
		return err
	}
	defer packers.put(packer)
	c.chunks, c.batch.Cut = nil, nil
	left := slices.Clone(c.lanes)
	for _, cut := range pinned {
		if cut.Lane >= len(left) || cut.Rows > len(left[cut.Lane]) {
			return fmt.Errorf("batch %q of run %q was cut otherwise than its rows allow", c.batch.ID, c.run.ID)
		}
		c.add(cut.Lane, cut.Rows, packer.Pack(c.chunk(cut.Lane, left[cut.Lane][:cut.Rows])))
		left[cut.Lane] = left[cut.Lane][cut.Rows:]
	}
	for lane, queued := range left {
		for len(queued) > 0 {
			n := envelope.Cut(func(i int) int { return len(queued[i].Object) }, len(queued))
			body := packer.Pack(c.chunk(lane, queued[:n]))
			for len(body) > envelope.Target && n > 1 {
				n = (n + 1) / 2
				body = packer.Pack(c.chunk(lane, queued[:n]))
			}
			c.add(lane, n, body)
			queued = queued[n:]
		}
	}
	return nil
}

func (c *check) chunk(lane int, rows []envelope.Row) envelope.Chunk {
	return envelope.Chunk{
		Run: c.run.ID, Version: c.run.Version, Batch: c.batch.ID, Mode: c.run.Mode,
		Index: len(c.chunks), Lane: lane, Place: c.batch.Place, Rows: rows,
	}
}

func (c *check) add(lane, n int, body []byte) {
	c.chunks = append(c.chunks, Message{
		Group: fmt.Sprintf("%s.%d", c.run.Sync, lane),
		Dedup: fmt.Sprintf("%s.%s.%d", c.run.ID, c.batch.ID, len(c.chunks)),
		Body:  body,
	})
	c.batch.Cut = append(c.batch.Cut, run.Cut{Lane: lane, Rows: n})
}

// errors lists the rejected rows as they are stored.
func (c *check) errors(rows []row.Row, answers []Answer, now time.Time) []run.RowError {
	var all []run.RowError
	for n, i := range c.group.rows {
		a := answers[i]
		if a.Status != Rejected {
			continue
		}
		e := run.RowError{
			Sync: c.run.Sync, Run: c.run.ID, Batch: c.batch.ID, Row: rows[i].Number, RecordID: c.id(n), Key: c.key(n),
			Type: a.Fault.Rule, Message: a.Fault.Message, Field: a.Fault.Field, Stage: "intake", Attempts: 1,
			At: now, Place: c.batch.Place,
		}
		if unreadable(rows[i]) == nil {
			e.Source = rows[i].Args[1]
		}
		all = append(all, e)
	}
	return all
}
