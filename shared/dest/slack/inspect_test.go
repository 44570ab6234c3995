package slack_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest"
	sim "github.com/penstock-data/penstock/shared/sandbox/slack"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// The channels that a definition names are looked for before the first message: they
// are there, in use, and the bot is in them.
func TestDescribe(t *testing.T) {
	channels := func(c *sim.Config, _ *world) {
		c.Channels = append(c.Channels, sim.Channel{ID: "C0QUIET0001", Name: "quiet", Outside: true}, sim.Channel{ID: "C0OLD000001", Name: "old", Archived: true},
			sim.Channel{ID: "C0HIDDEN001", Name: "hidden", Private: true}, sim.Channel{ID: "C0ALERTS001", Name: "alerts"})
	}
	private := func(c *sim.Config, _ *world) {
		c.Scopes = []string{"chat:write", "channels:read", "channels:history", "groups:read"}
	}
	blind := func(c *sim.Config, _ *world) { c.Scopes = []string{"chat:write"} }
	for name, test := range map[string]struct {
		channel       string
		change        func(*sim.Config, *world)
		fault, notice string
	}{
		"there":              {channel: "#alerts"},
		"without #":          {channel: "alerts"},
		"by id":              {channel: "C0ALERTS001"},
		"a person's":         {channel: "D0123456789"},
		"not there":          {channel: "#nowhere", fault: "the bot sees no such channel: "},
		"mistyped":           {channel: "#alertz", fault: "did you mean #alerts?"},
		"the bot is outside": {channel: "#quiet", fault: "invite the bot to the channel"},
		"archived":           {channel: "#old", fault: "the channel is archived"},
		"archived, by id":    {channel: "C0OLD000001", fault: "the channel is archived"},
		"private, not shown": {channel: "#hidden", fault: "the scope groups:read to see it"},
		"private":            {channel: "#hidden", change: private},
		"not shown, by id":   {channel: "C0HIDDEN001", notice: "lacks the scope groups:read"},
		"not there, by id":   {channel: "C0ZEBRA0001", change: private, fault: "the bot sees no such channel: "},
		"nothing is shown":   {channel: "#nowhere", change: blind, notice: "lacks the scope channels:read"},
	} {
		t.Run(name, func(t *testing.T) {
			changes := []func(*sim.Config, *world){channels}
			if test.change != nil {
				changes = append(changes, test.change)
			}
			w := newWorld(t, changes...)
			d := w.def
			d.Options = []byte(`{"channel":"` + test.channel + `"}`)
			o, err := w.acct.(dest.Inspector).Describe(t.Context(), &d)
			if err != nil {
				t.Fatal(err)
			}
			for what, pair := range map[string]struct {
				got  []syncdef.Fault
				want string
			}{"fault": {o.Faults, test.fault}, "notice": {o.Notices, test.notice}} {
				if n := len(pair.got); pair.want == "" && n != 0 || pair.want != "" && (n != 1 || pair.got[0].Path != "slack.channel" || !strings.Contains(pair.got[0].Message, pair.want)) {
					t.Errorf("%s: %v, want %q", what, pair.got, pair.want)
				}
			}
		})
	}
}

// A message's text has the length that Slack advises, and none where longer ones are cut.
func TestDescribeLength(t *testing.T) {
	w := newWorld(t)
	for options, want := range map[string]int{`{"on_too_long":"reject"}`: 4000, `{"on_too_long":"truncate"}`: 0, "": 4000} {
		d := w.def
		d.Options = []byte(options)
		o, err := w.acct.(dest.Inspector).Describe(t.Context(), &d)
		if err != nil || o.Find("text").Length != want {
			t.Errorf("%s: %+v, %v", options, o, err)
		}
	}
}

// The token's scopes are those that Slack's answers name: what is missing is told with
// what it is for.
func TestRights(t *testing.T) {
	w := newWorld(t, func(c *sim.Config, _ *world) { c.Scopes = []string{"chat:write", "groups:read"} })
	rights, err := w.acct.(dest.Inspector).Rights(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var missing, some []string
	for _, r := range rights {
		switch {
		case r.Missing != "" && r.Some:
			some = append(some, r.Name)
		case r.Missing != "":
			missing = append(missing, r.Name)
		}
	}
	if d := cmp.Diff([]string{"channels:history", "channels:read"}, missing); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"groups:history"}, some); d != "" {
		t.Error(d)
	}
	w.secret = map[string]string{"token": "xoxb-wrong"}
	w.restart()
	var call *dest.CallError
	if _, err := w.acct.(dest.Inspector).Rights(t.Context(), nil); !errors.As(err, &call) || call.Class != dest.Configuration || strings.Contains(call.Message, "xoxb-wrong") {
		t.Error(err)
	}
}
