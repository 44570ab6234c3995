package hubspot

import (
	"strings"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// title is the vendor's name towards people.
const title = "HubSpot"

// Kind is what HubSpot adds to the definition language.
var Kind = syncdef.Kind{
	Name:  "hubspot",
	Title: title,
	Connection: []syncdef.Key{
		{Name: keyRate, Type: syncdef.KeyInteger, Min: 10, Max: 10_000, Default: "190",
			Doc: "The calls in 10 seconds that the account's subscription allows, of which quota.share is used: 190 on Professional and Enterprise, 250 with the API limit increase, 100 below."},
	},
	Field: []syncdef.Key{
		{Name: keyJSON, Type: syncdef.KeyBoolean, For: []syncdef.Type{syncdef.JSON},
			Doc: "Send a list as JSON text; without it a list of single values is joined by semicolons, as properties of several options want it. The default is false."},
	},
	Operations: []syncdef.Operation{syncdef.Upsert, syncdef.Update, syncdef.Insert, syncdef.Delete},
	Removals:   []syncdef.Removal{syncdef.RemoveArchive, syncdef.RemoveClear},
	Strategies: []syncdef.Strategy{syncdef.MatchEmail, syncdef.MatchExternalID, syncdef.MatchField},
	Pairs: map[syncdef.Strategy]syncdef.Match{
		syncdef.MatchEmail: {Source: "email", Destination: propEmail},
	},
	CheckConnection: checkConnection,
	Check:           check,
	Rules:           rules,
	Effort:          effort,
	Example:         example,
	AsksAccount:     asksAccount,
}

// The keys of a connection and of a field mapping.
const (
	keyRate = "calls_per_10s"
	keyJSON = "keep_json"
)

// Properties that are known by name.
const (
	propID    = "hs_object_id"         // the record's own id
	propEmail = "email"                // of contacts, unique
	propMore  = "hs_additional_emails" // a contact's secondary addresses, joined by ;
)

// The defaults of a connection: what the smallest subscription grants in a day, and
// half of Professional's calls in 10 seconds, which is less than the smallest's
// ("API usage guidelines and limits").
const (
	defaultRate  = 190
	defaultDay   = 250_000
	defaultShare = 50
)

// checkConnection fills in the quota's defaults and judges the address.
func checkConnection(c *syncdef.Connection) []syncdef.Fault {
	if c.Quota.CallsPerDay == 0 {
		c.Quota.CallsPerDay = defaultDay
	}
	if c.Quota.Share == 0 {
		c.Quota.Share = defaultShare
	}
	if _, err := baseURL(c.URL); err != nil {
		return []syncdef.Fault{{Path: "url", Message: err.Error()}}
	}
	return nil
}

// rules states what the pipeline must know of a version. An insert is sent once;
// whether it arrived can be found out where the new record has a unique value.
func rules(d *syncdef.Definition, _ *syncdef.Connection) syncdef.Rules {
	matched := d.Strategy != syncdef.MatchNone && d.Match.Destination != ""
	r := syncdef.Rules{LengthUnit: syncdef.LengthUTF16, Once: d.Operation == syncdef.Insert, Lookup: matched && !matchesID(d)}
	if matched {
		r.Identity = identity(d)
	}
	return r
}

// identity is how values of a unique property are compared. Addresses are compared
// without case. Of other properties nothing is documented: leaving case out never
// sends one record's values to another, it only lets the later of two rows hold;
// match.case: true says otherwise.
func identity(d *syncdef.Definition) row.Identity {
	switch {
	case matchesID(d) || d.Match.DataType == syncdef.MatchNumber:
		return steps(row.StepTrim, row.StepNumber)
	case d.Strategy == syncdef.MatchEmail || d.Match.Destination == propEmail:
		return steps(row.StepTrim, row.StepEmail, row.StepLower)
	case d.Match.Case != nil && *d.Match.Case:
		return steps(row.StepTrim)
	}
	return steps(row.StepTrim, row.StepLower)
}

func steps(s ...row.Step) row.Identity { return row.Identity{Steps: s} }

// matchesID reports whether the records' own ids are known.
func matchesID(d *syncdef.Definition) bool { return strings.EqualFold(d.Match.Destination, propID) }

// asksAccount reports whether identity depends on the match property's type.
func asksAccount(d *syncdef.Definition) bool {
	return (d.Strategy == syncdef.MatchField || d.Strategy == syncdef.MatchExternalID) && !matchesID(d) && d.Match.Destination != propEmail
}
