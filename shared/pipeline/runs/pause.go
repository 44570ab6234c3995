package runs

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// Pauses stores which syncs a person has paused.
type Pauses interface {
	// Pause reads a sync's pause; run.ErrNotFound when it is not paused.
	Pause(ctx context.Context, sync string) (run.Pause, error)
	// SetPause stores a pause, over the one that is there.
	SetPause(ctx context.Context, p run.Pause) error
	// DeletePause ends it; nothing happens when there is none.
	DeletePause(ctx context.Context, sync string) error
}

// pause is a person's pause of a sync, if there is one.
func (s *Stores) pause(ctx context.Context, sync string) (p run.Pause, paused bool, err error) {
	if s.Pauses == nil {
		return p, false, nil
	}
	p, err = s.Pauses.Pause(ctx, sync)
	if errors.Is(err, run.ErrNotFound) {
		return p, false, nil
	}
	if err != nil {
		return p, false, fmt.Errorf("read whether sync %q is paused: %w", sync, err)
	}
	return p, true, nil
}

// Paused is a person's pause of a sync, if there is one.
func (s *Stores) Paused(ctx context.Context, sync string) (p run.Pause, paused bool, err error) {
	return s.pause(ctx, sync)
}

// heldBack says for a run that would begin why a person's pause keeps it; "" for nothing.
func (s *Stores) heldBack(ctx context.Context, sync string) (string, error) {
	p, paused, err := s.pause(ctx, sync)
	if !paused {
		return "", err
	}
	return fmt.Sprintf("sync %q is %s; it goes on after  penstock resume %[1]s ", sync, p.Why()), nil
}

// A PauseChange answers Pause and Resume.
type PauseChange struct {
	Sync   string     `json:"sync"`
	Paused bool       `json:"paused"`           // as it is now
	Before *run.Pause `json:"before,omitempty"` // the pause that was there
	// Running are runs that began before the pause and go on: they end by themselves, or
	// by cancel.
	Running []string `json:"running,omitempty"`
}

// Pause lets a sync take nothing on until Resume: its begins wait, rows of plain pushes
// are blocked, its schedule skips and its due errors wait. What was accepted before is
// delivered. A pause of a paused sync changes the reason alone.
func (c *Control) Pause(ctx context.Context, sync, reason string) (out PauseChange, err error) {
	out = PauseChange{Sync: sync, Paused: true}
	reason = strings.Join(strings.Fields(reason), " ")
	if len(reason) > maxReason {
		return out, row.Refuse("penstock pause: the reason has %d bytes, at most %d are kept", len(reason), maxReason)
	}
	if _, err := c.current(ctx, "penstock pause", sync); err != nil {
		return out, err
	}
	err = c.act(ctx, "pause", sync, func() (string, error) {
		p := run.Pause{Sync: sync, By: actor(ctx), At: c.Now(), Reason: reason}
		before, paused, err := c.pause(ctx, sync)
		if err != nil {
			return "", err
		}
		if paused {
			out.Before, p.At = &before, before.At
		}
		if err := c.Pauses.SetPause(ctx, p); err != nil {
			return "", err
		}
		out.Running, err = c.running(ctx, sync)
		return reason, err
	})
	return out, err
}

// Resume ends a person's pause; twice is the same as once.
func (c *Control) Resume(ctx context.Context, sync string) (out PauseChange, err error) {
	out = PauseChange{Sync: sync}
	before, paused, err := c.pause(ctx, sync)
	if err != nil {
		return out, err
	}
	if !paused { // a removed sync's pause may be ended, too
		_, err := c.current(ctx, "penstock resume", sync)
		return out, err
	}
	out.Before = &before
	err = c.act(ctx, "resume", sync, func() (string, error) { return "", c.Pauses.DeletePause(ctx, sync) })
	return out, err
}

// running are a sync's runs that have not ended.
func (c *Control) running(ctx context.Context, sync string) ([]string, error) {
	all, err := c.History.RecentRuns(ctx, sync, seenRuns)
	if err != nil {
		return nil, fmt.Errorf("list the runs of sync %q: %w", sync, err)
	}
	var out []string
	for _, r := range all {
		if !r.Status.Ended() {
			out = append(out, r.ID)
		}
	}
	return out, nil
}
