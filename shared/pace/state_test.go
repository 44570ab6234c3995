package pace

import (
	"testing"
	"time"
)

func TestMay(t *testing.T) {
	failing := func(until, probe time.Duration) State {
		s := State{Since: start.Add(-time.Hour), Until: start.Add(until), Code: "login", Reason: "why", Revision: 7}
		if probe != 0 {
			s.Probe = start.Add(probe)
		}
		return s
	}
	for _, c := range []struct {
		name  string
		state State
		probe bool
		wait  time.Duration
	}{
		{"in order", State{Revision: 3}, false, 0},
		{"paused", failing(time.Minute, 0), false, time.Minute},
		{"paused for as long as a vendor may ask", failing(12*time.Hour, 0), false, 12 * time.Hour},
		{"the pause is over", failing(0, 0), true, 0},
		{"long over", failing(-time.Hour, 0), true, 0},
		{"somebody probes", failing(-time.Second, time.Minute), false, 5 * time.Second},
		{"somebody probes for another moment", failing(-time.Second, time.Millisecond), false, time.Second},
		{"the prober died", failing(-time.Minute, -time.Second), true, 0},
		{"paused by a clock that was a day ahead", failing(24*time.Hour, 0), true, 0},
		{"probed by a clock that was a day ahead", failing(-time.Second, 24*time.Hour), true, 0},
		{"paused by a clock a minute ahead", failing(12*time.Hour+time.Minute, 0), false, 12*time.Hour + time.Minute},
	} {
		next, probe, wait := c.state.May(start)
		if probe != c.probe || wait != c.wait {
			t.Errorf("%s: probe %t, wait %v; want %t, %v", c.name, probe, wait, c.probe, c.wait)
		}
		want := c.state
		if c.probe {
			want.Probe = start.Add(probeLife)
		}
		if next != want {
			t.Errorf("%s: next is %+v, want %+v", c.name, next, want)
		}
		if _, again, _ := next.May(start); again {
			t.Errorf("%s: two workers may probe", c.name)
		}
	}
}

func TestFail(t *testing.T) {
	since := func(d time.Duration) State { return State{Since: start.Add(-d), Until: start, Revision: 7} }
	for _, c := range []struct {
		name  string
		state State
		after time.Duration
		wait  time.Duration
	}{
		{"the first", State{}, 0, time.Second},
		{"the first, with a word of the vendor", State{}, time.Minute, time.Minute},
		{"soon after", since(2 * time.Second), 0, time.Second},
		{"a quarter of the time it lasts", since(20 * time.Minute), 0, 5 * time.Minute},
		{"half an hour at most", since(10 * time.Hour), 0, 30 * time.Minute},
		{"the vendor's word counts, shorter", since(10 * time.Hour), 2 * time.Second, 2 * time.Second},
		{"and longer", since(time.Minute), 5 * time.Hour, 5 * time.Hour},
		{"but is believed up to 12 hours", since(time.Minute), 90 * time.Hour, 12 * time.Hour},
		{"and never below a second", since(time.Minute), time.Nanosecond, time.Second},
		{"a call without a word does not shorten another's", State{Since: start.Add(-time.Second), Until: start.Add(time.Hour), Code: "429", Reason: "the quota is spent", Quota: true}, 0, time.Hour},
		{"a longer word is the one that is told", State{Since: start.Add(-time.Second), Until: start.Add(time.Minute), Code: "401", Reason: "refused", SetUp: true}, time.Hour, time.Hour},
		{"nor does a shorter word", State{Since: start.Add(-time.Second), Until: start.Add(time.Hour)}, time.Minute, time.Hour},
		{"a pause by a clock a day ahead", State{Since: start.Add(24 * time.Hour), Until: start.Add(24 * time.Hour)}, 0, time.Second},
	} {
		got := c.state.Fail(start, c.after, "code", "reason")
		if wait := got.Until.Sub(start); wait != c.wait {
			t.Errorf("%s: paused for %v, want %v", c.name, wait, c.wait)
		}
		told := State{Code: "code", Reason: "reason"}
		if got.Until.Equal(c.state.Until) { // what is waited for is the failure of before
			told = c.state
		}
		if !got.Failing() || got.Since.After(start) || got.Code != told.Code || got.Reason != told.Reason || got.SetUp != told.SetUp || got.Quota != told.Quota || !got.Probe.IsZero() || got.Revision != c.state.Revision {
			t.Errorf("%s: %+v", c.name, got)
		}
		if c.state.Failing() && !c.state.Since.After(start) && got.Since != c.state.Since {
			t.Errorf("%s: the failure began anew", c.name)
		}
	}
}

