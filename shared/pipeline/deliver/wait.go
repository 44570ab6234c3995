package deliver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/run"
)

// patience is how long to leave a message that waits for its run: a quarter of its
// age, so that a long wait takes few receives.
func (d *Deliver) patience(m *message) time.Duration {
	return min(max(d.Now().Sub(m.SentAt)/4, time.Second), 15*time.Minute)
}

// broken stops the job: our own storage refused, and what is not settled goes back.
func (j *job) broken(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.fault == nil {
		j.fault = err
	}
}

// pause stops the job for a failure of its connection, stored for all workers to see.
func (j *job) pause(ctx context.Context, failed *dest.CallError) {
	j.mu.Lock()
	if j.wait > 0 && failed.After <= j.wait { // another call of the job was faster
		j.mu.Unlock()
		return
	}
	j.wait, j.cause = max(j.wait, time.Second), failed
	j.mu.Unlock()
	wait, err := j.account.pause(ctx, failed)
	if err != nil {
		j.broken(err)
		return
	}
	j.mu.Lock()
	j.wait = max(j.wait, wait)
	j.mu.Unlock()
}

// waitFor notes that a bucket grants nothing for so long.
func (j *job) waitFor(bucket string, wait time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.waits[bucket] = max(j.waits[bucket], wait)
}

// bucketWait is how long a call's buckets grant nothing, as far as is known.
func (j *job) bucketWait(c dest.Call) (wait time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, cost := range c.Costs {
		wait = max(wait, j.waits[cost.Bucket])
	}
	return wait
}

// hold sends the rows back with their messages for so long.
func (j *job) hold(items []*item, wait time.Duration) {
	j.postpone(items, func(*message) time.Duration { return wait })
}

// Rows that our own share of the quota does not grant yet ask again after a sixteenth of the
// time that they have waited, but a minute at the least and half an hour at the most, jitter
// included: 840 receives in the 13 days that a message may wait, of the 1,000 that it has.
const (
	askLeast = 48 * time.Second
	askMost  = 24 * time.Minute
)

// spare is hold for calls that our own share of the quota does not grant yet. A share that
// is raised meanwhile holds for these rows too, so that they ask again before a call would
// come back under the old one; only the first of a lane asks.
func (j *job) spare(items []*item, wait time.Duration) {
	j.postpone(items, func(m *message) time.Duration {
		return min(wait, max(j.d.Now().Sub(m.SentAt)/16, askLeast), askMost)
	})
}

// byNow is how long to wait for a bucket that granted nothing under these settings: only a
// moment where they are other ones by now.
func (j *job) byNow(ctx context.Context, settings string, wait time.Duration) time.Duration {
	if wait < askLeast {
		return wait
	}
	j.account.doubt()
	if err := j.account.refresh(ctx); err != nil {
		j.broken(err)
	}
	if j.account.settings() != settings {
		return time.Second
	}
	return wait
}

func (j *job) postpone(items []*item, wait func(*message) time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, i := range items {
		if i.state == stateOpen {
			i.state = stateWaiting
			i.m.postpone(j.d.jitter(wait(i.m)))
		}
	}
}

// ranOut deals with a call that the end of the invocation cut off: the next one
// begins with half its size, or less where such a call is always waited for; a row that was
// alone in it has had its try.
func (j *job) ranOut(c dest.Call, b *batch, m made) {
	failed, items := m.failed, b.pick(c)
	written := failed.Received && !b.look
	for _, i := range items {
		i.received = i.received || written
	}
	switch {
	case j.rules().Once && written:
		j.inDoubt(items, failed)
	case len(items) == 1:
		i := items[0]
		i.tries = tries
		j.take(i, &dest.Outcome{Status: dest.Retry, Code: failed.Code, Message: failed.Error(), After: maxWait + time.Millisecond}, b.look)
	default:
		size := len(items) / 2 // the end cuts off most calls after some time: only one that took the whole timeout is like one that hangs
		if written && !j.repeatable(c, b) && !bucketed(c) && j.d.Timeout > 0 && m.took >= j.d.Timeout {
			size = root(len(items))
		}
		j.lower(items, size)
		j.hold(items, time.Millisecond)
	}
}

// unreached deals with a push of which nothing was sent before the end of the invocation: its
// rows stay open, for it says nothing of them or of its size. Where that took long, the
// connection pauses: no invocation might have the time that connecting takes.
func (j *job) unreached(ctx context.Context, s sent) {
	if j.d.Timeout > 0 && s.took >= 2*j.d.Timeout {
		j.pause(ctx, &dest.CallError{Op: "call the destination", Class: dest.Unavailable, Scope: dest.ScopeConnection, Code: "network",
			Message: "nothing was sent before the time for it was over: it cannot be reached, or takes too long to log in"})
	}
}

// A version that fails is tried three times over ten minutes; then its runs fail,
// and its messages end at once, but for one in ten minutes and each run's first.
const (
	haltTries = 3
	haltEvery = 5 * time.Minute
	haltLater = 10 * time.Minute
	haltRuns  = 20
	haltLook  = time.Minute // how long messages are hidden at most: an apply ends the halt before its next try
)

