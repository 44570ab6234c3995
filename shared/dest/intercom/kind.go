package intercom

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// title is the vendor's name towards people.
const title = "Intercom"

// kindName is the connection's type.
const kindName = "intercom"

// Kind is what Intercom adds to the definition language.
var Kind = syncdef.Kind{
	Name:  kindName,
	Title: title,
	Connection: []syncdef.Key{
		{Name: keyRegion, Type: syncdef.KeyText, Allowed: []string{"us", "eu", "au"}, Default: "us",
			Doc: "Where the workspace is hosted; the address of the API follows from it, unless url is given."},
		{Name: keyCalls, Type: syncdef.KeyInteger, Min: 60, Max: 1_000_000, Default: "10000",
			Doc: "The calls a minute that Intercom allows the app (10-second windows of a sixth); quota.share is the percent of them that Penstock may use."},
	},
	Definition: []syncdef.Key{
		{Name: keyArchived, Type: syncdef.KeyText, Allowed: []string{archivedReport, archivedUnarchive}, Default: archivedReport,
			Doc: "What is done with a row whose contact is archived: report fails the row and names the contact, unarchive takes it out of the archive and updates it. One that the sync archived itself is always taken out."},
		{Name: keyCreate, Type: syncdef.KeyBoolean, Default: "false",
			Doc: "Custom attributes that the workspace does not have are created; without it they are a fault."},
		{Name: keyManaged, Type: syncdef.KeyTexts,
			Doc: "How the names of this sync's tags begin, without regard to case; a contact's tags that begin so become those of the row, and all its other tags stay as people set them. Needed where a column is mapped to tags."},
	},
	Operations: []syncdef.Operation{syncdef.Upsert, syncdef.Update, syncdef.Delete},
	Removals:   []syncdef.Removal{syncdef.RemoveArchive, syncdef.RemoveDelete, syncdef.RemoveClear},
	Strategies: []syncdef.Strategy{syncdef.MatchExternalID, syncdef.MatchEmail},
	Objects:    []string{objectContact},
	Pairs: map[syncdef.Strategy]syncdef.Match{
		syncdef.MatchExternalID: {Source: "user_id", Destination: fieldExternalID},
		syncdef.MatchEmail:      {Source: "email", Destination: fieldEmail},
	},
	Nesting:         syncdef.NestNames, // custom_attributes.plan
	CheckConnection: checkConnection,
	Check:           check,
	Rules:           rules,
	Effort:          effort,
	Example:         example,
}

// The keys of a connection and of a definition's object intercom.
const (
	keyRegion   = "region"
	keyCalls    = "calls_per_minute"
	keyArchived = "on_archived"
	keyCreate   = "create_attributes"
	keyManaged  = "managed_tags"

	archivedReport    = "report"
	archivedUnarchive = "unarchive"

	objectContact = "contact"
)

const (
	defaultCalls = 10_000 // a minute and app ("Rate Limiting")
	defaultShare = 50     // percent of it
)

// hosts are where the API is, by region ("Regional Hosting").
var hosts = map[string]string{
	"": "https://api.intercom.io", "us": "https://api.intercom.io",
	"eu": "https://api.eu.intercom.io", "au": "https://api.au.intercom.io",
}

// options are the keys of a definition's object intercom.
type options struct {
	OnArchived       string   `json:"on_archived"`
	CreateAttributes bool     `json:"create_attributes"`
	ManagedTags      []string `json:"managed_tags"`
}

// readOptions reads them; what is absent is at its default.
func readOptions(d *syncdef.Definition) (options, error) {
	var o options
	if len(d.Options) > 0 {
		if err := json.Unmarshal(d.Options, &o); err != nil {
			return options{}, fmt.Errorf("read the options of sync %s: %w", d.Sync, err)
		}
	}
	return o, nil
}

// checkConnection fills in the address and the share, and judges what was written.
func checkConnection(c *syncdef.Connection) []syncdef.Fault {
	var faults []syncdef.Fault
	if c.URL == "" {
		c.URL = hosts[c.Options[keyRegion]]
	} else if _, err := baseURL(c.URL); err != nil {
		faults = append(faults, syncdef.Fault{Path: "url", Message: err.Error()})
	}
	if c.Quota.CallsPerDay != 0 {
		faults = append(faults, syncdef.Fault{Path: "quota.calls_per_day",
			Message: "calls_per_day has no use with type intercom: Intercom counts calls in windows of 10 seconds; write calls_per_minute, and quota.share for the percent of it"})
	}
	if c.Quota.Share == 0 {
		c.Quota.Share = defaultShare
	}
	return faults
}

// window is how many calls the connection may make in 10 seconds, of so many a
// minute that the app has; at least 1.
func window(c *syncdef.Connection, perMinute int64) int64 {
	share := int64(c.Quota.Share)
	if share == 0 {
		share = defaultShare
	}
	return max(1, perMinute*share/100/6)
}

// perMinute is what the connection says of the app's calls.
func perMinute(c *syncdef.Connection) int64 {
	if n, err := strconv.ParseInt(c.Options[keyCalls], 10, 64); err == nil && n > 0 {
		return n
	}
	return defaultCalls
}

// rules states what the pipeline must know of a version.
func rules(d *syncdef.Definition, _ *syncdef.Connection) syncdef.Rules {
	return syncdef.Rules{Type: kindName, Identity: identity(d), LengthUnit: syncdef.LengthRune}
}

// identity is how Intercom compares the match field. Addresses are answered in lower
// case. External ids are compared as they are; whether their case counts is not
// documented, so that rows of a batch that differ by nothing else are refused unless
// match.case says.
func identity(d *syncdef.Definition) row.Identity {
	switch {
	case d.Strategy == syncdef.MatchEmail:
		return row.Identity{Steps: []row.Step{row.StepTrim, row.StepEmail, row.StepLower, row.StepNFC}}
	case d.Match.Case == nil:
		return row.Identity{Steps: []row.Step{row.StepTrim}, CaseUnsure: true}
	case *d.Match.Case:
		return row.Identity{Steps: []row.Step{row.StepTrim}}
	}
	return row.Identity{Steps: []row.Step{row.StepTrim, row.StepLower}}
}
