package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

var syncNames = [2]string{"accounts", "others"}

const keysAtFirst = 12 // of each model

// newSim is the world of a plan, before its first moment.
func newSim(p plan) (*sim, error) {
	s := &sim{
		plan: p, now: epoch, rng: rand.New(rand.NewPCG(p.Seed, 2)), back: make(chan struct{}),
		faults: map[string]map[int]fault{}, calls: map[string]int{}, hits: map[string]int{},
	}
	for _, f := range p.Faults {
		if s.faults[f.Port] == nil {
			s.faults[f.Port] = map[int]fault{}
		}
		s.faults[f.Port][f.Nth] = f
	}
	var err error
	if s.store, err = sqlite.Open("", s.clock); err != nil {
		return nil, err
	}
	s.vendor, s.model = newSimVendor(s), newModel(s)
	if err := s.store.PutConnection(bg, syncdef.Connection{Name: "prod", Type: "crm", URL: firstOrg}); err != nil {
		return nil, err
	}
	for i := range syncNames {
		if err := s.store.Apply(bg, s.definition(i, "Constant__c")); err != nil {
			return nil, err
		}
	}
	for range p.Workers {
		s.spawn(0, s.worker)
	}
	for n := range 2 {
		s.spawn(time.Duration(n*23)*time.Second, s.sweeper)
	}
	for n, st := range p.Steps {
		s.spawn(st.At, func(k *task) { s.step(k, n, st) })
	}
	return s, nil
}

// definition is a version of a sync, whose constant goes to the given field.
func (s *sim) definition(i int, constant string) syncdef.Version {
	d := accounts(s.model.lanes[i])
	if s.plan.Stop[i] {
		d.OnError = syncdef.Stop
	}
	d.Incremental.IncludeFailed = s.plan.Include
	d.RecordID = []string{"rid"}
	d.Sync, d.Fields[1].Destination = syncNames[i], constant
	rules := syncdef.Rules{Type: "crm", Identity: simRules}
	if i == 1 && s.plan.Second != "upsert" {
		d.Operation = syncdef.Insert
		rules.Once, rules.Lookup = true, s.plan.Second == "insert-lookup"
	}
	if d.Operation == syncdef.Upsert {
		d.OnDelete, rules.Idempotent = syncdef.RemoveDelete, true
	}
	if i == 0 && s.plan.Mirror {
		d.Mirror = &syncdef.Mirror{MaxDeletes: "100%"}
	}
	return syncdef.NewVersion(d, rules, s.now)
}

func (s *sim) once(i int) bool { return i == 1 && s.plan.Second != "upsert" }

// worker polls the queue as Lambda does, and hands messages to a process.
func (s *sim) worker(k *task) {
	p := &proc{s: s, skew: time.Duration(s.rng.IntN(2000)-1000) * time.Millisecond}
	s.workers = append(s.workers, p)
	live, dead := s.boot(p, false), s.boot(p, true)
	idle := time.Second
	for {
		in, err := s.store.Receive(bg, "crm", 1+s.rng.IntN(10), hidden)
		if err != nil {
			s.fails("receive: %v", err)
			return
		}
		if len(in) == 0 {
			k.wakes = true
			k.sleep(idle)
			k.wakes = false
			idle = min(2*idle, 20*time.Second)
			continue
		}
		idle = time.Second
		d := live
		if s.model.deadLetters > 0 {
			s.model.deadLetters--
			s.hits["cell:dead letters"]++
			d = dead
		}
		var r deliver.Result
		if !p.invoke(k, s.plan.Limit, func(ctx context.Context) { r = d.Handle(ctx, in) }) {
			live, dead = s.boot(p, false), s.boot(p, true)
			k.sleep(time.Second)
			continue
		}
		for _, m := range in {
			if slices.Contains(r.Stay, m.ID) {
				continue
			}
			if s.calls["Delete"]++; s.faults["Delete"][s.calls["Delete"]].Kind != "" && !s.healed {
				s.hits["Delete:lost"]++
				continue
			}
			if err := s.store.Delete(bg, "crm", m.Receipt); err != nil {
				s.fails("acknowledge: %v", err)
			}
		}
		k.sleep(time.Millisecond)
	}
}

