package salesforce_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/salesforce"
	simulator "github.com/penstock-data/penstock/shared/sandbox/salesforce"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A worker opens a connection's account once, and each version at it.
func Example() {
	sim, err := simulator.New(simulator.Options{Credentials: simulator.Credentials{ClientID: "app", ClientSecret: "hush"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	srv := httptest.NewServer(sim)
	defer srv.Close()
	connection := syncdef.Connection{Name: "salesforce_prod", Type: "salesforce", URL: srv.URL}
	def := syncdef.Definition{
		Sync: "accounts", Object: "Account", Operation: syncdef.Upsert,
		Strategy: syncdef.MatchExternalID, Match: syncdef.Match{Source: "id", Destination: "Customer_ID__c"},
		Fields: []syncdef.Field{{Source: "name", Destination: "Name"}},
	}
	rules := salesforce.Vendor.RulesOf(&def, &connection)
	fmt.Println("compared by", rules.Identity.Steps, rules.Identity.CaseUnsure) // whether case counts, apply asks the account

	account, err := salesforce.Vendor.Open(dest.Config{
		Loopback:   true, // the simulator
		Connection: connection,
		Secret: func(context.Context) (map[string]string, error) {
			return map[string]string{"client_id": "app", "client_secret": "hush"}, nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	destination, err := account.Open(syncdef.NewVersion(def, rules, time.Now()))
	if err != nil {
		fmt.Println(err)
		return
	}
	batch := dest.Batch{Records: []dest.Record{{
		Key: "c-1", Match: "C-1", RecordID: "C-1",
		Fields: []dest.Field{{Name: "Name", Value: jsontext.Value(`"Acme"`)}},
	}}}
	for _, call := range destination.Calls(batch, 0) {
		outcomes, err := destination.Push(context.Background(), batch, call)
		fmt.Println(outcomes[0].Status == dest.Delivered, outcomes[0].Created, err)
	}
	// Output:
	// compared by [plain trim] true
	// true true <nil>
}
