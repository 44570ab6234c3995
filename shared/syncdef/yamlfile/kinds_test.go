package yamlfile_test

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// kinds are two made-up destination types: one that finds its records, and one
// that only takes messages.
var kinds = []syncdef.Kind{
	{
		Name: "crm", Title: "the CRM",
		Connection: []syncdef.Key{
			{Name: "login", Type: syncdef.KeyText, Allowed: []string{"secret", "key"}, Default: "secret", Doc: "How to log in."},
			{Name: "release", Type: syncdef.KeyText, Pattern: `[0-9]{2}\.0`, Example: "68.0", Default: "68.0", Doc: "The release of its API."},
		},
		Definition: []syncdef.Key{
			{Name: "duplicates", Type: syncdef.KeyText, Allowed: []string{"refuse", "allow"}, Doc: "What its duplicate rules do."},
		},
		Operations: []syncdef.Operation{syncdef.Upsert, syncdef.Update, syncdef.Insert},
		Strategies: syncdef.Strategies,
		Pairs: map[syncdef.Strategy]syncdef.Match{
			syncdef.MatchEmailDomain: {Source: "email", Destination: "Website"},
			syncdef.MatchEmail:       {Source: "email", Destination: "Email"},
			syncdef.MatchName:        {Source: "company_name", Destination: "Name"},
		},
		CheckConnection: crmConnection,
		Check:           crmDefinition,
		Rules: func(d *syncdef.Definition, _ *syncdef.Connection) syncdef.Rules {
			return syncdef.Rules{Identity: row.Identity{Steps: []row.Step{row.StepTrim}, CaseUnsure: d.Match.Case == nil}, DateMin: "1900-01-01"}
		},
	},
	{
		Name: "chat", Title: "Chat",
		Connection: nil,
		Definition: []syncdef.Key{
			{Name: "channel", Type: syncdef.KeyText, Pattern: `\S+`, Example: "#name", Doc: "Where no column gives it."},
			{Name: "digest_over", Type: syncdef.KeyInteger, Min: 1, Max: 10_000, Default: "20", Doc: "More become one digest."},
			{Name: "threads", Type: syncdef.KeyBoolean, Doc: "Answers go into threads."},
			{Name: "greeting", Type: syncdef.KeyText, Doc: "What each begins with."},
		},
		Field: []syncdef.Key{
			{Name: "markup", Type: syncdef.KeyBoolean, Doc: "The text is markup."},
			{Name: "tone", Type: syncdef.KeyText, Allowed: []string{"plain", "loud"}, Doc: "How it is shown."},
		},
		Operations: []syncdef.Operation{syncdef.Insert},
		Objects:    []string{"message"},
		Lanes:      1,
		CheckConnection: func(c *syncdef.Connection) []syncdef.Fault {
			if c.URL == "" {
				c.URL = "https://chat.example/api/"
			}
			if c.Quota != (syncdef.Quota{}) {
				return []syncdef.Fault{{Path: "quota", Message: "quota has no use with type chat"}}
			}
			return nil
		},
		Check: chatDefinition,
		Rules: func(*syncdef.Definition, *syncdef.Connection) syncdef.Rules {
			return syncdef.Rules{Group: "channel", Gather: true, Once: true}
		},
	},
}

func crmConnection(c *syncdef.Connection) (out []syncdef.Fault) {
	if c.Quota.Share == 0 {
		c.Quota.Share = 50
	}
	if c.URL == "" {
		out = append(out, syncdef.Fault{Path: "url", Message: "url is missing"})
	}
	if c.Options["login"] == "key" && c.Options["release"] == "11.0" { // a rule over two keys, told by the whole path
		out = append(out, syncdef.Fault{Path: "connections." + c.Name + ".release", Message: "release 11.0 knows no keys"})
	}
	return out
}

func crmDefinition(d *syncdef.Definition, _ *syncdef.Connection) (out []syncdef.Fault) {
	if d.OnMissing == "" && d.Operation == syncdef.Upsert && d.Strategy == syncdef.MatchExternalID {
		d.OnMissing = syncdef.Create
	}
	for i, f := range d.Fields {
		if f.Destination == "Id" {
			out = append(out, syncdef.Fault{Path: fmt.Sprintf("field_mappings[%d].destination", i), Message: "Id cannot be mapped"})
		}
	}
	if strings.Contains(d.Match.Destination, " ") {
		out = append(out, syncdef.Fault{Path: "match.destination", Message: "match.destination is no name"})
	}
	if strings.Contains(d.Object, " ") {
		out = append(out, syncdef.Fault{Path: "destination_object", Message: "destination_object is no name"})
	}
	return out
}

func chatDefinition(d *syncdef.Definition, _ *syncdef.Connection) (out []syncdef.Fault) {
	var own struct{ Channel string }
	if json.Unmarshal(d.Options, &own) != nil || own.Channel != "" {
		return nil
	}
	for _, f := range d.Fields {
		if f.Destination == "channel" {
			return nil
		}
	}
	return []syncdef.Fault{{Path: "chat.channel", Message: "no channel"}}
}
