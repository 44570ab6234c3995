package desttest

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
)

// outcomes are what becomes of single records.
var outcomes = map[string]func(*testing.T, *world){
	"delivers every record once":   delivers,
	"keeps order in partial fails": partial,
	"retries a busy record":        busy,
	"quotes no value":              private,
	"says created truthfully":      created,
	"cuts calls as asked":          cuts,
	"takes parts of a call":        parts,
	"answers an empty batch":       empty,
}

func delivers(t *testing.T, w *world) {
	before := w.Count()
	b := w.batch(450)
	out := w.push(t, b)
	if got, want := statuses(out), strings.Repeat("d", 450); got != want {
		t.Fatalf("outcomes %s", got)
	}
	distinct(t, out)
	for i := range out {
		w.holds(t, b.Records[i])
	}
	w.grown(t, before, 450)
}

// distinct wants an id of its own for each record.
func distinct(t *testing.T, out []dest.Outcome) {
	t.Helper()
	ids := map[string]bool{}
	for i, o := range out {
		if o.ID == "" || ids[o.ID] {
			t.Errorf("record %d: id %q is empty or another record's", i, o.ID)
		}
		ids[o.ID] = true
	}
}

func partial(t *testing.T, w *world) {
	if w.Bad == nil {
		t.Skip("the vendor refuses no record for what it holds")
	}
	before := w.Count()
	b := w.batch(7)
	b.Records[2] = w.Bad(b.Records[2])
	b.Records[6] = w.Bad(b.Records[6])
	out := w.push(t, b)
	if got := statuses(out); got != "ddRdddR" {
		t.Errorf("outcomes %s", got)
	}
	if out[2].Code != w.BadCode || out[2].Message == "" || out[2].Scope == dest.ScopeConnection {
		t.Errorf("code %q, scope %d, message %q", out[2].Code, out[2].Scope, out[2].Message)
	}
	w.grown(t, before, 5)
	// A row alone in its call is judged as one of many.
	if alone := w.push(t, of(b.Records[2])); alone[0].Status != dest.Rejected || alone[0].Code != out[2].Code {
		t.Errorf("alone: %+v", alone[0])
	}
}

func busy(t *testing.T, w *world) {
	if w.Busy.Code == "" {
		t.Skip("the vendor does not fail single records for a while")
	}
	b := w.batch(5)
	w.strike(t, b.Records[3], "wait")
	out := w.push(t, b)
	if got := statuses(out); got != "dddrd" || out[3].Code != w.Busy.Code {
		t.Fatalf("outcomes %s, code %q", got, out[3].Code)
	}
	if got := statuses(w.push(t, of(b.Records[3]))); got != "d" {
		t.Errorf("the second time: %s", got)
	}
}

// strike makes one record busy, once, with a message of the vendor's.
func (w *world) strike(t *testing.T, r dest.Record, message string) {
	t.Helper()
	f := w.Busy
	f.Message = message
	f.FailRecords = []string{r.Key}
	if w.Name != nil {
		f.FailRecords[0] = w.Name(r)
	}
	w.arm(t, f)
}

// private wants no value of a row in what a person or a log reads (I6), also where
// the vendor quotes it.
func private(t *testing.T, w *world) {
	const marked = "marked-row-value-4711"
	r := w.Record(1)
	if w.Text != "" {
		r.Fields = replaced(r.Fields, dest.Field{Name: w.Text, Value: jsontext.Value(`"` + marked + `"`)})
	}
	clean := func(o dest.Outcome) {
		t.Helper()
		for _, value := range []string{marked, r.Key} {
			if value != "" && strings.Contains(o.Message, value) {
				t.Errorf("the message of %s holds a row's value: %q", o.Code, o.Message)
			}
		}
	}
	if w.Bad != nil {
		clean(w.push(t, of(w.Bad(r)))[0])
	}
	if w.Busy.Code != "" {
		w.strike(t, r, "the field holds "+marked+", and record "+r.Key+" is in use")
		clean(w.push(t, of(r))[0])
	}
}

func created(t *testing.T, w *world) {
	b := w.batch(3)
	for i, o := range w.push(t, b) {
		if o.Status != dest.Delivered || o.Created != w.Creates {
			t.Errorf("record %d: %+v", i, o)
		}
		b.Records[i].ID = o.ID
	}
	if !w.Clears {
		return // nothing is ever changed
	}
	for i, o := range w.push(t, b) {
		if o.Status != dest.Delivered || o.Created || o.ID != b.Records[i].ID {
			t.Errorf("record %d, changed: %+v", i, o)
		}
	}
}

func cuts(t *testing.T, w *world) {
	b := w.batch(20)
	calls := w.dest.Calls(b, 3)
	for _, c := range calls {
		if len(c.Records) == 0 || len(c.Records) > 3 {
			t.Errorf("a call of %d records, at most 3 were asked for", len(c.Records))
		}
		seen := map[string]bool{}
		for _, cost := range c.Costs {
			if cost.Tokens < 1 || seen[cost.Bucket] {
				t.Errorf("costs %+v", c.Costs)
			}
			seen[cost.Bucket] = true
		}
	}
	if got := statuses(w.pushCalls(t, b, calls)); got != strings.Repeat("d", 20) {
		t.Errorf("outcomes %s", got)
	}
}

// parts pushes each half of each call, down to single records, as deliver does
// with a call that failed.
func parts(t *testing.T, w *world) {
	before := w.Count()
	b := w.batch(7)
	var calls []dest.Call
	for _, c := range w.dest.Calls(b, 0) {
		half := len(c.Records) / 2
		if half > 0 {
			calls = append(calls, dest.Call{Records: c.Records[:half], Costs: c.Costs})
		}
		for _, at := range c.Records[half:] {
			calls = append(calls, dest.Call{Records: []int{at}, Costs: c.Costs})
		}
	}
	out := w.pushCalls(t, b, calls)
	if got := statuses(out); got != "ddddddd" {
		t.Errorf("outcomes %s", got)
	}
	distinct(t, out)
	for _, r := range b.Records {
		w.holds(t, r)
	}
	w.grown(t, before, 7)
}

func empty(t *testing.T, w *world) {
	b := of()
	if calls := w.dest.Calls(b, 0); len(calls) != 0 {
		t.Errorf("calls for no records: %v", calls)
	}
	if calls := w.dest.Lookups(b); len(calls) != 0 {
		t.Errorf("lookups for no records: %v", calls)
	}
}
