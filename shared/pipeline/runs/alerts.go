package runs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/alert"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/frequency"
)

// Alerts stores what people were told of a sync.
type Alerts interface {
	// Alerts reads a sync's book; an empty one when nothing is stored.
	Alerts(ctx context.Context, sync string) (alert.Book, error)
	// SetAlerts stores a book over the one with its Revision; run.ErrConflict.
	SetAlerts(ctx context.Context, b alert.Book) error
}

// Quotas reads what is left of the vendors' quotas.
type Quotas interface {
	// Bucket reads a bucket as Lease stored it last, and takes nothing; the zero value,
	// which is full, where none is stored.
	Bucket(ctx context.Context, bucket string) (pace.Bucket, error)
}

// A Teller sends a notice to a recipient. An error is tried again later.
type Teller interface {
	Tell(ctx context.Context, to alert.Recipient, n alert.Notice) error
}

// judge judges a sync, and sends what people are to be told. The book is stored
// before anything is sent: a sweeper that dies in between sends a minute later what
// it took up, and one that finds another book leaves the sending to the other.
func (s *Sweep) judge(ctx context.Context, name string) error {
	v, err := s.Syncs.Current(ctx, name)
	if errors.Is(err, run.ErrNotFound) {
		return nil // removed since
	}
	if err != nil {
		return fmt.Errorf("read the sync: %w", err)
	}
	tells := len(v.Definition.Notifications) > 0
	if tells {
		delete(s.untold, name)
	} else if s.untold[name] {
		return nil
	}
	book, err := s.Alerts.Alerts(ctx, name)
	if err != nil {
		return fmt.Errorf("read its book: %w", err)
	}
	changed := len(book.Open)+len(book.Outbox) > 0
	var due []alert.Letter
	if tells {
		due, changed, err = s.post(ctx, v, &book)
	} else {
		book.Open, book.Outbox, s.untold[name] = nil, nil, !changed // nobody would be told that it is over
	}
	if err != nil || !changed {
		return err
	}
	if err := s.Alerts.SetAlerts(ctx, book); err != nil {
		return conflict(err)
	}
	book.Revision++
	if sh, ok := s.shown[name]; ok { // its overview shows what is open
		sh.busy = true
		s.shown[name] = sh
	}
	return s.tell(ctx, book, due)
}

// post judges a sync into its book, and takes up the letters that are due.
func (s *Sweep) post(ctx context.Context, v syncdef.Version, book *alert.Book) (due []alert.Letter, changed bool, err error) {
	seen, err := s.seen(ctx, v)
	if err != nil {
		return nil, false, err
	}
	now := s.Now()
	notices, open := alert.Judge(seen, book.Open, now, alert.DefaultPolicy)
	for i := range notices {
		notices[i] = notices[i].OfStack(s.Stack)
	}
	book.Post(notices, subscriptions(&v.Definition), open)
	waiting := len(book.Outbox)
	due = book.Due(now)
	return due, len(notices)+len(due) > 0 || len(book.Outbox) < waiting, nil
}

// tell sends letters, each within its part of the time that is left, so that one that nobody
// answers takes no other's. What became of each is stored before the next one is sent.
func (s *Sweep) tell(ctx context.Context, book alert.Book, due []alert.Letter) error {
	for n, l := range due {
		limit := slice
		if deadline, ok := ctx.Deadline(); ok {
			left := time.Until(deadline) //nolint:forbidigo // a deadline is by the process's own clock
			if n > 0 && left < leastTell {
				_, err := s.note(ctx, book, func(b *alert.Book) { b.PutBack(due[n:], s.Now()) })
				return err // the rest is the next sweep's
			}
			limit = max(left/time.Duration(len(due)-n), leastTell)
		}
		own, cancel := context.WithTimeout(ctx, limit)
		failure := ""
		if err := s.Teller.Tell(own, l.To, l.Notice); err != nil {
			failure = err.Error()
		}
		cancel()
		var err error
		if book, err = s.note(ctx, book, func(b *alert.Book) { b.Settle(l, s.Now(), failure) }); err != nil {
			return err
		}
	}
	return nil
}

// leastTell is how much time a letter gets at least: a part of a short step is less than a
// receiver takes to answer.
const leastTell = time.Second

// noteTime is how long it may take to store what became of a letter.
const noteTime = 2 * time.Second

// note stores what became of letters, also when the time of the sweep is over: they would be
// sent again.
func (s *Sweep) note(ctx context.Context, book alert.Book, change func(*alert.Book)) (alert.Book, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
	defer cancel()
	for range attempts {
		change(&book)
		err := s.Alerts.SetAlerts(ctx, book)
		if err == nil {
			book.Revision++
		}
		if !errors.Is(err, run.ErrConflict) {
			return book, err
		}
		if book, err = s.Alerts.Alerts(ctx, book.Sync); err != nil {
			return book, fmt.Errorf("read its book: %w", err)
		}
	}
	return book, nil // others are at it; what was sent may be sent once more
}

// subscriptions are who is told of what.
func subscriptions(d *syncdef.Definition) []alert.Subscription {
	out := make([]alert.Subscription, len(d.Notifications))
	for i, n := range d.Notifications {
		out[i] = alert.Subscription{
			To:         alert.Recipient{Type: n.Type, Addresses: n.Recipients, Connection: n.Connection, Channel: n.Channel, Secret: n.Secret},
			Conditions: n.Conditions,
		}
	}
	return out
}

