package intake

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/pipeline/version"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// A repetition is a batch that was pinned before, with its rows in hand again.
// What it was answered and where its rows go is read from the pinned item: nothing
// is judged anew.
type repetition struct {
	batch  run.Batch
	codes  []run.Code
	rows   func(n int) *row.Row
	replay func(n int) *envelope.Replay // nil of pushed rows
	// v derives record ids again; nil where this program cannot compile the version
	// any more, and then they are missing.
	v     *version.Compiled
	queue string
	texts []rowTexts // per row
}

type rowTexts struct {
	id, key string
	found   string // the key that the record id stands for
	deletes bool
	own     *row.Fault // the row's, where it is judged anew
}

// repeat reads what is pinned of a batch of so many rows.
func (in *Intake) repeat(ctx context.Context, stored run.Batch, n int, rows func(n int) *row.Row) (*repetition, error) {
	rep := &repetition{batch: stored, rows: rows}
	var err error
	if rep.codes, err = run.UnpackCodes(stored.Rows); err != nil {
		return nil, fmt.Errorf("batch %q of run %q: %w", stored.ID, stored.Run, err)
	}
	if len(rep.codes) != n {
		return nil, fmt.Errorf("batch %q of run %q was pinned with %d rows and came with %d", stored.ID, stored.Run, len(rep.codes), n)
	}
	known, ok := in.versions.Known(stored.Sync, stored.Version)
	if ok {
		rep.v, rep.queue = known, known.Version.Rules.Type
		return rep, nil
	}
	v, err := in.Syncs.Version(ctx, stored.Sync, stored.Version)
	if err != nil {
		return nil, fmt.Errorf("read sync %q version %s: %w", stored.Sync, stored.Version, err)
	}
	rep.queue = v.Rules.Type
	if c, err := in.versions.Of(v); err == nil {
		rep.v = c
	}
	return rep, nil
}

// pushAgain answers a retried request as the first time, and does what the first
// attempt did not come to.
func (in *Intake) pushAgain(ctx context.Context, stored run.Batch, hash string, b row.Batch, p *part, answers []row.Answer) error {
	if stored.BodyHash != hash {
		return row.Refuse("batch id %q came before with other rows; a batch id stands for one request only", b.ID)
	}
	if stored.Attempt != "" && stored.Attempt != b.ID {
		// Whether it is a retry or another part of the query with equal rows cannot be
		// told: they are queued once, and finish may announce them twice.
		if _, _, err := in.Batches.PinBatch(ctx, stored.Repeat(b.ID, len(p.rows), in.Now())); err != nil {
			return fmt.Errorf("count a repeated batch of run %q: %w", stored.Run, err)
		}
	}
	rep, err := in.repeat(ctx, stored, len(p.rows), func(n int) *row.Row { return &b.Rows[p.rows[n]] })
	if err != nil {
		return err
	}
	if err := rep.derive(ctx, in); err != nil {
		return err
	}
	for n, i := range p.rows {
		status, _, fault, ok := stored.Placed(rep.codes[n])
		if !ok {
			return fmt.Errorf("batch %q of run %q: code %d names no answer", stored.ID, stored.Run, rep.codes[n])
		}
		answers[i] = row.Answer{Status: status, Run: stored.Run, RecordID: rep.texts[n].id, Fault: fault}
	}
	if stored.Sent {
		return nil
	}
	if err := in.Errors.StoreErrors(ctx, rep.errors(in.Now())); err != nil {
		return fmt.Errorf("store the rejected rows of run %q: %w", stored.Run, err)
	}
	return in.sendAgain(ctx, rep)
}

// derive finds the record ids and keys of the rows again.
func (rep *repetition) derive(ctx context.Context, in *Intake) error {
	rep.texts = make([]rowTexts, len(rep.codes))
	if rep.v == nil {
		return nil
	}
	var asked []string
	m := rep.v.Get()
	defer rep.v.Put(m)
	for n := range rep.codes {
		if r := rep.rows(n); r.Object != nil {
			got, fault := m.Map(r.Object) // which is pinned, or was none
			rep.texts[n] = rowTexts{id: string(got.RecordID), key: string(got.Key), deletes: got.Action == row.Delete, own: cmp.Or(unreadable(r), fault)}
			if t := &rep.texts[n]; t.deletes && t.key == "" {
				asked = append(asked, t.id)
			}
		}
	}
	if len(asked) == 0 || rep.batch.Sent {
		return nil
	}
	claims, err := in.claims(ctx, rep.v, asked)
	for n := range rep.texts {
		// Where another record has claimed the key since, nothing of this one's is there.
		if t := &rep.texts[n]; t.deletes && t.key == "" && len(claims[t.id]) == 1 {
			t.key, t.found = claims[t.id][0], claims[t.id][0]
		}
	}
	return err
}

// errors are the rejected and blocked rows, which the first attempt may not have
// stored.
func (rep *repetition) errors(now time.Time) []run.RowError {
	var all []run.RowError
	for n, code := range rep.codes {
		if status, _, fault, _ := rep.batch.Placed(code); status == row.Rejected || status == row.Blocked {
			if own := rep.texts[n].own; own != nil && fault != nil && fault.Rule == ruleMany {
				fault = own // the pinned one only refers to it
			}
			all = append(all, rep.error(n, fault, now))
		}
	}
	return all
}

func (rep *repetition) error(n int, why *row.Fault, now time.Time) run.RowError {
	r := rep.rows(n)
	e := rowError(&rep.batch, r, why, now)
	e.RecordID, e.Key = rep.texts[n].id, rep.texts[n].key
	if rep.v != nil && r.Object != nil {
		e.Source = rep.v.Source(r.Object)
	}
	return e
}
