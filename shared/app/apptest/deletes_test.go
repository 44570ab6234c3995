package apptest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/penstock-data/penstock/shared/sandbox"
)

// The sample's soft deletes over the whole road to the simulated vendor: the query says
// NULL for whatever a deleted customer had, under each of three strategies.
func TestSoftDeletesOfTheSample(t *testing.T) {
	for name, c := range map[string]struct{ object, match, name string }{
		"email":        {"Contact", "matching_strategy: email", "LastName"},
		"email_domain": {"Account", "matching_strategy: email_domain", "Name"},
		"external_id":  {"Account", "matching_strategy: external_id\nmatch: {source: customer_id, destination: Customer_ID__c}", "Name"},
	} {
		t.Run(name, func(t *testing.T) {
			w := softDeletes(t, c.object, c.match, c.name)
			w.send(t, "customers", customer("c1", "one", false), customer("c2", "two", false))
			if got := w.records(c.object, c.name); len(got) != 2 {
				t.Fatalf("records %v", got)
			}
			id, statuses := w.send(t, "customers", customer("c1", "", true), customer("c2", "two", false), customer("c9", "", true))
			if r := w.Run(t, id); r.Counts.Delivered != 1 || r.Counts.Unchanged != 2 {
				t.Errorf("%v, %+v, %v", statuses, r.Counts, w.Errors(t, id))
			}
			got := w.records(c.object, c.name)
			if len(got) != 1 || got[0][c.name] != "two" {
				t.Errorf("left are %v", got)
			}
			// It comes back when the customer does.
			w.send(t, "customers", customer("c1", "one", false))
			if got := w.records(c.object, c.name); len(got) != 2 {
				t.Errorf("after its return %v", got)
			}
		})
	}
}

// A delete that the vendor has locked comes back by itself; what somebody has deleted
// there meanwhile is as good as deleted.
func TestDeletesAtTheVendor(t *testing.T) {
	w := softDeletes(t, "Account", "matching_strategy: external_id\nmatch: {source: customer_id, destination: Customer_ID__c}", "Name")
	w.send(t, "customers", customer("c1", "one", false), customer("c2", "two", false), customer("c3", "three", false))
	calls := w.Vendors.Salesforce.Core().Calls().Total
	id, _ := w.send(t, "customers", customer("c2", "", true), customer("c3", "", true))
	if r := w.Run(t, id); r.Counts.Delivered != 2 || w.Vendors.Salesforce.Core().Calls().Total != calls+1 {
		t.Errorf("%+v, %d calls", r.Counts, w.Vendors.Salesforce.Core().Calls().Total-calls)
	}
	w.fault(t, sandbox.Fault{Match: "composite/sobjects", Status: 503, Count: 3})
	w.send(t, "customers", customer("c1", "", true))
	w.Pass(t, soon)
	if got := w.records("Account", "Name"); len(got) != 0 {
		t.Errorf("left are %v", got)
	}
}

func customer(id, name string, deleted bool) string {
	if deleted {
		return fmt.Sprintf(`{"CUSTOMER_ID":%q,"EMAIL":null,"NAME":null,"SHOULD_DELETE_FROM_DESTINATION":true}`, id)
	}
	return fmt.Sprintf(`{"CUSTOMER_ID":%q,"EMAIL":"info@%s.example","NAME":%q,"SHOULD_DELETE_FROM_DESTINATION":false}`, id, name, name)
}

// softDeletes is a World of one sync, whose rows are named by customer_id.
func softDeletes(t *testing.T, object, match, name string) *World {
	t.Helper()
	dir := t.TempDir()
	for file, text := range map[string]string{
		"connections.yaml": "connections:\n  salesforce_prod: {type: salesforce, url: \"https://acme.my.salesforce.com\"}\n",
		"customers.yaml": "connection: salesforce_prod\ndestination_object: " + object + "\n" + match + "\nrecord_id: customer_id\non_missing: create\n" +
			"field_mappings:\n  - {source: name, destination: " + name + ", data_type: string}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return NewWith(t, Load(t, dir))
}

// Salesforce deletes an Id whatever its object: a sync of contacts that is given an
// account's deletes the contact beside it alone, and the row is told.
func TestDeletesByIDKeepToTheirObject(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"connections": "connections:\n  crm: {type: salesforce, url: https://acme.my.salesforce.com}\n",
		"leavers":     "connection: crm\nrecord_id: k\ndestination_object: Contact\noperation: delete\nmatching_strategy: field\nmatch: {source: k, destination: Id}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := NewWith(t, Load(t, dir))
	w.seed(t, "Description", "account")
	if err := w.Vendors.Salesforce.Seed("Contact", []string{"LastName"}, func(yield func([]string) bool) { yield([]string{"contact"}) }); err != nil {
		t.Fatal(err)
	}
	id, _ := w.send(t, "leavers", `{"k":"0015g0000000001AAA"}`, `{"k":"0035g0000000001AAA"}`)
	if r, errs := w.Run(t, id), w.Errors(t, id); r.Counts.Delivered != 1 || r.Counts.Failed != 1 || len(errs) != 1 || errs[0].Type != "bad_match_value" {
		t.Errorf("%+v, %+v", r.Counts, errs)
	}
	if accounts, contacts := w.records("Account", "Name"), w.records("Contact", "LastName"); len(accounts) != 1 || len(contacts) != 0 {
		t.Errorf("left are %v and %v", accounts, contacts)
	}
}
