package runs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/estimate"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/mapping"
	"github.com/penstock-data/penstock/shared/pipeline/version"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/verify"
)

// A Checker answers rows as a push would, without one: package intake's Intake.
type Checker interface {
	// Check answers each row of one sync, in order, and stores and sends nothing.
	Check(ctx context.Context, sync string, rows []row.Row) ([]run.Checked, error)
}

// An Action is what would become of a row.
type Action string

// The actions. Of an upsert whose key was never delivered, create also stands for the
// update of a record that the destination has from elsewhere, unless it was looked up.
const (
	Create      Action = "create"
	Update      Action = "update"
	Delete      Action = "delete"
	Unchanged   Action = "unchanged"    // the destination holds it
	Replaced    Action = "superseded"   // a later row of the batch has the same key
	Refused     Action = "rejected"     // by the mapping
	Removed     Action = "remove"       // no row's: a record that left the model of a mirror
	NotSelected Action = "not_selected" // a run would not push it: it is below the watermark
)

// Planned is what would become of one row.
type Planned struct {
	Action   Action   `json:"action"`
	RecordID string   `json:"record_id,omitempty"`
	Fields   []string `json:"fields,omitempty"`  // of an update: the destination's fields that differ from what was delivered
	Changes  []Change `json:"changes,omitempty"` // of an update: the values of Fields
	Field    string   `json:"field,omitempty"`   // of a rejected row
	Type     string   `json:"error_type,omitempty"`
	Message  string   `json:"error_message,omitempty"`

	Estimate *estimate.Estimate `json:"estimate,omitempty"` // the row's part of what the push costs

	// Destination says whether the destination has the record, where it was looked at.
	Destination verify.Standing `json:"destination,omitempty"`

	known Action // what the ledger alone says
	work  estimate.Work
	group string // of messages that digests gather
}

// A Change is a value that an update would write.
type Change struct {
	Field string         `json:"field"`
	New   jsontext.Value `json:"new,omitempty"` // as it would be sent; never of personal data
	// Old is what the destination holds, where it was read; never of personal data.
	Old      jsontext.Value `json:"old,omitempty"`
	Already  bool           `json:"already,omitempty"`  // the destination holds the new value already
	Personal bool           `json:"personal,omitempty"` // its values are not shown
}

// ByLedger is what the ledger alone says would become of the row.
func (p *Planned) ByLedger() Action { return cmp.Or(p.known, p.Action) }

// A PlanRequest is rows of one sync, at most run.MaxRows, which a push would send as one
// batch.
type PlanRequest struct {
	Sync string
	Rows []row.Row
	// Mode is of a run that selects its rows by the watermark; "" is a plain push.
	Mode run.Mode
	// Sight notes which keys a full run of a mirror saw; nil notes nothing.
	Sight *Sight
	// Looking looks at the destination; nil asks the ledger alone.
	Looking *Looking
}

// Plan says what would become of rows: it maps and checks them, compares them with the
// ledger, and writes nothing. A *row.Refusal refuses the request.
func (c *Control) Plan(ctx context.Context, p PlanRequest) ([]Planned, error) {
	out, _, err := c.plan(ctx, p)
	return out, err
}

func (c *Control) plan(ctx context.Context, p PlanRequest) ([]Planned, syncdef.Version, error) {
	if c.Checker == nil {
		return nil, syncdef.Version{}, errors.New("plan: nothing is wired that checks rows")
	}
	v, err := c.current(ctx, wirePlan, p.Sync)
	if err != nil {
		return nil, v, err
	}
	checked, err := c.Checker.Check(ctx, p.Sync, p.Rows)
	if err != nil {
		return nil, v, err
	}
	if p.Sight != nil {
		p.Sight.add(checked)
	}
	program, err := c.versions.Of(v)
	if err != nil {
		return nil, v, fmt.Errorf("plan: %w", err)
	}
	target, err := c.target(ctx, v)
	if err != nil {
		return nil, v, err
	}
	selects, again, err := c.selects(ctx, v, target, p.Mode)
	if err != nil {
		return nil, v, err
	}
	entries, err := c.entries(ctx, target, checked)
	if err != nil {
		return nil, v, err
	}
	out := make([]Planned, len(checked))
	mapper := program.Get()
	defer program.Put(mapper)
	l := newLook(program, p.Mode == run.Full, entries)
	l.again = again
	var looked []candidate
	for n, x := range checked {
		switch {
		case !selects(x):
			out[n] = Planned{Action: NotSelected, RecordID: x.RecordID}
		case x.Status == row.Queued:
			mapped, fault := mapper.Map(p.Rows[n].Object)
			if fault != nil { // cannot be: it was mapped a moment ago
				return nil, v, fmt.Errorf("plan: row %d was taken and is refused: %w", n, fault)
			}
			if x.Delete {
				out[n] = l.removal(x)
			} else {
				out[n] = l.at(x, &mapped)
				if p.Looking.wants(v, &out[n]) {
					looked = append(looked, l.candidate(n, x, &mapped))
				}
			}
			l.weigh(&out[n], x.Key)
		default:
			out[n] = refused(x)
		}
	}
	return out, v, p.Looking.look(ctx, v, &l, out, looked)
}

// wirePlan is the function's name, for people.
const wirePlan = "penstock_plan"

