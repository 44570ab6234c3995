package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/run"
)

// opening is what open has read so far, so that the chunks of one run or batch
// read it once.
type opening struct {
	runs    map[string]run.Run
	batches map[string]run.Batch
	totals  map[string]map[string]int
	jobs    map[string]*job
	inHand  map[chunkID]bool
}

// A chunkID names a chunk: a chunk that was queued twice has two messages.
type chunkID struct {
	run, batch string
	index      int
}

// open unpacks the messages and sets aside those that need no work now: recorded
// already, unreadable, or of a run that has to be whole before it is sent.
func (d *Deliver) open(ctx context.Context, in []Delivery) ([]*parcel, error) {
	unpacker, err := envelope.NewUnpacker()
	if err != nil {
		return nil, err
	}
	o := &opening{runs: map[string]run.Run{}, batches: map[string]run.Batch{}, totals: map[string]map[string]int{}, jobs: map[string]*job{}, inHand: map[chunkID]bool{}}
	parcels := make([]*parcel, 0, len(in))
	held := map[string]bool{} // groups whose first message goes back
	for _, m := range in {
		p := &parcel{Delivery: m}
		parcels = append(parcels, p)
		if held[m.Group] {
			p.later = true
			if p.chunk, err = unpacker.Unpack(m.Body); err != nil {
				p.chunk = envelope.Chunk{}
			}
			continue
		}
		if p.chunk, err = unpacker.Unpack(m.Body); err != nil {
			if err := d.unreadable(ctx, p, err); err != nil {
				return nil, err
			}
			held[m.Group] = p.later
			continue
		}
		if err := d.place(ctx, o, p); err != nil {
			return nil, err
		}
		held[m.Group] = p.later
	}
	return parcels, nil
}

// unreadable lets a message that nobody can read come back at once, until the
// dead-letter queue has it; from there it ends as a stored error.
func (d *Deliver) unreadable(ctx context.Context, p *parcel, cause error) error {
	if !d.Dead {
		p.later = true
		return nil
	}
	p.done = true
	source, err := jsontext.AppendQuote(nil, strings.ToValidUTF8(string(p.Body[:min(len(p.Body), envelope.MaxRow)]), "?"))
	if err != nil {
		return fmt.Errorf("quote message %q: %w", p.ID, err)
	}
	return d.Errors.StoreErrors(ctx, []run.RowError{{
		Sync: unreadableSync, Run: unreadableSync + ".messages", Batch: p.ID, Type: "unreadable_message", Stage: "deadletter",
		Message: fmt.Sprintf("a message in the queue %s was not Penstock's (%v): only the push function may send to it; find out who else does", d.Queue, cause), At: d.Now(), Source: source,
	}})
}

// versionless puts a message off whose version is not stored, and says so where
// people look; when its time is over, its rows end as stored errors (I1).
func (d *Deliver) versionless(ctx context.Context, p *parcel) error {
	const code = "unknown_version"
	c, name := p.chunk, run.SyncOf(p.chunk.Run)
	message := fmt.Sprintf("version %s of sync %q is not stored: run penstock apply with the definition that this run began with", c.Version, name)
	if p.dead == "" {
		p.postpone(d.patience(p))
		d.explain(ctx, c.Run, &dest.CallError{Op: "read the sync", Class: dest.Configuration, Code: code, Message: message})
		return nil
	}
	errs := make([]run.RowError, len(c.Rows))
	for n, r := range c.Rows {
		errs[n] = run.RowError{
			Sync: name, Run: c.Run, Batch: c.Batch, Row: r.Number, Type: code, Message: message, Stage: "deadletter",
			Attempts: p.state.Attempts + 1, At: d.Now(), Place: c.Place, Source: r.Object,
		}
	}
	if err := d.Errors.StoreErrors(ctx, errs); err != nil {
		return fmt.Errorf("store the errors of run %q: %w", c.Run, err)
	}
	counts := run.Counts{Failed: int64(len(c.Rows))}
	if _, err := d.Runs.RecordChunk(ctx, c.Run, c.Batch, c.Index, run.Chunk{Done: true, At: d.Now(), Counts: counts}); err != nil {
		return fmt.Errorf("record chunk %d of batch %q: %w", c.Index, c.Batch, err)
	}
	p.done = true
	return nil
}

