package salesforce

import (
	"crypto/rand"
	"encoding/binary"

	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// organisationTable keeps the organisation's id, so that it moves with the journal.
var organisationTable = records.Spec{Name: "-organisation", Columns: []records.Column{{Name: "id"}}}

// standard is the id of an organisation that was given none.
const standard = "00D5g0000000001EAA"

// found finds the organisation's id in the store, or gives it one.
func (s *Simulator) found(core *sandbox.Core) error {
	t := s.store.Table(organisationTable.Name)
	switch {
	case t.Rows() > 0:
		s.opts.OrgID = string(t.Get(0, 0))
		return nil
	case s.opts.OrgID == "":
		s.opts.OrgID = standard
	}
	w := s.store.Writer()
	w.Put(t, records.NewRow, core.Now(), []records.Change{{Text: []byte(s.opts.OrgID)}})
	return w.Commit()
}

// newOrganisation is an id that no other one has.
func newOrganisation() string {
	var b [8]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	var id [18]byte
	copy(id[:], "00D5g0")
	for i, n := 14, binary.LittleEndian.Uint64(b[:])>>10; i >= 6; i-- {
		id[i] = digits62[n%62]
		n /= 62
	}
	checksum(&id)
	return string(id[:])
}
