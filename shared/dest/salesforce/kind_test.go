package salesforce_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest/salesforce"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// TestCheck holds definitions that cannot work at Salesforce, by the path of what
// is wrong.
func TestCheck(t *testing.T) {
	yes := true
	name := []syncdef.Field{{Source: "n", Destination: "Name"}}
	for title, test := range map[string]struct {
		change func(d *syncdef.Definition)
		paths  []string
		says   string
	}{
		"sound":              {func(*syncdef.Definition) {}, nil, ""},
		"object":             {func(d *syncdef.Definition) { d.Object = "My Object" }, []string{"destination_object"}, "API name"},
		"field":              {func(d *syncdef.Definition) { d.Fields = []syncdef.Field{{}, {Destination: `a"b`}} }, []string{"field_mappings[0].destination", "field_mappings[1].destination"}, "API name"},
		"Id mapped":          {func(d *syncdef.Definition) { d.Fields = []syncdef.Field{{Source: "sf_id", Destination: "id"}} }, []string{"field_mappings[0].destination"}, "match: {source: sf_id, destination: Id}"},
		"external id mapped": {func(d *syncdef.Definition) { d.Fields = []syncdef.Field{{Source: "x", Destination: "customer_id__C"}} }, []string{"field_mappings[0].destination"}, "remove this mapping"},
		"match field":        {func(d *syncdef.Definition) { d.Match.Destination = "Owner.Name" }, []string{"match.destination"}, "API name"},
		"reports by upsert":  {func(d *syncdef.Definition) { d.OnMissing = syncdef.Report }, []string{"on_missing"}, "operation: update"},
		"creates without":    {func(d *syncdef.Definition) { d.Strategy, d.OnMissing = syncdef.MatchField, syncdef.Create }, []string{"on_missing"}, "needs a mapping to Name"},
		"creates with": {func(d *syncdef.Definition) {
			d.Strategy, d.OnMissing, d.Fields = syncdef.MatchField, syncdef.Create, name
		}, nil, ""},
		"upsert by Id":   {func(d *syncdef.Definition) { d.Strategy, d.Match.Destination = syncdef.MatchField, "Id" }, []string{"operation"}, "operation: update"},
		"external id Id": {func(d *syncdef.Definition) { d.Match.Destination = "ID" }, []string{"operation"}, "operation: update"},
		"update by Id":   {func(d *syncdef.Definition) { d.Match.Destination, d.Operation = "Id", syncdef.Update }, nil, ""},
		"email by Id": {func(d *syncdef.Definition) {
			d.Strategy, d.Match.Destination, d.Operation = syncdef.MatchEmail, "Id", syncdef.Update
		}, []string{"match.destination"}, "matching_strategy: field"},
		"Id as number": {func(d *syncdef.Definition) {
			d.Match = syncdef.Match{Source: "x", Destination: "Id", DataType: syncdef.MatchNumber}
			d.Operation = syncdef.Update
		}, []string{"match.data_type"}, "allowed: id"},
		"email as number":     {func(d *syncdef.Definition) { d.Strategy = syncdef.MatchEmail; d.Match.DataType = syncdef.MatchNumber }, []string{"match.data_type"}, "allowed: text"},
		"case of numbers":     {func(d *syncdef.Definition) { d.Match.DataType, d.Match.Case = syncdef.MatchNumber, &yes }, []string{"match.case"}, "no use"},
		"case of names":       {func(d *syncdef.Definition) { d.Strategy, d.Match.Case = syncdef.MatchName, &yes }, []string{"match.case"}, "no use"},
		"case of external id": {func(d *syncdef.Definition) { d.Match.Case = &yes }, nil, ""},
	} {
		d := byExternalID
		test.change(&d)
		var paths []string
		var texts strings.Builder
		for _, f := range salesforce.Kind.Check(&d, &syncdef.Connection{}) {
			paths = append(paths, f.Path)
			texts.WriteString(f.Message)
		}
		if !slices.Equal(paths, test.paths) || !strings.Contains(texts.String(), test.says) {
			t.Errorf("%s: %v: %s", title, paths, texts.String())
		}
	}
}

