package pipeline_test

import (
	"container/heap"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/penstock-data/penstock/shared/sqlite"
)

// A sim is a world on virtual time: tasks that run strictly one at a time, each
// until it waits for something, over one store in memory. What it does is decided
// by its plan alone.
type sim struct {
	plan    plan
	now     time.Time
	rng     *rand.Rand // delays only: what is done is the plan's
	tasks   taskHeap
	order   int
	back    chan struct{} // a task waits or has ended
	over    bool          // every task ends where it waits
	healed  bool          // no fault happens any more
	faults  map[string]map[int]fault
	calls   map[string]int // of each port
	hits    map[string]int // faults that happened, and cells of the failure matrix that were reached
	wrong   []string       // what broke an invariant
	store   *sqlite.Store
	vendor  *simVendor
	model   *model
	workers []*proc
	dead    int           // workers' deaths
	shift   time.Duration // for how long nothing ran
	last    [2]string     // run of each sync's last statement
	digest  uint32        // of all calls of ports, in order
}

// epoch is so far ahead that a deadline of virtual time is never over by the real clock.
var epoch = time.Date(2100, 1, 4, 12, 0, 0, 0, time.UTC)

// traces prints what happens, for a person who looks into a failing plan.
var traces = os.Getenv("PENSTOCK_TRACE") != ""

func (s *sim) trace(format string, args ...any) {
	if traces {
		fmt.Printf("%12v  %s\n", s.now.Sub(epoch), fmt.Sprintf(format, args...))
	}
}

// fails notes a broken invariant.
func (s *sim) fails(format string, args ...any) {
	s.trace("WRONG "+format, args...)
	if len(s.wrong) < 20 {
		s.wrong = append(s.wrong, fmt.Sprintf("%v: ", s.now.Sub(epoch))+fmt.Sprintf(format, args...))
	}
}

func (s *sim) clock() time.Time { return s.now }

// A task is a coroutine.
type task struct {
	s      *sim
	at     time.Time
	order  int
	resume chan struct{}
	wakes  bool // it may be woken before its time
}

// spawn starts a task after a while.
func (s *sim) spawn(after time.Duration, body func(*task)) {
	k := &task{s: s, resume: make(chan struct{})}
	s.later(k, after)
	go func() {
		<-k.resume
		defer func() {
			if p := recover(); p != nil {
				s.fails("panic: %v\n%s", p, debug.Stack())
			}
			s.back <- struct{}{}
		}()
		if !s.over {
			body(k)
		}
	}()
}

func (s *sim) later(k *task, after time.Duration) {
	s.order++
	k.at, k.order = s.now.Add(after), s.order
	heap.Push(&s.tasks, k)
}

// sleep lets the others run for so long.
func (k *task) sleep(d time.Duration) {
	k.s.later(k, d)
	k.s.back <- struct{}{}
	<-k.resume
	if k.s.over {
		runtime.Goexit()
	}
}

// run lets tasks take turns until no time is left, or until is true.
func (s *sim) run(limit time.Duration, until func() bool) bool {
	from, before := s.now, s.shift
	for len(s.tasks) > 0 {
		end := from.Add(limit + s.shift - before)
		if until != nil && until() {
			return true
		}
		k := s.tasks[0]
		if k.at.After(end) {
			s.now = end
			return until != nil && until()
		}
		heap.Pop(&s.tasks)
		if k.at.After(s.now) {
			s.now = k.at
		}
		k.resume <- struct{}{}
		<-s.back
	}
	return true
}

// freeze lets so much time pass in which nothing runs: a machine that was switched off.
func (s *sim) freeze(d time.Duration) {
	s.shift += d
	s.now = s.now.Add(d)
	for _, k := range s.tasks {
		k.at = k.at.Add(d)
	}
}

// end lets every task end.
func (s *sim) end() {
	s.over = true
	for len(s.tasks) > 0 {
		k := heap.Pop(&s.tasks).(*task)
		k.resume <- struct{}{}
		<-s.back
	}
}

// wake lets idle workers look at the queue at once.
func (s *sim) wake() {
	for i := range s.tasks {
		if k := s.tasks[i]; k.wakes {
			k.wakes, k.at = false, s.now.Add(time.Duration(1+s.rng.IntN(50))*time.Millisecond)
		}
	}
	heap.Init(&s.tasks)
}

type taskHeap []*task

func (h taskHeap) Len() int { return len(h) }
func (h taskHeap) Less(i, j int) bool {
	if !h[i].at.Equal(h[j].at) {
		return h[i].at.Before(h[j].at)
	}
	return h[i].order < h[j].order
}
func (h taskHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *taskHeap) Push(x any)   { *h = append(*h, x.(*task)) }
func (h *taskHeap) Pop() any {
	old := *h
	k := old[len(old)-1]
	*h = old[:len(old)-1]
	return k
}

// A proc is a process: it has a clock of its own, and may die at any call of a port.
type proc struct {
	s      *sim
	k      *task // in whose time it runs
	dead   bool
	doomed bool          // dies at its next call
	skew   time.Duration // its clock is ahead by so much
	killAt time.Time     // the platform ends the invocation then; zero: never
	since  time.Time     // of the invocation
	stalls bool          // something in the invocation took longer than its message is hidden
}

func (p *proc) now() time.Time { return p.s.now.Add(p.skew) }

// invoke runs f as one invocation, of a limited time where the platform sets one;
// false says that the process died in it. Then all that it knew is gone.
func (p *proc) invoke(k *task, limit time.Duration, f func(ctx context.Context)) (lived bool) {
	p.k, p.since, p.stalls, p.killAt = k, p.s.now, false, time.Time{}
	ctx := context.Background()
	if limit > 0 {
		p.killAt = p.s.now.Add(limit)
		ctx = deadline{ctx, p.s, p.now().Add(limit), p.killAt}
	}
	done := make(chan bool)
	go func() {
		ok := false
		defer func() {
			if r := recover(); r != nil {
				p.s.fails("panic: %v\n%s", r, debug.Stack())
			}
			done <- ok
		}()
		f(ctx)
		ok = true
	}()
	lived = <-done
	if p.s.over {
		runtime.Goexit()
	}
	lived = lived && !p.dead
	p.dead, p.doomed = false, false
	return lived
}

// die ends the process: nothing of it goes on.
func (p *proc) die() {
	if !p.dead {
		p.dead = true
		p.s.dead++
	}
	runtime.Goexit()
}

// wait lets time pass in the process.
func (p *proc) wait(d time.Duration) {
	if p.dead || p.s.over {
		runtime.Goexit()
	}
	if !p.killAt.IsZero() && !p.s.now.Add(d).Before(p.killAt) {
		p.k.sleep(max(0, p.killAt.Sub(p.s.now)))
		p.s.hits["worker:timeout"]++
		p.die()
	}
	p.k.sleep(d)
	if p.s.now.Sub(p.since) >= hidden {
		p.stalls = true
	}
}

// A deadline is the end of an invocation in virtual time.
type deadline struct {
	context.Context
	s   *sim
	at  time.Time // by the process's clock
	end time.Time
}

func (d deadline) Deadline() (time.Time, bool) { return d.at, true }
func (d deadline) Err() error {
	if !d.s.now.Before(d.end) {
		return context.DeadlineExceeded
	}
	return nil
}

// AfterFunc lets derived contexts do without a goroutine; the process ends at the
// deadline anyway.
func (d deadline) AfterFunc(func()) func() bool { return func() bool { return true } }
