// Package alert decides whether people are to be told of a sync: from what the
// sweeper saw of it, and from what was told before, to notices that are to be sent
// now. Pure: it reads no clock and sends nothing. A notice quotes no row's value
// (I6).
package alert

import (
	"slices"
	"time"
)

// Kind is what an alert is about.
type Kind string

// The kinds, the gravest first.
const (
	RunFailed     Kind = "run_failed"               // the last run delivered nothing of what it got, or could not be delivered
	Misconfigured Kind = "connection_misconfigured" // a person must mend the connection
	GateBlocked   Kind = "gate_blocked"             // the quality gate stopped the last run that it judged
	Halted        Kind = "sync_halted"              // the version cannot work at the destination: a field, a right
	Overdue       Kind = "overdue"                  // no run succeeded for stale_after: the health view's STALE
	Missed        Kind = "missed_schedule"          // a due time has passed, and no run began
	ErrorRate     Kind = "error_rate"               // too many of the last hour's rows were not delivered
	MatchRate     Kind = "match_rate"               // too many of the last day's rows found no record at the destination
	CountAnomaly  Kind = "count_anomaly"            // the last run had far more or fewer rows than those before
	SchemaDrift   Kind = "schema_drift"             // the destination's fields do not fit the definition any more
	Disagreement  Kind = "disagreement"             // records at the destination differ from what was delivered
	Paused        Kind = "connection_paused"        // the vendor is not reached, or its quota is spent
	Quota         Kind = "quota"                    // the day's quota of the connection is nearly spent
	DeadLetters   Kind = "dead_letters"             // messages could not be processed
	Exhausted     Kind = "retries_exhausted"        // rows whose attempts are used up
	RunPartial    Kind = "run_partial"              // some rows of the last run were not delivered
)

// Trial is the kind of a test notice; no rule raises it.
const Trial Kind = "test"

// Kinds are all kinds, in the order of the constants.
var Kinds = []Kind{RunFailed, Misconfigured, GateBlocked, Halted, Overdue, Missed, ErrorRate, MatchRate, CountAnomaly, SchemaDrift, Disagreement, Paused, Quota, DeadLetters, Exhausted, RunPartial}

// conditions are the words of a definition's notifications, and what each stands
// for. sync_failure and high_error_rate are what people know from elsewhere; stale is
// what freshness calls the age at which a sync is overdue.
var conditions = map[string][]Kind{
	"sync_failure":             {RunFailed, Misconfigured, GateBlocked, Halted, Overdue, Missed},
	"sync_halted":              {Halted},
	"gate_blocked":             {GateBlocked},
	"stale":                    {Overdue},
	"missed_schedule":          {Missed},
	"count_anomaly":            {CountAnomaly},
	"match_rate":               {MatchRate},
	"quota":                    {Quota},
	"disagreement":             {Disagreement},
	"schema_drift":             {SchemaDrift},
	"high_error_rate":          {ErrorRate},
	"partial_failure":          {RunPartial},
	"overdue":                  {Overdue},
	"connection_paused":        {Paused},
	"connection_misconfigured": {Misconfigured},
	"retries_exhausted":        {Exhausted},
	"dead_letters":             {DeadLetters},
}

