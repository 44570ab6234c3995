package yamlfile_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/mapping"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

const syncs = "../../../sql/syncs"

// read parses a text that must be valid.
func read(t *testing.T, src string) syncdef.Definition {
	t.Helper()
	d, _, err := yamlfile.Parse("health.yaml", []byte(src), conns, kinds)
	if err != nil {
		t.Fatalf("%v in\n%s", err, src)
	}
	return d
}

// The sample document names neither the sync nor the connection nor the record
// id: all three follow.
func TestTheSampleDocument(t *testing.T) {
	src, err := os.ReadFile(syncs + "/salesforce_customer_health.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, notices, err := yamlfile.Parse("sql/syncs/salesforce_customer_health.yaml", src, conns, kinds)
	if err != nil {
		t.Fatal(err)
	}
	number := func(source, destination string) syncdef.Field {
		return syncdef.Field{Source: source, Destination: destination, Type: syncdef.Number, OnNull: syncdef.ClearNull}
	}
	want := syncdef.Definition{
		Sync: "salesforce_customer_health", Connection: "crm_prod", Object: "Account",
		Strategy: syncdef.MatchEmailDomain, Match: syncdef.Match{Source: "email", Destination: "Website"},
		Operation: syncdef.Upsert, RecordID: []string{"email"},
		Fields: []syncdef.Field{
			number("health_score_pct", "Health_Score__c"),
			{Source: "customer_health_status", Destination: "Health_Status__c", Type: syncdef.Picklist, OnNull: syncdef.ClearNull},
			number("usage_score_pct", "Usage_Score__c"),
			number("support_score_pct", "Support_Score__c"),
			{Source: "health_score_updated_date", Destination: "Health_Score_Last_Updated__c", Type: syncdef.DateTime,
				OnNull: syncdef.ClearNull, TimeZone: "UTC"},
		},
		Frequency: "hourly", BatchSize: 1000, Lanes: 4, OnError: syncdef.Continue,
		OnMissing: syncdef.Report, OnDuplicate: syncdef.Latest, Send: syncdef.SendChanged,
		Retry: &syncdef.Retry{Attempts: 3, Base: "60s", Max: "15m"}, StoreSource: syncdef.StoreMapped,
		Notifications: []syncdef.Notification{{Type: "email", Recipients: []string{"data-team@company.com"},
			Conditions: []string{"sync_failure", "high_error_rate"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(notices) != 0 {
		t.Errorf("notices: %s", notices)
	}
}

// Every key once, with the notices of those that have no effect yet.
const everything = `
sync: customer_health
connection: crm_prod
destination_object: Account
matching_strategy: email_domain
match: {source: email, destination: Website, case: false, data_type: text}
operation: upsert
record_id: [region, customer_id]
field_mappings:
  - {source: health_score_pct, destination: Health_Score__c, data_type: number, scale: 1, min: 0, max: "99.5"}
  - {source: status, destination: Health_Status__c, data_type: picklist, values: [At Risk, Healthy, 1, no], default: Healthy, on_unknown: default}
  - {source: company_name, destination: Name, data_type: string, max_length: 255, on_too_long: truncate, transform: trim}
  - {source: seats, destination: Seats__c, data_type: integer, default: 0}
  - {source: live, destination: Live__c, data_type: boolean, on_null: default, default: False}
  - {source: since, destination: Since__c, data_type: date, format: epoch_milliseconds, on_null: skip}
  - {source: updated, destination: Updated__c, data_type: datetime, time_zone: Europe/Berlin}
  - {source: contact, destination: Contact__c, data_type: email, transform: [trim, lower], default: a@b.co, on_null: clear}
  - {source: factors, destination: Factors__c, data_type: json}
sync_frequency: "*/15 * * * *"
schedule: {time_zone: Europe/Berlin, jitter: 90s, when_running: queue, mode: full}
after: [companies, regions]
batch_size: 200
lanes: 8
error_handling: stop_on_error
on_missing: create
on_duplicate: reject
send: all
retry: {attempts: 5, base: 30s, max: 1h}
store_source: none
crm: {duplicates: allow}
incremental: {cursor: last_updated, include_failed: 24h, always: "mrr > 10000 every 24h"}
allow: {push: [loader, '"Data Team"'], errors: support}
quality: {warn_over: 0.01, block_over: 5%, rules: [{column: email, not_null: true}, {column: health_score, between: [0, 1]}]}
mirror: {max_deletes: 5%}
notifications:
  - {type: email, recipients: data-team@company.com, conditions: [sync_failure]}
freshness: {warn_after: 2h, stale_after: 4h, destination_field: Health_Score_Last_Updated__c}
`

func TestEverything(t *testing.T) {
	d, notices, err := yamlfile.Parse("everything.yaml", []byte(everything), conns, kinds)
	if err != nil {
		t.Fatal(err)
	}
	v := syncdef.Version{ID: "v", Definition: d, Rules: syncdef.Rules{Type: "crm"}}
	var b strings.Builder
	b.WriteString(syncdef.FormatChanges(syncdef.Diff(syncdef.Version{}, v)))
	for _, n := range notices {
		fmt.Fprintln(&b, n)
	}
	golden(t, "everything.golden", b.String())
}

func TestWhatIsImplied(t *testing.T) {
	const external = "destination_object: Account\nmatching_strategy: external_id\n"
	for _, c := range []struct {
		name string
		src  string
		get  func(syncdef.Definition) any
		want any
	}{
		{"name from the file", account + fields, func(d syncdef.Definition) any { return d.Sync }, "health"},
		{"lanes", account + fields, func(d syncdef.Definition) any { return d.Lanes }, 4},
		{"batch size", account + fields, func(d syncdef.Definition) any { return d.BatchSize }, 1000},
		{"operation", account + fields, func(d syncdef.Definition) any { return d.Operation }, syncdef.Upsert},
		{"type", account + fields, func(d syncdef.Definition) any { return d.Fields[0].Type }, syncdef.String},
		{"pair of email", "destination_object: Contact\nmatching_strategy: email\n" + fields,
			func(d syncdef.Definition) any { return d.Match }, syncdef.Match{Source: "email", Destination: "Email"}},
		{"pair of name", "destination_object: Account\nmatching_strategy: name\n" + fields,
			func(d syncdef.Definition) any { return d.Match }, syncdef.Match{Source: "company_name", Destination: "Name"}},
		{"half a pair", account + "match: {source: mail}\n" + fields,
			func(d syncdef.Definition) any { return d.Match }, syncdef.Match{Source: "mail", Destination: "Website"}},
		{"external id's column", external + "record_id: id\nmatch: {destination: Ext__c}\n" + fields,
			func(d syncdef.Definition) any { return d.Match.Source }, "id"},
		{"record id from match", account + "match: {source: mail}\n" + fields,
			func(d syncdef.Definition) any { return d.RecordID }, []string{"mail"}},
		{"report", account + fields, func(d syncdef.Definition) any { return d.OnMissing }, syncdef.Report},
		{"no create on update", account + "operation: update\nfield_mappings: [{source: n, destination: Name}]\n",
			func(d syncdef.Definition) any { return d.OnMissing }, syncdef.Report},
		{"an external id creates", external + "match: {source: id, destination: Ext__c}\n" + fields,
			func(d syncdef.Definition) any { return d.OnMissing }, syncdef.Create},
		{"an update by external id may map it", external + "operation: update\nmatch: {source: id, destination: Ext__c}\nfield_mappings: [{source: id, destination: Ext__c}]\n",
			func(d syncdef.Definition) any { return d.Fields[0].Destination }, "Ext__c"},
		{"a default fills nulls", one("default: none"), func(d syncdef.Definition) any { return d.Fields[0].OnNull }, syncdef.DefaultNull},
		{"so does a picklist's", one("data_type: picklist, values: [a], default: a"),
			func(d syncdef.Definition) any { return d.Fields[0].OnNull }, syncdef.DefaultNull},
		{"it stands in for nothing else", one("data_type: picklist, values: [a], default: a"),
			func(d syncdef.Definition) any { return d.Fields[0].OnUnknown }, syncdef.RejectUnknown},
		{"unless that is written", one("data_type: picklist, values: [a], default: a, on_unknown: default"),
			func(d syncdef.Definition) any { return d.Fields[0].OnUnknown }, syncdef.DefaultUnknown},
		{"too long", one("max_length: 3"), func(d syncdef.Definition) any { return d.Fields[0].OnTooLong }, syncdef.RejectLong},
		{"one whole number between", one("data_type: integer, min: -0.5, max: 0.5"), func(d syncdef.Definition) any { return d.Fields[0].Max }, "0.5"},
		{"number as min", one("data_type: number, min: 0.50"), func(d syncdef.Definition) any { return d.Fields[0].Min }, "0.50"},
		{"the only object", chat + message, func(d syncdef.Definition) any { return d.Object }, "message"},
		{"the only operation", chat + message, func(d syncdef.Definition) any { return d.Operation }, syncdef.Insert},
		{"a type's own lanes", chat + message, func(d syncdef.Definition) any { return d.Lanes }, 1},
		{"a type's own default", chat + message, func(d syncdef.Definition) any { return string(d.Options) }, `{"channel":"#a","digest_over":20}`},
		{"a type's own keys", "connection: chat_prod\nrecord_id: id\nchat: {channel: '#a', digest_over: 3, threads: false, greeting: hi}\n" + message,
			func(d syncdef.Definition) any { return string(d.Options) }, `{"channel":"#a","digest_over":3,"greeting":"hi","threads":false}`},
		{"a type's keys of a mapping", chat + "field_mappings: [{source: a, destination: text, markup: true, tone: loud}]\n",
			func(d syncdef.Definition) any { return fmt.Sprint(d.Fields[0].Markup, string(d.Fields[0].Options)) }, `true{"tone":"loud"}`},
		{"no own keys", account + fields, func(d syncdef.Definition) any { return string(d.Options) }, ""},
		{"retry", account + fields, func(d syncdef.Definition) any { return *d.Retry }, syncdef.Retry{Attempts: 3, Base: "60s", Max: "15m"}},
		{"a part of retry", account + fields + "retry: {attempts: 1, max: 2h}\n",
			func(d syncdef.Definition) any { return *d.Retry }, syncdef.Retry{Attempts: 1, Base: "60s", Max: "2h"}},
		{"stored source", account + fields, func(d syncdef.Definition) any { return d.StoreSource }, syncdef.StoreMapped},
		{"failed rows", account + fields + "incremental: {cursor: u}\n", func(d syncdef.Definition) any { return d.FailedFor() }, 24 * time.Hour},
		{"failed rows, for longer", account + fields + "incremental: {cursor: u, include_failed: 72h}\n",
			func(d syncdef.Definition) any { return d.FailedFor() }, 72 * time.Hour},
		{"case", account + "match: {case: false}\n" + fields, func(d syncdef.Definition) any { return *d.Match.Case }, false},
		{"a number matched and mapped", byField("data_type: number", "integer"), func(d syncdef.Definition) any { return d.Match.DataType }, syncdef.MatchNumber},
		{"an id matched and mapped", byField("data_type: id", "string"), func(d syncdef.Definition) any { return d.Match.DataType }, syncdef.MatchID},
		{"case matched and mapped", byField("case: true", "string, transform: trim"), func(d syncdef.Definition) any { return *d.Match.Case }, true},
	} {
		if diff := cmp.Diff(c.want, c.get(read(t, c.src))); diff != "" {
			t.Errorf("%s: want -, got +\n%s", c.name, diff)
		}
	}
}

func TestNotices(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"nothing to say", account + fields, "[]"},
		{"default that nulls do not use", one("default: x, on_null: skip"),
			"[a.yaml:4:36: field_mappings[0].default: never used, because on_null is skip]"},
		{"default that nulls do not use", one("data_type: picklist, values: [x], default: x, on_null: skip"),
			"[a.yaml:4:70: field_mappings[0].default: never used, because on_null is skip]"},
		{"default of unknown values only", one("data_type: picklist, values: [x], default: x, on_null: skip, on_unknown: default"), "[]"},
		{"no source", account + fields + "store_source: none\n",
			"[a.yaml:4:15: store_source: " + syncdef.NoSource + "]"},
		{"channel for null columns", chat + "field_mappings: [{source: a, destination: text}, {source: b, destination: channel}]\n", "[]"},
	} {
		_, notices, err := yamlfile.Parse("a.yaml", []byte(c.src), conns, kinds)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := fmt.Sprint(notices); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// The same content has one id, whatever the order of keys, quotes and layout.
func TestOneContentOneVersion(t *testing.T) {
	a := read(t, account+"lanes: 4\nfield_mappings:\n  - source: a # a comment\n    destination: B__c\n    data_type: number\n    min: 0\n")
	b := read(t, "field_mappings: [{min: \"0\", data_type: 'number', destination: \"B__c\", source: a}]\n\n"+
		"sync: health\nmatching_strategy: email_domain\noperation: upsert\ndestination_object: Account\n")
	c := read(t, account+"field_mappings: [{source: a, destination: B__c, data_type: number, min: 1}]\n")
	id := func(d syncdef.Definition) string { return syncdef.NewVersion(d, syncdef.Rules{Type: "crm"}, now).ID }
	if id(a) != id(b) {
		t.Errorf("equal content, two ids: %s and %s\n%s", id(a), id(b), cmp.Diff(a, b))
	}
	if id(a) == id(c) {
		t.Error("another minimum, the same id")
	}
}

// Parse must never panic, and what it accepts must be storable.
func FuzzParse(f *testing.F) {
	for _, c := range faults {
		f.Add([]byte(c.src))
	}
	f.Add([]byte(everything))
	f.Add([]byte(chat + message))
	f.Fuzz(func(t *testing.T, src []byte) {
		d, _, err := yamlfile.Parse("health.yaml", src, conns, kinds)
		var list syncdef.Faults
		switch {
		case err == nil:
			conn, ok := conns.Find(d.Connection)
			if !ok {
				t.Fatalf("accepted with the connection %q", d.Connection)
			}
			kind, _ := syncdef.Kinds(kinds).Find(conn.Type)
			v := syncdef.NewVersion(d, kind.RulesOf(&d, &conn), now)
			if _, err := mapping.Compile(&v.Definition, v.Rules); err != nil {
				t.Fatalf("accepted, but rows cannot be mapped: %v", err)
			}
			if missing := syncdef.CheckColumns(d, syncdef.Columns(d)); len(missing) > 0 && !ambiguous(missing) {
				t.Fatalf("a model of just its own columns lacks some: %v", missing)
			}
		case !errors.As(err, &list) || len(list) == 0:
			t.Fatalf("an error without faults: %v", err)
		}
		if _, err := yamlfile.ParseConnections("connections.yaml", src, kinds); err != nil && !errors.As(err, &list) {
			t.Fatalf("an error without faults: %v", err)
		}
	})
}

func ambiguous(faults []syncdef.Fault) bool {
	for _, f := range faults {
		if !strings.Contains(f.Message, "differ only by case") {
			return false
		}
	}
	return true
}
