package deliver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/metadata"
	"github.com/penstock-data/penstock/shared/verify"
)

// Verifications stores what the daily checks find.
type Verifications interface {
	// Verification reads what was found of a sync's records and schema; the zero Reading of
	// it when nothing was.
	Verification(ctx context.Context, sync string) (verify.Reading, error)
	// SetVerification stores a reading over the one with its Revision (0: none is stored),
	// with Revision+1; run.ErrConflict when another one is.
	SetVerification(ctx context.Context, r verify.Reading) error
}

// checked are the readings as this process saw them last, so that a check that is not due
// costs no read.
type checked struct {
	mu  sync.Mutex
	all map[string]verify.Reading
}

func (c *checked) get(sync string) (verify.Reading, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.all[sync]
	return r, ok
}

func (c *checked) set(r verify.Reading) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[string]verify.Reading{}
	}
	c.all[r.Sync] = r
}

// check holds a sync against its destination, if it is its turn: the definition against
// the metadata, and a sample of its records against the ledger. Of several workers one
// does. A destination that fails or is paused costs no row anything: the reason is stored,
// and what was found before stays. The error is our storage's.
func (d *Deliver) check(ctx context.Context, v syncdef.Version) error {
	if d.Verifications == nil {
		return nil
	}
	now, def := d.Now(), &v.Definition
	if seen, known := d.checked.get(def.Sync); known {
		seen = seen.Of(def.Sync, def.Connection, def.Object)
		if schema, sample := seen.Due(now, v.AppliedAt, v.ID); !schema && !sample {
			return nil
		}
	}
	stored, err := d.Verifications.Verification(ctx, def.Sync)
	if err != nil {
		return err
	}
	r := stored.Of(def.Sync, def.Connection, def.Object)
	schema, sample := r.Due(now, v.AppliedAt, v.ID)
	if !schema && !sample {
		d.checked.set(r)
		return nil
	}
	a := d.connection(def.Connection)
	if err := a.refresh(ctx); err != nil {
		return err
	}
	if r.Schema.TriedAt = now; sample {
		r.TriedAt = now
	}
	r.Version = v.ID
	if err := d.Verifications.SetVerification(ctx, r); err != nil { // the claim: who stores it checks
		return unlessConflict(err)
	}
	r.Revision++
	if err := a.schema(ctx, v, &r.Schema, now); err != nil {
		return err
	}
	if sample {
		if err := d.sample(ctx, v, &r.Sample, now); err != nil {
			return err
		}
	}
	if err := d.Verifications.SetVerification(ctx, r); err != nil {
		return unlessConflict(err) // a person verified meanwhile, and knows better
	}
	r.Revision++
	d.checked.set(r)
	return nil
}

// schema holds the definition against the object's metadata. err is our storage's.
func (a *account) schema(ctx context.Context, v syncdef.Version, s *verify.Schema, now time.Time) error {
	opened, failed := a.vendor()
	if failed != nil {
		s.Failure = failed.Error()
		return nil
	}
	inspector, shows := opened.(dest.Inspector)
	if !shows {
		*s = verify.Schema{TriedAt: now}
		return nil
	}
	var object *metadata.Object
	storage, err := a.asking(ctx, opened.Limits().Probe, func(ctx context.Context) (err error) {
		object, err = inspector.Describe(ctx, &v.Definition)
		return err
	})
	if storage != nil {
		return storage
	}
	call, isCall := errors.AsType[*dest.CallError](err)
	switch {
	case err == nil:
		*s = verify.Schema{TriedAt: now, AsOf: now, Faults: faults(metadata.Check(&v.Definition, object))}
	case isCall && call.Class == dest.Configuration && call.Scope == dest.ScopeVersion:
		*s = verify.Schema{TriedAt: now, AsOf: now, Faults: []string{"destination_object: " + dest.Message(call.Message)}}
	default:
		s.Failure = err.Error()
	}
	return nil
}

// faults are a comparison's, as they are stored.
func faults(r metadata.Report) (out []string) {
	for _, f := range r.Faults {
		if len(out) == verify.MaxFaults {
			break
		}
		out = append(out, f.Path+": "+dest.Message(f.Message))
	}
	return out
}

// asking makes a few calls that pay for themselves afterwards, as far as costs does not.
// storage is an error of our own; err why nothing was answered.
func (a *account) asking(ctx context.Context, costs []dest.Cost, ask func(context.Context) error) (storage, err error) {
	wait, failed, err := a.ready(ctx, false)
	switch {
	case err != nil:
		return err, nil
	case failed != nil:
		return nil, failed
	case wait > 0:
		return nil, fmt.Errorf("the connection %q is paused", a.name)
	}
	ctx, cancel := a.d.before(ctx)
	defer cancel()
	leave, entered := a.enter(ctx)
	if !entered {
		return nil, errors.New("there was no time to ask")
	}
	defer leave()
	for _, c := range costs {
		if err := a.spend(ctx, c); errors.Is(err, errSpent) || ctx.Err() != nil {
			return nil, err
		} else if err != nil {
			return err, nil
		}
	}
	err = guarded(func() error { return ask(ctx) })
	a.settleUp()
	if err != nil {
		if call, is := errors.AsType[*dest.CallError](err); is {
			call = callError(call)
			if err := a.yield(ctx, call, costs); err != nil {
				return err, nil
			}
			err = call
		}
	}
	return nil, err
}

// guarded calls what may have a defect: a panic costs this sync its check or
// its figures, and the process nothing.
func guarded(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &dest.CallError{Op: "ask the destination", Class: dest.Refused, Code: codePanic, Message: "a defect in Penstock met this check (" + kindOf(p) + "): report it"}
		}
	}()
	return do()
}

// sample reads a day's sample back. err is our storage's.
func (d *Deliver) sample(ctx context.Context, v syncdef.Version, s *verify.Summary, now time.Time) error {
	size := v.Definition.VerifySample()
	if size == 0 {
		*s = verify.Summary{}
		return nil
	}
	var report verify.Report
	err := guarded(func() (err error) {
		report, err = d.compare(ctx, verify.Request{Sync: v.Definition.Sync, Sample: size, Seed: verify.Seed(v.Definition.Sync, now)})
		return err
	})
	_, isCall := errors.AsType[*dest.CallError](err)
	switch {
	case errors.Is(err, ErrUnknowable):
		*s = verify.Summary{}
	case isCall:
		s.Failure = err.Error()
	case err != nil && !errors.Is(err, run.ErrNotFound):
		return err
	case err == nil:
		keep(s, &report)
	}
	return nil
}

// keep stores a report in place of the last one, unless it says less: one that stopped
// before its end tells of the records that it compared, if these are more than nothing.
func keep(s *verify.Summary, r *verify.Report) {
	if r.Stopped != "" && r.Compared == 0 {
		s.Failure = r.Stopped
		return
	}
	*s = r.Summary()
	s.Failure = r.Stopped
}
