package salesforce

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/sandbox"
)

// TestCustomOff wants a misspelt custom name refused, as the vendor does.
func TestCustomOff(t *testing.T) {
	o := open(t, Options{})
	contact := strings.Replace(accounts(`"LastName":"n","Helth_Score__c":1`), "Account", "Contact", 1)
	if status, _, body := o.send("POST", data+"composite/sobjects", contact); status != 400 || !strings.Contains(body, `"INVALID_FIELD"`) {
		t.Errorf("%d %s", status, body)
	}
	for _, soql := range []string{"SELECT Id, Helth_Score__c FROM Contact", "SELECT Id FROM Nope__c"} {
		if body := o.query(soql); !strings.Contains(body, "INVALID_") {
			t.Errorf("%s: %s", soql, body)
		}
	}
}

func TestAcceptCustom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	var notices []string
	opts := Options{AcceptCustom: true, Notice: func(line string) { notices = append(notices, line) }, Core: sandbox.Options{Journal: path}}
	o := open(t, opts)
	up := data + "composite/sobjects/Subscription__c/Key__c"
	body := func(records ...string) string {
		return strings.ReplaceAll(accounts(records...), `"Account"`, `"Subscription__c"`)
	}
	// What a lookup meets before anything was sent.
	for soql, want := range map[string]string{
		"SELECT Id, Name, Key__c FROM Subscription__c WHERE Key__c IN ('a','b')":                                        "",
		"SELECT Id, Name, Region__c FROM Account WHERE Region__c = 'x' OR Tier__c = 5 OR Region__c LIKE '%abcdefghij%'": "",
	} {
		if got := o.query(soql); got != want {
			t.Errorf("%s: %s", soql, got)
		}
	}
	if notices != nil {
		t.Errorf("a query made %v", notices)
	}
	_, _, got := o.send("PATCH", up, body(`"Key__c":"s1","Seats__c":null,"Plan__c":"gold","Paid__c":true`, `"Key__c":"s2","Seats__c":5,"Plan__c":"x","Paid__c":false`, `"Key__c":"s3","Seats__c":5.25`))
	if statuses(got) != "ok/ok/ok" {
		t.Fatal(got)
	}
	_, got = o.upsert(`"Customer_ID__c":"c1","Name":"One","Region__c":"EMEA"`, `"Customer_ID__c":"c2","Name":"Two","Region__c":null`)
	if statuses(got) != "ok/ok" {
		t.Fatal(got)
	}
	want := []string{
		"accepted an object that the organisation lacks: Subscription__c",
		"accepted a field that the organisation lacks: Subscription__c.Key__c (string)",
		"accepted a field that the organisation lacks: Subscription__c.Plan__c (string)",
		"accepted a field that the organisation lacks: Subscription__c.Paid__c (boolean)",
		"accepted a field that the organisation lacks: Subscription__c.Seats__c (double)",
		"accepted a field that the organisation lacks: Account.Region__c (string)",
	}
	if diff := cmp.Diff(want, notices); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for soql, want := range map[string]string{
		"SELECT Id, Name FROM Account WHERE Region__c = 'emea'":               "One",
		"SELECT Id, Name FROM Account WHERE Region__c = null":                 "Two",
		"SELECT Id, Name FROM Account WHERE Nothing__c = null ORDER BY No__c": "One|Two",
		"SELECT Id, Name FROM Account WHERE Nothing__c IN ('a', null, 'b')":   "One|Two",
		"SELECT Id, Name FROM Account WHERE Nothing__c != 'x'":                "One|Two",
	} {
		if got := o.query(soql); got != want {
			t.Errorf("%s: %s, want %s", soql, got, want)
		}
	}
	// A name that no administrator can have made is refused all the same.
	for _, name := range []string{"Nope", "__c", "_a__c", "1a__c", "a b__c", "a__b__c", "a___c", "a_b___c", "a-b__c", "é__c", "a.b__c", "a__x", strings.Repeat("x", 41) + "__c"} {
		if status, got := o.upsert(`"Customer_ID__c":"c1",` + fmt.Sprintf("%q", name) + `:1`); status != 400 {
			t.Errorf("a field called %s: %s", name, got)
		}
		if body := o.query("SELECT Id FROM " + name); !strings.Contains(body, "errorCode") {
			t.Errorf("an object called %s: %s", name, body)
		}
		if status, _, got := o.send("POST", data+"composite/sobjects", strings.ReplaceAll(accounts(`"Name":"n"`), `"Account"`, fmt.Sprintf("%q", name))); status != 400 {
			t.Errorf("an object called %s: %s", name, got)
		}
	}

	_, _, before := o.send("GET", "/_sandbox/records", "")
	opts.Notice = func(line string) { t.Errorf("made again: %s", line) }
	again := open(t, opts)
	_, _, after := again.send("GET", "/_sandbox/records", "")
	if diff := cmp.Diff(before, after); diff != "" || !strings.Contains(after, `{"object":"Subscription__c","Id":"a025g0000000003AAA","Key__c":"s3","Seats__c":5.25}`) {
		t.Errorf("after the restart (-before +after):\n%s\n%s", diff, after)
	}
	if _, _, got := again.send("PATCH", up, body(`"Key__c":"S1","Plan__c":"`+strings.Repeat("x", 256)+`"`, `"Key__c":"S2","Seats__c":6`)); statuses(got) != "STRING_TOO_LONG/ok" || !strings.Contains(got, `"created":false`) {
		t.Errorf("rules after the restart: %s", got)
	}
	_, _, described := again.send("GET", data+"sobjects/subscription__c/describe", "")
	if !strings.Contains(described, `"name":"Key__c"`) || !strings.Contains(described, `"externalId":true`) {
		t.Errorf("describe: %s", described)
	}
}

func TestSchemaFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "schema.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`
objects:
  - name: contact
    fields:
      - {name: Region__c, type: picklist, values: [EMEA, AMER], restricted: true}
      - {name: Title, length: 10}
  - name: Subscription__c
    prefix: a0S
    fields:
      - {name: Key__c, length: 80, external_id: true, unique: true}
      - {name: Seats__c, type: int, precision: 8}
`)
	o := open(t, Options{SchemaFile: path})
	body := strings.ReplaceAll(accounts(`"Key__c":"k","Seats__c":3`), `"Account"`, `"Subscription__c"`)
	if _, _, got := o.send("PATCH", data+"composite/sobjects/Subscription__c/Key__c", body); !strings.Contains(got, `"id":"a0S5g0000000001`) {
		t.Errorf("an object of its own: %s", got)
	}
	for record, want := range map[string]string{
		`"LastName":"n","Region__c":"emea"`: "ok", `"LastName":"n","Region__c":"x"`: "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
		`"LastName":"n","Title":"elevenchars"`: "STRING_TOO_LONG",
	} {
		body := strings.Replace(accounts(record), "Account", "Contact", 1)
		if _, _, got := o.send("POST", data+"composite/sobjects", body); statuses(got) != want {
			t.Errorf("%s: %s", record, got)
		}
	}
	if n := len(DefaultSchema()[1].Fields); slices.ContainsFunc(DefaultSchema()[1].Fields, func(f Field) bool { return f.Name == "Region__c" }) || n != len(o.sim.opts.Schema[1].Fields)-1 {
		t.Errorf("the schema that was given has changed: %d fields", n)
	}
	for text, says := range map[string]string{
		"objects: [{name: X__c, fields: [{name: A, type: money}]}]": `X__c.A: type "money": one of [string`,
		"objects: [{name: X__c, fields: [{type: int}]}]":            "needs a name",
		"objects: [{name: X__c, prefix: a}]":                        "prefix of 3",
		"objects: [{name: X__c, prefix: '001'}]":                    "no other object has",
		"objects: [{name: X__c, colour: red}]":                      "colour",
		"objects: 5":                                                "cannot unmarshal",
	} {
		write(text)
		if _, err := New(Options{SchemaFile: path}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := New(Options{SchemaFile: path + ".not"}); err == nil {
		t.Error("a file that is not there was read")
	}
}

// TestCaseSensitive holds that a unique, case-sensitive field says so, and tells
// values apart that others take for one.
func TestCaseSensitive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "own.yaml")
	own := "objects: [{name: Account, fields: [{name: Exact__c, length: 80, unique: true, external_id: true, case_sensitive: true}]}]"
	if err := os.WriteFile(path, []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	schema, err := ReadSchema(path, DefaultSchema())
	if err != nil {
		t.Fatal(err)
	}
	o := open(t, Options{Schema: schema})
	up := data + "composite/sobjects/Account/Exact__c"
	_, _, got := o.send("PATCH", up, accounts(`"Exact__c":"AbC","Name":"One"`, `"Exact__c":"abc","Name":"Two"`))
	if statuses(got) != "ok/ok" {
		t.Fatal(got)
	}
	if got := o.query("SELECT Id, Name FROM Account WHERE Exact__c = 'AbC'"); got != "One" {
		t.Errorf("found %s", got)
	}
	_, _, described := o.send("GET", data+"sobjects/Account/describe", "")
	if strings.Count(described, `"caseSensitive":true`) != 1 {
		t.Errorf("describe: %s", described)
	}
	if err := os.WriteFile(path, []byte("objects: [{name: Account, fields: [{name: X__c, case_sensitive: true}]}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadSchema(path, DefaultSchema()); err == nil || !strings.Contains(err.Error(), "only a unique text") {
		t.Errorf("%v", err)
	}
}
