package hubspot_test

import (
	"context"
	"testing"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// free lets everything go.
func free(context.Context, dest.Cost) error { return nil }

// A record that was merged into another one answers with that one's values; a property that
// is not there, and one that HubSpot computes, are said.
func TestReadMergedAndUnreadable(t *testing.T) {
	w := start(t, options(), byEmail)
	b := dest.Batch{Run: "r", Records: []dest.Record{contact(1), contact(2), contact(3)}}
	out, err := w.Push(t.Context(), b, w.Calls(b, 0)[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := w.sim.Merge("contacts", out[0].ID, out[1].ID); err != nil {
		t.Fatal(err)
	}
	def := byEmail
	r := w.account.(dest.Reader)
	kept, err := r.Read(t.Context(), &def, []string{"firstname"}, []string{out[0].ID, out[1].ID, out[2].ID}, free)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{`"Person 2"`, `"Person 2"`, `"Person 3"`} {
		if kept[i].Gone || string(kept[i].Values[0]) != want {
			t.Errorf("record %d: %+v, want %s", i, kept[i], want)
		}
	}
	tells, err := r.Readable(t.Context(), &def, []string{"firstname", "no_such_property", "email"}, free)
	if err != nil || tells[0].Why != "" || tells[1].Why == "" || tells[2].Alters == "" {
		t.Errorf("%+v, %v", tells, err)
	}
	def.Fields = append(def.Fields, syncdef.Field{Source: "e", Destination: "email", Transform: []string{"lower"}})
	if tells, err = r.Readable(t.Context(), &def, []string{"email"}, free); err != nil || tells[0].Alters != "" {
		t.Errorf("lowered: %+v, %v", tells, err)
	}
}
