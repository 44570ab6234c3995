package pipeline_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A mutant is a defect put into the source on purpose: in file (below shared) the
// text from, which stands there exactly once, becomes to. Its suites are packages
// below shared; some test of one of them, or the simulation, must fail.
type mutant struct {
	name, file, from, to string
	suites               []string
}

var (
	road    = []string{"pipeline"}
	intakes = []string{"pipeline/intake", "pipeline"}
	sweeps  = []string{"pipeline/runs", "pipeline"}
)

var mutants = []mutant{
	{"a lowered share forgets what was spent", "pace/level.go",
		"if l.Per == w.Per {", "if l.Per == w.Per && l.Calls <= w.Calls {", []string{"pace"}},
	{"a raised share forgets what was spent", "pace/level.go",
		"if l.Per == w.Per {", "if l.Per == w.Per && l.Calls >= w.Calls {", []string{"pace"}},
	{"a raised share is withheld as what was left", "pace/pace.go",
		"left := burst(w) - w.counted(l.Spent, rate)", "left := min(burst(w), burst(l.window())) - w.counted(l.Spent, rate)", []string{"pace"}},
	{"what was spent comes back at the pace of whoever asks", "pace/pace.go",
		"	next = b.refilled(now)\n	rate", "	for _, w := range limits {\n		if l := b.level(w); l.Spent > 0 {\n			b.put(Level{w.Per, w.Calls, l.Spent})\n		}\n	}\n	next = b.refilled(now)\n	rate", []string{"pace"}},
	{"what a call that was given up brings late is not waited for", "pipeline/deliver/message.go",
		"return m.until.After(now)", "return m.until.After(now.Add(24 * time.Hour))", road},
	{"what a client stopped waiting for brings late is not waited for", "pipeline/deliver/call.go",
		"if s.failed.Code == dest.NoAnswer &&", "if false &&", road},
	{"a lane is hidden as its first message asks", "pipeline/deliver/close.go",
		"max(m.hide, sparing(m.Receives), left)", "max(m.hide, sparing(m.Receives))", road},
	{"a call that hangs is not given up", "pipeline/deliver/hang.go",
		"if j.d.Timeout == 0 ||", "if true ||", road},
	{"a create that hangs is given up", "pipeline/deliver/hang.go",
		"r.ID == \"\" && !r.Delete {", "r.ID == \"\" && j.rules().Once {", road},
	{"a call that failed after long is halved", "pipeline/deliver/split.go",
		", j.long(c, m)\n", ", false\n", road},
	{"a call that failed after nearly the timeout is halved", "pipeline/deliver/hang.go",
		"2*m.took >= j.d.Timeout", "m.took >= j.d.Timeout", road},
	{"a call that failed after very long is made in parts", "pipeline/deliver/hang.go",
		"if 3*m.took >= longest &&", "if false &&", road},
	{"all parts of a call that failed after long are made, whatever fails", "pipeline/deliver/split.go",
		"<= int32(max(atOnce, 2)) ||", "<= 1000 ||", road},
	{"a create that was cut off is halved", "pipeline/deliver/wait.go",
		"if written && !j.repeatable(c, b) && !bucketed(c) &&", "if false &&", road},
	{"rows that hang are given up one after the other", "pipeline/deliver/hang.go",
		"enough := j.hung >= sampled", "enough := j.hung >= 1000*sampled", road},
	{"slow calls are cut again and again", "pipeline/deliver/hang.go",
		"3*a.times[k],", "0*a.times[k],", road},
	{"a vendor that is slow in all it does is taken for a hanging row", "pipeline/deliver/hang.go",
		"2*a.times[kind{}] > a.d.Timeout", "false", road},
	{"a row that was held is sent again for the older one beside it", "pipeline/deliver/verdict.go",
		"if i.doubt && !i.brought() {", "if i.doubt {", road},
	{"a row is put off though there is no time left for it", "pipeline/deliver/hang.go",
		"len(c.Records) == 1 && !j.hasLong(ctx, wait)", "len(c.Records) < 0", road},
	{"a probe that the invocation's end cut off pauses the connection", "pipeline/deliver/call.go",
		"down != nil && (!j.d.cutOff(inTime) ||", "down != nil && (true ||", road},
	{"a row whose calls hang is not waited for", "pipeline/deliver/batch.go",
		"i.refused() || i.slow", "i.refused()", road},
	{"calls of one record prove nothing together", "pipeline/deliver/streak.go",
		"return len(calls) >= sampled &&", "return len(calls) < 0 &&", road},
	{"failures in succession prove a version broken that took others", "pipeline/deliver/streak.go",
		"if s.good {", "if s.good && len(s.unmade) < 0 {", road},
	{"rows behind a long streak are not sampled", "pipeline/deliver/streak.go",
		"if len(s.unmade) < sampled {", "if s.good = false; true {", road},
	{"too many calls at once are taken for too fast ones", "pipeline/deliver/call.go",
		"if failed.Quota == dest.QuotaConcurrent {", "if failed.Quota == dest.QuotaConcurrent && tried < 0 {", road},
	{"too many calls at once stay as many", "pipeline/deliver/crowd.go",
		"c.bound = c.bound.Refused(c.underWay, s.knew)", "", []string{"app/apptest"}},
	{"calls of one wave halve a crowd again and again", "pace/crowd.go",
		"if knew != c.Halvings {", "if knew > c.Halvings {", []string{"pace"}},
	{"rows that wait do not see that their share is raised", "pipeline/deliver/wait.go",
		"if wait < askLeast {", "if wait > 0 {", road},
	{"the alert goes by the share that granted last", "pace/pace.go",
		"); i >= 0 {", "); i > 9 {", sweeps},
	{"rows that were not tried prove a version broken", "pipeline/deliver/split.go",
		"if failures >= sampled/2 &&", "if failures > 0 &&", road},
	{"a row that waits opens an error that was closed since", "pipeline/deliver/commit.go",
		"last.Unknown, e.Carries = e.Last.Error, e.Last.Unknown, true", "last.Unknown, e.Carries = e.Last.Error, e.Last.Unknown, false", road},
	{"an error that a row carries over stays as it was read", "ledger/ledger.go",
		"mine.Last.Error, mine.Last.Unknown = stored.Last.Error, stored.Last.Unknown", "", []string{"ledger"}},
	{"a forgotten error's name comes back with a row that waits", "ledger/ledger.go",
		"if mine.Carries || mine.Intends {", "if mine.Intends {", []string{"ledger"}},
	{"a commit does not see that what it read was forgotten", "sqlite/forget.go",
		"return s.late.deleted(c, slots)", "return nil", []string{"sqlite"}},
	{"a create whose answer was lost is made again unseen", "pipeline/deliver/split.go",
		"if b.look || j.rules().Once {\n\t\treturn false", "if true {\n\t\treturn false", []string{"app/apptest"}},
	{"a record that became another one gets the changed fields only", "pipeline/deliver/settle.go",
		"s.held || s.other)", "s.held)", []string{"app/apptest"}},
	{"a refusal without a known code pauses the connection", "pipeline/deliver/call.go",
		"case failed.Scope == dest.ScopeConnection:", "case failed.Scope == dest.ScopeConnection, failed.Class == dest.Configuration && failed.Scope == dest.ScopeUntold:", []string{"app/apptest"}},
	{"a retry gets a new sequence", "pipeline/intake/replay.go",
		"Sequence: r.Sequence,", "Sequence: r.Sequence + 1<<30,", road},
	{"rows are stored as stopped before the run is", "pipeline/deliver/work.go",
		"	w.stopFirst(ctx)\n", "", road},
	{"what arrived and is not sent any more is forgotten beside a newer row", "pipeline/deliver/work.go",
		"	w.doubts()\n", "", road},
	{"rows overtake a suspect message of their lane", "pipeline/deliver/open.go",
		"if late[m.Group] && !m.suspect", "if late[m.Group] && m.suspect", road},
	{"an unchanged row leaves no trace of what it superseded", "pipeline/deliver/commit.go",
		"!moved && !i.ahead &&", "!moved &&", road},
	{"a dead letter never arrived", "pipeline/deliver/message.go",
		`m.Receives > 1 || m.end == "dead_letter"`, "m.Receives > 1", road},
	{"a mirror forgets what its run saw", "pipeline/runs/mirror.go",
		" || seen[run.KeyHash(e.Key)]", " || seen[0]", road},
	{"a mirror removes what is newer than its run", "pipeline/runs/mirror.go",
		"e.Sequence() >= m.Sequence || ", "", road},
	{"a mirror's removals are newer than what was pushed since", "pipeline/intake/mirror.go",
		"c.batch.ID, c.batch.Sequence, c.batch.Removal = b.ID, b.Sequence, true", "c.batch.ID, c.batch.Sequence, c.batch.Removal = b.ID, b.Sequence+1<<30, true", road},
	{"a mirror counts no row without a key", "pipeline/intake/mirror.go",
		"c.batch.Keyless++", "_ = n", road},
	{"a retry gets a new sequence: it counts as the greatest", "pipeline/intake/duplicates.go",
		"return c.replays[n].Sequence", "return 0", intakes},
	{"the error store's failure is ignored at intake", "pipeline/intake/intake.go",
		"if err := in.Errors.StoreErrors(ctx, c.errors()); err != nil {", "if err := in.Errors.StoreErrors(ctx, c.errors()); err != nil && len(c.fates) < 0 {", intakes},
	{"the cursor comes from the last row only", "run/column.go",
		"; n < 0 {", "; n < 2 {", intakes},
	{"the cursor comes from the first row only", "run/column.go",
		"; n < 0 {", "; n < -1 {", intakes},
	{"a text is a cursor beside a timestamp that is none", "run/column.go",
		"cmp.Or(l.from, l.told, TextCursor)", "cmp.Or(l.from, TextCursor)", intakes},
	{"texts beside another batch's timestamps are not counted", "run/column.go",
		"l.texts += b.Texts.Rows", "", sweeps},
	{"a failed row's hold is forgotten", "pipeline/deliver/rows.go",
		"if i.uncertain() || all {", "if all {", road},
	{"a late row's hold is forgotten", "pipeline/deliver/rows.go",
		`least, all := "", m.chunk.Late`, `least, all := "", false`, sweeps},
	{"a hold is forgotten at completion", "run/mark.go",
		"next.hold(c.Tally.Hold, released)", "", sweeps},
	{"a call's failure is never taken for the connection's", "pipeline/deliver/call.go",
		"if j.account.livesSince(began) {\n\t\treturn true\n\t}\n\tinTime", "if true {\n\t\treturn true\n\t}\n\tinTime", road},
	{"a call's failure is always taken for the connection's", "pipeline/deliver/call.go",
		"if !j.lives(ctx, s.began) {", "if j.pause(ctx, failed); true {", road},
	{"a pause is skipped", "pipeline/deliver/ready.go",
		"next, probe, wait := s.May(a.d.Now())", "next, probe, wait := s.May(a.d.Now().Add(24 * time.Hour))", road},
	{"crashes are off by one: the receive", "pipeline/deliver/start.go",
		"was.Receives == m.Receives-1", "was.Receives == m.Receives", road},
	{"crashes are off by one: any receive", "pipeline/deliver/start.go",
		"was.Receives == m.Receives-1 && d.Now().Sub(was.At) >= d.Hidden", "was.Receives <= m.Receives-1", road},
	{"crashes are off by one: a killer after one", "pipeline/deliver/start.go",
		"killerDeaths  = 2", "killerDeaths  = 1", road},
	{"crashes are off by one: never suspect", "pipeline/deliver/start.go",
		"suspectDeaths = 2", "suspectDeaths = 99", road},
	{"the ledger does not know what a killer may have left", "pipeline/deliver/start.go",
		"key = string(got.Key)", "_ = got", road},
	{"rows of a cancelled run are delivered", "pipeline/deliver/open.go",
		"case m.run.Status.Dead():", "case m.run.Status.Dead() && d.Dead:", road},
	{"a failed hand-back is swallowed: the hiding", "pipeline/deliver/close.go",
		`r.Storage = append(r.Storage, fmt.Errorf("hide a message: %w", err))`, "", road},
	{"a failed hand-back is swallowed: the note", "pipeline/deliver/close.go",
		"if err := inv.handBack(ctx, m); err != nil {", "if err := inv.handBack(ctx, m); err != nil && hide < 0 {", road},
	{"leases never expire", "pipeline/deliver/tokens.go",
		"if !now.Before(l.until) || l.tokens == 0 {", "if l.until.IsZero() || l.tokens == 0 {", road},
	{"a retry is cut anew", "pipeline/intake/send.go",
		"out[at] = append(out[at], n)", "out[n%len(out)] = append(out[n%len(out)], n)", intakes},
	{"the body hash is not compared", "pipeline/intake/again.go",
		"if stored.BodyHash != hash {", `if stored.BodyHash == "" {`, intakes},
	{"unprocessed items are forgotten", "aws/attr/get.go",
		"if ask = out.UnprocessedKeys; len(ask) == 0 {", "if ask = out.UnprocessedKeys; true {", []string{"aws/attr"}},
	{"a due item is handed in twice under two ids", "run/batch.go",
		`hash16("due", d.Run, d.Batch, d.By, itoa(d.Attempts))`, `hash16("due", d.Run, d.Batch, d.By, itoa(d.Attempts), d.At.String())`, sweeps},
	{"a due item is handed in twice: its sweeper takes another id each time", "pipeline/runs/due.go",
		"ID: d.ID()}", "ID: d.ID() + s.Now().String()}", sweeps},
	{"a batch that was pinned only is forgotten with its due item", "pipeline/runs/due.go",
		"x.ID == b.ID && !x.Sent", "x.ID == b.ID && !x.Sent && x.ID == \"\"", []string{"pipeline"}},
	{"what is due of a removed sync stays due", "pipeline/runs/due.go",
		"return s.endAll(ctx, items)", "return nil", sweeps},
	{"a due item goes through another lane", "pipeline/intake/place.go",
		"lane := row.Lane(c.key(n), len(lanes))", "lane := row.Lane(c.key(n), len(lanes))\nif c.replays != nil {\nlane = (lane + 1) % len(lanes)\n}", intakes},
	{"attempts are not counted", "pipeline/deliver/commit.go",
		"Attempts: i.attempts() + 1,", "Attempts: max(1, i.attempts()),", road},
	{"rows that failed together come back together", "pipeline/deliver/settle.go",
		"time.Duration(s.rand*float64(full))", "full", []string{"pipeline/deliver"}},
	{"an older error is sent after a newer failure", "ledger/ledger.go",
		"case e.Sequence() > r.Sequence:", "case e.Held.Sequence > r.Sequence:", road},
	{"the call size is forgotten at a hand-back", "pipeline/deliver/open.go",
		"m.most = m.record.Most", "", road},
	{"an unknown insert is sent again", "pipeline/deliver/verdict.go",
		`return i.entry.Last.Intent != "" || i.entry.Last.Unknown`, "return false", road},
	{"an unknown insert is sent again by a retry that does not name it", "pipeline/runs/retry.go",
		"return e.Type != typeUnknown, e.Type == typeUnknown", "return true, false", sweeps},
	{"an intent overwrites what another worker committed", "ledger/ledger.go",
		"mine.Intends && (mine.Last.Intent", "len(theirs) < 0 && (mine.Last.Intent", road},
	{"an intent that is taken back late forgets what another worker inserted", "ledger/ledger.go",
		"write.Held = keepID(stored.Held, mine.Held)", "", []string{"ledger", "pipeline"}},
	{"an attempt that fails forgets another one's intent", "ledger/ledger.go",
		"cmp.Or(mine.Last.Intent, theirs)", "cmp.Or(mine.Last.Intent)", []string{"ledger"}},
	{"an intent is another attempt's too", "ledger/ledger.go",
		"h.Write([]byte(receipt))", "", []string{"ledger", "pipeline"}},
	{"keys change: a row's lane follows its record, not its key", "pipeline/intake/place.go",
		"lane := row.Lane(c.key(n), len(lanes))", "lane := row.Lane(c.recordID(n), len(lanes))", intakes},
	{"another account: its ledger is not another one", "ledger/ledger.go",
		"if epoch > 0 {", "if epoch < 0 {", road},
	{"another account: it is delivered to unasked", "pipeline/deliver/ready.go",
		`if id != "" && id != pinned {`, `if id != "" && id != pinned && pinned == "" {`, road},
	{"another account: settings of before an acceptance still deliver", "pipeline/deliver/account.go",
		"if m.version.Target(a.stored.Epoch) != m.target {", "if false {", road},
	{"another account: a run that is begun after it is delivered by settings of before", "pipeline/deliver/account.go",
		`if m.run.Target == "" || m.run.Target == m.target {`, "if true {", road},
	{"another account: one that nobody delivers to is pinned", "pipeline/deliver/ready.go",
		"if stored.Epoch != epoch {", "if stored.Epoch != epoch && epoch < 0 {", road},
	{"stop_on_error: an expired row does not stop its run", "pipeline/deliver/stop.go",
		`i.m.end == "cancelled" ||`, `i.m.end != "" ||`, road},
	{"stop_on_error: the run goes on", "pipeline/deliver/stop.go",
		"stopped[id] = true", "stopped[id] = true\ncontinue", road},
	{"lanes change while rows are on their way", "pipeline/runs/apply.go",
		"if from == to {", "if true {", sweeps},
	{"a message never expires", "pipeline/deliver/open.go",
		"case age > maxAge, age > maxTried", "case age > 100*maxAge, age > 100*maxTried", road},
	{"what came back by itself outlives its run", "pipeline/deliver/open.go",
		"if run.IsDue(id) &&", "if id == \"\" &&", road},
	{"a halted version uses up a row's attempts", "pipeline/deliver/apply.go",
		"attempts: i.attempts() - i.halted(),", "attempts: i.attempts(),", road},
	{"errors of an attempt that died are in no group", "pipeline/deliver/close.go",
		"all := m.earlier", "var all []run.Group", road},
	{"rows at the mark count as left behind", "run/mark.go",
		"compareStored(h.Cursor, mark) < 0", "compareStored(h.Cursor, mark) <= 0", sweeps},
	{"an echoed value is passed on as a code", "pipeline/deliver/send.go",
		"; holds(o.Code)", "; false", road},
	{"the fingerprint is kept though a newer row lost", "ledger/ledger.go",
		"newer.Held.Fingerprint, newer.Held.Fields = row.Fingerprint{}, nil", "", []string{"sqlite", "pipeline"}},
}

// Every mutant still has its place in the source; make mutants tries them all.
func TestMutantsApply(t *testing.T) {
	for _, m := range mutants {
		if _, _, err := m.apply(".."); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		if len(m.suites) == 0 {
			t.Errorf("%s: no suite", m.name)
		}
	}
}

// apply is the source of the mutant's file with the defect in it.
func (m mutant) apply(shared string) (path, text string, err error) {
	path = filepath.Join(shared, m.file)
	b, err := os.ReadFile(path)
	if err != nil {
		return "", "", err
	}
	if n := strings.Count(string(b), m.from); n != 1 {
		return "", "", fmt.Errorf("the patch does not apply any more: its text stands %d times in %s", n, m.file)
	}
	return path, strings.Replace(string(b), m.from, m.to, 1), nil
}
