package storetest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// forgetTests hold what a person's erasure asks of storage.
var forgetTests = []test{
	{"nothing is there", func(t *testing.T, s Stores) {
		ok(t, s.ForgetEntries(t.Context(), target, nil))
		ok(t, s.ForgetEntries(t.Context(), target, []string{"ann@acme.com"}))
		ok(t, s.ForgetErrors(t.Context(), nil))
		ok(t, s.ForgetErrors(t.Context(), []string{"health.1#b1#7"}))
		wantCommit(t, s, target, []ledger.Entry{anEntry("bob@acme.com", 1)})
		ok(t, s.ForgetEntries(t.Context(), target, []string{"ann@acme.com"}))
		wantEntries(t, s, target, []string{"ann@acme.com", "bob@acme.com"}, anEntry("bob@acme.com", 1))
	}},
	{"entries and claims of a key", func(t *testing.T, s Stores) {
		claimed := func(key, record string) ledger.Entry {
			e := anEntry(key, 1)
			e.Claim, e.Held.Record = record, ledger.RecordOf(record)
			return e
		}
		const other = target + "#1"
		wantCommit(t, s, target, []ledger.Entry{claimed("ann@acme.com", "c1"), claimed("ann@acme.org", "c1"), claimed("bob@acme.com", "c2"), anEntry("", 1), anEntry("not utf-8 \xff", 1)})
		wantCommit(t, s, other, []ledger.Entry{claimed("ann@acme.com", "c1")})
		for range 2 { // twice is the same as once
			ok(t, s.ForgetEntries(t.Context(), target, []string{"ann@acme.com", "", "not utf-8 \xff", "nobody"}))
			s = s.Reopen()
			wantEntries(t, s, target, []string{"ann@acme.com", "", "not utf-8 \xff"})
			wantKeys(t, s, target, "c1", "ann@acme.org")
			wantKeys(t, s, target, "c2", "bob@acme.com")
			wantKeys(t, s, other, "c1", "ann@acme.com")
			if got := keysAfter(t, s, target); !cmp.Equal(got, map[string]bool{"ann@acme.org": true, "bob@acme.com": true}) {
				t.Errorf("listed are %v", got)
			}
		}
	}},
	{"an entry that is written since", func(t *testing.T, s Stores) {
		wantCommit(t, s, target, []ledger.Entry{anEntry("ann", 1), anEntry("bob", 1)})
		read := over(t, s, anEntry("ann", 2), anEntry("bob", 2)) // a worker has read both
		ok(t, s.ForgetEntries(t.Context(), target, []string{"ann"}))
		wantEntries(t, s, target, []string{"ann"})
		wantCommit(t, s, target, read) // what it delivered is held there, and is known
		wantEntries(t, s, target, []string{"ann", "bob"}, anEntry("ann", 2), anEntry("bob", 2))
		ok(t, s.ForgetEntries(t.Context(), target, []string{"ann"}))
		wantCommit(t, s, target, []ledger.Entry{anEntry("ann", 3)})
		wantEntries(t, s, target, []string{"ann"}, anEntry("ann", 3))
	}},
	{"what is only carried over stays forgotten", func(t *testing.T, s Stores) {
		keys := []string{"waits", "intends", "void", "late"}
		var all []ledger.Entry
		for _, key := range keys {
			e := anEntry(key, 1)
			e.Last.Error = "health.1#b1#7"
			all = append(all, e)
		}
		wantCommit(t, s, target, all)
		for i := range all {
			all[i].Last.Sequence = 2
		}
		read := over(t, s, all...)
		read[0].Carries, read[1].Intends, read[2].Voids = true, true, true
		read[1].Last.Intent = "health.2#b1#0@1"
		ok(t, s.ForgetEntries(t.Context(), target, keys))
		s = s.Reopen()
		lost, err := s.Commit(t.Context(), target, read)
		if err != nil || !cmp.Equal(lost, []int{2}) {
			t.Fatalf("lost %v, %v, want what is void alone", lost, err)
		}
		waits, intends := read[0], read[1]
		waits.Last.Error, waits.Carries = "", false
		intends.Last.Error, intends.Intends = "", false
		wantEntries(t, s, target, keys, waits, intends, read[3])
	}},
	{"an entry that is made anew is another one", func(t *testing.T, s Stores) {
		wantCommit(t, s, target, []ledger.Entry{anEntry("ann", 1)})
		read := over(t, s, anEntry("ann", 2))
		ok(t, s.ForgetEntries(t.Context(), target, []string{"ann"}))
		wantCommit(t, s, target, []ledger.Entry{anEntry("ann", 3)})
		lost, err := s.Commit(t.Context(), target, read)
		if err != nil || !cmp.Equal(lost, []int{0}) {
			t.Errorf("lost %v, %v, want the older row's", lost, err)
		}
		wantEntries(t, s, target, []string{"ann"}, void(anEntry("ann", 3)))
	}},
	{"many, raced by commits", func(t *testing.T, s Stores) {
		const n = 200
		var all []ledger.Entry
		for i := range n {
			all = append(all, anEntry(fmt.Sprint("k", i), 1))
		}
		wantCommit(t, s, target, all)
		race(t, 8, func(i int) error {
			var keys []string
			for k := i; k < n/2; k += 8 {
				keys = append(keys, fmt.Sprint("k", k))
			}
			if err := s.ForgetEntries(t.Context(), target, keys); err != nil {
				return err
			}
			_, err := s.Commit(t.Context(), target, []ledger.Entry{anEntry(fmt.Sprint("new", i), 1)})
			return err
		})
		got := keysAfter(t, s, target)
		for i := range n {
			if key := fmt.Sprint("k", i); got[key] != (i >= n/2) {
				t.Errorf("%s is there: %t", key, got[key])
			}
		}
		for i := range 8 {
			if !got[fmt.Sprint("new", i)] {
				t.Errorf("new%d is lost", i)
			}
		}
	}},
	{"errors", func(t *testing.T, s Stores) {
		a, b := anError("b1", 7), anError("b1", 8)
		ok(t, s.StoreErrors(t.Context(), []run.RowError{a, b}))
		for range 2 {
			ok(t, s.ForgetErrors(t.Context(), []string{a.Ref()}))
			s = s.Reopen()
			wantErrors(t, s, "health.1", 10, b)
		}
		if err := s.ForgetErrors(t.Context(), []string{"no reference"}); err == nil {
			t.Error("what is no reference is taken")
		}
		listed := 0
		_, err := s.ListErrors(t.Context(), run.EveryError, "", 100, func(run.Listed) bool { listed++; return true })
		if ok(t, err); listed == 0 {
			t.Error("the list has lost the other error")
		}
	}},
	{"versions", func(t *testing.T, s Stores) {
		if got := must(s.Versions(t.Context(), "health"))(t); len(got) != 0 {
			t.Errorf("%d versions of no sync", len(got))
		}
		a, b := aVersion("health", "a"), aVersion("health", "b")
		for _, v := range []syncdef.Version{a, b, aVersion("health_eu", "c")} {
			ok(t, s.Apply(t.Context(), v))
		}
		ok(t, s.Remove(t.Context(), "health"))
		same(t, "Versions", []syncdef.Version{a, b}, must(s.Versions(t.Context(), "health"))(t))
	}},
}

// keysAfter are the keys that a listing of a target shows.
func keysAfter(t *testing.T, s Stores, target string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for after := ""; ; {
		entries, next, err := s.EntriesAfter(t.Context(), target, after, 50)
		ok(t, err)
		for _, e := range entries {
			all[e.Key] = true
		}
		if after = next; next == "" {
			return all
		}
	}
}
