package deliver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/verify"
)

// ErrUnknowable says, wrapped, that a destination's records cannot be read back; from Verify.
var ErrUnknowable = errors.New("records cannot be read back")

// listed is how many entries are listed at once.
const listed = 2000

// Verify reads records of a sync back from the destination and compares them with the
// ledger. What is not read, because the share of the quota is spent or the vendor fails,
// is told in the report's Stopped. The error is ErrUnknowable, of a sync that is not
// applied run.ErrNotFound, of a connection that cannot be used a *dest.CallError, of the
// request its own, or our storage's.
func (d *Deliver) Verify(ctx context.Context, q verify.Request) (verify.Report, error) {
	report, err := d.compare(ctx, q)
	if err == nil && d.Verifications != nil {
		err = d.remember(ctx, &report)
	}
	return report, err
}

// remember stores a person's report as a daily check's, so that what it shows to be mended
// ends the alert; one that says less than what was found last does not.
func (d *Deliver) remember(ctx context.Context, r *verify.Report) error {
	for range 3 {
		stored, err := d.Verifications.Verification(ctx, r.Sync)
		if err != nil {
			return err
		}
		next := stored.Of(r.Sync, r.Connection, r.Object)
		if next.Sample.Outweighs(r) {
			return nil
		}
		keep(&next.Sample, r)
		if now := d.Now(); len(next.Schema.Faults) > 0 && r.Stopped == "" { // whoever mended it need not wait for the next check
			v, err := d.Freshness.Current(ctx, r.Sync)
			if err == nil {
				next.Schema.TriedAt = now
				err = d.connection(r.Connection).schema(ctx, v, &next.Schema, now)
			}
			if err != nil {
				return err
			}
		}
		if err := d.Verifications.SetVerification(ctx, next); !errors.Is(err, run.ErrConflict) {
			return err
		}
	}
	return nil // others are at it
}

// compare is Verify, and stores nothing of what it finds.
func (d *Deliver) compare(ctx context.Context, q verify.Request) (verify.Report, error) {
	current, err := d.Freshness.Current(ctx, q.Sync)
	if err != nil {
		return verify.Report{}, fmt.Errorf("read sync %q: %w", q.Sync, err)
	}
	a := d.connection(current.Definition.Connection)
	if err := a.refresh(ctx); err != nil {
		return verify.Report{}, err
	}
	v := &verifier{d: d, a: a, yield: a.yield, q: q, current: current, versions: map[string]*written{}, seen: map[string]bool{}}
	def := &current.Definition
	v.out = verify.Report{Sync: q.Sync, Connection: def.Connection, Type: current.Rules.Type, Object: def.Object, Version: current.ID, AsOf: d.Now(), Seed: q.Seed,
		States: map[verify.State]int64{}, Fields: map[string]int64{}, Unsure: map[string]int64{}}
	opened, failed := a.vendor()
	if failed != nil {
		return v.out, failed
	}
	var reads bool
	if v.reader, reads = opened.(dest.Reader); !reads {
		return v.out, fmt.Errorf("%s: %w: what it holds cannot be known", current.Rules.Type, ErrUnknowable)
	}
	if why := syncdef.PersonalRefused(def, &a.stored.Connection); why != "" {
		return v.out, &dest.CallError{Op: "read the records of sync " + q.Sync, Class: dest.Configuration, Scope: dest.ScopeVersion, Code: codePersonal, Message: why}
	}
	v.target = a.targetOf(&current)
	err = v.run(ctx)
	return v.out, err
}

// A verifier compares one sync's records.
type verifier struct {
	d        *Deliver
	a        *account
	q        verify.Request
	current  syncdef.Version
	target   string
	reader   dest.Reader
	versions map[string]*written // by version id
	seen     map[string]bool     // by the destination's id: records that Each was called with
	out      verify.Report
	storage  error                                                     // of our own, met while tokens were taken
	last     dest.Cost                                                 // of the request made last
	yield    func(context.Context, *dest.CallError, []dest.Cost) error // what a 429 does
}

// run lists, chooses, reads and compares.
func (v *verifier) run(ctx context.Context) error {
	ctx, cancel := v.d.before(ctx)
	defer cancel()
	sample, err := v.choose(ctx)
	if err != nil && ctx.Err() != nil {
		v.out.Stopped = "there was no time to list what was delivered"
		return nil
	}
	if err != nil {
		return err
	}
	chosen := sample.Chosen()
	v.out.Budget = verify.Budget{Ledger: sample.Total(), Records: len(chosen), Calls: v.calls(chosen)}
	if v.q.Told != nil {
		if err := v.q.Told(v.out.Budget); err != nil {
			return err
		}
	}
	stopped, err := v.ready(ctx)
	if err != nil || stopped != "" {
		v.out.Stopped = stopped
		return err
	}
	leave, entered := v.a.enter(ctx)
	if !entered {
		v.out.Stopped = "there was no time to read"
		return nil
	}
	defer leave()
	err = v.all(ctx, chosen)
	v.a.settleUp()
	if err != nil {
		v.out.Stopped, err = v.why(ctx, err)
	}
	return err
}

