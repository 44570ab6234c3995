package deliver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/pipeline/version"
	"github.com/penstock-data/penstock/shared/run"
)

// An invocation is the messages that one call of Handle has in hand, and what was
// read for them so far, so that the messages of one run read it once.
type invocation struct {
	d        *Deliver
	messages []*message
	runs     map[string]run.Run
	totals   map[string]run.Gathering
	inHand   map[string]bool
	stored   atomic.Int64 // errors, for Result
}

// storeErrors stores errors and counts them.
func (inv *invocation) storeErrors(ctx context.Context, errs []run.RowError) error {
	if err := inv.d.Errors.ReplaceErrors(ctx, errs); err != nil {
		return err
	}
	inv.stored.Add(int64(len(errs)))
	return nil
}

// UnreadableSync gathers the errors of messages that name no sync.
const UnreadableSync = "unreadable"

// open unpacks the messages and sets aside those that need no work now: recorded
// already, unreadable, or of a run that has to be whole before it is sent.
func (d *Deliver) open(ctx context.Context, in []envelope.Delivery) *invocation {
	inv := &invocation{d: d, runs: map[string]run.Run{}, totals: map[string]run.Gathering{}, inHand: map[string]bool{}}
	unpacker := &envelope.Unpacker{}
	began := d.Now()
	held := map[string]bool{} // groups whose first message goes back: the rest follows
	late := map[string]bool{} // groups of a suspect message, which is worked on after the others
	for _, got := range in {
		m := &message{Delivery: got, began: began}
		inv.messages = append(inv.messages, m)
		switch {
		case held[m.Group]:
			m.back = true
		default:
			inv.read(ctx, m, unpacker)
		}
		late[m.Group] = late[m.Group] || m.suspect
		if late[m.Group] && !m.suspect && m.working() { // else the older row would be sent after the newer one was compared (I3)
			m.postpone(time.Millisecond)
		}
		held[m.Group] = held[m.Group] || m.back
	}
	return inv
}

// read finds out what a message is, and whether it is worked on.
func (inv *invocation) read(ctx context.Context, m *message, unpacker *envelope.Unpacker) {
	d := inv.d
	chunk, err := unpacker.Unpack(m.Body)
	if err != nil {
		inv.unreadable(ctx, m, err)
		return
	}
	m.chunk = chunk
	if inv.inHand[m.name()] { // I2: queued twice: it goes with the first, or stays behind it
		m.done = true
		return
	}
	inv.inHand[m.name()] = true
	if err := inv.state(ctx, m); err != nil {
		m.broken(d, err)
		return
	}
	if m.record.Done { // I2: recorded, but the acknowledgement was lost
		m.done = true
		return
	}
	if m.version, err = d.versions.Load(ctx, d.Syncs, run.SyncOf(chunk.Run), chunk.Version); err != nil {
		inv.versionless(ctx, m, err)
		return
	}
	inv.place(ctx, m)
}

// state reads a message's run and record.
func (inv *invocation) state(ctx context.Context, m *message) (err error) {
	id := m.chunk.Run
	if m.run, err = inv.runOf(ctx, id); err != nil {
		return err
	}
	if run.IsDue(id) && !m.run.Status.Dead() { // what came back by itself ends with the run that it failed in
		first, err := inv.runOf(ctx, run.OriginalOf(id))
		if err != nil {
			return err
		}
		if first.Status.Dead() {
			m.run.Status, m.run.Reason = first.Status, first.Reason
		}
	}
	// A first receive has no mark, call size or try behind it. Where the chunk was queued
	// twice, the ledger knows its rows, and the record of the first stays (I2).
	if m.Receives == 1 && !inv.d.Dead {
		return nil
	}
	if m.record, err = inv.d.Chunks.Chunk(ctx, id, m.chunk.Batch, m.chunk.Index); err != nil {
		return fmt.Errorf("read the record of %s: %w", m.name(), err)
	}
	m.most = m.record.Most
	m.busyUntil = m.record.BusyUntil
	return nil
}

// runOf reads a run, once in an invocation.
func (inv *invocation) runOf(ctx context.Context, id string) (run.Run, error) {
	if r, ok := inv.runs[id]; ok {
		return r, nil
	}
	r, err := inv.d.Runs.Run(ctx, id)
	if errors.Is(err, run.ErrNotFound) { // expired from the state: its rows still go out
		r, err = run.Run{ID: id, Sync: run.SyncOf(id), Status: run.Incomplete}, nil
	}
	if err != nil {
		return r, fmt.Errorf("read run %q: %w", id, err)
	}
	inv.runs[id] = r
	return r, nil
}

// place decides whether a message's rows are sent.
func (inv *invocation) place(ctx context.Context, m *message) {
	d := inv.d
	age := d.Now().Sub(m.SentAt)
	switch {
	case d.Dead:
		m.end = "dead_letter"
	case m.run.Status.Dead():
		m.end = "cancelled"
	case age > maxAge, age > maxTried && !m.record.Tried.IsZero(): // I1: before the queue drops it
		m.end = "expired"
	}
	if err := d.account(ctx, m); err != nil {
		m.broken(d, err)
		return
	}
	if m.end != "" {
		return
	}
	if err := inv.beside(ctx, m); err != nil {
		m.broken(d, err)
		return
	}
	if m.Receives > 1 {
		if err := inv.mark(ctx, m); err != nil {
			m.broken(d, err)
			return
		}
	}
	if m.version.Version.Rules.Gather {
		if err := inv.gather(ctx, m); err != nil {
			m.broken(d, err)
		}
	}
}

