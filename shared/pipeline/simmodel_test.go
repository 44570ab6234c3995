package pipeline_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A model is the warehouse: a table for each sync, and what is known of all that
// was pushed out of it.
type model struct {
	s     *sim
	rows  [2]map[string]value
	next  int
	keys  [2]int
	lanes [2]int
	orgs  int      // accounts that the settings led to
	begun []string // bracketed runs, and implicit ones
	known map[string]int

	contents    map[string][]content // rows of a batch, by run and batch
	sequence    map[cell]int64       // of what was pinned
	left        map[string][]string  // what mirrors' runs found to remove
	deletions   map[string]int64     // the same of deleting rows, by run and name
	newest      map[string]int       // greatest value that was pinned, by name
	stale       map[string]bool      // an older value was accepted after a newer one
	cancelled   map[string]time.Time
	answers     map[string][]row.Answer // of batches, by run and batch
	away        bool                    // nothing ran for days
	marks       map[string]string       // the mark that a complete run set
	lost        map[string]int          // rows that a race voided, by run
	void        map[cell]int64          // by target as run and key: the greatest sequence of which a worker read that nothing is known to be held and no error says so
	deadLetters int                     // so many further invocations are the dead letters'

	servers []*server
	procs   []*proc
	going   int // steps that are under way
}

// A value is a row of the model: v, which is its cursor too, and whether its
// mandatory column is missing.
type value struct {
	v   int
	bad bool
	rid string // the record's id in the warehouse; its key may change

	gone bool // it was deleted, and says so
}

type cell struct {
	run  string
	name string
	v    int
}

type content struct {
	key string
	value
}

func newModel(s *sim) *model {
	m := &model{
		s: s, contents: map[string][]content{}, sequence: map[cell]int64{}, left: map[string][]string{}, deletions: map[string]int64{}, newest: map[string]int{}, stale: map[string]bool{}, known: map[string]int{},
		marks: map[string]string{}, lost: map[string]int{}, void: map[cell]int64{}, cancelled: map[string]time.Time{}, answers: map[string][]row.Answer{},
	}
	for i := range m.rows {
		m.rows[i], m.keys[i], m.lanes[i] = map[string]value{}, keysAtFirst, s.plan.Lanes
		for n := range keysAtFirst {
			m.put(i, "k"+strconv.Itoa(n), false)
		}
	}
	return m
}

// pinned notes the order in which values were accepted.
func (m *model) pinned(b run.Batch) {
	if b.Removal {
		m.s.hits["cell:mirrored"]++
		for _, key := range m.left[b.Run] {
			name := b.Run + " " + b.Sync + "/" + key
			m.deletions[name] = max(m.deletions[name], b.Sequence)
		}
	}
	rows := m.contents[b.Run+"/"+b.ID]
	for _, c := range rows {
		name := b.Sync + "/" + c.key
		m.sequence[cell{b.Run, name, c.v}] = b.Sequence
		if c.gone {
			m.deletions[b.Run+" "+name] = max(m.deletions[b.Run+" "+name], b.Sequence)
		}
		if c.bad {
			continue
		}
		if c.v < m.newest[name] {
			m.stale[name] = true
		}
		m.newest[name] = max(c.v, m.newest[name])
	}
}

func (m *model) ended(id string, at time.Time) {
	if _, ok := m.cancelled[id]; !ok {
		m.cancelled[id] = at
	}
}

// put gives a key the next value; its record stays.
func (m *model) put(i int, key string, bad bool) {
	m.next++
	v := value{v: m.next, bad: bad, rid: m.rows[i][key].rid}
	if v.rid == "" {
		v.rid = fmt.Sprintf("r%d", m.next)
	}
	m.rows[i][key] = v
}

// rekey gives so many records another key, which another record may have had, or has:
// then the two change places.
func (m *model) rekey(r *rand.Rand, i, many int) (keys []string) {
	for range many {
		all := m.sorted(i, 0)
		from, to := all[r.IntN(len(all))], "k"+strconv.Itoa(r.IntN(m.keys[i]+1))
		mover, there := m.rows[i][from], m.rows[i][to]
		delete(m.rows[i], from)
		delete(m.rows[i], to)
		m.rows[i][to] = value{rid: mover.rid}
		m.put(i, to, false)
		keys = append(keys, to)
		if there.rid != "" && from != to {
			m.rows[i][from] = value{rid: there.rid}
			m.put(i, from, false)
			keys = append(keys, from)
		}
	}
	slices.Sort(keys)
	return slices.DeleteFunc(slices.Compact(keys), func(key string) bool { return m.rows[i][key].v == 0 }) // moved on
}