// TestOnMissing holds what a match that finds nothing does, unless it is written.
func TestOnMissing(t *testing.T) {
	for title, test := range map[string]struct {
		object    string
		strategy  syncdef.Strategy
		operation syncdef.Operation
		fields    []string
		want      syncdef.OnMissing
	}{
		"external id":        {"Account", syncdef.MatchExternalID, syncdef.Upsert, nil, syncdef.Create},
		"external id update": {"Account", syncdef.MatchExternalID, syncdef.Update, nil, syncdef.Report},
		"name not mapped":    {"Account", syncdef.MatchField, syncdef.Upsert, nil, syncdef.Report},
		"name mapped":        {"account", syncdef.MatchField, syncdef.Upsert, []string{"name"}, syncdef.Create},
		"company missing":    {"Lead", syncdef.MatchEmail, syncdef.Upsert, []string{"LastName"}, syncdef.Report},
		"unknown object":     {"Health__c", syncdef.MatchField, syncdef.Upsert, []string{"Name"}, syncdef.Report},
		"update":             {"Account", syncdef.MatchField, syncdef.Update, []string{"Name"}, syncdef.Report},
	} {
		d := syncdef.Definition{Object: test.object, Strategy: test.strategy, Operation: test.operation, Match: syncdef.Match{Source: "x", Destination: "X__c"}}
		for _, f := range test.fields {
			d.Fields = append(d.Fields, syncdef.Field{Source: "s", Destination: f})
		}
		if faults := salesforce.Kind.Check(&d, &syncdef.Connection{}); len(faults) > 0 || d.OnMissing != test.want {
			t.Errorf("%s: %s, %v", title, d.OnMissing, faults)
		}
	}
}

func TestCheckConnection(t *testing.T) {
	for url, sound := range map[string]bool{
		"https://acme.my.salesforce.com": true, "https://acme.my.salesforce.com/": true, "http://127.0.0.1:8080": true, "http://localhost:1": true,
		"": false, "acme": false, "http://acme.my.salesforce.com": false, "https://acme.my.salesforce.com/services": false, "https://u:p@acme.my.salesforce.com": false, "ftp://acme": false,
		"https://login.salesforce.com": false, "https://TEST.salesforce.com/": false, "https://acme.lightning.force.com": false, "https://acme--test.sandbox.my.salesforce.com": true,
	} {
		c := syncdef.Connection{URL: url}
		faults := salesforce.Kind.CheckConnection(&c)
		if (len(faults) == 0) != sound || !sound && faults[0].Path != "url" {
			t.Errorf("%q: %v", url, faults)
		}
		if c.Quota != (syncdef.Quota{CallsPerDay: 100_000, Share: 50}) {
			t.Errorf("%q: %+v", url, c.Quota)
		}
	}
	c := syncdef.Connection{URL: "https://acme.my.salesforce.com", Quota: syncdef.Quota{CallsPerDay: 7, Share: 8}}
	salesforce.Kind.CheckConnection(&c)
	if c.Quota != (syncdef.Quota{CallsPerDay: 7, Share: 8}) {
		t.Errorf("%+v", c.Quota)
	}
}