// beside finds out whether a full run of the message's mirror goes on: it removes what
// the ledger does not show to be newer (I8).
func (inv *invocation) beside(ctx context.Context, m *message) error {
	if m.version.Version.Definition.Mirror == nil || m.run.Bracketed {
		return nil
	}
	id, err := inv.d.Runs.Latest(ctx, m.run.Sync)
	if err != nil {
		return fmt.Errorf("read the latest run of sync %q: %w", m.run.Sync, err)
	}
	if id == "" {
		return nil
	}
	r, err := inv.runOf(ctx, id)
	m.newer = r.Mode == run.Full && !r.Status.Ended()
	return err
}

// gather keeps a message back until its run has all rows, so that what is sent can
// count them.
func (inv *invocation) gather(ctx context.Context, m *message) error {
	if m.run.Status == run.Open {
		m.postpone(inv.d.patience(m))
		return nil
	}
	if _, ok := inv.totals[m.run.ID]; ok {
		return nil
	}
	batches, err := inv.d.Runs.Batches(ctx, m.run.ID)
	if err != nil {
		return fmt.Errorf("read the batches of run %q: %w", m.run.ID, err)
	}
	inv.totals[m.run.ID], err = run.Gather(batches)
	return err
}

// unreadable stores a message that nobody can read as an error by itself.
func (inv *invocation) unreadable(ctx context.Context, m *message, cause error) {
	source, err := jsontext.AppendQuote(nil, strings.ToValidUTF8(string(m.Body[:min(len(m.Body), 16<<10)]), "?"))
	if err == nil {
		err = inv.storeErrors(ctx, []run.RowError{{
			Sync: UnreadableSync, Run: UnreadableSync + ".messages", Batch: m.ID, Type: "unreadable_message", Stage: "deliver", Attempts: 1,
			Message: fmt.Sprintf("a message in the queue %s cannot be read (%v): if a later release sent it, finish its deployment and push the rows again; else find out who sends to this queue", inv.d.Queue, cause),
			At:      inv.d.Now(), Source: source,
		}})
	}
	if err != nil {
		m.broken(inv.d, fmt.Errorf("store an unreadable message: %w", err))
		return
	}
	m.done = true
}

// versionless stores the rows of a version that cannot be read or carried out as
// errors by themselves; what our storage refuses to tell comes back.
func (inv *invocation) versionless(ctx context.Context, m *message, cause error) {
	code := "unusable_version"
	message := fmt.Sprintf("version %s of the sync cannot be carried out by this release (%v): apply the sync again and push the rows again", m.chunk.Version, cause)
	if errors.Is(cause, run.ErrNotFound) {
		code = "unknown_version"
		message = fmt.Sprintf("version %s of the sync is not stored: apply the sync, then push the rows again", m.chunk.Version)
	} else if !errors.Is(cause, version.ErrUnusable) && !errors.Is(cause, run.ErrFormat) { // our storage did not tell
		m.broken(inv.d, cause)
		return
	}
	if m.busy(inv.d.Now()) { // an earlier invocation still had the version
		m.postponeUntil(m.busyUntil)
		return
	}
	if m.run.Bracketed { // I4: no row's cursor can be read, so its mark must not move
		if err := inv.d.endRun(ctx, m.run.ID, run.Failed, message); err != nil {
			m.broken(inv.d, err)
			return
		}
	}
	errs := make([]run.RowError, len(m.chunk.Rows))
	fates := make([]run.Fate, len(m.chunk.Rows))
	for n, r := range m.chunk.Rows {
		e := run.RowError{
			Sync: run.SyncOf(m.chunk.Run), Run: m.chunk.Run, Batch: m.chunk.Batch, Row: r.Number, Version: m.chunk.Version,
			Type: code, Message: message, Stage: "deliver", Attempts: 1, At: inv.d.Now(), Sequence: m.chunk.Sequence, // no source: what of it may be stored says the version
		}
		if r.Replay != nil {
			e.Run, e.Batch, e.Row, _ = run.ParseRef(r.Replay.Ref)
			e.Sequence, e.Attempts = r.Replay.Sequence, r.Replay.Attempts+1
		}
		errs[n], fates[n] = e, run.FateFailed
	}
	err := inv.storeErrors(ctx, errs)
	if err == nil {
		err = m.recorded(ctx, inv.d, run.Chunk{
			Counts: run.Counts{Failed: int64(len(errs))}, Outcomes: run.PackFates(fates),
			Groups: []run.Group{{Stage: "deliver", Type: code, Rows: int64(len(errs))}},
		})
	}
	if err != nil {
		m.broken(inv.d, err)
	}
}
