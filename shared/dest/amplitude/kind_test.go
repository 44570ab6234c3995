package amplitude_test

import (
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/dest/amplitude"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

const head = "connection: usage\ndestination_object: user\nmatching_strategy: external_id\nmatch: {source: customer_id, destination: user_id}\n"

var conns = syncdef.Connections{{Name: "usage", Type: "amplitude"}}

func parse(src string) (syncdef.Definition, error) {
	d, _, err := yamlfile.Parse("a.yaml", []byte(src), conns, syncdef.Kinds{amplitude.Kind})
	return d, err
}

func TestDefinitions(t *testing.T) {
	for name, c := range map[string]struct{ src, says string }{
		"sound":               {head + "field_mappings: [{source: a, destination: a}, {source: n, destination: n, data_type: number, operation: add}]\namplitude: {min_id_length: 1}\n", ""},
		"the id is written":   {head + "field_mappings: [{source: a, destination: user_id}]\n", "the user id is written by match"},
		"an operation's name": {head + "field_mappings: [{source: a, destination: $set}]\n", "use operation"},
		"another operation":   {head + "field_mappings: [{source: a, destination: a, operation: prepend}]\n", "append"},
		"add a text":          {head + "field_mappings: [{source: a, destination: a, operation: add}]\n", "data_type: number"},
		"add with all":        {head + "send: all\nfield_mappings: [{source: a, destination: a, data_type: integer, operation: add}]\n", "send: all"},
		"device's operation":  {head + "field_mappings: [{source: a, destination: device_id, operation: unset}]\n", "names a device"},
		"too long":            {head + "field_mappings: [{source: a, destination: a, max_length: 1025}]\n", "1024"},
		"another match":       {strings.Replace(head, "user_id", "email", 1) + "field_mappings: [{source: a, destination: a}]\n", "write user_id"},
		"without case":        {strings.Replace(head, "user_id}", "user_id, case: false}", 1) + "field_mappings: [{source: a, destination: a}]\n", "match.case"},
		"an event":            {strings.Replace(head, ": user\n", ": event\n", 1) + "field_mappings: [{source: a, destination: a}]\n", "user"},
		"an insert":           {head + "operation: insert\nfield_mappings: [{source: a, destination: a}]\n", "upsert"},
	} {
		_, err := parse(c.src)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

// Texts are bounded by what Amplitude keeps, and users are made.
func TestImplied(t *testing.T) {
	d, err := parse(head + "field_mappings: [{source: a, destination: a}, {source: b, destination: b, max_length: 10, on_too_long: truncate}, {source: c, destination: c, data_type: number}]\n")
	if err != nil {
		t.Fatal(err)
	}
	if d.Fields[0].MaxLength != 1024 || d.Fields[1].MaxLength != 10 || d.Fields[2].MaxLength != 0 || d.OnMissing != syncdef.Create {
		t.Errorf("%+v", d)
	}
}

func TestConnections(t *testing.T) {
	for name, c := range map[string]struct {
		conn      syncdef.Connection
		url, says string
	}{
		"the usual":      {syncdef.Connection{}, "https://api2.amplitude.com", ""},
		"in the EU":      {syncdef.Connection{Options: map[string]string{"region": "eu"}}, "https://api.eu.amplitude.com", ""},
		"one's own":      {syncdef.Connection{URL: "https://proxy.example"}, "https://proxy.example", ""},
		"the other's":    {syncdef.Connection{URL: "https://api.eu.amplitude.com/"}, "", "region: eu"},
		"in the clear":   {syncdef.Connection{URL: "http://proxy.example"}, "", "https"},
		"a path":         {syncdef.Connection{URL: "https://api2.amplitude.com/batch"}, "", "scheme and host only"},
		"a key in a url": {syncdef.Connection{URL: "https://key@proxy.example"}, "", "scheme and host only"},
		"quota":          {syncdef.Connection{Quota: syncdef.Quota{Share: 10}}, "", "no use"},
	} {
		var text []string
		for _, f := range amplitude.Kind.CheckConnection(&c.conn) {
			text = append(text, f.Message)
		}
		got := strings.Join(text, "\n")
		if (got == "") != (c.says == "") || !strings.Contains(got, c.says) || c.url != "" && c.conn.URL != c.url {
			t.Errorf("%s: url %s, %q", name, c.conn.URL, got)
		}
	}
}
