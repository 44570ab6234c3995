package deliver

import (
	"context"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

// A row that is accepted and changes nothing writes no entry of the ledger, which would cost
// a write each. So the ledger does not know how new they are, and a batch that was
// accepted before them, and whose sending failed, would overwrite them when the warehouse
// sends it again, be it a day later (I3). Their keys are kept beside their message's
// record instead, 8 bytes each, and read by such a batch alone.

// keepUnchanged stores the keys of a settled message's rows that left the destination as it
// was. A replay is as old as its first time, and no newer than anything.
func (inv *invocation) keepUnchanged(ctx context.Context, m *message) error {
	var hashes []byte
	for _, i := range m.items {
		if i.state == stateUnchanged && !i.quiet && i.key != "" && i.row.Replay == nil {
			hashes = run.AppendSeen(hashes, unchangedHash(m.target, i.key))
		}
	}
	if len(hashes) == 0 {
		return nil
	}
	if err := inv.d.Unchanged.StoreUnchanged(ctx, m.chunk.Run, m.chunk.Batch, m.chunk.Index, hashes); err != nil {
		return fmt.Errorf("store the keys that %s left unchanged: %w", m.name(), err)
	}
	return nil
}

// unchangedHash stands for a key at a target.
func unchangedHash(target, key string) uint64 { return run.KeyHash(target + "\n" + key) }

// lateAfter is how long after its acceptance a batch that is sent for the first time is
// late: far more than that takes, and less than newer rows take to be settled by the dozen.
const lateAfter = 2 * time.Second

// late reports whether newer batches may have been settled before the message was queued.
func (m *message) late() bool {
	return m.chunk.Late || !m.chunk.At.IsZero() && m.SentAt.Sub(m.chunk.At) > lateAfter
}

// late supersedes the rows of batches that were sent late where a newer row of their key
// was accepted meanwhile and found unchanged.
func (w *work) late(ctx context.Context) {
	var late []*message
	for _, m := range w.messages {
		if m.late() && m.working() {
			late = append(late, m)
		}
	}
	if len(late) == 0 {
		return
	}
	newest := map[uint64]int64{}
	for _, m := range late {
		for _, i := range m.items {
			newest[unchangedHash(w.target, i.key)] = 0
		}
	}
	err := w.unchangedSince(ctx, late, newest)
	for _, m := range late {
		if err != nil {
			m.broken(w.inv.d, err)
			continue
		}
		for _, i := range m.items {
			if i.state == stateOpen && i.key != "" && i.row.Replay == nil && newest[unchangedHash(w.target, i.key)] > i.sequence() {
				i.state = stateSuperseded
			}
		}
	}
}

// runsAtOnce is how many runs are listed at a time.
const runsAtOnce = 50

// unchangedSince finds the greatest sequence under which each of these keys, by their
// hashes, was left unchanged by the batches that were accepted after the first of these
// messages' ones.
func (w *work) unchangedSince(ctx context.Context, late []*message, newest map[uint64]int64) error {
	d, sync := w.inv.d, late[0].run.Sync
	least, since := late[0].chunk.Sequence, late[0].accepted()
	for _, m := range late {
		if least = min(least, m.chunk.Sequence); m.accepted().Before(since) {
			since = m.accepted()
		}
	}
	latest, err := d.Runs.Latest(ctx, sync) // it may go on for longer than any number of others
	if err != nil {
		return fmt.Errorf("read the latest run of sync %q: %w", sync, err)
	}
	if latest != "" {
		if err := w.addUnchanged(ctx, newest, latest, least); err != nil {
			return err
		}
	}
	runs, err := d.Unchanged.RecentRuns(ctx, sync, runsAtOnce)
	for more := true; err == nil && more && len(runs) > 0; {
		more = false
		for i := range runs {
			r := &runs[i]
			if r.ID == latest || r.Status.Ended() && r.EndedAt.Before(since) {
				continue
			}
			more = true
			if err := w.addUnchanged(ctx, newest, r.ID, least); err != nil {
				return err
			}
		}
		if more = more && len(runs) == runsAtOnce; more { // else all that go before ended before, too
			last := &runs[len(runs)-1]
			runs, err = d.Unchanged.RunsBefore(ctx, sync, last.BegunAt, last.ID, runsAtOnce)
		}
	}
	if err != nil {
		return fmt.Errorf("list the runs of sync %q: %w", sync, err)
	}
	return nil
}

// accepted is when the message's batch was.
func (m *message) accepted() time.Time {
	if m.chunk.At.IsZero() {
		return m.run.BegunAt
	}
	return m.chunk.At
}

// addUnchanged adds what the batches of a run that were accepted after a sequence left
// unchanged.
func (w *work) addUnchanged(ctx context.Context, newest map[uint64]int64, id string, after int64) error {
	batches, err := w.inv.d.Runs.Batches(ctx, id)
	if err != nil {
		return fmt.Errorf("list the batches of run %q: %w", id, err)
	}
	sequences := map[string]int64{}
	for i := range batches {
		if b := &batches[i]; b.Sequence > after {
			sequences[b.ID] = b.Sequence
		}
	}
	if len(sequences) == 0 {
		return nil
	}
	err = w.inv.d.Unchanged.Unchanged(ctx, id, func(batch string, _ int, hashes []byte) error {
		run.EachSeen(hashes, func(h uint64) {
			if sequence, asked := newest[h]; asked {
				newest[h] = max(sequence, sequences[batch])
			}
		})
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the keys that run %q left unchanged: %w", id, err)
	}
	return nil
}
