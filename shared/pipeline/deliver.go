package pipeline

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// What a worker puts up with before a row or a message becomes a stored error.
const (
	maxAttempts = 8                  // of a row that the destination asks to retry
	maxCrashes  = 5                  // receives of a message that no worker gave back
	maxAge      = 7 * 24 * time.Hour // of a message; queues keep them 14 days
	maxWait     = 2 * time.Second    // a billed wait (I5); longer is the message's visibility
	maxHide     = 15 * time.Minute   // of one deferral for want of anything better to wait for
)

// Deliver is the worker of one destination type: it takes messages, brings each
// key's newest value to the destination, and records what became of every row.
// It serves concurrent invocations.
type Deliver struct {
	Queue      string // the destination type, and its queue's name
	Syncs      Syncs
	Runs       Runs
	Ledger     Ledger
	Errors     Errors
	Pace       Pace
	Visibility Visibility
	// Open makes the destination of a version; it is called once per version.
	Open  func(ctx context.Context, v syncdef.Version) (Destination, error)
	Now   func() time.Time
	Sleep func(ctx context.Context, d time.Duration) error // at most maxWait
	Rand  func() float64                                   // in [0, 1): jitter
	Dead  bool                                             // the messages come from the dead-letter queue: store their rows as errors

	programs programs
	mu       sync.Mutex
	opened   map[string]Destination
	leases   map[string]lease
	spent    map[string]int64 // API calls not yet recorded with a chunk, per run
	seen     map[Destination]int64
	paid     map[Destination]int64 // tokens taken for its calls
}

// A parcel is one message in hand.
type parcel struct {
	Delivery
	chunk envelope.Chunk
	run   run.Run
	state run.Chunk // what earlier attempts recorded
	job   *job
	items []*item

	done    bool          // settled and recorded: acknowledge
	dead    string        // crashed, expired or cancelled: its rows end as stored errors
	later   bool          // goes back to the queue
	hide    time.Duration // for how long, when later
	attempt bool          // the deferral counts as an attempt on its rows
}

func (p *parcel) postpone(hide time.Duration) {
	p.later = true
	p.hide = max(p.hide, hide)
}

// Handle works on the messages of one invocation and returns the ids of those
// that stay in the queue. An error means that storage failed: all of them stay.
func (d *Deliver) Handle(ctx context.Context, in []Delivery) (stay []string, err error) {
	parcels, err := d.open(ctx, in)
	if err != nil {
		return nil, err
	}
	for _, h := range hands(parcels) {
		if err := d.work(ctx, h); err != nil {
			return nil, err
		}
	}
	return d.settle(ctx, parcels)
}

// work brings the rows of one target to its destination, in message order.
func (d *Deliver) work(ctx context.Context, h *hand) error {
	h.prepare()
	if err := d.compare(ctx, h); err != nil {
		return err
	}
	for _, j := range h.jobs {
		j.total = h.news(j)
		if err := d.deliver(ctx, j, h.failure(j)); err != nil {
			return err
		}
	}
	return d.commit(ctx, h)
}

// destination opens a version's destination once.
func (d *Deliver) destination(ctx context.Context, v syncdef.Version) (Destination, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	id := v.Definition.Sync + "/" + v.ID
	if dst, ok := d.opened[id]; ok {
		return dst, nil
	}
	dst, err := d.Open(ctx, v)
	if err != nil {
		return nil, fmt.Errorf("open connection %q for sync %q: %w", v.Connection.Name, v.Definition.Sync, err)
	}
	if d.opened == nil {
		d.opened = map[string]Destination{}
	}
	d.opened[id] = dst
	return dst, nil
}

// patience is how long to leave a message that waits for something outside: a
// quarter of its age, so that a long wait takes few receives.
func (d *Deliver) patience(p *parcel) time.Duration {
	return min(max(d.Now().Sub(p.SentAt)/4, time.Second), maxHide)
}

// backoff grows with the attempts made on a message's rows.
func (d *Deliver) backoff(attempts int) time.Duration {
	full := min(time.Second<<min(attempts+1, 20), maxHide)
	return time.Duration(float64(full) * (0.5 + d.Rand()/2))
}
