package deliver

import (
	"context"
	"fmt"
	"hash/maphash"
	"math/bits"
	"slices"

	"github.com/penstock-data/penstock/shared/run"
)

// A work is what an invocation has in hand for one target, in message order.
type work struct {
	inv      *invocation
	target   string
	messages []*message
	items    []*item
	jobs     []*job
}

// works sorts the messages that are worked on together by target.
func (inv *invocation) works() []*work {
	var all []*work
	for _, m := range inv.messages {
		if !m.working() || m.suspect {
			continue
		}
		n := slices.IndexFunc(all, func(w *work) bool { return w.target == m.target })
		if n < 0 {
			n = len(all)
			all = append(all, &work{inv: inv, target: m.target})
		}
		all[n].messages = append(all[n].messages, m)
	}
	return all
}

// do brings the rows to their destination: map, compare, push, commit.
func (w *work) do(ctx context.Context) {
	for _, m := range w.messages {
		m.mapRows()
		w.items = append(w.items, m.items...)
	}
	w.newest()
	w.doubts()
	w.replays(ctx)
	w.late(ctx)
	w.compare(ctx)
	w.takeOver(ctx)
	w.proofs(ctx)
	for _, j := range w.jobs {
		j.deliver(ctx)
	}
	w.stopFirst(ctx)
	w.quieten(ctx)
	w.commit(ctx, w.items)
	w.stopRuns(ctx)
	for _, j := range w.jobs {
		j.tell()
	}
}

// quieten lets the rows that are not sent at all write no entry beside another row's of
// their key in hand: of themselves the newest does, over what the others committed. An
// entry over another revision than was read would void what the destination holds.
func (w *work) quieten(ctx context.Context) {
	if !slices.ContainsFunc(w.messages, func(m *message) bool { return m.end != "" }) {
		return
	}
	live, ended := map[string]bool{}, map[string]*item{}
	for _, i := range w.items {
		if i.m.end == "" {
			live[i.key] = true
		} else if n := ended[i.key]; n == nil || n.sequence() <= i.sequence() {
			ended[i.key] = i
		}
	}
	var again []*item
	for _, i := range w.items {
		if i.m.end == "" || !i.m.working() {
			continue
		}
		if i.quiet = ended[i.key] != i; !i.quiet && live[i.key] {
			again = append(again, i)
		}
	}
	if len(again) == 0 {
		return
	}
	w.commit(ctx, slices.DeleteFunc(slices.Clone(w.items), func(i *item) bool { return i.m.end != "" }))
	entries, err := w.inv.d.Ledger.Entries(ctx, w.target, keys(again))
	for _, i := range again {
		if err != nil {
			i.m.broken(w.inv.d, fmt.Errorf("read the ledger of %s: %w", w.target, err))
			continue
		}
		if e, ok := entries[i.key]; ok {
			i.entry, i.mine = &e, true
			i.quiet = e.Sequence() > i.sequence()
		}
	}
}

// byKey holds an item for a key. A map would be searched twice for each key that is new.
type byKey struct {
	seed  maphash.Seed
	items []*item // at least as many again are free
}

func newByKey(most int) byKey {
	return byKey{seed: maphash.MakeSeed(), items: make([]*item, 1<<bits.Len(uint(2*most)))}
}

// of is where a key's item is, or goes.
func (k *byKey) of(key string) **item {
	for n := maphash.String(k.seed, key); ; n++ {
		if at := &k.items[n&uint64(len(k.items)-1)]; *at == nil || (*at).key == key {
			return at
		}
	}
}

// newest keeps each key's row of the greatest sequence; of one sequence the later.
// Rows that are not sent at all supersede nobody.
func (w *work) newest() {
	newest := newByKey(len(w.items))
	for _, i := range w.items {
		if i.state != stateOpen || i.m.end != "" || i.key == "" { // without a key nothing is known of it
			continue
		}
		at := newest.of(i.key)
		n := *at
		if n == nil {
			*at = i
			continue
		}
		if first, again := i, n; i.sameRow(n) {
			// Both tries of one row: the first is stored, or there would be no other.
			if first.row.Replay != nil {
				first, again = n, i
			}
			first.state = stateStored
			*at = again
			continue
		}
		winner, loser := i, n
		if n.sequence() > i.sequence() {
			winner, loser = n, i
		}
		if !loser.del && winner.found() && winner.recordID() != loser.recordID() { // its record's key is another record's since
			winner, loser = loser, winner
		}
		loser.state, loser.winner = stateSuperseded, winner
		sent := loser.m.again() && !loser.rules().Once
		winner.doubt = winner.doubt || loser.doubt || sent
		winner.cleared = winner.cleared || loser.cleared || sent && loser.del
		winner.ahead = winner.ahead || loser.ahead || loser.print != winner.print
		winner.least = run.Least(winner.least, run.Least(loser.least, loser.cursor()))
		*at = winner
	}
}

