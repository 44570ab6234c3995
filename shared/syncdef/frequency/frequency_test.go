package frequency_test

import (
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/syncdef/frequency"
)

func TestNext(t *testing.T) {
	from := time.Date(2026, 3, 4, 10, 20, 30, 0, time.UTC) // a Wednesday
	for _, c := range []struct{ in, want string }{
		{"hourly", "2026-03-04T11:00:00Z"},
		{"daily", "2026-03-05T00:00:00Z"},
		{"weekly", "2026-03-08T00:00:00Z"},
		{"every 15m", "2026-03-04T10:35:30Z"},
		{"every 2h", "2026-03-04T12:20:30Z"},
		{"*/15 * * * *", "2026-03-04T10:30:00Z"},
		{"0 6 * * MON-FRI", "2026-03-05T06:00:00Z"},
		{"0 0 29 2 *", "2028-02-29T00:00:00Z"},
	} {
		s, err := frequency.Parse(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if got := s.Next(from).Format(time.RFC3339); got != c.want {
			t.Errorf("%s: next %s, want %s", c.in, got, c.want)
		}
	}
}

// The next time must not depend on the zone of the machine.
func TestNextIsUTC(t *testing.T) {
	s, err := frequency.Parse("daily")
	if err != nil {
		t.Fatal(err)
	}
	zone := time.FixedZone("east", 9*3600)
	got := s.Next(time.Date(2026, 3, 4, 10, 0, 0, 0, zone)) // 01:00 UTC
	if want := time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("next %s, want %s", got.UTC(), want)
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", "neither"},
		{"sometimes", "neither"},
		{"every 0m", "shorter"},
		{"every 10s", "no interval"},
		{"every 15 minutes", "no interval"},
		{"* * * *", "neither"},
		{"* * * * * *", "neither"},
		{"TZ=UTC", "neither"},
		{"@every 1s", "neither"},
		{"61 * * * *", "above maximum"},
		{"*/0 * * * *", "step"},
		{"0 0 31 2 *", "never comes"},
	} {
		if _, err := frequency.Parse(c.in); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want it to name %q", c.in, err, c.want)
		}
	}
}
