// Package freshness holds the figures of how old the data at a destination is: what a
// destination counts, and what is stored of it. Pure data, without a clock.
package freshness

import "time"

// The ages that are counted.
const (
	Short  = time.Hour
	Medium = 4 * time.Hour
	Long   = 24 * time.Hour
)

// Figures are the records of one sync's object by the age of its freshness field. What
// the destination cannot tell is nil, and Why says so.
type Figures struct {
	Field     string           `json:"field,omitempty"` // the freshness field, as the destination spells it
	Total     *int64           `json:"total"`           // records with a value in it
	Updated1h *int64           `json:"updated_1h"`      // of these, whose value is of the last hour, or later
	Updated4h *int64           `json:"updated_4h"`
	Updated1d *int64           `json:"updated_1d"`
	Oldest    *time.Time       `json:"oldest"` // the least and the greatest value
	Newest    *time.Time       `json:"newest"`
	Missing   map[string]int64 `json:"missing,omitempty"` // by mapped field: of Total, how many are empty in it
	Why       string           `json:"why,omitempty"`     // what is not known, and why; for people
}

// N is a count as Figures hold it.
func N(n int64) *int64 { return &n }