// mayTry reads whether the job's version is halted, and claims the one try that is
// made at a time. Without it the job's rows wait, or end. A message that comes back from
// a try without an answer goes on with it.
func (j *job) mayTry(ctx context.Context) bool {
	v := j.version.Version
	h, err := j.d.Halts.Halt(ctx, v.Definition.Sync, v.ID)
	if errors.Is(err, run.ErrNotFound) {
		return true
	}
	if err != nil {
		j.broken(fmt.Errorf("read the halt of version %s: %w", v.ID, err))
		return false
	}
	now := j.d.Now()
	over := h.Tries >= haltTries && now.Sub(h.Since) >= haltLater
	seen := slices.Contains(h.Runs, j.run.ID)
	next := over && !seen || !now.Before(h.Next)
	mine := slices.ContainsFunc(j.messages, func(m *message) bool { return m.name() == h.By })
	if !next && !mine {
		j.hinder(ctx, h, over)
		return false
	}
	h.By = j.messages[0].name()
	if next {
		h.Next = now.Add(haltEvery)
		if over {
			h.Next = now.Add(haltLater)
		}
	}
	if !seen {
		h.Runs = append(h.Runs, j.run.ID)
	}
	if len(h.Runs) > haltRuns {
		h.Runs = h.Runs[len(h.Runs)-haltRuns:]
	}
	if err := j.d.Halts.SetHalt(ctx, h); errors.Is(err, run.ErrConflict) {
		j.hinder(ctx, h, over)
		return false
	} else if err != nil {
		j.broken(fmt.Errorf("claim the try of version %s: %w", v.ID, err))
		return false
	}
	h.Revision++
	j.halt = &h
	return true
}

// hinder keeps the rows of a halted version back until its next try, or ends them
// when it had its tries.
func (j *job) hinder(ctx context.Context, h run.Halt, over bool) {
	if over {
		j.endHalted(ctx, h)
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.halted = true
	j.wait = min(max(h.Next.Sub(j.d.Now()), time.Second), haltLook)
}

// haltFor stops the job for a failure of its version.
func (j *job) haltFor(ctx context.Context, failed *dest.CallError) {
	j.mu.Lock()
	if j.halted { // another call of the job was faster
		j.mu.Unlock()
		return
	}
	j.halted = true
	j.mu.Unlock()
	v := j.version.Version
	for range 3 {
		h, err := j.d.Halts.Halt(ctx, v.Definition.Sync, v.ID)
		if err != nil && !errors.Is(err, run.ErrNotFound) {
			j.broken(fmt.Errorf("read the halt of version %s: %w", v.ID, err))
			return
		}
		now := j.d.Now()
		if err != nil {
			h = run.Halt{Sync: v.Definition.Sync, Version: v.ID, Since: now}
			if j.halt != nil { // ended by this job's first answer, which was not the last word
				h.Tries, h.Since, h.Runs = j.halt.Tries, j.halt.Since, j.halt.Runs
			}
		}
		h.Tries, h.By = h.Tries+1, ""
		h.Code, h.Reason = failed.Code, failed.Error()
		if !slices.Contains(h.Runs, j.run.ID) {
			h.Runs = append(h.Runs, j.run.ID)
		}
		over := h.Tries >= haltTries && now.Sub(h.Since) >= haltLater
		if h.Next = now.Add(haltEvery); over {
			h.Next = now.Add(haltLater)
		}
		err = j.d.Halts.SetHalt(ctx, h)
		if errors.Is(err, run.ErrConflict) {
			continue
		}
		if err != nil {
			j.broken(fmt.Errorf("halt version %s: %w", v.ID, err))
			return
		}
		j.hinder(ctx, h, over)
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.wait = time.Second // others are at it
}

// prove ends the version's halt at the first answer, before the ledger is told of it: others
// are not hindered any more. Where that is refused, the job goes no further, and its first
// message comes back for it.
func (j *job) prove(ctx context.Context) {
	j.mu.Lock()
	first := j.halt != nil && !j.halted && !j.proven
	j.proven = true
	j.mu.Unlock()
	if !first {
		return
	}
	if err := j.d.endHalt(ctx, j.halt.Sync, j.halt.Version); err != nil {
		j.broken(err)
	}
}

func (d *Deliver) endHalt(ctx context.Context, sync, version string) error {
	if err := d.Halts.DeleteHalt(ctx, sync, version); err != nil {
		return fmt.Errorf("end the halt of version %s: %w", version, err)
	}
	return nil
}

// proofs ends the halts whose one try settled all rows of its message, and was not told so:
// it comes back with nothing to try.
func (w *work) proofs(ctx context.Context) {
	for _, m := range w.messages {
		if m.Receives < 2 || w.inv.d.Dead || m.suspect || m.job != nil || !m.working() || !slices.ContainsFunc(m.items, (*item).answered) {
			continue
		}
		v := m.version.Version
		h, err := w.inv.d.Halts.Halt(ctx, v.Definition.Sync, v.ID)
		if err == nil && h.By == m.name() {
			err = w.inv.d.endHalt(ctx, h.Sync, h.Version)
		}
		if err != nil && !errors.Is(err, run.ErrNotFound) {
			m.broken(w.inv.d, err)
		}
	}
}

// answered reports whether an earlier attempt settled the row.
func (i *item) answered() bool { return i.state == stateCounted || i.state == stateStored }

// endHalted ends the job's open rows: a bracketed run fails, one summary a message
// counts its rows, and the next run selects them, but for those whose key has an open
// error: the mark may be past it, so they are stored in its place. A plain push's rows
// are stored, due again.
func (j *job) endHalted(ctx context.Context, h run.Halt) {
	j.mu.Lock()
	j.halted, j.wait = true, 0
	if j.stop == "" && j.fault == nil {
		j.ending = true
	}
	j.mu.Unlock()
	bracketed := j.run.Selects() && !run.IsRetry(j.run.ID)
	if bracketed {
		if err := j.d.endRun(ctx, j.run.ID, run.Failed, h.Reason); err != nil {
			j.broken(err)
			return
		}
	}
	for _, i := range j.open {
		if i.state != stateOpen {
			continue
		}
		i.fail("deliver", h.Code, h.Field, h.Reason)
		i.summed = bracketed && i.entry.Last.Error == ""
		if !bracketed {
			i.due, i.version, i.outcome.After = true, true, haltLater
		}
	}
}