// boot is a worker that knows nothing.
func (s *sim) boot(p *proc, dead bool) *deliver.Deliver {
	o := port{p}
	return &deliver.Deliver{
		Queue: "crm", Syncs: o, Connections: o, Tokens: o, Runs: o, Chunks: o, Unchanged: o, Halts: o, Ledger: o, Errors: o, Visibility: o,
		Open: func(c syncdef.Connection) (dest.Account, error) { return &simAccount{p: p, org: c.URL}, nil },
		Now:  p.now, Rand: s.rng.Float64, Hidden: hidden, Dead: dead, Timeout: deliver.Timeout,
		Sleep: func(ctx context.Context, d time.Duration) error {
			if d > 2*time.Second {
				s.fails("I5: a billed wait of %v", d)
			}
			p.wait(d)
			return ctx.Err()
		},
	}
}

func (p *proc) intake() *intake.Intake {
	o := port{p}
	return &intake.Intake{Syncs: o, Connections: o, Runs: o, Batches: o, Chunks: o, Errors: o, Queue: o, Ledger: o, Seen: o, Now: p.now}
}

func (p *proc) stores() runs.Stores {
	o := port{p}
	return runs.Stores{Syncs: o, Definitions: o, Connections: o, Runs: o, History: o, Recorded: o, Marks: o, Errors: o, Due: o, Ledger: o, Halts: o, Depths: o, Mirrors: o}
}

// sweeper runs every minute.
func (s *sim) sweeper(k *task) {
	p := &proc{s: s, skew: time.Duration(s.rng.IntN(2000)-1000) * time.Millisecond}
	s.model.procs = append(s.model.procs, p)
	var sweep *runs.Sweep
	boot := func() {
		in := p.intake()
		sweep = &runs.Sweep{Stores: p.stores(), Replayer: in, Remover: in, Policy: run.DefaultPolicy(), Now: p.now}
	}
	boot()
	for {
		if !p.invoke(k, 0, func(ctx context.Context) {
			healed := s.healed // one that began amid the trouble may have met it
			if err := sweep.Run(ctx); err != nil && healed {
				s.fails("sweep: %v", err)
			}
		}) {
			boot()
		}
		k.sleep(time.Minute)
	}
}

// A server is a process that answers requests, one at a time.
type server struct {
	p       *proc
	busy    bool
	intake  *intake.Intake
	control *runs.Control
}

func (v *server) boot() {
	v.intake = v.p.intake()
	v.control = &runs.Control{Stores: v.p.stores(), Replayer: v.intake, Policy: run.DefaultPolicy(), Now: v.p.now}
}

// serve lets a free server, or a new one, answer a request; false: it died, or the
// answer is lost.
func (s *sim) serve(k *task, f func(ctx context.Context, v *server)) bool {
	i := slices.IndexFunc(s.model.servers, func(v *server) bool { return !v.busy })
	if i < 0 {
		i = len(s.model.servers)
		p := &proc{s: s, skew: time.Duration(s.rng.IntN(2000)-1000) * time.Millisecond}
		s.model.procs = append(s.model.procs, p)
		v := &server{p: p}
		v.boot()
		s.model.servers = append(s.model.servers, v)
	}
	v := s.model.servers[i]
	v.busy = true
	lived := v.p.invoke(k, 0, func(ctx context.Context) { f(ctx, v) })
	if !lived {
		v.boot()
	}
	v.busy = false
	return lived
}

// try makes a request as often as a warehouse does; false: it got no answer. A
// refusal is an answer.
func (s *sim) try(k *task, f func(ctx context.Context, v *server) error) (answered bool, refused error) {
	for n := range 20 {
		var err error
		if s.serve(k, func(ctx context.Context, v *server) { err = f(ctx, v) }) {
			if err == nil {
				return true, nil
			}
			var refusal *row.Refusal
			if errors.As(err, &refusal) && refusal.Kind != row.SlowDown {
				return true, err
			}
			if s.healed {
				s.fails("a request after all is healed: %v", err)
			}
		}
		if n >= 5 && !s.healed {
			break
		}
		k.sleep(time.Duration(1+s.rng.IntN(15)) * time.Second)
	}
	return false, fmt.Errorf("no answer")
}
