package ledger

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

var a, b = row.Fingerprint{1}, row.Fingerprint{2}

// held is an entry of a delivery, read from a store.
func held(f row.Fingerprint, run string, sequence int64) Entry {
	return Entry{Key: "k", Held: Held{Fingerprint: f, ID: "id", Sequence: sequence}, Last: Last{Run: run, Sequence: sequence}, Revision: 1}
}

// failed is the entry with an error of a later row.
func failed(e Entry, ref, run string, sequence int64) Entry {
	e.Key, e.Revision = "k", 1
	e.Last = Last{Run: run, Sequence: sequence, Error: ref}
	return e
}

func TestDiff(t *testing.T) {
	in := Row{Ref: "r2#b#0", Run: "r2", Sequence: 20, Fingerprint: a}
	with := func(f func(*Row)) Row { r := in; f(&r); return r }
	full, once := with(func(r *Row) { r.Full = true }), with(func(r *Row) { r.Once = true })
	replay := Row{Ref: "r1#b#0", Run: "r1~2", Sequence: 10, Fingerprint: a, Replay: true}
	for _, c := range []struct {
		name  string
		entry Entry
		row   Row
		want  Verdict
	}{
		{"nothing known", Entry{}, in, Send},
		{"same value, earlier run", held(a, "r1", 10), in, Unchanged},
		{"same value, this run", held(a, "r2", 20), in, Delivered},
		{"same value, this run, an earlier batch", held(a, "r2", 19), in, Unchanged},
		{"other value", held(b, "r1", 10), in, Send},
		{"newer value accepted", held(b, "r3", 30), in, Superseded},
		{"newer value accepted, the same one", held(a, "r3", 30), in, Superseded},
		{"newer failure", failed(Entry{}, "r3#b#0", "r3", 30), in, Superseded},
		{"newer failure over the same value", failed(held(a, "r1", 10), "r3#b#0", "r3", 30), in, Superseded},
		{"own error stored", failed(Entry{}, "r2#b#0", "r2", 20), in, Failed},
		{"own error stored, over an earlier value", failed(held(b, "r1", 10), "r2#b#0", "r2", 20), in, Failed},
		{"earlier error", failed(Entry{}, "r1#b#0", "r1", 10), in, Send},
		{"earlier error over the same value", failed(held(a, "r1", 5), "r1#b#0", "r1", 10), in, Unchanged},
		{"voided", Entry{Key: "k", Last: Last{Run: "r1", Sequence: 10}, Revision: 1}, in, Send},
		{"full run re-sends", held(a, "r1", 10), full, Send},
		{"full run counts its own", held(a, "r2", 20), full, Delivered},
		{"once, other value", held(b, "r1", 10), once, Unchanged},
		{"once, even in a full run", held(b, "r1", 10), with(func(r *Row) { r.Once, r.Full = true, true }), Unchanged},
		{"once, intent only", Entry{Key: "k", Last: Last{Run: "r1", Sequence: 10, Intent: "r1#b#0"}, Revision: 1}, once, Send},
		{"replay of an open error", failed(held(b, "r0", 5), "r1#b#0", "r1", 10), replay, Send},
		{"replay, its error closed by a later failure of the key", failed(Entry{}, "r2#b#0", "r2", 20), replay, Superseded},
		{"replay, its error closed by a later delivery", held(b, "r2", 20), replay, Superseded},
		{"replay, another row of its batch came after it", failed(Entry{}, "r1#b#7", "r1", 10), replay, Superseded},
		{"replay that was delivered and not counted", held(a, "r1~2", 10), replay, Delivered},
		{"replay, nothing known", Entry{}, replay, Send},
	} {
		if got := Diff(c.entry, c.row); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestChanged(t *testing.T) {
	e := Entry{Held: Held{Fingerprint: a, Version: "v1", Fields: []uint32{1, 2, 3}}}
	now := []uint32{1, 9, 3}
	if f := e.Changed("v1", now); f(0) || !f(1) || f(2) {
		t.Error("only the second field changed")
	}
	if f := e.Changed("v2", now); !f(0) || !f(2) {
		t.Error("another version's hashes compare with nothing")
	}
	if f := e.Changed("v1", now[:2]); !f(0) {
		t.Error("another number of fields compares with nothing")
	}
	void := Entry{Held: Held{Version: "v1", Fields: e.Held.Fields}}
	if f := void.Changed("v1", now); !f(0) {
		t.Error("where it is not known what is there, all fields are sent")
	}
}

func TestMerge(t *testing.T) {
	at := func(e Entry, revision int64) Entry { e.Revision = revision; return e }
	void := func(e Entry) Entry { e.Held.Fingerprint, e.Held.Fields = row.Fingerprint{}, nil; return e }
	withID := func(e Entry, id string) Entry { e.Held.ID = id; return e }
	refused := failed(Entry{}, "r2#b#0", "r2", 20) // read nothing: knows no id
	for _, c := range []struct {
		name         string
		stored, mine Entry
		want         Entry
		lost         bool
	}{
		{"the row's own", held(a, "r1", 10), at(held(a, "r1", 10), 0), held(a, "r1", 10), false},
		{"the row's own, now delivered", failed(Entry{}, "r1#b#0", "r1", 10), at(held(a, "r1", 10), 0), held(a, "r1", 10), false},
		{"its id is kept", held(a, "r1", 10), at(withID(held(a, "r1", 10), ""), 0), held(a, "r1", 10), false},
		{"mine is newer", at(held(a, "r1", 10), 7), held(b, "r2", 20), at(void(held(b, "r2", 20)), 7), true},
		{"mine is older", at(held(b, "r2", 20), 7), held(a, "r1", 10), at(void(held(b, "r2", 20)), 7), true},
		{"mine is newer and knows no id", at(held(a, "r1", 10), 7), refused, at(withID(refused, "id"), 7), true},
		{"mine is older and knows the id", at(refused, 7), held(a, "r1", 10), at(withID(refused, "id"), 7), true},
		{"two ids", at(withID(held(a, "r1", 10), "old"), 7), withID(held(b, "r2", 20), "new"), at(void(withID(held(b, "r2", 20), "new")), 7), true},
	} {
		got, lost := Merge(c.stored, c.mine)
		if diff := cmp.Diff(c.want, got); diff != "" || lost != c.lost {
			t.Errorf("%s: lost %t (-want +got):\n%s", c.name, lost, diff)
		}
	}
}

// What starts an empty ledger, and what does not.
func TestTarget(t *testing.T) {
	d := func(f func(*syncdef.Definition)) *syncdef.Definition {
		d := &syncdef.Definition{
			Sync: "health", Connection: "prod", Object: "Account", Strategy: syncdef.MatchEmailDomain,
			Match: syncdef.Match{Source: "email", Destination: "Website"}, RecordID: []string{"id"},
		}
		f(d)
		return d
	}
	none := func(*syncdef.Definition) {}
	rules := &syncdef.Rules{Type: "salesforce", Identity: row.Identity{Steps: []row.Step{row.StepTrim}}}
	base := Target(d(none), rules, 0)
	for _, c := range []struct {
		name string
		got  string
		same bool
	}{
		{"nothing", Target(d(none), rules, 0), true},
		{"the match's source column", Target(d(func(d *syncdef.Definition) { d.Match.Source = "mail" }), rules, 0), true},
		{"the record id of a sync that matches", Target(d(func(d *syncdef.Definition) { d.RecordID = []string{"uid"} }), rules, 0), true},
		{"another account", Target(d(none), rules, 1), false},
		{"connection", Target(d(func(d *syncdef.Definition) { d.Connection = "test" }), rules, 0), false},
		{"object", Target(d(func(d *syncdef.Definition) { d.Object = "Contact" }), rules, 0), false},
		{"match", Target(d(func(d *syncdef.Definition) { d.Match.Destination = "Domain__c" }), rules, 0), false},
		{"strategy", Target(d(func(d *syncdef.Definition) { d.Strategy = syncdef.MatchField }), rules, 0), false},
		{"rule of identity", Target(d(none), &syncdef.Rules{Type: "salesforce"}, 0), false},
	} {
		if (c.got == base) != c.same {
			t.Errorf("%s: target %s, before %s", c.name, c.got, base)
		}
	}
	insert := &syncdef.Rules{Once: true}
	if Target(d(none), insert, 0) != Target(d(func(d *syncdef.Definition) { d.Object = "Contact" }), insert, 0) {
		t.Error("inserts are known by sync and connection alone")
	}
}
