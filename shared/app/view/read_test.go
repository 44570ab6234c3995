package view_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/penstock-data/penstock/shared/app/view"
	"github.com/penstock-data/penstock/shared/app/view/viewtest"
	"github.com/penstock-data/penstock/shared/run"
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
