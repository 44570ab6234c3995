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
	newest := make(map[string]bool, len(h.items))
	for _, i := range slices.Backward(h.items) {
		if i.state != itemOpen {
			continue
		}
		if newest[i.key] {
			i.state = itemSuperseded
		}
		newest[i.key] = true
	}
}

// mapRows turns a parcel's rows into items. Intake mapped them with the same
// version, so that a fault here is a defect; it still costs only its row.
func (p *parcel) mapRows() {
	prog := p.job.program
	m := prog.mappers.Get().(*mapping.Mapper)
	defer prog.mappers.Put(m)
	names, width := prog.mapping.Names(), len(prog.mapping.Names())
	items := make([]item, len(p.chunk.Rows))
	values := make([]jsontext.Value, 0, width*len(items))
	hashes := make([]uint32, 0, width*len(items))
	arena := make([]byte, 0, 16*width*len(items))
	var scratch []byte
	p.items = make([]*item, len(items))
	for n, r := range p.chunk.Rows {
		i := &items[n]
		p.items[n] = i
		i.parcel, i.number, i.object = p, r.Number, r.Object
		got, fault := m.Map(r.Object)
		i.key, i.recordID, i.group = string(got.Key), string(got.RecordID), string(got.Group)
		if fault != nil {
			i.fail(fault.Rule, fault.Field, fault.Message)
			continue
		}
		first := len(values)
		for _, v := range got.Values {
			hashes = append(hashes, row.FieldHash(v))
			if v != nil {
				arena = append(arena, v...)
				v = jsontext.Value(arena[len(arena)-len(v):])
			}
			values = append(values, v)
		}
		i.values = values[first:len(values):len(values)]
		i.hashes = hashes[first:len(hashes):len(hashes)]
		i.print, scratch = row.Digest(names, i.values, scratch)
	}
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
	case "cancelled":
		return "the run was stopped before this row was sent: " + p.run.Reason
	case "dead_letter":
		return "the row's message was received too often without being settled; see the worker's log, then push the row again"
	case "expired":
		return "the row waited in the queue for more than 7 days and was not sent; push it again"
	}
	return fmt.Sprintf("the worker died %d times on this row's message; it was not sent again: see the worker's log, then push it again", p.Receives-1-p.state.Deferrals)
}

// record is the item as the destination gets it: the changed fields, or all.
func (i *item) record() (dest.Record, bool) {
	def := &i.parcel.job.program.version.Definition
	changed := func(int) bool { return true }
	if def.Send != syncdef.SendAll && def.Operation != syncdef.Insert && i.parcel.chunk.Mode != run.Full {
		changed = i.entry.Changed(i.parcel.chunk.Version, i.hashes)
	}
	r := dest.Record{Key: i.key, RecordID: i.recordID, ID: i.entry.ID, Intent: i.entry.Intent != ""}
	r.Fields = make([]dest.Field, 0, len(i.values))
	for n, v := range i.values {
		if v != nil && changed(n) {
			r.Fields = append(r.Fields, dest.Field{Name: def.Fields[n].Destination, Value: v})
		}
	}
	return r, len(r.Fields) > 0
}
