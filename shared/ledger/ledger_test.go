package ledger

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

var (
	one = row.Fingerprint{1}
	two = row.Fingerprint{2}
)

// held is an entry of a delivered row.
func held(f row.Fingerprint, run string, sequence int64) Entry {
	return Entry{Revision: 1, Held: Held{Fingerprint: f, ID: "id", Sequence: sequence}, Last: Last{Run: run, Sequence: sequence}}
}

// failed is an entry of a key whose last row became an error.
func failed(e Entry, run, ref string, sequence int64) Entry {
	e.Revision, e.Last = 1, Last{Run: run, Sequence: sequence, Error: ref}
	return e
}

func TestDiff(t *testing.T) {
	in := Row{Ref: "r2#b#0", Run: "r2", Sequence: 20, Fingerprint: one}
	with := func(f func(*Row)) Row { r := in; f(&r); return r }
	full, once := func(r *Row) { r.Full = true }, func(r *Row) { r.Once = true }
	replay := func(r *Row) { r.Replay, r.Run = true, "r2~1" }
	for _, c := range []struct {
		name  string
		entry Entry
		row   Row
		want  Verdict
	}{
		{"nothing known", Entry{}, in, Send},
		{"same value, earlier run", held(one, "r1", 10), in, Unchanged},
		{"same value, this row", held(one, "r2", 20), in, Delivered},
		{"other value", held(two, "r1", 10), in, Send},
		{"newer value settled", held(two, "r3", 30), in, Superseded},
		{"newer failure", failed(held(one, "r1", 10), "r3", "r3#b#0", 30), in, Superseded},
		{"own error stored", failed(Entry{}, "r2", "r2#b#0", 20), in, Failed},
		{"earlier error", failed(Entry{}, "r1", "r1#b#0", 10), in, Send},
		{"refused meanwhile, and back to what is held", failed(held(one, "r0", 5), "r1", "r1#b#0", 10), in, Unchanged},
		{"not known what is held", failed(held(row.Fingerprint{}, "r0", 5), "r1", "", 10), in, Send},
		{"full run re-sends", held(one, "r1", 10), with(full), Send},
		{"full run counts its own", held(one, "r2", 20), with(full), Delivered},
		{"once, other value", held(two, "r1", 10), with(once), Unchanged},
		{"once, even in a full run", held(two, "r1", 10), with(func(r *Row) { once(r); full(r) }), Unchanged},
		{"once, intent only", Entry{Revision: 1, Last: Last{Run: "r1", Sequence: 10, Intent: "r1#b#0"}}, with(once), Send},
		{"replay of the open error", failed(Entry{}, "r2", "r2#b#0", 20), with(replay), Send},
		{"replay, delivered by itself before it was counted", held(one, "r2~1", 20), with(replay), Delivered},
		{"replay, delivered by another retry", held(one, "r2~2", 20), with(replay), Superseded},
		{"replay of the open error, held all the same", failed(held(one, "r1", 10), "r2", "r2#b#0", 20), with(replay), Unchanged},
		{"replay, closed by a newer row", held(two, "r3", 30), with(replay), Superseded},
		{"replay, closed by a newer failure", failed(Entry{}, "r3", "r3#b#0", 30), with(replay), Superseded},
		{"replay, closed at its own sequence", held(two, "r2", 20), with(replay), Superseded},
	} {
		if got := Diff(&c.entry, &c.row); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestChanged(t *testing.T) {
	e := Entry{Held: Held{Fingerprint: one, Version: "v1", Fields: []uint32{1, 2, 3}}}
	now := []uint32{1, 9, 3}
	none := func(int) bool { return false }
	if f := e.Changed("v1", now, none); f(0) || !f(1) || f(2) {
		t.Error("only the second field changed")
	}
	if f := e.Changed("v2", now, none); !f(0) || !f(2) {
		t.Error("another version's hashes compare with nothing")
	}
	e.Held.Sequence = 7
	adds := func(i int) bool { return i < 2 }
	doubt := Entry{Held: e.Held.InDoubt(false)}
	if f := doubt.Changed("v1", now, adds); f(0) || !f(1) || !f(2) {
		t.Error("where it is not known what is held, all fields are sent, but for those that add what they added before")
	}
	gone := Entry{Held: e.Held.InDoubt(true)}
	if f := gone.Changed("v1", now, adds); !f(0) {
		t.Error("after a delete that may have been carried out nothing is known to be added")
	}
	doubt.Held.Sequence = 9
	if again := doubt.Held.InDoubt(false); again.Base != 7 || again.Sure() != 7 || e.Held.Sure() != 7 {
		t.Errorf("what was surely delivered last is forgotten: %+v", again)
	}
}

func TestMerge(t *testing.T) {
	older, newer := held(one, "r1", 10), held(two, "r2", 20)
	older.Revision, newer.Revision = 7, 3
	void := func(e Entry) Entry { e.Held = e.Held.InDoubt(false); return e }
	at := func(e Entry, revision int64) Entry { e.Revision = revision; return e }
	for name, c := range map[string]struct {
		stored, mine, want Entry
		lost               bool
	}{
		"the newer is stored already": {at(newer, 9), older, at(void(newer), 9), true},
		"the older is stored":         {at(older, 9), newer, at(void(newer), 9), true},
		"the row's own, repeated":     {at(newer, 9), newer, at(newer, 9), false},
	} {
		got, lost := Merge(c.stored, c.mine)
		if d := cmp.Diff(c.want, got); d != "" || lost != c.lost {
			t.Errorf("%s: lost %v (-want +got):\n%s", name, lost, d)
		}
	}
	// A row that waits has read an error that somebody closed since, or did not see one that
	// somebody opened.
	for _, attempt := range []string{"", "r#b#0@1"} {
		for _, sequence := range []int64{10, 20} {
			stored, waits := older, at(void(newer), 2)
			stored.Last.Sequence, stored.Held.Sequence = sequence, sequence
			waits.Last.Error, waits.Last.Unknown, waits.Carries, waits.Attempt = "r0#b#0", true, true, attempt
			if got, _ := Merge(stored, waits); got.Last.Error != "" || got.Last.Unknown {
				t.Errorf("attempt %q: an error that was closed is open again: %+v", attempt, got)
			}
			stored.Last.Error, waits.Last.Error, waits.Last.Unknown = "r1#b#0", "", false
			if got, _ := Merge(stored, waits); got.Last.Error != "r1#b#0" {
				t.Errorf("attempt %q: an error that was opened is closed: %+v", attempt, got)
			}
		}
	}
	idless := newer
	idless.Held.ID = ""
	if got, _ := Merge(older, idless); got.Held.ID != "id" {
		t.Error("the destination's id was forgotten")
	}
}

// What several attempts to insert one record tell of it, each having read the same.
func TestMergeOfInserts(t *testing.T) {
	const mineAt, theirsAt = "r#b#0@1", "r#b#0@2"
	entry := func(sequence int64, attempt string, change func(*Entry)) Entry {
		e := Entry{Key: "k", Last: Last{Run: "r", Sequence: sequence}, Attempt: attempt}
		change(&e)
		return e
	}
	intends := func(e *Entry) { e.Intends, e.Last.Intent = true, e.Attempt }
	takesBack := func(e *Entry) { e.Intends = true }
	delivers := func(e *Entry) { e.Held = Held{Fingerprint: one, ID: "id", Sequence: e.Last.Sequence} }
	fails := func(e *Entry) { e.Last.Error = "r#b#0" }
	for name, c := range map[string]struct {
		stored, mine Entry
		held         bool // that the record is there
		failed       bool
		intent       string
		lost         bool
	}{
		"an intent after another":         {entry(5, theirsAt, intends), entry(5, mineAt, intends), false, false, theirsAt, true},
		"an intent after a delivery":      {entry(5, theirsAt, delivers), entry(5, mineAt, intends), true, false, "", true},
		"an intent that was stored":       {entry(5, mineAt, intends), entry(5, mineAt, intends), false, false, mineAt, false},
		"taken back":                      {entry(5, mineAt, intends), entry(5, mineAt, takesBack), false, false, "", false},
		"taken back, another intends":     {entry(5, theirsAt, intends), entry(5, mineAt, takesBack), false, false, theirsAt, false},
		"taken back, another delivered":   {entry(5, theirsAt, delivers), entry(5, mineAt, takesBack), true, false, "", false},
		"delivered":                       {entry(5, mineAt, intends), entry(5, mineAt, delivers), true, false, "", false},
		"failed, another intends":         {entry(5, theirsAt, intends), entry(5, mineAt, fails), false, true, theirsAt, false},
		"failed, another delivered":       {entry(5, theirsAt, delivers), entry(5, mineAt, fails), true, true, "", false},
		"failed later, another delivered": {entry(5, theirsAt, delivers), entry(6, mineAt, fails), true, true, "", false},
		"failed later, another intends":   {entry(5, theirsAt, intends), entry(6, mineAt, fails), false, true, theirsAt, true},
		"failed before, another intends":  {entry(6, theirsAt, intends), entry(5, mineAt, fails), false, false, theirsAt, true},
		"delivered, another failed later": {entry(6, theirsAt, fails), entry(5, mineAt, delivers), true, true, "", false},
	} {
		got, lost := Merge(c.stored, c.mine)
		if lost != c.lost || got.Held.Fingerprint.Void() == c.held || (got.Last.Error != "") != c.failed || got.Last.Intent != c.intent || c.held && got.Held.ID != "id" {
			t.Errorf("%s: lost %v, %+v", name, lost, got)
		}
	}
	// A retry that was not sent takes its intent back, and its error stays open.
	retries := entry(5, mineAt, intends)
	retries.Last.Error = "r#b#0"
	back := entry(5, mineAt, takesBack)
	back.Carries = true
	if got, _ := Merge(retries, back); got.Last.Error != "r#b#0" || got.Last.Intent != "" {
		t.Errorf("a retry that was not sent: %+v", got)
	}
	at := time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
	if ref, when := (Last{Intent: IntentOf("r~2#b@b.1#1", "x", at)}).Attempt(); ref != "r~2#b@b.1#1" || !when.Equal(at) {
		t.Error(ref, when)
	}
	for _, before := range []string{"", "r#b#1", "r#b#1@1f", "r#b#1@1f.x"} {
		if ref, when := (Last{Intent: before}).Attempt(); !when.IsZero() || before != "" && ref != "r#b#1" {
			t.Error(before, ref, when)
		}
	}
	if a := IntentOf("r#b#1", "x", at); a == IntentOf("r#b#1", "y", at) || !(Last{Intent: a}).Intended("r#b#1") || (Last{Intent: a}).Intended("r#b") {
		t.Error(a)
	}
}

func TestTarget(t *testing.T) {
	d := syncdef.Definition{Sync: "s", Connection: "c", Object: "Account", Strategy: syncdef.MatchField, Match: syncdef.Match{Source: "a", Destination: "A__c"}, RecordID: []string{"id"}}
	rules := syncdef.Rules{Identity: row.Identity{Steps: []row.Step{row.StepTrim}}}
	base := Target(&d, &rules, 0)
	for name, change := range map[string]func(*syncdef.Definition, *syncdef.Rules) int64{
		"object":     func(d *syncdef.Definition, _ *syncdef.Rules) int64 { d.Object = "Contact"; return 0 },
		"connection": func(d *syncdef.Definition, _ *syncdef.Rules) int64 { d.Connection = "e"; return 0 },
		"match":      func(d *syncdef.Definition, _ *syncdef.Rules) int64 { d.Match.Destination = "B__c"; return 0 },
		"strategy":   func(d *syncdef.Definition, _ *syncdef.Rules) int64 { d.Strategy = syncdef.MatchName; return 0 },
		"identity":   func(_ *syncdef.Definition, r *syncdef.Rules) int64 { r.Identity.Steps = nil; return 0 },
		"account":    func(*syncdef.Definition, *syncdef.Rules) int64 { return 1 },
	} {
		d, rules := d, rules
		epoch := change(&d, &rules)
		if got := Target(&d, &rules, epoch); got == base {
			t.Errorf("another %s keeps the ledger %s", name, got)
		}
	}
	same := d
	same.Match.Source, same.RecordID, same.Fields = "b", []string{"other"}, []syncdef.Field{{Source: "x"}}
	if got := Target(&same, &rules, 0); got != base {
		t.Errorf("another column or mapping starts the ledger %s instead of %s", got, base)
	}
	// Inserts are known by sync, connection and account alone.
	once := rules
	once.Once = true
	for _, by := range []*syncdef.Rules{&rules, &once} {
		for _, epoch := range []int64{0, 1, 12} {
			if connection, got := Of(Target(&d, by, epoch)); connection != "c" || got != epoch {
				t.Errorf("%s is taken for that of %s, epoch %d", Target(&d, by, epoch), connection, got)
			}
		}
	}
	other := d
	other.Object, other.Match.Destination = "Contact", "B__c"
	if a, b := Target(&d, &once, 0), Target(&other, &once, 0); a != b || strings.Contains(a, "Account") {
		t.Errorf("inserts have the ledgers %s and %s", a, b)
	}
}

// What somebody had forgotten comes back without the error, and unclaimed.
func TestOrphan(t *testing.T) {
	read := Entry{Key: "k", Revision: 7, Held: Held{ID: "0015g", Sequence: 3, Record: 9, Fingerprint: row.Fingerprint{1}}, Last: Last{Run: "r.2", Sequence: 4, Error: "r.1#b#0", Intent: "r.1#b#0@1", Unknown: true}}
	set := func(f func(e *Entry)) Entry { e := read; f(&e); return e }
	unclaimed := func(e *Entry) { e.Revision, e.Held.Record = 0, 0 }
	for name, c := range map[string]struct {
		mine, want Entry
		lost       bool
	}{
		"delivered": {mine: read, want: set(unclaimed)},
		"delivered, and claimed": {
			mine: set(func(e *Entry) { e.Claim = "c 1" }),
			want: set(func(e *Entry) { e.Revision, e.Claim = 0, "c 1" }),
		},
		"waits": {
			mine: set(func(e *Entry) { e.Carries = true }),
			want: set(func(e *Entry) { unclaimed(e); e.Carries, e.Last.Error, e.Last.Unknown = true, "", false }),
		},
		"is about to be sent": {
			mine: set(func(e *Entry) { e.Intends = true }),
			want: set(func(e *Entry) { unclaimed(e); e.Intends, e.Last.Error, e.Last.Unknown = true, "", false }),
		},
		"void": {mine: set(func(e *Entry) { e.Voids = true }), lost: true},
	} {
		if got, lost := Orphan(c.mine); lost != c.lost || !lost && !cmp.Equal(got, c.want) {
			t.Errorf("%s: %+v, lost %t, want %+v", name, got, lost, c.want)
		}
	}
}
