package verify

import (
	"container/heap"
	"encoding/binary"
	"hash/fnv"
	"slices"

	"github.com/penstock-data/penstock/shared/ledger"
)

// DefaultSample is how many records are compared where nobody says: of 1,000 one in a
// hundred that differs is found with more than 99.99% certainty.
const DefaultSample = 1000

// A Sample chooses so many entries out of those that it is shown, each with the same
// chance, and the same ones whatever their order: those whose keys' hashes under the seed
// are the least.
type Sample struct {
	Size int // 0 keeps all
	Seed uint64

	kept  entries
	total int64
}

// Add shows an entry.
func (s *Sample) Add(e ledger.Entry) {
	s.total++
	r := ranked{rank: s.rank(e.Key), entry: e}
	switch {
	case s.Size == 0 || len(s.kept) < s.Size:
		heap.Push(&s.kept, r)
	case r.less(&s.kept[0]):
		s.kept[0] = r
		heap.Fix(&s.kept, 0)
	}
}

// Total is how many entries it was shown.
func (s *Sample) Total() int64 { return s.total }

// Chosen are the entries, in the order of their hashes.
func (s *Sample) Chosen() []ledger.Entry {
	sorted := slices.Clone(s.kept)
	slices.SortFunc(sorted, func(a, b ranked) int {
		if a.less(&b) {
			return -1
		}
		return 1
	})
	out := make([]ledger.Entry, len(sorted))
	for i := range sorted {
		out[i] = sorted[i].entry
	}
	return out
}

func (s *Sample) rank(key string) uint64 {
	h := fnv.New64a()
	var seed [8]byte
	binary.LittleEndian.PutUint64(seed[:], s.Seed)
	h.Write(seed[:])
	h.Write([]byte(key))
	return mix(h.Sum64())
}

// mix spreads a hash over all bits (MurmurHash3's finalizer): FNV's high bits depend little
// on a text's last letters.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

type ranked struct {
	rank  uint64
	entry ledger.Entry
}

func (r *ranked) less(o *ranked) bool {
	return r.rank < o.rank || r.rank == o.rank && r.entry.Key < o.entry.Key
}

// entries are a heap whose first is the one to go next.
type entries []ranked

func (h entries) Len() int           { return len(h) }
func (h entries) Less(i, j int) bool { return h[j].less(&h[i]) }
func (h entries) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *entries) Push(x any)        { *h = append(*h, x.(ranked)) }
func (h *entries) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
