package deliver

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

// settle records the messages whose rows are all settled.
func (inv *invocation) settle(ctx context.Context) {
	for _, m := range inv.messages {
		if !m.suspect {
			inv.settleOne(ctx, m)
		}
	}
}

func (inv *invocation) settleOne(ctx context.Context, m *message) {
	now := inv.d.Now()
	for _, i := range m.items {
		if w := i.waitsFor(now); w != nil {
			i.state = stateWaiting
			m.postpone(w.m.hide)
			m.postponeUntil(w.m.busyUntil) // before then it would only come back in vain
		}
		if !i.state.settled() {
			m.back = true
		}
	}
	if !m.working() {
		return
	}
	if m.busy(now) { // it stays in front of its lane; with open rows it went back for them
		m.postponeUntil(m.busyUntil)
		return
	}
	if err := inv.record(ctx, m); err != nil {
		m.broken(inv.d, err)
	}
}

// waitsFor is a superseded row's winner while it is not settled, or its message is busy: the two are recorded
// together, so that the winner's hold is never without the loser's, and come back
// together, for the one in front of a lane says when all of it returns.
func (i *item) waitsFor(now time.Time) *item {
	w := i
	for w.state == stateSuperseded && w.winner != nil {
		w = w.winner
	}
	if w == i || w.state.settled() && !w.m.busy(now) {
		return nil
	}
	return w
}

// record counts a settled message once (I2): due rows first, so that a crash
// between the two stores them again under the same id.
func (inv *invocation) record(ctx context.Context, m *message) error {
	if err := inv.summary(ctx, m); err != nil {
		return err
	}
	if due := m.due(); len(due) > 0 {
		if err := inv.d.Errors.StoreDue(ctx, due); err != nil {
			return fmt.Errorf("store when the rows of %s are due: %w", m.name(), err)
		}
	}
	c := run.Chunk{Hold: m.hold(), Doubt: m.doubt(), Cursors: m.cursors(), Groups: m.groups()}
	if m.account != nil {
		c.Counts.Calls = m.account.booked(m.chunk.Run)
	}
	fates := make([]run.Fate, len(m.chunk.Rows))
	for _, i := range m.items {
		fates[i.at] = i.fate()
		if i.sought {
			c.Counts.LookedUp++
		}
		switch i.state {
		case stateDelivered, stateCounted:
			c.Counts.Delivered++
		case stateUnchanged:
			c.Counts.Unchanged++
		case stateSuperseded:
			c.Counts.Superseded++
		case stateFailed, stateStored, stateUnknown:
			c.Counts.Failed++
			if i.spent {
				c.Counts.Exhausted++
			}
		case stateCancelled:
			c.Counts.Cancelled++
		}
	}
	c.Outcomes = run.PackFates(fates)
	if err := inv.keepUnchanged(ctx, m); err != nil {
		return err
	}
	return m.recorded(ctx, inv.d, c)
}

// summary stores one error that counts a message's rows which failed with their
// version.
func (inv *invocation) summary(ctx context.Context, m *message) error {
	var rows []int
	var first *item
	for _, i := range m.items {
		if i.summed && i.state == stateFailed {
			if first == nil {
				first = i
			}
			rows = append(rows, i.row.Number)
		}
	}
	if first == nil {
		return nil
	}
	e := first.rowError(inv.d.Now(), m.target)
	e.Batch, e.Row = fmt.Sprintf("%s.%d", m.chunk.Batch, m.chunk.Index), -1
	e.RecordID, e.Key, e.Source, e.Summary = "", "", nil, rows
	e.Message = fmt.Sprintf("%d rows were not sent: %s; mend the definition or the destination, and run the sync again: it selects them", len(rows), e.Message)
	return inv.storeErrors(ctx, []run.RowError{e})
}

