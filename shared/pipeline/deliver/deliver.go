// Package deliver is the worker of a destination type: it takes messages, brings
// each key's newest value to the destination, and records what became of every
// row. It decides whose a failure is and holds it there (I9): a row's becomes a
// stored error, a call is halved down to its rows, a version halts, a connection
// pauses, and a failure of our own storage costs nobody an attempt. Nothing waits
// in here for more than 2 s (I5).
package deliver

import (
	"context"
	"slices"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/pipeline/version"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Deliver works on the messages of one destination type. It serves concurrent
// invocations. All fields are set before the first.
type Deliver struct {
	Queue       string // the destination type, and its queue's name
	Syncs       Syncs
	Connections Connections
	Tokens      Tokens
	Runs        Runs
	Chunks      Chunks
	Unchanged   Unchanged
	Halts       Halts
	Ledger      Ledger
	Errors      Errors
	Visibility  Visibility
	Freshness   Freshness // asked by Freshen alone
	Listing     Listing   // asked by Verify alone
	// Verifications keeps what is checked every day; nil checks nothing.
	Verifications Verifications
	// Open makes the account of a connection; it makes no call. It is called once per
	// process, and again when the connection's settings have changed.
	Open func(syncdef.Connection) (dest.Account, error)
	Now  func() time.Time
	// LeaseLife is how long leased tokens may be used; 0 is pace.LeaseLife.
	LeaseLife time.Duration
	// Sleep waits; it is asked for at most 2 s at a time (I5).
	Sleep func(ctx context.Context, d time.Duration) error
	// Timeout is how long an answer is waited for at least: a call that hangs for longer is
	// made again in parts, if it may be. 0 waits as long as the destination does.
	Timeout time.Duration
	Rand    func() float64 // in [0, 1): jitter
	// Hidden is the queue's visibility timeout: how long a message of a worker that
	// died stays away.
	Hidden time.Duration
	// Dead says that the messages come from the dead-letter queue: their rows are
	// stored as errors.
	Dead bool
	// Guest says that the workers of these stores are elsewhere, or ask another place: what
	// fails here, for this machine's secret or network, pauses no connection of theirs, and
	// whether a paused one is mended they find out.
	Guest bool

	versions version.Cache
	checked  checked
	accounts accounts
	alone    gate
}

// What a worker waits for, and when it ends waiting.
const (
	maxWait   = 2 * time.Second     // a billed wait (I5); longer is the message's visibility
	maxHide   = 12 * time.Hour      // SQS: the longest visibility
	tries     = 3                   // of a row within one invocation
	maxAge    = 13 * 24 * time.Hour // of a message that never could be tried; queues keep them 14 days (I1)
	maxTried  = 7 * 24 * time.Hour  // of a message whose own last try failed
	margin    = 5 * time.Second     // of an invocation's time, to commit and hand back the rest
	manyTimes = 100                 // receives after which a message is left alone for longer: SQS hands it out 1,000 times
)

// A Result says what became of an invocation's messages.
type Result struct {
	// Stay holds the ids of the messages that stay in the queue, each already hidden
	// for as long as it has to wait.
	Stay []string
	// Storage holds the failures of our own storage. None of them counts as a row's
	// attempt or a crash; they ring an alarm.
	Storage []error
	// Failed counts the rows that were recorded as failed, Stored the errors that were
	// stored: for metrics.
	Failed, Stored int
	// Done are the messages that this invocation recorded, in their order: at most 10.
	Done []Done
	// Took is how long the parts of the work took.
	Took Took
}

// Done is what was recorded of a message, for logs and metrics.
type Done struct {
	Run        string
	Connection string     // "" where its version could not be read
	Counts     run.Counts // those of run.Chunk
}

// Took is how long an invocation took to read its messages and the state of their runs,
// to bring the rows to the destination, their ledger and errors included, and to record
// and hand back the messages.
type Took struct{ Read, Deliver, Record time.Duration }

// Handle works on the messages of one invocation, each by itself: what fails for
// one leaves the others alone (I9).
func (d *Deliver) Handle(ctx context.Context, in []envelope.Delivery) Result {
	release := d.alone.share()
	began := d.Now()
	inv := d.open(ctx, in)
	read := d.Now()
	for _, w := range inv.works() {
		w.messages = slices.DeleteFunc(w.messages, inv.behindBusy)
		w.do(ctx)
	}
	release()
	delivered := d.Now()
	inv.settle(ctx)
	inv.workAlone(ctx)
	r := inv.close(ctx)
	r.Took = Took{Read: read.Sub(began), Deliver: delivered.Sub(read), Record: d.Now().Sub(delivered)}
	return r
}
