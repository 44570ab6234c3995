package slack_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest/slack"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

func TestCheck(t *testing.T) {
	text, channel := syncdef.Field{Source: "m", Destination: "text"}, syncdef.Field{Source: "c", Destination: "channel"}
	marked := func(f syncdef.Field) syncdef.Field { f.Markup = true; return f }
	value := "{{v}}"
	made := func(f syncdef.Field) []syncdef.Field {
		f.Value, f.Destination = &value, "text"
		return []syncdef.Field{f, channel}
	}
	for name, c := range map[string]struct {
		fields  []syncdef.Field
		options string
		want    string // paths of the faults
	}{
		"sound":               {[]syncdef.Field{text}, `{"channel":"#a","digest_over":20}`, ""},
		"channel by row":      {[]syncdef.Field{text, channel}, "", ""},
		"both":                {[]syncdef.Field{marked(text), channel}, `{"channel":"#a"}`, ""},
		"no text":             {[]syncdef.Field{channel}, "", "field_mappings"},
		"no channel":          {[]syncdef.Field{text}, `{"digest_over":3}`, "slack.channel"},
		"another part":        {[]syncdef.Field{text, {Destination: "blocks"}}, `{"channel":"#a"}`, "field_mappings[1].destination"},
		"markup of a channel": {[]syncdef.Field{text, marked(channel)}, "", "field_mappings[1].markup"},
		"nothing mapped":      {nil, "", ""},
		"template":            {made(syncdef.Field{Type: syncdef.String, As: syncdef.AsJSON}), "", ""},
		"template of JSON":    {made(syncdef.Field{Type: syncdef.JSON}), "", "field_mappings[0].data_type"},
		"template of a set":   {made(syncdef.Field{Type: syncdef.MultiPicklist}), "", "field_mappings[0].data_type"},
		"template, joined":    {made(syncdef.Field{Type: syncdef.String, As: syncdef.AsJoin}), "", "field_mappings[0].as"},
		"template of markup":  {made(marked(syncdef.Field{Type: syncdef.JSON})), "", ""},
		"column of JSON":      {[]syncdef.Field{{Source: "m", Destination: "text", Type: syncdef.JSON}, channel}, "", ""},
	} {
		d := syncdef.Definition{Sync: "s", Fields: c.fields, Options: []byte(c.options)}
		var paths []string
		for _, f := range slack.Kind.Check(&d, &syncdef.Connection{}) {
			paths = append(paths, f.Path)
		}
		if got := strings.Join(paths, " "); got != c.want {
			t.Errorf("%s: faults at %q, want %q", name, got, c.want)
		}
	}
}

func TestCheckConnection(t *testing.T) {
	for name, c := range map[string]struct {
		conn syncdef.Connection
		want string
	}{
		"sound":       {syncdef.Connection{}, ""},
		"own address": {syncdef.Connection{URL: "https://slack.example/api/"}, ""},
		"unencrypted": {syncdef.Connection{URL: "http://slack.example/"}, "url"},
		"quota":       {syncdef.Connection{Quota: syncdef.Quota{Share: 50}}, "quota"},
	} {
		var paths []string
		for _, f := range slack.Kind.CheckConnection(&c.conn) {
			paths = append(paths, f.Path)
		}
		if got := strings.Join(paths, " "); got != c.want || c.conn.URL == "" {
			t.Errorf("%s: faults at %q, want %q; url %q", name, got, c.want, c.conn.URL)
		}
	}
}

func TestRules(t *testing.T) {
	d := syncdef.Definition{Options: []byte(`{"channel":"#alerts"}`)}
	want := syncdef.Rules{Type: "slack", Group: "channel", GroupDefault: "#alerts", GroupPrefix: "#", Gather: true, Once: true, Lookup: true, LengthUnit: syncdef.LengthRune,
		Effort: &syncdef.Effort{Write: 1, Digest: 20, AtOnce: 1, Limits: []syncdef.Limit{{Calls: 1, Per: 1}}}}
	if diff := cmp.Diff(want, slack.Kind.RulesOf(&d, &syncdef.Connection{})); diff != "" {
		t.Error(diff)
	}
}

// Slack removes nothing, and validate says so.
func TestRemovesNothing(t *testing.T) {
	conns := syncdef.Connections{{Name: "chat", Type: "slack", URL: "https://slack.com/api/"}}
	const sound = "connection: chat\nrecord_id: id\nslack: {channel: \"#a\"}\nfield_mappings: [{source: m, destination: text}]\n"
	for more, want := range map[string]string{
		"on_delete: delete\n": "on_delete: Slack removes no records",
		"operation: delete\n": "operation: delete is not possible with Slack",
		"":                    "",
	} {
		d, _, err := yamlfile.Parse("a.yaml", []byte(sound+more), conns, []syncdef.Kind{slack.Kind})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", more, err, want)
		}
		if want == "" && d.OnDelete != "" {
			t.Errorf("on_delete is %q", d.OnDelete)
		}
	}
}
