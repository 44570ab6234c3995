package freshness

import "time"

// A Reading is what is stored of one sync's freshness.
type Reading struct {
	Sync       string    `json:"sync"`
	Connection string    `json:"connection"` // what was counted: figures of anything else are dropped
	Object     string    `json:"object"`
	Asked      string    `json:"asked"` // the field, as the definition spells it
	TriedAt    time.Time `json:"tried_at"`
	AsOf       time.Time `json:"as_of"` // when Figures were counted; zero: never
	Figures    Figures   `json:"figures"`
	Failure    string    `json:"failure,omitempty"` // why the last try told nothing; for people
	Revision   int64     `json:"revision"`
}

// Of is the reading for what a definition names now: without the figures of something
// else.
func (r Reading) Of(sync, connection, object, field string) Reading {
	if r.Connection == connection && r.Object == object && r.Asked == field {
		return r
	}
	return Reading{Sync: sync, Connection: connection, Object: object, Asked: field, Revision: r.Revision}
}

// Known reports whether there are figures.
func (r *Reading) Known() bool { return !r.AsOf.IsZero() }

// The least, the usual and the longest time between two countings.
const (
	least   = 5 * time.Minute
	usual   = 15 * time.Minute
	longest = time.Hour
)

// Every is how often a sync's records are counted: a quarter of the time after which it
// is late, so that staleness is seen soon, or every 15 minutes where that is 0.
func Every(warnAfter time.Duration) time.Duration {
	if warnAfter <= 0 {
		return usual
	}
	return min(max(warnAfter/4, least), longest)
}

// early is how much sooner after the last counting a tick may come than it should: one
// that came a second too soon would leave its turn to the next.
const early = 30 * time.Second

// Due reports whether records are to be counted at now. A clock that was put back waits
// for nothing.
func (r *Reading) Due(now time.Time, every time.Duration) bool {
	return now.Before(r.TriedAt) || now.Sub(r.TriedAt) >= every-early
}
