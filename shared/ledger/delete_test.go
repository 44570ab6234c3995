package ledger

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/row"
)

func TestDiffOfADelete(t *testing.T) {
	held := Entry{Revision: 1, Held: Held{Fingerprint: row.Fingerprint{1}, ID: "x", Sequence: 3}, Last: Last{Run: "r", Sequence: 3}}
	void := Entry{Revision: 1, Held: Held{Sequence: 3}, Last: Last{Run: "r", Sequence: 3, Error: "e"}} // it may have arrived
	refused := Entry{Revision: 1, Last: Last{Run: "r", Sequence: 3, Error: "e"}}
	gone := Entry{Revision: 1, Held: Held{Fingerprint: row.Gone, Sequence: 5}, Last: Last{Run: "r", Sequence: 5}}
	del := Row{Run: "r2", Sequence: 7, Fingerprint: row.Gone, Delete: true}
	with := func(change func(*Row)) Row { r := del; change(&r); return r }
	for name, c := range map[string]struct {
		e    Entry
		r    Row
		want Verdict
	}{
		"known":                     {held, del, Send},
		"unknown":                   {Entry{}, del, Unchanged},
		"unknown, and every row":    {Entry{}, with(func(r *Row) { r.Unsure = true }), Send},
		"it may be there":           {void, del, Send},
		"it was never taken":        {refused, del, Unchanged},
		"gone":                      {gone, del, Unchanged},
		"gone, in a full run":       {gone, with(func(r *Row) { r.Full = true }), Unchanged},
		"gone, full, and every row": {gone, with(func(r *Row) { r.Full, r.Unsure = true, true }), Send},
		"its own, not counted":      {gone, with(func(r *Row) { r.Run, r.Sequence = "r", 5 }), Delivered},
		"older than what is there":  {held, with(func(r *Row) { r.Sequence = 2 }), Superseded},
		"older upsert after it":     {gone, Row{Run: "r2", Sequence: 4, Fingerprint: row.Fingerprint{1}}, Superseded},
		"newer upsert after it":     {gone, Row{Run: "r2", Sequence: 6, Fingerprint: row.Fingerprint{1}}, Send},
		"its error, stored already": {Entry{Revision: 1, Held: held.Held, Last: Last{Run: "r2", Sequence: 7, Error: "e7"}}, with(func(r *Row) { r.Ref = "e7" }), Failed},
	} {
		if got := Diff(&c.e, &c.r); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// What was removed leaves no id behind, whoever else wrote the entry.
func TestMergeOfADelete(t *testing.T) {
	gone := Entry{Key: "k", Held: Held{Fingerprint: row.Gone, Sequence: 5}, Last: Last{Sequence: 5}}
	mine, lost := Merge(Entry{Key: "k", Revision: 2, Held: Held{ID: "x", Sequence: 5}, Last: Last{Sequence: 5}}, gone)
	if lost || mine.Held.ID != "" || mine.Wrote() {
		t.Errorf("%+v, lost %v", mine, lost)
	}
	if over, lost := Merge(Entry{Key: "k", Revision: 2, Held: Held{ID: "x", Sequence: 4}, Last: Last{Sequence: 4}}, gone); !lost || !over.Wrote() {
		t.Errorf("nobody knows which came last: %+v, lost %v", over, lost)
	}
}

func TestClaims(t *testing.T) {
	of := func(record string, print row.Fingerprint) Entry {
		return Entry{Held: Held{Fingerprint: print, Sequence: 1, Record: RecordOf(record)}}
	}
	entries := map[string]Entry{"a": of("r1", row.Fingerprint{1}), "b": of("r2", row.Fingerprint{1}), "c": of("r1", row.Gone), "d": of("r1", row.Fingerprint{})}
	if d := cmp.Diff([]string{"a", "d"}, Claims("r1", []string{"a", "b", "c", "d", "e"}, entries)); d != "" {
		t.Error(d)
	}
	if RecordOf("") == 0 || RecordOf("a") == RecordOf("b") {
		t.Error("record ids are not told apart")
	}
}

// A newer row that failed, and whose worker did not know of the older one that arrived,
// leaves it known that the sync wrote the record, and for whom (a destination need not
// give ids).
func TestMergeKeepsThatItWasWritten(t *testing.T) {
	delivered := Entry{Key: "a", Revision: 1, Held: Held{Fingerprint: row.Fingerprint{1}, Sequence: 5, Record: 7}, Last: Last{Run: "r", Sequence: 5}}
	failed := Entry{Key: "a", Last: Last{Run: "s", Sequence: 6, Error: "e"}}
	for name, merge := range map[string]func() (Entry, bool){
		"failed last":    func() (Entry, bool) { return Merge(delivered, failed) },
		"delivered last": func() (Entry, bool) { return Merge(failed, delivered) },
	} {
		got, lost := merge()
		if !lost || !got.Wrote() || got.Held.Record != 7 || got.Held.Sequence != 5 || !got.Held.Fingerprint.Void() || got.Last.Error != "e" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
