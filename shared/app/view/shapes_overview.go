package view

import (
	"time"

	"github.com/penstock-data/penstock/shared/freshness"
	"github.com/penstock-data/penstock/shared/run"
)

// Overview is all syncs at a glance.
type Overview struct {
	Now   time.Time `json:"now"`
	Syncs []Row     `json:"syncs"` // the worst first, then by name
	// Connections are those that the syncs name, by name.
	Connections []Connection `json:"connections"`
}

// Health is how a sync stands, the dashboard's word.
type Health string

// The words of the sample's dashboard; a sync that never succeeded is stale.
const (
	Stale         Health = "STALE"
	HighErrorRate Health = "HIGH_ERROR_RATE"
	Warning       Health = "WARNING"
	Healthy       Health = "HEALTHY"
)

// A Row is one sync of the Overview.
type Row struct {
	Sync       string    `json:"sync"`
	AsOf       time.Time `json:"as_of"` // when its figures were put together
	Connection string    `json:"connection"`
	Type       string    `json:"type"` // of the destination
	Object     string    `json:"object"`
	Version    string    `json:"version"`

	Health    Health `json:"health"`           // the dashboard's
	Freshness Health `json:"freshness_status"` // the health view's: STALE, WARNING or HEALTHY
	// LastSuccess is when a run last succeeded, zero for never; Age is the time since, of
	// AppliedAt where there was none. WarnAfter and StaleAfter are the thresholds of
	// Freshness, DashboardAfter that of a Health of STALE.
	LastSuccess    time.Time     `json:"last_success,omitzero"`
	AppliedAt      time.Time     `json:"applied_at"`
	Age            time.Duration `json:"age"`
	WarnAfter      time.Duration `json:"warn_after"`
	StaleAfter     time.Duration `json:"stale_after"`
	DashboardAfter time.Duration `json:"dashboard_after"`

	// Minutes are the minutes since LastSuccess as the warehouse's views count them, by the
	// boundaries that were passed; -1 for never.
	Minutes int64 `json:"minutes_since_last_sync"`

	Frequency    string    `json:"frequency,omitempty"`
	NextRun      time.Time `json:"next_run,omitzero"`
	Missed       time.Time `json:"missed,omitzero"` // the due time at which no run began
	MissedReason string    `json:"missed_reason,omitempty"`
	WaitsFor     string    `json:"waits_for,omitempty"`

	// Of the last run that has ended: SuccessRate is the share of its rows that are right at
	// the destination, 0 to 1, and RowsPerSecond its speed; -1 where there is none to tell.
	LastRun       *Line   `json:"last_run,omitempty"`
	SuccessRate   float64 `json:"success_rate"`
	RowsPerSecond float64 `json:"rows_per_second"`
	// ErrorRate is the share that was lost of the last run, if that ended within the hour; 1
	// where it delivered nothing, until the next one. ErrorSummary says in words what was lost.
	ErrorRate    float64 `json:"error_rate"`
	ErrorSummary string  `json:"error_summary,omitempty"`
	// AlertMessage is what reverse_etl_alerts says of the sync; "" where it is not there.
	AlertMessage string `json:"alert_message,omitempty"`
	// Records are the rows that the last success holds at the destination, and Previous
	// those of the one before in the same mode, -1 where there is none.
	Records  int64  `json:"records"`
	Previous int64  `json:"previous_records"`
	Spark    []Line `json:"spark"`   // the last 14 runs that have ended, the oldest first
	Running  []Live `json:"running"` // the runs that go on, the newest first

	// NotRight are the rows that the last runs did not get right, by the counts of each: one
	// that failed in three counts thrice, and one that a later run mended counts.
	NotRight int64      `json:"not_right"`
	Due      int64      `json:"due"` // of them, that are sent again by themselves
	Gate     *run.Gate  `json:"gate,omitempty"`
	GateRun  string     `json:"gate_run,omitempty"`
	Alerts   []Alert    `json:"alerts"`
	Paused   *run.Pause `json:"paused,omitempty"` // a person's; Why says it in words
	Halted   *run.Halt  `json:"halted,omitempty"` // its version cannot be delivered
	// Destination is how old the data at the destination is; nil where that is not known.
	Destination *freshness.Reading `json:"destination,omitempty"`
	// Unreadable says why the sync's figures cannot be read; all others are empty then.
	Unreadable string `json:"unreadable,omitempty"`
}

// A Line is a run that has ended.
type Line struct {
	Run           string        `json:"run"`
	Mode          run.Mode      `json:"mode"`
	Status        run.Status    `json:"status"`
	Outcome       run.Outcome   `json:"outcome,omitempty"`
	BegunAt       time.Time     `json:"begun_at"`
	EndedAt       time.Time     `json:"ended_at,omitzero"`
	Took          time.Duration `json:"took"`
	Counts        run.Counts    `json:"counts"`
	Retried       int64         `json:"retried_delivered,omitempty"`
	Right         int64         `json:"right"` // rows that are right at the destination
	SuccessRate   float64       `json:"success_rate"`
	RowsPerSecond float64       `json:"rows_per_second"`
	Reason        string        `json:"reason,omitempty"`
}

// A Live is a run that goes on.
type Live struct {
	Run      string     `json:"run"`
	Mode     run.Mode   `json:"mode"`
	Status   run.Status `json:"status"`
	BegunAt  time.Time  `json:"begun_at"`
	AsOf     time.Time  `json:"as_of,omitzero"` // of Counts; zero: not counted yet
	Expected int64      `json:"expected"`       // -1 unknown
	Counts   run.Counts `json:"counts"`
	WaitsFor string     `json:"waits_for,omitempty"`
}

// An Alert is one that was raised and is not over.
type Alert struct {
	Kind  string    `json:"kind"`
	Since time.Time `json:"since"`
}

// A Connection is a vendor's account.
type Connection struct {
	Name  string   `json:"name"`
	Type  string   `json:"type"`
	Syncs []string `json:"syncs"`
	// PausedSince is when its pause or halt began, zero where it has none; Until is before
	// when nobody calls, and Reason why. SetUp says that a person must mend it.
	PausedSince time.Time `json:"paused_since,omitzero"`
	Until       time.Time `json:"until,omitzero"`
	Reason      string    `json:"reason,omitempty"`
	SetUp       bool      `json:"set_up,omitempty"`
	// Spent calls of Quota in Per, the longest of its quotas of a day or more, are spent and
	// have not come back; Quota is 0 where there is none. SpentShare is the part of what may be spent at once that is.
	Quota      int64         `json:"quota"`
	Per        time.Duration `json:"per"`
	Spent      int64         `json:"spent"`
	SpentShare float64       `json:"spent_share"`
	// Pace is the part of the vendor's limits that is granted: under 1 after it said that it
	// was called too fast.
	Pace float64 `json:"pace"`
}
