package slack

import (
	"fmt"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Kind is what Slack adds to the definition language.
var Kind = syncdef.Kind{
	Name:  "slack",
	Title: "Slack",
	Definition: []syncdef.Key{
		{Name: "channel", Type: syncdef.KeyText, Pattern: `\S+`, Example: "#alerts",
			Doc: "The channel of rows that name none: #name or its id, such as C0123456789."},
		{Name: "digest_over", Type: syncdef.KeyInteger, Min: 1, Max: 10_000, Default: "20",
			Doc: "More messages than this in a run and channel become one digest."},
		{Name: "on_too_long", Type: syncdef.KeyText, Allowed: []string{rejectLong, truncateLong}, Default: rejectLong,
			Doc: "What is done with a message of more than 4,000 characters as it is sent: reject the row, or cut the message, never within a link, an emoji or a joined character."},
	},
	Field: []syncdef.Key{
		{Name: "markup", Type: syncdef.KeyBoolean, Default: "false",
			Doc: "The column holds Slack's own markup, such as <https://example.com|a link> or <!here>; without it &, < and > are shown as they are."},
	},
	Operations:      []syncdef.Operation{syncdef.Insert},
	Posts:           true,
	Objects:         []string{"message"},
	Lanes:           1, // a channel takes about a message a second, so more lanes gain nothing
	CheckConnection: checkConnection,
	Check:           check,
	Rules:           rules,
	Effort:          effort,
	Example:         example,
}

// parts are the parts of a message that a column can give.
var parts = []string{fieldText, fieldChannel}

// checkConnection fills in Slack's address and refuses what has no use.
func checkConnection(c *syncdef.Connection) []syncdef.Fault {
	var faults []syncdef.Fault
	if c.URL == "" {
		c.URL = defaultURL
	} else if _, err := baseURL(c.URL); err != nil {
		faults = append(faults, syncdef.Fault{Path: "url", Message: err.Error()})
	}
	if c.Quota != (syncdef.Quota{}) {
		faults = append(faults, syncdef.Fault{Path: "quota",
			Message: "quota has no use with type slack: Slack counts each app's calls separately"})
	}
	return faults
}

// check wants a text for each message and a channel for it to go to.
func check(d *syncdef.Definition, _ *syncdef.Connection) []syncdef.Fault {
	var faults []syncdef.Fault
	fault := func(path, format string, args ...any) {
		faults = append(faults, syncdef.Fault{Path: path, Message: fmt.Sprintf(format, args...)})
	}
	for i, f := range d.Fields {
		path := fmt.Sprintf("field_mappings[%d].", i)
		switch {
		case !slices.Contains(parts, f.Destination):
			fault(path+"destination", "destination %q: a Slack message has no such part; allowed: %s", f.Destination, strings.Join(parts, ", "))
		case f.Markup && f.Destination != fieldText:
			fault(path+"markup", "markup has no use here: only the text of a message holds markup")
		case f.Destination == fieldText && f.Value != nil && !f.Markup:
			if key, word := unescapes(f); key != "" {
				fault(path+key, "%s: %s would bring markup out of the columns in value; leave it out, or make the text of one column with source; markup: true is for columns that hold Slack's own markup", key, word)
			}
		}
	}
	if len(d.Fields) == 0 {
		return faults // the reader has said so
	}
	if !maps(d, fieldText) {
		fault("field_mappings", "no column gives the message: add {source: column, destination: text}")
	}
	// With both, slack.channel is for the rows whose column is null.
	if o, err := readOptions(d); err == nil && o.Channel == "" && !maps(d, fieldChannel) {
		fault("slack.channel", "no channel: add slack: {channel: \"#name\"}, or map a column to channel")
	}
	return faults
}

// unescapes is the key of a template's field, and its word, by which the text is read
// once more after the columns in it were escaped: a list's elements, the strings and
// names of JSON, or what a ; parts are other characters then.
func unescapes(f syncdef.Field) (key, word string) {
	switch {
	case f.Type == syncdef.JSON || f.Type == syncdef.MultiPicklist:
		return "data_type", string(f.Type)
	case f.As == syncdef.AsJoin:
		return "as", string(f.As)
	}
	return "", ""
}

// maps reports whether a column gives a part of the message.
func maps(d *syncdef.Definition, part string) bool {
	return slices.ContainsFunc(d.Fields, func(f syncdef.Field) bool { return f.Destination == part })
}

// rules states what the pipeline must know: record ids are compared as they are, a
// run's rows are counted by channel before any is sent, and each is sent once, ever.
func rules(d *syncdef.Definition, _ *syncdef.Connection) syncdef.Rules {
	o, _ := readOptions(d) // what cannot be read has no channel; Account.Open says so
	r := syncdef.Rules{
		Type: "slack", Identity: row.Identity{},
		Group: fieldChannel, GroupDefault: o.Channel, GroupPrefix: "#", Gather: true,
		Once: true, Lookup: true,
		LengthUnit: syncdef.LengthRune,
	}
	// The text of a template is the definition's own and may be markup; what the row
	// puts into it may not.
	if f := fieldOf(d, fieldText); f.Value != nil && !f.Markup {
		r.Entities = fieldText
	}
	return r
}
