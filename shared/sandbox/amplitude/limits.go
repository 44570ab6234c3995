package amplitude

import (
	"net/http"
	"time"
)

// limits are what users and devices got of late.
type limits struct {
	ids         map[string]*usage
	short, hour time.Duration // how long shortSpan and an hour last
}

// usage is one id's. Events are counted by spans of 30 seconds, over which Amplitude
// takes the average, and of a day.
type usage struct {
	short, day time.Time // when the spans began
	inShort    int
	inDay      int
	updates    []time.Time // of the last hour, oldest first
}

const shortSpan = 30 * time.Second

// of gives an id's usage, with the spans that are over begun anew.
func (l *limits) of(id string, now time.Time) *usage {
	u := l.ids[id]
	if u == nil {
		u = &usage{}
		l.ids[id] = u
	}
	if now.Sub(u.short) >= l.short || now.Before(u.short) {
		u.short, u.inShort = now, 0
	}
	if now.Sub(u.day) >= 24*time.Hour || now.Before(u.day) {
		u.day, u.inDay = now, 0
	}
	return u
}

// throttle is the answer to a request with too many events of a user or device; nil
// when there are none, and then the events are counted.
func (s *Server) throttle(events []event, struck map[string][]int, l limitsOf) (int, map[string]any) {
	now := s.core.Now()
	more := map[string]int{}
	for i := range events {
		for _, id := range events[i].ids() {
			more[id]++
		}
	}
	sets := map[string]map[string]int{"throttled_users": {}, "throttled_devices": {}, "exceeded_daily_quota_users": {}, "exceeded_daily_quota_devices": {}}
	throttled := []int{}
	for i := range events {
		user := events[i].text("user_id")
		for n, id := range events[i].ids() {
			kind, name := "users", user
			if n > 0 || user == "" {
				kind, name = "devices", events[i].text("device_id")
			}
			u := s.limits.of(id, now)
			if u.inDay+more[id] > s.cfg.PerDay {
				sets["exceeded_daily_quota_"+kind][name] = u.inDay + more[id]
			}
			if u.inShort+more[id] > l.perSecond*int(shortSpan/time.Second) {
				sets["throttled_"+kind][name] = (u.inShort + more[id]) / int(shortSpan/time.Second)
				throttled = append(throttled, i)
			}
		}
	}
	for _, i := range struck["throttled_users"] {
		sets["throttled_users"][events[i].text("user_id")] = l.perSecond + 1
		throttled = append(throttled, i)
	}
	for _, i := range struck["exceeded_daily_quota_users"] {
		sets["exceeded_daily_quota_users"][events[i].text("user_id")] = s.cfg.PerDay + 1
	}
	some := false
	for _, set := range sets {
		some = some || len(set) > 0
	}
	if !some {
		for id, n := range more {
			u := s.limits.of(id, now)
			u.inShort += n
			u.inDay += n
		}
		return 0, nil
	}
	answer := map[string]any{"code": 429, "error": "Too many requests for some devices and users", "eps_threshold": l.perSecond, "throttled_events": throttled}
	for member, set := range sets {
		answer[member] = set
	}
	return http.StatusTooManyRequests, answer
}

// updated counts a property update of a user, or reports that there were too many.
func (s *Server) updated(user string) bool {
	now := s.core.Now()
	u := s.limits.of("user:"+user, now)
	for len(u.updates) > 0 && now.Sub(u.updates[0]) >= s.limits.hour {
		u.updates = u.updates[1:]
	}
	if len(u.updates) >= s.cfg.PerHour {
		return false
	}
	u.updates = append(u.updates, now)
	return true
}
