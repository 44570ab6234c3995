package run

import "github.com/penstock-data/penstock/shared/row"

// Checked is what intake would make of a row.
type Checked struct {
	Status   row.AnswerStatus
	Key      string // as far as it can be read
	RecordID string // as far as it can be read
	Cursor   string // a raw JSON scalar; "" where the row has none
	Created  string // of incremental.created, the same
	Always   bool   // incremental.always is true of it
	Delete   bool   // its record is to be removed
	Fault    *row.Fault
}
