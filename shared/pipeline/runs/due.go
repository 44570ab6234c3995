package runs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// The bounds of what is handed in.
const (
	dueRows  = 10_000 // a sync and minute
	dueItems = 1_000  // read at once
	haltWait = 10 * time.Minute
)

// due hands in what is due of one sync, oldest first. What it leaves stays due, and
// no attempt is counted.
func (s *Sweep) due(ctx context.Context, name string) error {
	items, err := s.Due.DueItems(ctx, name, s.Now(), dueItems)
	if err != nil {
		return fmt.Errorf("list it: %w", err)
	}
	if len(items) == 0 {
		return nil
	}
	v, err := s.Syncs.Current(ctx, name)
	if errors.Is(err, run.ErrNotFound) {
		return s.endAll(ctx, items)
	}
	if err != nil {
		return fmt.Errorf("read the sync: %w", err)
	}
	if _, paused, err := s.pause(ctx, name); err != nil || paused {
		return err
	}
	most, err := s.free(ctx, v)
	if err != nil || most == 0 {
		return err
	}
	items = items[:min(most, len(items))]
	h, halted, err := s.halt(ctx, name, v.ID)
	if err != nil {
		return err
	}
	if halted {
		if !s.mayTry(h) {
			return nil
		}
		items = items[:1]
	}
	in := s.back[name]
	if now := s.Now().Truncate(time.Minute); !in.minute.Equal(now) {
		in = handedIn{minute: now}
	}
	for _, d := range items {
		if in.rows > 0 && in.rows+len(d.Rows) > dueRows {
			return nil
		}
		stop, err := s.ended(ctx, d.Run, "run")
		if err != nil {
			return err
		}
		sent, err := s.handIn(ctx, d, stop)
		if err != nil {
			return err
		}
		if s.back == nil {
			s.back = map[string]handedIn{}
		}
		in.rows += sent
		s.back[name] = in
	}
	return nil
}

// handedIn is how many rows of a sync were handed in within a minute of the clock. A machine
// sweeps each second, a function once a minute.
type handedIn struct {
	minute time.Time
	rows   int
}

// endAll ends what is due of a sync that was removed: nobody says any more how its rows
// would be sent. Their errors stay open, for a retry once it is applied again.
func (s *Sweep) endAll(ctx context.Context, items []run.Due) error {
	for _, d := range items {
		stop, err := s.ended(ctx, d.Run, "run")
		if err != nil {
			return err
		}
		if stop == "" {
			stop = "not sent again, because its sync was removed: apply it again, then run penstock retry " + d.Run
		}
		if _, err := s.handIn(ctx, d, stop); err != nil {
			return err
		}
	}
	return nil
}

// free is how many due items the connection and its queue take. One that fails takes
// one, once its pause is over: where nothing else is queued, nobody would probe it.
func (s *Sweep) free(ctx context.Context, v syncdef.Version) (most int, err error) {
	p, err := s.Connections.Pace(ctx, v.Definition.Connection)
	if err != nil {
		return 0, fmt.Errorf("read the state of connection %q: %w", v.Definition.Connection, err)
	}
	depth, err := s.Depths.Depth(ctx, v.Rules.Type)
	if err != nil {
		return 0, fmt.Errorf("read the depth of queue %q: %w", v.Rules.Type, err)
	}
	_, _, wait := p.May(s.Now())
	switch {
	case depth > run.MaxDepth/2 || wait > 0:
		return 0, nil
	case !p.Failing():
		return dueItems, nil
	}
	return 1, nil
}

// mayTry reports whether a halted version's turn has come: one item in 10 minutes.
func (s *Sweep) mayTry(h run.Halt) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, name := s.Now(), h.Sync+"/"+h.Version
	if now.Before(h.Next) || now.Sub(s.tried[name]) < haltWait {
		return false
	}
	if s.tried == nil {
		s.tried = map[string]time.Time{}
	}
	s.tried[name] = now
	return true
}

// handIn hands one due item in, ends what is not to be sent, and deletes the item:
// last, so that a sweeper that dies before is repeated. stop says why nothing of it is
// sent any more; "" sends it. It answers how many rows it sent.
func (s *Sweep) handIn(ctx context.Context, d run.Due, stop string) (sent int, err error) {
	ends := map[string][]string{} // refs by why they end being due
	b, due, err := s.replay(ctx, d)
	if err != nil {
		return 0, err
	}
	ended, err := s.ended(ctx, b.Run, "retry")
	if err != nil {
		return 0, err
	}
	send := stop == "" && ended == "" && len(due) > 0
	if !send && stop == "" {
		if send, err = s.halfHandedIn(ctx, b); err != nil {
			return 0, err
		}
	}
	var answers []row.Answer
	if send {
		if answers, err = s.Replayer.Replay(ctx, b); err != nil {
			return 0, fmt.Errorf("hand in item %q of run %q: %w", b.ID, d.Run, err)
		}
	}
	for _, n := range due {
		why := cmp.Or(stop, ended)
		if why == "" {
			why = over(answers[n])
		}
		if why != "" {
			ends[why] = append(ends[why], b.Rows[n].Ref)
		}
	}
	for _, why := range slices.Sorted(maps.Keys(ends)) {
		if err := s.Errors.EndDue(ctx, d.Sync, ends[why], why); err != nil {
			return 0, fmt.Errorf("note in errors of run %q that they are not due: %w", d.Run, err)
		}
	}
	if err := s.Due.DeleteDue(ctx, d); err != nil {
		return 0, fmt.Errorf("delete item %q of run %q: %w", b.ID, d.Run, err)
	}
	if send {
		sent = len(b.Rows)
	}
	return sent, nil
}

