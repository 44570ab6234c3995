package frequency

import (
	"time"

	"github.com/robfig/cron/v3"
)

// looks is how far ahead Gap looks for due times.
const looks = 14 * 24 * time.Hour

// Gap is the longest time between one due time and the next, of the due times in
// the 14 days after now: of weekdays at six, Friday to Monday. The gap that begins
// with the last of them counts too, and where none falls into these days the one
// that begins with the first to come; 0 when a due time is the last that is known.
func Gap(s Schedule, now time.Time) time.Duration {
	if every, ok := s.(cron.ConstantDelaySchedule); ok {
		return every.Delay
	}
	end, longest := now.Add(looks), time.Duration(0)
	for due := s.Next(now); !due.IsZero(); {
		next := s.Next(due)
		if next.IsZero() {
			break
		}
		longest = max(longest, next.Sub(due))
		if due = next; due.After(end) {
			break
		}
	}
	return longest
}
