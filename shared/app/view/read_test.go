package view_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/penstock-data/penstock/shared/app/view"
	"github.com/penstock-data/penstock/shared/app/view/viewtest"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
)

// hanging answers its first question when whoever asked goes away.
type hanging struct {
	*viewtest.Counted
	once  atomic.Bool
	asked chan struct{}
}

func (h *hanging) Overviews(ctx context.Context, known map[string]int64) ([]run.Overview, error) {
	if h.once.CompareAndSwap(false, true) {
		close(h.asked)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return h.Counted.Overviews(ctx, known)
}

// A page whose reading hangs holds up no other page.
func TestHangingReadHoldsUpNobody(t *testing.T) {
	c, _ := viewtest.Open(t, 1, 1)
	stores := c.Stores()
	h := &hanging{Counted: c, asked: make(chan struct{})}
	stores.Overviews = h
	r := view.New(view.Config{Stores: stores, Now: viewtest.Now})
	ctx, leave := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := r.Names(ctx)
		ended <- err
	}()
	<-h.asked
	if names, err := r.Names(t.Context()); err != nil || len(names.Syncs) != 1 {
		t.Errorf("the other page: %+v, %v", names, err)
	}
	leave()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the page that hangs: %v", err)
	}
}

// Of a run that has ended only those rows are queued that have not settled yet.
func TestQueuedOfAnEndedRun(t *testing.T) {
	s, err := sqlite.Open("", viewtest.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	viewtest.Fill(t, viewtest.Stores{Definitions: s, Connections: s, Runs: s, Overviews: s, Errors: s, Ledger: s}, 1, 1)
	r := view.New(view.Config{Stores: runs.Stores{Syncs: s, Runs: s, History: s, Overviews: s, Some: s, Lists: s, Places: s}, Now: viewtest.Now})
	for status, want := range map[run.Status]int64{run.Complete: 0, run.Cancelled: 2, run.Failed: 2, run.Incomplete: 2} {
		one, err := s.EnsureRun(t.Context(), run.Run{
			ID: run.BegunID(viewtest.Name(0), string(status)), Sync: viewtest.Name(0), Mode: run.Incremental, Bracketed: true, Status: run.Open,
			BegunAt: viewtest.Start, Expected: -1, Revision: 1,
		})
		if err != nil {
			t.Fatal(err)
		}
		one.Status, one.EndedAt, one.Counts = status, viewtest.Start, run.Counts{Received: 10, Queued: 9, Rejected: 1, Delivered: 7}
		if status == run.Complete {
			one.Counts.Delivered = 9
		}
		if err := s.UpdateRun(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		if page, err := r.Run(t.Context(), one.ID); err != nil || page.Counts.Queued != want {
			t.Errorf("%s: %d queued, %v, want %d", status, page.Counts.Queued, err, want)
		}
	}
}
