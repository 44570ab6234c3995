package storetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
)

const target = "health#salesforce_prod#Account"

var ledgerTests = []test{
	{"empty", func(t *testing.T, s Stores) {
		wantEntries(t, s, target, nil)
		wantEntries(t, s, target, []string{"none"})
		ok(t, s.Ledger.Commit(t.Context(), target, nil))
	}},
	{"commit and read", func(t *testing.T, s Stores) {
		all := []ledger.Entry{
			anEntry("acme.com", 2),
			{Key: "failed", Run: "health.q1", Place: 3, Error: "health.q1#b1#17"},
			{Key: "about to be sent", Place: 4, Intent: "health.q1#b1#18", ID: "C01/171.2"},
			{Key: "bare"},
		}
		ok(t, s.Ledger.Commit(t.Context(), target, all))
		wantEntries(t, s, target, []string{"acme.com", "failed", "none", "about to be sent", "bare", "acme.com"}, all...)
		wantEntries(t, s, target, []string{"ACME.com", "acme.co", "acme.com "})
	}},
	{"odd keys", func(t *testing.T, s Stores) {
		long := strings.Repeat("k", 1024)
		var all []ledger.Entry
		for _, key := range []string{
			"", " ", "#", "health#b#1", "Größe \u00e9", "Große e\u0301", "日本語.example", "\u0000nul", "tab\tnew\nline", `"quoted"\`, "🙂",
			long, long + "1", long + "2", strings.Repeat("ü", 600), "not utf-8 \xff", "not utf-8 \xfe",
		} {
			e := anEntry(key, 1)
			e.ID = "id of " + fmt.Sprintf("%x", key)[:min(20, 2*len(key))]
			all = append(all, e)
		}
		ok(t, s.Ledger.Commit(t.Context(), target, all))
		var keys []string
		for _, e := range all {
			keys = append(keys, e.Key)
		}
		wantEntries(t, s, target, keys, all...)
		wantEntries(t, s, target, []string{long + "3", "not utf-8 \uFFFD"})
	}},
	{"targets are apart", func(t *testing.T, s Stores) {
		other := ledger.Target("health", "salesforce_prod", "Account2")
		ok(t, s.Ledger.Commit(t.Context(), target, []ledger.Entry{anEntry("k", 1)}))
		wantEntries(t, s, other, []string{"k"})
		ok(t, s.Ledger.Commit(t.Context(), other, []ledger.Entry{anEntry("k", 9)}))
		wantEntries(t, s, target, []string{"k"}, anEntry("k", 1))
		wantEntries(t, s, other, []string{"k"}, anEntry("k", 9))
	}},
	{"a newer place replaces", func(t *testing.T, s Stores) {
		ok(t, s.Ledger.Commit(t.Context(), target, []ledger.Entry{anEntry("k", 5)}))
		same := anEntry("k", 5)
		same.ID = "same place"
		ok(t, s.Ledger.Commit(t.Context(), target, []ledger.Entry{same}))
		wantEntries(t, s, target, []string{"k"}, same)
		ok(t, s.Ledger.Commit(t.Context(), target, []ledger.Entry{anEntry("k", 6)}))
		wantEntries(t, s, target, []string{"k"}, anEntry("k", 6))
	}},
	{"an older place voids (I3)", func(t *testing.T, s Stores) {
		newer := anEntry("k", 1_773_500_966_535_897_933)
		newer.Error, newer.Intent = "health.q1#b1#1", "health.q1#b1#2"
		older := anEntry("k", 1_773_500_966_535_897_932)
		older.ID = "older"
		ok(t, s.Ledger.Commit(t.Context(), target, []ledger.Entry{newer, anEntry("x", 1)}))
		ok(t, s.Ledger.Commit(t.Context(), target, []ledger.Entry{older, anEntry("x", 2)}))
		void := newer
		void.Fingerprint, void.Fields = row.Fingerprint{}, nil
		wantEntries(t, s, target, []string{"k", "x"}, void, anEntry("x", 2))
		ok(t, s.Ledger.Commit(t.Context(), target, []ledger.Entry{older}))
		wantEntries(t, s, target, []string{"k"}, void)
	}},
	{"one key twice", func(t *testing.T, s Stores) {
		ok(t, s.Ledger.Commit(t.Context(), target, []ledger.Entry{anEntry("up", 1), anEntry("down", 2), anEntry("up", 2), anEntry("down", 1)}))
		void := anEntry("down", 2)
		void.Fingerprint, void.Fields = row.Fingerprint{}, nil
		wantEntries(t, s, target, []string{"up", "down"}, anEntry("up", 2), void)
	}},
	{"raced (I3)", func(t *testing.T, s Stores) {
		const newest = 7
		race(t, newest+1, func(i int) error {
			return s.Ledger.Commit(t.Context(), target, []ledger.Entry{anEntry("a", int64(i)), anEntry("b", int64(i))})
		})
		for key, e := range must(s.Ledger.Entries(t.Context(), target, []string{"a", "b"}))(t) {
			want := anEntry(key, newest)
			if e.Fingerprint.Void() { // an older one came last
				want.Fingerprint, want.Fields = row.Fingerprint{}, nil
			}
			if diff := cmp.Diff(want, e, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("entry of %s (-want +got):\n%s", key, diff)
			}
		}
	}},
	{"hundreds", func(t *testing.T, s Stores) {
		keys := names("k", 530)
		var all []ledger.Entry
		for i, k := range keys {
			all = append(all, anEntry(k, int64(i)))
		}
		ok(t, s.Ledger.Commit(t.Context(), target, all))
		wantEntries(t, s, target, append(names("none", 120), keys...), all...)
	}},
	{"more than an answer holds", func(t *testing.T, s Stores) {
		// 60 entries of 350 KB: a server that answers at most 16 MB leaves keys unprocessed.
		keys := names("k", 60)
		var all []ledger.Entry
		for _, k := range keys {
			e := anEntry(k, 1)
			e.ID = strings.Repeat("x", 350_000)
			all = append(all, e)
		}
		ok(t, s.Ledger.Commit(t.Context(), target, all))
		wantEntries(t, s, target, keys, all...)
	}},
	{"reopened", func(t *testing.T, s Stores) {
		ok(t, s.Ledger.Commit(t.Context(), target, []ledger.Entry{anEntry("k", 5)}))
		s = s.Reopen()
		wantEntries(t, s, target, []string{"k"}, anEntry("k", 5))
		ok(t, s.Ledger.Commit(t.Context(), target, []ledger.Entry{anEntry("k", 6), anEntry("l", 1)}))
		s = s.Reopen()
		wantEntries(t, s, target, []string{"k", "l"}, anEntry("k", 6), anEntry("l", 1))
	}},
}

func anEntry(key string, place int64) ledger.Entry {
	return ledger.Entry{
		Key: key, Fingerprint: row.Fingerprint{1, 2, 3, byte(place), 15: 16}, Fields: []uint32{0, 1, 1<<32 - 1, uint32(place)},
		Version: "v0123456789ab", ID: "0015g00000abcde", Run: "health.q1", Place: place,
	}
}

func wantEntries(t *testing.T, s Stores, target string, keys []string, want ...ledger.Entry) {
	t.Helper()
	entries := map[string]ledger.Entry{}
	for _, e := range want {
		entries[e.Key] = e
	}
	got := must(s.Ledger.Entries(t.Context(), target, keys))(t)
	if diff := cmp.Diff(entries, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("Entries (-want +got):\n%.2000s", diff)
	}
}
