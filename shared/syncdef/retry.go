package syncdef

import "time"

// Retry says how a failed row is tried again: so many attempts in all, the first
// delivery included, each later than the one before by a random part of
// base·2ⁿ, at most max.
type Retry struct {
	Attempts int    `json:"attempts,omitempty"` // 1 to 20; default 3, 1 never tries again
	Base     string `json:"base,omitempty"`     // a duration: 30s, 5m, 1h; default 60s
	Max      string `json:"max,omitempty"`      // a duration, at least base; default 15m
}

// The defaults of Retry: the sample's.
const (
	DefaultRetryAttempts = 3
	DefaultRetryBase     = time.Minute
	DefaultRetryMax      = 15 * time.Minute
)

// RetryAttempts is how often a row is tried in all, at least once.
func (d *Definition) RetryAttempts() int {
	if d.Retry == nil || d.Retry.Attempts < 1 {
		return DefaultRetryAttempts
	}
	return d.Retry.Attempts
}

// RetryBase is the wait that grows with each attempt; the default where none is
// given, or one that the reader would have refused.
func (d *Definition) RetryBase() time.Duration {
	if d.Retry == nil {
		return DefaultRetryBase
	}
	return positive(d.Retry.Base, DefaultRetryBase)
}

// RetryMax is the longest wait, never less than RetryBase.
func (d *Definition) RetryMax() time.Duration {
	most := DefaultRetryMax
	if d.Retry != nil {
		most = positive(d.Retry.Max, DefaultRetryMax)
	}
	return max(most, d.RetryBase())
}

// FailedFor is how long a failed row holds the watermark: include_failed, or its
// default.
func (d *Definition) FailedFor() time.Duration {
	if d.Incremental == nil {
		return DefaultFailed
	}
	return positive(d.Incremental.IncludeFailed, DefaultFailed)
}

func positive(text string, otherwise time.Duration) time.Duration {
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return d
	}
	return otherwise
}

// StoreSource says which columns of a row are stored beside its error.
type StoreSource string

// none stores no source, so that the row cannot be sent again by itself; mapped,
// the default, the columns that the definition reads; all every column.
const (
	StoreNone   StoreSource = "none"
	StoreMapped StoreSource = "mapped"
	StoreAll    StoreSource = "all"
)

// SourceStored is StoreSource with its default.
func (d *Definition) SourceStored() StoreSource {
	if d.StoreSource == "" {
		return StoreMapped
	}
	return d.StoreSource
}
