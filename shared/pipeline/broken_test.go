package pipeline_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// brokenLedger refuses to be read, or written.
type brokenLedger struct {
	*sqlite.Store
	read bool
}

func (b brokenLedger) Entries(ctx context.Context, target string, keys []string) (map[string]ledger.Entry, error) {
	if b.read {
		return nil, errStorage
	}
	return b.Store.Entries(ctx, target, keys)
}

func (b brokenLedger) Commit(ctx context.Context, target string, entries []ledger.Entry) ([]int, error) {
	return nil, errStorage
}

// brokenStore refuses what is asked of it beside the ledger.
type brokenStore struct{ *sqlite.Store }

func (brokenStore) ReplaceErrors(context.Context, []run.RowError) error { return errStorage }
func (brokenStore) Chunk(context.Context, string, string, int) (run.Chunk, error) {
	return run.Chunk{}, errStorage
}
func (brokenStore) Run(context.Context, string) (run.Run, error) { return run.Run{}, errStorage }
func (brokenStore) Lease(context.Context, string, []pace.Window, int, time.Time) (int, time.Duration, error) {
	return 0, 0, errStorage
}

var manyCalls = []pace.Window{{Calls: 1000, Per: time.Second}}

// dyingLedger takes the intents, and then its process dies.
type dyingLedger struct {
	*sqlite.Store
	commits int
}

func (d *dyingLedger) Commit(ctx context.Context, target string, entries []ledger.Entry) ([]int, error) {
	if d.commits++; d.commits > 1 {
		panic(death{})
	}
	return d.Store.Commit(ctx, target, entries)
}

// secondRefused takes the intents, and no answer.
type secondRefused struct {
	*sqlite.Store
	commits int
}

func (s *secondRefused) Commit(ctx context.Context, target string, entries []ledger.Entry) ([]int, error) {
	if s.commits++; s.commits > 1 {
		return nil, errStorage
	}
	return s.Store.Commit(ctx, target, entries)
}

// deadlyLedger kills the process that has the row "bad" in hand.
type deadlyLedger struct{ *sqlite.Store }

func (d deadlyLedger) Entries(ctx context.Context, target string, keys []string) (map[string]ledger.Entry, error) {
	if slices.Contains(keys, "bad") {
		panic(death{})
	}
	return d.Store.Entries(ctx, target, keys)
}

// A death is a panic that stands for the end of the process.
type death struct{}

// survives handles messages and reports whether the process lived.
func (w *world) survives(in []envelope.Delivery) (lived bool) {
	defer func() {
		if p := recover(); p != nil {
			if fmt.Sprintf("%T", p) != "pipeline_test.death" {
				panic(p)
			}
			lived = false
		}
	}()
	w.handle(in)
	return true
}

// oldBroken cannot read one version.
type oldBroken struct {
	*sqlite.Store
	id string
}

func (o oldBroken) Version(ctx context.Context, sync, id string) (syncdef.Version, error) {
	if id == o.id {
		return syncdef.Version{}, fmt.Errorf("version %s: %w", id, run.ErrFormat)
	}
	return o.Store.Version(ctx, sync, id)
}

// target is the world's ledger.
func (w *world) target() string {
	return ledger.Target(&w.version.Definition, &w.version.Rules, 0)
}
