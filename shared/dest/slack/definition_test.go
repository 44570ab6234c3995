package slack_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest/slack"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

var kinds = []syncdef.Kind{slack.Kind}

// parse reads a definition over a connection of Slack's.
func parse(t *testing.T, yaml string) (syncdef.Definition, error) {
	t.Helper()
	conns, err := yamlfile.ParseConnections("connections.yaml", []byte("connections:\n  slack_prod: {type: slack}\n"), kinds)
	if err != nil {
		t.Fatal(err)
	}
	if conns[0].URL != "https://slack.com/api/" {
		t.Errorf("the address is %q", conns[0].URL)
	}
	d, _, err := yamlfile.Parse("slack_alerts.yaml", []byte(yaml), conns, kinds)
	return d, err
}

// The sample's definition as the reader of files gives it.
func TestSampleDefinition(t *testing.T) {
	yaml, err := os.ReadFile("../../../sql/syncs/slack_alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d, err := parse(t, string(yaml))
	if err != nil {
		t.Fatal(err)
	}
	var options map[string]any
	if err := json.Unmarshal(d.Options, &options); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"channel": "#customer-health", "digest_over": 20.0, "on_too_long": "reject"}, options); diff != "" {
		t.Error(diff)
	}
	if d.Operation != syncdef.Insert || d.Object != "message" || d.Lanes != 1 || d.Strategy != syncdef.MatchNone {
		t.Errorf("%+v", d)
	}
	if rules := slack.Kind.RulesOf(&d, &syncdef.Connection{}); rules.GroupDefault != "#customer-health" || !rules.Once || !rules.Gather {
		t.Errorf("%+v", rules)
	}
}

// What a file may say, and where the faults of others are.
func TestDefinitions(t *testing.T) {
	const (
		head    = "sync: slack_alerts\nconnection: slack_prod\nrecord_id: id\n"
		message = "field_mappings: [{source: a, destination: text}]\n"
		channel = "slack: {channel: \"#a\"}\n"
	)
	for name, c := range map[string]struct{ yaml, want string }{
		"sound":            {head + message + channel, ""},
		"markup":           {head + "field_mappings: [{source: a, destination: text, markup: true}]\n" + channel, ""},
		"markup of a word": {head + "field_mappings: [{source: a, destination: text, markup: maybe}]\n" + channel, "field_mappings[0].markup"},
		"upsert":           {head + message + channel + "operation: upsert\n", "operation"},
		"match":            {head + message + channel + "matching_strategy: email\n", "matching_strategy"},
		"object":           {head + message + channel + "destination_object: reaction\n", "destination_object"},
		"no channel":       {head + message, "slack.channel"},
		"two words":        {head + message + "slack: {channel: two words}\n", "slack.channel"},
		"no digest":        {head + message + "slack: {channel: a, digest_over: 0}\n", "slack.digest_over"},
		"another key":      {head + message + "slack: {channel: a, thread: b}\n", "slack.thread"},
		"another part":     {head + "field_mappings: [{source: a, destination: text}, {source: b, destination: blocks}]\n" + channel, "field_mappings[1].destination"},
	} {
		_, err := parse(t, c.yaml)
		var paths []string
		var faults syncdef.Faults
		if errors.As(err, &faults) {
			for _, f := range faults {
				paths = append(paths, f.Path)
				if f.Line == 0 {
					t.Errorf("%s: a fault without a place: %v", name, f)
				}
			}
		} else if err != nil {
			t.Error(err)
		}
		if got := strings.Join(paths, " "); got != c.want {
			t.Errorf("%s: faults at %q, want %q", name, got, c.want)
		}
	}
}