// edit changes so many rows of a model, and adds one now and then.
func (m *model) edit(r *rand.Rand, i, many int) (keys []string) {
	for range many {
		if r.IntN(8) == 0 {
			m.keys[i]++
		}
		key := "k" + strconv.Itoa(r.IntN(m.keys[i]))
		m.put(i, key, r.IntN(15) == 0)
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// remove deletes so many rows; some of them are inserted again later.
func (m *model) remove(r *rand.Rand, i, many int) (keys []string) {
	all := m.sorted(i, 0)
	r.Shuffle(len(all), func(a, b int) { all[a], all[b] = all[b], all[a] })
	keys = all[:min(many, len(all))]
	for _, key := range keys {
		m.put(i, key, false)
		v := m.rows[i][key]
		v.gone = true
		m.rows[i][key] = v
	}
	return keys
}

// leave takes so many rows out of the model, without a word.
func (m *model) leave(r *rand.Rand, i, many int) {
	all := m.sorted(i, 0)
	for range min(many, len(all)-3) {
		delete(m.rows[i], all[r.IntN(len(all))])
	}
}

// sorted are a model's keys, the least cursor first, from one on.
func (m *model) sorted(i int, since int) []string {
	var keys []string
	for k, v := range m.rows[i] {
		if v.v >= since {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b string) int { return m.rows[i][a].v - m.rows[i][b].v })
	return keys
}

// A request is one batch of a statement.
type request struct {
	row.Batch
	run  string
	id   string
	rows []content
}

// requests cuts rows into batches that go to a target, as they are in the model now.
func (m *model) requests(i int, target, query string, keys []string, size int) []request {
	var out []request
	for n := 0; n < len(keys); n += size {
		b := request{Batch: row.Batch{ID: fmt.Sprintf("%s:%d", query, n), Query: query, Function: "penstock_push"}}
		for _, k := range keys[n:min(n+size, len(keys))] {
			v := m.rows[i][k]
			o := fmt.Sprintf(`{"id":%q,"rid":%q,"v":%d,"constant":"c"}`, k, v.rid, v.v)
			if v.bad {
				o = fmt.Sprintf(`{"id":%q,"rid":%q,"v":%d}`, k, v.rid, v.v)
			}
			if v.gone {
				o = fmt.Sprintf(`{"id":%q,"rid":%q,"v":%d,"sync_action":"delete"}`, k, v.rid, v.v)
			}
			b.Rows = append(b.Rows, row.Row{Number: len(b.Rows), Target: target, Object: []byte(o)})
			b.rows = append(b.rows, content{k, v})
		}
		b.run, b.id = target, run.BatchID(target, b.Function, b.ID)
		if !run.IsID(target) {
			b.run = run.ImplicitID(target, query)
		}
		m.contents[b.run+"/"+b.id] = b.rows
		m.known[b.run] = i
		out = append(out, b)
	}
	return out
}

// push makes a request until it is answered, and now and then again.
func (s *sim) push(k *task, r *rand.Rand, b request) bool {
	again := r.IntN(5) == 0
	late := r.IntN(12) == 0
	after := span(r, 20*time.Minute)
	ask := func(k *task) bool {
		var answers []row.Answer
		ok, refused := s.try(k, func(ctx context.Context, v *server) (err error) {
			answers, err = v.intake.Push(ctx, b.Batch)
			return err
		})
		if !ok || refused != nil {
			return false
		}
		s.model.answered(b, answers)
		return true
	}
	ok := ask(k)
	if again && !s.healed {
		ok = ask(k) && ok
	}
	if late && !s.healed {
		s.model.going++
		s.spawn(after, func(k *task) { defer s.gone(); ask(k) })
	}
	return ok
}

func (s *sim) gone() { s.model.going-- }

// answered compares the answers of one batch: all are alike.
func (m *model) answered(b request, answers []row.Answer) {
	if len(answers) != len(b.Rows) {
		m.s.fails("batch %s of run %s: %d answers for %d rows", b.ID, b.run, len(answers), len(b.Rows))
		return
	}
	if answers[0].Run == "" {
		return // the run takes no more rows
	}
	first, ok := m.answers[b.run+"/"+b.id]
	if !ok {
		m.answers[b.run+"/"+b.id] = answers
		return
	}
	for n := range first {
		if a, b := first[n].AppendJSON(nil), answers[n].AppendJSON(nil); string(a) != string(b) {
			m.s.fails("a batch that came again was answered otherwise: %s, %s", a, b)
		}
	}
}

// step carries out one step of the plan.
func (s *sim) step(k *task, n int, st step) {
	s.model.going++
	defer s.gone()
	m, r, i := s.model, rand.New(rand.NewPCG(st.Seed, 3)), st.Sync
	name, token := syncNames[i], fmt.Sprintf("s%d", n)
	switch st.Do {
	case "push":
		keys := m.edit(r, i, 1+r.IntN(8))
		for _, b := range m.requests(i, name, token, keys, 1+r.IntN(6)) {
			m.note(b.run)
			s.push(k, r, b)
		}
	case "run", "full", "abandon":
		mode := "incremental"
		if st.Do == "full" {
			mode = "full"
		}
		s.statement(k, r, i, mode, token, st.Do == "abandon")
	case "rekey":
		keys := m.rekey(r, i, 1+r.IntN(3))
		if r.IntN(2) == 0 {
			for _, b := range m.requests(i, name, token, keys, 1+r.IntN(6)) {
				m.note(b.run)
				s.push(k, r, b)
			}
		}
	case "delete":
		if s.once(i) {
			i, name = 0, syncNames[0]
		}
		keys := m.remove(r, i, 1+r.IntN(4))
		if r.IntN(3) > 0 {
			for _, b := range m.requests(i, name, token, keys, 1+r.IntN(6)) {
				m.note(b.run)
				s.push(k, r, b)
			}
		}
	case "leave":
		m.leave(r, i, 1+r.IntN(3))
	case "account":
		s.account(k, r)
	case "lanes":
		m.lanes[i] = 1 + r.IntN(4)
		s.apply(k, i, "Constant__c")
		if v, err := s.store.Current(bg, name); err == nil {
			m.lanes[i] = v.Definition.Lanes
		}
	case "retry-cancel":
		if id := m.any(r, i); id != "" {
			s.try(k, func(ctx context.Context, v *server) error {
				_, err := v.control.Retry(ctx, id, runs.Selector{}, token)
				return err
			})
			k.sleep(span(r, 2*time.Second))
			s.try(k, func(ctx context.Context, v *server) error {
				_, err := v.control.Cancel(ctx, run.AskedID(run.OriginalOf(id), token), "")
				return err
			})
		}
	case "cancel-retry":
		s.cancelRetry(k, r, i)
	case "away":
		if m.away || s.plan.Calm {
			return
		}
		m.away = true
		for _, b := range m.requests(i, name, token, m.edit(r, i, 4), 2) {
			m.note(b.run)
			s.push(k, r, b)
		}
		s.freeze([]time.Duration{8 * 24 * time.Hour, 13*24*time.Hour + 2*time.Hour}[r.IntN(2)])
	case "edit":
		m.edit(r, i, 1+r.IntN(5))
	case "cancel":
		if id := m.any(r, i); id != "" {
			s.try(k, func(ctx context.Context, v *server) error { _, err := v.control.Cancel(ctx, id, ""); return err })
		}
	case "retry", "retry-unknown":
		s.retry(k, r, i, token, st.Do == "retry-unknown")
	case "reset":
		s.try(k, func(ctx context.Context, v *server) error { return v.control.Reset(ctx, name) })
	case "remap":
		s.apply(k, i, "Constant2__c")
	case "break":
		s.apply(k, i, "Broken__c")
		k.sleep(span(r, 30*time.Minute))
		s.apply(k, i, "Constant__c")
	case "kill":
		if all := slices.Concat(s.workers, m.procs); len(all) > 0 {
			all[r.IntN(len(all))].doomed = true
		}
	case "clock":
		if all := slices.Concat(s.workers, m.procs); len(all) > 0 && s.plan.Quota == 0 {
			all[r.IntN(len(all))].skew = time.Duration(r.IntN(7200)-3600) * time.Second
		}
	case "dead-letter":
		m.deadLetters++
	}
}

// account lets the connection's settings lead to another account, which is accepted a
// while later.
func (s *sim) account(k *task, r *rand.Rand) {
	s.model.orgs++
	org := fmt.Sprintf("org-%d", 1+s.model.orgs)
	s.vendor.paused = true
	s.try(k, func(ctx context.Context, v *server) error {
		return v.control.Connections.PutConnection(ctx, syncdef.Connection{Name: "prod", Type: "crm", URL: org})
	})
	k.sleep(span(r, 10*time.Minute))
	// Accepted once: what a person accepts again is an empty ledger again.
	if c, err := s.store.Connection(bg, "prod"); err != nil || c.Account == "" || c.Account == c.Connection.URL {
		return
	}
	s.serve(k, func(ctx context.Context, v *server) {
		_, err := v.control.AcceptAccount(ctx, "prod", "")
		s.trace("accept: %v", err)
	})
}

// cancelRetry ends a run that sends rows again, or the one that they failed in.
func (s *sim) cancelRetry(k *task, r *rand.Rand, i int) {
	all, err := s.store.RecentRuns(bg, syncNames[i], 1000)
	if err != nil {
		s.fails("%v", err)
		return
	}
	var retries []string
	for _, one := range all {
		if run.IsRetry(one.ID) {
			retries = append(retries, one.ID)
		}
	}
	if len(retries) == 0 {
		return
	}
	id := retries[r.IntN(min(3, len(retries)))]
	if r.IntN(2) == 0 {
		id = run.OriginalOf(id)
	}
	s.try(k, func(ctx context.Context, v *server) error { _, err := v.control.Cancel(ctx, id, ""); return err })
}

func (m *model) note(id string) {
	if !slices.Contains(m.begun, id) {
		m.begun = append(m.begun, id)
	}
}

// any is some run of a sync; "" when there is none.
func (m *model) any(r *rand.Rand, i int) string {
	var of []string
	for _, id := range m.begun {
		if run.SyncOf(id) == syncNames[i] {
			of = append(of, id)
		}
	}
	if len(of) == 0 {
		return ""
	}
	return of[max(0, len(of)-1-r.IntN(3))]
}

func (s *sim) retry(k *task, r *rand.Rand, i int, token string, unknown bool) {
	id := s.model.any(r, i)
	if id == "" {
		return
	}
	var sel runs.Selector
	if unknown {
		sel.Types = []string{"unknown"}
	}
	s.try(k, func(ctx context.Context, v *server) error {
		if unknown {
			v.control.Replayer = resender{v.intake, s}
			defer func() { v.control.Replayer = v.intake }()
		}
		_, err := v.control.Retry(ctx, id, sel, token)
		return err
	})
}

// A resender takes what a person's retry of unknown rows sends again: each of them may
// arrive once more, be its record still in the model under that key or not.
type resender struct {
	*intake.Intake
	s *sim
}

func (a resender) Replay(ctx context.Context, b run.Replay) ([]row.Answer, error) {
	var refs []string
	for _, one := range b.Rows {
		if one.Object != nil {
			refs = append(refs, one.Ref)
		}
	}
	found, err := a.s.store.ErrorsByRef(bg, b.Sync, refs)
	if err != nil {
		a.s.fails("%v", err)
	}
	for ref, e := range found {
		if e.Type == "unknown" {
			a.s.vendor.resend(b.Sync+"/"+e.Key, b.ID+" "+ref)
		}
	}
	return a.Intake.Replay(ctx, b)
}

// apply makes another version the current one, when it may be.
func (s *sim) apply(k *task, i int, constant string) {
	s.try(k, func(ctx context.Context, v *server) error {
		version := s.definition(i, constant)
		settings, err := s.store.Connection(ctx, "prod")
		if err != nil {
			return err
		}
		_, err = v.control.Apply(ctx, version, settings.Connection)
		return err
	})
}

// statement is penstock_run: begin, select, push, finish. It says whether it ran.
func (s *sim) statement(k *task, r *rand.Rand, i int, mode, token string, abandon bool) (ran string) {
	m := s.model
	var begun runs.Begun
	ok, refused := s.try(k, func(ctx context.Context, v *server) (err error) {
		begun, err = v.control.Begin(ctx, syncNames[i], mode, token)
		return err
	})
	if !ok || refused != nil || begun.Select == runs.Wait {
		return ""
	}
	m.note(begun.Run)
	since := 0
	if begun.Select == runs.Since {
		since, _ = strconv.Atoi(begun.Watermark)
	}
	keys := m.sorted(i, since)
	all := m.requests(i, begun.Run, token, keys, 1+r.IntN(6))
	if r.IntN(3) == 0 {
		r.Shuffle(len(all), func(a, b int) { all[a], all[b] = all[b], all[a] })
	}
	if abandon {
		all = all[:len(all)/2]
	}
	for _, b := range all {
		ok = s.push(k, r, b) && ok
	}
	if abandon {
		return ""
	}
	if !ok && r.IntN(2) == 0 { // the statement fails: it closes the run with the reason
		s.try(k, func(ctx context.Context, v *server) error {
			_, err := v.control.Cancel(ctx, begun.Run, "the statement failed")
			return err
		})
		return ""
	}
	if !ok {
		return ""
	}
	s.try(k, func(ctx context.Context, v *server) error {
		_, err := v.control.Finish(ctx, begun.Run, int64(len(keys)))
		return err
	})
	return begun.Run
}
