// Package frequency reads sync_frequency: hourly, daily, weekly, "every 15m" or a
// cron expression of five fields, all in UTC. It says when a sync is due, and how
// late is too late; it starts nothing.
package frequency

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Allowed is what a person may write, for messages.
const Allowed = `hourly, daily, weekly, "every 15m" (m or h, at least 1m), or a cron expression of five fields such as "0 6 * * 1-5" (UTC)`

// A Schedule tells when a sync is due next.
type Schedule interface {
	// Next is the first time after t.
	Next(t time.Time) time.Time
}

var (
	named = map[string]string{"hourly": "0 * * * *", "daily": "0 0 * * *", "weekly": "0 0 * * 0"}
	every = regexp.MustCompile(`^every ([0-9]{1,5})(m|h)$`)
	// Only what a crontab line holds: cron.ParseStandard would also take zones
	// and descriptors, and panics on some of them.
	fields = regexp.MustCompile(`^[0-9A-Za-z*/,?-]+( +[0-9A-Za-z*/,?-]+){4}$`)
)

// Parse reads a frequency. The error says what is wrong; Allowed says what is right.
func Parse(s string) (Schedule, error) {
	spec, ok := named[s]
	if !ok {
		spec = s
	}
	if m := every.FindStringSubmatch(spec); m != nil {
		d, err := time.ParseDuration(m[1] + m[2])
		if err != nil || d < time.Minute {
			return nil, fmt.Errorf("%q is shorter than a minute", s)
		}
		return cron.Every(d), nil
	}
	if strings.HasPrefix(spec, "every") {
		return nil, fmt.Errorf("%q is no interval", s)
	}
	if !fields.MatchString(spec) {
		return nil, fmt.Errorf("%q is neither a frequency nor a cron expression", s)
	}
	plan, err := cron.ParseStandard("CRON_TZ=UTC " + spec)
	if err != nil {
		return nil, fmt.Errorf("cron expression %q: %w", s, err)
	}
	// cron looks five years ahead; 2024 has the leap day.
	if plan.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, fmt.Errorf("cron expression %q names a day that never comes", s)
	}
	return plan, nil
}
