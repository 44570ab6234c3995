package frequency_test

import (
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/frequency"
)

func TestLateness(t *testing.T) {
	at := time.Date(2026, 3, 4, 10, 20, 30, 0, time.UTC) // a Wednesday
	hourly := frequency.Lateness{Interval: 60, Warn: 120, Stale: 240, Dashboard: 360}
	for _, c := range []struct {
		name, frequency string
		freshness       *syncdef.Freshness
		want            frequency.Lateness
	}{
		{"hourly", "hourly", nil, hourly},
		{"as cron", "0 * * * *", nil, hourly},
		{"every hour", "every 60m", nil, hourly},
		{"none", "", nil, frequency.Lateness{Interval: 0, Warn: 120, Stale: 240, Dashboard: 360}},
		{"faster", "every 15m", nil, frequency.Lateness{Interval: 15, Warn: 120, Stale: 240, Dashboard: 360}},
		{"a little slower", "every 61m", nil, frequency.Lateness{Interval: 61, Warn: 122, Stale: 244, Dashboard: 366}},
		{"daily", "daily", nil, frequency.Lateness{Interval: 1440, Warn: 2880, Stale: 5760, Dashboard: 8640}},
		{"weekdays", "0 6 * * 1-5", nil, frequency.Lateness{Interval: 4320, Warn: 8640, Stale: 17280, Dashboard: 25920}},
		{"its own", "daily", &syncdef.Freshness{WarnAfter: "2h", StaleAfter: "4h"}, frequency.Lateness{Interval: 1440, Warn: 120, Stale: 240, Dashboard: 240}},
		{"seconds count up", "hourly", &syncdef.Freshness{WarnAfter: "90s", StaleAfter: "91m"}, frequency.Lateness{Interval: 60, Warn: 2, Stale: 91, Dashboard: 91}},
		{"warns later than it would be stale", "hourly", &syncdef.Freshness{WarnAfter: "12h"}, frequency.Lateness{Interval: 60, Warn: 720, Stale: 720, Dashboard: 720}},
		{"warns sooner", "hourly", &syncdef.Freshness{WarnAfter: "30m"}, frequency.Lateness{Interval: 60, Warn: 30, Stale: 240, Dashboard: 360}},
		{"stale before it would warn", "daily", &syncdef.Freshness{StaleAfter: "3h"}, frequency.Lateness{Interval: 1440, Warn: 180, Stale: 180, Dashboard: 180}},
		{"stale later", "hourly", &syncdef.Freshness{StaleAfter: "48h"}, frequency.Lateness{Interval: 60, Warn: 120, Stale: 2880, Dashboard: 2880}},
	} {
		d := syncdef.Definition{Frequency: c.frequency, Freshness: c.freshness}
		if got := frequency.LatenessOf(&d, at); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
