package pipeline_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A port is the store as a process reaches it: each call takes time, and may fail,
// be cut short, or be the process's last.
type port struct{ p *proc }

var bg = context.Background()

// meet lets a call begin, and says which fault it meets; "" when none.
func (p *proc) meet(name string) string {
	s := p.s
	if p.dead {
		p.die()
	}
	s.calls[name]++
	s.digest = crc32.Update(s.digest, crc32.IEEETable, binary.AppendVarint([]byte(name), s.now.UnixNano()))
	kind := s.faults[name][s.calls[name]].Kind
	d := time.Duration(1+s.rng.IntN(4)) * time.Millisecond
	if kind == "slow" && !s.healed {
		d = time.Duration(1+s.rng.IntN(90)) * time.Second
	}
	p.wait(d)
	if p.dead || s.over {
		p.die()
	}
	if s.healed {
		return ""
	}
	if p.doomed {
		kind = "die-before"
	}
	if kind != "" {
		s.trace("FAULT %s: %s", name, kind)
		s.hits[name+":"+kind]++
	}
	if kind == "die-before" {
		p.die()
	}
	return kind
}

// ask makes a call of the store.
func ask[T any](p *proc, name string, f func() (T, error)) (T, error) {
	var none T
	kind := p.meet(name)
	if kind == "fail-before" || p.s.spell("storage") {
		return none, fmt.Errorf("%s: %w", name, errStorage)
	}
	out, err := f()
	switch kind {
	case "die-after":
		p.die()
	case "fail-after":
		return none, fmt.Errorf("%s: %w", name, errStorage)
	}
	return out, err
}

func act(p *proc, name string, f func() error) error {
	_, err := ask(p, name, func() (struct{}, error) { return struct{}{}, f() })
	return err
}

// list makes a call that stores several things, of which some may be stored only.
func list[T any](p *proc, name string, all []T, f func([]T) error) error {
	kind := p.meet(name)
	if kind == "fail-before" || p.s.spell("storage") {
		return fmt.Errorf("%s: %w", name, errStorage)
	}
	if kind == "partial-die" || kind == "partial-fail" {
		all = all[:len(all)/2]
	}
	var err error
	if len(all) > 0 {
		err = f(all)
	}
	switch kind {
	case "die-after", "partial-die":
		p.die()
	case "fail-after", "partial-fail":
		return fmt.Errorf("%s: %w", name, errStorage)
	}
	return err
}

func (o port) Send(_ context.Context, queue string, msgs []envelope.Message) (accepted []bool, err error) {
	accepted = make([]bool, len(msgs))
	err = list(o.p, "Send", msgs, func(part []envelope.Message) error {
		got, err := o.p.s.store.Send(bg, queue, part)
		copy(accepted, got)
		o.p.s.wake()
		return err
	})
	return accepted, err
}

func (o port) Commit(_ context.Context, target string, entries []ledger.Entry) (lost []int, err error) {
	err = list(o.p, "Commit", entries, func(part []ledger.Entry) (err error) {
		lost, err = o.p.s.store.Commit(bg, target, part)
		for _, n := range lost {
			o.p.s.model.lost[part[n].Last.Run]++
		}
		for _, e := range part {
			o.p.s.trace("commit %s %s held %d %v last %+v, lost %v", target, e.Key, e.Held.Sequence, !e.Held.Fingerprint.Void(), e.Last, lost)
		}
		return err
	})
	return lost, err
}

func (o port) StoreErrors(_ context.Context, errs []run.RowError) error {
	return list(o.p, "StoreErrors", errs, func(part []run.RowError) error { return o.p.s.store.StoreErrors(bg, part) })
}

// ReplaceErrors is one more way to store errors, and fails like the other.
func (o port) ReplaceErrors(_ context.Context, errs []run.RowError) error {
	return list(o.p, "StoreErrors", errs, func(part []run.RowError) error { return o.p.s.store.ReplaceErrors(bg, part) })
}

func (o port) PinBatch(_ context.Context, b run.Batch) (stored run.Batch, created bool, err error) {
	stored, err = ask(o.p, "PinBatch", func() (run.Batch, error) {
		got, first, err := o.p.s.store.PinBatch(bg, b)
		if created = first; first && err == nil {
			o.p.s.model.pinned(b)
		}
		return got, err
	})
	return stored, created, err
}

func (o port) UpdateRun(_ context.Context, r run.Run) error {
	return act(o.p, "UpdateRun", func() error {
		err := o.p.s.store.UpdateRun(bg, r)
		if err == nil && r.Status == run.Cancelled {
			o.p.s.model.ended(r.ID, o.p.s.now)
		}
		return err
	})
}