// An outage is probed often at first and within half an hour in the end.
func TestOutage(t *testing.T) {
	s, now, probes := State{}.Fail(start, 0, "c", "r"), start, 0
	for now.Before(start.Add(24 * time.Hour)) {
		next, probe, wait := s.May(now)
		if !probe {
			now = now.Add(wait)
			continue
		}
		if probes++; probes < 6 && now.Sub(start) > time.Minute {
			t.Errorf("probe %d only %v after the failure", probes, now.Sub(start))
		}
		s = next.Fail(now, 0, "c", "r")
	}
	if probes < 50 || probes > 150 {
		t.Errorf("%d probes in a day", probes)
	}
	s.Revision = 9
	if mended := s.Mend(); mended != (State{Revision: 9}) {
		t.Errorf("mended: %+v", mended)
	}
}

// A failure that a clock told hours ahead holds nobody up once that was put right, and one
// worker probes.
func TestClockAhead(t *testing.T) {
	s := State{}.Fail(start.Add(8*time.Hour), 0, "network", "why")
	next, probe, wait := s.May(start)
	if !probe || wait != 0 || next.Since != start {
		t.Errorf("probe %t, wait %v: %+v", probe, wait, next)
	}
	if _, again, wait := next.May(start); again || wait != 5*time.Second {
		t.Errorf("another worker: probe %t, wait %v", again, wait)
	}
	if failed := s.Fail(start, 0, "network", "why"); failed.Until != start.Add(time.Second) {
		t.Errorf("paused until %v", failed.Until)
	}
}

// A failure that goes on right after a probe was answered lasts from its beginning; a
// minute without one is its end.
func TestAnswered(t *testing.T) {
	failing := State{Since: start.Add(-2 * time.Hour), Until: start, Probe: start.Add(probeLife), Code: "login", Reason: "why", SetUp: true, Quota: true, Revision: 7}
	for _, c := range []struct {
		name  string
		state State
		later time.Duration
		since time.Duration // before the second failure
		wait  time.Duration
	}{
		{"at once", failing.Answered(start), 0, 2 * time.Hour, 30 * time.Minute},
		{"within a minute", failing.Answered(start), 59 * time.Second, 2*time.Hour + 59*time.Second, 30 * time.Minute},
		{"after a minute", failing.Answered(start), time.Minute, 0, time.Second},
		{"by a clock that is behind", failing.Answered(start), -time.Second, 2*time.Hour - time.Second, 1799750 * time.Millisecond},
		{"by a clock that was a day ahead", failing.Answered(start.Add(24 * time.Hour)), 0, 0, time.Second},
		{"after a failure that a clock told a day ahead", State{Since: start.Add(24 * time.Hour), Revision: 7}.Answered(start), time.Second, 0, time.Second},
		{"after a person's mending", failing.Answered(start).Mend(), 0, 0, time.Second},
	} {
		if next, probe, wait := c.state.May(start); c.state.Failing() || probe || wait != 0 || next != c.state {
			t.Errorf("%s: %+v holds calls up", c.name, c.state)
		}
		now := start.Add(c.later)
		got := c.state.Fail(now, 0, "missing_scope", "reason")
		if want := (State{Since: now.Add(-c.since), Until: now.Add(c.wait), Code: "missing_scope", Reason: "reason", Revision: 7}); got != want {
			t.Errorf("%s: %+v, want %+v", c.name, got, want)
		}
	}
}

// A person's test ends what an answer disproves, and no wait for a quota.
func TestTested(t *testing.T) {
	failed := State{Revision: 4}.Fail(start, time.Hour, "login", "why")
	quota := failed
	quota.Quota = true
	for _, c := range []struct {
		name   string
		state  State
		next   State
		mended bool
	}{
		{"in order", State{Revision: 3}, State{Revision: 3}, false},
		{"a refused login", failed, State{Revision: 4}, true},
		{"a spent quota", quota, quota, false},
	} {
		if next, mended := c.state.Tested(); next != c.next || mended != c.mended {
			t.Errorf("%s: %+v, %t", c.name, next, mended)
		}
	}
}
