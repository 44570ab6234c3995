package pipeline_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// fixedSeeds is how many seeds a plain go test runs.
const fixedSeeds = 40

// number is an environment variable's.
func number(t *testing.T, name string, otherwise uint64) uint64 {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestSimulation runs the whole road from seeds: PENSTOCK_SEEDS of them, from
// PENSTOCK_SEED on. A seed that breaks an invariant is shrunk, and its plan printed:
// put it into testdata/simulation, and TestFound runs it from then on.
func TestSimulation(t *testing.T) {
	first, many := number(t, "PENSTOCK_SEED", 1), number(t, "PENSTOCK_SEEDS", fixedSeeds)
	var mu sync.Mutex
	hits := map[string]int{}
	next, most := first, 5
	if os.Getenv("PENSTOCK_SHRINK") == "no" { // for who wants to know only whether one fails
		most = 1
	}
	var failing []uint64
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for {
				mu.Lock()
				seed := next
				stop := seed >= first+many || len(failing) >= most
				next++
				mu.Unlock()
				if stop {
					return
				}
				wrong, seen := trySeed(newPlan(seed))
				mu.Lock()
				for k, n := range seen {
					hits[k] += n
				}
				if len(wrong) > 0 {
					failing = append(failing, seed)
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	slices.Sort(failing)
	for n, seed := range failing {
		p := newPlan(seed)
		if n == 0 && most > 1 {
			p = shrink(p)
		}
		wrong, _ := trySeed(p)
		text, _ := json.Marshal(p)
		t.Errorf("seed %d (as many as %d faults and %d steps of its plan are needed):\n%s\n%v", seed, len(p.Faults), len(p.Steps), text, lines(wrong))
	}
	fmt.Printf("simulation: %d seeds from %d on, failing: %v\n", many, first, failing)
	if many >= fixedSeeds && len(failing) == 0 {
		covered(t, hits)
	}
	if testing.Verbose() {
		for _, k := range slices.Sorted(mapKeys(hits)) {
			t.Logf("%6d %s", hits[k], k)
		}
	}
}

func mapKeys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func lines(wrong []string) (out string) {
	for _, w := range wrong {
		out += "  " + w + "\n"
	}
	return out
}

// trySeed runs a plan, then its calm form with and without poison (I9).
func trySeed(p plan) (wrong []string, hits map[string]int) {
	s, err := lived(p)
	if err != nil {
		return []string{err.Error()}, nil
	}
	wrong, hits = s.wrong, s.hits
	if len(p.Poison)+len(p.Refused)+len(p.Busy) > 0 && len(wrong) == 0 {
		wrong = compare(p.calm())
	}
	return wrong, hits
}

// lived is the world of a plan after its end.
func lived(p plan) (*sim, error) {
	s, err := newSim(p)
	if err != nil {
		return nil, err
	}
	s.run(lasts, nil)
	if s.heal() {
		s.check()
	}
	s.end()
	return s, s.store.Close()
}

// TestRepeats: a plan is all that a simulation does, else a seed would fail by chance.
func TestRepeats(t *testing.T) {
	for seed := range uint64(20) {
		first, err := lived(newPlan(seed))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := lived(newPlan(seed)); err != nil || again.digest != first.digest {
			t.Errorf("seed %d made other calls when it came again: %v", seed, err)
		}
	}
}

// shrink takes out of a plan what it can do without and still fail.
func shrink(p plan) plan {
	end := time.Now().Add(20 * time.Second)
	fails := func(q plan) bool {
		wrong, _ := trySeed(q)
		return len(wrong) > 0
	}
	for again := true; again && time.Now().Before(end); {
		again = false
		try := func(q plan) bool {
			if time.Now().Before(end) && fails(q) {
				p, again = q, true
				return true
			}
			return false
		}
		for i := 0; i < len(p.Faults); i++ {
			q := p
			if q.Faults = slices.Delete(slices.Clone(p.Faults), i, i+1); try(q) {
				i--
			}
		}
		for i := 0; i < len(p.Spells); i++ {
			q := p
			if q.Spells = slices.Delete(slices.Clone(p.Spells), i, i+1); try(q) {
				i--
			}
		}
		for i := range p.Steps {
			if p.Steps[i].Do == "" {
				continue
			}
			q := p
			q.Steps = slices.Clone(p.Steps)
			q.Steps[i].Do = "" // the others keep their names
			try(q)
		}
		for _, change := range []func(*plan){
			func(q *plan) { q.Poison = nil }, func(q *plan) { q.Refused = nil }, func(q *plan) { q.Busy = nil },
			func(q *plan) { q.Quota = 0 }, func(q *plan) { q.Moving = false }, func(q *plan) { q.Workers = 1 }, func(q *plan) { q.Lanes = 1 }, func(q *plan) { q.Search = false },
		} {
			q := p
			change(&q)
			a, _ := json.Marshal(p)
			if b, _ := json.Marshal(q); string(a) != string(b) {
				try(q)
			}
		}
	}
	return p
}

// TestFound runs the plans that once broke an invariant.
func TestFound(t *testing.T) {
	files, err := filepath.Glob("testdata/simulation/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			var p plan
			if err := json.Unmarshal(text, &p); err != nil {
				t.Fatal(err)
			}
			if wrong, _ := trySeed(p); len(wrong) > 0 {
				t.Errorf("\n%s", lines(wrong))
			}
		})
	}
}

// TestPlan runs the one plan in PENSTOCK_PLAN, a file, for a person who looks into it;
// without it one that found something.
func TestPlan(t *testing.T) {
	file := os.Getenv("PENSTOCK_PLAN")
	if file == "" {
		file = filepath.Join("testdata", "simulation", "call-cut-off.json")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var p plan
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	if wrong, _ := trySeed(p); len(wrong) > 0 {
		t.Errorf("\n%s", lines(wrong))
	}
}

// The failure matrix: where a crash happens, as faults of ports.
var matrix = map[string][]string{
	"before the batch item":                         {"PinBatch:die-before"},
	"after the item, before or amid the send":       {"PinBatch:die-after", "Send:partial-die", "Send:die-before"},
	"after the send, before the answer":             {"Send:die-after", "MarkSent:die-before", "MarkSent:die-after"},
	"a worker before the push":                      {"Entries:die-before", "Entries:die-after", "Push:die-before"},
	"after the push, before the ledger":             {"Push:die-after", "Commit:die-before"},
	"after the ledger, before the counter":          {"Commit:die-after", "RecordChunk:die-before"},
	"after the counter, before the acknowledgement": {"RecordChunk:die-after", "Delete:lost"},
	"failed rows stored, the counter not":           {"StoreErrors:die-after", "StoreErrors:partial-die", "StoreDue:die-before", "StoreDue:die-after"},
	"partial success":                               {"cell:partial success"},
	"a sweeper races another, or a worker":          {"CompleteRun:die-after", "UpdateRun:die-after", "DeleteDue:die-before", "UpdateRun:fail-after"},
	"what left a mirror's model":                    {"cell:mirrored"},
	"dead letters":                                  {"cell:dead letters"},
	"a message that waited for days":                {"cell:expired"},
	"a call's effect without its answer":            {"Push:lost", "Push:timeout", "Push:hang", "Push:partial", "Push:unknown"},
	"a call is carried out after it was given up":   {"cell:late"},
	"a delay beyond the visibility":                 {"Commit:slow", "Push:slow", "RecordChunk:slow", "Entries:slow"},
}

// covered asserts that every cell was reached.
func covered(t *testing.T, hits map[string]int) {
	for cell, any := range matrix {
		n := 0
		for _, k := range any {
			n += hits[k]
		}
		if n == 0 {
			t.Errorf("no seed reached the cell %q of the failure matrix (%v)", cell, any)
		}
	}
}