// unreadableSync gathers the errors of messages that name no sync.
const unreadableSync = "unreadable"

// place finds a message's run and record, and decides whether it is worked on.
func (d *Deliver) place(ctx context.Context, o *opening, p *parcel) (err error) {
	c := p.chunk
	id := chunkID{c.Run, c.Batch, c.Index}
	if o.inHand[id] { // I2: the same rows; it stays behind the first, or goes with it
		p.done = true
		return nil
	}
	o.inHand[id] = true
	if p.run, err = d.readRun(ctx, o, c.Run); err != nil {
		return err
	}
	b, err := d.readBatch(ctx, o, c.Run, c.Batch)
	if err != nil {
		return err
	}
	p.state = b.Chunks[c.Index]
	switch {
	case p.state.Done: // I2: recorded, but the acknowledgement was lost
		p.done = true
		return nil
	case d.Dead:
		p.dead = "dead_letter"
	case p.run.Status == run.Cancelled:
		p.dead = stopped
	case p.Receives-1-p.state.Deferrals >= maxCrashes:
		p.dead = "crashed"
	case d.Now().Sub(p.SentAt) > maxAge: // I1: before the queue drops it
		p.dead = "expired"
	}
	if p.job, err = d.job(ctx, o, p); errors.Is(err, ErrNotFound) {
		return d.versionless(ctx, p)
	} else if err != nil {
		return err
	}
	if p.dead == "" && p.job.program.version.Definition.Slack != nil {
		return d.hold(ctx, o, p)
	}
	return nil
}

// hold keeps a message back until its run has all rows, so that one digest can
// say how many there are.
func (d *Deliver) hold(ctx context.Context, o *opening, p *parcel) error {
	if p.run.Status == run.Open {
		p.postpone(d.patience(p))
		return nil
	}
	total, ok := o.totals[p.run.ID]
	if !ok {
		batches, err := d.Runs.Batches(ctx, p.run.ID)
		if err != nil {
			return fmt.Errorf("read the batches of run %q: %w", p.run.ID, err)
		}
		total = run.Groups(batches)
		if c, _, _ := run.Total(batches); len(total) == 1 { // one channel: what earlier invocations found unchanged is its own
			for g := range total {
				total[g] -= int(c.Unchanged + c.Superseded - superseded(batches))
			}
		}
		o.totals[p.run.ID] = total
	}
	p.job.total = total
	return nil
}

// superseded counts the rows that intake itself did not queue.
func superseded(batches []run.Batch) (n int64) {
	for _, b := range batches {
		n += b.Counts.Superseded
	}
	return n
}

func (d *Deliver) readRun(ctx context.Context, o *opening, id string) (run.Run, error) {
	if r, ok := o.runs[id]; ok {
		return r, nil
	}
	r, err := d.Runs.Run(ctx, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return r, fmt.Errorf("read run %q: %w", id, err)
	}
	if errors.Is(err, ErrNotFound) { // expired from the state table: its rows still go out
		r = run.Run{ID: id, Sync: run.SyncOf(id), Status: run.Incomplete, EndedAt: time.Time{}}
	}
	o.runs[id] = r
	return r, nil
}

func (d *Deliver) readBatch(ctx context.Context, o *opening, runID, id string) (run.Batch, error) {
	key := runID + "/" + id
	if b, ok := o.batches[key]; ok {
		return b, nil
	}
	b, err := d.Runs.Batch(ctx, runID, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return b, fmt.Errorf("read batch %q of run %q: %w", id, runID, err)
	}
	o.batches[key] = b
	return b, nil
}

// job finds the sync, version and run that a message belongs to.
func (d *Deliver) job(ctx context.Context, o *opening, p *parcel) (*job, error) {
	sync := run.SyncOf(p.chunk.Run)
	key := p.chunk.Run + "/" + p.chunk.Version
	if j, ok := o.jobs[key]; ok {
		return j, nil
	}
	prog, ok := d.programs.known(sync, p.chunk.Version)
	if !ok {
		v, err := d.Syncs.Version(ctx, sync, p.chunk.Version)
		if err != nil {
			return nil, fmt.Errorf("read sync %q version %s: %w", sync, p.chunk.Version, err)
		}
		if prog, err = d.programs.of(v); err != nil {
			return nil, err
		}
	}
	j := &job{program: prog, run: p.run}
	o.jobs[key] = j
	return j, nil
}
