package deliver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pipeline/version"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// removePatience is how long Remove waits for its share of the quota: a person waits.
const removePatience = time.Minute

// ErrUnreached is wrapped by Remove where the destination could not be asked to remove the
// record: a secret, a login, an outage, a spent quota. Asked again it may well do it.
var ErrUnreached = errors.New("the destination could not be asked to remove its record")

// unreached wraps ErrUnreached; why is for people.
func unreached(why string) error { return fmt.Errorf("%w: %s", ErrUnreached, why) }

// Remove removes the record of a target's ledger entry at its destination, as the version's
// on_delete says: for a person's erasure, outside of any run. It stores nothing. why says
// what keeps the record there for good, "" once it is not there any more; err is our
// storage's, the caller's or ErrUnreached.
func (d *Deliver) Remove(ctx context.Context, v syncdef.Version, target string, e ledger.Entry) (why string, err error) {
	a := d.connection(v.Definition.Connection)
	if err := a.refresh(ctx); err != nil {
		return "", err
	}
	if a.targetOf(&v) != target { // its id may be somebody else's there
		return fmt.Sprintf("it is of another account than the one that the connection %q leads to now", a.name), nil
	}
	wait, failed, err := a.ready(ctx, false)
	switch {
	case err != nil:
		return "", err
	case failed != nil:
		return "", unreached(failed.Error())
	case wait > 0:
		return "", unreached(fmt.Sprintf("the connection %q is paused", a.name))
	}
	opened, _ := a.vendor()
	if opened == nil {
		return "", unreached(fmt.Sprintf("the connection %q cannot be opened", a.name))
	}
	program, err := d.versions.Of(v)
	if errors.Is(err, version.ErrUnusable) {
		return "its definition cannot be used by this release", nil
	}
	if err != nil {
		return "", err
	}
	dst, err := opened.Open(v)
	if err != nil {
		return callError(err).Error(), nil
	}
	leave, entered := a.enter(ctx)
	if !entered {
		return "", ctx.Err()
	}
	defer leave()
	defer a.settleUp()
	r := removal{a: a, dst: dst, record: dest.Record{
		Key: e.Key, Sequence: max(e.Held.Sequence, e.Last.Sequence), ID: e.Held.ID, Delete: true, Fields: appendCleared(nil, &v.Definition, program.Mapping),
	}}
	return r.do(ctx)
}

// A removal is of one record.
type removal struct {
	a      *account
	dst    dest.Destination
	record dest.Record
}

// do looks the record up where its id is not known, and removes it.
func (r *removal) do(ctx context.Context) (why string, err error) {
	for range 2 { // once more where what its id named is gone
		done, why, err := r.each(ctx, r.dst.Lookups(r.batch()), r.dst.Lookup)
		if done || why != "" || err != nil {
			return why, err
		}
		done, why, err = r.each(ctx, r.dst.Calls(r.batch(), 0), r.dst.Push)
		if done || why != "" || err != nil {
			return why, err
		}
	}
	return "the destination did not say that it is gone", nil
}

func (r *removal) batch() dest.Batch { return dest.Batch{Records: []dest.Record{r.record}} }

// each makes calls of the one record; done says that it is not there any more.
func (r *removal) each(ctx context.Context, calls []dest.Call, make func(context.Context, dest.Batch, dest.Call) ([]dest.Outcome, error)) (done bool, why string, err error) {
	for _, c := range calls {
		for _, cost := range c.Costs {
			err := r.a.spendWithin(ctx, cost, removePatience)
			if errors.Is(err, errSpent) {
				return false, "", unreached(errSpent.Error())
			}
			if err != nil {
				return false, "", err
			}
		}
		outcomes, err := make(ctx, r.batch(), c)
		switch {
		case ctx.Err() != nil:
			return false, "", ctx.Err()
		case err != nil:
			failed := callError(err)
			if err := r.a.yield(ctx, failed, c.Costs); err != nil { // the workers slow down, too (I7)
				return false, "", err
			}
			if failed.Class == dest.Refused || failed.Scope == dest.ScopeVersion {
				return false, failed.Error(), nil
			}
			return false, "", unreached(failed.Error())
		case len(outcomes) != 1:
			return false, "the destination's answer is not whole", nil
		}
		switch o := outcomes[0]; o.Status {
		case dest.Delivered:
			return true, "", nil
		case dest.Found:
			r.record.ID = o.ID
		case dest.Rejected:
			return false, o.Message, nil
		case dest.Retry, dest.Unknown:
			return false, "", unreached(o.Message)
		case dest.Pending:
		}
	}
	return false, "", nil
}
