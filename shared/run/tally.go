package run

import (
	"fmt"
	"slices"
	"time"
)

// A Tally is what a run's batches and the records of its messages add up to.
type Tally struct {
	Counts  Counts
	Pending int       // batches that are not known to be wholly sent
	Last    time.Time // the latest sign of life: a batch accepted or a message recorded
	Queued  time.Time // when the last batch was accepted
	Cursor  string    // greatest plausible cursor, a JSON scalar
	Hold    string    // least cursor among rows that are not known to be right, a JSON scalar
	Held    int       // messages that hold, or doubt
	Doubt   int       // rows without a cursor that are not known to be right, and of which no error tells
	Cursors []Held    // of their rows that are not known to be right
	Groups  []Group
	column  Column         // of the batches' cursors
	unsent  map[string]int // messages that are not recorded, of the pending batches
}

// A Held is a cursor, a JSON scalar, at which so many rows are not known to be right.
type Held struct {
	Cursor string `json:"cursor"`
	Rows   int64  `json:"rows"`
}

// What a message's record keeps of its rows' cursors.
const (
	maxHeld      = 100
	maxHeldBytes = 8 << 10
)

// BoundHeld sorts and sums up cursors. Of very many the greatest share the place of
// the last that is kept.
func BoundHeld(all []Held) []Held {
	slices.SortStableFunc(all, func(a, b Held) int { return compareStored(a.Cursor, b.Cursor) })
	var out []Held
	bytes := 0
	for _, h := range all {
		n := len(out)
		if n > 0 && (out[n-1].Cursor == h.Cursor || n == maxHeld || bytes+len(h.Cursor) > maxHeldBytes) {
			out[n-1].Rows += h.Rows
			continue
		}
		bytes += len(h.Cursor)
		out = append(out, h)
	}
	return out
}

// AddBatch adds what intake counted.
func (t *Tally) AddBatch(b *Batch) {
	t.Counts = t.Counts.Add(b.Counts)
	if !b.Sent {
		if t.unsent == nil {
			t.unsent = map[string]int{}
		}
		t.unsent[b.ID] = b.Chunks
		t.Pending++
	}
	if b.At.After(t.Queued) {
		t.Queued = b.At
	}
	t.seen(b.At)
	t.Counts.NoCursor -= t.column.Unreadable()
	t.column.addBatch(b)
	t.Counts.NoCursor += t.column.Unreadable()
	t.Cursor = t.column.Greatest()
	if len(b.Failures) > 0 {
		t.Groups = AddGroups(t.Groups, b.Failures)
	}
}

// AddChunk adds a record of one of a batch's messages, once the batch is added. A batch
// whose messages are all recorded was sent, whether or not that could be noted.
func (t *Tally) AddChunk(batch string, c Chunk) {
	if !c.Done {
		return
	}
	if left, pending := t.unsent[batch]; pending {
		t.unsent[batch] = left - 1
		if left == 1 {
			t.Pending--
		}
	}
	t.Counts = t.Counts.Add(c.Counts)
	t.seen(c.At)
	t.Doubt += c.Doubt
	if c.Hold != "" || c.Doubt > 0 {
		t.Hold = Least(t.Hold, c.Hold)
		t.Held++
		t.Cursors = append(t.Cursors, c.Cursors...)
	}
	if len(c.Groups) > 0 {
		t.Groups = AddGroups(t.Groups, c.Groups)
	}
}

func (t *Tally) seen(at time.Time) {
	if at.After(t.Last) {
		t.Last = at
	}
}

// Left is the number of received rows whose fate is not known yet.
func (t *Tally) Left() int64 { return t.Counts.Received - t.Counts.Settled() }

// OutcomeOf says how an ended run went, by its rows; a retry's run has no outcome,
// and neither has one that goes on.
func OutcomeOf(r Run, c Counts) Outcome {
	if !r.Status.Ended() || IsRetry(r.ID) {
		return ""
	}
	if r.Mirror != nil && r.Mirror.Refused != "" {
		if c.Delivered+c.Unchanged > 0 {
			return Partial
		}
		return None
	}
	wrong := c.Received - c.Delivered - c.Unchanged - c.Superseded
	switch {
	case wrong <= 0 && r.Status == Complete:
		return Succeeded
	case c.Delivered+c.Unchanged > 0:
		return Partial
	}
	return None
}

// short says that a finished run does not have the rows that it should.
func short(r Run, c Counts) string {
	return fmt.Sprintf("%d rows were received, finish announced %d: call penstock_finish again with the right number; rows that are missing need another run", c.Received, r.Expected)
}
