package pipeline_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// A plan is all that a simulation does, as data: what is taken out of it does not
// change the rest, so that a failing one can be shrunk.
type plan struct {
	Seed     uint64
	Lanes    int
	Second   string        // the other sync: upsert, insert, or insert-lookup
	Search   bool          // upserts look their records up
	Quota    int64         // calls in 10 s; 0 is no limit
	Moving   bool          `json:",omitempty"` // the share of it is lowered and raised all the time
	Limit    time.Duration // of an invocation: the platform ends it then; 0: it goes on
	Workers  int
	CallSize int
	Poison   []string // keys that make the vendor answer 500
	Refused  []string // keys that the vendor refuses
	Calm     bool     // see calm
	Busy     []string // keys that it has locked, until all is healed
	Stop     [2]bool  // stop_on_error
	Include  string   // include_failed of both syncs; "" is the default
	Mirror   bool     `json:",omitempty"` // the first sync's full runs remove what left its model
	Late     bool     `json:",omitempty"` // calls that hang are carried out after they were given up
	Steps    []step
	Faults   []fault
	Spells   []spell
}

// A step is something that a person, a warehouse or fate does.
type step struct {
	At   time.Duration
	Do   string
	Sync int
	Seed uint64
}

// A fault befalls the Nth call of a port.
type fault struct {
	Port string
	Nth  int
	Kind string
}

// A spell is a time in which something is out of order.
type spell struct {
	Kind string
	At   time.Duration
	For  time.Duration
}

// lasts is for how long a plan's steps begin.
const lasts = 30 * time.Minute

// Which faults a port's call may meet.
var (
	storageFaults = []string{"die-before", "die-after", "fail-before", "fail-after", "slow"}
	listFaults    = append([]string{"partial-die", "partial-fail"}, storageFaults...)
	vendorFaults  = []string{"die-before", "die-after", "500", "lost", "partial", "short", "busy", "unknown", "throttle", "throttle-long", "login", "refused", "slow", "hang"}
)

var faultPorts = []struct {
	name  string
	many  int // about how many calls a plan makes
	kinds []string
}{
	{"PinBatch", 25, storageFaults}, {"Send", 25, listFaults}, {"MarkSent", 25, storageFaults}, {"EnsureRun", 10, storageFaults},
	{"NextSequence", 20, storageFaults}, {"Batch", 25, storageFaults}, {"Entries", 25, storageFaults}, {"Commit", 40, listFaults},
	{"StoreErrors", 10, listFaults}, {"StoreDue", 5, storageFaults}, {"DeleteDue", 5, storageFaults}, {"EndDue", 4, storageFaults},
	{"RecordChunk", 50, storageFaults}, {"StartChunk", 10, storageFaults}, {"ReturnChunk", 10, storageFaults}, {"Chunk", 50, storageFaults},
	{"UpdateRun", 20, storageFaults}, {"CompleteRun", 5, storageFaults}, {"BeginRun", 5, storageFaults}, {"SetMark", 3, storageFaults},
	{"SetPace", 5, storageFaults}, {"SetHalt", 4, storageFaults}, {"DeleteHalt", 2, storageFaults}, {"Lease", 30, storageFaults},
	{"Hide", 15, storageFaults}, {"Run", 60, storageFaults}, {"ErrorsByRef", 8, storageFaults}, {"ChunksDone", 4, storageFaults},
	{"Push", 50, vendorFaults}, {"Push", 50, vendorFaults}, {"Push", 50, vendorFaults}, {"Push", 50, vendorFaults}, {"Lookup", 8, vendorFaults},
	{"Commit", 40, listFaults}, {"RecordChunk", 50, storageFaults}, {"Delete", 30, []string{"lost"}},
}

var stepKinds = []string{"push", "push", "push", "push", "push", "run", "run", "run", "full", "edit", "edit", "cancel", "retry", "retry-unknown", "reset", "remap", "break", "kill", "clock", "dead-letter", "abandon",
	"rekey", "rekey", "account", "lanes", "lanes", "retry-cancel", "cancel-retry", "away", "delete", "delete", "delete"}