// TestRules holds what the pipeline is told of a version.
func TestRules(t *testing.T) {
	base := syncdef.Rules{Type: "salesforce", LengthUnit: syncdef.LengthUTF16, DateMin: "1700-01-01", DateMax: "4000-12-31"}
	identity := func(steps ...row.Step) row.Identity { return row.Identity{Steps: steps} }
	text := identity(row.StepPlain, row.StepTrim, row.StepLower, row.StepNFC)
	yes, no := true, false
	unsure := identity(row.StepPlain, row.StepTrim, row.StepNFC)
	unsure.CaseUnsure = true
	byVendor := identity(row.StepPlain, row.StepTrim)
	byVendor.CaseUnsure = true
	for title, test := range map[string]struct {
		strategy  syncdef.Strategy
		operation syncdef.Operation
		match     syncdef.Match
		want      row.Identity
		once      bool
		lookup    bool
	}{
		"external id":        {syncdef.MatchExternalID, syncdef.Upsert, syncdef.Match{Destination: "X__c"}, byVendor, false, true},
		"no case of it":      {syncdef.MatchExternalID, syncdef.Upsert, syncdef.Match{Destination: "X__c", Case: &no}, identity(row.StepPlain, row.StepTrim, row.StepLetters), false, true},
		"external id, asked": {syncdef.MatchExternalID, syncdef.Update, syncdef.Match{Destination: "X__c"}, unsure, false, true},
		"no case, asked":     {syncdef.MatchExternalID, syncdef.Insert, syncdef.Match{Destination: "X__c", Case: &no}, text, true, true},
		"field":              {syncdef.MatchField, syncdef.Upsert, syncdef.Match{Destination: "X__C"}, unsure, false, true},
		"text, said":         {syncdef.MatchField, syncdef.Upsert, syncdef.Match{Destination: "X__c", DataType: syncdef.MatchText}, unsure, false, true},
		"standard field":     {syncdef.MatchField, syncdef.Upsert, syncdef.Match{Destination: "AccountNumber"}, text, false, true},
		"case said not":      {syncdef.MatchField, syncdef.Upsert, syncdef.Match{Destination: "X__c", Case: &no}, text, false, true},
		"case-sensitive":     {syncdef.MatchExternalID, syncdef.Upsert, syncdef.Match{Destination: "X__c", Case: &yes}, identity(row.StepPlain, row.StepTrim), false, true},
		"number":             {syncdef.MatchField, syncdef.Update, syncdef.Match{Destination: "N__c", DataType: syncdef.MatchNumber}, identity(row.StepTrim, row.StepNumber), false, true},
		"another's id":       {syncdef.MatchField, syncdef.Update, syncdef.Match{Destination: "ParentId", DataType: syncdef.MatchID}, identity(row.StepTrim, row.StepID18), false, true},
		"own id":             {syncdef.MatchField, syncdef.Update, syncdef.Match{Destination: "id"}, identity(row.StepTrim, row.StepID18), false, false},
		"email":              {syncdef.MatchEmail, syncdef.Upsert, syncdef.Match{Destination: "Email"}, identity(row.StepPlain, row.StepTrim, row.StepEmail, row.StepLower, row.StepNFC), false, true},
		"domain":             {syncdef.MatchEmailDomain, syncdef.Upsert, syncdef.Match{Destination: "Website"}, identity(row.StepPlain, row.StepDomain), false, true},
		"name":               {syncdef.MatchName, syncdef.Upsert, syncdef.Match{Destination: "Name"}, identity(row.StepPlain, row.StepTrim, row.StepSpace, row.StepLower, row.StepNFC), false, true},
		"insert":             {syncdef.MatchNone, syncdef.Insert, syncdef.Match{}, row.Identity{}, true, false},
		"insert, matching":   {syncdef.MatchField, syncdef.Insert, syncdef.Match{Destination: "X__c"}, unsure, true, true},
	} {
		d := syncdef.Definition{Object: "Account", Strategy: test.strategy, Operation: test.operation, Match: test.match}
		want := base
		want.Identity, want.Once, want.Lookup = test.want, test.once, test.lookup
		got := salesforce.Kind.RulesOf(&d, &syncdef.Connection{})
		want.Effort = got.Effort // for estimates: compared with the calls in apptest
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", title, diff)
		}
		if !got.Identity.Known() {
			t.Errorf("%s: a step that nobody knows", title)
		}
	}
}

// TestKeysOfOneRecord holds values of one record, and values that are of two.
func TestKeysOfOneRecord(t *testing.T) {
	no := false
	for _, test := range []struct {
		strategy syncdef.Strategy
		match    syncdef.Match
		a, b     string
		one      bool
	}{
		{syncdef.MatchExternalID, syncdef.Match{Destination: "X__c", Case: &no}, "AbC-1", "abc-1", true},
		{syncdef.MatchField, syncdef.Match{Destination: "X__c", Case: &no}, "AC-1", "Ac-1 ", true},
		{syncdef.MatchField, syncdef.Match{Destination: "AccountNumber"}, "AC-1", "Ac-1 ", true},
		{syncdef.MatchField, syncdef.Match{Destination: "X__c"}, "A 1", "A  1", false},
		{syncdef.MatchField, syncdef.Match{Destination: "Id"}, "0015g0000000002", "0015g0000000002AAA", true},
		{syncdef.MatchField, syncdef.Match{Destination: "Id"}, "0015g000000000a", "0015g000000000A", false},
		{syncdef.MatchField, syncdef.Match{Destination: "N__c", DataType: syncdef.MatchNumber}, "1", "1.0", true},
		{syncdef.MatchName, syncdef.Match{Destination: "Name"}, "ACME  Corp", "Acme Corp", true},
		{syncdef.MatchEmail, syncdef.Match{Destination: "Email"}, "Joe@Bücher.example", "joe@xn--bcher-kva.example", true},
		{syncdef.MatchEmailDomain, syncdef.Match{Destination: "Website"}, "joe@acme.example", "https://www.ACME.example/x", true},
	} {
		d := syncdef.Definition{Object: "Account", Strategy: test.strategy, Operation: syncdef.Update, Match: test.match}
		id := salesforce.Kind.RulesOf(&d, &syncdef.Connection{}).Identity
		a, okA := id.Key(nil, []byte(test.a))
		b, okB := id.Key(nil, []byte(test.b))
		if !okA || !okB || (string(a) == string(b)) != test.one {
			t.Errorf("%s %s: %q and %q: %q, %q", test.strategy, test.match.Destination, test.a, test.b, a, b)
		}
	}
}
