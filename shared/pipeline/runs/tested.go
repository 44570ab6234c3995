package runs

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/run"
)

// Tested ends what holds a connection's rows up, now that a person's test found that it
// answers: its workers call at once, instead of when the next probe is due. Where nothing
// held it up, or the vendor's quota does, nothing is done. before is the state that was
// there; ended says that it is over. The audit log names the failure's code alone.
func (c *Control) Tested(ctx context.Context, connection string) (before pace.State, ended bool, err error) {
	if before, err = c.paceOf(ctx, connection); err != nil {
		return before, false, err
	}
	if _, mends := before.Tested(); !mends {
		return before, false, nil
	}
	err = c.act(ctx, "connect test", cut(connection), func() (string, error) {
		ended, err = c.tested(ctx, connection)
		return "ends its pause: " + before.Code, err
	})
	return before, ended, err
}

// tested stores the state over whatever stands there by then.
func (c *Control) tested(ctx context.Context, connection string) (bool, error) {
	for range attempts {
		s, err := c.paceOf(ctx, connection)
		if err != nil {
			return false, err
		}
		next, mends := s.Tested()
		if !mends {
			return !s.Failing(), nil // somebody's probe was faster
		}
		if err = c.Connections.SetPace(ctx, connection, next); !errors.Is(err, run.ErrConflict) {
			return err == nil, err
		}
	}
	return false, fmt.Errorf("end the pause of connection %q: %w", connection, run.ErrConflict)
}

func (c *Control) paceOf(ctx context.Context, connection string) (pace.State, error) {
	s, err := c.Connections.Pace(ctx, connection)
	if err != nil {
		return s, fmt.Errorf("read the state of connection %q: %w", connection, err)
	}
	return s, nil
}
