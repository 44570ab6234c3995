package salesforce

import (
	"encoding/json"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// title is the vendor's name towards people.
const title = "Salesforce"

// Kind is what Salesforce adds to the definition language.
var Kind = syncdef.Kind{
	Name:  kindName,
	Title: title,
	Connection: []syncdef.Key{
		{Name: keyAuth, Type: syncdef.KeyText, Allowed: []string{authSecret, authJWT}, Default: authSecret,
			Doc: "The OAuth flow of the External Client App that the secret belongs to."},
		{Name: keyVersion, Type: syncdef.KeyText, Pattern: `[0-9]{2,3}\.0`, Example: defaultVersion, Default: defaultVersion,
			Doc: "The version of the REST API; the one that Penstock was tested with when absent."},
	},
	Definition: []syncdef.Key{
		{Name: keyDuplicates, Type: syncdef.KeyText, Allowed: []string{duplicatesBlock, duplicatesAllow}, Default: duplicatesBlock,
			Doc: "What duplicate rules that raise an alert do: block refuses the record, allow saves it all the same. Rules that block always do."},
	},
	Operations: []syncdef.Operation{syncdef.Upsert, syncdef.Update, syncdef.Insert, syncdef.Delete},
	Removals:   []syncdef.Removal{syncdef.RemoveDelete, syncdef.RemoveClear},
	Strategies: syncdef.Strategies,
	Pairs: map[syncdef.Strategy]syncdef.Match{
		syncdef.MatchEmailDomain: {Source: "email", Destination: "Website"},
		syncdef.MatchEmail:       {Source: "email", Destination: "Email"},
		syncdef.MatchName:        {Source: "company_name", Destination: "Name"},
	},
	CheckConnection: checkConnection,
	Check:           check,
	Rules:           rules,
	Effort:          effort,
	Example:         example,
	AsksAccount:     asksAccount,
}

// The keys of a connection and of a definition's object salesforce.
const (
	keyAuth       = "auth"
	keyVersion    = "api_version"
	keyDuplicates = "duplicate_rule"
)

const (
	// defaultVersion is the version of 2026's last release.
	defaultVersion  = "68.0"
	defaultDay      = 100_000 // calls a day when the connection names no limit
	defaultShare    = 50      // percent of it
	duplicatesBlock = "block"
	duplicatesAllow = "allow"
)

// options are the keys of a definition's object salesforce.
type options struct {
	DuplicateRule string `json:"duplicate_rule"`
}

// readOptions reads them; what cannot be read is as absent.
func readOptions(d *syncdef.Definition) options {
	var o options
	if json.Unmarshal(d.Options, &o) != nil {
		return options{}
	}
	return o
}

// checkConnection fills in the quota's defaults and judges the address.
func checkConnection(c *syncdef.Connection) []syncdef.Fault {
	if c.Quota.CallsPerDay == 0 {
		c.Quota.CallsPerDay = defaultDay
	}
	if c.Quota.Share == 0 {
		c.Quota.Share = defaultShare
	}
	if c.URL == "" {
		return []syncdef.Fault{{Path: "url", Message: "url is missing; give the organisation's My Domain address, such as https://acme.my.salesforce.com"}}
	}
	u, err := myDomain(c.URL)
	if err != nil {
		return []syncdef.Fault{{Path: "url", Message: err.Error()}}
	}
	if shared(u.Hostname()) {
		return []syncdef.Fault{{Path: "url", Message: "url: " + u.Hostname() + " answers no API; write the organisation's My Domain address (Setup, My Domain), such as https://acme.my.salesforce.com"}}
	}
	return nil
}

// shared reports whether a host is one that people log in to or work at, and not an
// organisation's own for its API (Salesforce Help, "My Domain URL Formats").
func shared(host string) bool {
	host = strings.ToLower(host)
	return host == "login.salesforce.com" || host == "test.salesforce.com" || strings.HasSuffix(host, ".lightning.force.com")
}
