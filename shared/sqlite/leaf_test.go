package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/ledger"
)

// leaves checks every leaf, and returns how many entries each has.
func leaves(t *testing.T, s *Store) (counts []int) {
	t.Helper()
	type leaf struct {
		from int64
		body []byte
	}
	var all []leaf
	if err := s.read(t.Context(), func(c *conn) error {
		return c.query(func(q *stmt) error { all = append(all, leaf{q.int(0), q.bytes(1)}); return nil }, "SELECT slot, body FROM ledger ORDER BY slot")
	}); err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 || all[0].from != 0 {
		t.Fatal("there is no first leaf")
	}
	for i, l := range all {
		n, slots := 0, map[int64]int{}
		for last, body := l.from, l.body; len(body) > 0; n++ {
			slot, _, rest, err := nextEntry(body)
			if err != nil {
				t.Fatal(err)
			}
			if slot < last || i+1 < len(all) && slot >= all[i+1].from {
				t.Errorf("slot %d is in the leaf %d after %d", slot, l.from, last)
			}
			last, body = slot, rest
			slots[slot]++
		}
		if shared := n > len(slots); len(l.body) > leafMost && !shared {
			t.Errorf("leaf %d has %d bytes of %d slots", l.from, len(l.body), len(slots))
		}
		counts = append(counts, n)
	}
	return counts
}

// Leaves that grow are cut, those that lose their entries stay, and however an entry came
// and went, it is found, listed once, or neither.
func TestLeaves(t *testing.T) {
	for _, shared := range []bool{false, true} {
		t.Run(fmt.Sprint("shared slots ", shared), func(t *testing.T) { testLeaves(t, shared) })
	}
}

func testLeaves(t *testing.T, shared bool) {
	if shared { // one of them in every second entry, more than a leaf holds
		real := slotOf
		t.Cleanup(func() { slotOf = real })
		slotOf = func(target int64, key []byte) int64 {
			if key[len(key)-1]%2 == 0 {
				return target<<hashBits | 77<<40
			}
			return real(target, key)
		}
	}
	const most = 40
	rng := rand.New(rand.NewPCG(3, 5))
	s := mustOpen(t, "", newClock().now)
	s.waits(most)
	holds := map[string]int64{}
	key := func() string { return fmt.Sprint("key ", rng.IntN(400)) }
	for step := range 300 {
		if step%10 == 9 {
			forgotten := []string{key(), key(), key()}
			if err := s.ForgetEntries(t.Context(), "t", forgotten); err != nil {
				t.Fatal(err)
			}
			for _, k := range forgotten {
				delete(holds, k)
			}
			continue
		}
		keys := slices.Compact(slices.Sorted(slices.Values([]string{key(), key(), key(), key(), key()})))
		stored, err := s.Entries(t.Context(), "t", keys)
		if err != nil {
			t.Fatal(err)
		}
		var entries []ledger.Entry
		for _, k := range keys {
			if e, there := stored[k]; e.Last.Sequence != holds[k] || there != (holds[k] > 0) {
				t.Fatalf("step %d: %s has sequence %d, %t, want %d", step, k, e.Last.Sequence, there, holds[k])
			}
			holds[k] = int64(step + 1)
			entries = append(entries, ledger.Entry{
				Key: k, Held: ledger.Held{ID: strings.Repeat("x", rng.IntN(900))}, Last: ledger.Last{Sequence: holds[k]}, Revision: stored[k].Revision,
			})
		}
		if lost, err := s.Commit(t.Context(), "t", entries); err != nil || len(lost) > 0 {
			t.Fatalf("step %d: lost %v, %v", step, lost, err)
		}
	}
	for range 2 { // while some wait, and when none does
		for _, limit := range []int{1, 7, 1000} {
			if diff := cmp.Diff(holds, listAll(t, s, limit)); diff != "" {
				t.Errorf("listed by %d (-want +got):\n%s", limit, diff)
			}
		}
		if err := s.write(t.Context(), s.sortIn); err != nil {
			t.Fatal(err)
		}
	}
	if n := leaves(t, s); len(n) < 10 {
		t.Errorf("the entries are in %d leaves", len(n))
	}
	var all []string
	for k := range holds {
		all = append(all, k)
	}
	if err := s.ForgetEntries(t.Context(), "t", all); err != nil {
		t.Fatal(err)
	}
	if n := leaves(t, s); slices.Max(n) > 0 || len(listAll(t, s, 3)) > 0 {
		t.Errorf("all entries are forgotten, and the leaves have %v", n)
	}
}

