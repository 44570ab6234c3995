package sqlite

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
)

// A model is what the ledger must hold: each key's entry, its Revision the number of
// the commit that wrote it; and of those that are deleted, the commit at that time.
type model struct {
	entries map[string]ledger.Entry
	deleted map[string]int64
	commits int64
}

// commit is Commit by its doc comment, of entries whose Revision says when they were read.
func (m *model) commit(entries []ledger.Entry) (lost []int) {
	m.commits++
	for i, e := range entries {
		stored, there := m.entries[e.Key]
		switch at, gone := m.deleted[e.Key]; {
		case there && stored.Revision > e.Revision:
			merged, l := ledger.Merge(stored, e)
			if e = merged; l {
				lost = append(lost, i)
			}
		case !there && gone && e.Revision > 0 && e.Revision <= at:
			orphan, l := ledger.Orphan(e)
			if l {
				lost = append(lost, i)
				continue
			}
			e = orphan
		}
		e.Revision, e.Carries, e.Voids = m.commits, false, false
		m.entries[e.Key] = e
	}
	return lost
}

// forget is ForgetEntries: a commit of its own.
func (m *model) forget(keys []string) {
	for _, key := range keys {
		if _, there := m.entries[key]; there {
			m.deleted[key] = m.commits
			delete(m.entries, key)
		}
	}
	m.commits++
}

// Two processes with many readings in hand commit them in any order, while either of
// them sorts in and somebody has keys forgotten: each commit is judged as the model
// judges it.
func TestCommitsAgainstAModel(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { againstModel(t, seed) })
	}
}

func againstModel(t *testing.T, seed uint64) {
	if seed%3 == 0 { // keys that share slots
		real := slotOf
		t.Cleanup(func() { slotOf = real })
		slotOf = func(target int64, key []byte) int64 { return target<<hashBits | int64(key[len(key)-1]%4) }
	}
	rng := rand.New(rand.NewPCG(seed, 7))
	path := filepath.Join(t.TempDir(), "penstock.db")
	stores := []*Store{mustOpen(t, path, newClock().now), mustOpen(t, path, newClock().now)}
	for _, s := range stores {
		s.waits([]int{1, 5, 20, 60}[rng.IntN(4)])
	}
	m := model{entries: map[string]ledger.Entry{}, deleted: map[string]int64{}}
	type reading struct { // what a worker has in hand
		store  *Store
		mine   []ledger.Entry // with the store's revisions
		judged []ledger.Entry // the same with the model's
	}
	var inHand []reading
	for step := range 150 {
		if len(inHand) > 0 && rng.IntN(2) == 0 {
			i := rng.IntN(len(inHand))
			r := inHand[i]
			inHand = slices.Delete(inHand, i, i+1)
			lost, err := r.store.Commit(t.Context(), "t", r.mine)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(m.commit(r.judged), lost, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("step %d: lost (-want +got):\n%s", step, diff)
			}
			continue
		}
		r := reading{store: stores[rng.IntN(2)]}
		var keys []string
		for _, n := range rng.Perm(40)[:1+rng.IntN(12)] {
			keys = append(keys, fmt.Sprint("key", n))
		}
		read, err := r.store.Entries(t.Context(), "t", keys)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, step, m, read, keys)
		if rng.IntN(12) == 0 {
			keys = keys[:min(3, len(keys))]
			if err := stores[rng.IntN(2)].ForgetEntries(t.Context(), "t", keys); err != nil {
				t.Fatal(err)
			}
			m.forget(keys)
			continue
		}
		for _, key := range keys {
			e := ledger.Entry{Key: key, Last: ledger.Last{Run: fmt.Sprint("r", step), Sequence: rng.Int64N(50)}, Revision: read[key].Revision}
			if rng.IntN(3) > 0 {
				e.Held = ledger.Held{Fingerprint: row.Fingerprint{byte(step), 1}, Fields: []uint32{uint32(step)}, ID: key, Sequence: e.Last.Sequence}
			}
			switch rng.IntN(6) {
			case 0:
				e.Carries = true
			case 1:
				e.Voids = read[key].Revision > 0
			}
			r.mine = append(r.mine, e)
			if e.Revision = m.commits; read[key].Revision == 0 {
				e.Revision = 0
			}
			r.judged = append(r.judged, e)
		}
		inHand = append(inHand, r)
	}
}

// compare checks a reading against the model, its revisions aside.
func compare(t *testing.T, step int, m model, read map[string]ledger.Entry, keys []string) {
	t.Helper()
	for _, key := range keys {
		want, there := m.entries[key]
		got, stored := read[key]
		want.Revision, got.Revision = 0, 0
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || there != stored {
			t.Fatalf("step %d: %s: stored %t, want %t (-want +got):\n%s", step, key, stored, there, diff)
		}
	}
}