// due are the due items of a message: one for each original batch of its rows.
func (m *message) due() []run.Due {
	var all []run.Due
	for _, i := range m.items {
		if i.state != stateFailed && i.state != stateStored || !i.due || i.dueAt == nil {
			continue
		}
		e := run.Due{Sync: run.SyncOf(m.chunk.Run), Run: m.chunk.Run, Batch: m.chunk.Batch, By: m.name(), Attempts: i.attempts() + 1, Version: m.chunk.Version, At: *i.dueAt}
		number := i.row.Number
		if i.row.Replay != nil {
			e.Run, e.Batch, number, _ = run.ParseRef(i.row.Replay.Ref)
		}
		n := slices.IndexFunc(all, func(d run.Due) bool { return d.Run == e.Run && d.Batch == e.Batch && d.Attempts == e.Attempts })
		if n < 0 {
			n = len(all)
			all = append(all, e)
		}
		all[n].Rows = append(all[n].Rows, number)
		if i.dueAt.After(all[n].At) {
			all[n].At = *i.dueAt
		}
	}
	return all
}

// groups counts the message's failures by stage, type and field.
func (m *message) groups() []run.Group {
	all := m.earlier
	for _, i := range m.items {
		if i.outcome != nil && (i.state == stateFailed || i.state == stateUnknown) {
			all = append(all, run.Group{Stage: i.stage, Type: i.outcome.Code, Field: i.outcome.Field, Rows: 1})
		}
	}
	if len(all) == 0 {
		return nil
	}
	return run.AddGroups(nil, all)
}

// close hides the messages that go back, and lists them. Behind the first of a
// lane that goes back the rest follows.
func (inv *invocation) close(ctx context.Context) Result {
	r := Result{Stored: int(inv.stored.Load())}
	held, now := map[string]time.Duration{}, inv.d.Now()
	for _, m := range inv.messages {
		if m.counts != nil {
			done := Done{Run: m.chunk.Run, Counts: *m.counts}
			if m.version != nil {
				done.Connection = m.version.Version.Definition.Connection
			}
			r.Done = append(r.Done, done)
			r.Failed += int(m.counts.Failed)
		}
		if m.fault != nil {
			r.Storage = append(r.Storage, m.fault)
		}
		hide, behind := held[m.Group]
		if !m.back && !behind {
			continue
		}
		if !behind {
			hide = min(max(m.hide, m.unseen.Sub(now), sparing(m.Receives)), maxHide)
			held[m.Group] = hide
		}
		if err := inv.handBack(ctx, m); err != nil {
			r.Storage = append(r.Storage, err)
			// Its mark stays, so that after the full visibility that is a death; how long it is busy does not.
			hide = max(min(hide, inv.d.Hidden/2), m.busyUntil.Sub(now))
		}
		// A message that cannot be hidden comes back with its visibility timeout.
		if err := inv.d.Visibility.Hide(ctx, inv.d.Queue, m.Receipt, hide); err != nil {
			r.Storage = append(r.Storage, fmt.Errorf("hide a message: %w", err))
		}
		r.Stay = append(r.Stay, m.ID)
	}
	return r
}

// handBack notes that a message returns on purpose: that is no death. Nothing is
// written where nothing is to be noted.
func (inv *invocation) handBack(ctx context.Context, m *message) error {
	if m.done || m.chunk.Batch == "" || m.start.Receives == 0 && m.most == m.record.Most && m.tried.IsZero() && m.busyUntil.Equal(m.record.BusyUntil) {
		return nil
	}
	tried := m.record.Tried
	if !m.tried.IsZero() {
		tried = m.tried
	}
	if err := inv.d.Chunks.ReturnChunk(ctx, m.chunk.Run, m.chunk.Batch, m.chunk.Index, m.most, tried, m.busyUntil); err != nil {
		return fmt.Errorf("note that %s returns: %w", m.name(), err)
	}
	return nil
}

// sparing is how long to leave a message at least that was received that often, be
// its wait ever so short: the queue hands it out 1,000 times, and 100 receives of
// any length, 450 that grow by 2 s each and 450 of 15 minutes are over 7 days.
func sparing(receives int) time.Duration {
	return min(time.Duration(max(receives-manyTimes, 0))*2*time.Second, 15*time.Minute)
}
