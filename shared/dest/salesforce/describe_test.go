package salesforce_test

import (
	"net/http/httptest"
	"testing"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/salesforce"
	"github.com/penstock-data/penstock/shared/sandbox"
	simulator "github.com/penstock-data/penstock/shared/sandbox/salesforce"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// TestMatchField holds what an organisation says of the fields that records are
// matched by.
func TestMatchField(t *testing.T) {
	schema := simulator.DefaultSchema()
	schema[0].Fields = append(schema[0].Fields, simulator.Field{Name: "Exact__c", Type: simulator.Text, Length: 80, Unique: true, ExternalID: true, CaseSensitive: true})
	sim, err := simulator.New(simulator.Options{Schema: schema, Credentials: simulator.Credentials{ClientID: "app", ClientSecret: "hush"}})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(sim)
	defer srv.Close()
	account, err := salesforce.Vendor.Open(config(srv.URL))
	if err != nil {
		t.Fatal(err)
	}
	ask := func(object, field string) (dest.MatchField, error) {
		return account.(dest.Describer).MatchField(t.Context(), &syncdef.Definition{Object: object, Match: syncdef.Match{Destination: field}})
	}
	for field, want := range map[string]dest.MatchField{
		"Customer_ID__c":               {Known: true, Type: syncdef.MatchText},
		"customer_id__C":               {Known: true, Type: syncdef.MatchText},
		"Exact__c":                     {Known: true, Type: syncdef.MatchText, Case: true},
		"NumberOfEmployees":            {Known: true, Type: syncdef.MatchNumber},
		"Monthly_Recurring_Revenue__c": {Known: true, Type: syncdef.MatchNumber},
		"Id":                           {Known: true, Type: syncdef.MatchID},
		"Health_Score_Last_Updated__c": {Known: true},
		"Nothing__c":                   {},
	} {
		if got, err := ask("Account", field); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", field, got, err, want)
		}
	}
	if _, err := ask("Nothing", "X__c"); callError(t, err).Message == "" {
		t.Error("an unknown object")
	}
	d := start(t, byExternalID)
	for _, body := range []string{`{}`, `[]`, `{"fields":{}}`, `{"fields":[1]}`, `{"fields":[`, "<html>"} {
		d.arm(t, sandbox.Fault{Match: "describe", Status: 200, Body: body})
		def := matching(syncdef.MatchField, "Customer_ID__c")
		if got, err := d.account.(dest.Describer).MatchField(t.Context(), &def); err == nil {
			t.Errorf("%s: %+v", body, got)
		}
	}
}

// TestCaseUnsureLookup holds that a record which equals a row but for case is neither
// taken for the row's nor made a second time while nobody knows whether case counts.
func TestCaseUnsureLookup(t *testing.T) {
	def := creating(syncdef.MatchField, "Customer_ID__c")
	d := start(t, def)
	seed(t, d.sim, []string{"Name", "Customer_ID__c"}, []string{"x", "AbC-1"})
	id := version(t, def).Rules.Identity
	if got := d.lookUp(t, rows(t, id, "abc-1", "AbC-1", "abc-2")); short(got[0]) != "ambiguous_match" || short(got[1]) != "0015g0000000001AAA" || got[2].Status != dest.Pending {
		t.Errorf("%+v", got)
	}
}