// calls is how many calls reading the entries takes: version by version.
func (v *verifier) calls(chosen []ledger.Entry) (n int) {
	by := map[string]int{}
	for i := range chosen {
		e := &chosen[i]
		switch state := verify.Before(e); {
		case state == "":
			by[e.Held.Version]++
		case v.shows(e, state):
			by[v.current.ID]++
		}
	}
	for _, records := range by {
		n += v.reader.ReadCalls(&v.current.Definition, records)
	}
	return n
}

// shows reports whether an entry of which nothing can be said is read for Each alone.
func (v *verifier) shows(e *ledger.Entry, state verify.State) bool {
	return v.q.Each != nil && state != verify.Removed && e.Held.ID != ""
}

// choose lists the ledger, and draws the sample.
func (v *verifier) choose(ctx context.Context) (*verify.Sample, error) {
	s := &verify.Sample{Size: v.q.Sample, Seed: v.q.Seed}
	for after := ""; ; {
		page, next, err := v.d.Listing.EntriesAfter(ctx, v.target, after, listed)
		if err != nil {
			return nil, fmt.Errorf("list the ledger of sync %q: %w", v.q.Sync, err)
		}
		for _, e := range page {
			s.Add(e)
		}
		if next == "" {
			return s, nil
		}
		after = next
	}
}

// ready says why no call may be made now; "" for none.
func (v *verifier) ready(ctx context.Context) (string, error) {
	wait, failed, err := v.a.ready(ctx, false)
	switch {
	case err != nil:
		return "", err
	case failed != nil:
		return failed.Error(), nil
	case wait > 0:
		return fmt.Sprintf("the connection %q is paused", v.a.name), nil
	}
	return "", nil
}

// spend takes a request's tokens, and waits for them as long as the request allows.
func (v *verifier) spend(ctx context.Context, c dest.Cost) error {
	v.last = c
	err := v.a.spendWithin(ctx, c, max(v.q.Patience, maxWait))
	if err != nil && !errors.Is(err, errSpent) && ctx.Err() == nil {
		v.storage = err
	}
	return err
}

// why is an error of reading as what is told of it; err is our storage's, or the caller's.
func (v *verifier) why(ctx context.Context, failure error) (stopped string, err error) {
	call, isCall := errors.AsType[*dest.CallError](failure)
	switch {
	case v.storage != nil:
		return "", v.storage
	case errors.Is(failure, errSpent):
		return errSpent.Error(), nil
	case ctx.Err() != nil:
		return "there was no time to read on", nil
	case !isCall:
		return "", failure
	}
	call = callError(call)
	if err := v.yield(ctx, call, []dest.Cost{v.last}); err != nil {
		return "", err
	}
	return call.Error(), nil
}

// all reads and compares the chosen entries, version by version, in calls of full size.
func (v *verifier) all(ctx context.Context, chosen []ledger.Entry) error {
	by := map[string][]ledger.Entry{}
	var shown []ledger.Entry // of which nothing can be said, and which are shown all the same
	for i := range chosen {
		e := &chosen[i]
		if state := verify.Before(e); state != "" {
			v.out.States[state]++
			if v.shows(e, state) {
				shown = append(shown, *e)
			}
			continue
		}
		by[e.Held.Version] = append(by[e.Held.Version], *e)
	}
	for _, id := range slices.Sorted(maps.Keys(by)) {
		w, err := v.written(ctx, id)
		if err != nil {
			return err
		}
		if w.state != "" {
			v.out.States[w.state] += int64(len(by[id]))
			continue
		}
		for page := range slices.Chunk(by[id], v.reader.ReadSize()) {
			if err := v.page(ctx, w, page); err != nil {
				return err
			}
		}
	}
	return v.show(ctx, shown)
}

// show reads entries for Each alone.
func (v *verifier) show(ctx context.Context, entries []ledger.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	w, err := v.written(ctx, v.current.ID)
	if err != nil || w.state != "" {
		return err
	}
	for page := range slices.Chunk(entries, v.reader.ReadSize()) {
		if _, err := v.read(ctx, w, page); err != nil {
			return err
		}
	}
	return nil
}

// version loads the version that delivered; nil where it is not to be had.
func (v *verifier) version(ctx context.Context, id string) (syncdef.Version, bool, error) {
	if id == v.current.ID {
		return v.current, true, nil
	}
	got, err := v.d.Syncs.Version(ctx, v.q.Sync, id)
	if errors.Is(err, run.ErrNotFound) {
		return got, false, nil
	}
	return got, err == nil, err
}
