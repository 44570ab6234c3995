package runs

import (
	"context"
	"time"

	"github.com/penstock-data/penstock/shared/freshness"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Syncs reads definitions. Versions are immutable.
type Syncs interface {
	// Current is the applied version of a sync; run.ErrNotFound when none is.
	Current(ctx context.Context, sync string) (syncdef.Version, error)
	// Version is one revision, applied now or earlier; run.ErrNotFound.
	Version(ctx context.Context, sync, id string) (syncdef.Version, error)
	// NextSequence is a number greater than any that it gave for the sync before.
	NextSequence(ctx context.Context, sync string) (int64, error)
	// List names the syncs that have a current version, sorted.
	List(ctx context.Context) ([]string, error)
}

// Definitions changes which version of a sync is applied.
type Definitions interface {
	// Apply stores a version and makes it the current one. Twice is the same as once.
	Apply(ctx context.Context, v syncdef.Version) error
	// Remove takes the current version away: the sync is not applied any more.
	Remove(ctx context.Context, sync string) error
}

// Connections stores connections apart from versions.
type Connections interface {
	// Connection is the stored settings and the account's pin; run.ErrNotFound.
	Connection(ctx context.Context, name string) (syncdef.Stored, error)
	// PutConnection stores settings and keeps the pin. Settings of another type are of
	// another account: they pin whichever comes next, and raise the epoch.
	PutConnection(ctx context.Context, c syncdef.Connection) error
	// AcceptAccount pins another account, "" for whichever comes next, and raises the epoch.
	AcceptAccount(ctx context.Context, name, account string) (syncdef.Stored, error)
	// Pace is the connection's state; the zero State when nothing is stored.
	Pace(ctx context.Context, connection string) (pace.State, error)
	// SetPace stores a state over the one with its Revision, with Revision+1;
	// run.ErrConflict when another one is stored.
	SetPace(ctx context.Context, connection string, s pace.State) error
}

// Runs stores runs. Reads are strongly consistent.
type Runs interface {
	// BeginRun stores a bracketed run as the sync's latest, over the latest one that
	// the caller read ("" none); run.ErrConflict when another one is. Twice is the
	// same as once.
	BeginRun(ctx context.Context, r run.Run, latest string) error
	// Latest is the id of the sync's bracketed run that was begun last; "" none.
	Latest(ctx context.Context, sync string) (string, error)
	// Run reads one run; run.ErrNotFound.
	Run(ctx context.Context, id string) (run.Run, error)
	// UpdateRun replaces a run whose stored Revision is r.Revision, and stores it
	// with Revision+1; run.ErrConflict otherwise.
	UpdateRun(ctx context.Context, r run.Run) error
	// CompleteRun is UpdateRun together with a mark, in one transaction (I4): the
	// mark is stored over the one with its Revision (0: none is stored), with
	// Revision+1; run.ErrConflict when either was changed.
	CompleteRun(ctx context.Context, r run.Run, m run.Mark) error
}

// History lists runs.
type History interface {
	// LiveRuns lists the runs that are live (run.Run.Live).
	LiveRuns(ctx context.Context) ([]run.Run, error)
	// RecentRuns lists a sync's runs, newest BegunAt first.
	RecentRuns(ctx context.Context, sync string, limit int) ([]run.Run, error)
	// RunsBefore goes on after the run of that BegunAt and id, in the same order.
	RunsBefore(ctx context.Context, sync string, begun time.Time, id string, limit int) ([]run.Run, error)
	// RetriesOf lists the runs that have sent a run's rows again, in the order of their ids.
	RetriesOf(ctx context.Context, id string) ([]run.Run, error)
}

// Recorded reads what is recorded of a run's rows.
type Recorded interface {
	// Batches lists a run's batches.
	Batches(ctx context.Context, runID string) ([]run.Batch, error)
	// Chunks calls each with every record of a run's messages.
	Chunks(ctx context.Context, runID string, each func(batch string, index int, c run.Chunk) error) error
	// CountGate adds a batch's rows to those that intake counted for the run's gate, once,
	// and returns what the run has.
	CountGate(ctx context.Context, runID, batch string, c run.GateCounts) (run.GateCounts, error)
}

// Marks stores watermarks.
type Marks interface {
	// Mark reads a sync's mark of a target and column; run.ErrNotFound.
	Mark(ctx context.Context, sync, target, column string) (run.Mark, error)
	// SetMark stores a mark over the one with its Revision; run.ErrConflict.
	SetMark(ctx context.Context, m run.Mark) error
	// ResetMarks deletes all marks of a sync.
	ResetMarks(ctx context.Context, sync string) error
}

// Errors reads and closes stored errors.
type Errors interface {
	// StoreErrors stores each error under its Ref, unless what is stored there counts
	// as many attempts or more.
	StoreErrors(ctx context.Context, errs []run.RowError) error
	// RunErrors lists a run's errors in the order of batch and row, from after the
	// token on, up to limit or until they pass run.ErrorPage; next is "" at the end.
	RunErrors(ctx context.Context, runID string, limit int, after string) (errs []run.RowError, next string, err error)
	// ErrorsByRef reads the errors of one sync that exist among refs, by Ref.
	ErrorsByRef(ctx context.Context, sync string, refs []string) (map[string]run.RowError, error)
	// EndDue says in errors that they are not sent again by themselves any more, and
	// why (added to the message; "" leaves it). Attempts stay.
	EndDue(ctx context.Context, sync string, refs []string, why string) error
}

// Due lists what is to be sent again.
type Due interface {
	// Removed names the syncs that were removed and of which something may still be due:
	// none that is applied, and perhaps some of which nothing is.
	Removed(ctx context.Context) ([]string, error)
	// DueItems lists a sync's due items whose time is not after now, oldest first, at
	// most limit; with now zero all of them.
	DueItems(ctx context.Context, sync string, now time.Time, limit int) ([]run.Due, error)
	// StoreDue stores due items; of one ID and time the first stays: a message that
	// was settled twice may find fewer of its rows due the second time.
	StoreDue(ctx context.Context, due []run.Due) error
	// DeleteDue deletes one; nothing happens when it is gone.
	DeleteDue(ctx context.Context, d run.Due) error
}

// Ledger tells whether an error is still open.
type Ledger interface {
	Entries(ctx context.Context, target string, keys []string) (map[string]ledger.Entry, error)
	// EntriesAfter lists a target's entries, in no order that means anything, from after
	// the token on ("" from the first), about limit of them, perhaps none; next is "" at
	// the end. An entry that is there throughout the listing is listed once; keys that are
	// kept as a hash only are left out.
	EntriesAfter(ctx context.Context, target, after string, limit int) (entries []ledger.Entry, next string, err error)
}

// Mirrors keeps what a mirror's full run saw, and what it is to remove.
type Mirrors interface {
	// Seen calls each for every part of keys that intake stored of a run.
	Seen(ctx context.Context, runID string, each func(batch string, part int, hashes []byte) error) error
	// StoreLeft stores a page of the keys that left the model, over what is there.
	StoreLeft(ctx context.Context, runID string, page int, keys []string) error
	// Left reads a page; run.ErrNotFound.
	Left(ctx context.Context, runID string, page int) ([]string, error)
}

// Halts reads which versions cannot be delivered.
type Halts interface {
	// Halt reads a version's halt; run.ErrNotFound.
	Halt(ctx context.Context, sync, version string) (run.Halt, error)
	// DeleteHalt ends it; nothing happens when there is none.
	DeleteHalt(ctx context.Context, sync, version string) error
}

// Firings stores the due times of schedules.
type Firings interface {
	// Firing reads one; run.ErrNotFound.
	Firing(ctx context.Context, sync string, at time.Time) (run.Firing, error)
	// SetFiring stores one over the one with its Revision (0: none is stored), with
	// Revision+1; run.ErrConflict when another one is.
	SetFiring(ctx context.Context, f run.Firing) error
	// RecentFirings lists a sync's firings, the latest due time first.
	RecentFirings(ctx context.Context, sync string, limit int) ([]run.Firing, error)
}

// Freshness reads how old the data at the destinations is.
type Freshness interface {
	// Freshness reads what is known of a sync; the zero Reading of it when nothing is.
	Freshness(ctx context.Context, sync string) (freshness.Reading, error)
}

// Overviews stores how each sync stands, for pages: copies of what is stored elsewhere.
type Overviews interface {
	// SetOverview stores one over the one with its Revision (0: none is stored), with
	// Revision+1; run.ErrConflict when another one is.
	SetOverview(ctx context.Context, o run.Overview) error
	// DeleteOverview deletes one; nothing happens when there is none.
	DeleteOverview(ctx context.Context, sync string) error
	// Overview reads one sync's; run.ErrNotFound.
	Overview(ctx context.Context, sync string) (run.Overview, error)
	// Overviews reads those of all syncs, by name. One whose revision is known comes with
	// its Sync and Revision alone; one that cannot be read says why in Unreadable.
	Overviews(ctx context.Context, known map[string]int64) ([]run.Overview, error)
}

// Some reads a bounded part of much.
type Some interface {
	// SomeRuns reads the runs that exist among the ids, at most 100, by id.
	SomeRuns(ctx context.Context, ids []string) (map[string]run.Run, error)
	// SomeOpenRuns names runs that go on, at most limit, by id.
	SomeOpenRuns(ctx context.Context, limit int) ([]string, error)
}

// Lists reads which errors are stored, by time.
type Lists interface {
	// ListErrors calls each with the entries of a list of errors by time, run.EveryError or
	// a sync's, the newest first: from the one of that Key on, "" from the newest, at most
	// limit, until each answers false. more says that there may be older ones than the last.
	ListErrors(ctx context.Context, list, from string, limit int, each func(run.Listed) bool) (more bool, err error)
	// SomeErrors reads the errors that exist among refs, at most 100 of any syncs, by Ref,
	// without their Source.
	SomeErrors(ctx context.Context, refs []string) (map[string]run.RowError, error)
}

// Places reads ledger entries of several targets.
type Places interface {
	// Places reads the entries that exist among these, at most 100 of any targets.
	Places(ctx context.Context, places []ledger.Place) (map[ledger.Place]ledger.Entry, error)
}

// Depths tells how full the queues are.
type Depths interface {
	// Depth is the approximate number of messages that wait in the queue.
	Depth(ctx context.Context, queue string) (int, error)
}
