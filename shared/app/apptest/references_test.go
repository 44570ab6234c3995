package apptest

import (
	"fmt"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

// A row that refers to a deleted record is refused as Salesforce refuses one whose own record
// is deleted: it is looked for once more, and is an error under Salesforce's code. A record
// that was deleted is made anew.
func TestReferenceToADeletedRecord(t *testing.T) {
	const sync = "destination_object: Contact\nmatching_strategy: email\nmatch: {source: mail, destination: Email}\nfield_mappings:\n  - {source: name, destination: LastName}\n  - {source: account, destination: AccountId}\n"
	w := salesforceOf(t, sync)
	w.Vendors.SeedAccounts(t, "one.example", "two.example")
	row := func(account int) string {
		return fmt.Sprintf(`{"k":"a","mail":"x@there.example","name":"Doe","account":"0015g000000000%dAAA"}`, account)
	}
	w.delivered(t, "main", "q1", row(1))
	contact := w.records("Contact", "Email")
	if len(contact) != 1 {
		t.Fatal(contact)
	}
	if err := w.Vendors.Salesforce.Remove("Account", "0015g0000000002AAA"); err != nil {
		t.Fatal(err)
	}
	calls := w.Vendors.Salesforce.Core().Calls().Total
	id := w.Push(t, "q2", "q2:1", []string{`"main"`, row(2)})[0].Run
	w.Pass(t, 2*time.Hour)
	errs := w.Errors(t, id)
	if len(errs) != 1 || errs[0].Type != "ENTITY_IS_DELETED" || errs[0].Stage != "deliver" || !errs[0].Due.IsZero() {
		t.Errorf("%+v", errs)
	}
	if made := w.Vendors.Salesforce.Core().Calls().Total - calls; made > 3 {
		t.Errorf("%d calls", made)
	}
	if r := w.Run(t, id); r.Status != run.Complete || r.Counts.Failed != 1 || len(w.records("Contact")) != 1 {
		t.Errorf("%s %+v", r.Status, r.Counts)
	}
	if got := w.delivered(t, "main", "q3", row(1)); got != "1 delivered, 0 unchanged" {
		t.Errorf("corrected: %s", got)
	}
}
