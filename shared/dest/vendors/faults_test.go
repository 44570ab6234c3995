package vendors_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/mapping"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

var conns = syncdef.Connections{{Name: "crm", Type: "salesforce"}, {Name: "chat", Type: "slack"}}

const (
	account = "destination_object: Account\nmatching_strategy: email_domain\n"
	fields  = "field_mappings: [{source: a, destination: B__c}]\n"
	alerts  = "connection: chat\nrecord_id: id\nslack: {channel: \"#a\"}\n"
	message = "field_mappings: [{source: a, destination: text}]\n"
)

// faults are what a vendor says of a definition that is sound by the common rules,
// with the paths that it must be blamed for. The wording is in the golden file.
var faults = []struct{ name, src, paths string }{
	{"object is no name", "destination_object: \"Account; DROP\"\nmatching_strategy: email_domain\n" + fields, "destination_object"},
	{"field is no name", account + "field_mappings: [{source: a, destination: \"B c\"}]\n", "field_mappings[0].destination"},
	{"match is no name", account + "match: {destination: Web site}\n" + fields, "match.destination"},
	{"Id mapped", account + "field_mappings: [{source: a, destination: Id}]\n", "field_mappings[0].destination"},
	{"external id mapped", "destination_object: Account\nmatching_strategy: external_id\nmatch: {source: id, destination: Ext__c}\nfield_mappings: [{source: id, destination: ext__c}]\n", "field_mappings[0].destination"},
	{"create without Name", account + "on_missing: create\n" + fields, "on_missing"},
	{"report by external id", "destination_object: Account\nmatching_strategy: external_id\nmatch: {source: id, destination: Ext__c}\non_missing: report\n" + fields, "on_missing"},
	{"upsert by Id", byID("field", "upsert", ""), "operation"},
	{"insert by Id", byID("field", "insert", ""), "operation"},
	{"Id found by an email", byID("email", "update", ""), "match.destination"},
	{"Id as a number", byID("field", "update", ", data_type: number"), "match.data_type"},
	{"Id with case", byID("field", "update", ", case: true"), "match.case"},
	{"email with case", "destination_object: Contact\nmatching_strategy: email\nmatch: {case: true}\n" + fields, "match.case"},
	{"date before the calendar", account + "field_mappings: [{source: a, destination: B__c, data_type: date, default: 1699-12-31}]\n", "field_mappings[0].default"},
	{"duplicate rule", account + fields + "salesforce: {duplicate_rule: ignore}\n", "salesforce.duplicate_rule"},
	{"another's section", account + fields + "slack: {channel: a}\n", "slack"},
	{"another's key", account + "field_mappings: [{source: a, destination: B__c, markup: true}]\n", "field_mappings[0].markup"},
	{"a mapping is a word", account + "field_mappings: [a]\n", "field_mappings[0]"},

	{"slack: no text", alerts + "field_mappings: [{source: a, destination: channel}]\n", "field_mappings"},
	{"slack: nothing given", "connection: chat\n", "field_mappings record_id"},
	{"slack: no channel", "connection: chat\nrecord_id: id\n" + message, "slack.channel"},
	{"slack: other part", alerts + "field_mappings: [{source: a, destination: text}, {source: b, destination: blocks}]\n", "field_mappings[1].destination"},
	{"slack: markup of a channel", alerts + "field_mappings: [{source: a, destination: text}, {source: b, destination: channel, markup: true}]\n", "field_mappings[1].markup"},
	{"slack: template of JSON", alerts + "field_mappings: [{value: \"{{a}}\", destination: text, data_type: json}]\n", "field_mappings[0].data_type"},
	{"slack: template, joined", alerts + "field_mappings: [{value: \"{{a}}\", destination: text, as: join}]\n", "field_mappings[0].as"},
	{"slack: channel with a blank", "connection: chat\nrecord_id: id\nslack: {channel: two words}\n" + message, "slack.channel"},
	{"slack: section is a word", "connection: chat\nrecord_id: id\nslack: a\n" + message, "slack"},
	{"slack: object", alerts + message + "destination_object: reaction\n", "destination_object"},
	{"slack: upsert", alerts + message + "operation: upsert\n", "operation"},
	{"slack: matching", alerts + message + "matching_strategy: email\n", "matching_strategy"},

	{"no url", "connections: {a: {type: salesforce}}\n", "connections.a.url"},
	{"auth", "connections: {a: {type: salesforce, url: 'https://a.my.salesforce.com', auth: password}}\n", "connections.a.auth"},
	{"version", "connections: {a: {type: salesforce, url: 'https://a.my.salesforce.com', api_version: v62}}\n", "connections.a.api_version"},
	{"slack: auth", "connections: {a: {type: slack, auth: jwt_bearer}}\n", "connections.a.auth"},
	{"slack: quota", "connections: {a: {type: slack, quota: {share: 10}}}\n", "connections.a.quota"},
}

