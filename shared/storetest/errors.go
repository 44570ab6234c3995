package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

var errorTests = []test{
	{"empty", func(t *testing.T, s Stores) {
		ok(t, s.StoreErrors(t.Context(), nil))
		wantErrors(t, s, "health.1", 10)
	}},
	{"stored once an attempt", func(t *testing.T, s Stores) {
		e := anError("b1", 7)
		ok(t, s.StoreErrors(t.Context(), []run.RowError{e, anError("b1", 8)}))
		again := e
		again.Message, again.Due = "the same attempt again", start.Add(time.Hour)
		ok(t, s.StoreErrors(t.Context(), []run.RowError{again, anError("b1", 9)})) // the others are stored
		wantErrors(t, s, "health.1", 10, e, anError("b1", 8), anError("b1", 9))
		e.Message, e.Attempts, e.Source, e.Due = "später", 2, nil, start.Add(time.Minute)
		ok(t, s.StoreErrors(t.Context(), []run.RowError{e}))
		wantErrors(t, s, "health.1", 10, e, anError("b1", 8), anError("b1", 9))
		less := anError("b1", 7)
		ok(t, s.StoreErrors(t.Context(), []run.RowError{less}))
		wantErrors(t, s, "health.1", 10, e, anError("b1", 8), anError("b1", 9))
	}},
	{"replaced by a later try of the attempt", func(t *testing.T, s Stores) {
		ok(t, s.ReplaceErrors(t.Context(), nil))
		due, refused := anError("b1", 7), anError("b1", 7)
		due.Due = start.Add(time.Hour)
		refused.Type, refused.Field, refused.Source = "STRING_TOO_LONG", "Name", nil
		for _, e := range []run.RowError{due, refused, due} {
			ok(t, s.ReplaceErrors(t.Context(), []run.RowError{e, anError("b1", 8)}))
			wantErrors(t, s, "health.1", 10, e, anError("b1", 8))
		}
		next := due
		next.Attempts++
		ok(t, s.ReplaceErrors(t.Context(), []run.RowError{next}))
		ok(t, s.ReplaceErrors(t.Context(), []run.RowError{refused, anError("b1", 9)})) // the others are stored
		wantErrors(t, s, "health.1", 10, next, anError("b1", 8), anError("b1", 9))
	}},
	{"one attempt raced", func(t *testing.T, s Stores) {
		race(t, 8, func(i int) error {
			e := anError("b1", 7)
			e.Attempts = i + 1
			return s.StoreErrors(t.Context(), []run.RowError{e})
		})
		e := anError("b1", 7)
		e.Attempts = 8
		wantErrors(t, s, "health.1", 10, e)
	}},
	{"no attempts, no run", func(t *testing.T, s Stores) {
		e := anError("b1", 7)
		e.Run, e.Attempts = "", 0
		ok(t, s.StoreErrors(t.Context(), []run.RowError{e}))
		wantErrors(t, s, "", 10, e)
		wantErrors(t, s, "health.1", 10)
	}},
	{"a summary", func(t *testing.T, s Stores) {
		e := anError("b1", 1<<30) // no row's number
		for i := range 2500 {
			e.Summary = append(e.Summary, i*7)
		}
		e.Source = nil
		ok(t, s.StoreErrors(t.Context(), []run.RowError{e}))
		wantErrors(t, s, "health.1", 10, e)
	}},
	{"by ref", func(t *testing.T, s Stores) {
		same(t, "of none", map[string]run.RowError{}, must(s.ErrorsByRef(t.Context(), "health", nil))(t))
		var all []run.RowError
		want := map[string]run.RowError{}
		refs := []string{"health.1#none#1", "health.none#b1#1"}
		for i := range 230 {
			e := anError(fmt.Sprint("b", i%3), i)
			all = append(all, e)
			if i%2 == 0 {
				want[e.Ref()] = e
				refs = append(refs, e.Ref())
			}
		}
		other := anError("b1", 7)
		other.Sync, other.Run = "other", "other.1"
		ok(t, s.StoreErrors(t.Context(), append(all, other)))
		refs = append(refs, other.Ref(), refs[5]) // another sync's, and one twice
		got := must(s.ErrorsByRef(t.Context(), "health", refs))(t)
		if diff := cmp.Diff(want, got, cmp.Comparer(bytes.Equal)); diff != "" {
			t.Errorf("(-want +got):\n%.2000s", diff)
		}
		if _, err := s.ErrorsByRef(t.Context(), "health", []string{"nonsense"}); err == nil {
			t.Error("a ref that is none: no error")
		}
	}},
	{"the end of being due", func(t *testing.T, s Stores) {
		ok(t, s.EndDue(t.Context(), "health", nil, "why"))
		a, b, c := anError("b1", 1), anError("b1", 2), anError("b1", 3)
		for _, e := range []*run.RowError{&a, &b, &c} {
			e.Due = start.Add(time.Hour)
		}
		ok(t, s.StoreErrors(t.Context(), []run.RowError{a, b, c}))
		ok(t, s.EndDue(t.Context(), "health", []string{a.Ref(), "health.1#none#1"}, "the column is gone"))
		ok(t, s.EndDue(t.Context(), "health", []string{a.Ref()}, "the column is gone"))
		ok(t, s.EndDue(t.Context(), "health", []string{b.Ref()}, ""))
		ok(t, s.EndDue(t.Context(), "other", []string{c.Ref()}, "of another sync"))
		a, b = a.Ended("the column is gone"), b.Ended("")
		wantErrors(t, s, "health.1", 10, a, b, c)
		// Attempts stay: the same attempt is still a repetition, the next one is not.
		ok(t, s.StoreErrors(t.Context(), []run.RowError{anError("b1", 1)}))
		wantErrors(t, s, "health.1", 10, a, b, c)
		a.Attempts, a.Due = 2, start.Add(2*time.Hour)
		ok(t, s.StoreErrors(t.Context(), []run.RowError{a}))
		wantErrors(t, s, "health.1", 10, a, b, c)
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
		ok(t, s.StoreErrors(t.Context(), append(shuffled, other)))
		for _, limit := range []int{1, 4, 11, 32, 33, 100} {
			wantErrors(t, s, "health.1", limit, all...)
		}
	}},
	{"a large source", func(t *testing.T, s Stores) {
		fits, random, huge := anError("b1", 1), anError("b1", 2), anError("b1", 3)
		fits.Source = bytes.Repeat([]byte("abcdefgh"), 250<<10/8)
		random.Source, huge.Source = noise(200_000), bytes.Repeat([]byte("x"), 5<<20)
		ok(t, s.StoreErrors(t.Context(), []run.RowError{fits, random, huge}))
		random.Source, huge.Source = nil, nil // more than an item holds: none is stored
		wantErrors(t, s, "health.1", 10, fits, random, huge)
	}},
	{"larger than a page", func(t *testing.T, s Stores) {
		var all []run.RowError
		for i := range 30 {
			e := anError("b1", i)
			e.Source = bytes.Repeat([]byte{byte('a' + i)}, 200_000)
			all = append(all, e)
		}
		ok(t, s.StoreErrors(t.Context(), all))
		wantErrors(t, s, "health.1", 100, all...)
		wantErrors(t, s, "health.1", 7, all...)
	}},
	{"a token that is none", func(t *testing.T, s Stores) {
		for _, token := range []string{"nonsense", "#", "#1", "b1#", "b1#x", "b1#-2", "b1#01", "b1#1#1", "b1#99999999999999999999", strings.Repeat("b", 2000) + "#1"} {
			_, _, err := s.RunErrors(t.Context(), "health.1", 10, token)
			var refused *row.Refusal
			if !errors.As(err, &refused) || refused.Kind != row.Mistake { // the caller's, not ours
				t.Errorf("%.20q: %v", token, err)
			}
		}
	}},
	{"reopened", func(t *testing.T, s Stores) {
		ok(t, s.StoreErrors(t.Context(), []run.RowError{anError("b1", 7)}))
		s = s.Reopen()
		wantErrors(t, s, "health.1", 10, anError("b1", 7))
	}},
}

