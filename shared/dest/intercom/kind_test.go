package intercom_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/intercom"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

const head = "sync: a\nconnection: c\nmatching_strategy: external_id\nmatch: {source: id, destination: external_id}\nrecord_id: id\n"

// parse reads a definition, and the paths of its faults.
func parse(t *testing.T, src string) (syncdef.Definition, string, error) {
	t.Helper()
	kinds := dest.Kinds(known)
	conns, err := yamlfile.ParseConnections("connections.yaml", []byte("connections: {c: {type: intercom}}\n"), kinds)
	if err != nil {
		t.Fatal(err)
	}
	def, _, err := yamlfile.Parse("a.yaml", []byte(src), conns, kinds)
	var faults syncdef.Faults
	var paths []string
	if errors.As(err, &faults) {
		for _, f := range faults {
			paths = append(paths, f.Path)
		}
	}
	return def, strings.Join(paths, " "), err
}

func TestDefinitions(t *testing.T) {
	field := func(more string) string { return head + "field_mappings: [{source: a, " + more + "}]\n" }
	for src, want := range map[string]string{
		field("destination: plan"):                                                                         "",
		field("destination: custom_attributes.plan, data_type: datetime"):                                  "",
		field("destination: plan}, {source: b, destination: custom_attributes.plan"):                       "field_mappings[1].destination",
		field("destination: 'job-title_€'"):                                                                "",
		field("destination: 'Job title'"):                                                                  "",
		field("destination: 'Job.title'"):                                                                  "field_mappings[0].destination",
		field("destination: owner_id, data_type: integer"):                                                 "",
		field("destination: signed_up_at, data_type: integer"):                                             "",
		field("destination: id"):                                                                           "field_mappings[0].destination",
		field("destination: email_verified, data_type: boolean"):                                           "field_mappings[0].destination",
		field("destination: companies, data_type: json"):                                                   "field_mappings[0].destination",
		field("destination: external_id"):                                                                  "field_mappings[0].destination",
		field("destination: 'a.b'"):                                                                        "field_mappings[0].destination",
		field("destination: Name"):                                                                         "field_mappings[0].destination",
		field("destination: custom_attributes.name"):                                                       "",
		field("destination: 'a!'"):                                                                         "field_mappings[0].destination",
		field("destination: plan, data_type: json"):                                                        "field_mappings[0].data_type",
		field("destination: custom_attributes"):                                                            "field_mappings[0].data_type",
		field("destination: signed_up_at"):                                                                 "field_mappings[0].data_type",
		field("destination: unsubscribed_from_emails"):                                                     "field_mappings[0].data_type",
		field("destination: name, data_type: boolean"):                                                     "field_mappings[0].data_type",
		field("destination: tags, data_type: json"):                                                        "intercom.managed_tags",
		field("destination: tags") + "intercom: {managed_tags: risk_}\n":                                   "field_mappings[0].data_type",
		field("destination: plan") + "intercom: {managed_tags: [risk_]}\n":                                 "intercom.managed_tags",
		field("destination: plan") + "intercom: {managed_tags: []}\n":                                      "intercom.managed_tags",
		field("destination: plan") + "intercom: {on_archived: delete}\n":                                   "intercom.on_archived",
		field("destination: plan") + "intercom: {create_attributes: maybe}\n":                              "intercom.create_attributes",
		field("destination: plan") + "operation: insert\n":                                                 "operation",
		field("destination: plan") + "operation: update\non_missing: create\n":                             "on_missing",
		strings.Replace(field("destination: plan"), "destination: external_id", "destination: user_id", 1): "match.destination",
		strings.Replace(field("destination: plan"), "external_id}", "external_id, data_type: number}", 1):  "match.data_type",
		"sync: a\nconnection: c\nrecord_id: id\nfield_mappings: [{source: a, destination: plan}]\n":        "matching_strategy",
		"sync: a\nconnection: c\nmatching_strategy: email\nmatch: {source: e, case: true}\nfield_mappings: [{source: a, destination: plan}]\n": "match.case",
	} {
		if _, got, err := parse(t, src); got != want {
			t.Errorf("paths %q, want %q, in\n%s%v", got, want, src, err)
		}
	}
}

