package intake

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// dropDuplicates keeps of each key the row of the greatest sequence, of equal ones
// the last, and answers the others superseded, or rejected where the definition
// says so.
func (c *check) dropDuplicates() {
	if c.v.Version.Rules.Identity.CaseUnsure {
		c.rejectUnsure()
	}
	winners := make(map[string]int, len(c.fates))
	for n := range slices.Backward(c.fates) {
		if c.fates[n].status != row.Queued || c.keyless(n) && c.fates[n].found == "" {
			continue
		}
		w, twice := winners[c.key(n)]
		switch {
		case !twice:
			winners[c.key(n)] = n
		case c.sequence(n) > c.sequence(w): // only replays have sequences of their own
			winners[c.key(n)] = n
			c.supersede(w, n)
		case c.sequence(n) == c.sequence(w) && c.fates[w].action == row.Delete && c.fates[n].action != row.Delete:
			// A stream tells a record that was deleted and inserted again in any order.
			winners[c.key(n)] = n
			c.supersede(w, n)
		default:
			c.supersede(n, w)
		}
	}
}

func (c *check) sequence(n int) int64 {
	if c.replays == nil {
		return c.batch.Sequence
	}
	return c.replays[n].Sequence
}

// supersede answers a row whose key another one has.
func (c *check) supersede(loser, winner int) {
	deletes := c.fates[loser].action == row.Delete && c.fates[winner].action != row.Delete
	if c.v.Version.Definition.OnDuplicate == syncdef.Reject && c.replays == nil && !deletes {
		c.fates[loser].status, c.fates[loser].fault = row.Rejected, duplicate(c.matchColumn())
		return
	}
	c.fates[loser].status = row.Superseded
	if c.replays != nil { // they hold nothing anew: their errors' hold stands
		return
	}
	least, ok := run.ReadCursor(c.fates[loser].cursor)
	if below, had := c.least[loser]; had && (!ok || below.Compare(least) < 0) { // of those that it superseded itself
		least, ok = below, true
	}
	if !ok {
		return
	}
	if known, had := c.least[winner]; had && known.Compare(least) <= 0 {
		return
	}
	if c.least == nil {
		c.least = map[int]run.Cursor{}
	}
	c.least[winner] = least
}

// leastOf is the least cursor that a queued row's failure would hold the mark at,
// where that is not its own; and what a retry needs of it is pinned.
func (c *check) leastOf(n int) jsontext.Value {
	least, ok := c.least[n]
	if !ok {
		return nil
	}
	c.batch.Least = run.Least(c.batch.Least, least.String())
	if own, ok := run.ReadCursor(c.fates[n].cursor); ok && own.Compare(least) <= 0 {
		return nil
	}
	return jsontext.Value(least.String())
}

// rejectUnsure rejects the rows that equal another only by case: nobody knows
// whether they are one record.
func (c *check) rejectUnsure() {
	type class struct {
		key    string
		unsure bool
	}
	classes := make(map[string]*class, len(c.fates))
	folded := make([]*class, len(c.fates))
	var scratch []byte
	for n := range c.fates {
		if c.fates[n].status != row.Queued {
			continue
		}
		scratch = c.v.Version.Rules.Identity.FoldedKey(scratch[:0], []byte(c.key(n)))
		k := classes[string(scratch)]
		if k == nil {
			k = &class{key: c.key(n)}
			classes[string(scratch)] = k
		}
		k.unsure = k.unsure || k.key != c.key(n)
		folded[n] = k
	}
	for n, k := range folded {
		if k != nil && k.unsure {
			c.fates[n].status, c.fates[n].fault = row.Rejected, caseUnsure(c.matchColumn())
		}
	}
}

func (c *check) matchColumn() string {
	d := &c.v.Version.Definition
	if d.Match.Source != "" || len(d.RecordID) == 0 {
		return d.Match.Source
	}
	return d.RecordID[0]
}
