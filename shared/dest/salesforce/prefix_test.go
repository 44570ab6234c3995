package salesforce_test

import (
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A delete names Ids of any object: one that is not of the definition's object is its row's
// fault, and nothing of it is deleted, while its neighbours are.
func TestDeleteOfAnotherObjectsRecord(t *testing.T) {
	def := matching(syncdef.MatchField, "Id")
	def.Object, def.Operation, def.Match.DataType = "Contact", syncdef.Delete, syncdef.MatchID
	w := start(t, def)
	const account, contact = "0015g0000000001AAA", "0035g0000000001AAA"
	b := dest.Batch{Records: []dest.Record{{Key: account, Delete: true}, {Key: contact, Delete: true}}}
	if calls := w.Lookups(b); len(calls) != 1 || len(calls[0].Records) != 2 {
		t.Fatalf("%+v", calls)
	}
	out, err := w.Lookup(t.Context(), b, w.Lookups(b)[0])
	if err != nil {
		t.Fatal(err)
	}
	if o := out[0]; o.Status != dest.Rejected || o.Code != "bad_match_value" || !strings.Contains(o.Message, "is not of Contact, whose Ids begin with 003") {
		t.Errorf("an account's Id: %+v", o)
	}
	if o := out[1]; o.Status != dest.Found || o.ID != contact {
		t.Errorf("a contact's Id: %+v", o)
	}
}