// noise is n bytes that do not compress, the same ones each time.
func noise(n int) []byte {
	b := make([]byte, n)
	rng := rand.NewChaCha8([32]byte{1})
	_, _ = rng.Read(b)
	return b
}

func anError(batch string, number int) run.RowError {
	return run.RowError{
		Sync: "health", Run: "health.1", Batch: batch, Row: number, RecordID: fmt.Sprint("cust_", number), Key: "größe.example",
		Type: "too_long", Message: "Name holds 300 characters, 255 are allowed", Field: "Name", Stage: "intake", Attempts: 1,
		At: start.Add(time.Duration(number)), Sequence: 1<<53 + 1, Source: []byte(`{"n":9007199254740993,"s":"é\u0000"}`),
	}
}

// wantErrors reads a run's errors page by page.
func wantErrors(t *testing.T, s Stores, runID string, limit int, want ...run.RowError) {
	t.Helper()
	total := 0
	for _, e := range want {
		total += len(e.Source)
	}
	large := total > run.ErrorPage
	var got []run.RowError
	after := ""
	for page := 0; ; page++ {
		errs, next, err := s.RunErrors(t.Context(), runID, limit, after)
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
		if large && size > run.ErrorPage+256<<10 {
			t.Errorf("limit %d: a page of %d bytes", limit, size)
		}
		if len(errs) != limit && (!large || size < run.ErrorPage/2) || len(got) > len(want) {
			t.Fatalf("limit %d: a page of %d errors with more to come, %d of %d so far", limit, len(errs), len(got), len(want))
		}
		after = next
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(bytes.Equal)); diff != "" && len(want)+len(got) > 0 {
		t.Errorf("RunErrors limit %d (-want +got):\n%.2000s", limit, diff)
	}
}
