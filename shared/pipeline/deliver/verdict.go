package deliver

import (
	"slices"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// judge acts on the ledger's verdicts and sorts the rows to send into jobs.
func (w *work) judge(items []*item, entries map[string]ledger.Entry) {
	for _, i := range items {
		if stored, ok := entries[i.key]; ok {
			e := stored // allocated for those that there are
			i.entry, i.mine = &e, true
		}
		w.verdict(i)
	}
}

func (w *work) verdict(i *item) {
	m := i.m
	if i.found() && i.entry.Held.Record != 0 && i.entry.Held.Record != ledger.RecordOf(i.recordID()) {
		i.state, i.quiet = stateUnchanged, true // since intake found the key, another record's row was written under it
		return
	}
	once := i.rules().Once
	if i.doubt && !i.brought() {
		// The ledger may be behind the destination: nothing counts as held, and all
		// fields are sent.
		e := i.own()
		e.Held = e.Held.InDoubt(i.cleared)
	}
	r := ledger.Row{
		Run: m.run.ID, Sequence: i.sequence(), Fingerprint: i.print, Once: once, Delete: i.del, Unsure: i.del && i.key != "" && (i.doubt || i.def().Operation == syncdef.Delete),
		Full: i.full(), Replay: i.row.Replay != nil,
	}
	if i.entry.Last.Error != "" || i.row.Replay != nil {
		r.Ref = i.ref()
	}
	switch ledger.Diff(i.entry, &r) {
	case ledger.Unchanged:
		i.state = stateUnchanged
	case ledger.Delivered:
		i.state = stateCounted
	case ledger.Superseded:
		i.state = stateSuperseded
		// An earlier try may have written it over the newer one, and died, or was refused, before
		// that was recorded: nothing is known to be held then, and no error says so.
		i.lost = m.again() && i.entry.Held.Fingerprint.Void() && i.entry.Held.Sequence > 0 && i.entry.Last.Error == ""
	case ledger.Failed:
		i.state, i.due = stateStored, false
		if i.entry.Last.Unknown {
			i.state = stateUnknown
		}
	case ledger.Send:
		switch {
		case m.end != "":
			i.ended()
		case once && !i.rules().Lookup && i.doubtful():
			i.inDoubt(&dest.Outcome{Message: "an earlier attempt may have sent it"})
		default:
			if once && i.missing() {
				e := i.own()
				e.Last.Intent, e.Last.Unknown = "", false
			}
			w.add(i)
		}
	}
}

// brought reports whether the ledger knows this very row as delivered: whatever older value
// may have been sent, it was before.
func (i *item) brought() bool {
	e := i.entry
	return !i.del && e.Last.Run == i.m.run.ID && e.Last.Error == "" && e.Held.Sequence == i.sequence() && e.Held.Fingerprint == i.print
}

// doubtful reports whether an insert of the key may have arrived, as far as the
// ledger knows.
func (i *item) doubtful() bool {
	if i.missing() {
		return false
	}
	return i.entry.Last.Intent != "" || i.entry.Last.Unknown
}

// missing reports whether a person's retry of the error unknown says that the record did
// not arrive.
func (i *item) missing() bool {
	return i.row.Replay != nil && i.entry.Last.Unknown && i.entry.Last.Error == i.row.Replay.Ref
}

// add puts a row into the job of its run and version.
func (w *work) add(i *item) {
	n := slices.IndexFunc(w.jobs, func(j *job) bool { return j.run.ID == i.m.run.ID && j.version == i.m.version })
	if n < 0 {
		n = len(w.jobs)
		w.jobs = append(w.jobs, newJob(w, i.m))
	}
	j := w.jobs[n]
	j.open = append(j.open, i)
	if !slices.Contains(j.messages, i.m) {
		j.messages = append(j.messages, i.m)
		i.m.job = j
	}
}
