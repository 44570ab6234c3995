package ledger

import (
	"testing"

	"github.com/penstock-data/penstock/shared/row"
)

func TestDiff(t *testing.T) {
	a, b := row.Fingerprint{1}, row.Fingerprint{2}
	in := Row{Ref: "r2#b#0", Run: "r2", Place: 20, Fingerprint: a}
	with := func(f func(*Row)) Row { r := in; f(&r); return r }
	for _, c := range []struct {
		name  string
		entry *Entry
		row   Row
		want  Verdict
	}{
		{"nothing known", nil, in, Send},
		{"same value, earlier run", &Entry{Fingerprint: a, Run: "r1", Place: 10}, in, Unchanged},
		{"same value, this run", &Entry{Fingerprint: a, Run: "r2", Place: 20}, in, Delivered},
		{"other value", &Entry{Fingerprint: b, Run: "r1", Place: 10}, in, Send},
		{"newer value accepted", &Entry{Fingerprint: b, Run: "r3", Place: 30}, in, Superseded},
		{"newer failure", &Entry{Error: "r3#b#0", Run: "r3", Place: 30}, in, Superseded},
		{"own error stored", &Entry{Error: "r2#b#0", Run: "r2", Place: 20}, in, Failed},
		{"earlier error", &Entry{Error: "r1#b#0", Run: "r1", Place: 10}, in, Send},
		{"voided", &Entry{Run: "r1", Place: 10}, in, Send},
		{"full run re-sends", &Entry{Fingerprint: a, Run: "r1", Place: 10}, with(func(r *Row) { r.Full = true }), Send},
		{"full run counts its own", &Entry{Fingerprint: a, Run: "r2", Place: 20}, with(func(r *Row) { r.Full = true }), Delivered},
		{"once, other value", &Entry{Fingerprint: b, Run: "r1", Place: 10}, with(func(r *Row) { r.Once = true }), Unchanged},
		{"once, even in a full run", &Entry{Fingerprint: b, Run: "r1", Place: 10}, with(func(r *Row) { r.Once, r.Full = true, true }), Unchanged},
		{"once, intent only", &Entry{Intent: "r1#b#0", Run: "r1", Place: 10}, with(func(r *Row) { r.Once = true }), Send},
	} {
		var e Entry
		if c.entry != nil {
			e = *c.entry
		}
		if got := Diff(e, c.entry != nil, c.row); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestChanged(t *testing.T) {
	e := Entry{Fingerprint: row.Fingerprint{1}, Version: "v1", Fields: []uint32{1, 2, 3}}
	now := []uint32{1, 9, 3}
	if f := e.Changed("v1", now); f(0) || !f(1) || f(2) {
		t.Error("only the second field changed")
	}
	if f := e.Changed("v2", now); !f(0) || !f(2) {
		t.Error("another version's hashes compare with nothing")
	}
	if f := (Entry{Version: "v1", Fields: e.Fields}).Changed("v1", now); !f(0) {
		t.Error("after a failure all fields are sent")
	}
}
