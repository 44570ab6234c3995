package cardfile

import (
	"fmt"
	"net/url"

	"github.com/penstock-data/penstock/shared/netguard"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Kind is what the card file adds to the definition language.
var Kind = syncdef.Kind{
	Name:  "cardfile",
	Title: "Card File",
	Definition: []syncdef.Key{
		{Name: "drawer", Type: syncdef.KeyText, Pattern: `[a-z]+`, Example: "customers", Default: "main",
			Doc: "The drawer that the cards stand in."},
	},
	Operations:      []syncdef.Operation{syncdef.Upsert, syncdef.Delete},
	Removals:        []syncdef.Removal{syncdef.RemoveDelete},
	Strategies:      []syncdef.Strategy{syncdef.MatchExternalID},
	Objects:         []string{"card"},
	Pairs:           map[syncdef.Strategy]syncdef.Match{syncdef.MatchExternalID: {Source: "id", Destination: fieldKey}},
	CheckConnection: checkConnection,
	Check:           check,
	Rules:           rules,
}

// fieldKey is the name under which a definition matches cards.
const fieldKey = "key"

// checkConnection wants an address that does not send the token in the clear.
func checkConnection(c *syncdef.Connection) []syncdef.Fault {
	if _, err := address(c.URL); err != nil {
		return []syncdef.Fault{{Path: "url", Message: err.Error()}}
	}
	return nil
}

func address(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("url: write the card file's address, like https://cards.example")
	}
	if u.Scheme != "https" && !netguard.LoopbackHost(u.Hostname()) {
		return nil, fmt.Errorf("url: only https is allowed, except on this machine")
	}
	return u, nil
}

// check leaves the key to match.
func check(d *syncdef.Definition, _ *syncdef.Connection) []syncdef.Fault {
	var faults []syncdef.Fault
	if d.Match.Destination != fieldKey {
		faults = append(faults, syncdef.Fault{Path: "match.destination", Message: fmt.Sprintf("match.destination %q: cards are found by their key: write key", d.Match.Destination)})
	}
	for i, f := range d.Fields {
		if f.Destination == fieldKey {
			faults = append(faults, syncdef.Fault{Path: fmt.Sprintf("field_mappings[%d].destination", i), Message: "destination key: the key is written by match"})
		}
	}
	d.OnMissing = syncdef.Create // a card that is written is there
	return faults
}

// rules state what the pipeline must know.
func rules(*syncdef.Definition, *syncdef.Connection) syncdef.Rules {
	return syncdef.Rules{Identity: row.Identity{Steps: []row.Step{row.StepTrim, row.StepLower}}, LengthUnit: syncdef.LengthRune}
}
