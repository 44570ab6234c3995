package intake

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// How long what was read is believed.
const (
	depthLife    = 5 * time.Second // a depth is approximate anyway
	settingsLife = time.Minute     // the design's bound for a mended connection
)

// admit refuses a request while the destination's queue is full, or half full with
// rows of a connection that nobody may call.
func (in *Intake) admit(ctx context.Context, queue, connection string) error {
	n, err := in.depths.of(queue, depthLife, in.Now(), func() (int, error) { return in.Queue.Depth(ctx, queue) })
	if err != nil {
		return fmt.Errorf("read the depth of queue %q: %w", queue, err)
	}
	if n > run.MaxDepth {
		return slowDown("the queue to %s holds %d messages, more than %d: send the same again later", queue, n, run.MaxDepth)
	}
	if n <= run.MaxDepth/2 {
		return nil
	}
	s, err := in.Connections.Pace(ctx, connection)
	if err != nil {
		return fmt.Errorf("read the state of connection %q: %w", connection, err)
	}
	if s.Failing() {
		return slowDown("connection %q is paused since %s (%s), and the queue to %s holds %d messages, more than half of what it may: mend the connection, or send the same again later",
			connection, s.Since.UTC().Format(time.RFC3339), s.Reason, queue, n)
	}
	return nil
}

func slowDown(format string, args ...any) error {
	return &row.Refusal{Kind: row.SlowDown, Message: fmt.Sprintf(format, args...)}
}

// epoch is the account's epoch of a connection, part of the target.
func (in *Intake) epoch(ctx context.Context, connection string) (int64, error) {
	epoch, err := in.settings.of(connection, settingsLife, in.Now(), func() (int64, error) {
		c, err := in.Connections.Connection(ctx, connection)
		return c.Epoch, err
	})
	if errors.Is(err, run.ErrNotFound) {
		return 0, row.Refuse("connection %q is not stored: run penstock apply again", connection)
	}
	if err != nil {
		return 0, fmt.Errorf("read connection %q: %w", connection, err)
	}
	return epoch, nil
}

// recent remembers values for a while. The zero value is ready, and safe for
// concurrent use.
type recent[T any] struct {
	mu   sync.Mutex
	seen map[string]seen[T]
}

type seen[T any] struct {
	value T
	at    time.Time
}

// of reads a value unless it was read less than life ago. A clock that was set
// back makes it read again. Two callers at once may both read.
func (r *recent[T]) of(name string, life time.Duration, now time.Time, read func() (T, error)) (T, error) {
	r.mu.Lock()
	s, ok := r.seen[name]
	r.mu.Unlock()
	if ok && !now.Before(s.at) && now.Sub(s.at) < life {
		return s.value, nil
	}
	value, err := read()
	if err != nil {
		return value, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen = map[string]seen[T]{}
	}
	r.seen[name] = seen[T]{value, now}
	return value, nil
}
