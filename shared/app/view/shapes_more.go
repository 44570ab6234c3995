package view

import "time"

// An Error is one row that was not delivered.
type Error struct {
	Ref        string    `json:"ref"`
	Sync       string    `json:"sync"`
	Run        string    `json:"run"`
	RecordID   string    `json:"record_id"`
	Key        string    `json:"key,omitempty"`
	Version    string    `json:"version,omitempty"`
	Stage      string    `json:"stage"`
	Type       string    `json:"error_type"`
	Field      string    `json:"field,omitempty"`
	Message    string    `json:"error_message"`
	Attempts   int       `json:"attempts"`
	Due        time.Time `json:"due,omitzero"`
	OccurredAt time.Time `json:"occurred_at"`
	Rows       int       `json:"rows"` // that it stands for: more than 1 of a message's summary
	// Settled says that it is not open any more: a later row of its key was settled since, or
	// its sync delivers elsewhere now. A retry sends nothing of it.
	Settled bool   `json:"settled,omitempty"`
	Stored  bool   `json:"stored,omitempty"` // the row's source is; not told in lists
	Source  []byte `json:"source,omitempty"` // the row's JSON object without what is personal, where it was asked for and may be shown
}

// A Filter says which errors are meant; empty fields mean all.
type Filter struct {
	Sync   string `json:"sync,omitempty"`
	Run    string `json:"run,omitempty"` // a run of the sync
	Type   string `json:"type,omitempty"`
	Stage  string `json:"stage,omitempty"`
	Field  string `json:"field,omitempty"`
	Record string `json:"record,omitempty"` // a record id or a key, whole
	Text   string `json:"text,omitempty"`   // in message, record id, key, type or field, without regard to case
	After  string `json:"after,omitempty"`  // Errors.Next of the page before
	Limit  int    `json:"limit,omitempty"`  // at most 100; 0 is 20
}

// Errors is a page of errors, the newest first.
type Errors struct {
	Errors []Error `json:"errors"`
	// Next is where the older ones go on, "" at the end: a page may be empty and not be the
	// last.
	Next string `json:"next,omitempty"`
	// Since is how far back the page looked; zero where it is the last.
	Since time.Time `json:"since,omitzero"`
	// Further says that it looked further than a page does that finds some at once.
	Further bool `json:"-"`
}

// Sync is one sync.
type Sync struct {
	Row
	Operation     string    `json:"operation"`
	Model         string    `json:"model"`
	Match         string    `json:"match,omitempty"` // source column and destination field
	Strategy      string    `json:"matching_strategy"`
	RecordID      []string  `json:"record_id"`
	Mapping       []Mapping `json:"mapping"`
	Cursor        string    `json:"cursor,omitempty"`
	Watermark     string    `json:"watermark,omitempty"` // a JSON scalar
	WatermarkType string    `json:"watermark_type,omitempty"`
	WatermarkAt   time.Time `json:"watermark_at,omitzero"`
	Hold          string    `json:"hold,omitempty"` // the least cursor that is not known to be right: the next run begins there
	Chart         []Line    `json:"chart"`          // its runs that have ended, the oldest first, at most 60
}

// A Mapping is one field.
type Mapping struct {
	Source      string `json:"source"` // the column, or the text in its place
	Destination string `json:"destination"`
	Type        string `json:"data_type"`
	Rules       string `json:"rules,omitempty"` // its checks and defaults in words
	Personal    bool   `json:"personal,omitempty"`
}

// Record is what is known of one record.
type Record struct {
	Connection string `json:"connection"`
	Key        string `json:"key"` // as it was asked for
	// Connections are all that syncs name, and Others the syncs of this one that know
	// nothing of the record; of these ByMatch are those in which a record id cannot be looked
	// for, as nothing leads from it to what is held.
	Connections []string  `json:"connections"`
	Holds       []Holding `json:"holds"` // of the syncs that know it
	Others      []string  `json:"others"`
	ByMatch     []string  `json:"by_match,omitempty"`
	Errors      Errors    `json:"errors"` // of the last 30 days
}

// Names are what there is to choose from.
type Names struct {
	Syncs       []string `json:"syncs"`
	Connections []string `json:"connections"`
}

// A Holding is what one sync holds of a record.
type Holding struct {
	Sync   string    `json:"sync"`
	Key    string    `json:"key"`  // by the sync's rule of identity
	Held   bool      `json:"held"` // the destination holds what a row of the sync said
	Gone   bool      `json:"gone,omitempty"`
	ID     string    `json:"id,omitempty"` // the destination's
	Link   string    `json:"link,omitempty"`
	Run    string    `json:"run,omitempty"`   // that last had a row of it
	At     time.Time `json:"at,omitzero"`     // when that run ended, or began where it goes on
	Error  string    `json:"error,omitempty"` // the ref of its open error
	Doubt  bool      `json:"doubt,omitempty"` // a row was sent of which it is not known whether it arrived
	Object string    `json:"object"`
}
