package schema_test

import (
	"maps"
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

// kinds are two made-up destination types that share a key.
var kinds = []syncdef.Kind{
	{
		Name: "crm",
		Connection: []syncdef.Key{
			{Name: "login", Type: syncdef.KeyText, Allowed: []string{"secret", "key"}, Default: "secret"},
			{Name: "release", Type: syncdef.KeyText, Pattern: `[0-9]{2}\.0`, Example: "68.0"},
			{Name: "region", Type: syncdef.KeyText, Allowed: []string{"eu", "us"}},
		},
		Operations: syncdef.Operations, Strategies: syncdef.Strategies,
		Pairs: map[syncdef.Strategy]syncdef.Match{syncdef.MatchEmailDomain: {Source: "email", Destination: "Website"}},
	},
	{
		Name: "chat",
		Connection: []syncdef.Key{
			{Name: "region", Type: syncdef.KeyText, Allowed: []string{"eu", "asia"}},
			{Name: "page", Type: syncdef.KeyInteger, Min: 1},
		},
		Definition: []syncdef.Key{
			{Name: "channel", Type: syncdef.KeyText, Pattern: `\S+`, Example: "#name", Doc: "Where it goes."},
			{Name: "digest_over", Type: syncdef.KeyInteger, Min: 1, Max: 10, Default: "5"},
			{Name: "threads", Type: syncdef.KeyBoolean, Default: "true"},
			{Name: "greeting", Type: syncdef.KeyText},
		},
		Field:      []syncdef.Key{{Name: "markup", Type: syncdef.KeyBoolean}},
		Operations: []syncdef.Operation{syncdef.Insert}, Objects: []string{"message"},
	},
}

func generate(t *testing.T) []byte {
	t.Helper()
	got, err := schema.Generate(kinds)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// A type cannot add a key that there is: one of the two would not be read.
func TestOwnKeysAreNew(t *testing.T) {
	twice := []syncdef.Kind{{Name: "crm", Field: []syncdef.Key{{Name: "data_type", Type: syncdef.KeyText}}}}
	if _, err := schema.Generate(twice); err == nil || !strings.Contains(err.Error(), "data_type") {
		t.Errorf("got %v", err)
	}
}

func compile(t *testing.T) *check.Schema {
	t.Helper()
	c := check.NewCompiler()
	if err := c.AddResource("penstock.schema.json", decode(t, string(generate(t)))); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("penstock.schema.json")
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

// Each text is let pass by the schema and by the reader.
func TestBothAccept(t *testing.T) {
	const head = "connection: crm\ndestination_object: Account\nmatching_strategy: email_domain\n"
	const field = "field_mappings: [{source: a, destination: B}]\n"
	const chat = "connection: chat\nrecord_id: id\n"
	s := compile(t)
	for name, src := range map[string]string{
		"nothing but the needed":   head + field,
		"what becomes of failures": head + field + "retry: {attempts: 20, base: 1s, max: 1h30m}\nstore_source: all\nincremental: {cursor: u, include_failed: 24h}\n",
		"how the match compares":   head + "match: {case: false, data_type: text}\n" + field,
		"unknown values":           head + "field_mappings: [{source: a, destination: B, data_type: picklist, values: [a, 1], default: a, on_unknown: default}]\n",
		"own keys":                 chat + "chat: {channel: \"#a\", digest_over: 10, threads: false, greeting: hi}\nfield_mappings: [{source: a, destination: text, markup: true}]\n",
		"a number for a pattern":   "connections: {a: {type: crm, release: 68.0}}\n",
		"text for a pattern":       "connections: {a: {type: crm, release: \"68.0\"}}\n",
		"a shared key":             "connections: {a: {type: crm, region: us}, b: {type: chat, region: asia}}\n",
		"no most":                  "connections: {b: {type: chat, page: 100000}}\n",
	} {
		if err := s.Validate(decode(t, src)); err != nil {
			t.Errorf("%s: the schema refuses it: %v", name, err)
		}
		if err := read(src); err != nil {
			t.Errorf("%s: the reader refuses it: %v", name, err)
		}
	}
}

// read gives what the reader says of either kind of file.
func read(src string) error {
	if strings.HasPrefix(src, "connections:") {
		_, err := yamlfile.ParseConnections("connections.yaml", []byte(src), kinds)
		return err
	}
	_, _, err := yamlfile.Parse("a.yaml", []byte(src), conns, kinds)
	return err
}

var conns = syncdef.Connections{{Name: "chat", Type: "chat"}, {Name: "crm", Type: "crm"}}

// Each text is refused by the schema and by the reader: both come from one source.
func TestBothRefuse(t *testing.T) {
	const field = "field_mappings: [{source: a, destination: B}]\n"
	const head = "connection: crm\ndestination_object: Account\nmatching_strategy: email_domain\n"
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
		"strategy":           "connection: crm\ndestination_object: Account\nmatching_strategy: phone\n" + field,
		"lanes":              head + "lanes: 65\n" + field,
		"lanes as text":      head + "lanes: four\n" + field,
		"batch size":         head + "batch_size: 0\n" + field,
		"name":               head + "sync: Not-A-Name\n" + field,
		"no cursor":          head + "incremental: {include_failed: 24h}\n" + field,
		"quality share":      head + "quality: {warn_over: 7}\n" + field,
		"rule of no column":  head + "quality: {rules: [{not_null: true}]}\n" + field,
		"notifications":      head + "notifications: {type: email}\n" + field,
		"connection type":    "connections: {a: {type: desk}}\n",
		"connection key":     "connections: {a: {type: chat, password: x}}\n",
		"connection name":    "connections: {A B: {type: chat}}\n",
		"attempts":           head + "retry: {attempts: 21}\n" + field,
		"base":               head + "retry: {base: soon}\n" + field,
		"base as a number":   head + "retry: {base: 60}\n" + field,
		"retry key":          head + "retry: {tries: 3}\n" + field,
		"store_source":       head + "store_source: some\n" + field,
		"include_failed":     head + "incremental: {cursor: a, include_failed: a day}\n" + field,
		"match case":         head + "match: {case: lower}\n" + field,
		"match data_type":    head + "match: {data_type: date}\n" + field,
		"on_unknown":         head + "field_mappings: [{source: a, destination: B, data_type: picklist, values: [a], on_unknown: keep}]\n",
		"own pattern":        "connection: chat\nrecord_id: id\nchat: {channel: two words}\n" + field,
		"own number":         "connection: chat\nrecord_id: id\nchat: {digest_over: 11}\n" + field,
		"own boolean":        "connection: chat\nrecord_id: id\nchat: {threads: often}\n" + field,
		"own text":           "connection: chat\nrecord_id: id\nchat: {greeting: 7}\n" + field,
		"own unknown key":    "connection: chat\nrecord_id: id\nchat: {chanel: a}\n" + field,
		"own key of a field": "connection: chat\nrecord_id: id\nfield_mappings: [{source: a, destination: B, markup: maybe}]\n",
		"another's key":      "connections: {a: {type: chat, login: key}}\n",
		"another's value":    "connections: {a: {type: chat, region: moon}}\n",
		"connection pattern": "connections: {a: {type: crm, release: v62}}\n",
		"connection share":   "connections: {a: {type: chat, quota: {share: 101}}}\n",
		"connections and so": "connections: {a: {type: chat}}\nlanes: 3\n",
	} {
		if s.Validate(decode(t, src)) == nil {
			t.Errorf("%s: the schema lets it pass:\n%s", name, src)
		}
		if read(src) == nil {
			t.Errorf("%s: the reader lets it pass:\n%s", name, src)
		}
	}
}

// A part is what a schema says of an object.
type part struct {
	Properties map[string]part `yaml:"properties"`
	Items      *part           `yaml:"items"`
}

// The schema offers the keys that the reader knows, no more and no fewer. What
// the reader knows it says itself, when it meets a key that it does not.
func TestSameKeys(t *testing.T) {
	var s struct {
		Defs map[string]part `yaml:"$defs"`
	}
	if err := yaml.Unmarshal(generate(t), &s); err != nil {
		t.Fatal(err)
	}
	definition, connection := s.Defs["Definition"], s.Defs["Connection"]
	chat := definition.Properties["chat"]
	delete(definition.Properties, "chat") // the reader offers a section to its own type
	for name, c := range map[string]struct {
		part part
		text string
	}{
		"definition":  {definition, "connection: crm\nxxxxxxxxxxxxxxx: 1\n"},
		"match":       {definition.Properties["match"], "connection: crm\nmatch: {xxxxxxxxxxxxxxx: 1}\n"},
		"field":       {*definition.Properties["field_mappings"].Items, "connection: chat\nfield_mappings: [{xxxxxxxxxxxxxxx: 1}]\n"},
		"incremental": {definition.Properties["incremental"], "connection: crm\nincremental: {xxxxxxxxxxxxxxx: 1}\n"},
		"retry":       {definition.Properties["retry"], "connection: crm\nretry: {xxxxxxxxxxxxxxx: 1}\n"},
		"chat":        {chat, "connection: chat\nchat: {xxxxxxxxxxxxxxx: 1}\n"},
		"connection":  {connection, "connections: {a: {xxxxxxxxxxxxxxx: 1}}\n"},
		"quota":       {connection.Properties["quota"], "connections: {a: {quota: {xxxxxxxxxxxxxxx: 1}}}\n"},
	} {
		err := read(c.text)
		_, after, found := strings.Cut(err.Error(), "unknown key xxxxxxxxxxxxxxx; allowed: ")
		if !found {
			t.Errorf("%s: the reader does not list its keys: %v", name, err)
			continue
		}
		line, _, _ := strings.Cut(after, "\n")
		got := strings.Split(line, ", ")
		slices.Sort(got)
		if diff := cmp.Diff(slices.Sorted(maps.Keys(c.part.Properties)), got); diff != "" {
			t.Errorf("%s: schema -, reader +\n%s", name, diff)
		}
	}
}
