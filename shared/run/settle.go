package run

import (
	"fmt"
	"math/big"
	"strings"
	"time"
)

// Policy holds the waits of Settle.
type Policy struct {
	Quiet  time.Duration // an implicit run with no new batch for this long is finished; default 2 min
	GiveUp time.Duration // a run without any progress for this long is incomplete; default 1 h
}

// Total sums a run's batches: rows as intake counted them, and what workers
// recorded. pending counts the batches not wholly sent, last is the latest sign
// of life: a batch accepted or a chunk recorded.
func Total(batches []Batch) (c Counts, pending int, last time.Time) {
	for _, b := range batches {
		c = c.Add(b.Counts)
		if !b.Sent {
			pending++
		}
		if at := time.Unix(0, b.Place).UTC(); at.After(last) {
			last = at
		}
		for _, k := range b.Chunks {
			if k.Done {
				c = c.Add(k.Counts)
			}
			if k.At.After(last) {
				last = k.At
			}
		}
	}
	return c, pending, last
}

// Groups sums the queued rows per group over a run's batches.
func Groups(batches []Batch) map[string]int {
	total := map[string]int{}
	for _, b := range batches {
		for g, n := range b.Groups {
			total[g] += n
		}
	}
	return total
}

// Settle decides where a run stands: the run to store and the watermark to set,
// "" for none. Only the sweeper calls it, with all of the run's batches.
func Settle(r Run, batches []Batch, now time.Time, p Policy) (next Run, watermark string) {
	c, pending, last := Total(batches)
	if last.IsZero() {
		last = r.BegunAt
	}
	r.Counts = c
	for _, b := range batches {
		r.Cursor = Later(r.Cursor, b.Cursor)
	}
	if r.Status == Open && !r.Bracketed && pending == 0 && now.Sub(last) >= p.Quiet {
		r.Status, r.FinishedAt, r.Expected = Finishing, now, c.Received
	}
	if r.Status == Finishing && !r.Bracketed && c.Received > r.Expected {
		r.Expected = c.Received // a late batch of the same query
	}
	if r.Status == Finishing && r.Bracketed && pending == 0 && c.Received != r.Expected {
		r.Reason = short(r, c) + ": call penstock_finish again with the right number; rows that are missing need another run"
	}
	switch {
	case r.Status == Finishing && pending == 0 && c.Received == r.Expected && c.Settled() == c.Received:
		r.Status, r.Reason, r.EndedAt = Complete, "", last
		// I4: bracketed, every row received and settled, none blocked.
		if r.Bracketed && c.Blocked == 0 && r.Cursor != "" && Later(r.From, r.Cursor) == r.Cursor {
			watermark = r.Cursor
		}
	case !r.Status.Ended() && now.Sub(last) >= p.GiveUp && now.Sub(r.FinishedAt) >= p.GiveUp:
		r.Reason = why(r, c, pending)
		r.Status, r.EndedAt = Incomplete, now
	}
	return r, watermark
}

// short says that a finished run does not have the rows it should.
func short(r Run, c Counts) string {
	return fmt.Sprintf("%d rows were received, finish announced %d", c.Received, r.Expected)
}

// why says in one sentence what an incomplete run lacks.
func why(r Run, c Counts, pending int) string {
	var s string
	switch {
	case r.Status == Open:
		s = "penstock_finish was not called within the quiet hour"
	case pending > 0:
		s = fmt.Sprintf("%d batches were not wholly queued and the warehouse did not retry them", pending)
	case c.Received != r.Expected:
		return short(r, c)
	default:
		s = fmt.Sprintf("%d of %d rows did not settle", c.Received-c.Settled(), c.Received)
	}
	if r.Reason != "" {
		s += "; last seen: " + r.Reason
	}
	return s
}

// Later returns the greater of two cursors, each a raw JSON scalar or "". Two
// numbers compare as numbers, everything else as text: write timestamps in one
// zone and one format.
func Later(a, b string) string {
	switch {
	case a == "" || a == "null":
		return b
	case b == "" || b == "null":
		return a
	}
	if isNumber(a) && isNumber(b) {
		x, okX := new(big.Rat).SetString(a)
		y, okY := new(big.Rat).SetString(b)
		if okX && okY && x.Cmp(y) >= 0 {
			return a
		}
		return b
	}
	if strings.Trim(a, `"`) >= strings.Trim(b, `"`) {
		return a
	}
	return b
}

// isNumber also bounds the text, since a Rat of 1e999999999 would fill the memory.
func isNumber(s string) bool {
	return len(s) <= 64 && !strings.ContainsAny(s, "eE") && strings.Trim(s, "+-.0123456789") == ""
}
