package syncdef

import (
	"cmp"
	"time"
)

// Freshness says how long after its last success a sync is late.
type Freshness struct {
	WarnAfter        string `json:"warn_after,omitempty"`        // a duration, at most stale_after: 90m, 2h
	StaleAfter       string `json:"stale_after,omitempty"`       // a duration
	DestinationField string `json:"destination_field,omitempty"` // of the destination's object: holds the time of the data
}

// FreshnessField is the destination's field that holds the time of the data, "" for none.
func (d *Definition) FreshnessField() string {
	if d.Freshness == nil {
		return ""
	}
	return d.Freshness.DestinationField
}

// WarnAfter is how long after its last success the definition says that the sync is late;
// 0 where it does not say.
func (d *Definition) WarnAfter() time.Duration {
	if d.Freshness == nil {
		return 0
	}
	after, err := time.ParseDuration(cmp.Or(d.Freshness.WarnAfter, d.Freshness.StaleAfter))
	if err != nil {
		return 0 // the reader has checked it
	}
	return after
}
