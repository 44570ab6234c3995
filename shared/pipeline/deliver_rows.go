package pipeline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/mapping"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A hand is what one invocation holds for one target, in message order.
type hand struct {
	target  string
	jobs    []*job
	parcels []*parcel
	items   []*item
}

// A job is the part of a hand that belongs to one run.
type job struct {
	program *program
	run     run.Run
	total   map[string]int // rows of the whole run per group, for digests
	open    []*item        // what still has to be delivered
}

// An item is one row in hand.
type item struct {
	parcel   *parcel
	number   int
	object   jsontext.Value
	key      string
	recordID string
	group    string
	values   []jsontext.Value
	print    row.Fingerprint
	hashes   []uint32
	entry    ledger.Entry
	doubt    bool // an older value that this one supersedes may have been sent by an earlier attempt
	state    itemState
	outcome  dest.Outcome
	stage    string        // itemFailed: match when a lookup said so
	hide     time.Duration // itemLater: for how long
	attempt  bool          // itemLater: counts as an attempt

	committed bool // the ledger has it
}

func (i *item) ref() string { return run.ErrorRef(i.parcel.chunk.Run, i.parcel.chunk.Batch, i.number) }

// fail ends a row as an error that will be stored.
func (i *item) fail(code, field, message string) {
	i.state = itemFailed
	i.outcome = dest.Outcome{Status: dest.Rejected, Code: code, Field: field, Message: message}
}

type itemState uint8

const (
	itemOpen      itemState = iota
	itemDelivered           // pushed in this invocation
	itemCounted             // delivered by an attempt that died before it was counted
	itemUnchanged
	itemSuperseded
	itemFailed // pushed or mapped in this invocation, refused
	itemStored // failed in an earlier attempt, which stored the error
	itemLater
)

// hands sorts the parcels that are worked on by target.
func hands(parcels []*parcel) []*hand {
	var all []*hand
	for _, p := range parcels {
		if p.done || p.later {
			continue
		}
		i := slices.IndexFunc(all, func(h *hand) bool { return h.target == p.job.program.target })
		if i < 0 {
			i = len(all)
			all = append(all, &hand{target: p.job.program.target})
		}
		h := all[i]
		h.parcels = append(h.parcels, p)
		if !slices.Contains(h.jobs, p.job) {
			h.jobs = append(h.jobs, p.job)
		}
	}
	return all
}

// prepare maps all rows and keeps each key's newest value.
func (h *hand) prepare() {
	for _, p := range h.parcels {
		p.mapRows()
		h.items = append(h.items, p.items...)
	}
	newest := make(map[string]*item, len(h.items))
	for _, i := range slices.Backward(h.items) {
		if i.state != itemOpen {
			continue
		}
		if n := newest[i.key]; n != nil {
			i.state = itemSuperseded
			n.doubt = n.doubt || i.parcel.Receives > 1
			continue
		}
		newest[i.key] = i
	}
}

// mapRows turns a parcel's rows into items. Intake mapped them with the same
// version, so that a fault here is a defect; it still costs only its row.
func (p *parcel) mapRows() {
	prog := p.job.program
	m := prog.mappers.Get().(*mapping.Mapper)
	defer prog.mappers.Put(m)
	items := make([]item, len(p.chunk.Rows))
	a := newArena(len(items), prog.mapping.Names())
	p.items = make([]*item, len(items))
	for n, r := range p.chunk.Rows {
		i := &items[n]
		p.items[n] = i
		i.parcel, i.number, i.object = p, r.Number, r.Object
		got, fault := m.Map(r.Object)
		a.name(got)
		if fault != nil {
			i.fail(fault.Rule, fault.Field, fault.Message)
			continue
		}
		a.keep(i, got.Values)
	}
	texts := string(a.texts)
	for n, i := range p.items {
		end := a.ends[n]
		i.key, i.recordID, i.group = texts[end.start:end.key], texts[end.key:end.id], texts[end.id:end.group]
	}
}

// An arena holds what a parcel's rows keep of their mapping, in a few large
// pieces instead of several small ones a row.
type arena struct {
	names   []string
	values  []jsontext.Value
	hashes  []uint32
	bytes   []byte
	texts   []byte
	ends    []struct{ start, key, id, group int }
	scratch []byte
}

func newArena(rows int, names []string) *arena {
	return &arena{
		names: names, values: make([]jsontext.Value, 0, rows*len(names)), hashes: make([]uint32, 0, rows*len(names)),
		bytes: make([]byte, 0, 16*rows*len(names)), texts: make([]byte, 0, 40*rows),
		ends: make([]struct{ start, key, id, group int }, 0, rows),
	}
}

