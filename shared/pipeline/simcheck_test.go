package pipeline_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// quiet reports whether nothing is on its way any more.
func (s *sim) quiet() bool {
	if s.model.going > 0 {
		return false
	}
	if n, err := s.store.Depth(bg, "crm"); err != nil || n > 0 {
		return false
	}
	for _, name := range syncNames {
		if due, err := s.store.DueItems(bg, name, time.Time{}, 1); err != nil || len(due) > 0 {
			return false
		}
	}
	return true
}

// settle lets everything that is under way come to its end.
func (s *sim) settle(what string) bool {
	next := s.now
	if s.run(24*time.Hour, func() bool {
		if s.now.Before(next) {
			return false
		}
		next = s.now.Add(5 * time.Second)
		return s.quiet()
	}) {
		return true
	}
	n, _ := s.store.Depth(bg, "crm")
	pace, _ := s.store.Pace(bg, "prod")
	s.fails("I1: %s: not settled after a day: %d messages, %d steps, pace %+v", what, n, s.model.going, pace)
	return false
}

// heal ends all trouble but that of the poison and the refused rows, and brings
// the model to the destination by three statements of each sync.
func (s *sim) heal() bool {
	s.healed = true
	for _, p := range append(slices.Clone(s.workers), s.model.procs...) {
		p.skew, p.doomed = 0, false
	}
	s.model.deadLetters = 0
	s.mend()
	if !s.settle("after the trouble") {
		return false
	}
	s.mend()
	for i := range syncNames {
		for _, name := range slices.Sorted(mapKeys(s.model.stale)) { // accepted in another order than they were made
			if key, ok := strings.CutPrefix(name, syncNames[i]+"/"); ok {
				s.model.put(i, key, false)
			}
		}
	}
	for n := range 3 {
		for i := range syncNames {
			if !s.statementUntilItRuns(i, n, "incremental") {
				return false
			}
		}
	}
	return !s.plan.Mirror || s.statementUntilItRuns(0, 3, "full")
}

// mend applies a version that can be delivered.
func (s *sim) mend() {
	c, err := s.store.Connection(bg, "prod")
	if err == nil && c.Account != "" && c.Account != c.Connection.URL {
		c, err = s.store.AcceptAccount(bg, "prod", c.Connection.URL)
		s.vendor.pins(c)
	}
	if err != nil {
		s.fails("%v", err)
	}
	for i, name := range syncNames {
		v, err := s.store.Current(bg, name)
		if err != nil {
			s.fails("%v", err)
		} else if v.Definition.Fields[1].Destination == "Broken__c" {
			s.model.lanes[i] = v.Definition.Lanes
			if err := s.store.Apply(bg, s.definition(i, "Constant__c")); err != nil {
				s.fails("%v", err)
			}
		}
	}
}

func (s *sim) statementUntilItRuns(i, n int, mode string) bool {
	ran := ""
	for try := 0; ran == ""; try++ {
		if try > 60 {
			s.fails("%s: no run could be begun within ten hours", syncNames[i])
			return false
		}
		s.model.going++
		s.spawn(0, func(k *task) {
			defer s.gone()
			ran = s.statement(k, rand.New(rand.NewPCG(s.plan.Seed, uint64(9+n))), i, mode, fmt.Sprintf("last%d.%d.%d", i, n, try), false)
		})
		if !s.settle("a statement") {
			return false
		}
		if ran == "" {
			s.run(10*time.Minute, nil)
		}
	}
	ended := func() bool { r, err := s.store.Run(bg, ran); return err == nil && r.Status.Ended() }
	if !s.run(6*time.Hour, ended) {
		r, _ := s.store.Run(bg, ran)
		s.fails("run %s has not ended: %+v", ran, r)
		return false
	}
	s.last[i] = ran
	return true
}

// check holds the end against the invariants.
func (s *sim) check() {
	for i := range syncNames {
		s.checkModel(i)
	}
	s.run(5*time.Hour, nil) // for the sweeper to close what is open
	seen := map[string]bool{}
	for _, name := range syncNames {
		all, err := s.store.RecentRuns(bg, name, 10_000)
		if err != nil {
			s.fails("%v", err)
		}
		for _, r := range all {
			seen[r.ID] = true
			s.trace("run %s is %s (%s), from %s, hold %s, %+v", r.ID, r.Status, r.Reason, r.From, r.Hold, r.Counts)
			s.checkRun(r)
		}
	}
}

