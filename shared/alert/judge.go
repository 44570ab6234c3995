package alert

import (
	"fmt"
	"math"
	"time"
)

// Judge compares what was seen with the open alerts: what is to be told now, and
// what is open afterwards. Judged twice at one time it tells the same, so that a
// sweeper that died before it stored the result loses nothing.
func Judge(s Seen, open []Open, now time.Time, p Policy) (notices []Notice, after []Open) {
	was := map[Kind]Open{}
	for _, o := range open {
		was[o.Kind] = o
	}
	for _, k := range Kinds {
		o, told := was[k]
		n, on := rules[k](s, now, p)
		switch {
		case on && !told:
			o = Open{Kind: k, Since: now, Told: now, Times: 1, Run: n.Run, Rows: n.Rows}
			notices = append(notices, s.notice(n, o, Raised, now))
		case on && now.Sub(o.Told) >= p.Repeat:
			o.Told, o.Times, o.Run, o.Rows = now, o.Times+1, n.Run, n.Rows
			notices = append(notices, s.notice(n, o, Repeated, now))
		case !on && told:
			n = Notice{Run: o.Run, Rows: o.Rows, Why: s.over(k)}
			notices = append(notices, s.notice(n, o, Recovered, now))
			continue
		case !on:
			continue
		}
		after = append(after, o)
	}
	return notices, after
}

// over says why an alert is over: one that is excused has not recovered by itself.
func (s *Seen) over(k Kind) string {
	if s.Excused != "" && (k == Overdue || k == Missed) {
		return s.Excused
	}
	return recovery[k]
}

// notice fills in what all notices have.
func (s *Seen) notice(n Notice, o Open, step Step, now time.Time) Notice {
	n.Sync, n.Connection, n.Kind, n.Step, n.At, n.Since, n.Times = s.Sync, s.Connection, o.Kind, step, now, o.Since, o.Times
	return n
}

// rules tell of each kind whether it holds now; Run, Rows, Of, Why and Mend of the
// notice say of what.
var rules = map[Kind]func(s Seen, now time.Time, p Policy) (Notice, bool){
	RunFailed:     runFailed,
	RunPartial:    runPartial,
	GateBlocked:   gateBlocked,
	Halted:        halted,
	Overdue:       overdue,
	Missed:        missed,
	MatchRate:     matchRate,
	CountAnomaly:  countAnomaly,
	SchemaDrift:   schemaDrift,
	Disagreement:  disagreement,
	Quota:         quota,
	ErrorRate:     errorRate,
	Paused:        paused,
	Misconfigured: misconfigured,
	Exhausted:     exhausted,
	DeadLetters:   deadLetters,
}

// recovery says of each kind what it means that it is over.
var recovery = map[Kind]string{
	RunFailed:     "a later run delivered rows",
	RunPartial:    "a later run delivered all of its rows",
	GateBlocked:   "a later run passed its quality gate",
	Halted:        "the destination takes the version again, or another one is applied",
	Overdue:       "a run succeeded",
	Missed:        "a run began",
	MatchRate:     "the rows of the last day found their records",
	CountAnomaly:  "a later run had as many rows as are usual",
	SchemaDrift:   "the destination's fields fit the definition again",
	Disagreement:  "the records hold what was delivered, or are sent again",
	Quota:         "less of the quota is spent",
	ErrorRate:     "the rows of the last hour were delivered",
	Paused:        "the connection answers again",
	Misconfigured: "the connection answers again",
	Exhausted:     "no row used up its attempts within the last hour",
	DeadLetters:   "no message failed to be processed within the last hour",
}

func runFailed(s Seen, _ time.Time, _ Policy) (Notice, bool) {
	if s.Last == nil || !s.Last.Failed {
		return Notice{}, false
	}
	n := s.ofRun("the last run delivered none of its rows")
	if s.Last.Reason != "" {
		n.Why = "the last run failed: " + s.Last.Reason
	}
	return n, true
}

// gateBlocked: the gate's own reason has the counts of its rules.
func gateBlocked(s Seen, _ time.Time, _ Policy) (Notice, bool) {
	if s.Blocked == nil {
		return Notice{}, false
	}
	why := s.Blocked.Reason + "; mend the model's rows or the thresholds, then run again"
	return Notice{Run: s.Blocked.ID, Rows: s.Blocked.Rows.Lost, Of: s.Blocked.Rows.Received, Why: why, Look: "penstock status " + s.Blocked.ID, Mend: "penstock run " + s.Sync}, true
}

func runPartial(s Seen, _ time.Time, _ Policy) (Notice, bool) {
	if s.Last == nil || s.Last.Failed || !s.Last.Partial {
		return Notice{}, false
	}
	return s.ofRun("some rows of the last run were not delivered"), true
}

// ofRun is a notice about the last run.
func (s *Seen) ofRun(why string) Notice {
	n := Notice{Rows: s.Last.Rows.Lost, Of: s.Last.Rows.Received, Why: why}
	s.again(&n)
	return n
}

