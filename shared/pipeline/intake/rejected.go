package intake

import (
	"time"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// errors are the rejected and blocked rows as they are stored. Of a replay none
// are: its row has its error already.
func (c *check) errors() []run.RowError {
	if c.replays != nil {
		return nil
	}
	var all []run.RowError
	for n := range c.fates {
		f := &c.fates[n]
		if f.status != row.Rejected && f.status != row.Blocked {
			continue
		}
		e := rowError(&c.batch, c.rows(n), f.fault, c.now)
		e.RecordID, e.Key = c.recordID(n), c.key(n)
		if r := c.rows(n); r.Object != nil {
			e.Source = c.v.Source(r.Object)
		}
		all = append(all, e)
	}
	return all
}

// rowError is an error of this batch, without what only the mapping knows.
func rowError(b *run.Batch, r *row.Row, why *row.Fault, now time.Time) run.RowError {
	return run.RowError{
		Sync: b.Sync, Run: b.Run, Batch: b.ID, Row: r.Number, Version: b.Version,
		Type: why.Rule, Message: why.Message, Field: why.Field, Stage: stage,
		Attempts: 1, At: now, Sequence: b.Sequence,
	}
}
