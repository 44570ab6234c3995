package pipeline_test

import (
	"context"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/sqlite"
)

// An older row that was written over a newer one holds the mark (I4), also where the commit that
// found the newer one there is refused, and its next try only finds itself superseded.
func TestLostThoughRefused(t *testing.T) {
	for _, refused := range []bool{false, true} {
		w := newWorld(t, 1, nil)
		w.bracket("t1", "", object("b", 3))
		b, err := w.control().Begin(t.Context(), "accounts", "", "t2")
		if err != nil {
			t.Fatal(err)
		}
		w.push(batch("t2", "t2", b.Run, object("a", 5), object("c", 9)))
		if _, err := w.control().Finish(t.Context(), b.Run, 2); err != nil {
			t.Fatal(err)
		}
		if refused {
			w.deliver.Ledger = deniedLedger{w.store}
		}
		w.crm.during = func([]string) { // another worker delivers a newer row
			w.crm.during = nil
			newer := ledger.Entry{Key: "a", Held: ledger.Held{Fingerprint: row.Fingerprint{7}, Version: w.version.ID, Sequence: 99}, Last: ledger.Last{Run: "accounts.r9", Sequence: 99}}
			if _, err := w.store.Commit(t.Context(), ledger.Target(&w.version.Definition, &w.version.Rules, 0), []ledger.Entry{newer}); err != nil {
				t.Fatal(err)
			}
		}
		w.once()
		w.boot()
		w.drain(time.Hour)
		w.sweep()
		if s := w.status(b.Run); !s.Status.Ended() || s.Counts.Delivered+s.Counts.Superseded != 2 {
			t.Fatalf("refused %v: %+v", refused, s)
		}
		if got := w.watermark(); got != "5" {
			t.Errorf("refused %v: the watermark is %s, want 5, where the row is that may have overwritten a newer one", refused, got)
		}
	}
}

// deniedLedger stores commits, and says that it did not.
type deniedLedger struct{ *sqlite.Store }

func (d deniedLedger) Commit(ctx context.Context, target string, entries []ledger.Entry) ([]int, error) {
	if _, err := d.Store.Commit(ctx, target, entries); err != nil {
		return nil, err
	}
	return nil, errStorage
}
