package local_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/penstock-data/penstock/shared/local"
)

// TestTick: a tick that takes long leaves nearly all of the time to others, and short
// ones come at the interval.
func TestTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var at []time.Duration
		took := []time.Duration{0, time.Millisecond, 50 * time.Millisecond, 5 * time.Second, 0}
		ctx, cancel := context.WithCancel(t.Context())
		f := invoked(func(context.Context, []byte) ([]byte, error) {
			at = append(at, time.Since(begun))
			if time.Sleep(took[len(at)-1]); len(at) == len(took) {
				cancel()
			}
			return nil, nil
		})
		if err := local.Tick(ctx, f, 200*time.Millisecond, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		want := []time.Duration{200, 400, 600, 600 + 50 + 950, 600 + 50 + 950 + 5000 + 1000}
		for i := range want {
			want[i] *= time.Millisecond
		}
		if !slices.Equal(at, want) {
			t.Errorf("ticks at %v, want %v", at, want)
		}
	})
}

type invoked func(context.Context, []byte) ([]byte, error)

func (f invoked) Invoke(ctx context.Context, payload []byte) ([]byte, error) { return f(ctx, payload) }
