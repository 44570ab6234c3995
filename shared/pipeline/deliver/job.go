package deliver

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pipeline/version"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// commitEvery is how many answered rows are committed at once while further calls
// go on: few enough for the rest to be committed within the margin.
const commitEvery = 1000

// maxRounds bounds how often a row goes round once more: found, gone, found.
const maxRounds = 4

// A job is the part of a work that belongs to one run and version.
type job struct {
	d        *Deliver
	w        *work
	run      run.Run
	version  *version.Compiled
	account  *account
	dst      dest.Destination
	messages []*message
	open     []*item
	halt     *run.Halt // the version's, when there is one: this job is its one try

	mu      sync.Mutex
	stop    string                   // why no further row is sent: stop_on_error
	wait    time.Duration            // until the connection or the version may be tried again; 0: go on
	waits   map[string]time.Duration // the same of single buckets
	cause   *dest.CallError          // what made it wait
	halted  bool                     // it waits for the version, or ended for it
	ending  bool                     // its rows were ended for the version
	fault   error                    // of our own storage: everything that is not settled goes back
	answers []*item                  // answered, not yet committed
	proven  bool                     // some call of the version was carried out
	hung    int                      // rows whose calls hung though each was alone in it

	calls chan struct{} // one for each that is under way, as many as may be
}

func newJob(w *work, m *message) *job {
	return &job{
		d: w.inv.d, w: w, run: m.run, version: m.version, account: m.account, waits: map[string]time.Duration{},
		open: make([]*item, 0, len(w.items)),
	}
}

func (j *job) def() *syncdef.Definition { return &j.version.Version.Definition }
func (j *job) rules() *syncdef.Rules    { return &j.version.Version.Rules }

// deliver brings the job's open rows to the destination, as far as it goes.
func (j *job) deliver(ctx context.Context) {
	defer j.finish()
	if j.stop = j.failedBefore(); j.stop != "" {
		j.stopRest(j.open)
		return
	}
	wait, failed, err := j.account.ready(ctx, true)
	if err != nil {
		j.fault = err
		return
	}
	if wait > 0 {
		j.wait, j.cause = wait, failed
		return
	}
	if !j.mayTry(ctx) || !j.reach(ctx) {
		return
	}
	j.calls = make(chan struct{}, max(1, j.atOnce()))
	for range maxRounds {
		if !j.round(ctx) {
			break
		}
	}
	j.account.settleUp()
}

// reach opens the version's end of the road. Where that is refused, the version halts,
// or its rows wait a moment when the settings are other ones by now.
func (j *job) reach(ctx context.Context) bool {
	raw := j.account.settings()
	var err error
	if j.dst, err = j.account.end(j.messages[0]); err == nil {
		return true
	}
	moved := errors.Is(err, errMoved)
	if !moved {
		j.account.doubt()
		if err := j.account.refresh(ctx); err != nil {
			j.fault = err
			return false
		}
		moved = j.account.settings() != raw
	}
	if moved {
		j.wait = time.Second
		return false
	}
	failed := callError(err)
	failed.Scope, failed.Received = dest.ScopeVersion, false
	j.haltFor(ctx, failed)
	return false
}

// round looks up what must be, then pushes what is still open; it reports whether
// rows have to go round once more.
func (j *job) round(ctx context.Context) bool {
	for _, items := range j.parts() {
		if b := j.batch(items); !b.slow || j.hasLong(ctx, 0) {
			j.bring(ctx, b)
		}
	}
	again := false
	for _, i := range j.open {
		again = again || i.state == stateOpen && (i.slow || i.rounds > 0) && i.rounds < maxRounds
	}
	return again && !j.ended()
}

// parts are the open rows without a known fault, and apart from them those whose
// last outcome was a refusal, so that known faults do not fail good calls, and those
// whose calls hung.
func (j *job) parts() [][]*item {
	clean, refused, slow := make([]*item, 0, len(j.open)), []*item(nil), []*item(nil)
	for _, i := range j.open {
		switch {
		case i.state != stateOpen:
		case i.slow:
			slow = append(slow, i)
		case i.refused():
			refused = append(refused, i)
		default:
			clean = append(clean, i)
		}
	}
	var parts [][]*item
	for _, p := range [][]*item{clean, refused, slow} {
		if len(p) > 0 {
			parts = append(parts, p)
		}
	}
	return parts
}

