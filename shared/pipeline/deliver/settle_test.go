package deliver

import (
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
)

// A row that is stored as due waits a random part of base·2ⁿ, at most the longest, at
// least a second, and never less than the vendor asks.
func TestLater(t *testing.T) {
	const almost = 1 - 1.0/(1<<20)
	for name, c := range map[string]struct {
		attempts      int
		base, longest time.Duration
		rand          float64
		after         time.Duration
		want          time.Duration
	}{
		"the first attempt":         {0, time.Minute, time.Hour, 0.5, 0, 30 * time.Second},
		"the second":                {1, time.Minute, time.Hour, 0.5, 0, time.Minute},
		"the third":                 {2, time.Minute, time.Hour, 0.5, 0, 2 * time.Minute},
		"a small part":              {2, time.Minute, time.Hour, 0.0625, 0, 15 * time.Second},
		"all but all":               {1, 1 << 40, 1 << 50, almost, 0, 1<<41 - 1<<21},
		"nothing":                   {5, time.Minute, time.Hour, 0, 0, time.Second},
		"less than a second":        {0, time.Second, time.Hour, 0.75, 0, time.Second},
		"the last below the cap":    {3, time.Minute, 15 * time.Minute, 0.5, 0, 4 * time.Minute},
		"the cap":                   {4, time.Minute, 15 * time.Minute, 0.5, 0, 450 * time.Second},
		"far beyond the cap":        {19, time.Minute, 15 * time.Minute, 0.5, 0, 450 * time.Second},
		"more than can be told":     {31, 24 * time.Hour, 24 * time.Hour, 0.5, 0, 12 * time.Hour},
		"more than can be shifted":  {64, 1, time.Hour, 0.5, 0, 30 * time.Minute},
		"the vendor asks for more":  {0, time.Minute, time.Hour, 0.5, 10 * time.Minute, 10 * time.Minute},
		"the vendor asks for less":  {0, time.Minute, time.Hour, 0.5, 10 * time.Second, 30 * time.Second},
		"the vendor is above a cap": {9, time.Minute, time.Hour, 0.5, 3 * time.Hour, 3 * time.Hour},
	} {
		d, wait := settle(&situation{
			outcome: &dest.Outcome{Status: dest.Retry, After: c.after}, tries: tries, attempts: c.attempts, most: c.attempts + 2,
			base: c.base, longest: c.longest, source: true, rand: c.rand,
		})
		if d != storeDue || wait != c.want {
			t.Errorf("%s: decision %d after %v, want %d after %v", name, d, wait, storeDue, c.want)
		}
	}
}
