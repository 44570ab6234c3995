package run

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// A Gathering is how many rows each group of a run has, for versions that gather.
// Groups are told apart by a hash of 40 bits, so that a batch of thousands of
// them fits its item; two that share one are counted together.
type Gathering map[uint64]int

// groupBits keep collisions among 10,000 groups below one in 20,000.
const groupBits = 40

func groupHash(group string) uint64 {
	h := uint64(14695981039346656037) // FNV-1a
	for i := range len(group) {
		h = (h ^ uint64(group[i])) * 1099511628211
	}
	return (h ^ h>>groupBits) & (1<<groupBits - 1)
}

// Add counts a row.
func (g Gathering) Add(group string) { g[groupHash(group)]++ }

// Of is how many rows a group has.
func (g Gathering) Of(group string) int { return g[groupHash(group)] }

// Pack writes a Gathering as Batch.Groups keeps it: format 1, then per hash in
// ascending order the difference to the one before and the count.
func (g Gathering) Pack() []byte {
	if len(g) == 0 {
		return nil
	}
	hashes := make([]uint64, 0, len(g))
	for h := range g {
		hashes = append(hashes, h)
	}
	slices.Sort(hashes)
	b := append(make([]byte, 0, 1+7*len(g)), 1)
	last := uint64(0)
	for _, h := range hashes {
		b = binary.AppendUvarint(b, h-last)
		b = binary.AppendUvarint(b, uint64(g[h]))
		last = h
	}
	return b
}

// Gather sums the groups of a run's batches.
func Gather(batches []Batch) (Gathering, error) {
	total := Gathering{}
	for _, b := range batches {
		if err := total.unpack(b.Groups); err != nil {
			return nil, fmt.Errorf("batch %q of run %q: %w", b.ID, b.Run, err)
		}
	}
	return total, nil
}

func (g Gathering) unpack(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if b[0] != 1 {
		return fmt.Errorf("groups in format %d, this program knows format 1", b[0])
	}
	h := uint64(0)
	for b = b[1:]; len(b) > 0; {
		d, n := binary.Uvarint(b)
		count, m := binary.Uvarint(b[max(n, 0):])
		if n <= 0 || m <= 0 || count > MaxRows {
			return fmt.Errorf("groups: broken with %d bytes left", len(b))
		}
		h += d
		g[h] += int(count)
		b = b[n+m:]
	}
	return nil
}

// AddGroups merges the groups of failures of one run; what exceeds MaxGroups is
// counted as the type "other". The result is sorted by rows, the most first.
func AddGroups(all, more []Group) []Group {
	type name struct{ stage, kind, field string }
	sum := map[name]int64{}
	for _, list := range [][]Group{all, more} {
		for _, g := range list {
			sum[name{g.Stage, g.Type, g.Field}] += g.Rows
		}
	}
	other := name{kind: otherGroup}
	rest := sum[other]
	delete(sum, other)
	out := make([]Group, 0, len(sum)+1)
	for n, rows := range sum {
		out = append(out, Group{Stage: n.stage, Type: n.kind, Field: n.field, Rows: rows})
	}
	slices.SortFunc(out, compareGroups)
	for len(out) > MaxGroups {
		rest += out[len(out)-1].Rows
		out = out[:len(out)-1]
	}
	if rest > 0 {
		out = append(out, Group{Type: otherGroup, Rows: rest})
	}
	return out
}

const otherGroup = "other"

func compareGroups(a, b Group) int {
	switch {
	case a.Rows != b.Rows:
		if a.Rows > b.Rows {
			return -1
		}
		return 1
	case a.Stage != b.Stage:
		return strings.Compare(a.Stage, b.Stage)
	case a.Type != b.Type:
		return strings.Compare(a.Type, b.Type)
	}
	return strings.Compare(a.Field, b.Field)
}