// What a definition does not say.
func TestDefaults(t *testing.T) {
	d, _, err := parse(t, head+"field_mappings: [{source: a, destination: plan}]\n")
	if err != nil || d.Object != "contact" || d.Operation != syncdef.Upsert || d.OnMissing != syncdef.Create || string(d.Options) != `{"create_attributes":false,"on_archived":"report"}` {
		t.Errorf("%+v, %v", d, err)
	}
	d, _, err = parse(t, head+"operation: update\nfield_mappings: [{source: a, destination: tags, data_type: json}]\nintercom: {managed_tags: risk_, on_archived: unarchive}\n")
	if err != nil || d.OnMissing != syncdef.Report || string(d.Options) != `{"create_attributes":false,"managed_tags":["risk_"],"on_archived":"unarchive"}` {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestConnections(t *testing.T) {
	for src, want := range map[string]string{
		"": "https://api.intercom.io", ", region: eu": "https://api.eu.intercom.io", ", region: au": "https://api.au.intercom.io",
		", region: eu, url: 'https://proxy.example/intercom'": "https://proxy.example/intercom",
		", region: mars":                "! connections.c.region",
		", url: 'http://api.example'":   "! connections.c.url",
		", quota: {calls_per_day: 100}": "! connections.c.quota.calls_per_day",
		", calls_per_minute: 1":         "! connections.c.calls_per_minute",
	} {
		conns, err := yamlfile.ParseConnections("connections.yaml", []byte("connections: {c: {type: intercom"+src+"}}\n"), dest.Kinds(known))
		var faults syncdef.Faults
		got := ""
		if errors.As(err, &faults) {
			got = "! " + faults[0].Path
		} else if c, ok := conns.Find("c"); ok && c.Quota.Share == 50 {
			got = c.URL
		}
		if got != want {
			t.Errorf("%s: %q, want %q (%v)", src, got, want, err)
		}
	}
}

// What init writes is a definition that is sound, also of columns with odd names.
func TestExample(t *testing.T) {
	e := intercom.Kind.Example
	columns := []syncdef.Column{{Name: "customer_id", Type: syncdef.Integer}, {Name: "Name", Type: syncdef.String}, {Name: "phone", Type: syncdef.Integer},
		{Name: "id", Type: syncdef.Integer}, {Name: "Tags", Type: syncdef.String}, {Name: "health.score", Type: syncdef.Number}, {Name: "Crème brûlée %", Type: syncdef.Boolean}, {Name: "%%", Type: syncdef.String}}
	src := "sync: a\nconnection: c\n" + strings.Join(e.Target(e.Object, "customer_id", columns), "\n") + "\nrecord_id: customer_id\nfield_mappings:\n"
	var to []string
	for _, f := range e.Fields("customer_id", columns) {
		to = append(to, f.Destination)
		src += "  - {source: '" + f.Source + "', destination: '" + f.Destination + "', data_type: " + string(f.Type) + "}\n"
	}
	if d := cmp.Diff([]string{"name", "phone", "warehouse_id", "warehouse_tags", "health_score", "crème_brûlée", "warehouse_"}, to); d != "" {
		t.Error(d)
	}
	if _, _, err := parse(t, src); err != nil {
		t.Errorf("%v in\n%s", err, src)
	}
}

// The folder's own sync is sound, and is the one of the package comment.
func TestDocHasTheSample(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	def, err := os.ReadFile(filepath.Join("testdata", "syncs", "intercom_health.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(def)) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "#") || strings.Contains(line, "risk_category") || strings.HasPrefix(line, "record_id") {
			continue
		}
		if !strings.Contains(string(doc), "//\t"+line+"\n") {
			t.Errorf("doc.go lacks the line %q", line)
		}
	}
}
