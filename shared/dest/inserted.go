package dest

import (
	"strings"
	"time"
)

// A Candidate is a record that has the key of an insert whose answer was lost.
type Candidate struct {
	ID      string
	Created time.Time // as the vendor says; zero where it does not
}

// clocks is how far the vendor's clock is taken to be from ours at most: AWS refuses the
// requests of one that is further off.
const clocks = 5 * time.Minute

// Inserted is the outcome of an insert that the attempt may have made, by all the records
// that have its key: Delivered where one was made since then, Pending where none was. A
// record that was there before is another's. It is Unknown where that cannot be told: of a
// record made shortly before, of several made since, and without the times.
func (t Tried) Inserted(found []Candidate) Outcome {
	var open []Candidate
	sure := true
	for _, c := range found {
		timed := !t.At.IsZero() && !c.Created.IsZero()
		if timed && c.Created.Before(t.At.Add(-clocks)) {
			continue
		}
		sure = sure && timed && !c.Created.Before(t.At)
		open = append(open, c)
	}
	switch {
	case len(open) == 0:
		return Outcome{Status: Pending}
	case len(open) == 1 && sure:
		return Outcome{Status: Delivered, ID: open[0].ID, Created: true}
	}
	return Outcome{Status: Unknown, Message: "what may be it, or another record of its match value: " + IDs(open)}
}

// MaxNamed is how many ids a message names.
const MaxNamed = 3

// IDs names candidates in a message: the first MaxNamed.
func IDs(found []Candidate) string {
	var ids []string
	for _, c := range found[:min(len(found), MaxNamed)] {
		ids = append(ids, c.ID)
	}
	return strings.Join(ids, ", ")
}
