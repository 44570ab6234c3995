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
	SetUp    bool      `json:"set_up,omitempty"` // a person has to mend it: login, secret, permissions, url
	Quota    bool      `json:"quota,omitempty"`  // the vendor's quota is spent
	Was      time.Time `json:"was,omitzero"`     // when the failure began that a probe found mended
	Mended   time.Time `json:"mended,omitzero"`  // when it did
	Revision int64     `json:"revision"`         // grows with every change; 0 where nothing is stored
}

// Bounds of a connection's waits.
const (
	probeLife = 90 * time.Second // a prober that says nothing for so long is dead
	leastWait = time.Second
	mostWait  = 30 * time.Minute // without a vendor's own word
	relapse   = time.Minute      // a failure so soon after a probe that was answered is the one of before
	mostAfter = 12 * time.Hour   // of a vendor's Retry-After that is believed, and of a message's visibility
)

// Failing reports whether the connection is paused or waits for a probe.
func (s State) Failing() bool { return !s.Since.IsZero() }

// May says what a worker may do at now: call (wait 0, probe false), probe first
// (then store next, conditionally, and probe), or nothing for so long. A time that is
// further ahead than any can be is of a clock that stood wrong, and holds nobody up.
func (s State) May(now time.Time) (next State, probe bool, wait time.Duration) {
	s = s.trusted(now)
	until, probing := s.Until.Sub(now), s.Probe.Sub(now)
	switch {
	case !s.Failing():
		return s, false, 0
	case until > 0 && until <= mostAfter+maxSkew:
		return s, false, until
	case probing > 0 && probing <= probeLife+maxSkew:
		return s, false, max(leastWait, min(probing, 5*time.Second))
	}
	s.Probe = now.Add(probeLife)
	return s, true, 0
}

// trusted is the state at now without the times of a clock that stood ahead: a failure
// that begins later than any clock can be ahead begins now, and pauses nothing any more.
func (s State) trusted(now time.Time) State {
	if s.Since.Sub(now) > maxSkew {
		s.Since, s.Until, s.Probe = now, now, time.Time{}
	}
	return s
}

// Fail is the state after a failure of the connection at now: paused for what the
// vendor asks, else for a quarter of the time that the failure lasts; never shorter
// than it is paused already, for the vendor may have said so to another call, whose reason
// stays then. A failure that goes on after a probe was answered lasts from its beginning:
// what calls need and the probe does not may be what is missing.
func (s State) Fail(now time.Time, after time.Duration, code, reason string) State {
	s = s.trusted(now)
	if since := now.Sub(s.Mended); !s.Failing() && since < relapse && since > -maxSkew {
		s.Since = s.Was
	}
	if !s.Failing() || s.Since.After(now) {
		s.Since = now
	}
	s.Was, s.Mended = time.Time{}, time.Time{}
	wait := min(max(now.Sub(s.Since)/4, leastWait), mostWait)
	if after > 0 {
		wait = max(min(after, mostAfter), leastWait)
	}
	s.Probe = time.Time{}
	if until := now.Add(wait); until.After(s.Until) || s.Until.Sub(now) > mostAfter+maxSkew {
		s.Until, s.Code, s.Reason, s.SetUp, s.Quota = until, code, reason, false, false
	}
	return s
}

// Tested is the state after a person's test of the connection found that it answers: in
// order again. Of a spent quota an answer says nothing; mended is false then, and where
// nothing fails.
func (s State) Tested() (next State, mended bool) {
	if !s.Failing() || s.Quota {
		return s, false
	}
	return s.Mend(), true
}

// Answered is the state after a probe at now was answered: calls may be made, and show
// whether the failure is over.
func (s State) Answered(now time.Time) State {
	return State{Was: s.Since, Mended: now, Revision: s.Revision}
}

// Mend is the state of a connection whose failure is over.
func (s State) Mend() State { return State{Revision: s.Revision} }
