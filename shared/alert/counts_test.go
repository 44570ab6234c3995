package alert

import (
	"slices"
	"strings"
	"testing"
)

// Each bound of the record count, and one row beyond.
func TestCountAnomaly(t *testing.T) {
	steady := slices.Repeat([]int64{1000}, 14)                                                      // by 3% of them
	varied := []int64{1000, 1010, 990, 1020, 980, 1030, 970, 1040, 960, 1050, 950, 1060, 940, 1000} // median 1000, deviations of 30 at the median
	for _, c := range []struct {
		name   string
		rows   int64
		before []int64
		want   string // of the reason; "" is no alert
	}{
		{"nothing to compare with", 5000, nil, ""},
		{"half more", 300, []int64{200}, ""},
		{"over half more", 301, []int64{200}, "had 301 rows, the one before it 200"},
		{"half less", 100, []int64{200}, ""},
		{"over half less", 99, []int64{200}, "had 99 rows, the one before it 200"},
		{"none", 0, []int64{200}, "had 0 rows"},
		{"100 before", 1, []int64{100}, ""},
		{"101 before", 50, []int64{101}, "had 50 rows, the one before it 101"},
		{"half of 101", 51, []int64{101}, ""},
		{"six runs are too few", 1400, steady[:6], ""},
		{"seven are enough", 1400, steady[:7], "the 7 before it leave 970 to 1030"},
		{"3% of a steady count", 1030, steady, ""},
		{"a row more", 1031, steady, "the 14 before it leave 970 to 1030"},
		{"3% less", 970, steady, ""},
		{"a row less", 969, steady, "leave 970 to 1030"},
		{"3 deviations", 1090, varied, ""},
		{"and a row", 1091, varied, "the 14 before it leave 910 to 1090"},
		{"3 deviations less", 910, varied, ""},
		{"and a row less", 909, varied, "leave 910 to 1090"},
		{"few rows", 100, slices.Repeat([]int64{2}, 14), ""},
		{"many all at once", 101, slices.Repeat([]int64{2}, 14), "leave 2 to 2"},
		{"of an even number, the mean of the two", 1500, []int64{1000, 1000, 1000, 1000, 2000, 2000, 2000, 2000}, ""},
		{"the fifteenth does not count", 1031, append(slices.Clone(steady), 9000, 9000, 9000), "the 14 before it"},
	} {
		s := seen(func(s *Seen) { s.Counted = Counts{Run: "sf_health.r1", Rows: c.rows, Before: c.before} })
		n, on := countAnomaly(s, noon, DefaultPolicy)
		if on != (c.want != "") || !strings.Contains(n.Why, c.want) {
			t.Errorf("%s: %v, %q", c.name, on, n.Why)
		}
		if on && (n.Run != "sf_health.r1" || n.Look != "penstock runs sf_health" || n.Mend != "penstock run sf_health") {
			t.Errorf("%s: %+v", c.name, n)
		}
	}
	if _, on := countAnomaly(seen(nil), noon, DefaultPolicy); on {
		t.Error("without a complete run there is nothing to tell")
	}
}