// seenRuns is how many of a sync's runs are looked at: hourly ones of four days,
// with a retry each.
const seenRuns = 200

// seen is what a sync looks like now.
func (s *Sweep) seen(ctx context.Context, v syncdef.Version) (alert.Seen, error) {
	name, now := v.Definition.Sync, s.Now()
	out := alert.Seen{Sync: name, Connection: v.Definition.Connection, Applied: v.AppliedAt, OverdueAfter: overdueAfter(&v.Definition, now)}
	all, err := s.History.RecentRuns(ctx, name, seenRuns)
	if err != nil {
		return out, fmt.Errorf("list its runs: %w", err)
	}
	rest, err := s.rest(ctx, name, all, now, s.tallied)
	if err != nil {
		return out, err
	}
	listed := len(all)
	due, resent := rest.due, rest.retried // by the run whose rows are sent again
	all = unpaused(all)
	for _, r := range all { // newest first
		recent := r.Status.Ended() && now.Sub(r.EndedAt) < time.Hour
		if succeeded(r, resent[r.ID]) && r.EndedAt.After(out.Success) { // also one that goes on sending rows again
			out.Success = r.EndedAt
		}
		judged := r.Status.Ended() && r.Outcome != "" && due[r.ID] == 0 // else it goes on, or was ended since the sweep
		if out.Last == nil && judged && r.Status != run.Blocked && !silent(r) {
			out.Last = lastRun(r)
			if n := resent[r.ID]; n > 0 && r.Status == run.Complete {
				out.Last.Failed, out.Last.Partial = false, n < lost(r.Counts)
			}
		}
		if r.Status.Ended() && !run.IsRetry(r.ID) && now.Sub(r.EndedAt) < 24*time.Hour {
			out.Matches.Received += r.Counts.LookedUp
			out.Matches.Lost += unmatched(r)
		}
		if recent {
			out.Exhausted += r.Counts.Exhausted
		}
		if recent && !run.IsRetry(r.ID) {
			out.Hour.Received += r.Counts.Received
			out.Hour.Lost += lost(r.Counts)
			out.Dead += deadLetters(r)
		}
	}
	if out.Success.IsZero() {
		last, err := s.remembered(ctx, name, listed)
		if err != nil {
			return out, err
		}
		out.Success = last.Success
	}
	out.Blocked, out.Counted = lastBlocked(all, due), counted(all, due)
	if out.Missed, err = s.missedOf(ctx, v, all, now); err != nil {
		return out, err
	}
	if s.Halts != nil {
		h, _, err := s.halt(ctx, name, v.ID)
		if err != nil {
			return out, err
		}
		out.Halt = alert.Halt{Since: h.Since, Reason: h.Reason}
	}
	if err := s.checked(ctx, v, &out); err != nil {
		return out, err
	}
	if err := s.excuse(ctx, name, &out); err != nil {
		return out, err
	}
	if s.Quotas != nil {
		b, err := s.Quotas.Bucket(ctx, out.Connection+"/")
		if err != nil {
			return out, fmt.Errorf("read the quota of connection %q: %w", out.Connection, err)
		}
		limits, err := s.granted(ctx, v, b)
		if err != nil {
			return out, err
		}
		w, _, share := b.Spent(limits, now)
		out.Spent = alert.Spent{Share: share, Calls: w.Calls, Per: w.Per}
	}
	p, err := s.Connections.Pace(ctx, out.Connection)
	if err != nil {
		return out, fmt.Errorf("read the state of connection %q: %w", out.Connection, err)
	}
	if p.Failing() {
		out.Pause = alert.Pause{Since: p.Since, Reason: p.Reason, Person: p.SetUp}
	}
	return out, nil
}

// silent reports whether a run says nothing of how the sync stands: somebody cancelled it, and
// no row of it was delivered or failed.
func silent(r run.Run) bool {
	return r.Status == run.Cancelled && !r.BrokenOff() && r.Counts.Delivered+r.Counts.Unchanged+r.Counts.Rejected+r.Counts.Failed == 0
}

// lastRun is a run as alerts see it. One that a person cancelled, or another took over from,
// is no failure of its own: only what failed in it is.
func lastRun(r run.Run) *alert.Run {
	out := &alert.Run{ID: r.ID, EndedAt: r.EndedAt, Rows: alert.Rows{Received: r.Counts.Received, Lost: lost(r.Counts)}}
	told := r.Status != run.Cancelled || r.BrokenOff() || r.Counts.Rejected+r.Counts.Failed > 0
	out.Failed = told && r.Outcome == run.None
	out.Partial = told && r.Outcome == run.Partial
	out.Resends = r.Counts.Failed > 0
	if r.Status != run.Complete {
		out.Reason = r.Reason
	}
	return out
}

func lost(c run.Counts) int64 { return c.Rejected + c.Blocked + c.Failed }

// deadLetters counts a run's rows whose messages could not be processed.
func deadLetters(r run.Run) (n int64) {
	for _, g := range r.Groups {
		if g.Stage == "deadletter" {
			n += g.Rows
		}
	}
	return n
}

// overdueAfter is how old a sync's last success may be; 0 where it says nothing of
// when it runs.
func overdueAfter(d *syncdef.Definition, now time.Time) time.Duration {
	if d.Frequency == "" && d.Freshness == nil {
		return 0
	}
	return time.Duration(frequency.LatenessOf(d, now).Stale) * time.Minute
}
