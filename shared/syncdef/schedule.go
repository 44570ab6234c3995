package syncdef

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Schedule says how a sync's sync_frequency is acted on. In YAML each key may be left
// out; a Definition without the section has a nil one: see Definition.Scheduled.
type Schedule struct {
	TimeZone    string       `json:"time_zone"`        // IANA name that a cron expression, daily and weekly are in; default UTC
	Jitter      string       `json:"jitter,omitempty"` // a duration: a run begins up to so long after its due time; "" is at it
	WhenRunning WhenRunning  `json:"when_running"`     // default skip
	Mode        ScheduleMode `json:"mode"`             // of penstock_run; default incremental
}

// WhenRunning says what becomes of a due run while the last one still goes on.
type WhenRunning string

// skip leaves the due time out and says so; queue runs once as soon as the other has
// ended.
const (
	SkipRunning  WhenRunning = "skip"
	QueueRunning WhenRunning = "queue"
)

// ScheduleMode is the mode that a schedule hands to penstock_run.
type ScheduleMode string

// The modes of a schedule; dry_run, which sends nothing, has no use in one.
const (
	ScheduleIncremental ScheduleMode = "incremental"
	ScheduleFull        ScheduleMode = "full"
	ScheduleCDC         ScheduleMode = "cdc"
)

// WhenRunnings and ScheduleModes are the words of a schedule.
var (
	WhenRunnings  = []WhenRunning{SkipRunning, QueueRunning}
	ScheduleModes = []ScheduleMode{ScheduleIncremental, ScheduleFull, ScheduleCDC}
)

// DefaultTimeZone is the zone of a frequency where the definition names none.
const DefaultTimeZone = "UTC"

// MaxJitter is a day, the longest flexible window of EventBridge Scheduler (its API
// reference, FlexibleTimeWindow).
const MaxJitter = 24 * 60 * 60

// Scheduled is the sync's schedule with all defaults; it says nothing of whether there
// is a frequency.
func (d *Definition) Scheduled() Schedule {
	if d.Schedule != nil {
		return *d.Schedule
	}
	return Schedule{TimeZone: DefaultTimeZone, WhenRunning: SkipRunning, Mode: ScheduleIncremental}
}

// Cycle is a way from a sync by after back to itself, "a -> b -> a"; "" when after has
// none. after is what each sync waits for; names that it lacks wait for nothing.
func Cycle(after map[string][]string) string {
	done := map[string]bool{}
	var way []string
	var walk func(string) string
	walk = func(name string) string {
		if at := slices.Index(way, name); at >= 0 {
			return strings.Join(append(slices.Clone(way[at:]), name), " -> ")
		}
		if done[name] {
			return ""
		}
		way = append(way, name)
		for _, next := range after[name] {
			if found := walk(next); found != "" {
				return found
			}
		}
		way, done[name] = way[:len(way)-1], true
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if found := walk(name); found != "" {
			return found
		}
	}
	return ""
}

// CycleMessage says of a cycle what is wrong with it.
func CycleMessage(cycle string) string {
	return fmt.Sprintf("after goes round in a circle, %s: none of them could ever begin; take one of the names out", cycle)
}
