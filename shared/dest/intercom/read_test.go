package intercom_test

import (
	"context"
	"testing"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Contacts are read one by one: a merged one is followed once, an archived one is gone,
// and times come in the form in which they were mapped.
func TestReadContacts(t *testing.T) {
	w := newWorld(t, byExternalID())
	ids := w.seed(`{"external_id":"a","name":"Ann","signed_up_at":1700000000}`, `{"external_id":"b","name":"Bob"}`, `{"external_id":"c","name":"Cy"}`)
	w.sim.Merge(ids[0], ids[1])
	w.api("POST", "/contacts/"+ids[2]+"/archive", "")
	calls := 0
	spend := func(_ context.Context, c dest.Cost) error { calls += c.Tokens; return nil }
	def := byExternalID()
	def.Fields = append(def.Fields, syncdef.Field{Destination: "signed_up_at", Type: syncdef.DateTime})
	r := w.acct.(dest.Reader)
	kept, err := r.Read(t.Context(), &def, []string{"name", "signed_up_at"}, append(ids, "66a0000000000000000000ff"), spend)
	if err != nil || len(kept) != 4 {
		t.Fatalf("%+v, %v", kept, err)
	}
	for i, gone := range []bool{false, false, true, true} {
		if kept[i].Gone != gone {
			t.Errorf("contact %d: gone %v", i, kept[i].Gone)
		}
	}
	if got := string(kept[0].Values[0]) + string(kept[1].Values[1]); got != `"Bob"null` || calls != 5 {
		t.Errorf("%s with %d calls, want those of the contact that it became, and a call more", got, calls)
	}
	ids = w.seed(`{"external_id":"d","signed_up_at":1700000000}`)
	if kept, err = r.Read(t.Context(), &def, []string{"signed_up_at"}, ids, spend); err != nil || string(kept[0].Values[0]) != `"2023-11-14T22:13:20Z"` {
		t.Errorf("%s, %v", kept[0].Values, err)
	}
	tells, err := r.Readable(t.Context(), &def, []string{"name", "tags", "no_such_attribute", "custom_attributes", "phone", "unsubscribed_from_emails", "signed_up_at"}, spend)
	if err != nil || tells[0].Why != "" || tells[1].Why == "" || tells[2].Why == "" || tells[3].Why == "" || tells[4].Alters == "" || tells[5].Empty == nil || tells[6].Also == nil {
		t.Errorf("%+v, %v", tells, err)
	}
}

// A contact that is refused leaves the others, also alone in its call; where all of several
// are, it is not theirs.
func TestReadOfRefusedContacts(t *testing.T) {
	w := newWorld(t, byExternalID())
	ids := w.seed(`{"external_id":"a","name":"Ann"}`, `{"external_id":"b","name":"Bob"}`, `{"external_id":"c","name":"Cy"}`)
	for _, id := range ids[:2] {
		if err := w.sim.Core().AddFault(sandbox.Fault{Match: "/contacts/" + id, Count: -1, Status: 400, Body: `{"type":"error.list","request_id":"x","errors":[{"code":"parameter_invalid","message":"no"}]}`}); err != nil {
			t.Fatal(err)
		}
	}
	def := byExternalID()
	read := func(ids ...string) ([]dest.Kept, error) {
		return w.acct.(dest.Reader).Read(t.Context(), &def, []string{"name"}, ids, func(context.Context, dest.Cost) error { return nil })
	}
	if kept, err := read(ids[0]); err != nil || !kept[0].Refused || kept[0].Gone {
		t.Errorf("alone: %+v, %v", kept, err)
	}
	if kept, err := read(ids[0], ids[1], ids[2]); err != nil || !kept[0].Refused || !kept[1].Refused || string(kept[2].Values[0]) != `"Cy"` {
		t.Errorf("beside a good one: %+v, %v", kept, err)
	}
	if kept, err := read(ids[0], ids[1]); err == nil {
		t.Errorf("all of them: %+v", kept)
	}
}
