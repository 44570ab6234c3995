package deliver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/freshness"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Freshen counts, for each sync of this destination type whose turn it is, the records at
// the destination by their age, and stores the figures; and once a day it checks the sync
// against its destination. Of several workers one counts a sync. A destination that fails
// or is paused costs no row anything: its reason is stored in place of figures, and the
// last ones stay. The error is our storage's.
func (d *Deliver) Freshen(ctx context.Context) (counted int, err error) {
	names, err := d.Freshness.List(ctx)
	if err != nil {
		return 0, fmt.Errorf("list the syncs: %w", err)
	}
	var errs []error
	for _, name := range names {
		if !d.hasTime(ctx) {
			break // the next time begins with those that were not tried
		}
		v, err := d.Freshness.Current(ctx, name)
		if errors.Is(err, run.ErrNotFound) || err == nil && v.Rules.Type != d.Queue {
			continue
		}
		done := false
		if err == nil {
			done, err = d.freshen(ctx, v)
		}
		if done {
			counted++
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("freshness of sync %q: %w", name, err))
			continue
		}
		if err := d.check(ctx, v); err != nil {
			errs = append(errs, fmt.Errorf("check sync %q against its destination: %w", name, err))
		}
	}
	return counted, errors.Join(errs...)
}

// freshen counts one sync's records, if it is its turn.
func (d *Deliver) freshen(ctx context.Context, v syncdef.Version) (counted bool, err error) {
	sync := v.Definition.Sync
	stored, err := d.Freshness.Freshness(ctx, sync)
	if err != nil {
		return false, err
	}
	now := d.Now()
	r := stored.Of(sync, v.Definition.Connection, v.Definition.Object, v.Definition.FreshnessField())
	if !r.Due(now, freshness.Every(v.Definition.WarnAfter())) {
		return false, nil
	}
	a := d.connection(v.Definition.Connection)
	if err := a.refresh(ctx); err != nil {
		return false, err
	}
	opened, _ := a.vendor()
	prober, counts := opened.(dest.Prober)
	switch {
	case opened != nil && !counts && r.Failure != "": // said already
		return false, nil
	case (counts || opened == nil) && r.Asked == "":
		return false, nil
	}
	r.TriedAt = now
	if err := d.Freshness.SetFreshness(ctx, r); err != nil { // the claim: who stores it counts
		return false, unlessConflict(err)
	}
	r.Revision++
	switch {
	case opened != nil && !counts:
		r.Failure = v.Rules.Type + " cannot be searched: how old the data there is cannot be known"
	default:
		if r.Figures, r.Failure, err = a.count(ctx, prober, v, r.Figures, now); err != nil {
			return false, err
		}
		if r.Failure == "" {
			r.AsOf = now
		}
	}
	return r.Failure == "", unlessConflict(d.Freshness.SetFreshness(ctx, r))
}

// unlessConflict is an error of storage; what somebody else has stored meanwhile is none.
func unlessConflict(err error) error {
	if errors.Is(err, run.ErrConflict) {
		return nil
	}
	return err
}

// errSpent says that no token is to be had soon.
var errSpent = errors.New("the connection's share of the vendor's quota is spent")

// count asks the destination; had are the figures that stay where it tells none, for the
// reason why. err is our storage's.
func (a *account) count(ctx context.Context, p dest.Prober, v syncdef.Version, had freshness.Figures, now time.Time) (figures freshness.Figures, why string, err error) {
	wait, failed, err := a.ready(ctx, false)
	switch {
	case err != nil:
		return had, "", err
	case failed != nil:
		return had, failed.Error(), nil
	case wait > 0 || p == nil:
		return had, fmt.Sprintf("the connection %q is paused", a.name), nil
	}
	ctx, cancel := a.d.before(ctx)
	defer cancel()
	leave, entered := a.enter(ctx)
	if !entered {
		return had, "there was no time to count", nil
	}
	defer leave()
	var storage error
	var last dest.Cost // of the request that failed, if one did
	spend := func(ctx context.Context, c dest.Cost) error {
		last, storage = c, a.spend(ctx, c)
		return storage
	}
	err = guarded(func() (err error) {
		figures, err = p.Freshness(ctx, &v.Definition, now, spend)
		return err
	})
	a.settleUp()
	switch {
	case err == nil:
		return figures, "", nil
	case errors.Is(err, errSpent):
		return had, errSpent.Error() + ": nothing was counted", nil
	case ctx.Err() != nil:
		return had, "there was no time to count", nil
	case storage != nil:
		return had, "", storage
	}
	call := callError(err)
	if err := a.yield(ctx, call, []dest.Cost{last}); err != nil {
		return had, "", err
	}
	return had, call.Error(), nil
}

// spend takes a request's tokens, and waits for those that come soon (I5); errSpent.
func (a *account) spend(ctx context.Context, c dest.Cost) error {
	return a.spendWithin(ctx, c, maxWait)
}

// spendWithin is spend, for who has more patience because nobody bills the wait.
func (a *account) spendWithin(ctx context.Context, c dest.Cost, most time.Duration) error {
	for waited := time.Duration(0); ; {
		wait, err := a.take(ctx, c, c.Tokens)
		if err != nil {
			return err
		}
		if wait <= 0 {
			a.asked(c)
			return nil
		}
		if waited += wait; waited > most {
			return errSpent
		}
		for left := wait; left > 0; left -= maxWait {
			if err := a.d.Sleep(ctx, min(left, maxWait)); err != nil {
				return err
			}
		}
	}
}