// checkModel: every row of the model is at the vendor, or in an open error (I1, I3, I4).
func (s *sim) checkModel(i int) {
	v, err := s.store.Current(bg, syncNames[i])
	if err != nil {
		s.fails("%v", err)
		return
	}
	c, err := s.store.Connection(bg, "prod")
	if err != nil {
		s.fails("%v", err)
		return
	}
	vendor := s.vendor.at(c.Connection.URL)
	target := ledger.Target(&v.Definition, &v.Rules, c.Epoch)
	keys := s.model.sorted(i, 0)
	entries, err := s.store.Entries(bg, target, keys)
	if err != nil {
		s.fails("%v", err)
		return
	}
	s.checkMirror(i, vendor, target, keys)
	for _, k := range keys {
		name, want, e := syncNames[i]+"/"+k, s.model.rows[i][k], entries[k]
		switch {
		case want.bad:
		case e.Last.Error != "":
			s.checkOpen(name, e)
		case s.once(i) && vendor.sends[name] == 0:
			s.fails("%s was never sent, and has no open error: %+v", name, e)
		case s.once(i):
		case want.gone && vendor.values[name] > 0:
			s.fails("%s was deleted, the vendor holds %d, and no error is open; entry %+v", name, vendor.values[name], e)
		case want.gone:
			s.hits["cell:deleted"]++
		case vendor.values[name] != want.v:
			s.fails("%s: the vendor holds %d, the model %d, and no error is open; entry %+v", name, vendor.values[name], want.v, e)
		case e.Held.Fingerprint.Void() && s.leftBehind(i, want):
			s.hits["exempt:left behind"]++
		case e.Held.Fingerprint.Void():
			s.fails("%s was delivered, and the ledger does not know", name)
		}
	}
}

// leftBehind reports whether a row that was in doubt holds the mark no longer, and was
// not selected by the last statement: what is older than include_failed is left behind.
func (s *sim) leftBehind(i int, row value) bool {
	r, err := s.store.Run(bg, s.last[i])
	if err != nil {
		s.fails("%v", err)
	}
	from, err := strconv.Atoi(r.From)
	return (s.plan.Include != "" || s.model.away) && err == nil && row.v < from
}

// checkMirror: after the last statement, a full run, the vendor has nothing of the sync's
// that is not in its model, but for removals in open errors (I8). It is asked by its name:
// another one may seem later, whose process had a clock an hour ahead.
func (s *sim) checkMirror(i int, vendor *book, target string, keys []string) {
	if i != 0 || !s.plan.Mirror {
		return
	}
	r, err := s.store.Run(bg, s.last[0])
	if err != nil {
		s.fails("%v", err)
		return
	}
	if r.Mirror == nil || !r.Mirror.Done {
		s.fails("the last full run %s mirrored nothing: it is %s (%s), %+v", r.ID, r.Status, r.Reason, r.Mirror)
		return
	}
	if r.Mirror.Refused != "" || r.Target != target { // nothing is left that could stop it
		s.fails("the last full run %s removed nothing: %s; its target is %s, the sync's %s", r.ID, r.Mirror.Refused, r.Target, target)
		return
	}
	for name, value := range vendor.values {
		key, mine := strings.CutPrefix(name, syncNames[i]+"/")
		if !mine || value == removed || slices.Contains(keys, key) {
			continue
		}
		entries, err := s.store.Entries(bg, target, []string{key})
		if err != nil {
			s.fails("%v", err)
		}
		if e := entries[key]; e.Wrote() && e.Last.Error == "" {
			s.fails("%s left the model, and the vendor holds %d; entry %+v", name, value, e)
		}
	}
}

// checkOpen: an open error is stored, and has a cause that is still there.
func (s *sim) checkOpen(name string, e ledger.Entry) {
	found, err := s.store.ErrorsByRef(bg, run.SyncOf(e.Last.Error), []string{e.Last.Error})
	if err != nil || len(found) == 0 {
		s.fails("%s: the ledger names error %s, which is not stored", name, e.Last.Error)
		return
	}
	// A row that was unknown holds no mark: when its retry fails too, people remain.
	// What failed for longer than include_failed is left behind: its run says so.
	lasting := s.plan.Include != "" || s.model.away || s.lasts(s.plan.Poison, name) || s.lasts(s.plan.Refused, name) || len(s.vendor.resends[name]) > 0
	got := found[e.Last.Error]
	if !got.Due.IsZero() {
		s.fails("%s: the open error %s says that it is due at %v, and no item does", name, got.Ref(), got.Due.Sub(epoch))
	}
	if !lasting && got.Type != "unknown" && !e.Last.Unknown {
		s.fails("%s still has an open error %s after three runs", name, got.Type)
	}
}

