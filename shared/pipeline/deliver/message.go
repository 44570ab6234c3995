package deliver

import (
	"context"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/pipeline/version"
	"github.com/penstock-data/penstock/shared/run"
)

// A message is one queue message in hand.
type message struct {
	envelope.Delivery
	chunk   envelope.Chunk
	run     run.Run
	record  run.Chunk // what earlier invocations stored
	start   run.Start // of this one; Receives is 0 when no mark is needed
	version *version.Compiled
	account *account
	target  string
	job     *job
	items   []*item
	earlier []run.Group // of errors that an attempt stored which died before it counted them

	end       string        // why its rows are not sent at all: cancelled, expired, dead_letter; "" when they are
	newer     bool          // it may be newer than a full run of its mirror: rows that are right already say so in the ledger
	suspect   bool          // workers died with it: it goes alone, row by row
	done      bool          // settled and recorded: acknowledge
	back      bool          // goes back to the queue
	hide      time.Duration // at least, once it goes back
	unseen    time.Time     // until when, at least, once it goes back
	most      int           // the call size that halving reached
	part      int           // the least size of the parts that its calls which hung were cut into; 0: none hung
	began     time.Time     // when this invocation began
	tried     time.Time     // when its rows were last tried in vain
	busyUntil time.Time     // how long a push of its rows that was given up may still be carried out
	fault     error         // of our own storage
	counts    *run.Counts   // that this invocation recorded; nil where it recorded nothing
}

// postpone sends the message back for at least so long.
func (m *message) postpone(hide time.Duration) {
	m.back = true
	m.hide = max(m.hide, hide)
}

// postponeUntil sends the message back until a time at least.
func (m *message) postponeUntil(t time.Time) {
	m.back = true
	if t.After(m.unseen) {
		m.unseen = t
	}
}

// broken sends the message back because our own storage failed: no attempt, no
// crash, and nobody else's matter.
func (m *message) broken(d *Deliver, err error) {
	if m.fault == nil {
		m.fault = err
	}
	// A quarter of its age, a minute at most while the outage is short.
	age := d.Now().Sub(m.SentAt)
	m.postpone(d.jitter(min(max(age/4, time.Second), 15*time.Minute)))
}

// busy reports whether what was given up of the message may still be carried out: nothing
// behind it in its lane is sent until it cannot be any more (I3).
func (m *message) busy(now time.Time) bool { return m.busyUntil.After(now) }

// again reports whether an earlier attempt may have sent the message's rows. The queue of
// dead letters may count receives anew.
func (m *message) again() bool { return m.Receives > 1 || m.end == "dead_letter" }

// working reports whether the message still has to be worked on.
func (m *message) working() bool { return !m.done && !m.back }

// name is run#batch#chunk.
func (m *message) name() string {
	return run.ErrorRef(m.chunk.Run, m.chunk.Batch, m.chunk.Index)
}

// jitter is d, up to a quarter longer, so that what failed together does not come
// back together.
func (d *Deliver) jitter(w time.Duration) time.Duration {
	return min(w+time.Duration(float64(w)*d.Rand()/4), maxHide)
}

// recorded stores the message's record, once (I2).
func (m *message) recorded(ctx context.Context, d *Deliver, c run.Chunk) error {
	c.Done, c.At = true, d.Now()
	first, err := d.Chunks.RecordChunk(ctx, m.chunk.Run, m.chunk.Batch, m.chunk.Index, c)
	if err != nil {
		return fmt.Errorf("record %s: %w", m.name(), err)
	}
	if first {
		m.counts = &c.Counts
	}
	m.done = true
	return nil
}
