package deliver

import (
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A round's batch: the records that a destination sees, and the item of each.
type batch struct {
	dest.Batch
	items   []*item
	refused bool // rows with a known fault: what fails of them proves nothing about the version
	patient bool // no call is given up before the destination does
	slow    bool // rows whose calls hung: each goes alone
	look    bool // lookups
	cut     bool // what a second look left: its calls are of several kinds, and are cut by the destination
}

// batch makes the destination's view of open rows. A row whose fields all hold
// already is unchanged.
func (j *job) batch(items []*item) *batch {
	b := j.newBatch(len(items))
	var fields []dest.Field
	width := len(j.def().Fields)
	for n, i := range items {
		if i.state != stateOpen {
			continue
		}
		if cap(fields)-len(fields) < width {
			fields = make([]dest.Field, 0, max(width, min(fieldBlock, width*(len(items)-n))))
		}
		b.Records = append(b.Records, dest.Record{})
		r := &b.Records[len(b.Records)-1]
		fields = i.record(r, fields)
		if len(r.Fields) == 0 && !r.Delete && i.entry.There() && !i.whole {
			i.state = stateUnchanged
			b.Records = b.Records[:len(b.Records)-1]
			continue
		}
		b.note(i)
	}
	return b
}

func (j *job) newBatch(rows int) *batch {
	total, atMost := j.total()
	return &batch{
		Batch: dest.Batch{Run: j.run.ID, Total: total, AtMost: atMost, Records: make([]dest.Record, 0, rows)},
		items: make([]*item, 0, rows),
	}
}

// waitedFor is the batch with calls that are not given up.
func (b *batch) waitedFor() *batch {
	patient := *b
	patient.patient = true
	return &patient
}

// note adds the item of the last record.
func (b *batch) note(i *item) {
	b.items = append(b.items, i)
	b.slow = b.slow || i.slow
	b.refused = b.refused || i.refused() || i.slow
}

// total is the run's rows per group in hand, less those that turned out to need no
// sending: what a digest counts. Rows of messages that are not in hand count in full, as do
// those that are to be looked for, and atMost says that there are some.
func (j *job) total() (total map[string]int, atMost bool) {
	all, ok := j.w.inv.totals[j.run.ID]
	if !ok {
		return nil, false
	}
	total = map[string]int{}
	elsewhere := map[string]int{}
	for _, i := range j.open {
		total[i.group()] = all.Of(i.group())
		elsewhere[i.group()] = all.Of(i.group())
	}
	for _, i := range j.w.items {
		g := i.group()
		if _, ok := total[g]; !ok || i.m.run.ID != j.run.ID {
			continue
		}
		if elsewhere[g]--; i.before || i.state == stateUnchanged || i.state == stateSuperseded {
			total[g]--
		}
		atMost = atMost || i.state == stateOpen && i.entry.Last.Intent != ""
	}
	for _, rows := range elsewhere {
		atMost = atMost || rows > 0
	}
	return total, atMost
}

// record fills in the item as the destination gets it: the changed fields, or all. They
// are appended to fields, which is returned grown.
func (i *item) record(r *dest.Record, fields []dest.Field) []dest.Field {
	def := i.def()
	first, program := len(fields), i.m.version.Mapping
	changed := func(int) bool { return true }
	if def.Send != syncdef.SendAll && !i.rules().Once && !i.full() && !i.whole {
		changed = i.entry.Changed(i.m.chunk.Version, i.hashes(), program.Adds)
	}
	*r = dest.Record{}
	r.Key, r.Match, r.RecordID, r.Sequence = i.key, i.match(), i.recordID(), i.sequence()
	r.Base, r.ID = i.entry.Held.Sure(), i.entry.Held.ID
	if r.Intent = i.entry.Last.Intent != ""; r.Intent {
		r.Tried = i.tried()
	}
	i.partial = false
	if r.Delete = i.del; i.del {
		fields = appendCleared(fields, def, program)
		r.Fields = fields[first:len(fields):len(fields)]
		return fields
	}
	r.Removed = i.entry.Held.Fingerprint == row.Gone
	names := program.Names()
	for n, s := range i.spans() {
		switch {
		case s.end == 0:
		case !changed(n):
			i.partial = true
		default:
			v := i.kept.bytes[s.start:s.end:s.end]
			if prefix, is := program.Spread(n); is {
				fields = spread(fields, names, prefix, v)
				continue
			}
			fields = append(fields, dest.Field{Name: names[n], Value: v})
		}
	}
	for _, n := range program.Along() {
		if v := i.value(n); v != nil && !changed(n) {
			r.Along = append(r.Along, dest.Field{Name: names[n], Value: v})
		}
	}
	r.Fields = fields[first:len(fields):len(fields)]
	return fields
}