// again says how rows that were not delivered are looked at, and how they are sent once
// more: from their stored errors, or by a run that selects them where none is stored.
func (s *Seen) again(n *Notice) {
	if n.Look, n.Mend = "penstock errors "+s.Sync, "penstock run "+s.Sync; s.Last == nil {
		return
	}
	n.Run, n.Look = s.Last.ID, "penstock errors "+s.Last.ID
	if s.Last.Resends {
		n.Mend = "penstock retry " + s.Last.ID
	}
}

func halted(s Seen, now time.Time, _ Policy) (Notice, bool) {
	if s.Halt.Since.IsZero() {
		return Notice{}, false
	}
	why := fmt.Sprintf("nothing is delivered for %s, because the destination does not take the definition: %s; correct it, or give the destination what is missing", hours(now.Sub(s.Halt.Since)), s.Halt.Reason)
	return Notice{Why: why, Look: "penstock status " + s.Sync, Mend: "penstock apply"}, true
}

func overdue(s Seen, now time.Time, _ Policy) (Notice, bool) {
	since := s.Success
	if since.IsZero() {
		since = s.Applied
	}
	if s.Excused != "" || s.OverdueAfter == 0 || now.Sub(since) <= s.OverdueAfter {
		return Notice{}, false
	}
	why := fmt.Sprintf("no run has succeeded for %s; it may take %s", hours(now.Sub(since)), hours(s.OverdueAfter))
	return Notice{Why: why, Look: "penstock status " + s.Sync, Mend: "penstock run " + s.Sync}, true
}

func missed(s Seen, _ time.Time, _ Policy) (Notice, bool) {
	if s.Excused != "" || s.Missed.At.IsZero() {
		return Notice{}, false
	}
	why := fmt.Sprintf("a run was due at %s UTC, and none began", s.Missed.At.UTC().Format(time.DateTime))
	if s.Missed.Reason != "" {
		why += ": " + s.Missed.Reason
	}
	return Notice{Why: why, Look: "penstock status " + s.Sync, Mend: "penstock run " + s.Sync}, true
}

func errorRate(s Seen, _ time.Time, p Policy) (Notice, bool) {
	if s.Hour.Rate() <= p.ErrorRate {
		return Notice{}, false
	}
	why := fmt.Sprintf("%.1f%% of the rows of the last hour were not delivered; %.0f%% are allowed", s.Hour.Rate()*100, p.ErrorRate*100)
	n := Notice{Rows: s.Hour.Lost, Of: s.Hour.Received, Why: why}
	s.again(&n)
	return n, true
}

func paused(s Seen, now time.Time, p Policy) (Notice, bool) {
	if s.Pause.Since.IsZero() || s.Pause.Person || now.Sub(s.Pause.Since) < p.Paused {
		return Notice{}, false
	}
	return s.ofConnection(now), true
}

func misconfigured(s Seen, now time.Time, _ Policy) (Notice, bool) {
	if s.Pause.Since.IsZero() || !s.Pause.Person {
		return Notice{}, false
	}
	return s.ofConnection(now), true
}

func (s *Seen) ofConnection(now time.Time) Notice {
	why := fmt.Sprintf("connection %s is paused for %s: %s", s.Connection, hours(now.Sub(s.Pause.Since)), s.Pause.Reason)
	return Notice{Why: why, Look: "penstock connect list", Mend: "penstock connect test " + s.Connection}
}

func matchRate(s Seen, _ time.Time, p Policy) (Notice, bool) {
	if s.Matches.Received < p.Matched || 1-s.Matches.Rate() >= p.MatchRate {
		return Notice{}, false
	}
	why := fmt.Sprintf("%.1f%% of the last day's rows whose record had to be looked for found one; %.0f%% are expected: create the others, or correct the match value",
		math.Floor((1-s.Matches.Rate())*1000)/10, p.MatchRate*100)
	n := Notice{Rows: s.Matches.Lost, Of: s.Matches.Received, Why: why}
	s.again(&n)
	return n, true
}

func quota(s Seen, _ time.Time, p Policy) (Notice, bool) {
	if s.Spent.Share < p.Quota {
		return Notice{}, false
	}
	why := fmt.Sprintf("%.0f%% of what connection %s may spend at once of its %d calls in %s is spent: raise quota.share of the connection, or push less",
		math.Floor(s.Spent.Share*100), s.Connection, s.Spent.Calls, hours(s.Spent.Per))
	return Notice{Why: why, Look: "penstock cost " + s.Sync, Mend: "penstock apply"}, true
}

func exhausted(s Seen, _ time.Time, _ Policy) (Notice, bool) {
	n := Notice{Rows: s.Exhausted, Why: "rows failed as often as they may be tried, and are not sent again by themselves"}
	s.again(&n)
	return n, s.Exhausted > 0
}

func deadLetters(s Seen, _ time.Time, _ Policy) (Notice, bool) {
	n := Notice{Rows: s.Dead, Why: "messages could not be processed; their rows are stored errors"}
	s.again(&n)
	return n, s.Dead > 0
}

// hours is a time as people say it.
func hours(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", int(d.Hours())/24)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d minutes", int(d.Minutes()))
}
