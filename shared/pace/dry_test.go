package pace

import (
	"testing"
	"time"
)

// What keeps a bucket's callers waiting is told: the window, how much of it is spent, and
// when the next call is granted.
func TestDry(t *testing.T) {
	day, short := Window{Calls: 1000, Per: 24 * time.Hour}, Window{Calls: 100, Per: 10 * time.Second}
	minute := Window{Calls: 1, Per: time.Minute}
	every := time.Duration(86405.0 / 500 * float64(time.Second))
	for name, c := range map[string]struct {
		spent map[Window]float64
		now   []Window // the limits of now
		rate  float64
		want  Drought // its Wait is checked by a lease
	}{
		"nothing spent":           {},
		"some spent":              {spent: map[Window]float64{day: 490}},
		"all spent":               {spent: map[Window]float64{day: 500}, want: Drought{Window: day, Spent: 500, Burst: 500, Every: every}},
		"more than all":           {spent: map[Window]float64{day: 520}, want: Drought{Window: day, Spent: 500, Burst: 500, Every: every}},
		"one came back":           {spent: map[Window]float64{day: 498.9}, want: Drought{Window: day, Spent: 499, Burst: 500, Every: every}},
		"what comes back at once": {spent: map[Window]float64{short: 50}},
		"of two the longest":      {spent: map[Window]float64{short: 50, day: 499.5}, want: Drought{Window: day, Spent: 500, Burst: 500, Every: every}},
		"a share that was raised": {spent: map[Window]float64{day: 500}, now: []Window{{Calls: 2000, Per: day.Per}}},
		"one that was lowered":    {spent: map[Window]float64{day: 100}, now: []Window{{Calls: 100, Per: day.Per}}, want: Drought{Window: Window{Calls: 100, Per: day.Per}, Spent: 50, Burst: 50, Every: every}},
		"slowed down":             {spent: map[Window]float64{short: 50}, rate: 1. / 64, want: Drought{Window: short, Spent: 50, Burst: 50, Every: 19200 * time.Millisecond}},
		"a window of one call":    {spent: map[Window]float64{minute: 1}, want: Drought{Window: minute, Spent: 1, Burst: 1, Every: 61500 * time.Millisecond}},
	} {
		t.Run(name, func(t *testing.T) {
			b := Bucket{At: start}
			var limits []Window
			for _, w := range []Window{short, minute, day} {
				if spent, ok := c.spent[w]; ok {
					b.Levels, limits = append(b.Levels, Level{w.Per, w.Calls, spent}), append(limits, w)
				}
			}
			if c.now != nil {
				limits = c.now
			}
			if c.rate > 0 {
				b.Rate, b.Slowed = c.rate, start
			}
			got, dry := b.Dry(c.now, start)
			wait := got.Wait
			if got.Wait = 0; dry != (c.want != Drought{}) || got != c.want {
				t.Fatalf("%+v, %v; want %+v", got, dry, c.want)
			}
			if n, _, more := Lease(b, limits, 1, start.Add(wait)); dry && n != 1 {
				t.Errorf("after %v a lease still waits %v", wait, more)
			}
			if n, _, _ := Lease(b, limits, 1, start.Add(wait-5*time.Millisecond)); dry && wait > 0 && n > 0 {
				t.Errorf("a call is granted before %v", wait)
			}
		})
	}
}
