package run

import "time"

// A Pause is a person's: the sync takes nothing on until it is resumed. What was
// accepted before goes on.
type Pause struct {
	Sync   string    `json:"sync"`
	By     string    `json:"by"` // the person, as the system that vouches calls them
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
}

// Paused is the type of the errors of rows that a person's pause stops at intake. They
// are nobody's fault: no alert counts them.
const Paused = "paused"

// Why says for people since when the sync is paused, by whom and why.
func (p Pause) Why() string {
	why := "paused since " + p.At.UTC().Format(time.RFC3339) + " by " + p.By
	if p.Reason != "" {
		why += ": " + p.Reason
	}
	return why
}
