package apptest

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A checkbox of Salesforce is never empty: a deleting row that clears unticks it, with
// everything else, and a row with a null for it is told what to write.
func TestCheckboxes(t *testing.T) {
	const sync = "destination_object: Contact\nmatching_strategy: email\nmatch: {source: mail, destination: Email}\non_delete: clear\nfield_mappings:\n" +
		"  - {source: name, destination: LastName, on_null: skip}\n  - {source: phone, destination: Phone}\n"
	const optout = "  - {source: optout, destination: HasOptedOutOfEmail, data_type: boolean"
	w := salesforceOf(t, strings.Replace(sync, "  - {source: name, destination: LastName, on_null: skip}\n", "", 1)+optout+"}\n")
	if err := w.Vendors.Salesforce.Seed("Contact", []string{"LastName", "Email"}, func(yield func([]string) bool) { yield([]string{"Doe", "x@there.example"}) }); err != nil {
		t.Fatal(err)
	}
	contact := func(want map[string]string) {
		t.Helper()
		if d := cmp.Diff([]map[string]string{want}, w.records("Contact", "Phone", "HasOptedOutOfEmail")); d != "" {
			t.Error(d)
		}
	}
	w.delivered(t, "main", "q1", `{"k":"a","mail":"x@there.example","phone":"123456","optout":true}`)
	contact(map[string]string{"Phone": "123456", "HasOptedOutOfEmail": "true"})
	id := w.Push(t, "q2", "q2:1", []string{`"main"`, `{"k":"a","mail":"x@there.example","phone":"123456","optout":null}`})[0].Run
	w.Pass(t, time.Minute)
	if errs := w.Errors(t, id); len(errs) != 1 || errs[0].Field != "HasOptedOutOfEmail" || !strings.Contains(errs[0].Message, "write default: false or on_null: skip") {
		t.Errorf("%+v", errs)
	}
	if got := w.delivered(t, "main", "q3", `{"k":"a","mail":"x@there.example","sync_action":"delete"}`); got != "1 delivered, 0 unchanged" {
		t.Error(got)
	}
	contact(map[string]string{"HasOptedOutOfEmail": "false"})

	w = salesforceOf(t, sync+optout+", default: false}\n")
	if got := w.delivered(t, "main", "q1", `{"k":"a","mail":"x@there.example","name":"Doe","phone":"123456","optout":null}`); got != "1 delivered, 0 unchanged" {
		t.Error(got)
	}
	contact(map[string]string{"Phone": "123456", "HasOptedOutOfEmail": "false"})
}
