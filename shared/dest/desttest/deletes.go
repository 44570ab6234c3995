package desttest

import (
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// deletes are what becomes of records that are to be removed.
var deletes = map[string]func(*testing.T, *world){
	"removes known records":          removesKnown,
	"removes what it has to look up": removesFound,
	"takes gone for removed":         removesGone,
	"removes beside writes":          removesAmong,
}

// pushed makes n records, known by their ids.
func (w *world) pushed(t *testing.T, n int) dest.Batch {
	t.Helper()
	if d := &w.Version.Definition; len(w.Vendor.Removals) == 0 || d.OnDelete == "" || d.Operation == syncdef.Insert {
		t.Skip("the version removes nothing")
	}
	b := w.batch(n)
	for i, o := range w.push(t, b) {
		b.Records[i].ID = o.ID
	}
	return b
}

// removal is the batch that removes a batch's records.
func removal(b dest.Batch) dest.Batch {
	out := of()
	for _, r := range b.Records {
		r.Delete, r.Fields = true, nil
		out.Records = append(out.Records, r)
	}
	return out
}

// gone wants the simulator to hold none of the records.
func (w *world) gone(t *testing.T, b dest.Batch) {
	t.Helper()
	for i, r := range b.Records {
		if stored := w.Stored(r); stored != nil {
			t.Errorf("record %d is still there", i)
		}
	}
}

func removesKnown(t *testing.T, w *world) {
	b := w.pushed(t, 450)
	rest := w.Count() - 450
	if got := statuses(w.push(t, removal(b))); got != strings.Repeat("d", 450) {
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
	b := removal(w.pushed(t, 5))
	if w.Creates { // else all that Record makes exist
		unknown := w.Record(100_000)
		unknown.Delete, unknown.Fields = true, nil
		b.Records = append(b.Records, unknown)
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
	w.push(t, removal(of(b.Records[1])))
	for range 2 {
		if got := statuses(w.push(t, removal(b))); got != "ddd" {
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
			r = removal(of(r)).Records[0]
		}
		mixed.Records = append(mixed.Records, r)
	}
	if got := statuses(w.push(t, mixed)); got != "dddddd" {
		t.Fatalf("outcomes %s", got)
	}
	w.gone(t, of(b.Records[0], b.Records[2], b.Records[4]))
	for _, i := range []int{1, 3, 5} {
		if w.Stored(b.Records[i]) == nil {
			t.Errorf("record %d is gone", i)
		}
	}
}
