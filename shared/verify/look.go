package verify

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A Look asks what the destination holds of rows that a push would send.
type Look struct {
	Version syncdef.Version // whose rows they are
	Rows    []Wanted
	// Skip are fields that are not asked for, by name: what nobody is to see.
	Skip map[string]bool
	// Patience is how long a call waits for its share of the quota; 0 is what a worker waits.
	Patience time.Duration
}

// Wanted is a row that a push would send.
type Wanted struct {
	Key      string   // the match value by the version's rule of identity
	Match    string   // the match value as the row writes it; "" is Key
	RecordID string   // the row's label
	ID       string   // the destination's id of the record; "" asks to look it up
	Hashes   []uint32 // ledger.FieldHash of its canonical values, by position in the mapping's names
}

// Standing is whether the destination has a row's record.
type Standing string

// The standings.
const (
	Untried Standing = ""       // not asked, or it does not tell
	There   Standing = "there"  // it has it
	Absent  Standing = "absent" // it does not, or hides it
	Refuses Standing = "refuses"
)

// Found is what the destination holds of a row.
type Found struct {
	Standing Standing
	Refusal  *row.Fault // why the destination would refuse the row, as where several records match
	// Values are the fields', by position in the mapping's names, as the destination shows
	// them; nil is one that was not asked for, or that does not show. Holds says of which
	// the row would send the same.
	Values []jsontext.Value
	Holds  []bool
}

// Looked is what became of a Look.
type Looked struct {
	Found   []Found // one a row, in their order
	Calls   int64   // that were made
	Stopped string  // why not all was asked, for people; "" when all was
}

// Holds reports whether a value that the field at a position shows may be the one that the
// row sends; of the match field whether it is the row's record.
func (f *Fields) Holds(at int, w *Wanted, v jsontext.Value) bool {
	if f.Of[at].Match {
		return f.Found(w.Key, v)
	}
	return f.holds(&f.Of[at], at, w.Hashes[at], v)
}
