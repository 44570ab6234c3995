package syncdef

// Freshness says how long after its last success a sync is late.
type Freshness struct {
	WarnAfter        string `json:"warn_after,omitempty"`        // a duration, at most stale_after: 90m, 2h
	StaleAfter       string `json:"stale_after,omitempty"`       // a duration
	DestinationField string `json:"destination_field,omitempty"` // accepted, not acted on yet
}
