package runs

import (
	"encoding/json"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// mappingOf is what of a version decides which rows there are, and what a record
// looks like at the destination: when it changes, all rows are selected once.
func mappingOf(v syncdef.Version) string {
	d := &v.Definition
	b, err := json.Marshal([]any{
		d.Model, d.Fields, d.Match, d.Strategy, d.Operation, d.OnMissing, d.RecordID, d.Options,
		v.Rules.Group, v.Rules.GroupDefault, v.Rules.LengthUnit, v.Rules.DateMin, v.Rules.DateMax,
	})
	if err != nil {
		return v.ID // cannot be: texts, numbers and lists
	}
	return string(b)
}
