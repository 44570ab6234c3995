package verify

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// A Request asks to compare a sync's records with its ledger.
type Request struct {
	Sync   string
	Sample int // records at most; 0 is all of them
	Seed   uint64
	// Mend forgets of each record that differs what it holds, so that the next run that
	// selects it sends it.
	Mend bool
	// Found shows the values that the destination holds in fields that differ, personal
	// ones left out.
	Found bool
	// Patience is how long a call may wait for its share of the vendor's quota.
	Patience time.Duration
	// Also are fields of the object that are read for Each, and not compared.
	Also []string
	// Told is called before the first record is read; its error ends everything. May be nil.
	Told func(Budget) error
	// Each is called once with every record that was read, and its values by name, before
	// the report; its error ends everything. May be nil.
	Each func(Read) error
}

// A Budget is what comparing will take.
type Budget struct {
	Ledger  int64 `json:"ledger"`  // records that the ledger knows
	Records int   `json:"records"` // of these, that will be read
	Calls   int   `json:"calls"`   // of the connection's share
}

// Read is a record as it was read.
type Read struct {
	ID     string
	Gone   bool
	Names  []string
	Values []jsontext.Value
}

// MaxRecords is how many records that differ a report names; the counts have all.
const MaxRecords = 1000

// A Report says how records compare with the ledger.
type Report struct {
	Sync       string    `json:"sync"`
	Connection string    `json:"connection"`
	Type       string    `json:"type"`
	Object     string    `json:"object"`
	Version    string    `json:"version"`
	AsOf       time.Time `json:"as_of"`
	Seed       uint64    `json:"seed"`
	Budget
	Compared int64            `json:"compared"`         // records that were read and can be told
	States   map[State]int64  `json:"states"`           // of the sample
	Fields   map[string]int64 `json:"fields,omitempty"` // by field: in how many records it differs
	Unsure   map[string]int64 `json:"unsure,omitempty"` // by field: in how many records it may be as sent, or not
	Notes    []Note           `json:"notes,omitempty"`
	Records  []Record         `json:"records,omitempty"` // those that differ, at most MaxRecords
	Mended   int64            `json:"mended"`            // of these, whose ledger was voided
	Unmended int64            `json:"unmended,omitempty"`
	Stopped  string           `json:"stopped,omitempty"` // why not all of the sample was read
}

// Differ counts the records that are missing or changed.
func (r *Report) Differ() int64 { return r.States[Missing] + r.States[Changed] }

// A Note says of a field what cannot be known.
type Note struct {
	Field string `json:"field"`
	Why   string `json:"why"`
}

// A Record is one that differs.
type Record struct {
	State  State    `json:"state"`
	ID     string   `json:"id"`            // the destination's
	Key    string   `json:"key,omitempty"` // that it is found by; "" where that is personal
	Fields []Differ `json:"fields,omitempty"`
	Mended bool     `json:"mended,omitempty"`
	// Another says that the record has another external id by now: its row would make a
	// second one.
	Another bool `json:"another_external_id,omitempty"`
}

// Differ is a field that differs.
type Differ struct {
	Field    string         `json:"field"`
	Found    jsontext.Value `json:"found,omitempty"` // what the destination holds; never of personal data
	Personal bool           `json:"personal,omitempty"`
}