func (o port) Lease(_ context.Context, bucket string, limits []pace.Window, want int, now time.Time) (granted int, wait time.Duration, err error) {
	granted, err = ask(o.p, "Lease", func() (n int, err error) {
		n, wait, err = o.p.s.store.Lease(bg, bucket, limits, want, now)
		return n, err
	})
	return granted, wait, err
}

func (o port) RunErrors(_ context.Context, runID string, limit int, after string) (errs []run.RowError, next string, err error) {
	errs, err = ask(o.p, "RunErrors", func() (got []run.RowError, err error) {
		got, next, err = o.p.s.store.RunErrors(bg, runID, limit, after)
		return got, err
	})
	return errs, next, err
}

var (
	_ intake.Syncs       = port{}
	_ intake.Connections = port{}
	_ intake.Runs        = port{}
	_ intake.Batches     = port{}
	_ intake.Chunks      = port{}
	_ intake.Errors      = port{}
	_ intake.Queue       = port{}
	_ deliver.Runs       = port{}
	_ deliver.Ledger     = port{}
	_ runs.History       = port{}
	_ runs.Recorded      = port{}
	_ runs.Due           = port{}
)

func (o port) Current(_ context.Context, sync string) (syncdef.Version, error) {
	return ask(o.p, "Current", func() (syncdef.Version, error) { return o.p.s.store.Current(bg, sync) })
}

func (o port) Version(_ context.Context, sync, id string) (syncdef.Version, error) {
	return ask(o.p, "Version", func() (syncdef.Version, error) { return o.p.s.store.Version(bg, sync, id) })
}

func (o port) Apply(_ context.Context, v syncdef.Version) error {
	return act(o.p, "Apply", func() error { return o.p.s.store.Apply(bg, v) })
}

func (o port) Remove(_ context.Context, sync string) error {
	return act(o.p, "Remove", func() error { return o.p.s.store.Remove(bg, sync) })
}

func (o port) List(_ context.Context) ([]string, error) {
	return ask(o.p, "List", func() ([]string, error) { return o.p.s.store.List(bg) })
}

func (o port) NextSequence(_ context.Context, sync string) (int64, error) {
	return ask(o.p, "NextSequence", func() (int64, error) { return o.p.s.store.NextSequence(bg, sync) })
}

func (o port) Connection(_ context.Context, name string) (syncdef.Stored, error) {
	return ask(o.p, "Connection", func() (syncdef.Stored, error) { return o.p.s.store.Connection(bg, name) })
}

func (o port) PutConnection(_ context.Context, c syncdef.Connection) error {
	return act(o.p, "PutConnection", func() error { return o.p.s.store.PutConnection(bg, c) })
}

func (o port) AcceptAccount(_ context.Context, name, account string) (syncdef.Stored, error) {
	return ask(o.p, "AcceptAccount", func() (syncdef.Stored, error) {
		c, err := o.p.s.store.AcceptAccount(bg, name, account)
		o.p.s.vendor.pins(c)
		return c, err
	})
}

func (o port) PinAccount(_ context.Context, name, account string) (syncdef.Stored, error) {
	return ask(o.p, "PinAccount", func() (syncdef.Stored, error) {
		c, err := o.p.s.store.PinAccount(bg, name, account)
		o.p.s.vendor.pins(c)
		return c, err
	})
}

func (o port) Pace(_ context.Context, connection string) (pace.State, error) {
	return ask(o.p, "Pace", func() (pace.State, error) { return o.p.s.store.Pace(bg, connection) })
}

func (o port) SetPace(_ context.Context, connection string, st pace.State) error {
	return act(o.p, "SetPace", func() error {
		if st.Failing() && !o.p.s.vendor.paused {
			o.p.s.fails("the connection is paused without a cause: %+v", st)
		}
		return o.p.s.store.SetPace(bg, connection, st)
	})
}

func (o port) Slow(_ context.Context, bucket string, now time.Time) error {
	return act(o.p, "Slow", func() error { return o.p.s.store.Slow(bg, bucket, now) })
}

func (o port) BeginRun(_ context.Context, r run.Run, latest string) error {
	return act(o.p, "BeginRun", func() error { return o.p.s.store.BeginRun(bg, r, latest) })
}

func (o port) Latest(_ context.Context, sync string) (string, error) {
	return ask(o.p, "Latest", func() (string, error) { return o.p.s.store.Latest(bg, sync) })
}

func (o port) EnsureRun(_ context.Context, r run.Run) (run.Run, error) {
	return ask(o.p, "EnsureRun", func() (run.Run, error) { return o.p.s.store.EnsureRun(bg, r) })
}