// byID finds Accounts by their Id.
func byID(strategy, operation, more string) string {
	return "destination_object: Account\nmatching_strategy: " + strategy + "\noperation: " + operation +
		"\nmatch: {source: sf_id, destination: Id" + more + "}\n" + fields
}

func TestFaults(t *testing.T) {
	var out strings.Builder
	for _, c := range faults {
		var err error
		if strings.HasPrefix(c.src, "connections:") {
			_, err = yamlfile.ParseConnections("connections.yaml", []byte(c.src), kinds)
		} else {
			_, _, err = yamlfile.Parse("a.yaml", []byte(c.src), conns, kinds)
		}
		var got syncdef.Faults
		if !errors.As(err, &got) {
			t.Errorf("%s: no faults (%v) in\n%s", c.name, err, c.src)
			continue
		}
		paths := make([]string, len(got))
		for i, f := range got {
			paths[i] = f.Path
		}
		if diff := cmp.Diff(c.paths, strings.Join(paths, " ")); diff != "" {
			t.Errorf("%s: paths, want -, got +\n%s\n%v", c.name, diff, err)
		}
		fmt.Fprintf(&out, "== %s\n%s\n", c.name, err)
	}
	file := filepath.Join("testdata", "faults.golden")
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("want -, got + (go test -update writes it)\n%s", diff)
	}
}

// What follows from the text by a vendor's own rules.
func TestWhatIsImplied(t *testing.T) {
	for _, c := range []struct {
		name, src string
		get       func(syncdef.Definition, syncdef.Rules) any
		want      any
	}{
		{"report", account + fields, func(d syncdef.Definition, _ syncdef.Rules) any { return d.OnMissing }, syncdef.Report},
		{"create, for Name is mapped", account + "field_mappings: [{source: n, destination: NAME}]\n",
			func(d syncdef.Definition, _ syncdef.Rules) any { return d.OnMissing }, syncdef.Create},
		{"no create on update", account + "operation: update\nfield_mappings: [{source: n, destination: Name}]\n",
			func(d syncdef.Definition, _ syncdef.Rules) any { return d.OnMissing }, syncdef.Report},
		{"an external id creates", "destination_object: Account\nmatching_strategy: external_id\nmatch: {source: id, destination: Ext__c}\n" + fields,
			func(d syncdef.Definition, _ syncdef.Rules) any { return d.OnMissing }, syncdef.Create},
		{"an update by external id may map it", "destination_object: Account\nmatching_strategy: external_id\noperation: update\nmatch: {source: id, destination: Ext__c}\nfield_mappings: [{source: id, destination: Ext__c}]\n",
			func(d syncdef.Definition, _ syncdef.Rules) any { return d.Fields[0].Destination }, "Ext__c"},
		{"an update by Id", byID("field", "update", ""),
			func(_ syncdef.Definition, r syncdef.Rules) any { return fmt.Sprint(r.Identity.Steps) }, "[trim id18]"},
		{"a message's channel", alerts + message, func(_ syncdef.Definition, r syncdef.Rules) any { return r.GroupDefault }, "#a"},
		{"a message's digest", alerts + message, func(d syncdef.Definition, _ syncdef.Rules) any { return string(d.Options) }, `{"channel":"#a","digest_over":20,"on_too_long":"reject"}`},
		{"a message's markup", alerts + "field_mappings: [{source: a, destination: text, markup: true}]\n",
			func(d syncdef.Definition, _ syncdef.Rules) any { return d.Fields[0].Markup }, true},
		{"duplicates", account + fields + "salesforce: {duplicate_rule: allow}\n",
			func(d syncdef.Definition, _ syncdef.Rules) any { return string(d.Options) }, `{"duplicate_rule":"allow"}`},
	} {
		d, _, err := yamlfile.Parse("a.yaml", []byte(c.src), conns, kinds)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		conn, _ := conns.Find(d.Connection)
		kind, _ := syncdef.Kinds(kinds).Find(conn.Type)
		rules := kind.RulesOf(&d, &conn)
		if diff := cmp.Diff(c.want, c.get(d, rules)); diff != "" {
			t.Errorf("%s: want -, got +\n%s", c.name, diff)
		}
		if _, err := mapping.Compile(&d, rules); err != nil {
			t.Errorf("%s: rows cannot be mapped: %v", c.name, err)
		}
	}
}
