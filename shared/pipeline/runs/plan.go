package runs

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A Checker answers rows as a push would, without one: package intake's Intake.
type Checker interface {
	// Check answers each row of one sync, in order, and stores and sends nothing.
	Check(ctx context.Context, sync string, rows []row.Row) ([]run.Checked, error)
}

// An Action is what would become of a row.
type Action string

// The actions. Of an upsert whose key was never delivered, create also stands for the
// update of a record that the destination has from elsewhere: only the ledger is asked.
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
	Fields   []string `json:"fields,omitempty"` // of an update: the destination's fields that differ from what was delivered
	Field    string   `json:"field,omitempty"`  // of a rejected row
	Type     string   `json:"error_type,omitempty"`
	Message  string   `json:"error_message,omitempty"`
}

// A PlanRequest is rows of one sync, at most run.MaxRows, which a push would send as one
// batch.
type PlanRequest struct {
	Sync string
	Rows []row.Row
	// Mode is of a run that selects its rows by the watermark; "" is a plain push.
	Mode run.Mode
	// Sight notes which keys a full run of a mirror saw; nil notes nothing.
	Sight *Sight
}

// Plan says what would become of rows: it maps and checks them, compares them with the
// ledger, and writes nothing. A *row.Refusal refuses the request.
func (c *Control) Plan(ctx context.Context, p PlanRequest) ([]Planned, error) {
	if c.Checker == nil {
		return nil, errors.New("plan: nothing is wired that checks rows")
	}
	checked, err := c.Checker.Check(ctx, p.Sync, p.Rows)
	if err != nil {
		return nil, err
	}
	if p.Sight != nil {
		p.Sight.add(checked)
	}
	v, err := c.current(ctx, "penstock_plan", p.Sync)
	if err != nil {
		return nil, err
	}
	program, err := c.versions.Of(v)
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	target, err := c.target(ctx, v)
	if err != nil {
		return nil, err
	}
	selects, err := c.selects(ctx, v, target, p.Mode)
	if err != nil {
		return nil, err
	}
	entries, err := c.entries(ctx, target, checked)
	if err != nil {
		return nil, err
	}
	out := make([]Planned, len(checked))
	mapper := program.Get()
	defer program.Put(mapper)
	l := look{v: &program.Version, full: p.Mode == run.Full, names: program.Mapping.Names(), tags: program.Mapping.Tags(), entries: entries}
	for n, x := range checked {
		switch {
		case !selects(x.Cursor):
			out[n] = Planned{Action: NotSelected, RecordID: x.RecordID}
		case x.Status == row.Queued:
			mapped, fault := mapper.Map(p.Rows[n].Object)
			if fault != nil { // cannot be: it was mapped a moment ago
				return nil, fmt.Errorf("plan: row %d was taken and is refused: %w", n, fault)
			}
			if x.Delete {
				out[n] = l.removal(x)
				continue
			}
			out[n] = l.at(x, mapped.Canonical)
		default:
			out[n] = refused(x)
		}
	}
	return out, nil
}

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

// selects tells by a row's cursor whether a run would push it. A row without a cursor
// is pushed, as are all where there is no mark or the mapping is another one.
func (c *Control) selects(ctx context.Context, v syncdef.Version, target string, mode run.Mode) (func(cursor string) bool, error) {
	all := func(string) bool { return true }
	column := cursorColumn(&v.Definition)
	if mode != run.Incremental || column == "" {
		return all, nil
	}
	m, err := c.mark(ctx, v.Definition.Sync, target, column)
	if err != nil {
		return nil, err
	}
	mark, ok := run.ReadCursor([]byte(m.Value))
	if !ok {
		return all, nil
	}
	if anew, err := c.remapped(ctx, m, v); err != nil || anew {
		return all, err
	}
	return func(cursor string) bool {
		at, ok := run.ReadCursor([]byte(cursor))
		return !ok || at.Type != mark.Type || at.Compare(mark) >= 0
	}, nil
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
	v       *syncdef.Version
	full    bool
	names   []string
	tags    []row.Tag
	entries map[string]ledger.Entry
	scratch []byte
}

// at is what would become of a row that is queued. Its sequence would be the greatest.
func (l *look) at(x run.Checked, canonical []jsontext.Value) Planned {
	p := Planned{RecordID: x.RecordID}
	e := l.entries[x.Key]
	var print row.Fingerprint
	print, l.scratch = row.Digest(l.tags, canonical, l.scratch)
	r := ledger.Row{Sequence: math.MaxInt64, Fingerprint: print, Full: l.full, Once: l.v.Rules.Once}
	if ledger.Diff(e, r) == ledger.Unchanged {
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
		hashes := make([]uint32, len(canonical))
		for i, value := range canonical {
			hashes[i] = row.FieldHash(value)
		}
		changed := e.Changed(l.v.ID, hashes)
		for i, name := range l.names {
			if canonical[i] != nil && changed(i) {
				p.Fields = append(p.Fields, name)
			}
		}
	}
	return p
}

// removal is what would become of a deleting row that is queued.
func (l *look) removal(x run.Checked) Planned {
	r := ledger.Row{Sequence: math.MaxInt64, Fingerprint: row.Gone, Full: l.full, Delete: true, Unsure: x.Key != "" && l.v.Definition.Operation == syncdef.Delete}
	if ledger.Diff(l.entries[x.Key], r) == ledger.Unchanged {
		return Planned{Action: Unchanged, RecordID: x.RecordID}
	}
	return Planned{Action: Delete, RecordID: x.RecordID}
}

// updates reports whether a sync makes no records: what it does not find is an error.
func updates(d *syncdef.Definition) bool {
	return d.Operation == syncdef.Update || d.Operation == syncdef.Upsert && d.OnMissing == syncdef.Report
}