// name keeps a row's key, record id and group.
func (a *arena) name(got mapping.Mapped) {
	start := len(a.texts)
	a.texts = append(a.texts, got.Key...)
	key := len(a.texts)
	a.texts = append(a.texts, got.RecordID...)
	id := len(a.texts)
	a.texts = append(a.texts, got.Group...)
	a.ends = append(a.ends, struct{ start, key, id, group int }{start, key, id, len(a.texts)})
}

// keep copies a row's values, with their hashes and fingerprint.
func (a *arena) keep(i *item, values []jsontext.Value) {
	first := len(a.values)
	for _, v := range values {
		a.hashes = append(a.hashes, row.FieldHash(v))
		if v != nil {
			a.bytes = append(a.bytes, v...)
			v = jsontext.Value(a.bytes[len(a.bytes)-len(v) : len(a.bytes) : len(a.bytes)])
		}
		a.values = append(a.values, v)
	}
	i.values = a.values[first:len(a.values):len(a.values)]
	i.hashes = a.hashes[first:len(a.hashes):len(a.hashes)]
	i.print, a.scratch = row.Digest(a.names, i.values, a.scratch)
}

// compare asks the ledger what each row still needs.
func (d *Deliver) compare(ctx context.Context, h *hand) error {
	keys := make([]string, 0, len(h.items))
	for _, i := range h.items {
		if i.state == itemOpen {
			keys = append(keys, i.key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	entries, err := d.Ledger.Entries(ctx, h.target, keys)
	if err != nil {
		return fmt.Errorf("read the ledger of %s: %w", h.target, err)
	}
	for _, i := range h.items {
		if i.state == itemOpen {
			e, known := entries[i.key]
			i.entry = e
			i.judge(known)
		}
	}
	return nil
}

// judge acts on the ledger's verdict.
func (i *item) judge(known bool) {
	p := i.parcel
	def := &p.job.program.version.Definition
	r := ledger.Row{
		Run: p.run.ID, Place: p.chunk.Place, Fingerprint: i.print,
		Full: p.chunk.Mode == run.Full, Once: def.Operation == syncdef.Insert,
	}
	if i.entry.Error != "" {
		r.Ref = i.ref()
	}
	if i.doubt = i.doubt && !r.Once; i.doubt {
		// The ledger may be behind the destination: nothing counts as held, and all
		// fields are sent. (Inserts have their intent.)
		i.entry.Fingerprint, i.entry.Fields = row.Fingerprint{}, nil
	}
	switch ledger.Diff(i.entry, known, r) {
	case ledger.Unchanged:
		i.state = itemUnchanged
	case ledger.Delivered:
		i.state = itemCounted
	case ledger.Superseded:
		i.state = itemSuperseded
	case ledger.Failed:
		i.state = itemStored
	case ledger.Send:
		if p.dead != "" {
			i.fail(p.dead, "", deadMessage(p))
			return
		}
		p.job.open = append(p.job.open, i)
	}
}

func deadMessage(p *parcel) string {
	switch p.dead {
	case stopped:
		return "the run was stopped before this row was sent: " + p.run.Reason
	case "dead_letter":
		return "the row's message was received too often without being settled; see the worker's log, then push the row again"
	case "expired":
		return "the row waited in the queue for more than 7 days and was not sent; push it again"
	}
	return fmt.Sprintf("the worker died %d times on this row's message; it was not sent again: see the worker's log, then push it again", p.Receives-1-p.state.Deferrals)
}

// record is the item as the destination gets it: the changed fields, or all. They
// are appended to fields, which is returned grown.
func (i *item) record(fields []dest.Field) (dest.Record, []dest.Field) {
	def := &i.parcel.job.program.version.Definition
	changed := func(int) bool { return true }
	if def.Send != syncdef.SendAll && def.Operation != syncdef.Insert && i.parcel.chunk.Mode != run.Full {
		changed = i.entry.Changed(i.parcel.chunk.Version, i.hashes)
	}
	r := dest.Record{Key: i.key, RecordID: i.recordID, ID: i.entry.ID, Intent: i.entry.Intent != ""}
	first := len(fields)
	for n, v := range i.values {
		if v != nil && changed(n) {
			fields = append(fields, dest.Field{Name: def.Fields[n].Destination, Value: v})
		}
	}
	r.Fields = fields[first:len(fields):len(fields)]
	return r, fields
}