func (o port) Run(_ context.Context, id string) (run.Run, error) {
	return ask(o.p, "Run", func() (run.Run, error) { return o.p.s.store.Run(bg, id) })
}

func (o port) CompleteRun(_ context.Context, r run.Run, m run.Mark) error {
	return act(o.p, "CompleteRun", func() error {
		err := o.p.s.store.CompleteRun(bg, r, m)
		if err == nil {
			o.p.s.model.marks[r.ID] = m.Value
		}
		return err
	})
}

func (o port) LiveRuns(_ context.Context) ([]run.Run, error) {
	return ask(o.p, "LiveRuns", func() ([]run.Run, error) { return o.p.s.store.LiveRuns(bg) })
}

func (o port) RecentRuns(_ context.Context, sync string, limit int) ([]run.Run, error) {
	return ask(o.p, "RecentRuns", func() ([]run.Run, error) { return o.p.s.store.RecentRuns(bg, sync, limit) })
}

func (o port) RetriesOf(_ context.Context, id string) ([]run.Run, error) {
	return ask(o.p, "RetriesOf", func() ([]run.Run, error) { return o.p.s.store.RetriesOf(bg, id) })
}

func (o port) RunsBefore(_ context.Context, sync string, begun time.Time, id string, limit int) ([]run.Run, error) {
	return ask(o.p, "RunsBefore", func() ([]run.Run, error) { return o.p.s.store.RunsBefore(bg, sync, begun, id, limit) })
}

func (o port) Batches(_ context.Context, runID string) ([]run.Batch, error) {
	return ask(o.p, "Batches", func() ([]run.Batch, error) { return o.p.s.store.Batches(bg, runID) })
}

func (o port) Batch(_ context.Context, runID, batch string) (run.Batch, error) {
	return ask(o.p, "Batch", func() (run.Batch, error) { return o.p.s.store.Batch(bg, runID, batch) })
}

func (o port) MarkSent(_ context.Context, runID, batch string) error {
	return act(o.p, "MarkSent", func() error { return o.p.s.store.MarkSent(bg, runID, batch) })
}

func (o port) Chunks(_ context.Context, runID string, each func(batch string, index int, c run.Chunk) error) error {
	return act(o.p, "Chunks", func() error { return o.p.s.store.Chunks(bg, runID, each) })
}

func (o port) Chunk(_ context.Context, runID, batch string, index int) (run.Chunk, error) {
	return ask(o.p, "Chunk", func() (run.Chunk, error) { return o.p.s.store.Chunk(bg, runID, batch, index) })
}

func (o port) StartChunk(_ context.Context, runID, batch string, index int, st run.Start) error {
	return act(o.p, "StartChunk", func() error { return o.p.s.store.StartChunk(bg, runID, batch, index, st) })
}

func (o port) ReturnChunk(_ context.Context, runID, batch string, index, most int, tried, busyUntil time.Time) error {
	return act(o.p, "ReturnChunk", func() error { return o.p.s.store.ReturnChunk(bg, runID, batch, index, most, tried, busyUntil) })
}

func (o port) RecordChunk(_ context.Context, runID, batch string, index int, c run.Chunk) (bool, error) {
	return ask(o.p, "RecordChunk", func() (bool, error) { return o.p.s.store.RecordChunk(bg, runID, batch, index, c) })
}

func (o port) ChunksDone(_ context.Context, runID, batch string, chunks int) (map[int]bool, error) {
	return ask(o.p, "ChunksDone", func() (map[int]bool, error) { return o.p.s.store.ChunksDone(bg, runID, batch, chunks) })
}

func (o port) Mark(_ context.Context, sync, target, column string) (run.Mark, error) {
	return ask(o.p, "Mark", func() (run.Mark, error) { return o.p.s.store.Mark(bg, sync, target, column) })
}

func (o port) SetMark(_ context.Context, m run.Mark) error {
	return act(o.p, "SetMark", func() error { return o.p.s.store.SetMark(bg, m) })
}

func (o port) ResetMarks(_ context.Context, sync string) error {
	return act(o.p, "ResetMarks", func() error { return o.p.s.store.ResetMarks(bg, sync) })
}

func (o port) ErrorsByRef(_ context.Context, sync string, refs []string) (map[string]run.RowError, error) {
	return ask(o.p, "ErrorsByRef", func() (map[string]run.RowError, error) { return o.p.s.store.ErrorsByRef(bg, sync, refs) })
}

func (o port) EndDue(_ context.Context, sync string, refs []string, why string) error {
	return act(o.p, "EndDue", func() error { return o.p.s.store.EndDue(bg, sync, refs, why) })
}

