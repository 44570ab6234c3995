package frequency

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// ErrNone says that a definition has no sync_frequency. From Of.
var ErrNone = errors.New("the sync has no sync_frequency")

// A Plan is when a sync is due: its frequency in its time zone. An interval ("every
// 15m") is counted from the Unix epoch, so that everybody finds the same times. As
// EventBridge Scheduler does (its user guide, "Daylight savings time"), a time that
// the clocks leave out is left out, and one that they repeat is due once.
type Plan struct {
	Jitter time.Duration // a run begins up to so long after it is due

	every time.Duration      // 0 unless it is an interval
	spec  *cron.SpecSchedule // nil if it is one
}

// Of is the plan of a definition; ErrNone where it has no frequency.
func Of(d *syncdef.Definition) (Plan, error) {
	if d.Frequency == "" {
		return Plan{}, ErrNone
	}
	s, zone := d.Scheduled(), time.UTC
	if s.TimeZone != syncdef.DefaultTimeZone {
		loaded, err := syncdef.Zone(s.TimeZone)
		if err != nil {
			return Plan{}, fmt.Errorf("the time zone of the schedule: %w", err)
		}
		zone = loaded
	}
	parsed, err := Parse(d.Frequency)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{}
	if s.Jitter != "" {
		if p.Jitter, err = time.ParseDuration(s.Jitter); err != nil {
			return Plan{}, fmt.Errorf("the jitter of the schedule: %w", err)
		}
	}
	switch s := parsed.(type) {
	case cron.ConstantDelaySchedule:
		p.every = s.Delay
	case *cron.SpecSchedule:
		in := *s
		in.Location = zone
		p.spec = &in
	}
	return p, nil
}

// Interval is the time between due times where the frequency is an interval, else 0.
func (p Plan) Interval() time.Duration { return p.every }

// Next is the first due time after t, in UTC; zero where none comes within five years.
func (p Plan) Next(t time.Time) time.Time {
	switch {
	case p.every > 0:
		return time.Unix(0, floor(t.UnixNano(), int64(p.every))+int64(p.every)).UTC()
	case p.spec == nil:
		return time.Time{}
	}
	for {
		if t = p.spec.Next(t); t.IsZero() || !repeated(t, p.spec.Location) {
			return t.UTC()
		}
	}
}

// Last is the latest due time that is not after t; zero where there was none in the
// last five years.
func (p Plan) Last(t time.Time) time.Time {
	if p.every > 0 {
		return time.Unix(0, floor(t.UnixNano(), int64(p.every))).UTC()
	}
	const longest = 5 * 366 * 24 * time.Hour // as far as the cron library looks
	for back := time.Minute; ; back = min(4*back, longest) {
		last := p.Next(t.Add(-back))
		if last.IsZero() || last.After(t) {
			if back == longest {
				return time.Time{}
			}
			continue
		}
		for next := p.Next(last); !next.IsZero() && !next.After(t); next = p.Next(last) {
			last = next
		}
		return last
	}
}

// Delay is how long after its due time a sync's run begins: of its jitter, a part that
// is the same whenever it is asked for.
func (p Plan) Delay(sync string, due time.Time) time.Duration {
	if p.Jitter <= 0 {
		return 0
	}
	h := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", sync, due.Unix()))
	return time.Duration(binary.BigEndian.Uint64(h[:8]) % uint64(p.Jitter))
}

// looked is how many due times Least looks at: more than a day of minutes.
const looked = 2_000

// Least is the shortest time between two due times, of the first in a leap
// year.
func (p Plan) Least() time.Duration {
	if p.every > 0 {
		return p.every
	}
	at := p.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))
	least := time.Duration(0)
	for range looked {
		next := p.Next(at)
		if next.IsZero() {
			break
		}
		if gap := next.Sub(at); least == 0 || gap < least {
			least = gap
		}
		if at = next; least == time.Minute {
			break
		}
	}
	return least
}

// repeated reports whether the clocks of a zone have shown this time of the day before,
// an hour ago.
func repeated(t time.Time, zone *time.Location) bool {
	const wall = "2006-01-02 15:04"
	return t.In(zone).Format(wall) == t.Add(-time.Hour).In(zone).Format(wall)
}

// floor rounds down to a multiple.
func floor(n, by int64) int64 {
	if n < 0 {
		n -= by - 1
	}
	return n / by * by
}
