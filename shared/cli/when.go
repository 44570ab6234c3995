package cli

import (
	"fmt"
	"regexp"
	"time"
)

// A clock tells the time of this machine's zone.
type clock struct {
	now  func() time.Time
	zone *time.Location
}

// when is a time in the local zone with its age: "2026-11-25 14:03 CET, 3 min ago".
// The zero time is "never".
func (c clock) when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.In(c.zone).Format("2006-01-02 15:04 MST") + ", " + age(c.now().Sub(t))
}

// local rewrites the times that a text of ours holds (RFC 3339, in UTC) as when does.
func (c clock) local(text string) string {
	return stamps.ReplaceAllStringFunc(text, func(stamp string) string {
		t, err := time.Parse(time.RFC3339, stamp)
		if err != nil {
			return stamp
		}
		return t.In(c.zone).Format("2006-01-02 15:04 MST") + " (" + age(c.now().Sub(t)) + ")"
	})
}

var stamps = regexp.MustCompile(`\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z`)

// age says how long ago something was, or in how long it will be, in its greatest unit.
func age(d time.Duration) string {
	if d < 0 {
		if d > -time.Second {
			return "now"
		}
		return "in " + span(-d)
	}
	if d < time.Second {
		return "just now"
	}
	return span(d) + " ago"
}

// span is a duration in its greatest whole unit.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}
