package deliver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pipeline/version"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/verify"
)

// written is a version whose records are read.
type written struct {
	program  *version.Compiled
	names    []string // of the mapping
	fields   verify.Fields
	personal map[string]bool // by name in lower case
	also     []string        // fields that are read, and not compared with what was sent
	external string          // the external id that records are found by, which is among also
	state    verify.State    // why none of its records can be told; "" can
}

// written makes a version ready, once.
func (v *verifier) written(ctx context.Context, id string) (*written, error) {
	if w := v.versions[id]; w != nil {
		return w, nil
	}
	w, err := v.load(ctx, id)
	if err == nil {
		v.versions[id] = w
	}
	return w, err
}

func (v *verifier) load(ctx context.Context, id string) (*written, error) {
	stored, known, err := v.version(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read sync %q version %s: %w", v.q.Sync, id, err)
	}
	if !known {
		return &written{state: verify.Untold}, nil
	}
	program, err := v.d.versions.Of(stored)
	if errors.Is(err, version.ErrUnusable) {
		return &written{state: verify.Untold}, nil
	}
	if err != nil {
		return nil, err
	}
	w := &written{program: program, names: program.Mapping.Names(), personal: personalFields(&program.Version.Definition, &v.current.Definition)}
	w.fields.Identity = program.Version.Rules.Identity
	return w, v.readable(ctx, w)
}

// readable asks what reading the fields back tells.
func (v *verifier) readable(ctx context.Context, w *written) error {
	def := &w.program.Version.Definition
	also := v.q.Also
	if name := def.Match.Destination; def.Strategy == syncdef.MatchExternalID && creates(def) && !slices.ContainsFunc(w.names, func(s string) bool { return strings.EqualFold(s, name) }) {
		also = append(slices.Clone(also), name)
		w.external = name
	}
	tells, err := v.reader.Readable(ctx, def, append(slices.Clone(w.names), also...), v.spend)
	if err != nil {
		return err
	}
	w.state = verify.Unread
	for i, name := range w.names {
		f := verify.Field{Name: name, Why: tells[i].Why, Alters: tells[i].Alters, Altered: tells[i].Altered, Trims: tells[i].Trims, Empty: tells[i].Empty, Also: tells[i].Also}
		f.Match = w.matches(name)
		if f.Why == "" {
			f.Why = w.program.Mapping.Comparable(i)
		}
		if f.Why == "" {
			w.state = ""
		}
		v.note(name, f.Why)
		if !f.Match && f.Altered == nil {
			v.note(name, f.Alters)
		}
		w.fields.Of = append(w.fields.Of, f)
	}
	for i, name := range also {
		if tells[len(w.names)+i].Why == "" && w.fields.Position(name) < 0 && !slices.Contains(w.also, name) {
			w.also = append(w.also, name)
		}
	}
	return nil
}

// matches reports whether a field holds the value that records are found by: another
// column's value is none.
func (w *written) matches(name string) bool {
	def := &w.program.Version.Definition
	source := def.MappingOf(name).Source
	return strings.EqualFold(name, def.Match.Destination) && len(w.fields.Identity.Steps) > 0 && (source == "" || strings.EqualFold(source, def.Match.Source))
}

// creates reports whether a row whose record is not found makes one.
func creates(d *syncdef.Definition) bool {
	return d.Operation != syncdef.Update && d.Operation != syncdef.Delete
}

// note notes what cannot be known of a field, once.
func (v *verifier) note(field, why string) {
	n := verify.Note{Field: field, Why: why}
	for _, had := range v.out.Notes {
		if had == n {
			return
		}
	}
	if why != "" {
		v.out.Notes = append(v.out.Notes, n)
	}
}

// personalFields are the destination's fields, in lower case, that hold personal data by one
// of the definitions, and where the match value is such a column, the match field: what
// delivered a record may have been applied before somebody marked them.
func personalFields(all ...*syncdef.Definition) map[string]bool {
	out := map[string]bool{}
	for _, d := range all {
		for i := range d.Fields {
			if f := &d.Fields[i]; f.Personal {
				out[strings.ToLower(f.Destination)] = true
				if strings.EqualFold(f.Source, d.Match.Source) {
					out[strings.ToLower(d.Match.Destination)] = true
				}
			}
		}
	}
	return out
}

// A difference is an entry that does not agree with its record.
type difference struct {
	entry  ledger.Entry
	record verify.Record
}

// page reads one call's records, and judges them.
func (v *verifier) page(ctx context.Context, w *written, page []ledger.Entry) error {
	kept, err := v.read(ctx, w, page)
	if err != nil {
		return err
	}
	mapper := w.program.Get()
	defer w.program.Put(mapper)
	w.fields.Form = mapper.ReadBack
	var differ []difference
	for i := range page {
		if kept[i].Refused {
			v.out.States[verify.Unread]++
			continue
		}
		record := w.judge(&page[i], &kept[i], v.out.Unsure, v.q.Found)
		if record.State == verify.Same {
			v.out.States[verify.Same]++
			v.out.Compared++
			continue
		}
		differ = append(differ, difference{page[i], record})
	}
	for i := range w.fields.Of {
		if f := &w.fields.Of[i]; v.out.Unsure[f.Name] > 0 {
			v.note(f.Name, f.Alters)
		}
	}
	return v.settle(ctx, differ)
}

