package intake

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// see keeps the keys of a mirror's full run, those of rejected rows included: before the
// batch is pinned, so that no pinned row is missing among them (I8). A row without a key
// may be any record's, and stops the removals of the run.
func (in *Intake) see(ctx context.Context, c *check) error {
	if c.v.Version.Definition.Mirror == nil || !c.run.Bracketed || c.run.Mode != run.Full {
		return nil
	}
	if in.Seen == nil {
		return errors.New("keep the keys of a mirror's run: nothing is wired that keeps them")
	}
	for part := 0; part*run.SeenPart < len(c.fates); part++ {
		var hashes []byte
		for n := part * run.SeenPart; n < min((part+1)*run.SeenPart, len(c.fates)); n++ {
			if key := c.key(n); key != "" {
				hashes = run.AppendSeen(hashes, run.KeyHash(key))
			} else if !c.keyless(n) { // a deleted row that no record is known of hides none
				c.batch.Keyless++
			}
		}
		if err := in.Seen.StoreSeen(ctx, c.run.ID, c.batch.ID, part, hashes); err != nil {
			return fmt.Errorf("keep the keys of batch %q of run %q: %w", c.batch.ID, c.run.ID, err)
		}
	}
	c.batch.Seen = true
	return nil
}

// Remove queues one page of what left a mirror's model as rows that delete. Handed in
// again, the same page is queued once. Rows that were accepted after the run began have
// greater sequences, and win (I3).
func (in *Intake) Remove(ctx context.Context, b run.Removal) error {
	if len(b.Keys) > run.MaxRows {
		return fmt.Errorf("a page of removals of run %q has %d keys, at most %d are taken", b.Run, len(b.Keys), run.MaxRows)
	}
	r, err := in.Runs.Run(ctx, b.Run)
	if err != nil {
		return fmt.Errorf("read run %q: %w", b.Run, err)
	}
	v, err := in.load(ctx, r.Sync, r.Version)
	if err != nil {
		return err
	}
	rows := removals(b.Keys, v.Version.Definition.Match.Source)
	stored, err := in.Batches.Batch(ctx, b.Run, b.ID)
	if err == nil {
		return in.removeAgain(ctx, stored, b, rows)
	}
	if !errors.Is(err, run.ErrNotFound) {
		return fmt.Errorf("read batch %q of run %q: %w", b.ID, b.Run, err)
	}
	c := newCheck(v, r, len(rows), in.Now())
	c.rows = func(n int) *row.Row { return &rows[n] }
	c.batch.ID, c.batch.Sequence, c.batch.Removal = b.ID, b.Sequence, true
	for n, key := range b.Keys {
		c.fates[n] = fate{status: row.Queued, action: row.Delete, found: key}
	}
	c.pack()
	c.encode()
	stored, created, err := in.Batches.PinBatch(ctx, c.batch)
	if err != nil {
		return fmt.Errorf("pin batch %q of run %q: %w", b.ID, b.Run, err)
	}
	if !created {
		return in.removeAgain(ctx, stored, b, rows)
	}
	if err := in.reopen(ctx, b.Run); err != nil { // it may have been ended, and counted, since the caller read it
		return err
	}
	return in.send(ctx, &c.batch, v.Version.Rules.Type, c.messages)
}

// removals are the rows of keys: what the mapping reads an action and a label from.
func removals(keys []string, column string) []row.Row {
	rows := make([]row.Row, len(keys))
	for n, key := range keys {
		o := rawjson.AppendQuote([]byte("{"), column)
		o = rawjson.AppendQuote(append(o, ':'), key)
		rows[n] = row.Row{Number: n, Object: append(o, `,"sync_action":"delete"}`...)}
	}
	return rows
}

// removeAgain sends what was pinned and not sent.
func (in *Intake) removeAgain(ctx context.Context, stored run.Batch, b run.Removal, rows []row.Row) error {
	if stored.Sent {
		return nil
	}
	rep, err := in.repeat(ctx, stored, len(rows), func(n int) *row.Row { return &rows[n] })
	if err != nil {
		return err
	}
	rep.texts = make([]rowTexts, len(rows))
	for n, key := range b.Keys {
		rep.texts[n] = rowTexts{id: key, key: key, found: key, deletes: true}
	}
	return in.sendAgain(ctx, rep)
}
