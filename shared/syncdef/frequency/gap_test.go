package frequency_test

import (
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/syncdef/frequency"
)

func TestGap(t *testing.T) {
	const day = 24 * time.Hour
	now := time.Date(2026, 3, 4, 10, 20, 30, 0, time.UTC) // a Wednesday
	for in, want := range map[string]time.Duration{
		"hourly":            time.Hour,
		"daily":             day,
		"weekly":            7 * day,
		"every 15m":         15 * time.Minute,
		"every 90m":         90 * time.Minute,
		"* * * * *":         time.Minute,
		"0 * * * *":         time.Hour,
		"0 6 * * MON-FRI":   3 * day,                               // Friday to Monday
		"*/15 9-17 * * 1-5": 2*day + 15*time.Hour + 15*time.Minute, // Friday 17:45 to Monday 9:00
		"0 6,18 * * *":      12 * time.Hour,
		"0 0,1 * * *":       23 * time.Hour,
		"0 0 1 * *":         30 * day, // April, after no due time in the 14 days
		"0 0 1,15 * *":      17 * day, // from the 15th, within them, to the 1st
		"0 0 29 2 *":        1461 * day,
		"30 4 * * 2":        7 * day,
	} {
		s, err := frequency.Parse(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := frequency.Gap(s, now); got != want {
			t.Errorf("%s: the longest gap is %s, want %s", in, got, want)
		}
	}
}

// What lies before now, and after the 14 days, does not count.
func TestGapLooksAhead(t *testing.T) {
	s, err := frequency.Parse("0 0 1-10 * *") // daily, but for a break from the 10th on
	if err != nil {
		t.Fatal(err)
	}
	for now, want := range map[time.Time]time.Duration{
		time.Date(2026, 3, 1, 1, 0, 0, 0, time.UTC):  22 * 24 * time.Hour, // the break begins on the 10th
		time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC): 24 * time.Hour,      // 1 to 3 April
	} {
		if got := frequency.Gap(s, now); got != want {
			t.Errorf("from %s: %s, want %s", now, got, want)
		}
	}
}
