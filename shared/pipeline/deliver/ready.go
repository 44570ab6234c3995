package deliver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/run"
)

// ready says whether calls may be made now, or how long to wait. A connection that
// failed is probed by one worker at a time, and by nobody before its pause is over;
// failed is what this worker's own probe met; one that the invocation's end cut off says
// nothing, and is made in the next. delivers says that the calls are a
// delivery's, the first of which pins the account. err is our storage's.
func (a *account) ready(ctx context.Context, delivers bool) (wait time.Duration, failed *dest.CallError, err error) {
	s, err := a.d.Connections.Pace(ctx, a.name)
	if err != nil {
		return 0, nil, fmt.Errorf("read the state of connection %q: %w", a.name, err)
	}
	next, probe, wait := s.May(a.d.Now())
	if wait > 0 {
		return wait, nil, nil
	}
	if probe && (a.d.Guest || !a.d.hasTime(ctx)) {
		return time.Second, nil, nil
	}
	if probe {
		if claimed, err := a.claim(ctx, &next); err != nil || !claimed {
			return time.Second, nil, err
		}
	}
	inTime, cancel := a.d.before(ctx)
	defer cancel()
	asked, moved := a.d.Now(), false
	if probe {
		failed = a.probe(ctx)
	}
	if failed == nil {
		asked, moved = a.d.Now(), true
		for range 3 { // settings that change meanwhile: the message's target is compared anyway
			if moved, failed, err = a.check(ctx, delivers); !moved {
				break
			}
		}
		if err != nil {
			return 0, nil, err
		}
	}
	if moved || failed != nil && !a.d.proves(inTime, asked) {
		if probe {
			next.Probe = time.Time{}
			err = a.setPace(ctx, next, "give the probe back")
		}
		return time.Second, nil, err
	}
	if failed != nil {
		wait, err = a.pause(ctx, failed)
		return wait, failed, err
	}
	if probe {
		err = a.setPace(ctx, next.Answered(a.d.Now()), "end the pause")
	}
	return 0, nil, err
}

// claim stores that this worker probes, unless somebody else does, and reads the settings
// anew.
func (a *account) claim(ctx context.Context, next *pace.State) (claimed bool, err error) {
	if err := a.d.Connections.SetPace(ctx, a.name, *next); errors.Is(err, run.ErrConflict) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("claim the probe of connection %q: %w", a.name, err)
	}
	next.Revision++
	a.doubt()
	return true, a.refresh(ctx)
}

// setPace stores what a probe found, unless somebody has stored something else meanwhile.
func (a *account) setPace(ctx context.Context, s pace.State, doing string) error {
	if err := a.d.Connections.SetPace(ctx, a.name, s); err != nil && !errors.Is(err, run.ErrConflict) {
		return fmt.Errorf("%s of connection %q: %w", doing, a.name, err)
	}
	return nil
}

// check compares the account with the one that is pinned, once per opening, and
// pins it at the connection's first delivery: only with settings that still hold, so
// that a process which has older ones pins none. moved says that they have changed.
// err is our storage's.
func (a *account) check(ctx context.Context, delivers bool) (moved bool, failed *dest.CallError, err error) {
	opened, failed := a.vendor()
	if failed != nil {
		return false, failed, nil
	}
	a.mu.Lock()
	known, pinned, raw := a.known, a.stored.Account, a.raw
	a.mu.Unlock()
	if known {
		return false, nil, nil
	}
	began := a.d.Now()
	inTime, cancel := a.d.before(ctx)
	defer cancel()
	id, err := opened.Identity(inTime)
	if err != nil {
		return false, callError(err), nil
	}
	a.took(kind{}, a.d.Now().Sub(began))
	if id != "" && pinned == "" {
		if !delivers {
			return false, nil, nil
		}
		if moved, pinned, err = a.pin(ctx, id, raw); moved || err != nil {
			return moved, nil, err
		}
	}
	if id != "" && id != pinned {
		return false, &dest.CallError{Op: "compare the account", Class: dest.Configuration, Scope: dest.ScopeConnection, Code: "another_account",
			Message: fmt.Sprintf("the connection %q was delivered to account %s, and its settings lead to %s now: correct the url or the secret, or run penstock connect %s --accept-account", a.name, pinned, id, a.name)}, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.raw != raw { // another invocation has read other settings
		return true, nil, nil
	}
	a.known = true
	return false, nil, nil
}

// pin pins an account that was opened by the settings raw, if these still hold.
func (a *account) pin(ctx context.Context, id, raw string) (moved bool, pinned string, err error) {
	a.doubt()
	if err := a.refresh(ctx); err != nil {
		return false, "", err
	}
	a.mu.Lock()
	moved, epoch := a.raw != raw, a.stored.Epoch
	a.mu.Unlock()
	if moved {
		return true, "", nil
	}
	stored, err := a.d.Connections.PinAccount(ctx, a.name, id)
	if err != nil {
		return false, "", fmt.Errorf("pin the account of connection %q: %w", a.name, err)
	}
	if stored.Epoch != epoch { // accepted anew just now: its targets are others
		a.doubt()
		return true, "", nil
	}
	return false, stored.Account, nil
}

// probe asks the vendor for something cheap that fails only when the connection does.
func (a *account) probe(ctx context.Context) *dest.CallError {
	opened, failed := a.vendor()
	if failed != nil {
		return failed
	}
	ctx, cancel := a.d.before(ctx)
	defer cancel()
	for _, c := range opened.Limits().Probe {
		// Best effort: a probe is made though its bucket is empty, and paid afterwards.
		if wait, err := a.take(ctx, c, c.Tokens); err != nil || wait > 0 {
			break
		}
	}
	began := a.d.Now()
	if err := opened.Probe(ctx); err != nil {
		return callError(err)
	}
	a.took(kind{}, a.d.Now().Sub(began))
	a.lives()
	return nil
}

// lives notes that the vendor answered.
func (a *account) lives() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.alive = a.d.Now()
}

// livesSince reports whether the vendor answered something after t.
func (a *account) livesSince(t time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.alive.After(t)
}

// pause stores that the connection fails, for all workers to see, and answers how
// long its rows wait.
func (a *account) pause(ctx context.Context, failed *dest.CallError) (time.Duration, error) {
	a.doubt()
	if a.d.Guest {
		return time.Second, nil
	}
	reason := failed.Error()
	if failed.Class != dest.Configuration {
		reason += "; it is tried again by itself"
	}
	for range 3 {
		s, err := a.d.Connections.Pace(ctx, a.name)
		if err != nil {
			return 0, fmt.Errorf("read the state of connection %q: %w", a.name, err)
		}
		if failed.Class == dest.Throttled && (failed.Quota == dest.QuotaSecond || failed.Quota == dest.QuotaConcurrent) && !s.Failing() {
			s = s.Mend() // it passes in moments, whatever was before it
		}
		now := a.d.Now()
		next := s.Fail(now, failed.After, failed.Code, reason)
		if !next.Until.Equal(s.Until) { // it is this failure that all wait for
			next.SetUp, next.Quota = failed.Class == dest.Configuration, failed.Class == dest.Throttled
		}
		err = a.d.Connections.SetPace(ctx, a.name, next)
		if err == nil {
			return max(next.Until.Sub(now), time.Second), nil
		}
		if !errors.Is(err, run.ErrConflict) {
			return 0, fmt.Errorf("pause connection %q: %w", a.name, err)
		}
	}
	return time.Second, nil // others are at it
}
