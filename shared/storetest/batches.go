package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/run"
)

var batchTests = []test{
	{"absent", func(t *testing.T, s Stores) {
		if _, err := s.Runs.Batch(t.Context(), "health.1", "b"); !errors.Is(err, pipeline.ErrNotFound) {
			t.Errorf("Batch: got %v, want ErrNotFound", err)
		}
		if err := s.Runs.MarkSent(t.Context(), "health.1", "b"); !errors.Is(err, pipeline.ErrNotFound) {
			t.Errorf("MarkSent: got %v, want ErrNotFound", err)
		}
		if _, err := s.Runs.RecordChunk(t.Context(), "health.1", "b", 0, aChunk(1)); !errors.Is(err, pipeline.ErrNotFound) {
			t.Errorf("RecordChunk: got %v, want ErrNotFound", err)
		}
		if err := s.Runs.DeferChunk(t.Context(), "health.1", "b", 0, 1); !errors.Is(err, pipeline.ErrNotFound) {
			t.Errorf("DeferChunk: got %v, want ErrNotFound", err)
		}
		if all := must(s.Runs.Batches(t.Context(), "health.1"))(t); len(all) != 0 {
			t.Errorf("Batches: got %d", len(all))
		}
	}},
	{"pin", func(t *testing.T, s Stores) {
		b := aBatch("health.1", "b1", 3)
		wantPin(t, s, b, b, true)
		other := aBatch("health.1", "b1", 1)
		other.BodyHash = "another"
		wantPin(t, s, other, b, false)
		ok(t, s.Runs.MarkSent(t.Context(), b.Run, b.ID))
		ok(t, s.Runs.MarkSent(t.Context(), b.Run, b.ID))
		b.Sent = true
		wantPin(t, s, other, b, false)
		wantBatch(t, s, b)
	}},
	{"pin without rows", func(t *testing.T, s Stores) {
		b := run.Batch{Run: "health.1", ID: "b0", Sync: "health", Version: "v1", Sent: true}
		wantPin(t, s, b, b, true)
		wantBatch(t, s, b)
	}},
	{"pin raced", func(t *testing.T, s Stores) {
		var created atomic.Int32
		got := make([]run.Batch, 8)
		race(t, 8, func(i int) error {
			b := aBatch("health.1", "b1", 2)
			b.BodyHash = fmt.Sprint(i)
			stored, first, err := s.Runs.PinBatch(t.Context(), b)
			if got[i] = stored; first {
				created.Add(1)
			}
			return err
		})
		if created.Load() != 1 {
			t.Errorf("%d callers created the batch, want 1", created.Load())
		}
		for _, b := range got[1:] {
			if diff := cmp.Diff(got[0], b); diff != "" {
				t.Errorf("callers got different batches:\n%s", diff)
			}
		}
	}},
	{"record", func(t *testing.T, s Stores) {
		b := aBatch("health.1", "b1", 3)
		wantPin(t, s, b, b, true)
		wantRecord(t, s, b, 1, aChunk(7), true)
		wantRecord(t, s, b, 1, aChunk(9), false)
		b.Chunks = map[int]run.Chunk{1: aChunk(7)}
		wantBatch(t, s, b)
		// A retry of the push sees what was recorded.
		wantPin(t, s, aBatch("health.1", "b1", 3), b, false)
	}},
	{"record raced", func(t *testing.T, s Stores) {
		b := aBatch("health.1", "b1", 4)
		wantPin(t, s, b, b, true)
		var first [4]atomic.Int32
		race(t, 16, func(i int) error {
			won, err := s.Runs.RecordChunk(t.Context(), b.Run, b.ID, i%4, aChunk(int64(i%4)))
			if won {
				first[i%4].Add(1)
			}
			return err
		})
		b.Chunks = map[int]run.Chunk{}
		for i := range first {
			if n := first[i].Load(); n != 1 {
				t.Errorf("chunk %d: %d callers were first, want 1 (I2)", i, n)
			}
			b.Chunks[i] = aChunk(int64(i))
		}
		wantBatch(t, s, b)
	}},
	{"defer", func(t *testing.T, s Stores) {
		b := aBatch("health.1", "b1", 2)
		wantPin(t, s, b, b, true)
		ok(t, s.Runs.DeferChunk(t.Context(), b.Run, b.ID, 0, 0))
		ok(t, s.Runs.DeferChunk(t.Context(), b.Run, b.ID, 0, 2))
		b.Chunks = map[int]run.Chunk{0: {Deferrals: 2, Attempts: 2}}
		wantBatch(t, s, b)
		// What the caller says of deferrals is ignored; what is stored stays.
		chunk := aChunk(5)
		chunk.Deferrals, chunk.Attempts = 99, 99
		wantRecord(t, s, b, 0, chunk, true)
		chunk.Deferrals, chunk.Attempts = 2, 2
		b.Chunks[0] = chunk
		wantBatch(t, s, b)
	}},
	{"defer raced", func(t *testing.T, s Stores) {
		b := aBatch("health.1", "b1", 1)
		wantPin(t, s, b, b, true)
		race(t, 8, func(int) error { return s.Runs.DeferChunk(t.Context(), b.Run, b.ID, 0, 1) })
		b.Chunks = map[int]run.Chunk{0: {Deferrals: 8, Attempts: 8}}
		wantBatch(t, s, b)
	}},
	{"list", func(t *testing.T, s Stores) {
		var want []run.Batch
		for i, id := range names("b", 30) {
			b := aBatch("health.1", id, 2)
			wantPin(t, s, b, b, true)
			if i%2 == 0 {
				wantRecord(t, s, b, 1, aChunk(int64(i)), true)
				b.Chunks = map[int]run.Chunk{1: aChunk(int64(i))}
			}
			want = append(want, b)
		}
		wantPin(t, s, aBatch("health.11", "b1", 1), aBatch("health.11", "b1", 1), true)
		got := must(s.Runs.Batches(t.Context(), "health.1"))(t)
		slices.SortFunc(got, func(a, b run.Batch) int { return strings.Compare(a.ID, b.ID) })
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("Batches (-want +got):\n%s", diff)
		}
	}},
	{"reopened", func(t *testing.T, s Stores) {
		b := aBatch("health.1", "b1", 2)
		wantPin(t, s, b, b, true)
		wantRecord(t, s, b, 0, aChunk(3), true)
		s = s.Reopen()
		wantRecord(t, s, b, 0, aChunk(4), false)
		b.Chunks = map[int]run.Chunk{0: aChunk(3)}
		wantBatch(t, s, b)
	}},
}

func wantPin(t *testing.T, s Stores, b, want run.Batch, created bool) {
	t.Helper()
	stored, first, err := s.Runs.PinBatch(t.Context(), b)
	ok(t, err)
	if first != created {
		t.Errorf("PinBatch: created %t, want %t", first, created)
	}
	if diff := cmp.Diff(want, stored, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("PinBatch (-want +got):\n%s", diff)
	}
}

func wantBatch(t *testing.T, s Stores, want run.Batch) {
	t.Helper()
	if diff := cmp.Diff(want, must(s.Runs.Batch(t.Context(), want.Run, want.ID))(t), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("Batch (-want +got):\n%s", diff)
	}
}

func wantRecord(t *testing.T, s Stores, b run.Batch, index int, c run.Chunk, first bool) {
	t.Helper()
	if got := must(s.Runs.RecordChunk(t.Context(), b.Run, b.ID, index, c))(t); got != first {
		t.Errorf("RecordChunk %d: first %t, want %t", index, got, first)
	}
}
