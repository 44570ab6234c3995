package pipeline

import (
	"maps"

	"github.com/penstock-data/penstock/shared/dest"
)

// news is the run's rows per group less those that turned out to need no sending:
// what a digest counts. Of a run over more messages than one invocation has in
// hand, the rows not yet compared count in full.
func (h *hand) news(j *job) map[string]int {
	if j.total == nil {
		return nil
	}
	total := maps.Clone(j.total)
	for _, i := range h.items {
		if i.parcel.job == j && (i.state == itemUnchanged || i.state == itemSuperseded) {
			total[i.group]--
		}
	}
	return total
}

// batch makes the destination's view of a job's open rows. A row whose fields
// all hold already is unchanged.
func (j *job) batch() (dest.Batch, []*item) {
	b := dest.Batch{Run: j.run.ID, Total: j.total, Records: make([]dest.Record, 0, len(j.open))}
	items := make([]*item, 0, len(j.open))
	fields := make([]dest.Field, 0, len(j.open)*len(j.program.mapping.Names()))
	for _, i := range j.open {
		var r dest.Record
		r, fields = i.record(fields)
		if len(r.Fields) == 0 && !i.entry.Fingerprint.Void() {
			i.state = itemUnchanged
			continue
		}
		b.Records = append(b.Records, r)
		items = append(items, i)
	}
	return b, items
}

// rest is the batch without what the lookups settled, put off or refused.
func rest(b dest.Batch, items []*item) (dest.Batch, []*item) {
	left := dest.Batch{Run: b.Run, Total: b.Total, Records: make([]dest.Record, 0, len(items))}
	var open []*item
	for n, i := range items {
		if i.state == itemOpen {
			left.Records = append(left.Records, b.Records[n])
			open = append(open, i)
		}
	}
	return left, open
}

func pick(items []*item, c dest.Call) []*item {
	picked := make([]*item, len(c.Records))
	for n, k := range c.Records {
		picked[n] = items[k]
	}
	return picked
}
