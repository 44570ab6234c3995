package deliver

import (
	"time"

	"github.com/penstock-data/penstock/shared/dest"
)

// A situation is what decides about a row after an answer.
type situation struct {
	outcome  *dest.Outcome
	tries    int           // of the row in this invocation, this one included
	waited   time.Duration // by it in this invocation
	attempts int           // of the row before this invocation
	most     int           // attempts that the sync's retry allows
	base     time.Duration
	longest  time.Duration
	once     bool // an insert: never sent twice
	lookup   bool // it can be found out whether it arrived
	look     bool // the answer is a lookup's
	source   bool // the row can be sent again from its stored error
	rounds   int  // times that it went round once more
	held     bool // the ledger said that the destination holds the record
	partial  bool // only changed fields were sent
	other    bool // the answer names another record than the ledger, or may
	rand     float64
}

// A decision is what becomes of the row.
type decision uint8

// The decisions.
const (
	deliverIt  decision = iota // settled: the destination holds it
	tryAgain                   // in this invocation, after wait
	goRound                    // look again, then push again, in this invocation
	storeIt                    // settled: an error
	storeDue                   // settled: an error that is sent again after wait
	storeDoubt                 // settled: the error unknown
)

// settle decides what becomes of a row after an answer about it: the one place
// where that is decided. A row is tried at once, at most three times and never
// waiting longer than 2 s in all (I5), and then stored; it comes back by itself while the
// sync's retry allows it.
func settle(s *situation) (d decision, wait time.Duration) {
	switch s.outcome.Status {
	case dest.Delivered:
		if (s.outcome.Created && s.held || s.other) && s.partial {
			return goRound, 0 // the record was made anew, by whomever: it gets the whole row
		}
		return deliverIt, 0
	case dest.Found, dest.Pending:
		if s.rounds < maxRounds-1 {
			return goRound, 0
		}
		return storeIt, 0
	case dest.Rejected:
		return storeIt, 0
	case dest.Unknown:
		if s.once && (!s.lookup || s.look) {
			return storeDoubt, 0
		}
		if s.once && s.rounds < maxRounds-1 {
			return goRound, 0
		}
	}
	if wait = max(moment(s), s.outcome.After); s.tries < tries && s.waited+wait <= maxWait {
		return tryAgain, wait
	}
	if !s.source || s.attempts+1 >= s.most {
		return storeIt, 0
	}
	return storeDue, later(s)
}

// moment is the wait before another try in the same invocation.
func moment(s *situation) time.Duration {
	return time.Duration(s.tries) * (50*time.Millisecond + time.Duration(s.rand*float64(100*time.Millisecond)))
}

// later is the wait before a row is sent again by itself: the greater of what the
// vendor asks and a random part of base·2ⁿ, at most the longest, at least a second.
func later(s *situation) time.Duration {
	full := s.longest
	if s.attempts < 32 && s.base<<s.attempts>>s.attempts == s.base {
		full = min(full, s.base<<s.attempts)
	}
	return max(s.outcome.After, time.Duration(s.rand*float64(full)), time.Second)
}
