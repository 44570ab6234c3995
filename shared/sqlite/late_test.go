package sqlite

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/penstock-data/penstock/shared/ledger"
)

// commitNew commits n entries of new keys and adds the keys.
func commitNew(t *testing.T, s *Store, keys *[]string, n int) error {
	t.Helper()
	entries := make([]ledger.Entry, n)
	for i := range entries {
		entries[i] = ledger.Entry{Key: fmt.Sprint("k", len(*keys)), Last: ledger.Last{Sequence: 1}}
		*keys = append(*keys, entries[i].Key)
	}
	_, err := s.Commit(t.Context(), "t", entries)
	return err
}

// inLedger counts the entries of the table ledger.
func inLedger(t *testing.T, s *Store) (n int) {
	t.Helper()
	if err := s.read(t.Context(), func(c *conn) error {
		return c.query(func(q *stmt) error {
			for body := q.bytes(0); len(body) > 0; n++ {
				var err error
				if _, _, body, err = nextEntry(body); err != nil {
					return err
				}
			}
			return nil
		}, "SELECT body FROM ledger")
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

func holdsAll(t *testing.T, s *Store, keys []string) {
	t.Helper()
	if got, err := s.Entries(t.Context(), "t", keys); err != nil || len(got) != len(keys) {
		t.Errorf("%d of %d entries, %v", len(got), len(keys), err)
	}
}

// In a file, what waits is sorted in beside the calls, in several slices.
func TestSortBeside(t *testing.T) {
	const most = 203
	path := filepath.Join(t.TempDir(), "penstock.db")
	s := mustOpen(t, path, newClock().now)
	s.waits(most)
	var keys []string
	for range 3 {
		if err := commitNew(t, s, &keys, most-1); err != nil {
			t.Fatal(err)
		}
		s.beside.Wait()
		if n := inLedger(t, s); n != len(keys)-(most-1) {
			t.Fatalf("%d of %d are sorted in although fewer than %d wait", n, len(keys), most)
		}
		if err := commitNew(t, s, &keys, 1); err != nil {
			t.Fatal(err)
		}
		s.beside.Wait()
		if n := inLedger(t, s); n != len(keys) || len(s.late.young.seqs)+len(s.late.old.seqs) > 0 {
			t.Fatalf("%d of %d are sorted in, %d and %d rows wait", n, len(keys), len(s.late.old.seqs), len(s.late.young.seqs))
		}
	}
	holdsAll(t, s, keys)
	// A commit leaves it to the sorter, as long as that keeps up.
	s.sorting.Store(sortRuns) // by somebody who never comes
	for range 3 {
		if err := commitNew(t, s, &keys, most/2); err != nil {
			t.Fatal(err)
		}
		if n := inLedger(t, s); n != 3*most {
			t.Fatalf("a commit has sorted in %d", n-3*most)
		}
	}
	if err := commitNew(t, s, &keys, most/4); err != nil {
		t.Fatal(err)
	}
	if n := inLedger(t, s) - 3*most; n != sortFactor*(most/4) {
		t.Errorf("a commit of %d, where too many wait, has sorted in %d", most/4, n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	holdsAll(t, mustOpen(t, path, newClock().now), keys)
}

// A disk that is full while entries are sorted in loses none of them: they wait on, and
// later commits sort all of them in, before the sorter goes on.
func TestSortBesideFails(t *testing.T) {
	const most = 400
	s := mustOpen(t, filepath.Join(t.TempDir(), "penstock.db"), newClock().now)
	var keys []string
	s.waits(10 * most)
	if err := commitNew(t, s, &keys, most); err != nil {
		t.Fatal(err)
	}
	pragma(t, s, "PRAGMA max_page_count=1")
	s.waits(most)
	c := <-s.turn // as a commit has it
	s.sortBeside()
	s.turn <- c
	s.beside.Wait()
	if n, state := inLedger(t, s), s.sorting.Load(); n == most || state != sortFailed {
		t.Fatalf("on a full disk %d entries were sorted in, and the state is %d", n, state)
	}
	holdsAll(t, s, keys)
	pragma(t, s, "PRAGMA max_page_count=1000000")
	for inLedger(t, s) < most {
		if len(keys) > 3*most {
			t.Fatal("no commit sorts them in")
		}
		if err := commitNew(t, s, &keys, most/10); err != nil {
			t.Fatal(err)
		}
		s.beside.Wait()
	}
	holdsAll(t, s, keys)
	if state := s.sorting.Load(); state != sortNone {
		t.Errorf("the state is %d after all are sorted in", state)
	}
}

// Closing while entries are sorted in keeps them all.
func TestCloseWhileSortedIn(t *testing.T) {
	const most = 2000
	path := filepath.Join(t.TempDir(), "penstock.db")
	var keys []string
	for range 10 {
		s := mustOpen(t, path, newClock().now)
		s.waits(most)
		if err := commitNew(t, s, &keys, most); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	holdsAll(t, mustOpen(t, path, newClock().now), keys)
}

// A slot counts as free only where no key of it waits: a commit of one that was read before
// would count as one that saw it.
func TestSlotOfAKeyThatWaits(t *testing.T) {
	real := slotOf
	t.Cleanup(func() { slotOf = real })
	slotOf = func(target int64, key []byte) int64 { return target<<hashBits | int64(key[0]) }
	s := mustOpen(t, "", newClock().now)
	commit := func(key string, sequence int64) []int {
		lost, err := s.Commit(t.Context(), "t", []ledger.Entry{{Key: key, Last: ledger.Last{Sequence: sequence}}})
		if err != nil {
			t.Fatal(err)
		}
		return lost
	}
	holdsNone := func(key string) {
		if got, err := s.Entries(t.Context(), "t", []string{key}); err != nil || len(got) != 0 {
			t.Fatalf("%s: %v, %v", key, got, err)
		}
	}
	commit("first", 1) // so that the target has its number
	holdsNone("k")
	if lost := commit("k", 9); lost != nil {
		t.Fatalf("lost %v", lost)
	}
	holdsNone("k, of the same slot")
	if err := s.write(t.Context(), s.sortIn); err != nil {
		t.Fatal(err)
	}
	if lost := commit("k", 3); len(lost) != 1 {
		t.Error("what was read before the newer entry was committed won over it")
	}
}

// Two processes that sort in the same entries by turns, one of them later values too, lose
// none of these.
func TestTwoProcessesSortIn(t *testing.T) {
	const most = 300
	path := filepath.Join(t.TempDir(), "penstock.db")
	var of [2]*Store
	for i := range of {
		of[i] = mustOpen(t, path, newClock().now)
		of[i].waits(most)
		of[i].sorting.Store(sortRuns) // by nobody: the test does
	}
	entries := make([]ledger.Entry, most)
	keys := make([]string, most)
	for i := range entries {
		keys[i] = fmt.Sprint("k", i)
		entries[i] = ledger.Entry{Key: keys[i], Last: ledger.Last{Sequence: 1}}
	}
	sortIn := func(s *Store, n int) {
		if err := s.write(t.Context(), func(c *conn) error {
			s.touched = true
			if err := s.late.load(c); err != nil {
				return err
			}
			return s.sortSome(c, n)
		}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := of[0].Commit(t.Context(), "t", entries); err != nil {
		t.Fatal(err)
	}
	sortIn(of[0], most/4)
	later := entries[:most/3]
	for i := range later {
		later[i].Last.Sequence = 2
	}
	if _, err := of[1].Commit(t.Context(), "t", later); err != nil {
		t.Fatal(err)
	}
	sortIn(of[1], most-1)
	sortIn(of[0], most/2)
	if n := len(of[0].late.order); n == 0 || n == most {
		t.Fatalf("the first one has %d left to sort in", n)
	}
	sortIn(of[1], most)
	if n := len(of[1].late.order) + len(of[1].late.young.all); n != 0 {
		t.Fatalf("the second one has %d left to sort in", n)
	}
	got, err := mustOpen(t, path, newClock().now).Entries(t.Context(), "t", keys)
	if err != nil || len(got) != most {
		t.Fatalf("%d entries, %v", len(got), err)
	}
	for i, key := range keys {
		if e := got[key]; e.Last.Sequence != entries[i].Last.Sequence {
			t.Errorf("%s: sequence %d, want %d", key, e.Last.Sequence, entries[i].Last.Sequence)
		}
	}
}