// Conditions are the words that a definition may use.
func Conditions() []string {
	out := make([]string, 0, len(conditions))
	for name := range conditions {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Wanted reports whether somebody who asked for these conditions is told of a kind.
// No condition is every kind but RunPartial, which a few faulty rows bring about in
// every run.
func Wanted(asked []string, k Kind) bool {
	if len(asked) == 0 {
		return k != RunPartial
	}
	return slices.ContainsFunc(asked, func(name string) bool { return slices.Contains(conditions[name], k) })
}

// Policy holds the bounds.
type Policy struct {
	ErrorRate float64       // over this share of an hour's rows; DefaultPolicy says 0.1, the sample's
	Repeat    time.Duration // an alert that goes on is told again so often
	Paused    time.Duration // a pause without a person's fault is told from so long on
	Counts    CountPolicy
	MatchRate float64 // under this share of a day's rows that were looked for,
	Matched   int64   // where these are so many
	Quota     float64 // at this share of a day's burst and beyond
}

// DefaultPolicy is the sample's error rate and change of the record count, 95% of at
// least 100 rows that find their record, a repetition every four hours, half an hour of grace for a vendor that is away, and nine tenths of
// the day's quota.
var DefaultPolicy = Policy{
	ErrorRate: 0.1, Repeat: 4 * time.Hour, Paused: 30 * time.Minute, Quota: 0.9, MatchRate: 0.95, Matched: 100,
	Counts: CountPolicy{Change: 0.5, Over: 100, Deviations: 3, Least: 7, Floor: 0.01},
}

// Seen is what the sweeper saw of a sync.
type Seen struct {
	Sync       string
	Connection string
	Applied    time.Time // when it was applied first: nothing can be overdue before

	Last    *Run      // the last run that ended and of which nothing is due any more, nil for none
	Success time.Time // when a run last delivered something, zero for never
	// OverdueAfter is how old Success may be; 0 is no bound.
	OverdueAfter time.Duration
	// Excused says why a run that is late is no fault, a person's pause; "" where it is one.
	Excused string

	// Blocked is the last run that was judged by its gate, where that stopped it, or nil.
	// Last passes over such runs: nothing of them was to be sent.
	Blocked *Run
	Halt    Halt   // of the current version; the zero value where it is delivered
	Missed  Due    // the due time at which no run began; the zero value for none
	Counted Counts // of the last complete run, and those before it

	Drift   []string // what the destination would refuse by its fields' metadata, each with its remedy
	Records Records  // of the destination, as a sample of them was compared

	Matches   Rows  // of the runs that ended within the last 24 hours: rows whose record was looked for, and those without one
	Hour      Rows  // of the runs that ended within the last hour
	Pause     Pause // of the connection
	Spent     Spent // of the connection's quota
	Exhausted int64 // rows that were sent again and used up their attempts within the last hour
	Dead      int64 // rows of messages that could not be processed within the last hour
}

// A Run is one that has ended.
type Run struct {
	ID      string
	EndedAt time.Time
	Failed  bool   // it delivered nothing of what it got, or could not be delivered
	Partial bool   // some of its rows were not delivered
	Reason  string // why it could not be delivered, "" where its rows say so
	Rows    Rows
	Resends bool // some of its rows are stored errors, which a retry sends again
}

// A Halt says since when a version cannot be delivered, and why.
type Halt struct {
	Since  time.Time
	Reason string // the destination's words
}

// Rows are counts.
type Rows struct {
	Received int64
	Lost     int64 // rejected, blocked, failed
}

// Rate is the share that was not delivered, 0 of nothing.
func (r Rows) Rate() float64 {
	if r.Received == 0 {
		return 0
	}
	return float64(r.Lost) / float64(r.Received)
}

// Records are those of a sample, compared with what was delivered.
type Records struct {
	Compared int64
	Missing  int64
	Mended   int64  // of those that differ: they are sent again by the next run that selects them
	Differ   int64  // missing or changed
	Field    string // the one that differs in the most records, and in how many
	Changed  int64
	// MissingOver and ChangedOver are the shares of Compared beyond which it is told.
	MissingOver, ChangedOver float64
}

// A Due is a due time of the sync's schedule.
type Due struct {
	At     time.Time
	Reason string // why no run began, as far as it is known; no row's value
}

// Counts are the rows that the last complete run received, and the complete runs before
// it of the same mode, the newest first, at most CountedRuns.
type Counts struct {
	Run    string // "" where none is complete
	Rows   int64
	Before []int64
}

// Spent is how much of a quota of so many calls in Per is spent.
type Spent struct {
	Share float64 // of what may be spent at once, 0 to 1
	Calls int64
	Per   time.Duration
}

// A Pause is a connection that nobody calls; the zero value is none.
type Pause struct {
	Since  time.Time
	Reason string // for people; never a row's value
	Person bool   // a person must act: credentials, permissions, address, another account
}

// Open is an alert that was told and has not ended.
type Open struct {
	Kind  Kind      `json:"kind"`
	Since time.Time `json:"since"` // when it was raised
	Told  time.Time `json:"told"`  // when it was told last
	Times int       `json:"times"` // how often it was told
	Run   string    `json:"run,omitempty"`
	Rows  int64     `json:"rows,omitempty"`
}

// Step is where an alert stands when it is told.
type Step string

// The steps.
const (
	Raised    Step = "raised"
	Repeated  Step = "repeated"
	Recovered Step = "recovered"
)

// A Notice is what people are to be told.
type Notice struct {
	Sync       string    `json:"sync"`
	Connection string    `json:"connection"`
	Kind       Kind      `json:"kind"`
	Step       Step      `json:"step"`
	At         time.Time `json:"at"`
	Since      time.Time `json:"since"`           // of the alert
	Run        string    `json:"run,omitempty"`   // that it is about
	Rows       int64     `json:"rows,omitempty"`  // that are concerned
	Of         int64     `json:"of,omitempty"`    // rows in all
	Why        string    `json:"why"`             // what happened, a sentence
	Look       string    `json:"look,omitempty"`  // the command that shows what to correct
	Mend       string    `json:"mend,omitempty"`  // the command that mends it, once that is corrected
	Times      int       `json:"times,omitempty"` // how often it has been told, this time included
}

// Test is a notice that tells of nothing but that it can be sent.
func Test(sync, connection string, now time.Time) Notice {
	return Notice{Sync: sync, Connection: connection, Kind: Trial, Step: Raised, At: now, Since: now, Times: 1,
		Why: "this is a test: alerts of the sync reach you here"}
}
