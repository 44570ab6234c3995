package sqlite

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/storetest"
)

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newClock() *clock { return &clock{at: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)} }

func mustOpen(t testing.TB, path string, now func() time.Time) *Store {
	t.Helper()
	s, err := Open(path, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// waits sets how many entries, and how many claims, wait to be sorted in; the entries are
// in a few slices.
func (s *Store) waits(most int) { s.lateMost, s.claimsMost, s.slice = most, most, max(1, most/4) }

func TestFile(t *testing.T) { testFile(t, func(*Store) {}) }

// Every commit is sorted into the ledger at once, or after a few others.
func TestFileSortedIn(t *testing.T)      { testFile(t, sortedAt(1), "ledger", "forget") }
func TestFileSortedInLater(t *testing.T) { testFile(t, sortedAt(5), "ledger", "forget") }

// A checkpoint after every write changes nothing that the calls beside it answer.
func TestFileCheckpointed(t *testing.T) {
	testFile(t, func(s *Store) { s.checkpoints.every = 1 }, "queue", "ledger", "forget")
}

func sortedAt(most int) func(*Store) { return func(s *Store) { s.waits(most) } }

func testFile(t *testing.T, set func(*Store), only ...string) {
	storetest.Run(t, func(t *testing.T) storetest.Stores {
		c, path := newClock(), filepath.Join(t.TempDir(), "penstock.db")
		var last *Store
		var reopen func() storetest.Stores
		reopen = func() storetest.Stores {
			if last != nil {
				if err := last.Close(); err != nil {
					t.Fatal(err)
				}
			}
			last = mustOpen(t, path, c.now)
			set(last)
			return stores(last, c, reopen)
		}
		return reopen()
	}, only...)
}

func TestMemory(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Stores {
		c := newClock()
		s := mustOpen(t, "", c.now)
		var same func() storetest.Stores // memory lives as long as its store
		same = func() storetest.Stores { return stores(s, c, same) }
		return same()
	})
}

func stores(s *Store, c *clock, reopen func() storetest.Stores) storetest.Stores {
	s.MaxReceives = 3
	return storetest.Stores{
		Store: s, Name: "salesforce", DeadLetters: "salesforce-dlq", MaxReceives: s.MaxReceives,
		Advance: c.advance, FakeClock: true, Reopen: reopen,
	}
}
