package hubspot

import (
	"cmp"
	"net/http"
	"strconv"
	"time"
)

// The limits of Professional and Enterprise, and of search ("API usage guidelines and
// limits").
const (
	standardTen    = 190
	standardDay    = 650_000
	searchASecond  = 4
	window         = 10 * time.Second
	rollingHeaders = "X-HubSpot-RateLimit-"
)

// limits count the account's calls.
type limits struct {
	ten, day int
	window   time.Duration // that the calls of ten are counted in
	second   time.Duration // that searches are counted in
	recent   []time.Time   // of the last window
	searches []time.Time   // of the last second
	today    string
	spent    int
}

func newLimits(o Options) limits {
	l := limits{ten: o.TenSeconds, day: o.Daily, window: cmp.Or(o.Window, window), second: min(time.Second, cmp.Or(o.Window, time.Second))}
	if l.ten == 0 {
		l.ten = standardTen
	}
	if l.day == 0 {
		l.day = standardDay
	}
	return l
}

// spend counts one call and sets the headers that tell; searches have none.
func (l *limits) spend(h http.Header, now time.Time, search bool) *failure {
	if today := now.UTC().Format(time.DateOnly); today != l.today {
		l.today, l.spent = today, 0
	}
	l.recent = within(l.recent, now, l.window)
	if search {
		l.searches = within(l.searches, now, l.second)
		if l.ten > 0 && len(l.searches) >= searchASecond {
			return tooMany("You have reached your secondly limit.", "SECONDLY")
		}
		l.searches = append(l.searches, now)
	}
	ten, day := l.ten > 0 && len(l.recent) >= l.ten, l.day > 0 && l.spent >= l.day
	if !ten && !day {
		l.recent = append(l.recent, now)
		l.spent++
	}
	if !search {
		set := func(name string, n int) { h.Set(rollingHeaders+name, strconv.Itoa(n)) }
		set("Max", l.ten)
		set("Remaining", max(0, l.ten-len(l.recent)))
		set("Interval-Milliseconds", int(l.window/time.Millisecond))
		set("Daily", l.day)
		set("Daily-Remaining", max(0, l.day-l.spent))
	}
	switch {
	case day:
		return tooMany("You have reached your daily limit.", "DAILY")
	case ten:
		return tooMany("You have reached your ten_secondly_rolling limit.", "TEN_SECONDLY_ROLLING")
	}
	return nil
}

// within drops the times that are over.
func within(times []time.Time, now time.Time, span time.Duration) []time.Time {
	n := 0
	for n < len(times) && now.Sub(times[n]) >= span {
		n++
	}
	return times[n:]
}

func tooMany(message, policy string) *failure {
	return &failure{status: http.StatusTooManyRequests, Message: message, ErrorType: "RATE_LIMIT", Policy: policy, Category: "RATE_LIMITS"}
}