func (o port) DueItems(_ context.Context, sync string, now time.Time, limit int) ([]run.Due, error) {
	return ask(o.p, "DueItems", func() ([]run.Due, error) { return o.p.s.store.DueItems(bg, sync, now, limit) })
}

func (o port) Removed(context.Context) ([]string, error) {
	return ask(o.p, "Removed", func() ([]string, error) { return o.p.s.store.Removed(bg) })
}

func (o port) StoreDue(_ context.Context, due []run.Due) error {
	return act(o.p, "StoreDue", func() error { return o.p.s.store.StoreDue(bg, due) })
}

func (o port) DeleteDue(_ context.Context, d run.Due) error {
	return act(o.p, "DeleteDue", func() error { return o.p.s.store.DeleteDue(bg, d) })
}

func (o port) Entries(_ context.Context, target string, keys []string) (map[string]ledger.Entry, error) {
	return ask(o.p, "Entries", func() (map[string]ledger.Entry, error) {
		got, err := o.p.s.store.Entries(bg, target, keys)
		for _, e := range got {
			if e.Held.Fingerprint.Void() && e.Held.Sequence > 0 && e.Last.Error == "" {
				at := cell{run: target, name: e.Key}
				o.p.s.model.void[at] = max(o.p.s.model.void[at], e.Held.Sequence)
			}
		}
		return got, err
	})
}

func (o port) KeysOf(_ context.Context, target string, records []string) (map[string][]string, error) {
	return ask(o.p, "KeysOf", func() (map[string][]string, error) { return o.p.s.store.KeysOf(bg, target, records) })
}

func (o port) EntriesAfter(_ context.Context, target, after string, limit int) (all []ledger.Entry, next string, err error) {
	all, err = ask(o.p, "EntriesAfter", func() (got []ledger.Entry, err error) {
		got, next, err = o.p.s.store.EntriesAfter(bg, target, after, min(limit, 3))
		return got, err
	})
	return all, next, err
}

func (o port) CountGate(_ context.Context, runID, batch string, c run.GateCounts) (run.GateCounts, error) {
	return ask(o.p, "CountGate", func() (run.GateCounts, error) { return o.p.s.store.CountGate(bg, runID, batch, c) })
}

func (o port) StoreSeen(_ context.Context, runID, batch string, part int, hashes []byte) error {
	return act(o.p, "StoreSeen", func() error { return o.p.s.store.StoreSeen(bg, runID, batch, part, hashes) })
}

func (o port) Seen(_ context.Context, runID string, each func(string, int, []byte) error) error {
	return act(o.p, "Seen", func() error { return o.p.s.store.Seen(bg, runID, each) })
}

func (o port) StoreUnchanged(_ context.Context, runID, batch string, index int, hashes []byte) error {
	return act(o.p, "StoreUnchanged", func() error { return o.p.s.store.StoreUnchanged(bg, runID, batch, index, hashes) })
}

func (o port) Unchanged(_ context.Context, runID string, each func(string, int, []byte) error) error {
	return act(o.p, "Unchanged", func() error { return o.p.s.store.Unchanged(bg, runID, each) })
}

func (o port) StoreLeft(_ context.Context, runID string, page int, keys []string) error {
	o.p.s.model.left[runID] = append(o.p.s.model.left[runID], keys...)
	return act(o.p, "StoreLeft", func() error { return o.p.s.store.StoreLeft(bg, runID, page, keys) })
}

func (o port) Left(_ context.Context, runID string, page int) ([]string, error) {
	return ask(o.p, "Left", func() ([]string, error) { return o.p.s.store.Left(bg, runID, page) })
}

func (o port) Halt(_ context.Context, sync, version string) (run.Halt, error) {
	return ask(o.p, "Halt", func() (run.Halt, error) { return o.p.s.store.Halt(bg, sync, version) })
}

func (o port) SetHalt(_ context.Context, h run.Halt) error {
	return act(o.p, "SetHalt", func() error { return o.p.s.store.SetHalt(bg, h) })
}

func (o port) DeleteHalt(_ context.Context, sync, version string) error {
	return act(o.p, "DeleteHalt", func() error { return o.p.s.store.DeleteHalt(bg, sync, version) })
}

func (o port) Depth(_ context.Context, queue string) (int, error) {
	return ask(o.p, "Depth", func() (int, error) { return o.p.s.store.Depth(bg, queue) })
}

func (o port) Hide(_ context.Context, queue, receipt string, d time.Duration) error {
	return act(o.p, "Hide", func() error { return o.p.s.store.Hide(bg, queue, receipt, d) })
}
