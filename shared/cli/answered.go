package cli

import (
	"slices"
	"sync"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
	"github.com/penstock-data/penstock/shared/wire"
)

// touched collects what a statement did: its runs, and how many rows were answered.
type touched struct {
	mu   sync.Mutex
	runs []string
	rows int
	show func(rows int) // may be nil
}

// answered implements duckdb.Config.Answered.
func (t *touched) answered(b duckdb.Batch) {
	if b.Function != wire.Push && b.Function != wire.Finish && b.Function != wire.Retry {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, name := range b.Names {
		if !run.IsID(name) {
			name = run.ImplicitID(name, b.Query)
		}
		if !slices.Contains(t.runs, name) {
			t.runs = append(t.runs, name)
		}
	}
	if b.Function != wire.Push {
		return
	}
	t.rows += b.Rows
	if t.show != nil {
		t.show(t.rows)
	}
}

// watch lets show be told of the rows so far; nil tells nobody.
func (t *touched) watch(show func(rows int)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.show = show
}

// take answers the runs since the last take, and forgets them.
func (t *touched) take() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	ids := t.runs
	t.runs, t.rows = nil, 0
	return ids
}
