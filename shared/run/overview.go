package run

import (
	"time"

	"github.com/penstock-data/penstock/shared/freshness"
	"github.com/penstock-data/penstock/shared/row"
)

// An Overview is what a page shows of one sync at a glance, one stored item a sync, so
// that a page of all syncs is one query. It is a copy of what is stored elsewhere, as of
// AsOf: the sweeper writes it anew, and losing it loses nothing but a last success that lies
// behind more runs than are looked at. It holds no row's value (I6).
type Overview struct {
	Sync       string    `json:"sync"`
	AsOf       time.Time `json:"as_of"`
	Version    string    `json:"version"`
	AppliedAt  time.Time `json:"applied_at"`
	Connection string    `json:"connection"`
	Type       string    `json:"type"`
	Object     string    `json:"object"`
	Operation  string    `json:"operation"`
	Model      string    `json:"model"`
	// Target and Identity tell which record of the ledger a key is, RecordLookup (one of
	// syncdef's) which a record id is.
	Target       string       `json:"target"`
	Identity     row.Identity `json:"identity"`
	RecordLookup string       `json:"record_lookup,omitempty"`

	// The thresholds of lateness, in minutes: package frequency.
	Warn      int64 `json:"warn_minutes"`
	Stale     int64 `json:"stale_minutes"`
	Dashboard int64 `json:"dashboard_stale_minutes"`

	Frequency    string    `json:"frequency,omitempty"`
	Next         time.Time `json:"next,omitzero"`   // when it is due next
	Missed       time.Time `json:"missed,omitzero"` // the due time at which no run began
	MissedReason string    `json:"missed_reason,omitempty"`
	WaitsFor     string    `json:"waits_for,omitempty"` // the syncs of after that a run would wait for

	Success     time.Time `json:"success,omitzero"` // when a run last succeeded, in part at least
	SuccessRun  string    `json:"success_run,omitempty"`
	SuccessRows int64     `json:"success_rows"` // of it, at the destination
	// PreviousRows are those of the success before it in the same mode; -1 where there is none.
	PreviousRows int64        `json:"previous_rows"`
	Lines        []Line       `json:"runs"`              // newest first: the last OverviewRuns of each mode that have ended
	Running      []Progress   `json:"running,omitempty"` // newest first, at most OverviewOpen
	Watermark    string       `json:"watermark,omitempty"`
	MarkType     string       `json:"watermark_type,omitempty"`
	MarkAt       time.Time    `json:"watermark_at,omitzero"`
	Hold         string       `json:"hold,omitempty"` // the least cursor that is not known to be right, a JSON scalar
	Halt         *Halt        `json:"halt,omitempty"`
	Pause        *Pause       `json:"pause,omitempty"`
	Account      AccountState `json:"account"`
	NotRight     int64        `json:"not_right"` // rows that are not right at the destination by the counts of the last runs: once for each run, also where another one mended them
	Due          int64        `json:"due"`       // of them, that are sent again by themselves
	Gate         *Gate        `json:"gate,omitempty"`
	GateRun      string       `json:"gate_run,omitempty"`
	Alerts       []OpenAlert  `json:"alerts,omitempty"`

	Freshness *freshness.Reading `json:"freshness,omitempty"`

	Revision int64 `json:"revision"` // optimistic lock: grows with every update; 0 where nothing is stored

	// Unreadable says why the stored item cannot be read; it holds Sync alone then. It is
	// never stored.
	Unreadable string `json:"-"`
}

// Bounds of an Overview, so that 50 of them are one page of a query.
const (
	OverviewRuns = 14 // of each mode, what counts are compared with
	OverviewOpen = 5
	// OverviewGroups is how many groups of failures a run in it keeps.
	OverviewGroups = 10
)

// A Line is a run that has ended, in few words.
type Line struct {
	ID        string    `json:"id"`
	Mode      Mode      `json:"mode"`
	Bracketed bool      `json:"bracketed,omitempty"`
	Status    Status    `json:"status"`
	Outcome   Outcome   `json:"outcome,omitempty"`
	BegunAt   time.Time `json:"begun_at"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	Counts    Counts    `json:"counts"`
	Due       int64     `json:"due,omitempty"`     // of its errors, that are sent again by themselves
	Again     int64     `json:"again,omitempty"`   // of its errors, that are on their way again
	Retried   int64     `json:"retried,omitempty"` // of its errors, that a retry has delivered since
	Reason    string    `json:"reason,omitempty"`
}

// A Progress is a run that goes on, with what its records added up to at AsOf.
type Progress struct {
	ID       string    `json:"id"`
	Mode     Mode      `json:"mode"`
	Status   Status    `json:"status"`
	BegunAt  time.Time `json:"begun_at"`
	AsOf     time.Time `json:"as_of"`
	Expected int64     `json:"expected"` // -1 unknown
	Counts   Counts    `json:"counts"`   // Queued are those that have not settled
	Groups   []Group   `json:"groups,omitempty"`
	WaitsFor string    `json:"waits_for,omitempty"`
}

// An AccountState is how a connection stands.
type AccountState struct {
	Since  time.Time `json:"since,omitzero"` // it is paused; zero: it is not
	Until  time.Time `json:"until,omitzero"` // nobody calls before
	Reason string    `json:"reason,omitempty"`
	SetUp  bool      `json:"set_up,omitempty"` // a person has to mend it
	// Calls in Per seconds is the longest quota of a day or more, and Spent how many of its calls
	// are; all 0 where nothing of it is spent or there is none.
	Calls int64   `json:"calls,omitempty"`
	Per   int64   `json:"per_seconds,omitempty"`
	Spent int64   `json:"spent,omitempty"`
	URL   string  `json:"url,omitempty"`   // of the account, where its connection names one
	ID    string  `json:"id,omitempty"`    // which account it is, as the vendor says
	Share float64 `json:"share,omitempty"` // of what may be spent at once, that is spent
	Rate  float64 `json:"rate,omitempty"`  // part of the limits that is granted, after the vendor said that it was too fast
}

// An OpenAlert is an alert that was raised and is not over.
type OpenAlert struct {
	Kind  string    `json:"kind"`
	Since time.Time `json:"since"`
}
