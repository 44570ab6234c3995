package yamlfile

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// slackFields are the parts of a message that a column can give.
var slackFields = []string{"text", "channel"}

// slackPart reads the section slack and checks that a message has its text and
// its channel.
func (p *parser) slackPart(o *object, d *syncdef.Definition) {
	n := o.get("slack")
	if !p.slack {
		if n != nil {
			p.fault(o.keys["slack"], "slack", "slack has no use here: the connection is to Salesforce")
		}
		return
	}
	d.Slack = &syncdef.Slack{DigestOver: syncdef.DefaultDigestOver}
	if n != nil {
		p.slackSettings(o, d.Slack)
	}
	if len(d.Fields) > 0 && !maps(d, "text") {
		p.fault(o.values["field_mappings"], "field_mappings", "no column gives the message: add {source: column, destination: text}")
	}
	// With both, slack.channel is for the rows whose column is null.
	unread := n != nil && n.Kind != yaml.MappingNode
	if len(d.Fields) > 0 && d.Slack.Channel == "" && !unread && !maps(d, "channel") {
		p.fault(o.node, "slack.channel", "no channel: add slack: {channel: \"#name\"}, or map a column to channel")
	}
}

func (p *parser) slackSettings(o *object, s *syncdef.Slack) {
	in := p.object(o.values["slack"], "slack", "slack")
	if in == nil {
		return
	}
	s.Channel = in.text("channel")
	if strings.ContainsAny(s.Channel, " \t\n") {
		p.fault(in.values["channel"], "slack.channel", "slack.channel: %q is no channel; give #name or its id, such as C0123456789", shorten(s.Channel))
	}
	const most = 10_000
	s.DigestOver = in.number("digest_over", 1, most, syncdef.DefaultDigestOver)
	in.close()
}

func maps(d *syncdef.Definition, part string) bool {
	return slices.ContainsFunc(d.Fields, func(f syncdef.Field) bool { return f.Destination == part })
}

// slackMatchesNothing refuses what only makes sense where records are found again.
func (p *parser) slackMatchesNothing(o *object, d *syncdef.Definition) {
	o.known = append(o.known, "on_missing")
	for _, key := range []string{"matching_strategy", "match", "on_missing"} {
		if o.has(key) {
			p.fault(o.keys[key], key, "%s has no use here: Slack messages are not matched; record_id tells them apart", key)
		}
	}
	d.Strategy, d.Match, d.OnMissing = syncdef.MatchNone, syncdef.Match{}, syncdef.Report
	o.missing("record_id", "name the columns that make a message the same message; each is posted once, ever")
}
