package storetest

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/pipeline"
	"github.com/penstock-data/penstock/shared/run"
)

var errorTests = []test{
	{"empty", func(t *testing.T, s Stores) {
		ok(t, s.Errors.StoreErrors(t.Context(), nil))
		wantErrors(t, s, "health.1", 10)
	}},
	{"store and overwrite", func(t *testing.T, s Stores) {
		e := anError("b1", 7)
		ok(t, s.Errors.StoreErrors(t.Context(), []run.RowError{e, anError("b1", 8)}))
		e.Message, e.Attempts, e.Source = "später", 3, nil
		ok(t, s.Errors.StoreErrors(t.Context(), []run.RowError{e}))
		wantErrors(t, s, "health.1", 10, e, anError("b1", 8))
	}},
	{"one row twice in a call", func(t *testing.T, s Stores) {
		last := anError("b1", 7)
		last.Message = "the last one"
		ok(t, s.Errors.StoreErrors(t.Context(), []run.RowError{anError("b1", 7), last}))
		wantErrors(t, s, "health.1", 10, last)
	}},
	{"order and pages", func(t *testing.T, s Stores) {
		var all, shuffled []run.RowError
		for _, batch := range []string{"0a", "0b", "f0"} {
			for _, n := range []int{0, 1, 2, 9, 10, 11, 99, 100, 2048, 99_999, 1_000_000} {
				all = append(all, anError(batch, n))
			}
		}
		for i := range all {
			shuffled = append(shuffled, all[i*7%len(all)])
		}
		other := anError("0a", 5)
		other.Run = "health.11"
		ok(t, s.Errors.StoreErrors(t.Context(), append(shuffled, other)))
		for _, limit := range []int{1, 4, 11, 32, 33, 100} {
			wantErrors(t, s, "health.1", limit, all...)
		}
	}},
	{"the source is cut off", func(t *testing.T, s Stores) {
		e := anError("b1", 1)
		e.Source = bytes.Repeat([]byte("x"), 5<<20)
		ok(t, s.Errors.StoreErrors(t.Context(), []run.RowError{e}))
		e.Source = e.Source[:256<<10]
		wantErrors(t, s, "health.1", 10, e)
	}},
	{"larger than a page", func(t *testing.T, s Stores) {
		var all []run.RowError
		for i := range 30 {
			e := anError("b1", i)
			e.Source = bytes.Repeat([]byte{byte('a' + i)}, 200_000)
			all = append(all, e)
		}
		ok(t, s.Errors.StoreErrors(t.Context(), all))
		wantErrors(t, s, "health.1", 100, all...)
		wantErrors(t, s, "health.1", 7, all...)
	}},
	{"a token that is none", func(t *testing.T, s Stores) {
		if _, _, err := s.Errors.RunErrors(t.Context(), "health.1", 10, "nonsense"); err == nil {
			t.Error("no error")
		}
	}},
	{"reopened", func(t *testing.T, s Stores) {
		ok(t, s.Errors.StoreErrors(t.Context(), []run.RowError{anError("b1", 7)}))
		s = s.Reopen()
		wantErrors(t, s, "health.1", 10, anError("b1", 7))
	}},
}

func anError(batch string, number int) run.RowError {
	return run.RowError{
		Sync: "health", Run: "health.1", Batch: batch, Row: number, RecordID: fmt.Sprint("cust_", number), Key: "größe.example",
		Type: "too_long", Message: "Name holds 300 characters, 255 are allowed", Field: "Name", Stage: "intake", Attempts: 1,
		At: start.Add(time.Duration(number)), Place: start.UnixNano(), Source: []byte(`{"n":9007199254740993,"s":"é\u0000"}`),
	}
}

// wantErrors reads a run's errors page by page.
func wantErrors(t *testing.T, s Stores, runID string, limit int, want ...run.RowError) {
	t.Helper()
	total := 0
	for _, e := range want {
		total += len(e.Source)
	}
	large := total > pipeline.ErrorPage
	var got []run.RowError
	after := ""
	for page := 0; ; page++ {
		errs, next, err := s.Errors.RunErrors(t.Context(), runID, limit, after)
		ok(t, err)
		if got = append(got, errs...); next == "" {
			if !large && page != max(0, len(want)-1)/limit {
				t.Errorf("limit %d: %d pages for %d errors", limit, page+1, len(want))
			}
			break
		}
		size := 0
		for _, e := range errs {
			size += len(e.Source)
		}
		if large && size > pipeline.ErrorPage+256<<10 {
			t.Errorf("limit %d: a page of %d bytes", limit, size)
		}
		if len(errs) != limit && (!large || size < pipeline.ErrorPage/2) || len(got) > len(want) {
			t.Fatalf("limit %d: a page of %d errors with more to come, %d of %d so far", limit, len(errs), len(got), len(want))
		}
		after = next
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(bytes.Equal)); diff != "" {
		t.Errorf("RunErrors limit %d (-want +got):\n%.2000s", limit, diff)
	}
}
