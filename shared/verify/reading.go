package verify

import (
	"cmp"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Reading is what is stored of one sync's daily check: whether its definition fits the
// destination, and how a sample of its records compares with the ledger.
type Reading struct {
	Sync       string    `json:"sync"`
	Connection string    `json:"connection"` // what was checked: findings of anything else are dropped
	Object     string    `json:"object"`
	Version    string    `json:"version"`
	TriedAt    time.Time `json:"tried_at"` // of the daily check; zero: never
	Schema     Schema    `json:"schema"`
	Sample     Summary   `json:"sample"`
	Revision   int64     `json:"revision"`
}

// Schema is how a definition fits the destination's metadata.
type Schema struct {
	TriedAt time.Time `json:"tried_at"`
	AsOf    time.Time `json:"as_of"` // zero: never told
	// Faults say what the destination would refuse, each with its remedy, at most MaxFaults.
	Faults  []string `json:"faults,omitempty"`
	Failure string   `json:"failure,omitempty"` // why the last try told nothing
}

// Summary is a report without its records.
type Summary struct {
	AsOf     time.Time        `json:"as_of"` // zero: never told
	Seed     uint64           `json:"seed,omitempty"`
	Ledger   int64            `json:"ledger"`
	Records  int              `json:"records"` // of the sample
	Compared int64            `json:"compared"`
	Missing  int64            `json:"missing"`
	Changed  int64            `json:"changed"`
	Mended   int64            `json:"mended"`
	Fields   map[string]int64 `json:"fields,omitempty"`
	Failure  string           `json:"failure,omitempty"` // why the last try told nothing
}

// MaxFaults is how many faults a reading keeps, and maxFields of how many fields counts,
// those of the most records, so that it stays a small item.
const (
	MaxFaults = 20
	maxFields = 200
)

// Summary is the report as it is stored.
func (r *Report) Summary() Summary {
	s := Summary{AsOf: r.AsOf, Seed: r.Seed, Ledger: r.Ledger, Records: r.Budget.Records, Compared: r.Compared,
		Missing: r.States[Missing], Changed: r.States[Changed], Mended: r.Mended}
	names := slices.SortedFunc(maps.Keys(r.Fields), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.Fields[b], r.Fields[a]), strings.Compare(a, b))
	})
	for _, name := range names[:min(len(names), maxFields)] {
		if s.Fields == nil {
			s.Fields = map[string]int64{}
		}
		s.Fields[name] = r.Fields[name]
	}
	return s
}

// Outweighs reports whether a report says less than this, which found something: it
// compared fewer records, and not all that the ledger knows.
func (s *Summary) Outweighs(r *Report) bool {
	all := r.Stopped == "" && int64(r.Budget.Records) >= r.Ledger
	return s.Differ() > 0 && r.Compared < s.Compared && !all
}

// Differ counts the records that differ and are not to be sent again.
func (s *Summary) Differ() int64 { return max(0, s.Missing+s.Changed-s.Settled()) }

// Settled is how many of those that differ are sent again, and no other is left to be: of a
// sample none, as those mended in it stand for others that nobody read.
func (s *Summary) Settled() int64 {
	if int64(s.Records) < s.Ledger || s.Failure != "" {
		return 0
	}
	return s.Mended
}

// Of is the reading for what is applied now: without the findings of something else.
func (r Reading) Of(sync, connection, object string) Reading {
	if r.Connection == connection && r.Object == object {
		r.Sync = sync
		return r
	}
	return Reading{Sync: sync, Connection: connection, Object: object, Revision: r.Revision}
}

// again is how soon a definition that does not fit is held against the metadata again: a
// person who mended it need not wait for the next day, and it costs a call or two.
const again = time.Hour

// Due says what is to be checked at now: each once a day, at a time that the sync's name
// gives, so that not all are checked at once. A day that was missed is not made up for. What
// was found amiss of the schema is looked at again after an hour, or with another version.
// A sync that was applied later than that time of today waits for tomorrow's.
func (r *Reading) Due(now, applied time.Time, version string) (schema, sample bool) {
	slot := Slot(r.Sync, now)
	since := r.TriedAt
	if since.IsZero() {
		since = applied
	}
	if since.After(now) { // a clock that was put back waits for nothing
		since = now.Add(-24 * time.Hour)
	}
	sample = since.Before(slot)
	anew := len(r.Schema.Faults) > 0 && (r.Version != version || now.Sub(r.Schema.TriedAt) >= again)
	return sample || anew, sample
}

// Slot is when a sync was to be checked last, at now or before.
func Slot(sync string, now time.Time) time.Time {
	h := fnv.New32a()
	h.Write([]byte(sync))
	day := 24 * time.Hour
	at := now.UTC().Truncate(day).Add(time.Duration(mix(uint64(h.Sum32()))%uint64(day/time.Second)) * time.Second)
	if at.After(now) {
		at = at.Add(-day)
	}
	return at
}

// Seed draws another sample every day, the same one at every try of it.
func Seed(sync string, now time.Time) uint64 {
	h := fnv.New64a()
	h.Write([]byte(sync))
	h.Write([]byte(Slot(sync, now).Format(time.DateOnly)))
	return mix(h.Sum64())%1_000_000 + 1
}