// doubts tells the rows of a key that an earlier attempt may have sent an older one in
// hand, which is not sent any more: the ledger that both are compared with does not know
// of it, so that a delete would find nothing to remove, and an upsert nothing to change.
// (Inserts have their intent.)
func (w *work) doubts() {
	sent, deleted := map[string]int64{}, map[string]int64{} // by key, the least sequence; of all, and of deletes
	for _, i := range w.items {
		if i.m.end == "" || i.state != stateOpen || i.key == "" || !i.m.again() || i.rules().Once {
			continue
		}
		if least, ok := sent[i.key]; !ok || i.sequence() < least {
			sent[i.key] = i.sequence()
		}
		if least, ok := deleted[i.key]; i.del && (!ok || i.sequence() < least) {
			deleted[i.key] = i.sequence()
		}
	}
	if len(sent) == 0 {
		return
	}
	for _, i := range w.items {
		least, ok := sent[i.key]
		i.doubt = i.doubt || ok && i.state == stateOpen && i.sequence() > least
		if least, ok := deleted[i.key]; ok && i.sequence() > least {
			i.cleared = true
		}
	}
}

// sameRow reports whether one of two is the row that the other sends again.
func (i *item) sameRow(n *item) bool {
	return i.sequence() == n.sequence() && (i.row.Replay == nil) != (n.row.Replay == nil) && i.ref() == n.ref()
}

// replays drops rows sent again whose error does not say what they do: the try is
// counted already, or somebody else made another.
func (w *work) replays(ctx context.Context) {
	for _, m := range w.messages {
		refs := make([]string, 0)
		for _, i := range m.items {
			if i.row.Replay != nil {
				refs = append(refs, i.row.Replay.Ref)
			}
		}
		if len(refs) == 0 || !m.working() {
			continue
		}
		found, err := w.inv.d.Errors.ErrorsByRef(ctx, run.SyncOf(m.chunk.Run), refs)
		if err != nil {
			m.broken(w.inv.d, fmt.Errorf("read the errors that %s sends again: %w", m.name(), err))
			continue
		}
		for _, i := range m.items {
			if i.row.Replay == nil || i.state != stateOpen {
				continue
			}
			switch e, ok := found[i.row.Replay.Ref]; {
			case !ok:
				i.state = stateSuperseded
			case e.Attempts != i.row.Replay.Attempts:
				i.stored(e)
			}
		}
	}
}

// stored takes over what an attempt that died before it was counted made of the row:
// it may have died before it stored when the row is due.
func (i *item) stored(e run.RowError) {
	if i.state != stateUnknown {
		i.state = stateStored
	}
	i.m.earlier = append(i.m.earlier, run.Group{Stage: e.Stage, Type: e.Type, Field: e.Field, Rows: 1})
	if e.Attempts == i.attempts()+1 && !e.Due.IsZero() {
		i.due, i.dueAt = true, &e.Due
	}
	i.spend(&e)
}

// adopt takes over the answer that an attempt stored before it died, or why there was none.
func (i *item) adopt(e run.RowError) {
	if e.Attempts != i.attempts()+1 {
		return
	}
	if e.Type == codeUnknown {
		i.outcome.Message = e.Message
		return
	}
	i.state, i.outcome, i.adopted = stateStored, nil, true
	i.stored(e)
}

// takeOver reads the errors of rows that were stored before they were counted. An
// insert that is in doubt for its own intent alone is in none where its error says
// what the vendor answered: the attempt died between the error and the ledger.
func (w *work) takeOver(ctx context.Context) {
	for _, m := range w.messages {
		var mine []*item
		var refs []string
		for _, i := range m.items {
			if i.row.Replay == nil && (i.state == stateStored || i.state == stateUnknown && (i.outcome == nil || i.entry.Last.Intended(i.ref()))) {
				mine, refs = append(mine, i), append(refs, i.ref())
			}
		}
		if len(mine) == 0 || !m.working() {
			continue
		}
		found, err := w.inv.d.Errors.ErrorsByRef(ctx, run.SyncOf(m.chunk.Run), refs)
		if err != nil {
			m.broken(w.inv.d, fmt.Errorf("read the errors of %s: %w", m.name(), err))
			continue
		}
		for _, i := range mine {
			e, ok := found[i.ref()]
			switch {
			case !ok:
			case i.state == stateUnknown && i.outcome != nil:
				i.adopt(e)
			default:
				i.stored(e)
			}
		}
	}
}

// compare asks the ledger what each row still needs. Where it refuses, each message
// asks for itself.
func (w *work) compare(ctx context.Context) {
	d := w.inv.d
	open := make([]*item, 0, len(w.items))
	for _, i := range w.items {
		if i.state == stateOpen && i.m.working() {
			open = append(open, i)
		}
	}
	entries, err := d.Ledger.Entries(ctx, w.target, keys(open))
	if err == nil {
		w.judge(open, entries)
		return
	}
	for _, m := range w.messages {
		mine := slices.DeleteFunc(slices.Clone(open), func(i *item) bool { return i.m != m })
		if len(mine) == 0 {
			continue
		}
		if len(w.messages) > 1 {
			entries, err = d.Ledger.Entries(ctx, w.target, keys(mine))
		}
		if err != nil {
			m.broken(d, fmt.Errorf("read the ledger of %s: %w", w.target, err))
			continue
		}
		w.judge(mine, entries)
	}
}

func keys(items []*item) []string {
	out := make([]string, len(items))
	for n, i := range items {
		out[n] = i.key
	}
	return out
}
