package salesforce

import (
	"fmt"
	"hash/maphash"
	"net/http"
	"strconv"
	"time"

	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/sandbox/records"
)

// A mode is what an sObject Collections call does.
type mode int

const (
	create mode = iota
	update
	upsert
)

// A write is one sObject Collections call on its way through the store.
type write struct {
	sim      *Simulator
	request  *http.Request
	mode     mode
	external int // upsert: the external id field
	in       *incoming
	out      []byte
	first    map[uint64]int   // hash of a record's key -> where it was first
	key      []byte           // scratch
	changes  []records.Change // scratch
	found    []int            // scratch
	faulty   bool             // record faults are armed
}

// serveWrite is POST and PATCH of composite/sobjects. The body is read and
// checked before the store is locked.
func (s *Simulator) serveWrite(w http.ResponseWriter, r *http.Request, m mode, fixed *table, external int) *apiError {
	body, err := sandbox.Body(r)
	if err != nil {
		return malformedJSON("the body cannot be read")
	}
	c := s.writes.Get().(*write)
	defer s.writes.Put(c)
	c.sim, c.request, c.mode, c.external = s, r, m, external
	c.out, c.faulty = append(c.out[:0], '['), s.core.FailsRecords()
	if refusal := c.in.decode(body, s, fixed); refusal != nil {
		return refusal
	}
	if refusal := c.refuseIDs(); refusal != nil {
		return refusal
	}
	if err := c.apply(); err != nil {
		return unknown(err)
	}
	answer(w, http.StatusOK, append(c.out, ']'))
	return nil
}

// refuseIDs refuses ids where the call finds or makes its records itself.
func (c *write) refuseIDs() *apiError {
	for _, r := range c.in.records {
		if r.named && c.mode == upsert {
			return &apiError{status: http.StatusBadRequest, code: "INVALID_FIELD", message: "The Id field should not be specified in the sobject data."}
		}
	}
	return nil
}

func (c *write) apply() error {
	c.twice()
	c.sim.mu.Lock()
	defer c.sim.mu.Unlock()
	now := c.sim.core.Now()
	for i := range c.in.records {
		if i > 0 {
			c.out = append(c.out, ',')
		}
		r := &c.in.records[i]
		row, created, errs := c.record(r, now)
		if len(errs) > 0 {
			c.out = appendFailure(c.out, errs)
			continue
		}
		c.out = append(c.out, `{"id":"`...)
		c.out = r.table.appendID(c.out, row)
		c.out = append(c.out, `","success":true,`...)
		if c.mode == upsert {
			c.out = strconv.AppendBool(append(c.out, `"created":`...), created)
			c.out = append(c.out, ',')
		}
		c.out = append(c.out, `"errors":[]}`...)
	}
	return c.sim.store.Writer().Commit()
}

// twice marks the records that name the same record as another of the call: all of
// them are refused, the first included.
func (c *write) twice() {
	if c.mode == create {
		return
	}
	clear(c.first)
	for i := range c.in.records {
		key := c.identity(&c.in.records[i])
		if len(key) == 0 {
			continue
		}
		hash := maphash.Bytes(keySeed, key)
		if first, seen := c.first[hash]; seen {
			c.in.records[first].twice, c.in.records[i].twice = true, true
			continue
		}
		c.first[hash] = i
	}
}

var keySeed = maphash.MakeSeed()

// identity is what the call finds a record by, nil for none; valid until the next.
func (c *write) identity(r *record) []byte {
	if c.mode == update {
		c.key = append(c.key[:0], r.id[:min(15, len(r.id))]...) // the rest is a checksum
		return c.key
	}
	c.key = r.table.Column(column(c.external)).Compare.Canonical(c.key[:0], c.externalID(r))
	return c.key
}

// record applies one record, or says why not.
func (c *write) record(r *record, now time.Time) (row int, created bool, errs []fieldError) {
	if errs = r.table.object.denied(); len(errs) == 0 {
		row, errs = c.find(r)
	}
	if len(errs) == 0 && c.faulty {
		errs = c.struck(r, row)
	}
	if len(errs) == 0 {
		errs = r.errs
	}
	if len(errs) == 0 {
		errs = c.refuse(r, row)
	}
	if len(errs) > 0 {
		return 0, false, errs
	}
	c.changes = c.changes[:0]
	for _, ch := range c.in.changes[r.changes.from:r.changes.to] {
		c.changes = append(c.changes, records.Change{Column: column(ch.field), Text: c.in.text(ch)})
	}
	created = row == records.NewRow
	row = c.sim.store.Writer().Put(r.table.Table, row, now, c.changes)
	return row, created, nil
}

// find answers the row that the record is meant for, records.NewRow for a new one.
func (c *write) find(r *record) (int, []fieldError) {
	switch c.mode {
	case create:
		if r.id != "" {
			return 0, fault("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", "Id")
		}
		return records.NewRow, nil
	case upsert:
		return c.findExternal(r)
	}
	if r.id == "" {
		return 0, fault("MISSING_ARGUMENT", "Id not specified in an update call", "")
	}
	row, valid := r.table.row([]byte(r.id))
	switch {
	case !valid:
		return 0, fault("MALFORMED_ID", r.table.object.Name+" ID: id value of incorrect type: "+r.id, "Id")
	case row >= r.table.Rows():
		return 0, fault("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", "")
	case r.table.Deleted(row):
		return 0, fault("ENTITY_IS_DELETED", "entity is deleted", "")
	case r.twice:
		return 0, fault("DUPLICATE_VALUE", "duplicate id in list: "+r.id, "")
	}
	return row, nil
}

// findExternal looks a record up by the external id field of the URL.
func (c *write) findExternal(r *record) (int, []fieldError) {
	name := r.table.object.Fields[c.external].Name
	key := c.externalID(r)
	if len(key) == 0 {
		if len(r.errs) > 0 {
			return 0, r.errs
		}
		return 0, fault("MISSING_ARGUMENT", name+" not specified", name)
	}
	if r.twice {
		return 0, fault("DUPLICATE_VALUE", "Duplicate external id specified: "+clip(key), name)
	}
	rows := c.lookUp(r.table, c.external, key)
	switch {
	case len(rows) > 1:
		return 0, fault("DUPLICATE_EXTERNAL_ID", fmt.Sprintf("%s: more than one record found for external id field", name), name)
	case len(rows) == 0:
		return records.NewRow, nil
	}
	return rows[0], nil
}

// externalID is the record's value of the external id field, "" for none.
func (c *write) externalID(r *record) []byte {
	for _, ch := range c.in.changes[r.changes.from:r.changes.to] {
		if ch.field == c.external {
			return c.in.text(ch)
		}
	}
	return nil
}

// lookUp finds the rows that hold a value; the answer is valid until the next one.
func (c *write) lookUp(t *table, field int, value []byte) []int {
	c.found = t.Find(c.found[:0], column(field), value)
	return c.found
}