// checkRun: counts add up, each row counts once (I2), and an error has its cause.
func (s *sim) checkRun(r run.Run) {
	batches, err := s.store.Batches(bg, r.ID)
	if err != nil {
		s.fails("%v", err)
	}
	chunks := map[string]run.Chunk{}
	t := &run.Tally{}
	for i := range batches {
		t.AddBatch(&batches[i])
	}
	if err := s.store.Chunks(bg, r.ID, func(b string, i int, c run.Chunk) error {
		chunks[fmt.Sprintf("%s/%d", b, i)] = c
		t.AddChunk(b, c)
		return nil
	}); err != nil {
		s.fails("%v", err)
	}
	for i := range batches {
		s.checkBatch(r, &batches[i], chunks)
	}
	if t.Left() != 0 && t.Pending == 0 || t.Left() < 0 {
		s.fails("I2: run %s: %d of %d rows are not settled: %+v", r.ID, t.Left(), t.Counts.Received, t.Counts)
	}
	// A run that was ended waits longer for a batch that nobody has sent: its request may still
	// be repeated.
	if r.Live() && (!r.Status.Ended() || t.Pending == 0) {
		s.fails("run %s is still open: %+v", r.ID, r.Counts)
	}
	if !r.Live() && r.Counts != t.Counts {
		s.fails("I2: run %s says %+v, and its records %+v", r.ID, r.Counts, t.Counts)
	}
	errs, _, err := s.store.RunErrors(bg, r.ID, 10_000, "")
	if err != nil {
		s.fails("%v", err)
	}
	wrong, all := t.Counts.Rejected+t.Counts.Blocked+t.Counts.Failed, int64(0)
	for _, g := range t.Groups {
		all += g.Rows
	}
	if all != wrong {
		s.fails("I2: run %s has %d wrong rows, and groups of %d: %+v", r.ID, wrong, all, t.Groups)
	}
	s.checkLeft(r, batches, chunks, errs)
	for _, e := range errs {
		s.checkError(r, e)
	}
}

// checkLeft: a complete run tells exactly which of its failed rows lie below the mark
// that it set. Rows that a race voided, those that nobody could read, and those that gave way
// to a newer one of which nothing is known to be held, as they may have been written over it,
// may count.
func (s *sim) checkLeft(r run.Run, batches []run.Batch, chunks map[string]run.Chunk, errs []run.RowError) {
	text, set := s.model.marks[r.ID]
	mark, err := strconv.Atoi(text)
	if !set || err != nil {
		return
	}
	below, most := int64(0), int64(s.model.lost[r.ID])
	for i := range batches {
		b := &batches[i]
		rows := s.model.contents[b.Run+"/"+b.ID]
		codes, _ := run.UnpackCodes(b.Rows)
		at := map[int]int{}
		for n, code := range codes {
			status, chunk, _, _ := b.Placed(code)
			if status != row.Queued {
				continue
			}
			fates, _ := run.UnpackFates(chunks[fmt.Sprintf("%s/%d", b.ID, chunk)].Outcomes, len(codes))
			if at[chunk] < len(fates) && rows != nil && rows[n].v < mark {
				switch f := fates[at[chunk]]; {
				case f == run.FateFailed, f == run.FateDue:
					below++
				case f == run.FateSuperseded && b.Sequence < s.model.void[cell{run: r.Target, name: rows[n].key}]:
					most++
				}
			}
			at[chunk]++
		}
	}
	most += below
	for _, e := range errs {
		if e.Type == "crashed" || len(e.Summary) > 0 {
			return
		}
	}
	if below > 0 {
		s.hits["cell:left behind"]++
	}
	if r.LeftBehind < below || r.LeftBehind > most {
		s.fails("run %s says that it leaves %d rows behind its mark %d, and %d to %d are", r.ID, r.LeftBehind, mark, below, most)
	}
}

