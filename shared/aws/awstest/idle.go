package awstest

// How often what comes by itself asks the state table when there is no work, as
// TestIdle counts it. An answer without items is charged as one read unit at most.
const (
	// A sweep: the lists of open runs, of syncs and of removed ones; of each sync what is due and its
	// definition. One with notifications is looked at more closely.
	IdleSweep        = 3
	IdleSweepPerSync = 3
	// The schedules' minute: the list of syncs; of each its definition and due times.
	IdleSchedule        = 1
	IdleSchedulePerSync = 3
	// A worker's event that counts how old data is: the list of syncs; of each its
	// definition, and of each of its own type what was counted last.
	IdleFreshness        = 1
	IdleFreshnessPerSync = 2
	IdleFreshnessPerOwn  = 1
)