func refused(x run.Checked) Planned {
	p := Planned{Action: Refused, RecordID: x.RecordID}
	if x.Status == row.Superseded {
		p.Action = Replaced
	}
	if x.Fault != nil {
		p.Field, p.Type, p.Message = x.Fault.Field, x.Fault.Rule, x.Fault.Message
	}
	return p
}

// selects tells whether a run would push a row: by its cursor, or by when it was made. A
// row without a cursor is pushed, as are all where there is no mark or the mapping is
// another one. again says that the rows of incremental.always are due: they are pushed
// then, too, and sent.
func (c *Control) selects(ctx context.Context, v syncdef.Version, target string, mode run.Mode) (selects func(run.Checked) bool, again bool, err error) {
	all := func(run.Checked) bool { return true }
	d := &v.Definition
	m, err := c.mark(ctx, d.Sync, target, d.Cursor())
	if err != nil {
		return nil, false, err
	}
	every := d.AlwaysEvery()
	again = every > 0 && c.Now().Sub(m.Always) >= every
	mark, ok := run.ReadCursor([]byte(m.Value))
	if mode != run.Incremental || d.Cursor() == "" || !ok || mark.LooksDate() {
		return all, again, nil
	}
	if anew, err := c.remapped(ctx, m, v); err != nil || anew {
		return all, again, err
	}
	least, err := overlapped(d, mark)
	if err != nil {
		return nil, false, err
	}
	mark, _ = run.ReadCursor([]byte(least))
	return func(x run.Checked) bool {
		at, ok := run.ReadCursor([]byte(x.Cursor))
		made, known := run.ReadCursor([]byte(x.Created))
		return !ok || at.Type != mark.Type || at.Compare(mark) >= 0 ||
			known && made.Reaches(mark) || again && x.Always
	}, again, nil
}

// entries reads those of the rows that would be queued.
func (c *Control) entries(ctx context.Context, target string, checked []run.Checked) (map[string]ledger.Entry, error) {
	var keys []string
	for _, x := range checked {
		if x.Status == row.Queued {
			keys = append(keys, x.Key)
		}
	}
	slices.Sort(keys)
	entries, err := c.Ledger.Entries(ctx, target, slices.Compact(keys))
	if err != nil {
		return nil, fmt.Errorf("read the ledger of %s: %w", target, err)
	}
	return entries, nil
}

// A look compares mapped rows with the ledger.
type look struct {
	v        *syncdef.Version
	full     bool
	again    bool // rows of incremental.always are due to be sent again
	names    []string
	adds     func(n int) bool
	tags     []row.Tag
	personal map[string]bool // of names
	entries  map[string]ledger.Entry
	scratch  []byte
}

func newLook(p *version.Compiled, full bool, entries map[string]ledger.Entry) look {
	l := look{v: &p.Version, full: full, names: p.Mapping.Names(), adds: p.Mapping.Adds, tags: p.Mapping.Tags(), entries: entries, personal: map[string]bool{}}
	for _, f := range l.v.Definition.Fields {
		if f.Personal {
			l.personal[f.Destination] = true
			if l.v.Rules.Nested {
				l.personal[syncdef.TopField(f.Destination)] = true
			}
		}
	}
	return l
}

// at is what would become of a row that is queued. Its sequence would be the greatest.
func (l *look) at(x run.Checked, m *mapping.Mapped) Planned {
	p := Planned{RecordID: x.RecordID, group: string(m.Group)}
	e := l.entries[x.Key]
	var print row.Fingerprint
	print, l.scratch = row.Digest(l.tags, m.Canonical, l.scratch)
	r := ledger.Row{Sequence: math.MaxInt64, Fingerprint: print, Full: l.full || l.again && x.Always, Once: l.v.Rules.Once}
	if ledger.Diff(&e, &r) == ledger.Unchanged {
		p.Action = Unchanged
		return p
	}
	switch {
	case updates(&l.v.Definition) || e.There() && !l.v.Rules.Once:
		p.Action = Update
	default:
		p.Action = Create
	}
	if p.Action == Update && e.There() && !e.Held.Fingerprint.Void() {
		l.changes(&p, &e, m)
	}
	return p
}

// changes notes which fields of an update differ from what was delivered.
func (l *look) changes(p *Planned, e *ledger.Entry, m *mapping.Mapped) {
	hashes := make([]uint32, len(m.Canonical))
	for i, value := range m.Canonical {
		hashes[i] = ledger.FieldHash(value)
	}
	changed := e.Changed(l.v.ID, hashes, l.adds)
	for i, name := range l.names {
		if m.Canonical[i] == nil || !changed(i) {
			continue
		}
		p.Fields = append(p.Fields, name)
		p.Changes = append(p.Changes, l.change(name, slices.Clone(m.Values[i]))) // the mapper's memory is used again
	}
}

// removal is what would become of a deleting row that is queued.
func (l *look) removal(x run.Checked) Planned {
	r := ledger.Row{Sequence: math.MaxInt64, Fingerprint: row.Gone, Full: l.full, Delete: true, Unsure: x.Key != "" && l.v.Definition.Operation == syncdef.Delete}
	if e := l.entries[x.Key]; ledger.Diff(&e, &r) == ledger.Unchanged {
		return Planned{Action: Unchanged, RecordID: x.RecordID}
	}
	return Planned{Action: Delete, RecordID: x.RecordID}
}

// updates reports whether a sync makes no records: what it does not find is an error.
func updates(d *syncdef.Definition) bool {
	return d.Operation == syncdef.Update || d.Operation == syncdef.Upsert && d.OnMissing == syncdef.Report
}
