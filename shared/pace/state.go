package pace

import "time"

// A State is what is stored of a connection: whether it is paused, since when,
// why, and who probes it. The zero value is a connection in order.
type State struct {
	Since    time.Time `json:"since,omitzero"`   // when the failure began
	Until    time.Time `json:"until,omitzero"`   // nobody calls before
	Probe    time.Time `json:"probe,omitzero"`   // until when somebody's probe is under way
	Code     string    `json:"code,omitempty"`   //
	Reason   string    `json:"reason,omitempty"` // for people; never a row's value
	Revision int64     `json:"revision"`         // grows with every change; 0 where nothing is stored
}

// Bounds of a connection's waits.
const (
	probeLife = 90 * time.Second // a prober that says nothing for so long is dead
	leastWait = time.Second
	mostWait  = 30 * time.Minute // without a vendor's own word
	mostAfter = 12 * time.Hour   // of a vendor's Retry-After that is believed, and of a message's visibility
)

// Failing reports whether the connection is paused or waits for a probe.
func (s State) Failing() bool { return !s.Since.IsZero() }

// May says what a worker may do at now: call (wait 0, probe false), probe first
// (then store next, conditionally, and probe), or nothing for so long.
func (s State) May(now time.Time) (next State, probe bool, wait time.Duration) {
	switch {
	case !s.Failing():
		return s, false, 0
	case now.Before(s.Until):
		return s, false, s.Until.Sub(now)
	case now.Before(s.Probe):
		return s, false, max(leastWait, min(s.Probe.Sub(now), 5*time.Second))
	}
	s.Probe = now.Add(probeLife)
	return s, true, 0
}

// Fail is the state after a failure of the connection at now: paused for what the
// vendor asks, else for a quarter of the time that the failure lasts.
func (s State) Fail(now time.Time, after time.Duration, code, reason string) State {
	if !s.Failing() {
		s.Since = now
	}
	wait := min(max(now.Sub(s.Since)/4, leastWait), mostWait)
	if after > 0 {
		wait = max(min(after, mostAfter), leastWait)
	}
	if until := now.Add(wait); until.After(s.Until) || after == 0 {
		s.Until = until
	}
	s.Probe, s.Code, s.Reason = time.Time{}, code, reason
	return s
}

// Mend is the state after a probe or a call that was answered.
func (s State) Mend() State { return State{Revision: s.Revision} }