// ended reports whether no further call is made in this invocation.
func (j *job) ended() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.stop != "" || j.wait > 0 || j.fault != nil || j.ending || j.halted
}

// push makes the calls that bring the rows.
func (j *job) push(ctx context.Context, b *batch) {
	most := j.account.callSize(j.reached(b))
	j.each(ctx, j.cut(b, func(b dest.Batch) []dest.Call { return j.dst.Calls(b, most) }), b)
}

// reached is the least call size that halving reached for a message of the job.
func (j *job) reached(b *batch) int {
	if b.slow {
		return 1
	}
	least := 0
	for _, m := range j.messages {
		if m.most > 0 && (least == 0 || m.most < least) {
			least = m.most
		}
	}
	return least
}

// cut lets the destination cut a batch into calls. Where it panics, each row is
// cut by itself, so that a defect costs its row only.
func (j *job) cut(b *batch, calls func(dest.Batch) []dest.Call) []dest.Call {
	if len(b.Records) == 0 {
		return nil
	}
	got, kind := safely(func() []dest.Call { return calls(b.Batch) })
	if kind == "" {
		return got
	}
	var all []dest.Call
	for at, i := range b.items {
		one := b.Batch
		one.Records = b.Records[at : at+1]
		got, kind := safely(func() []dest.Call { return calls(one) })
		if kind != "" {
			i.fail("deliver", codePanic, "", "a defect in Penstock met this row ("+kind+"): report it, and push the row again with a release that mends it")
			continue
		}
		for _, c := range got {
			all = append(all, dest.Call{Costs: c.Costs, Records: []int{at}})
		}
	}
	return all
}

func safely[T any](f func() T) (out T, kind string) {
	defer func() {
		if p := recover(); p != nil {
			kind = kindOf(p)
		}
	}()
	return f(), ""
}

// each makes the calls, several at a time.
func (j *job) each(ctx context.Context, calls []dest.Call, b *batch) {
	n := j.atOnce()
	if len(calls) == 0 || n == 0 {
		return
	}
	defer j.commitAnswers(ctx, true)
	if j.singly(calls, b) {
		j.oneByOne(ctx, calls, b, n)
		return
	}
	var unpaid atomic.Int64 // whichever call is the first takes tokens for all that follow
	unpaid.Store(int64(len(calls)))
	parallel(n, len(calls), func(n int) { j.whole(ctx, calls[n], b, int(unpaid.Add(-1))+1) })
}

// parallel does so many things, a few of them at a time.
func parallel(atOnce, many int, do func(n int)) {
	if atOnce == 1 || many == 1 {
		for n := range many {
			do(n)
		}
		return
	}
	g := errgroup.Group{}
	g.SetLimit(atOnce)
	for n := range many {
		g.Go(func() error {
			do(n)
			return nil
		})
	}
	_ = g.Wait() // the calls report to the job
}

// atOnce is how many calls are made at a time, 0 where the account cannot be opened.
func (j *job) atOnce() int {
	opened, _ := j.account.vendor()
	switch {
	case opened == nil:
		return 0
	case j.halt != nil: // one try of a halted version at a time
		return 1
	}
	return max(1, opened.Limits().Concurrency)
}

// finish settles what the calls left open: it waits with its messages, or is
// cancelled with its run.
func (j *job) finish() {
	j.account.book(j.run.ID)
	if j.stop != "" {
		j.stopRest(j.open)
	}
	if j.halted || j.wait > 0 { // what halving reached proved nothing about the rows
		for _, m := range j.messages {
			m.most = m.record.Most
		}
	}
	for _, i := range j.open {
		if i.state != stateOpen {
			continue
		}
		i.state = stateWaiting
		switch {
		case j.fault != nil:
			i.m.broken(j.d, j.fault)
		case j.wait > 0:
			i.m.postpone(j.d.jitter(j.wait))
			if j.cause != nil {
				i.m.tried = j.d.Now()
			}
		default: // out of time
			i.m.lower(i.m.part)
			i.m.postpone(time.Millisecond)
		}
	}
}

// tell hands the job's first message back for a fault that left no row open: it is told
// with a message, and what it kept from being done is done when that comes again.
func (j *job) tell() {
	if j.fault != nil && !slices.ContainsFunc(j.messages, func(m *message) bool { return m.fault != nil }) {
		j.messages[0].broken(j.d, j.fault)
	}
}
