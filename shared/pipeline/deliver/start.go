package deliver

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/penstock-data/penstock/shared/mapping"
	"github.com/penstock-data/penstock/shared/run"
)

// What makes a message suspect, and a row the killer of its workers.
const (
	suspectDeaths = 2
	killerDeaths  = 2
)

// mark counts the deaths of workers that had the message in hand before, and
// stores that this one has it. It is a death when this receive follows the marked
// one directly, and no earlier than the whole visibility after it: a hand-back
// deletes the mark and sets a shorter one.
func (inv *invocation) mark(ctx context.Context, m *message) error {
	d := inv.d
	m.start = run.Start{Receives: m.Receives, At: d.Now(), Row: -1}
	if was := m.record.Start; was != nil {
		m.start.Deaths, m.start.Killers = was.Deaths, maps.Clone(was.Killers)
		if was.Receives == m.Receives-1 && d.Now().Sub(was.At) >= d.Hidden {
			m.start.Deaths++
			if was.Row >= 0 {
				if m.start.Killers == nil {
					m.start.Killers = map[int]int{}
				}
				m.start.Killers[was.Row]++
			}
		}
	}
	m.suspect = m.start.Deaths >= suspectDeaths
	return inv.storeMark(ctx, m)
}

func (inv *invocation) storeMark(ctx context.Context, m *message) error {
	if err := inv.d.Chunks.StartChunk(ctx, m.chunk.Run, m.chunk.Batch, m.chunk.Index, m.start); err != nil {
		return fmt.Errorf("mark the start of %s: %w", m.name(), err)
	}
	return nil
}

// workAlone works on the suspect messages, each alone in the process and row by
// row, its mark naming the row in hand; a row that two workers died on is an error.
func (inv *invocation) workAlone(ctx context.Context) {
	for _, m := range inv.messages {
		if !m.suspect || !m.working() || inv.behindBusy(m) {
			continue
		}
		release := inv.d.alone.take()
		inv.rowByRow(ctx, m)
		release()
		inv.settleOne(ctx, m)
	}
}

// behindBusy sends a message back that has one in front of it in its lane of which something
// may still be carried out.
func (inv *invocation) behindBusy(m *message) bool {
	now := inv.d.Now()
	for _, front := range inv.messages {
		if front == m {
			return false
		}
		if front.Group == m.Group && front.busy(now) {
			m.postponeUntil(front.busyUntil)
			return true
		}
	}
	return false
}

func (inv *invocation) rowByRow(ctx context.Context, m *message) {
	whole := m.chunk.Rows
	defer func() { m.chunk.Rows = whole }()
	var all []*item
	for at := range whole {
		m.items = nil
		m.start.Row = at
		m.chunk.Rows = whole[at : at+1]
		w := &work{inv: inv, target: m.target, messages: []*message{m}}
		deaths := m.start.Killers[at]
		if deaths > killerDeaths { // it kills even where only its cursor is read
			m.items = []*item{m.killer(mapping.Mapped{})}
			w.commit(ctx, m.items)
		} else if err := inv.storeMark(ctx, m); err != nil {
			m.broken(inv.d, err)
		} else if deaths == killerDeaths {
			m.items = []*item{m.killer(m.mapped(&m.chunk.Rows[0]))}
			w.commit(ctx, m.items)
		} else {
			w.do(ctx)
		}
		for _, i := range m.items {
			i.at = at
		}
		all = append(all, m.items...)
		if m.back {
			break
		}
	}
	m.items = all
}

// killer is a row that workers died on: it is not touched again but for its cursor,
// which holds the mark (I4), and its key, so that the ledger knows that it may have
// arrived. Its error has no source. (Inserts have their intent, which stays.)
func (m *message) killer(got mapping.Mapped) *item {
	kept := newArena(1, nil)
	key := ""
	if !m.version.Version.Rules.Once {
		key = string(got.Key)
	}
	kept.name(&mapping.Mapped{})
	r := &m.chunk.Rows[0]
	i := &item{m: m, row: r, kept: kept, key: key, entry: absent, del: r.Delete, untouched: true, received: key != "", least: run.Least(string(r.Least), string(got.Cursor))}
	i.fail("deadletter", "crashed", "", fmt.Sprintf("%d workers died with this row in hand; it was not sent again: see the worker's log, then push it again", killerDeaths))
	return i
}

// A gate lets many share the process, or one have it alone.
type gate struct{ mu sync.RWMutex }

func (g *gate) share() (release func()) { g.mu.RLock(); return g.mu.RUnlock }
func (g *gate) take() (release func())  { g.mu.Lock(); return g.mu.Unlock }
