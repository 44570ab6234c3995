package salesforce_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/desttest"
	"github.com/penstock-data/penstock/shared/dest/salesforce"
	"github.com/penstock-data/penstock/shared/sandbox"
	simulator "github.com/penstock-data/penstock/shared/sandbox/salesforce"
	"github.com/penstock-data/penstock/shared/syncdef"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// wideSchema is the default with one field that takes long decimals.
func wideSchema() simulator.Schema {
	s := simulator.DefaultSchema()
	for i := range s {
		s[i].Fields = append(s[i].Fields, simulator.Field{Name: "Exact__c", Type: simulator.Double, Precision: 18, Scale: 2})
	}
	return s
}

// start makes a simulator and a destination over it.
func start(t testing.TB, def syncdef.Definition) (*salesforce.Salesforce, *simulator.Simulator) {
	t.Helper()
	sim, err := simulator.New(simulator.Options{
		Core:        sandbox.Options{Now: func() time.Time { return noon }},
		Schema:      wideSchema(),
		Credentials: simulator.Credentials{ClientID: "app", ClientSecret: "hush"},
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(sim)
	t.Cleanup(srv.Close)
	return connect(t, def, srv.URL), sim
}

func connect(t testing.TB, def syncdef.Definition, url string) *salesforce.Salesforce {
	t.Helper()
	if def.Object == "" {
		def.Object = "Account"
	}
	d, err := salesforce.New(salesforce.Config{
		Connection: syncdef.Connection{Name: "salesforce_prod", Type: "salesforce", URL: url},
		Definition: def,
		Secret: func(context.Context) (map[string]string, error) {
			return map[string]string{"client_id": "app", "client_secret": "hush"}, nil
		},
		Now: func() time.Time { return noon },
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// byExternalID is an upsert on Customer_ID__c.
var byExternalID = syncdef.Definition{
	Sync: "s", Object: "Account", Strategy: syncdef.MatchExternalID, Operation: syncdef.Upsert,
	Match: syncdef.Match{Source: "customer_id", Destination: "Customer_ID__c"}, BatchSize: 1000,
}

func field(name, value string) dest.Field {
	return dest.Field{Name: name, Value: jsontext.Value(value)}
}

func account(i int) dest.Record {
	key := fmt.Sprintf("cust_%06d", i)
	return dest.Record{Key: key, RecordID: key, Fields: []dest.Field{
		field("Name", fmt.Sprintf(`"Company %d"`, i)),
		field("Health_Score__c", fmt.Sprintf("%d.5", i%100)),
		field("Recommended_Action__c", `"Monitor regularly and follow standard cadence"`),
	}}
}

// stored reads a record's fields from the simulator by a match field.
func stored(sim *simulator.Simulator, match, key string, fields ...string) map[string]string {
	var out map[string]string
	sim.Each("Account", func(r simulator.Record) bool {
		if text, _ := r.Text(match); string(text) != key {
			return true
		}
		out = map[string]string{"Id": r.ID()}
		for _, f := range fields {
			if text, ok := r.Text(f); ok {
				out[f] = string(text)
			}
		}
		return false
	})
	return out
}

var suiteFields = []string{"Name", "Website", "Health_Score__c", "Recommended_Action__c", "Exact__c"}

func subject(t *testing.T, def syncdef.Definition, match string) desttest.Subject {
	d, sim := start(t, def)
	return desttest.Subject{
		Dest: d, Core: sim.Core(), Record: account,
		Stored: func(r dest.Record) map[string]string { return stored(sim, match, r.Key, suiteFields...) },
		Count:  func() int { return sim.Count("Account") },
		Text:   "Recommended_Action__c", Number: "Exact__c",
		Bad: func(r dest.Record) dest.Record {
			r.Fields = append([]dest.Field{field("Health_Score__c", "123456")}, r.Fields[:1]...)
			return r
		},
		BadCode:      "NUMBER_OUTSIDE_VALID_RANGE",
		Busy:         sandbox.Fault{Match: "composite/sobjects", Code: "UNABLE_TO_LOCK_ROW"},
		Throttle:     sandbox.Fault{Match: "composite/sobjects", Status: 403, Body: `[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]`},
		Unauthorised: sandbox.Fault{Match: "composite/sobjects", Action: "expire_sessions"},
		LogsIn:       true, Idempotent: match == "Customer_ID__c", Clears: true,
	}
}

func TestSuiteUpsert(t *testing.T) {
	desttest.Run(t, func(t *testing.T) desttest.Subject { return subject(t, byExternalID, "Customer_ID__c") })
}

// TestSuiteCreate runs the same over creates and updates by Id.
func TestSuiteCreate(t *testing.T) {
	def := byExternalID
	def.Strategy, def.OnMissing, def.Match.Destination = syncdef.MatchField, syncdef.Create, "AccountNumber"
	desttest.Run(t, func(t *testing.T) desttest.Subject { return subject(t, def, "AccountNumber") })
}
