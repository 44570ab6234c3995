package runs

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A step that takes all the time that it gets leaves the others theirs.
func TestShare(t *testing.T) {
	for slow := range 3 {
		synctest.Test(t, func(t *testing.T) {
			s := &Sweep{Now: func() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }} // where synctest's clock starts
			var done []int
			var steps []func(context.Context) error
			for n := range 3 {
				steps = append(steps, func(ctx context.Context) error {
					if n == slow {
						<-ctx.Done()
						return ctx.Err()
					}
					done = append(done, n)
					return ctx.Err()
				})
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := s.share(ctx, steps); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("step %d is slow: %v", slow, err)
			}
			if want := slices.DeleteFunc([]int{0, 1, 2}, func(n int) bool { return n == slow }); !slices.Equal(done, want) {
				t.Errorf("step %d is slow: %v were taken, want %v", slow, done, want)
			}
		})
	}
}

// Each minute another one is the first, and none is left out.
func TestTurn(t *testing.T) {
	first := map[string]bool{}
	for minute := range 3 {
		got := turn([]string{"a", "b", "c"}, time.Unix(int64(60*minute), 0))
		first[got[0]] = true
		if slices.Sort(got); !slices.Equal(got, []string{"a", "b", "c"}) {
			t.Errorf("minute %d: %v", minute, got)
		}
	}
	if len(first) != 3 {
		t.Errorf("the first are %v", first)
	}
}
