package view

import (
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

// Run is one run.
type Run struct {
	Run       string     `json:"run"`
	Sync      string     `json:"sync"`
	Version   string     `json:"version"`
	Mode      run.Mode   `json:"mode"`
	Bracketed bool       `json:"bracketed"`
	Status    run.Status `json:"status"`
	// Outcome of a run that goes on is "".
	Outcome       run.Outcome   `json:"outcome,omitempty"`
	Reason        string        `json:"reason,omitempty"`
	WaitsFor      string        `json:"waits_for,omitempty"`
	BegunAt       time.Time     `json:"begun_at"`
	FinishedAt    time.Time     `json:"finished_at,omitzero"`
	EndedAt       time.Time     `json:"ended_at,omitzero"`
	Took          time.Duration `json:"took"` // until AsOf where it goes on
	AsOf          time.Time     `json:"as_of"`
	Expected      int64         `json:"expected"` // rows that finish announced, -1 unknown
	Counts        run.Counts    `json:"counts"`   // Queued are the rows that have not settled
	Due           int64         `json:"due"`
	Retrying      int64         `json:"retrying"`
	Retried       int64         `json:"retried_delivered"`
	SuccessRate   float64       `json:"success_rate"`
	RowsPerSecond float64       `json:"rows_per_second"`
	Stages        []Stage       `json:"stages"`
	Groups        []Group       `json:"groups"` // most rows first
	Further       bool          `json:"-"`      // it looked further for their samples than a page does that finds them at once
	Gate          *run.Gate     `json:"gate,omitempty"`
	From          string        `json:"from,omitempty"` // watermark that it began with, a JSON scalar
	SelectAll     bool          `json:"select_all,omitempty"`
	Hold          string        `json:"hold,omitempty"`
	LeftBehind    int64         `json:"left_behind,omitempty"`
}

// A Stage is a part of the road: of Total rows that reach it, Done have passed it.
type Stage struct {
	Name  string `json:"name"` // intake, queue, destination
	Done  int64  `json:"done"`
	Total int64  `json:"total"` // -1 unknown
	Lost  int64  `json:"lost"`  // of Done, that were not let through
}

// A Group is a run's errors of one kind, with a few of them.
type Group struct {
	Stage   string  `json:"stage"`
	Type    string  `json:"error_type"`
	Field   string  `json:"field,omitempty"`
	Rows    int64   `json:"rows"`
	Samples []Error `json:"samples"`
}
