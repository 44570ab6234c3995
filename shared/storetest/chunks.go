package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

var chunkTests = []test{
	{"absent", func(t *testing.T, s Stores) {
		same(t, "Chunk", run.Chunk{}, must(s.Chunk(t.Context(), "health.1", "b1", 0))(t))
		same(t, "ChunksDone", map[int]bool{}, must(s.ChunksDone(t.Context(), "health.1", "b1", 3))(t))
		wantChunks(t, s, "health.1", nil)
	}},
	{"record once (I2)", func(t *testing.T, s Stores) {
		wantRecord(t, s, "b1", 1, aChunk(7), true)
		wantRecord(t, s, "b1", 1, aChunk(9), false)
		wantChunk(t, s, "b1", 1, aChunk(7))
		wantChunk(t, s, "b1", 0, run.Chunk{})
		undone := aChunk(3)
		undone.Done = false // what the caller says of Done does not matter
		wantRecord(t, s, "b1", 2, undone, true)
		wantChunk(t, s, "b1", 2, aChunk(3))
	}},
	{"record raced (I2)", func(t *testing.T, s Stores) {
		var first [4]atomic.Int32
		race(t, 16, func(i int) error {
			won, err := s.RecordChunk(t.Context(), "health.1", "b1", i%4, aChunk(int64(i%4)))
			if won {
				first[i%4].Add(1)
			}
			return err
		})
		for i := range first {
			if n := first[i].Load(); n != 1 {
				t.Errorf("chunk %d: %d callers were first, want 1", i, n)
			}
			wantChunk(t, s, "b1", i, aChunk(int64(i)))
		}
	}},
	{"start, return and record", func(t *testing.T, s Stores) {
		mark := run.Start{Receives: 2, At: start, Deaths: 1, Row: -1, Killers: map[int]int{7: 2}}
		ok(t, s.StartChunk(t.Context(), "health.1", "b1", 0, mark))
		wantChunk(t, s, "b1", 0, run.Chunk{Start: &mark})
		next := run.Start{Receives: 3, At: start.Add(time.Hour), Row: 5}
		ok(t, s.StartChunk(t.Context(), "health.1", "b1", 0, next))
		wantChunk(t, s, "b1", 0, run.Chunk{Start: &next})
		ok(t, s.ReturnChunk(t.Context(), "health.1", "b1", 0, 25, start, start.Add(time.Minute)))
		wantChunk(t, s, "b1", 0, run.Chunk{Most: 25, Tried: start, BusyUntil: start.Add(time.Minute)})
		ok(t, s.StartChunk(t.Context(), "health.1", "b1", 0, next)) // keeps what the hand-back said
		wantChunk(t, s, "b1", 0, run.Chunk{Start: &next, Most: 25, Tried: start, BusyUntil: start.Add(time.Minute)})
		ok(t, s.ReturnChunk(t.Context(), "health.1", "b1", 0, 0, time.Time{}, time.Time{}))
		wantChunk(t, s, "b1", 0, run.Chunk{})
		wantRecord(t, s, "b1", 0, aChunk(1), true)
		// A worker that was thought dead changes nothing any more.
		ok(t, s.StartChunk(t.Context(), "health.1", "b1", 0, mark))
		ok(t, s.ReturnChunk(t.Context(), "health.1", "b1", 0, 1, start, time.Time{}))
		wantChunk(t, s, "b1", 0, aChunk(1))
	}},
	{"which are done", func(t *testing.T, s Stores) {
		wantRecord(t, s, "b1", 0, aChunk(1), true)
		wantRecord(t, s, "b1", 11, aChunk(1), true)
		wantRecord(t, s, "b2", 2, aChunk(1), true)
		ok(t, s.StartChunk(t.Context(), "health.1", "b1", 3, run.Start{Receives: 2}))
		ok(t, s.ReturnChunk(t.Context(), "health.1", "b1", 4, 5, start, start))
		same(t, "ChunksDone", map[int]bool{0: true, 11: true}, must(s.ChunksDone(t.Context(), "health.1", "b1", 12))(t))
		same(t, "ChunksDone of another run", map[int]bool{}, must(s.ChunksDone(t.Context(), "health.11", "b1", 12))(t))
	}},
	{"all of a run", func(t *testing.T, s Stores) {
		want := map[string]run.Chunk{}
		for i := range 130 {
			batch := fmt.Sprint("b", i%7)
			wantRecord(t, s, batch, i, aChunk(int64(i)), true)
			want[fmt.Sprint(batch, "#", i)] = aChunk(int64(i))
		}
		mark := run.Start{Receives: 2, Row: -1}
		ok(t, s.StartChunk(t.Context(), "health.1", "b0", 3, mark))
		want["b0#3"] = run.Chunk{Start: &mark}
		if _, err := s.RecordChunk(t.Context(), "health.11", "b1", 0, aChunk(1)); err != nil {
			t.Fatal(err)
		}
		wantPin(t, s, aBatch("health.1", "b0", 200), aBatch("health.1", "b0", 200), true) // a batch is no chunk
		wantChunks(t, s, "health.1", want)
		stop := errors.New("enough")
		calls := 0
		err := s.Chunks(t.Context(), "health.1", func(string, int, run.Chunk) error { calls++; return stop })
		if !errors.Is(err, stop) || calls != 1 {
			t.Errorf("each was called %d times, then: %v", calls, err)
		}
	}},
	{"the store may be called for each", func(t *testing.T, s Stores) {
		wantRecord(t, s, "b1", 0, aChunk(1), true)
		wantRecord(t, s, "b1", 1, aChunk(1), true)
		ok(t, s.Chunks(t.Context(), "health.1", func(batch string, index int, c run.Chunk) error {
			_, err := s.RecordChunk(t.Context(), "health.2", batch, index, c)
			return err
		}))
		wantChunks(t, s, "health.2", map[string]run.Chunk{"b1#0": aChunk(1), "b1#1": aChunk(1)})
	}},
	{"a full record", func(t *testing.T, s Stores) {
		c := aChunk(2500)
		c.Outcomes = make([]byte, 2500)
		for i := range c.Outcomes {
			c.Outcomes[i] = "dusfr?c"[i%7]
		}
		c.Groups = nil
		for i := range run.MaxGroups + 1 {
			c.Groups = append(c.Groups, run.Group{Stage: "deliver", Type: fmt.Sprint("ERROR_OF_SOME_LENGTH_", i), Field: "Größe__c", Rows: 1})
		}
		wantRecord(t, s, "b1", 0, c, true)
		s = s.Reopen()
		wantRecord(t, s, "b1", 0, aChunk(1), false)
		wantChunk(t, s, "b1", 0, c)
	}},
}

func wantRecord(t *testing.T, s Stores, batch string, index int, c run.Chunk, first bool) {
	t.Helper()
	if got := must(s.RecordChunk(t.Context(), "health.1", batch, index, c))(t); got != first {
		t.Errorf("RecordChunk %d: first %t, want %t", index, got, first)
	}
}

func wantChunk(t *testing.T, s Stores, batch string, index int, want run.Chunk) {
	t.Helper()
	same(t, fmt.Sprint("Chunk ", index), want, must(s.Chunk(t.Context(), "health.1", batch, index))(t))
}

// wantChunks compares a run's records, by batch#index, in whatever order they come.
func wantChunks(t *testing.T, s Stores, runID string, want map[string]run.Chunk) {
	t.Helper()
	got := map[string]run.Chunk{}
	ok(t, s.Chunks(t.Context(), runID, func(batch string, index int, c run.Chunk) error {
		name := fmt.Sprint(batch, "#", index)
		if _, twice := got[name]; twice {
			t.Errorf("%s came twice", name)
		}
		got[name] = c
		return nil
	}))
	same(t, "Chunks", want, got)
}