// newPlan is the plan of a seed.
func newPlan(seed uint64) plan {
	r := rand.New(rand.NewPCG(seed, 1))
	p := plan{
		Seed: seed, Lanes: 1 + r.IntN(4), Second: []string{"upsert", "insert", "insert-lookup"}[r.IntN(3)], Search: r.IntN(3) == 0,
		Workers: 1 + r.IntN(3), CallSize: []int{1, 3, 3, 20}[r.IntN(4)],
		Mirror: seed%3 == 0, Late: seed%2 == 0, // drawn from nothing, so that seeds keep their plans
	}
	if r.IntN(2) == 0 {
		p.Quota, p.Moving = 20, seed%2 == 0
	}
	if r.IntN(3) > 0 {
		p.Limit = 30 * time.Second
	}
	keys := func(most int) (out []string) {
		for range r.IntN(most + 1) {
			out = append(out, fmt.Sprintf("%s/k%d", syncNames[r.IntN(2)], r.IntN(keysAtFirst)))
		}
		return out
	}
	p.Poison, p.Refused, p.Busy = keys(3), keys(2), keys(2)
	for range 6 + r.IntN(18) {
		p.Steps = append(p.Steps, step{At: span(r, lasts), Do: stepKinds[r.IntN(len(stepKinds))], Sync: r.IntN(2), Seed: r.Uint64()})
	}
	for range r.IntN(30) {
		f := faultPorts[r.IntN(len(faultPorts))]
		p.Faults = append(p.Faults, fault{f.name, 1 + r.IntN(f.many), f.kinds[r.IntN(len(f.kinds))]})
	}
	for range r.IntN(3) {
		p.Spells = append(p.Spells, spell{[]string{"outage", "login", "throttle", "storage", "reset"}[r.IntN(5)], span(r, lasts), span(r, 10*time.Minute)})
	}
	for i := range p.Stop {
		// An insert that may have arrived stops each run that meets it, until people look.
		p.Stop[i] = r.IntN(6) == 0 && (i == 0 || p.Second != "insert")
	}
	if r.IntN(3) == 0 {
		p.Include = []string{"1m", "10m"}[r.IntN(2)]
	}
	if p.Mirror {
		p.mirrors(rand.New(rand.NewPCG(seed, 2)))
	}
	if p.Late {
		r := rand.New(rand.NewPCG(seed, 3))
		for range 3 {
			p.Faults = append(p.Faults, fault{"Push", 1 + r.IntN(40), "hang"})
		}
	}
	slices.SortStableFunc(p.Steps, func(a, b step) int { return int(a.At - b.At) })
	return p
}

// mirrors adds full runs, records that leave the model, and what befalls their removal.
func (p *plan) mirrors(r *rand.Rand) {
	for range 3 {
		p.Steps = append(p.Steps, step{At: span(r, lasts), Do: []string{"full", "leave", "leave", "rekey"}[r.IntN(4)], Seed: r.Uint64()})
	}
	p.Steps = append(p.Steps, step{At: span(r, lasts), Do: "full", Seed: r.Uint64()})
	for range r.IntN(4) {
		port := []string{"StoreSeen", "Seen", "EntriesAfter", "StoreLeft", "Left", "UpdateRun"}[r.IntN(6)]
		p.Faults = append(p.Faults, fault{port, 1 + r.IntN(4), storageFaults[r.IntN(len(storageFaults))]})
	}
}

func span(r *rand.Rand, most time.Duration) time.Duration {
	return time.Duration(r.Int64N(int64(most))).Truncate(time.Millisecond)
}

// calm is the plan of one question only: what do poison rows cost the others (I9)? Where
// the share of the quota stays as it is: a quarter of it stretches their calls, too.
func (p plan) calm() plan {
	p.Faults, p.Spells, p.Calm, p.Stop, p.Moving = nil, nil, true, [2]bool{}, false
	var steps []step
	for _, st := range p.Steps {
		if st.Do == "run" || st.Do == "full" {
			st.Do = "push"
		}
		if st.Do == "push" || st.Do == "edit" {
			steps = append(steps, st)
		}
	}
	p.Steps = steps
	return p
}
