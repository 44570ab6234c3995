package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/penstock-data/penstock/shared/run"
)

var batchTests = []test{
	{"absent", func(t *testing.T, s Stores) {
		_, err := s.Batch(t.Context(), "health.1", "b")
		fails(t, "Batch", err, run.ErrNotFound)
		fails(t, "MarkSent", s.MarkSent(t.Context(), "health.1", "b"), run.ErrNotFound)
		_, err = s.Batch(t.Context(), "health.1", "b")
		fails(t, "Batch afterwards", err, run.ErrNotFound)
		if all := must(s.Batches(t.Context(), "health.1"))(t); len(all) != 0 {
			t.Errorf("Batches: got %d", len(all))
		}
	}},
	{"pin", func(t *testing.T, s Stores) {
		b := aBatch("health.1", "b1", 3)
		wantPin(t, s, b, b, true)
		other := aBatch("health.1", "b1", 1)
		other.BodyHash, other.Sequence = "another", 5
		wantPin(t, s, other, b, false)
		ok(t, s.MarkSent(t.Context(), b.Run, b.ID))
		ok(t, s.MarkSent(t.Context(), b.Run, b.ID))
		b.Sent = true
		wantPin(t, s, other, b, false)
		wantBatch(t, s, b)
	}},
	{"pin without rows", func(t *testing.T, s Stores) {
		b := run.Batch{Run: "health.1", ID: "b0", Sync: "health", Version: "v1", Sent: true}
		wantPin(t, s, b, b, true)
		wantBatch(t, s, b)
	}},
	{"pin a large one", func(t *testing.T, s Stores) {
		b := aBatch("health.1", "b1", 20)
		b.Rows = noise(20_000) // no item passes 100 KB
		wantPin(t, s, b, b, true)
		wantBatch(t, s, b)
	}},
	{"pin raced", func(t *testing.T, s Stores) {
		var created atomic.Int32
		got := make([]run.Batch, 8)
		race(t, 8, func(i int) error {
			b := aBatch("health.1", "b1", 2)
			b.BodyHash = fmt.Sprint(i)
			stored, first, err := s.PinBatch(t.Context(), b)
			if got[i] = stored; first {
				created.Add(1)
			}
			return err
		})
		if created.Load() != 1 {
			t.Errorf("%d callers created the batch, want 1", created.Load())
		}
		for _, b := range got[1:] {
			same(t, "the batch that a caller got", got[0], b)
		}
	}},
	{"list", func(t *testing.T, s Stores) {
		var want []run.Batch
		for i, id := range names("b", 30) {
			b := aBatch("health.1", id, 2)
			wantPin(t, s, b, b, true)
			if i%2 == 0 {
				wantRecord(t, s, id, 1, aChunk(int64(i)), true) // a chunk is no batch
				ok(t, s.MarkSent(t.Context(), b.Run, id))
				b.Sent = true
			}
			want = append(want, b)
		}
		wantPin(t, s, aBatch("health.11", "b1", 1), aBatch("health.11", "b1", 1), true)
		got := must(s.Batches(t.Context(), "health.1"))(t)
		slices.SortFunc(got, func(a, b run.Batch) int { return strings.Compare(a.ID, b.ID) })
		same(t, "Batches", want, got)
	}},
	{"reopened", func(t *testing.T, s Stores) {
		b := aBatch("health.1", "b1", 2)
		wantPin(t, s, b, b, true)
		s = s.Reopen()
		wantPin(t, s, aBatch("health.1", "b1", 1), b, false)
		wantBatch(t, s, b)
	}},
}

func wantPin(t *testing.T, s Stores, b, want run.Batch, created bool) {
	t.Helper()
	stored, first, err := s.PinBatch(t.Context(), b)
	ok(t, err)
	if first != created {
		t.Errorf("PinBatch: created %t, want %t", first, created)
	}
	same(t, "PinBatch", want, stored)
}

func wantBatch(t *testing.T, s Stores, want run.Batch) {
	t.Helper()
	same(t, "Batch", want, must(s.Batch(t.Context(), want.Run, want.ID))(t))
}
