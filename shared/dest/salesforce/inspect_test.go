package salesforce_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/salesforce"
	simulator "github.com/penstock-data/penstock/shared/sandbox/salesforce"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/metadata"
)

// inspector is an account of an organisation with this answer to a describe, or of a
// simulated one.
func inspector(t *testing.T, handler http.Handler) dest.Inspector {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	account, err := salesforce.Vendor.Open(dest.Config{
		Connection: syncdef.Connection{Name: "crm", Type: "salesforce", URL: server.URL}, Loopback: true,
		Secret: func(context.Context) (map[string]string, error) {
			return map[string]string{"client_id": "app", "client_secret": "hush"}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return account.(dest.Inspector)
}

func organisation(t *testing.T, schema simulator.Schema) http.Handler {
	t.Helper()
	sim, err := simulator.New(simulator.Options{Schema: schema, Credentials: simulator.Credentials{ClientID: "app", ClientSecret: "hush"}})
	if err != nil {
		t.Fatal(err)
	}
	return sim
}

// canned answers logins, and everything else with one status and body.
func canned(status int, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/token") {
			_, _ = w.Write([]byte(`{"access_token":"t","instance_url":"http://` + r.Host + `","id":"https://login.salesforce.com/id/00D5g0000000001EAA/0055g0000000001AAA"}`))
			return
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}

// A describe of all kinds of fields is read as what may be written and how.
func TestDescribe(t *testing.T) {
	i := inspector(t, canned(200, `{"name":"Account","label":"Account","createable":true,"updateable":false,"deletable":false,"fields":[
		{"name":"Id","type":"id","length":18,"idLookup":true},
		{"name":"Name","label":"Account Name","type":"string","length":255,"createable":true,"updateable":true,"idLookup":true,"filterable":true},
		{"name":"OwnerId","type":"reference","length":18,"createable":true,"updateable":true,"defaultedOnCreate":true},
		{"name":"Formula__c","type":"double","precision":18,"scale":2,"calculated":true,"nillable":true},
		{"name":"Number__c","type":"string","length":30,"autoNumber":true,"nillable":true},
		{"name":"Parent__c","type":"reference","length":18,"createable":true,"nillable":true},
		{"name":"Seats__c","type":"int","digits":8,"createable":true,"updateable":true,"nillable":true},
		{"name":"Key__c","type":"string","length":80,"externalId":true,"unique":true,"createable":true,"updateable":true,"nillable":true},
		{"name":"Active__c","type":"boolean","createable":true,"updateable":true},
		{"name":"Long__c","type":"textarea","length":32768,"createable":true,"updateable":true,"nillable":true,"filterable":false},
		{"name":"Region__c","type":"picklist","length":255,"createable":true,"updateable":true,"nillable":true,"restrictedPicklist":true,
			"picklistValues":[{"value":"EMEA","label":"Europe","active":true},{"value":"APAC","label":"APAC","active":false}]},
		{"name":"Tags__c","type":"multipicklist","length":4099,"createable":true,"updateable":true,"nillable":true,"picklistValues":[{"value":"a","label":"a","active":true}]},
		{"name":"Spot__c","type":"location","nillable":true}]}`))
	o, err := i.Describe(t.Context(), &syncdef.Definition{Object: "Account"})
	if err != nil {
		t.Fatal(err)
	}
	if o.Name != "Account" || o.NoCreate || !o.NoUpdate || !o.NoDelete || !o.Fold {
		t.Errorf("%+v", o)
	}
	var got []string
	for _, f := range o.Fields {
		var marks []string
		for _, one := range []struct {
			is   bool
			name string
		}{{f.Required, "required"}, {f.NoCreate, "no create"}, {f.NoUpdate, "no update"}, {f.Key, "key"}, {f.NoSearch, "no search"}, {f.NoNull, "no null"}, {len(f.Options) > 0 && f.Open, "open"}, {f.Several, "several"}, {f.Takes == nil, "any"}} {
			if one.is {
				marks = append(marks, one.name)
			}
		}
		got = append(got, f.Name+": "+strings.Join(marks, ", "))
	}
	want := []string{"Id: no create, no update", "Name: required, key", "OwnerId: ", "Formula__c: no create, no update", "Number__c: no create, no update", "Parent__c: no update",
		"Seats__c: ", "Key__c: key", "Active__c: no null", "Long__c: no search", "Region__c: ", "Tags__c: open, several", "Spot__c: no create, no update, any"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if f := o.Find("seats__c"); f == nil || f.Precision != 8 || f.Takes[0] != syncdef.Integer {
		t.Errorf("%+v", f)
	}
	if f := o.Find("Region__c"); !f.Options[1].Inactive || f.Options[0].Inactive || f.Options[0].Label != "Europe" {
		t.Errorf("%+v", f)
	}
	for name, why := range map[string]string{"Formula__c": "formula", "Number__c": "numbers it", "Parent__c": "remove this mapping", "Spot__c": "Field-Level Security"} {
		if f := o.Find(name); !strings.Contains(f.Why, why) {
			t.Errorf("%s: %s", name, f.Why)
		}
	}
}

// What the definition asks of its match field depends on how it writes.
func TestDescribeMatch(t *testing.T) {
	i := inspector(t, organisation(t, nil))
	for _, test := range []struct {
		operation syncdef.Operation
		strategy  syncdef.Strategy
		field     string
		want      metadata.Match
	}{
		{syncdef.Upsert, syncdef.MatchExternalID, "Customer_ID__c", metadata.MatchKey},
		{syncdef.Update, syncdef.MatchExternalID, "Customer_ID__c", metadata.MatchSearch},
		{syncdef.Upsert, syncdef.MatchEmailDomain, "Website", metadata.MatchSearch},
		{syncdef.Update, syncdef.MatchField, "Id", metadata.MatchNothing},
		{syncdef.Insert, syncdef.MatchNone, "", metadata.MatchNothing},
	} {
		d := syncdef.Definition{Object: "Account", Operation: test.operation, Strategy: test.strategy, Match: syncdef.Match{Source: "x", Destination: test.field}}
		if o, err := i.Describe(t.Context(), &d); err != nil || o.Match != test.want {
			t.Errorf("%+v: %+v, %v", test, o, err)
		}
	}
}

// What the integration user may not see is not there, and what it may only read cannot
// be written, before the first row as with it.
func TestDescribePermissions(t *testing.T) {
	schema := simulator.DefaultSchema()
	schema[0].Access, schema[1].Access = simulator.AccessRead, simulator.AccessNone
	schema[0].Fields = append(schema[0].Fields, simulator.Field{Name: "Secret__c", Type: simulator.Text, Length: 9, Access: simulator.AccessNone})
	i := inspector(t, organisation(t, schema))
	o, err := i.Describe(t.Context(), &syncdef.Definition{Object: "Account"})
	if err != nil || !o.NoCreate || !o.NoUpdate || !o.NoDelete || o.Find("Secret__c") != nil {
		t.Errorf("%+v, %v", o, err)
	}
	var call *dest.CallError
	_, err = i.Describe(t.Context(), &syncdef.Definition{Object: "Contact"})
	if !errors.As(err, &call) || call.Class != dest.Configuration || call.Scope != dest.ScopeVersion || !strings.Contains(call.Message, "no object Contact") {
		t.Errorf("%v", err)
	}
	if names, err := i.Objects(t.Context()); err != nil || cmp.Diff([]string{"Account"}, names) != "" {
		t.Error(names, err)
	}
}

// An answer that shows nothing is no answer: neither an empty object nor an absent one.
func TestDescribeUnreadable(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		class  dest.Class
		scope  dest.Scope
	}{
		"no fields":      {200, `{"name":"Account"}`, dest.Unavailable, dest.ScopeUntold},
		"another form":   {200, `{"name":"Account","fields":{}}`, dest.Unavailable, dest.ScopeUntold},
		"cut off":        {200, `{"name":"Account","fields":[`, dest.Unavailable, dest.ScopeUntold},
		"HTML":           {200, `<html></html>`, dest.Unavailable, dest.ScopeUntold},
		"nothing":        {200, ``, dest.Unavailable, dest.ScopeUntold},
		"down":           {503, `x`, dest.Unavailable, dest.ScopeUntold},
		"API disabled":   {403, `[{"errorCode":"API_DISABLED_FOR_ORG","message":"The REST API is not enabled for this Organization."}]`, dest.Configuration, dest.ScopeConnection},
		"no such object": {404, `[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]`, dest.Configuration, dest.ScopeVersion},
		"quota":          {403, `[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests Limit exceeded."}]`, dest.Throttled, dest.ScopeConnection},
	} {
		var call *dest.CallError
		_, err := inspector(t, canned(test.status, test.body)).Describe(t.Context(), &syncdef.Definition{Object: "Account"})
		if !errors.As(err, &call) || call.Class != test.class || call.Scope != test.scope {
			t.Errorf("%s: %+v", name, err)
		}
	}
}