// listAll is the sequence of each entry, listed in pages, each once.
func listAll(t *testing.T, s *Store, limit int) map[string]int64 {
	t.Helper()
	got := map[string]int64{}
	for after := ""; ; {
		page, next, err := s.EntriesAfter(t.Context(), "t", after, limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			if _, twice := got[e.Key]; twice {
				t.Errorf("%s is listed twice", e.Key)
			}
			got[e.Key] = e.Last.Sequence
		}
		if after = next; next == "" {
			return got
		}
	}
}

// A first load fills leaves well: one that is cut leaves room in each part, but not more
// than half.
func TestLeavesAreFull(t *testing.T) {
	s := mustOpen(t, "", newClock().now)
	s.waits(1000)
	var keys []string
	for range 20 {
		if err := commitNew(t, s, &keys, 1000); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.write(t.Context(), s.sortIn); err != nil {
		t.Fatal(err)
	}
	holdsAll(t, s, keys)
	n := leaves(t, s)
	bytes := 0
	if err := s.read(t.Context(), func(c *conn) error {
		return c.query(func(q *stmt) error { bytes = int(q.int(0)); return nil }, "SELECT sum(length(body)) FROM ledger")
	}); err != nil {
		t.Fatal(err)
	}
	if fill := float64(bytes) / float64(len(n)) / leafMost; fill < 0.5 {
		t.Errorf("%d leaves are filled to %.2f", len(n), fill)
	}
}

// A leaf that cannot be read is told as damage, by whatever meets it.
func TestDamagedLeaf(t *testing.T) {
	for _, damage := range []string{"UPDATE ledger SET body = substr(body, 1, length(body) - 1)", "DELETE FROM ledger"} {
		s := mustOpen(t, "", newClock().now)
		s.waits(1)
		var keys []string
		if err := commitNew(t, s, &keys, 3); err != nil {
			t.Fatal(err)
		}
		if err := s.write(t.Context(), func(c *conn) error { return c.script(damage) }); err != nil {
			t.Fatal(err)
		}
		s.late = late{} // as another process has it
		if _, err := s.Entries(t.Context(), "t", append(keys, "absent")); !errors.Is(err, errEntry) {
			t.Errorf("%s: read: %v", damage, err)
		}
		if err := s.ForgetEntries(t.Context(), "t", keys[:1]); !errors.Is(err, errEntry) {
			t.Errorf("%s: forget: %v", damage, err)
		}
		if err := commitNew(t, s, &keys, 3); !errors.Is(err, errEntry) {
			t.Errorf("%s: commit: %v", damage, err)
		}
	}
}

func FuzzLeaf(f *testing.F) {
	var body []byte
	for i := range sample {
		body = appendPending(body, int64(i), &sample[i], 1, 2)
		f.Add(int64(i), sample[i].Key, body)
	}
	f.Fuzz(func(t *testing.T, slot int64, key string, body []byte) {
		rest, found, err := without(body, slot, key)
		if err != nil {
			return
		}
		if _, again, err := without(rest, slot, key); again || err != nil {
			t.Errorf("it is still there: %t, %v", again, err)
		}
		if !found && !bytes.Equal(rest, body) {
			t.Error("something else is gone")
		}
	})
}