// read reads one call's records, and shows them: one an entry, in their order. Several keys
// may be of one record, such as one that others were merged into; a vendor may refuse a
// call that names it twice.
func (v *verifier) read(ctx context.Context, w *written, page []ledger.Entry) ([]dest.Kept, error) {
	var ids []string
	at, shown := map[string]int{}, w.shown()
	for i := range page {
		id := page[i].Held.ID
		if _, twice := at[id]; !twice {
			at[id], ids = len(ids), append(ids, id)
		}
	}
	kept, err := v.reader.Read(ctx, &w.program.Version.Definition, shown, ids, v.spend)
	if err != nil {
		return nil, err
	}
	for i, id := range ids {
		if v.q.Each == nil || v.seen[id] || kept[i].Refused {
			continue
		}
		v.seen[id] = true
		if err := v.q.Each(verify.Read{ID: id, Gone: kept[i].Gone, Names: shown, Values: kept[i].Values}); err != nil {
			return nil, err
		}
	}
	out := make([]dest.Kept, len(page))
	for i := range page {
		out[i] = kept[at[page[i].Held.ID]]
	}
	return out, nil
}

// shown are the names that are asked for: those that can be read, and those that are not
// compared.
func (w *written) shown() []string {
	var out []string
	for i := range w.fields.Of {
		if w.fields.Of[i].Why == "" {
			out = append(out, w.fields.Of[i].Name)
		}
	}
	return append(out, w.also...)
}

// judge compares one record.
func (w *written) judge(e *ledger.Entry, k *dest.Kept, unsure map[string]int64, found bool) verify.Record {
	r := verify.Record{State: verify.Same, ID: e.Held.ID}
	if !w.personal[strings.ToLower(w.program.Version.Definition.Match.Destination)] {
		r.Key = e.Key
	}
	if k.Gone {
		r.State = verify.Missing
		return r
	}
	values := make([]jsontext.Value, len(w.fields.Of))
	next := 0
	for i := range w.fields.Of {
		if w.fields.Of[i].Why == "" {
			values[i] = k.Values[next]
			next++
		}
	}
	changed, doubtful := w.fields.Compare(e, values)
	for _, i := range doubtful {
		unsure[w.fields.Of[i].Name]++
	}
	if at := slices.Index(w.also, w.external); at >= 0 && k.Values[next+at] != nil && !w.fields.Found(e.Key, k.Values[next+at]) {
		r.State, r.Another = verify.Changed, true
		r.Fields = append(r.Fields, w.differ(w.external, k.Values[next+at], found))
	}
	for _, i := range changed {
		r.State = verify.Changed
		r.Fields = append(r.Fields, w.differ(w.fields.Of[i].Name, values[i], found))
	}
	return r
}

// differ is a field that differs; its value is shown where that is asked for, and it is not
// personal.
func (w *written) differ(name string, v jsontext.Value, found bool) verify.Differ {
	d := verify.Differ{Field: name, Personal: w.personal[strings.ToLower(name)]}
	if found && !d.Personal {
		d.Found = slices.Clone(v)
	}
	return d
}

// settle counts what differs, unless it was delivered anew since it was listed, and voids
// it where that is asked for.
func (v *verifier) settle(ctx context.Context, differ []difference) error {
	if len(differ) == 0 {
		return nil
	}
	keys := make([]string, len(differ))
	for i := range differ {
		keys[i] = differ[i].entry.Key
	}
	now, err := v.d.Ledger.Entries(ctx, v.target, keys)
	if err != nil {
		return v.ours(fmt.Errorf("read the ledger of sync %q again: %w", v.q.Sync, err))
	}
	still := differ[:0]
	for _, d := range differ {
		e, there := now[d.entry.Key]
		if !there || e.Held.Fingerprint != d.entry.Held.Fingerprint || e.Held.Sequence != d.entry.Held.Sequence || e.Held.ID != d.entry.Held.ID {
			v.out.States[verify.Moved]++
			continue
		}
		d.entry = e // what happened of it since stays: the error of a later row is open
		still = append(still, d)
	}
	if v.q.Mend {
		if err := v.mend(ctx, still); err != nil {
			return v.ours(err)
		}
	}
	for _, d := range still {
		v.count(d.record)
	}
	return nil
}

// ours notes an error of our storage.
func (v *verifier) ours(err error) error {
	v.storage = err
	return err
}

// count counts a record that differs.
func (v *verifier) count(r verify.Record) {
	v.out.States[r.State]++
	if r.State == verify.Moved {
		return
	}
	v.out.Compared++
	for _, f := range r.Fields {
		v.out.Fields[f.Field]++
	}
	if len(v.out.Records) < verify.MaxRecords {
		v.out.Records = append(v.out.Records, r)
	}
	switch {
	case r.Mended:
		v.out.Mended++
	case v.q.Mend:
		v.out.Unmended++
	}
}

// mend voids the entries, each over what was compared: what a worker delivers meanwhile
// stays (I3). An insert's record that is there is not sent again, nor one that has another
// external id by now, or there would be two.
func (v *verifier) mend(ctx context.Context, differ []difference) error {
	var entries []ledger.Entry
	var of []int
	for i, d := range differ {
		if (v.current.Rules.Once || d.record.Another) && d.record.State != verify.Missing {
			continue
		}
		entries, of = append(entries, d.entry.Void(d.record.State == verify.Missing)), append(of, i)
	}
	if len(entries) == 0 {
		return nil
	}
	lost, err := v.d.Ledger.Commit(ctx, v.target, entries)
	if err != nil {
		return fmt.Errorf("void %d entries in the ledger of sync %q: %w", len(entries), v.q.Sync, err)
	}
	for _, i := range of {
		differ[i].record.Mended = true
	}
	for _, n := range lost {
		differ[of[n]].record.Mended, differ[of[n]].record.State = false, verify.Moved
	}
	return nil
}
