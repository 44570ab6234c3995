package cli

import (
	"fmt"
	"slices"
	"sync"
	"time"

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

	nowhere int    // rows that no run took
	why     string // of one of them

	again func(error) // duckdb.Config.Repeats
}

// leastFree is how many bytes of a disk may be left over and it is full: less than what
// SQLite writes at once.
const leastFree = 1 << 20

// again tells that what a statement asks fails and is asked on, and of a folder on a full
// disk that it is that: a statement says nothing while it waits. Of requests that fail
// together one is told, and at a prompt the next outage too.
func (s program) again(dir string) func(error) {
	var mu sync.Mutex
	var told time.Time
	return func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if now := s.clock.now(); now.Sub(told) >= time.Minute {
			told = now
			free, unknown := freeAt(dir)
			fmt.Fprintln(s.err, askedAgain(err, dir, unknown == nil && free < leastFree))
		}
	}
}

func askedAgain(err error, dir string, full bool) string {
	text := plain(err) + ": it is asked again for up to two minutes"
	if full {
		text += "; the disk that holds " + dir + " is full: free some space on it; what is stored is whole"
	}
	return text
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
	if t.nowhere += b.Nowhere; b.Nowhere > 0 {
		t.why = b.Why
	}
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

// takeNowhere answers how many rows no run took since the last time, and what one was told.
func (t *touched) takeNowhere() (rows int, why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	rows, why = t.nowhere, t.why
	t.nowhere, t.why = 0, ""
	return rows, why
}
