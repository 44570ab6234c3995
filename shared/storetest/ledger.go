package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
)

const target = "health#crm_prod#Account#01234567"

var ledgerTests = []test{
	{"empty", func(t *testing.T, s Stores) {
		wantEntries(t, s, target, nil)
		wantEntries(t, s, target, []string{"none"})
		wantCommit(t, s, target, nil)
	}},
	{"commit and read", func(t *testing.T, s Stores) {
		all := []ledger.Entry{
			anEntry("acme.com", 2),
			{Key: "failed", Last: ledger.Last{Run: "health.q1", Sequence: 3, Error: "health.q1#b1#17"}},
			{Key: "about to be sent", Held: ledger.Held{ID: "C01/171.2"}, Last: ledger.Last{Sequence: 4, Intent: "health.q1#b1#18"}},
			{Key: "may have arrived", Last: ledger.Last{Sequence: 4, Error: "health.q1#b1#19", Unknown: true}},
			{Key: "refused since", Held: anEntry("", 2).Held, Last: ledger.Last{Run: "health.q2", Sequence: 1<<53 + 1, Error: "health.q2#b1#20"}},
			{Key: "bare"},
		}
		wantCommit(t, s, target, all)
		wantEntries(t, s, target, []string{"acme.com", "failed", "none", "about to be sent", "bare", "may have arrived", "refused since", "acme.com"}, all...)
		wantEntries(t, s, target, []string{"ACME.com", "acme.co", "acme.com "})
	}},
	{"claims", func(t *testing.T, s Stores) {
		claimed := func(key, record string, sequence int64) ledger.Entry {
			e := anEntry(key, sequence)
			e.Claim, e.Held.Record = record, ledger.RecordOf(record)
			return e
		}
		wantKeys(t, s, target, "r1")
		all := []ledger.Entry{claimed("a", "r1", 1), claimed("b", "r2", 1), anEntry("c", 1), claimed("not utf-8 \xff", "größe #1", 1)}
		wantCommit(t, s, target, all)
		wantKeys(t, s, target, "r1", "a")
		wantKeys(t, s, target, "größe #1", "not utf-8 \xff")
		wantKeys(t, s, target, "r")
		wantKeys(t, s, target+"#1", "r1")
		// Another record has the key, and the first has another one: both are kept, and the
		// entry says whose the key is.
		wantCommit(t, s, target, over(t, s, claimed("a", "r2", 2), claimed("d", "r1", 2), claimed("b", "r2", 2)))
		wantKeys(t, s, target, "r1", "a", "d")
		wantKeys(t, s, target, "r2", "a", "b")
		e := anEntry("a", 2)
		e.Held.Record = ledger.RecordOf("r2")
		wantEntries(t, s, target, []string{"a"}, e)
	}},
	{"odd keys", func(t *testing.T, s Stores) {
		long := strings.Repeat("k", 1024)
		var all []ledger.Entry
		for _, key := range []string{
			"", " ", "#", "health#b#1", "Größe \u00e9", "Große e\u0301", "日本語.example", "\u0000nul", "tab\tnew\nline", `"quoted"\`, "🙂",
			long, long + "1", long + "2", strings.Repeat("ü", 600), "not utf-8 \xff", "not utf-8 \xfe",
		} {
			e := anEntry(key, 1)
			e.Held.ID = "id of " + fmt.Sprintf("%x", key)[:min(20, 2*len(key))]
			all = append(all, e)
		}
		wantCommit(t, s, target, all)
		var keys []string
		for _, e := range all {
			keys = append(keys, e.Key)
		}
		wantEntries(t, s, target, keys, all...)
		wantEntries(t, s, target, []string{long + "3", "not utf-8 \uFFFD"})
	}},
	{"targets are apart", func(t *testing.T, s Stores) {
		other := target + "#1" // another epoch
		wantCommit(t, s, target, []ledger.Entry{anEntry("k", 1)})
		wantEntries(t, s, other, []string{"k"})
		wantCommit(t, s, other, []ledger.Entry{anEntry("k", 9)})
		wantEntries(t, s, target, []string{"k"}, anEntry("k", 1))
		wantEntries(t, s, other, []string{"k"}, anEntry("k", 9))
	}},
	{"over what was read", func(t *testing.T, s Stores) {
		wantCommit(t, s, target, []ledger.Entry{anEntry("k", 5), anEntry("x", 5)})
		// A failure of the same row, then of a later one, then an earlier sequence: who
		// read the entry may store what it likes.
		for _, e := range []ledger.Entry{
			{Key: "k", Held: anEntry("", 5).Held, Last: ledger.Last{Run: "health.q1", Sequence: 5, Error: "health.q1#b1#1"}},
			anEntry("k", 6), anEntry("k", 2), {Key: "k"},
		} {
			wantCommit(t, s, target, over(t, s, e))
			wantEntries(t, s, target, []string{"k", "x"}, e, anEntry("x", 5))
		}
	}},
	{"read by two, stored by one", func(t *testing.T, s Stores) {
		wantCommit(t, s, target, []ledger.Entry{anEntry("k", 5), anEntry("x", 5), anEntry("y", 5)})
		mine := over(t, s, anEntry("k", 6), anEntry("x", 6), anEntry("y", 6))
		theirs := over(t, s, anEntry("k", 7), anEntry("y", 4))
		wantCommit(t, s, target, theirs)
		// k: theirs is newer. x: nobody else wrote it. y: theirs is older, mine stays;
		// nobody knows which of the two arrived last.
		wantCommit(t, s, target, mine, 0, 2)
		wantEntries(t, s, target, []string{"k", "x", "y"}, void(anEntry("k", 7)), anEntry("x", 6), void(anEntry("y", 6)))
		// Who reads what is stored now writes over it.
		wantCommit(t, s, target, over(t, s, anEntry("k", 8)))
		wantEntries(t, s, target, []string{"k"}, anEntry("k", 8))
	}},
	{"voided over what was read, or not at all", func(t *testing.T, s Stores) {
		wantCommit(t, s, target, []ledger.Entry{anEntry("k", 5), anEntry("x", 5), anEntry("y", 5), anEntry("z", 5)})
		read := over(t, s, anEntry("k", 5), anEntry("x", 5), anEntry("y", 5), anEntry("z", 5))
		failed := anEntry("y", 5)
		failed.Last.Error = "health.q1#b1#1"
		wantCommit(t, s, target, over(t, s, anEntry("x", 6), failed))
		for i := range read {
			read[i] = read[i].Void(read[i].Key == "z")
		}
		wantCommit(t, s, target, read, 1, 2)
		gone := cleared(anEntry("z", 5))
		gone.Held.ID = ""
		wantEntries(t, s, target, []string{"k", "x", "y", "z"}, cleared(anEntry("k", 5)), anEntry("x", 6), failed, gone)
		again := over(t, s, cleared(anEntry("k", 5)))
		wantCommit(t, s, target, []ledger.Entry{again[0].Void(false)})
		wantEntries(t, s, target, []string{"k"}, cleared(anEntry("k", 5)))
		// Who delivered while it was voided knows it, and leaves what is there.
		wantCommit(t, s, target, over(t, s, anEntry("k", 6)))
		wantEntries(t, s, target, []string{"k"}, anEntry("k", 6))
	}},
	{"absent for two", func(t *testing.T, s Stores) {
		wantEntries(t, s, target, []string{"k", "l", "m"})
		wantCommit(t, s, target, []ledger.Entry{anEntry("k", 2), anEntry("l", 1)})
		wantCommit(t, s, target, []ledger.Entry{anEntry("k", 1), anEntry("l", 2), anEntry("m", 3)}, 0, 1)
		wantEntries(t, s, target, []string{"k", "l", "m"}, void(anEntry("k", 2)), void(anEntry("l", 2)), anEntry("m", 3))
	}},
	{"read before others, and again after", func(t *testing.T, s Stores) {
		// Many commits lie between reading and storing, of other keys and of the same.
		wantCommit(t, s, target, []ledger.Entry{anEntry("k", 1), anEntry("l", 1)})
		wantEntries(t, s, target, []string{"new", "taken"})
		mine := over(t, s, anEntry("k", 50), anEntry("l", 50), anEntry("new", 50), anEntry("taken", 50))
		for i := range int64(20) {
			wantCommit(t, s, target, []ledger.Entry{anEntry(fmt.Sprint("other", i), i)})
			if i == 7 {
				wantCommit(t, s, target, append(over(t, s, anEntry("l", 2)), anEntry("taken", 2)))
			}
		}
		wantCommit(t, s, target, mine, 1, 3)
		wantEntries(t, s, target, []string{"k", "l", "new", "taken"}, anEntry("k", 50), void(anEntry("l", 50)), anEntry("new", 50), void(anEntry("taken", 50)))
	}},
	{"the same row again", func(t *testing.T, s Stores) {
		// The commit was stored, its answer was lost: an equal sequence is the row's own.
		mine := []ledger.Entry{anEntry("k", 5)}
		wantCommit(t, s, target, mine)
		wantCommit(t, s, target, mine)
		wantEntries(t, s, target, []string{"k"}, anEntry("k", 5))
		intent := ledger.Entry{
			Key: "i", Last: ledger.Last{Run: "health.q1", Sequence: 5, Intent: "health.q1#b1#1@1"}, Intends: true, Attempt: "health.q1#b1#1@1",
		}
		wantCommit(t, s, target, []ledger.Entry{intent})
		wantCommit(t, s, target, []ledger.Entry{intent}) // its answer was lost
		sent := anEntry("i", 5)
		sent.Attempt = intent.Attempt
		wantCommit(t, s, target, []ledger.Entry{sent}) // it did not read its own intent
		wantEntries(t, s, target, []string{"i"}, anEntry("i", 5))
		intent.Attempt, intent.Last.Intent = "health.q1#b1#1@2", "health.q1#b1#1@2"
		wantCommit(t, s, target, []ledger.Entry{intent}, 0) // an intent overwrites nothing: somebody else has sent it
		intent.Last.Intent = ""
		wantCommit(t, s, target, []ledger.Entry{intent}) // nor does taking it back
		wantEntries(t, s, target, []string{"i"}, anEntry("i", 5))
	}},
	{"the destination's id stays, and that it was written", func(t *testing.T, s Stores) {
		wantCommit(t, s, target, []ledger.Entry{anEntry("k", 5)})
		refused := ledger.Entry{Key: "k", Last: ledger.Last{Run: "health.q2", Sequence: 6, Error: "health.q2#b1#1"}} // read nothing
		wantCommit(t, s, target, []ledger.Entry{refused}, 0)
		refused.Held.ID, refused.Held.Sequence = anEntry("", 0).Held.ID, 5
		wantEntries(t, s, target, []string{"k"}, refused)
	}},
	{"raced (I3)", func(t *testing.T, s Stores) {
		const newest = 8
		var mu sync.Mutex
		losses := 0
		race(t, newest, func(i int) error {
			lost, err := s.Commit(t.Context(), target, []ledger.Entry{anEntry("a", int64(i+1)), anEntry("b", int64(i+1))})
			mu.Lock()
			losses += len(lost)
			mu.Unlock()
			return err
		})
		if losses != 2*(newest-1) { // all but the first of each key found another one
			t.Errorf("%d entries lost, want %d", losses, 2*(newest-1))
		}
		wantEntries(t, s, target, []string{"a", "b"}, void(anEntry("a", newest)), void(anEntry("b", newest)))
	}},
	{"read and stored, raced (I3)", func(t *testing.T, s Stores) {
		race(t, 6, func(i int) error {
			for n := range 5 {
				keys := []string{"a", fmt.Sprint("own", i)}
				read, err := s.Entries(t.Context(), target, keys)
				if err != nil {
					return err
				}
				var mine []ledger.Entry
				for _, key := range keys {
					e := anEntry(key, read[key].Held.Sequence+1)
					e.Revision = read[key].Revision
					mine = append(mine, e)
				}
				lost, err := s.Commit(t.Context(), target, mine)
				if err != nil {
					return err
				}
				if slices.Contains(lost, 1) {
					t.Errorf("round %d of %d lost a key that nobody else wrote", n, i)
				}
			}
			return nil
		})
		got := must(s.Entries(t.Context(), target, []string{"a", "own3"}))(t)
		if a := got["a"].Held.Sequence; a < 5 || a > 30 {
			t.Errorf("the shared key's sequence is %d", a)
		}
		got = map[string]ledger.Entry{"own3": got["own3"]}
		same(t, "own3", map[string]ledger.Entry{"own3": stripped(anEntry("own3", 5))}, map[string]ledger.Entry{"own3": stripped(got["own3"])})
	}},
	{"hundreds", func(t *testing.T, s Stores) {
		keys := names("k", 530)
		var all []ledger.Entry
		for i, k := range keys {
			all = append(all, anEntry(k, int64(i)))
		}
		wantCommit(t, s, target, all)
		wantEntries(t, s, target, append(names("none", 120), keys...), all...)
		wantCommit(t, s, target, over(t, s, all...))
		wantCommit(t, s, target, all) // an equal sequence is the row's own
		older := slices.Clone(all)
		var lost []int
		for i := range older {
			older[i].Held.Sequence, older[i].Last.Sequence = -1, -1
			lost = append(lost, i)
		}
		wantCommit(t, s, target, older, lost...)
	}},
	{"more than an answer holds", func(t *testing.T, s Stores) {
		// 60 entries of 350 KB: a server that answers at most 16 MB leaves keys unprocessed.
		keys := names("k", 60)
		var all []ledger.Entry
		for _, k := range keys {
			e := anEntry(k, 1)
			e.Held.ID = strings.Repeat("x", 350_000)
			all = append(all, e)
		}
		wantCommit(t, s, target, all)
		wantEntries(t, s, target, keys, all...)
	}},
	{"reopened", func(t *testing.T, s Stores) {
		wantCommit(t, s, target, []ledger.Entry{anEntry("k", 5), anEntry("l", 1)})
		s = s.Reopen()
		mine := over(t, s, anEntry("k", 7))
		wantCommit(t, s, target, over(t, s, anEntry("k", 6)))
		s = s.Reopen()
		wantEntries(t, s, target, []string{"k", "l"}, anEntry("k", 6), anEntry("l", 1))
		wantCommit(t, s, target, mine, 0)
		wantEntries(t, s, target, []string{"k"}, void(anEntry("k", 7)))
	}},
}

func anEntry(key string, sequence int64) ledger.Entry {
	return ledger.Entry{
		Key: key,
		Held: ledger.Held{
			Fingerprint: row.Fingerprint{1, 2, 3, byte(sequence), 15: 16}, Fields: []uint32{0, 1, 1<<32 - 1, uint32(sequence)},
			Version: "v0123456789ab", ID: "0015g00000abcde", Sequence: sequence,
		},
		Last: ledger.Last{Run: "health.q1", Sequence: sequence},
	}
}

// void is what Merge leaves of the newer of two.
func void(e ledger.Entry) ledger.Entry {
	e.Held = e.Held.InDoubt(false)
	return e
}

// cleared is what Void leaves.
func cleared(e ledger.Entry) ledger.Entry {
	e.Held = e.Held.InDoubt(true)
	return e
}

// over gives entries the revisions that are stored now.
func over(t *testing.T, s Stores, entries ...ledger.Entry) []ledger.Entry {
	t.Helper()
	var keys []string
	for _, e := range entries {
		keys = append(keys, e.Key)
	}
	read := must(s.Entries(t.Context(), target, keys))(t)
	all := slices.Clone(entries)
	for i, e := range all {
		all[i].Revision = read[e.Key].Revision
	}
	return all
}

func wantCommit(t *testing.T, s Stores, target string, entries []ledger.Entry, lost ...int) {
	t.Helper()
	got := must(s.Commit(t.Context(), target, entries))(t)
	slices.Sort(got)
	same(t, "lost", lost, got)
}

// wantEntries compares without revisions, which only have to be there.
func wantEntries(t *testing.T, s Stores, target string, keys []string, want ...ledger.Entry) {
	t.Helper()
	entries := map[string]ledger.Entry{}
	for _, e := range want {
		entries[e.Key] = stripped(e)
	}
	got := must(s.Entries(t.Context(), target, keys))(t)
	for key, e := range got {
		if e.Revision == 0 {
			t.Errorf("the entry of %.20q has no revision", key)
		}
		got[key] = stripped(e)
	}
	if diff := cmp.Diff(entries, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("Entries (-want +got):\n%.2000s", diff)
	}
}

func stripped(e ledger.Entry) ledger.Entry {
	e.Revision = 0
	return e
}

// wantKeys reads what is kept for a record id.
func wantKeys(t *testing.T, s Stores, target, record string, want ...string) {
	t.Helper()
	got, err := s.KeysOf(t.Context(), target, []string{record, "nobody's"})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got[record])
	if diff := cmp.Diff(want, got[record]); diff != "" || len(got["nobody's"]) != 0 {
		t.Errorf("keys of %q: %v (-want +got):\n%s", record, got, diff)
	}
}
