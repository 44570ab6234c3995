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

// A step that needs more than the share of one among many gets it of what the others left,
// before the caller's time is over, and is a failure only if that is too little too. One
// that stored how far it came is none.
func TestShareOnceMore(t *testing.T) {
	for name, c := range map[string]struct {
		needs  time.Duration // of step 7; the others need little
		within time.Duration // 0: the caller sets no time
		err    error         // that it ends with
		goes   int
		want   error
	}{
		"it is done":         {needs: 3 * time.Second, within: 50 * time.Second, goes: 2},
		"it never is":        {needs: time.Hour, within: 50 * time.Second, goes: 2, want: context.DeadlineExceeded},
		"it fails at once":   {within: 50 * time.Second, err: errors.ErrUnsupported, goes: 1, want: errors.ErrUnsupported},
		"it goes on":         {within: 50 * time.Second, err: errMore, goes: 2},
		"there is all time":  {needs: time.Hour, goes: 1, want: context.DeadlineExceeded},
		"it goes on later":   {err: errMore, goes: 1},
		"there is none left": {needs: time.Hour, within: time.Second, goes: 1, want: context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &Sweep{Now: time.Now}
				goes, others := 0, 0
				var steps []func(context.Context) error
				for n := range 100 {
					steps = append(steps, func(ctx context.Context) error {
						needs := 10 * time.Millisecond
						if n == 7 {
							goes++
							needs = c.needs
						}
						select {
						case <-ctx.Done():
							return ctx.Err()
						case <-time.After(needs):
						}
						if n == 7 {
							return c.err
						}
						others++
						return nil
					})
				}
				ctx := t.Context()
				if c.within > 0 {
					in, cancel := context.WithTimeout(ctx, c.within)
					defer cancel()
					ctx = in
				}
				if err := s.share(ctx, steps); !errors.Is(err, c.want) || goes != c.goes {
					t.Errorf("%v, taken %d times; want %v and %d", err, goes, c.want, c.goes)
				}
				if c.within != time.Second && others != 99 {
					t.Errorf("%d others were taken", others)
				}
				if c.within == 50*time.Second && ctx.Err() != nil {
					t.Error("no time is left")
				}
			})
		})
	}
}

// What a step ended with is told where no time is left for a second round.
func TestShareTellsWhatIsNotTakenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Sweep{Now: time.Now}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		failed := errors.New("the first did not end")
		err := s.share(ctx, []func(context.Context) error{
			func(ctx context.Context) error { <-ctx.Done(); return failed },
			func(context.Context) error { time.Sleep(time.Minute); return nil }, // it does not look at its time
		})
		if !errors.Is(err, failed) {
			t.Error(err)
		}
	})
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
