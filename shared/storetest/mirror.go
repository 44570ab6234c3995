package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/run"
)

var mirrorTests = []test{
	{"seen", func(t *testing.T, s Stores) {
		wantSeen(t, s, "health.r1", nil)
		for _, one := range []struct {
			batch string
			part  int
			keys  []uint64
		}{{"b1", 0, []uint64{1, 2}}, {"b1", 1, []uint64{3}}, {"b2", 0, nil}, {"b1", 0, []uint64{1, 2}}} { // the first twice
			if err := s.StoreSeen(t.Context(), "health.r1", one.batch, one.part, run.AppendSeen(nil, one.keys...)); err != nil {
				t.Fatal(err)
			}
		}
		wantSeen(t, s, "health.r1", []string{"b1/0: 1 2", "b1/1: 3", "b2/0:"})
		wantSeen(t, s, "health.r2", nil)
		full := run.AppendSeen(nil, make([]uint64, run.SeenPart)...)
		if err := s.StoreSeen(t.Context(), "health.r2", "b1", 0, full); err != nil {
			t.Errorf("a whole part: %v", err)
		}
		refused := errors.New("enough")
		if err := s.Seen(t.Context(), "health.r1", func(string, int, []byte) error { return refused }); !errors.Is(err, refused) {
			t.Errorf("the caller's error is lost: %v", err)
		}
	}},
	{"unchanged", func(t *testing.T, s Stores) {
		wantHashes(t, s.Unchanged, "health.r1", nil)
		for n, keys := range [][]uint64{{1, 2}, {3}, {1, 2}} { // the first twice
			ok(t, s.StoreUnchanged(t.Context(), "health.r1", "b1", n%2, run.AppendSeen(nil, keys...)))
		}
		ok(t, s.StoreSeen(t.Context(), "health.r1", "b1", 0, run.AppendSeen(nil, 9)))
		wantHashes(t, s.Unchanged, "health.r1", []string{"b1/0: 1 2", "b1/1: 3"})
		wantHashes(t, s.Unchanged, "health.r2", nil)
		wantSeen(t, s, "health.r1", []string{"b1/0: 9"})
	}},
	{"left", func(t *testing.T, s Stores) {
		if _, err := s.Left(t.Context(), "health.r1", 0); !errors.Is(err, run.ErrNotFound) {
			t.Errorf("no page: %v", err)
		}
		odd := []string{"a", "größe", "not utf-8 \xff", strings.Repeat("k", 1024)}
		for page, keys := range [][]string{{"old"}, {"x"}} {
			if err := s.StoreLeft(t.Context(), "health.r1", page, keys); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.StoreLeft(t.Context(), "health.r1", 0, odd); err != nil {
			t.Fatal(err)
		}
		if err := s.StoreLeft(t.Context(), "health.r1", 1, nil); err != nil { // all of them are to stay
			t.Fatal(err)
		}
		for page, want := range [][]string{odd, nil} {
			if got, err := s.Left(t.Context(), "health.r1", page); err != nil || !slices.Equal(got, want) {
				t.Errorf("page %d: %q, %v", page, got, err)
			}
		}
	}},
	{"a ledger, listed", func(t *testing.T, s Stores) {
		wantListed(t, s, target)
		var all []ledger.Entry
		for n := range 57 {
			all = append(all, anEntry(fmt.Sprintf("key %d", n), int64(n+1)))
		}
		wantCommit(t, s, target, all)
		wantCommit(t, s, target+"#1", []ledger.Entry{anEntry("another target's", 1)})
		all[7] = anEntry("key 7", 99)
		wantCommit(t, s, target, over(t, s, all[7]))
		wantListed(t, s, target, all...)
		wantListed(t, s, target+"#1", anEntry("another target's", 1))
		wantListed(t, s, target+"#2")
	}},
}

func wantSeen(t *testing.T, s Stores, id string, want []string) {
	t.Helper()
	wantHashes(t, s.Seen, id, want)
}

func wantHashes(t *testing.T, read func(context.Context, string, func(string, int, []byte) error) error, id string, want []string) {
	t.Helper()
	var got []string
	err := read(t.Context(), id, func(batch string, part int, hashes []byte) error {
		text := fmt.Sprintf("%s/%d:", batch, part)
		run.EachSeen(hashes, func(h uint64) { text += fmt.Sprintf(" %d", h) })
		got = append(got, text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("seen %q, want %q", got, want)
	}
}

// wantListed lists a target's entries, few at a time.
func wantListed(t *testing.T, s Stores, target string, want ...ledger.Entry) {
	t.Helper()
	got := map[string]ledger.Entry{}
	for after, more, pages := "", true, 0; more; more = after != "" {
		entries, next, err := s.EntriesAfter(t.Context(), target, after, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if _, twice := got[e.Key]; twice {
				t.Errorf("%q is listed twice", e.Key)
			}
			e.Revision = 0
			got[e.Key] = e
		}
		if after = next; pages > 1000 {
			t.Fatal("the listing has no end")
		}
		pages++
	}
	all := map[string]ledger.Entry{}
	for _, e := range want {
		e.Revision = 0
		all[e.Key] = e
	}
	if d := cmp.Diff(all, got); d != "" {
		t.Error(d)
	}
}