// halfHandedIn reports whether a batch was pinned and not sent before its rows were settled
// some other way, by a retry say, or before its run was ended. Its messages are sent all the
// same, or recorded as cancelled, so that its run counts all of it; the worker drops rows that
// are no longer due.
func (s *Sweep) halfHandedIn(ctx context.Context, b run.Replay) (bool, error) {
	if slices.ContainsFunc(b.Rows, func(r run.ReplayRow) bool { return r.Object == nil }) {
		return false, nil // a row is gone, and no message can be made of the others
	}
	all, err := s.pinned(ctx, b.Run)
	stored, pinned := all[b.ID]
	return pinned && !stored.Sent, err
}

// pinned are the batches of a run, by id.
func (s *Stores) pinned(ctx context.Context, id string) (map[string]run.Batch, error) {
	batches, err := s.Recorded.Batches(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read the batches of run %q: %w", id, err)
	}
	all := make(map[string]run.Batch, len(batches))
	for _, b := range batches {
		all[b.ID] = b
	}
	return all, nil
}

// over says why a row that was handed in is not sent; "" when it is.
func over(a row.Answer) string {
	switch {
	case a.Status == row.Queued:
		return ""
	case a.Fault != nil && a.Status == row.Rejected:
		return "not sent again, because today's mapping refuses it: " + a.Fault.Message
	case a.Fault != nil:
		return "not sent again: " + a.Fault.Message
	}
	return "not sent again: a newer row of the same key took its place"
}

// stillDue counts, by run, the rows of due items. An item stays until its time though its rows
// were settled before, by a retry or a later run.
func (s *Stores) stillDue(ctx context.Context, sync string, items []run.Due) (map[string]int64, error) {
	out, rows, attempts := map[string]int64{}, 0, map[string]int{}
	for _, d := range items {
		rows += len(d.Rows)
	}
	for _, d := range items {
		for _, number := range d.Rows {
			if ref := run.ErrorRef(d.Run, d.Batch, number); rows > openDue {
				out[d.Run]++
			} else {
				attempts[ref] = d.Attempts
			}
		}
	}
	if len(attempts) == 0 {
		return out, nil
	}
	found, err := s.Errors.ErrorsByRef(ctx, sync, slices.Collect(maps.Keys(attempts)))
	if err != nil {
		return nil, fmt.Errorf("read what is due of sync %q: %w", sync, err)
	}
	var errs []*run.RowError
	for ref, e := range found {
		if e.Attempts == attempts[ref] {
			errs = append(errs, &e)
		}
	}
	open, err := s.open(ctx, errs)
	for ref := range open {
		id, _, _, _ := run.ParseRef(ref)
		out[id]++
	}
	return out, err
}

// ended says why nothing of a due item's run, or of its retry's, is sent any more.
func (s *Sweep) ended(ctx context.Context, id, what string) (string, error) {
	r, err := s.Runs.Run(ctx, id)
	if errors.Is(err, run.ErrNotFound) {
		return "", nil // a run that has expired, though its rows have not; a retry that has not begun
	}
	if err != nil {
		return "", fmt.Errorf("read run %q: %w", id, err)
	}
	if r.Status.Dead() {
		return "not sent again, because its " + what + " was ended: " + r.Reason, nil
	}
	return "", nil
}

// replay reads the rows of a due item, and tells which of them are due as it says.
// The others go along: a batch that was pinned before needs them, and the worker
// drops a row whose error says another number of attempts.
func (s *Sweep) replay(ctx context.Context, d run.Due) (b run.Replay, due []int, err error) {
	b = run.Replay{Sync: d.Sync, Original: d.Run, Run: run.RetryID(d.Run, d.Attempts), ID: d.ID()}
	refs := make([]string, len(d.Rows))
	for n, number := range d.Rows {
		refs[n] = run.ErrorRef(d.Run, d.Batch, number)
	}
	errs, err := s.Errors.ErrorsByRef(ctx, d.Sync, refs)
	if err != nil {
		return b, nil, fmt.Errorf("read the errors of run %q: %w", d.Run, err)
	}
	b.Rows = make([]run.ReplayRow, len(refs))
	for n, ref := range refs {
		e := errs[ref]
		b.Rows[n] = run.ReplayRow{Ref: ref, Sequence: e.Sequence, Attempts: d.Attempts, Halted: e.Halted, Target: e.Target, Delete: e.Delete}
		if len(e.Source) == 0 {
			continue
		}
		b.Rows[n].Object = e.Source
		if e.Attempts == d.Attempts && !e.Due.IsZero() {
			due = append(due, n)
		}
	}
	return b, due, nil
}
