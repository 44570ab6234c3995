package frequency

import (
	"time"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// A Lateness is a sync's thresholds in whole minutes: it is late when more time has
// passed since its last success.
type Lateness struct {
	Interval  int64 `json:"interval_minutes"`        // the longest time between due times; 0 where no frequency is given
	Warn      int64 `json:"warn_minutes"`            // WARNING, in the health view and the dashboard
	Stale     int64 `json:"stale_minutes"`           // STALE in the health view, and the alert
	Dashboard int64 `json:"dashboard_stale_minutes"` // STALE in the dashboard
}

// The sample's thresholds in minutes, which are those of an hourly sync.
const (
	warnMinutes      = 2 * 60
	staleMinutes     = 4 * 60
	dashboardMinutes = 6 * 60
)

// LatenessOf gives a sync's thresholds: the sample's, or 2, 4 and 6 times the interval
// where that is more; freshness overrides them, and where it names one of the two
// only, the other one gives way to it. now is where a cron expression's gaps are
// looked for.
func LatenessOf(d *syncdef.Definition, now time.Time) Lateness {
	interval := int64(0)
	if s, err := Parse(d.Frequency); err == nil {
		interval = inMinutes(Gap(s, now))
	}
	l := Lateness{
		Interval: interval, Warn: max(warnMinutes, 2*interval),
		Stale: max(staleMinutes, 4*interval), Dashboard: max(dashboardMinutes, 6*interval),
	}
	if d.Freshness == nil {
		return l
	}
	warn, stale := minutes(d.Freshness.WarnAfter), minutes(d.Freshness.StaleAfter)
	if stale > 0 {
		l.Stale, l.Dashboard, l.Warn = stale, stale, min(l.Warn, stale)
	}
	if warn > 0 {
		l.Warn, l.Stale, l.Dashboard = warn, max(l.Stale, warn), max(l.Dashboard, warn)
	}
	return l
}

// minutes are those of a duration's text; 0 where the reader would have refused it.
func minutes(text string) int64 {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0
	}
	return inMinutes(d)
}

// inMinutes rounds up.
func inMinutes(d time.Duration) int64 { return int64((d + time.Minute - 1) / time.Minute) }
