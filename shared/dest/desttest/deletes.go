package desttest

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// deletes are what becomes of records that are to be removed.
var deletes = map[string]func(*testing.T, *world){
	"removes known records":          removesKnown,
	"removes what it has to look up": removesFound,
	"takes gone for removed":         removesGone,
	"removes beside writes":          removesAmong,
	"removes all but a faulty one":   removesTheRest,
}

// pushed makes n records, known by their ids.
func (w *world) pushed(t *testing.T, n int) dest.Batch {
	t.Helper()
	if d := &w.Version.Definition; len(w.Vendor.Removals) == 0 || d.OnDelete == "" || d.Operation == syncdef.Insert {
		t.Skip("the destination has no removals in this version")
	}
	b := w.batch(n)
	for i, o := range w.push(t, b) {
		b.Records[i].ID = o.ID
	}
	return b
}

// clears reports whether the version empties fields instead of removing records.
func (w *world) clears() bool { return w.Version.Definition.OnDelete == syncdef.RemoveClear }

// removal is the batch that removes a batch's records, as deliver makes it.
func (w *world) removal(b dest.Batch) dest.Batch {
	out := of()
	for _, r := range b.Records {
		r.Delete, r.Fields = true, nil
		for _, f := range w.Version.Definition.Fields {
			if w.clears() && f.Destination != w.Version.Definition.Match.Destination {
				r.Fields = append(r.Fields, dest.Field{Name: f.Destination, Value: jsontext.Value("null")})
			}
		}
		out.Records = append(out.Records, r)
	}
	return out
}

// left reports whether the simulator holds anything of what was written to a record.
func (w *world) left(r dest.Record) bool {
	stored := w.Stored(r)
	if !w.clears() {
		return stored != nil
	}
	return slices.ContainsFunc(w.Version.Definition.Fields, func(f syncdef.Field) bool { return stored[f.Destination] != "" })
}

// gone wants the simulator to hold nothing of the records.
func (w *world) gone(t *testing.T, b dest.Batch) {
	t.Helper()
	for i, r := range b.Records {
		if w.left(r) {
			t.Errorf("record %d is still there: %v", i, w.Stored(r))
		}
	}
}

func removesKnown(t *testing.T, w *world) {
	b := w.pushed(t, 450)
	rest := w.Count() - 450
	if w.clears() {
		rest += 450
	}
	if got := statuses(w.push(t, w.removal(b))); got != strings.Repeat("d", 450) {
		t.Fatalf("outcomes %s", got)
	}
	w.gone(t, b)
	if got := w.Count(); got != rest {
		t.Errorf("%d records are left, want %d", got, rest)
	}
}

// removesFound looks up records whose ids nobody knows; of those that are not there
// the lookup, or the push, says Delivered.
func removesFound(t *testing.T, w *world) {
	b := w.removal(w.pushed(t, 5))
	if w.Creates { // else all that Record makes exist
		unknown := w.Record(100_000)
		b.Records = append(b.Records, w.removal(of(unknown)).Records...)
	}
	for i := range b.Records {
		b.Records[i].ID = ""
	}
	left := of()
	asked := map[int]bool{}
	for _, c := range w.dest.Lookups(b) {
		out, err := w.dest.Lookup(t.Context(), b, c)
		if err != nil {
			t.Fatal(err)
		}
		for n, at := range c.Records {
			asked[at] = true
			switch o := out[n]; {
			case o.Status == dest.Found && at < 5:
				b.Records[at].ID = o.ID
			case o.Status == dest.Delivered && at == 5:
			default:
				t.Errorf("record %d: %+v", at, o)
			}
		}
	}
	for at, r := range b.Records {
		if r.ID != "" || !asked[at] {
			left.Records = append(left.Records, r)
		}
	}
	if got := statuses(w.push(t, left)); strings.Trim(got, "d") != "" {
		t.Errorf("outcomes %s", got)
	}
	w.gone(t, b)
}

// removesGone removes twice: what the vendor says of a record that is gone is no error.
func removesGone(t *testing.T, w *world) {
	b := w.pushed(t, 3)
	w.push(t, w.removal(of(b.Records[1])))
	for range 2 {
		if got := statuses(w.push(t, w.removal(b))); got != "ddd" {
			t.Fatalf("outcomes %s", got)
		}
	}
	w.gone(t, b)
}

// removesAmong removes every other record of a batch that writes the rest.
func removesAmong(t *testing.T, w *world) {
	b := w.pushed(t, 6)
	mixed := of()
	for i, r := range b.Records {
		if i%2 == 0 {
			r = w.removal(of(r)).Records[0]
		}
		mixed.Records = append(mixed.Records, r)
	}
	if got := statuses(w.push(t, mixed)); got != "dddddd" {
		t.Fatalf("outcomes %s", got)
	}
	w.gone(t, of(b.Records[0], b.Records[2], b.Records[4]))
	for _, i := range []int{1, 3, 5} {
		if !w.left(b.Records[i]) {
			t.Errorf("record %d is gone", i)
		}
	}
}

// removesTheRest has one record that the vendor does not remove now: where it answers for
// all records at once, halving finds it, and the others are removed.
func removesTheRest(t *testing.T, w *world) {
	b := w.pushed(t, 8)
	if w.Busy.Code == "" {
		t.Skip("the vendor does not fail single records for a while")
	}
	f := w.Busy
	f.Match, f.Message, f.Count, f.FailRecords = "", "wait", -1, []string{b.Records[5].Key, b.Records[5].ID}
	if w.Name != nil {
		f.FailRecords[0] = w.Name(b.Records[5])
	}
	w.arm(t, f)
	gone := w.removal(b)
	var got [8]dest.Status
	todo := w.dest.Calls(gone, 0)
	for len(todo) > 0 {
		c := todo[0]
		todo = todo[1:]
		out, err := w.dest.Push(t.Context(), gone, c)
		if half := len(c.Records) / 2; err != nil && half > 0 {
			todo = append(todo, dest.Call{Records: c.Records[:half]}, dest.Call{Records: c.Records[half:]})
			continue
		}
		for n, at := range c.Records {
			if err == nil {
				got[at] = out[n].Status
			}
		}
	}
	for at, status := range got {
		if (status == dest.Delivered) != (at != 5) {
			t.Errorf("record %d: %d", at, status)
		}
		if w.left(b.Records[at]) != (at == 5) {
			t.Errorf("record %d is left, or gone", at)
		}
	}
}
