package slack

import (
	"math"
	"time"
)

// tiers are calls a minute and method (Slack, "Rate limits": tier 3 is 50 and more,
// tier 2 is 20 and more; auth.test has a limit of its own, in the hundreds).
var tiers = map[string]int{
	"conversations.history": 50,
	"conversations.list":    20,
	"auth.test":             200,
}

// limits are the workspace's, for its one app.
type limits struct {
	spacing time.Duration          // negative enforces nothing
	minute  time.Duration          // how long a minute of the tiers lasts
	last    map[string]time.Time   // channel id -> when its last message was accepted
	lastTS  map[string]int64       // channel id -> ts of its last message, in microseconds
	calls   map[string][]time.Time // method -> calls of the last minute, oldest first
	blocked map[string]time.Time   // method -> until when it refuses everybody
}

func newLimits(spacing, minute time.Duration) limits {
	return limits{spacing: spacing, minute: minute, last: map[string]time.Time{}, lastTS: map[string]int64{}, calls: map[string][]time.Time{}, blocked: map[string]time.Time{}}
}

// posted notes a channel's last message.
func (l *limits) posted(channel string, at time.Time, ts int64) {
	l.last[channel], l.lastTS[channel] = at, ts
}

// call takes one call of a method, or refuses it.
func (l *limits) call(method string, now time.Time) error {
	if l.spacing < 0 {
		return nil
	}
	if until := l.blocked[method]; now.Before(until) {
		return limited(until.Sub(now))
	}
	most, tiered := tiers[method]
	if !tiered {
		return nil
	}
	calls := l.calls[method]
	for len(calls) > 0 && !calls[0].Add(l.minute).After(now) {
		calls = calls[1:]
	}
	if len(calls) >= most {
		return l.refuse(method, now, calls[0].Add(l.minute).Sub(now))
	}
	l.calls[method] = append(calls, now)
	return nil
}

// message refuses a message that comes too soon after its channel's last.
func (l *limits) message(method, channel string, now time.Time) error {
	last, posted := l.last[channel]
	if l.spacing < 0 || !posted {
		return nil
	}
	if wait := last.Add(l.spacing).Sub(now); wait > 0 {
		return l.refuse(method, now, wait)
	}
	return nil
}

// refuse lets nobody call the method for a while, in whole seconds.
func (l *limits) refuse(method string, now time.Time, wait time.Duration) error {
	err := limited(wait)
	l.blocked[method] = now.Add(wait)
	return err
}

// limited is the answer to a call that has to wait.
func limited(wait time.Duration) error {
	return &failure{code: "ratelimited", retryAfter: int(math.Ceil(wait.Seconds()))}
}
