package amplitude

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// title is the vendor's name towards people.
const title = "Amplitude"

// Kind is what Amplitude adds to the definition language.
var Kind = syncdef.Kind{
	Name:  "amplitude",
	Title: title,
	Connection: []syncdef.Key{
		{Name: keyRegion, Type: syncdef.KeyText, Allowed: []string{regionUS, regionEU}, Default: regionUS,
			Doc: "Where the project's data are: it decides the address when the connection has no url."},
	},
	Definition: []syncdef.Key{
		{Name: "min_id_length", Type: syncdef.KeyInteger, Min: 1, Max: maxText, Default: "5",
			Doc: "User ids and device ids of fewer characters are rejected. Amplitude's own bound is 5, because shorter ones are mostly mistakes."},
	},
	Field: []syncdef.Key{
		{Name: "operation", Type: syncdef.KeyText, Allowed: operations, Default: opSet,
			Doc: "How the value changes the user property: set, set_once (only while it has none), add (to a number), append (to a list), unset (remove it)."},
	},
	Operations:      []syncdef.Operation{syncdef.Upsert, syncdef.Delete},
	Removals:        []syncdef.Removal{syncdef.RemoveClear},
	Strategies:      []syncdef.Strategy{syncdef.MatchExternalID},
	Objects:         []string{"user"},
	Pairs:           map[syncdef.Strategy]syncdef.Match{syncdef.MatchExternalID: {Source: "user_id", Destination: fieldUser}},
	Nesting:         syncdef.NestObjects,
	Spreads:         true,
	CheckConnection: checkConnection,
	Check:           check,
	Rules:           rules,
	Effort:          effort,
	Example:         example,
}

// The names that are no user property.
const (
	fieldUser   = "user_id"
	fieldDevice = "device_id"
)

// The values of a field mapping's key operation.
const (
	opSet     = "set"
	opSetOnce = "set_once"
	opAdd     = "add"
	opAppend  = "append"
	opUnset   = "unset"
)

var operations = []string{opSet, opSetOnce, opAdd, opAppend, opUnset}

// The regions, and their addresses ("Batch Event Upload API", Regions).
const (
	keyRegion = "region"
	regionUS  = "us"
	regionEU  = "eu"
)

var addresses = map[string]string{regionUS: "https://api2.amplitude.com", regionEU: "https://api.eu.amplitude.com"}

// defaultMinID is Amplitude's own least length of an id.
const defaultMinID = 5

// minID is amplitude.min_id_length of a definition.
func minID(d *syncdef.Definition) (int, error) {
	o := struct {
		MinID int `json:"min_id_length"`
	}{defaultMinID}
	if len(d.Options) > 0 {
		if err := json.Unmarshal(d.Options, &o); err != nil {
			return 0, fmt.Errorf("read the options of sync %s: %w", d.Sync, err)
		}
	}
	return max(o.MinID, 1), nil
}

// operationOf is a field mapping's operation.
func operationOf(f *syncdef.Field) string {
	o := struct {
		Operation string `json:"operation"`
	}{opSet}
	if len(f.Options) > 0 && json.Unmarshal(f.Options, &o) != nil {
		return opSet // the reader writes nothing else
	}
	return o.Operation
}

// rules states what the pipeline must know: user ids are compared as they are, but
// for the white space around them, an event can be sent twice, which properties are added
// to, and that an event says which device it is of.
func rules(d *syncdef.Definition, _ *syncdef.Connection) syncdef.Rules {
	r := syncdef.Rules{Type: "amplitude", Identity: row.Identity{Steps: []row.Step{row.StepTrim}}, LengthUnit: syncdef.LengthUTF16, Idempotent: true} // by insert_id
	for i := range d.Fields {
		f := &d.Fields[i]
		if f.Destination == fieldDevice {
			r.Along = []string{fieldDevice}
		}
		if top := syncdef.TopField(f.Destination); adds(operationOf(f)) && !slices.Contains(r.Adds, top) {
			r.Adds = append(r.Adds, top)
		}
	}
	return r
}
