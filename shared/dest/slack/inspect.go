package slack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	slackapi "github.com/slack-go/slack"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/metadata"
)

// The types of conversations.list.
const (
	publicChannels  = "public_channel"
	privateChannels = "private_channel"
)

// publicScope is what a token needs to be shown the public ones.
const publicScope = "channels:read"

// Describe implements dest.Inspector: a message's parts, and whether the bot can post to
// the channels that the definition names. Those that a column names show row by row.
func (a *account) Describe(ctx context.Context, d *syncdef.Definition) (*metadata.Object, error) {
	all, hidden, err := a.conversations(ctx)
	if err != nil {
		return nil, err
	}
	length := goodText
	if o, err := readOptions(d); err == nil && o.OnTooLong == truncateLong {
		length = 0 // a longer one is cut
	}
	texts := []syncdef.Type{syncdef.String, syncdef.Picklist, syncdef.Email}
	o := &metadata.Object{Name: "message", Word: "part", Fields: []metadata.Field{
		{Name: fieldText, Type: "text", Takes: append(texts, syncdef.Number, syncdef.Integer, syncdef.Boolean, syncdef.Date, syncdef.DateTime), Length: length, Required: true},
		{Name: fieldChannel, Type: "channel", Takes: texts},
	}}
	if o.Faults, o.Notices = named(d, all, hidden); len(d.Fields) > 0 {
		return o, nil // what is wrong with a channel is told
	}
	for i := range all {
		if all[i].IsMember && !all[i].IsArchived {
			o.Fields[1].Options = append(o.Fields[1].Options, metadata.Option{Value: "#" + all[i].Name, Label: all[i].ID})
		}
	}
	return o, nil
}

// conversations lists the channels that the token shows; hidden are the scopes that it
// lacks to show more.
func (a *account) conversations(ctx context.Context) (all []slackapi.Channel, hidden []string, err error) {
	for _, one := range []struct{ kind, scope string }{{publicChannels, publicScope}, {privateChannels, "groups:read"}} {
		list, _, err := a.client.list(ctx, one.kind, "")
		var refused *refusedError
		switch {
		case errors.As(err, &refused) && refused.code == missingScope:
			hidden = append(hidden, one.scope)
		case err != nil:
			return nil, nil, a.call(ctx, "list the channels", err)
		}
		all = append(all, list...)
	}
	return all, hidden, nil
}

// named judges the channels that a definition names: its own, and those that the
// mapping to channel may send.
func named(d *syncdef.Definition, all []slackapi.Channel, hidden []string) (faults, notices []syncdef.Fault) {
	judge := func(path, channel string) {
		what, sure := judgeChannel(channel, all, hidden)
		if what == "" {
			return
		}
		key, _, _ := strings.Cut(path[strings.LastIndexByte(path, '.')+1:], "[")
		f := syncdef.Fault{Path: path, Message: fmt.Sprintf("%s: %s: %s", key, channel, what)}
		if sure {
			faults = append(faults, f)
		} else {
			notices = append(notices, f)
		}
	}
	if o, err := readOptions(d); err == nil && o.Channel != "" {
		judge("slack.channel", o.Channel)
	}
	for i := range d.Fields {
		f := &d.Fields[i]
		if f.Destination != fieldChannel {
			continue
		}
		for n, v := range f.Values {
			judge(fmt.Sprintf("field_mappings[%d].values[%d]", i, n), v)
		}
		if f.Value != nil && len(f.Columns()) == 0 {
			judge(fmt.Sprintf("field_mappings[%d].value", i), *f.Value)
		}
		if f.Default != nil {
			judge(fmt.Sprintf("field_mappings[%d].default", i), *f.Default)
		}
	}
	return faults, notices
}

// judgeChannel says why the bot could not post to a channel, "" where it could; sure is
// false where it might all the same.
func judgeChannel(channel string, all []slackapi.Channel, hidden []string) (what string, sure bool) {
	at := slices.IndexFunc(all, func(c slackapi.Channel) bool {
		return c.ID == channel || c.Name == strings.TrimPrefix(channel, "#")
	})
	switch {
	case at < 0 && channelID.MatchString(channel) && channel[0] == 'D':
		return "", true // a person's, which no list shows
	case at < 0 && (slices.Contains(hidden, publicScope) || channelID.MatchString(channel) && len(hidden) > 0): // an id is posted to unseen
		return "it cannot be looked for: the app lacks the scope " + strings.Join(hidden, ", ") + "; add it under OAuth & Permissions and install the app again", false
	case at < 0:
		what = "the bot sees no such channel: "
		if near := nearest(channel, all); near != "" {
			what += "did you mean #" + near + "? If not: "
		}
		what += "where it is private, invite the bot to it (/invite @penstock)"
		if len(hidden) > 0 {
			what += ", and give the app the scope " + strings.Join(hidden, ", ") + " to see it"
		}
		return what, true
	case all[at].IsArchived:
		return "the channel is archived: restore it, or name another one", true
	case !all[at].IsMember:
		return "the bot is not in the channel: invite the bot to the channel: /invite @penstock", true
	}
	return "", true
}

// nearest is the channel whose name is most like the given one.
func nearest(channel string, all []slackapi.Channel) string {
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].Name
	}
	return syncdef.Nearest(strings.TrimPrefix(channel, "#"), names)
}

// Objects implements dest.Inspector.
func (a *account) Objects(context.Context) ([]string, error) { return Kind.Objects, nil }

// scopes are what the app needs, and what for; some are for private channels only.
var scopes = []dest.Right{
	{Name: "chat:write", For: "posting messages"},
	{Name: "channels:history", For: "looking for what was sent, so that nothing is sent twice"},
	{Name: publicScope, For: "finding channels by their names"},
	{Name: "groups:history", For: "the same in private channels", Some: true},
	{Name: "groups:read", For: "finding private channels by their names", Some: true},
}

// Rights implements dest.Inspector by the scopes that auth.test's answer names; where it
// names none they are not known.
func (a *account) Rights(ctx context.Context, _ []syncdef.Definition) ([]dest.Right, error) {
	if _, err := a.client.test(ctx); err != nil {
		return nil, a.call(ctx, "ask for the token's scopes", err)
	}
	has := a.client.has()
	if has == nil {
		return nil, nil
	}
	rights := slices.Clone(scopes)
	for i := range rights {
		if !slices.Contains(has, rights[i].Name) {
			rights[i].Missing = "the app lacks it: add it under OAuth & Permissions and install the app again"
		}
	}
	return rights, nil
}

var _ dest.Inspector = (*account)(nil)
