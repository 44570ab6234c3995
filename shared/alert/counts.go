package alert

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// CountedRuns is how many runs before the last one its count is compared with.
const CountedRuns = 14

// A CountPolicy bounds how many rows a run may have, by those before it.
type CountPolicy struct {
	Change     float64 // over this share of the last run's rows more or fewer
	Over       int64   // where the last run, or the median or the new count, is more than so many
	Deviations float64 // beyond so many median absolute deviations from the median
	Least      int     // where there are so many runs to compare with
	// Floor is the least deviation, as a share of the median: counts that never changed
	// may change a little.
	Floor float64
}

// countAnomaly compares the last complete run with the one before it, and with the
// median of the last ones.
func countAnomaly(s Seen, _ time.Time, p Policy) (Notice, bool) {
	c := s.Counted
	if c.Run == "" || len(c.Before) == 0 {
		return Notice{}, false
	}
	n := Notice{Run: c.Run, Look: "penstock runs " + s.Sync, Mend: "penstock run " + s.Sync}
	before := c.Before[0]
	if before > p.Counts.Over && math.Abs(float64(c.Rows-before)) > p.Counts.Change*float64(before) {
		n.Why = fmt.Sprintf("the last run had %d rows, the one before it %d: look whether the model is right", c.Rows, before)
		return n, true
	}
	all := c.Before[:min(len(c.Before), CountedRuns)]
	if len(all) < p.Counts.Least {
		return Notice{}, false
	}
	middle, spread := deviation(all)
	if max(middle, float64(c.Rows)) <= float64(p.Counts.Over) { // a few rows more or fewer are no news
		return Notice{}, false
	}
	reach := p.Counts.Deviations * max(spread, p.Counts.Floor*middle)
	if math.Abs(float64(c.Rows)-middle) <= reach {
		return Notice{}, false
	}
	n.Why = fmt.Sprintf("the last run had %d rows; the %d before it leave %.0f to %.0f to be expected: look whether the model is right",
		c.Rows, len(all), max(0, math.Ceil(middle-reach)), math.Floor(middle+reach))
	return n, true
}

// deviation is the median of the counts, and the median of their distances from it.
func deviation(counts []int64) (middle, spread float64) {
	values := make([]float64, len(counts))
	for i, n := range counts {
		values[i] = float64(n)
	}
	middle = median(values)
	for i := range values {
		values[i] = math.Abs(values[i] - middle)
	}
	return middle, median(values)
}

// median sorts the values.
func median(values []float64) float64 {
	slices.Sort(values)
	half := len(values) / 2
	if len(values)%2 == 1 {
		return values[half]
	}
	return (values[half-1] + values[half]) / 2
}
