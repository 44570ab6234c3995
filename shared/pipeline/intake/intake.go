// Package intake takes a warehouse's rows: it answers each, pins what was
// answered, stores what was refused and queues the rest. It takes rows that
// failed before in the same way. It maps rows only to check them and to find
// their key and cursor; what is delivered is decided by package deliver.
package intake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/pipeline/version"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Intake takes requests, answers each of their rows and queues the good ones. It
// serves concurrent requests.
type Intake struct {
	Syncs       Syncs
	Connections Connections
	Runs        Runs
	Batches     Batches
	Chunks      Chunks
	Errors      Errors
	Queue       Queue
	Ledger      Ledger // asked only for deleting rows without a match value
	Seen        Seen   // asked only for full runs of mirrors
	Pauses      Pauses // of people; nil where nothing is paused
	Now         Clock

	versions version.Cache
	depths   recent[int]
	allows   recent[*syncdef.Allow] // by sync
	settings recent[int64]          // connections' epochs
	pauses   recent[run.Pause]      // by sync; the zero Pause where it is not paused
}

// Push answers a batch of penstock_push(sync or run, row): one answer per row, in
// order. A *row.Refusal refuses the request; after any other error the warehouse
// sends the same batch id again, and is answered alike.
func (in *Intake) Push(ctx context.Context, b row.Batch) ([]row.Answer, error) {
	if len(b.Rows) > run.MaxRows {
		return nil, &row.Refusal{Kind: row.TooLarge, Message: fmt.Sprintf("the request has %d rows, at most %d are taken: send fewer at a time", len(b.Rows), run.MaxRows)}
	}
	answers := make([]row.Answer, len(b.Rows))
	all := parts(b.Rows, answers)
	if len(all) > maxTargets {
		return nil, row.Refuse("the request's rows name %d syncs or runs, at most %d are taken: the first argument of penstock_push names a sync, and is the same for all rows of a statement", len(all), maxTargets)
	}
	nowhere := 0
	for _, p := range all {
		err := in.part(ctx, b, p, answers)
		var fault *row.Fault
		switch {
		case errors.As(err, &fault):
			for _, i := range p.rows {
				answers[i] = row.Answer{Status: row.Rejected, Fault: fault}
			}
			nowhere += len(p.rows)
		case err != nil:
			return nil, err
		}
	}
	if nowhere > 0 && nowhere == len(b.Rows) {
		return nil, row.Refuse("%s", answers[0].Fault.Message)
	}
	return answers, nil
}

// maxTargets is how many syncs and runs one request may name: each is looked up, and
// a column in place of a name must not take all of a request's time.
const maxTargets = 100

// A part is the rows of a request that name the same sync or run.
type part struct {
	name string
	rows []int // positions in the request
}

// parts splits a request by what its rows name, in order of first appearance, and
// answers the rows that name nothing.
func parts(rows []row.Row, answers []row.Answer) []*part {
	var all []*part
	byName := map[string]*part{}
	var last *part
	for i, r := range rows {
		if r.Target == "" {
			answers[i] = row.Answer{Status: row.Rejected, Fault: nameless(r)}
			continue
		}
		if last == nil || r.Target != last.name {
			if last = byName[r.Target]; last == nil {
				last = &part{name: r.Target, rows: make([]int, 0, len(rows)-i)}
				byName[r.Target] = last
				all = append(all, last)
			}
		}
		last.rows = append(last.rows, i)
	}
	return all
}

func nameless(r row.Row) *row.Fault {
	if r.Fault != nil {
		return r.Fault
	}
	return &row.Fault{Field: "sync", Rule: "unknown_sync", Message: "the first argument of penstock_push is missing, null or no text: name a sync, or the run that penstock_begin gave"}
}

// sameFor is how long a batch may come again under another request id. Warehouses try again
// within minutes; a number of a query can come back, on a cluster that was restored.
const sameFor = 24 * time.Hour

// part takes the rows of one sync or run, of a caller that may push them. The pinned
// batch comes before all else: whatever has changed since, a retry is answered as the
// first time.
func (in *Intake) part(ctx context.Context, b row.Batch, p *part, answers []row.Answer) error {
	if err := in.may(ctx, b.Caller, p.name); err != nil {
		return err
	}
	runID, id := p.runID(b), run.BatchID(p.name, b.Function, cmp.Or(b.Same, b.ID))
	hash := bodyHash(b.Rows, p.rows)
	stored, err := in.Batches.Batch(ctx, runID, id)
	if err == nil && b.Same != "" && stored.Attempt != b.ID && in.Now().Sub(stored.At) > sameFor { // another query, which was given the number of that one
		id = run.BatchID(p.name, b.Function, b.ID)
		stored, err = in.Batches.Batch(ctx, runID, id)
	}
	if err == nil {
		return in.pushAgain(ctx, stored, hash, b, p, answers)
	}
	if !errors.Is(err, run.ErrNotFound) {
		return fmt.Errorf("read batch %q of run %q: %w", id, runID, err)
	}
	r, v, err := in.resolve(ctx, runID, b, p.name)
	if err != nil {
		return unusable(err)
	}
	if err := in.admit(ctx, v.Version.Rules.Type, v.Version.Definition.Connection); err != nil {
		return err
	}
	sequence, err := in.Syncs.NextSequence(ctx, r.Sync) // I3: never a clock
	if err != nil {
		return fmt.Errorf("take the next sequence of sync %q: %w", r.Sync, err)
	}
	c := newCheck(v, r, len(p.rows), in.Now())
	c.batch.ID, c.batch.BodyHash, c.batch.Sequence = id, hash, sequence
	if b.Same != "" {
		c.batch.Attempt = b.ID
	}
	c.mapRows(func(n int) *row.Row { return &b.Rows[p.rows[n]] })
	paused, err := in.paused(ctx, p.name)
	switch {
	case err != nil:
		return err
	case r.Status.Dead():
		c.stop(0, blocked(r))
	case paused != nil:
		c.stop(0, paused)
	default:
		if err := in.gate(ctx, c); err != nil {
			return err
		}
	}
	if err := in.find(ctx, c); err != nil {
		return err
	}
	if err := in.rekeyed(ctx, c); err != nil {
		return err
	}
	if err := c.place(); err != nil {
		return err
	}
	if err := in.see(ctx, c); err != nil {
		return err
	}
	stored, created, err := in.Batches.PinBatch(ctx, c.batch)
	if err != nil {
		return fmt.Errorf("pin batch %q of run %q: %w", id, r.ID, err)
	}
	if !created { // the same request twice at once: the other one was faster
		return in.pushAgain(ctx, stored, hash, b, p, answers)
	}
	if err := in.Errors.StoreErrors(ctx, c.errors()); err != nil {
		return fmt.Errorf("store the rejected rows of run %q: %w", r.ID, err)
	}
	if err := in.reopen(ctx, r.ID); err != nil {
		return err
	}
	if err := in.send(ctx, &c.batch, v.Version.Rules.Type, c.messages); err != nil {
		return err
	}
	for n, i := range p.rows {
		answers[i] = c.answer(n)
	}
	return nil
}

// runID is the run that a part's rows belong to.
func (p *part) runID(b row.Batch) string {
	switch {
	case run.IsID(p.name):
		return p.name
	case b.Query == "":
		return run.ImplicitID(p.name, b.ID) // without a query id every batch is a run of its own
	}
	return run.ImplicitID(p.name, b.Query)
}
