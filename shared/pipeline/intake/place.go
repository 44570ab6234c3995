package intake

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// maxGroups is how many bytes of groups a batch item holds: those of some 5,000.
const maxGroups = 32 << 10

// place decides where every row goes: duplicates, lanes, messages, and what is
// pinned of it.
func (c *check) place() error {
	c.dropDuplicates()
	c.readCursors()
	c.pack()
	c.encode()
	if c.batch.Groups = c.gathering.Pack(); len(c.batch.Groups) > maxGroups {
		return &row.Refusal{Kind: row.TooLarge, Message: fmt.Sprintf("the request has rows for %d different groups (%s), more than one request may: send fewer rows at a time", len(c.gathering), c.v.Version.Rules.Group)}
	}
	return nil
}

// pack spreads the queued rows over the lanes and cuts these into messages.
func (c *check) pack() {
	k := packers.Get().(*envelope.Packer)
	defer packers.Put(k)
	lanes := c.lanes()
	for lane, all := range lanes {
		for rows, left := c.envelopeRows(all), all; len(left) > 0; {
			n := envelope.Cut(func(i int) int { return len(rows[i].Object) }, len(rows))
			body := k.Pack(c.chunk(lane, rows[:n]))
			for len(body) > envelope.Target && n > 1 {
				n = (n + 1) / 2
				body = k.Pack(c.chunk(lane, rows[:n]))
			}
			for _, at := range left[:n] {
				c.fates[at].code = run.ChunkCode(c.batch.Chunks)
			}
			c.messages = append(c.messages, message(&c.batch, lane, c.batch.Chunks, body))
			c.batch.Chunks++
			c.batch.Lanes = append(c.batch.Lanes, byte(lane))
			rows, left = rows[n:], left[n:]
		}
	}
}

// lanes are the positions of the queued rows by the lane of their key.
func (c *check) lanes() [][]int {
	lanes := make([][]int, max(1, c.v.Version.Definition.Lanes))
	for n := range c.fates {
		f := &c.fates[n]
		if f.status != row.Queued {
			continue
		}
		lane := row.Lane(c.key(n), len(lanes))
		if lanes[lane] == nil {
			lanes[lane] = make([]int, 0, len(c.fates)/len(lanes)*5/4+8)
		}
		lanes[lane] = append(lanes[lane], n)
	}
	return lanes
}

// envelopeRows are the rows at some positions as a message holds them.
func (c *check) envelopeRows(at []int) []envelope.Row {
	out := make([]envelope.Row, len(at))
	for i, n := range at {
		r := c.rows(n)
		out[i] = envelope.Row{Number: r.Number, Object: r.Object, Least: c.leastOf(n), Delete: c.fates[n].action == row.Delete, Key: c.fates[n].found}
		if c.replays != nil {
			out[i].Replay = replayOf(c.replays[n])
		}
	}
	return out
}

func (c *check) chunk(lane int, rows []envelope.Row) envelope.Chunk {
	return chunk(&c.batch, c.run.Mode, lane, c.batch.Chunks, rows)
}

func chunk(b *run.Batch, mode run.Mode, lane, index int, rows []envelope.Row) envelope.Chunk {
	return envelope.Chunk{
		Run: b.Run, Version: b.Version, Batch: b.ID, Mode: mode,
		Index: index, Lane: lane, Sequence: b.Sequence, At: b.At, Rows: rows,
	}
}

func message(b *run.Batch, lane, index int, body []byte) envelope.Message {
	return envelope.Message{
		Group: fmt.Sprintf("%s.%d", b.Sync, lane),
		Dedup: fmt.Sprintf("%s.%s.%d", b.Run, b.ID, index),
		Body:  body,
	}
}

// encode writes what became of every row into the batch, and counts it.
func (c *check) encode() {
	b, counts := &c.batch, &c.batch.Counts
	counts.Received = int64(len(c.fates))
	codes := make([]run.Code, len(c.fates))
	var known faults
	var blocked *row.Fault
	for n := range c.fates {
		f := &c.fates[n]
		switch f.status {
		case row.Queued:
			counts.Queued++
			c.gather(n)
		case row.Superseded:
			counts.Superseded++
			f.code = run.CodeSuperseded
		case row.Blocked:
			counts.Blocked++
			f.code, blocked = run.CodeBlocked, f.fault
			known.count(f.fault)
		default:
			counts.Rejected++
			var at int
			at, f.shown = known.index(f.fault)
			f.code = run.FaultCode(b.Chunks, at)
			known.count(f.fault)
		}
		codes[n] = f.code
	}
	if b.Faults = known.list; blocked != nil {
		b.Faults = append(b.Faults, *blocked)
	}
	b.Rows, b.Failures = run.PackCodes(codes), known.groups()
}

func (c *check) gather(n int) {
	if c.groups == nil {
		return
	}
	if c.gathering == nil {
		c.gathering = run.Gathering{}
	}
	c.gathering.Add(c.groups[n])
}

// bodyHash sums up what came, so that a batch id that comes back with other rows
// is noticed: a guard against mix-ups, not against forgery, which is why a CRC
// and the length do.
func bodyHash(rows []row.Row, at []int) string {
	var sum uint32
	length := 0
	var number [binary.MaxVarintLen64]byte
	for _, i := range at {
		sum = crc32.Update(sum, castagnoli, binary.AppendUvarint(number[:0], uint64(rows[i].Number)))
		sum = crc32.Update(sum, castagnoli, rows[i].Object)
		length += len(rows[i].Object)
	}
	return fmt.Sprintf("%08x.%d", sum, length)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)
