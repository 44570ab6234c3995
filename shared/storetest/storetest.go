// Package storetest is the one suite that every storage adapter passes: it holds
// shared/sqlite and shared/aws to the doc comments of the interfaces in the packages
// of pipeline.
// It knows no adapter. Wherever a rule could be broken by two callers at once, it
// calls from many goroutines.
package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// Stores is the adapter under test, empty, and what the suite must know of it.
type Stores struct {
	Store

	Name        string // of an empty queue
	DeadLetters string // of its dead letters
	MaxReceives int    // times a message is handed out before it goes there; 2 to 5

	// Advance lets time pass for the queue: a clock that the test holds, or a
	// wait where the server has its own.
	Advance func(d time.Duration)
	// FakeClock says that Advance costs nothing, so that minutes may pass.
	FakeClock bool
	// Reopen closes the stores and opens them again over the same data.
	Reopen func() Stores
	// Skip names checks that a server is known to answer differently from the
	// service it stands for, each with the difference.
	Skip map[string]string
}

// Run runs the suite, or these groups of it; open is called once per test and cleans
// up with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) Stores, only ...string) {
	groups := []struct {
		name  string
		tests []test
	}{
		{"syncs", syncTests}, {"connections", connectionTests}, {"runs", runTests}, {"marks", markTests}, {"halts", haltTests}, {"pauses", pauseTests}, {"audit", auditTests},
		{"batches", batchTests}, {"chunks", chunkTests}, {"ledger", ledgerTests}, {"errors", errorTests}, {"due", dueTests},
		{"firings", firingTests}, {"alerts", alertTests}, {"freshness", freshnessTests}, {"verification", verificationTests}, {"overview", overviewTests}, {"mirrors", mirrorTests}, {"forget", forgetTests}, {"gates", gateTests}, {"pace", paceTests}, {"queue", queueTests},
	}
	for _, g := range groups {
		if len(only) > 0 && !slices.Contains(only, g.name) {
			continue
		}
		t.Run(g.name, func(t *testing.T) {
			for _, tt := range g.tests {
				t.Run(tt.name, func(t *testing.T) {
					s := open(t)
					if why := s.Skip[g.name+"/"+tt.name]; why != "" {
						t.Skip("known difference of this server: " + why)
					}
					tt.run(t, s)
				})
			}
		})
	}
}

type test struct {
	name string
	run  func(t *testing.T, s Stores)
}

// start is a moment of the suite's own, with the nanoseconds that must survive.
var start = time.Date(2026, 3, 14, 15, 9, 26, 535897932, time.UTC)

// race calls f from n goroutines at once and fails the test on the first error.
func race(t *testing.T, n int, f func(i int) error) {
	t.Helper()
	var g errgroup.Group
	begin := make(chan struct{})
	for i := range n {
		g.Go(func() error { <-begin; return f(i) })
	}
	close(begin)
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func aRun(sync, id string) run.Run {
	return run.Run{
		ID: sync + "." + id, Sync: sync, Version: "v0123456789ab", Target: target, Mode: run.Incremental, Status: run.Open,
		BegunAt: start, Expected: -1, From: `"2026-03-13T00:00:00Z"`,
	}
}

func bracketed(sync, id string) run.Run {
	r := aRun(sync, id)
	r.Bracketed = true
	return r
}

func aBatch(runID, id string, chunks int) run.Batch {
	return run.Batch{
		Run: runID, ID: id, Sync: run.SyncOf(runID), Version: "v0123456789ab", BodyHash: "abc123", Chunks: chunks,
		Sequence: 1<<53 + 1, At: start, Cursor: "9007199254740993", Told: run.NumberCursor,
		Texts: &run.Texts{Rows: 1 << 40, Numerals: 2, Numeral: `"9"`}, Lanes: []byte{0, 3}, Rows: []byte{0, 255, 1},
		Groups: []byte{1, 0, 255}, Least: `"é"`, Failures: []run.Group{{Stage: "intake", Type: "too_long", Field: "größe", Rows: 2}},
		Faults: []row.Fault{{Field: "größe", Rule: "too_long", Message: "<300 of 255>"}},
		Asked:  &run.Asked{Errors: []run.AskedErrors{{Batch: "b1", Rows: []int{0, 7}}, {Batch: "b2", Rows: []int{1 << 31}}}, Next: "b2#9", Read: 8, Superseded: 1, PushAgain: 2, Unknown: 3},
		Counts: run.Counts{Received: int64(chunks)*10 + 2, Queued: int64(chunks) * 10, Rejected: 2, NoCursor: 1},
	}
}

func aChunk(delivered int64) run.Chunk {
	return run.Chunk{
		Done: true, At: start.Add(time.Minute), Hold: `"é"`, Outcomes: []byte("duf?"), Groups: []run.Group{{Stage: "deliver", Type: "busy", Rows: 2}},
		Counts: run.Counts{Delivered: delivered, Unchanged: 1, Failed: 2, Superseded: 3, Cancelled: 4, Calls: 5},
	}
}

// same compares what was stored with what came back.
func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%.3000s", what, diff)
	}
}

// fails checks a sentinel, which comes wrapped.
func fails(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", what, err, want)
	}
}

// won counts the calls of a race that were not refused with run.ErrConflict.
func won(t *testing.T, n int, f func(i int) error) int {
	t.Helper()
	var wins atomic.Int32
	race(t, n, func(i int) error {
		err := f(i)
		if errors.Is(err, run.ErrConflict) {
			return nil
		}
		wins.Add(1)
		return err
	})
	return int(wins.Load())
}

func names(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s%05d", prefix, i)
	}
	return all
}