// checkBatch: what was answered queued is settled (I1), each row as its record says.
func (s *sim) checkBatch(r run.Run, b *run.Batch, chunks map[string]run.Chunk) {
	codes, err := run.UnpackCodes(b.Rows)
	if err != nil {
		s.fails("%v", err)
		return
	}
	rows := s.model.contents[b.Run+"/"+b.ID]
	answers := s.model.answers[b.Run+"/"+b.ID]
	at := map[int]int{}
	for n, code := range codes {
		status, chunk, _, _ := b.Placed(code)
		if len(answers) > 0 && answers[n].Status != status {
			s.fails("row %d of batch %s was answered %s, and is pinned as %s", n, b.ID, answers[n].Status, status)
		}
		if status == row.Rejected && rows != nil && !rows[n].bad {
			s.fails("row %d of batch %s was rejected without a fault", n, b.ID)
		}
		if status == row.Rejected && answers != nil {
			if found, _ := s.store.ErrorsByRef(bg, b.Sync, []string{run.ErrorRef(b.Run, b.ID, n)}); len(found) == 0 {
				s.fails("row %d of batch %s of run %s was answered rejected, and no error is stored", n, b.ID, b.Run)
			}
		}
		if status != row.Queued {
			continue
		}
		c := chunks[fmt.Sprintf("%s/%d", b.ID, chunk)]
		if !c.Done {
			if answers != nil || b.Sent {
				s.fails("I1: row %d of batch %s of run %s was queued and never settled", n, b.ID, b.Run)
			}
			continue
		}
		fates, err := run.UnpackFates(c.Outcomes, len(codes))
		if err != nil || at[chunk] >= len(fates) {
			s.fails("I2: chunk %d of batch %s of run %s has %d fates: %v", chunk, b.ID, b.Run, len(fates), err)
			return
		}
		fate := fates[at[chunk]]
		at[chunk]++
		s.hits["fate:"+string(fate)]++
		if rows == nil {
			continue
		}
		name := b.Sync + "/" + rows[n].key
		switch fate {
		case run.FateDelivered:
			if rows[n].gone {
				s.hits["cell:delete delivered"]++
			} else if !s.vendor.ever(name, rows[n].v) && (!s.once(slices.Index(syncNames[:], b.Sync)) || s.vendor.sent(name) == 0) {
				s.fails("%s: value %d is counted delivered, and never reached the vendor", name, rows[n].v)
			}
		case run.FateFailed, run.FateDue, run.FateUnknown:
			own, summary := run.ErrorRef(b.Run, b.ID, n), run.ErrorRef(b.Run, fmt.Sprintf("%s.%d", b.ID, chunk), -1)
			found, _ := s.store.ErrorsByRef(bg, b.Sync, []string{own, summary})
			if _, ok := found[own]; !ok && !slices.Contains(found[summary].Summary, n) {
				s.fails("I1: row %d of batch %s of run %s failed, and no error is stored", n, b.ID, b.Run)
			}
		case run.FateNone:
			s.fails("I1: row %d of batch %s of run %s is recorded without a fate", n, b.ID, b.Run)
		}
	}
}

// checkError: an error appears only where its cause was injected.
func (s *sim) checkError(r run.Run, e run.RowError) {
	name := e.Sync + "/" + e.Key
	ok := false
	switch e.Type {
	case "missing_column":
		rows := s.model.contents[e.Run+"/"+e.Batch]
		ok = e.Row < len(rows) && rows[e.Row].bad
	case "run_cancelled", "cancelled":
		for id := range s.model.cancelled { // the run, or one that sent its rows again
			ok = ok || run.OriginalOf(id) == run.OriginalOf(r.ID)
		}
	case "expired":
		ok = s.model.away
		s.hits["cell:expired"]++
	case "unknown":
		ok = e.Sync == syncNames[1] && s.plan.Second == "insert"
	case "crashed":
		ok = s.dead >= 2
	case "dead_letter":
		ok = s.hits["cell:dead letters"] > 0
	case "INVALID_FIELD":
		ok = s.vendor.halts[e.Sync]
	default:
		ok = s.vendor.causes[name][e.Type] || len(e.Summary) > 0 && s.vendor.halts[e.Sync]
	}
	if !ok {
		s.fails("an error %s (%s) of %s, row %d of batch %s of run %s, without a cause: %s", e.Type, e.Stage, name, e.Row, e.Batch, e.Run, e.Message)
	}
}
