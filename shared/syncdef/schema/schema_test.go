package schema_test

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	check "github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/schema"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

var update = flag.Bool("update", false, "write sql/syncs/penstock.schema.json")

const (
	folder    = "../../../sql/syncs"
	checkedIn = folder + "/penstock.schema.json"
)

// The file in the repository is what the Go types say today.
func TestCheckedIn(t *testing.T) {
	got, err := schema.Generate("..")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(checkedIn, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(checkedIn)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is stale; run go generate ./shared/syncdef/schema", filepath.Base(checkedIn))
	}
}

func compile(t *testing.T) *check.Schema {
	t.Helper()
	s, err := check.NewCompiler().Compile(checkedIn)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// decode reads YAML as an editor's language server does.
func decode(t *testing.T, src string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(src), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEveryFileFits(t *testing.T) {
	s := compile(t)
	files, err := filepath.Glob(folder + "/*.yaml")
	if err != nil || len(files) < 4 {
		t.Fatalf("found %d files in %s (%v), want at least 4", len(files), folder, err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(decode(t, string(src))); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// Each text is refused by the schema and by the reader: both come from one source.
func TestBothRefuse(t *testing.T) {
	const field = "field_mappings: [{source: a, destination: B}]\n"
	const head = "destination_object: Account\nmatching_strategy: email_domain\n"
	s := compile(t)
	for name, src := range map[string]string{
		"unknown key":        head + field + "feild: 1\n",
		"no mappings":        head,
		"empty mappings":     head + "field_mappings: []\n",
		"no destination":     head + "field_mappings: [{source: a}]\n",
		"unknown type":       head + "field_mappings: [{source: a, destination: B, data_type: text}]\n",
		"unknown field key":  head + "field_mappings: [{source: a, destination: B, maxlength: 3}]\n",
		"scale":              head + "field_mappings: [{source: a, destination: B, data_type: number, scale: 19}]\n",
		"min":                head + "field_mappings: [{source: a, destination: B, data_type: number, min: low}]\n",
		"transform":          head + "field_mappings: [{source: a, destination: B, transform: [shout]}]\n",
		"strategy":           "destination_object: Account\nmatching_strategy: phone\n" + field,
		"delete":             head + "operation: delete\n" + field,
		"mirror":             head + "operation: mirror\n" + field,
		"lanes":              head + "lanes: 65\n" + field,
		"lanes as text":      head + "lanes: four\n" + field,
		"batch size":         head + "batch_size: 0\n" + field,
		"name":               head + "sync: Not-A-Name\n" + field,
		"no cursor":          head + "incremental: {include_failed: 24h}\n" + field,
		"quality share":      head + "quality: {warn_over: 7}\n" + field,
		"rule of no column":  head + "quality: {rules: [{not_null: true}]}\n" + field,
		"notifications":      head + "notifications: {type: email}\n" + field,
		"connection type":    "connections: {a: {type: hubspot}}\n",
		"connection key":     "connections: {a: {type: slack, password: x}}\n",
		"connection name":    "connections: {A B: {type: slack}}\n",
		"connection share":   "connections: {a: {type: slack, quota: {share: 101}}}\n",
		"connections and so": "connections: {a: {type: slack}}\nlanes: 3\n",
	} {
		if s.Validate(decode(t, src)) == nil {
			t.Errorf("%s: the schema lets it pass:\n%s", name, src)
		}
		var err error
		if strings.HasPrefix(src, "connections:") {
			_, err = yamlfile.ParseConnections("connections.yaml", []byte(src))
		} else {
			_, _, err = yamlfile.Parse("a.yaml", []byte(src), syncdef.Connections{{Name: "sf", Type: "salesforce"}})
		}
		if err == nil {
			t.Errorf("%s: the reader lets it pass:\n%s", name, src)
		}
	}
}

// The schema offers the keys that the reader knows, no more and no fewer. What
// the reader knows it says itself, when it meets a key that it does not.
func TestSameKeys(t *testing.T) {
	src, err := os.ReadFile(checkedIn)
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Defs map[string]struct {
			Properties map[string]any `yaml:"properties"`
		} `yaml:"$defs"`
	}
	if err := yaml.Unmarshal(src, &s); err != nil {
		t.Fatal(err)
	}
	conns := syncdef.Connections{{Name: "sf", Type: "salesforce"}, {Name: "sl", Type: "slack"}}
	for part, text := range map[string]string{
		"Definition":  "connection: sf\nxxxxxxxxxxxxxxx: 1\n",
		"Match":       "connection: sf\nmatch: {xxxxxxxxxxxxxxx: 1}\n",
		"Field":       "connection: sf\nfield_mappings: [{xxxxxxxxxxxxxxx: 1}]\n",
		"Incremental": "connection: sf\nincremental: {xxxxxxxxxxxxxxx: 1}\n",
		"Slack":       "connection: sl\nslack: {xxxxxxxxxxxxxxx: 1}\n",
	} {
		_, _, err := yamlfile.Parse("a.yaml", []byte(text), conns)
		_, after, found := strings.Cut(err.Error(), "unknown key xxxxxxxxxxxxxxx; allowed: ")
		if !found {
			t.Errorf("%s: the reader does not list its keys: %v", part, err)
			continue
		}
		line, _, _ := strings.Cut(after, "\n")
		got := strings.Split(line, ", ")
		slices.Sort(got)
		if diff := cmp.Diff(slices.Sorted(maps.Keys(s.Defs[part].Properties)), got); diff != "" {
			t.Errorf("%s: schema -, reader +\n%s", part, diff)
		}
	}
}
