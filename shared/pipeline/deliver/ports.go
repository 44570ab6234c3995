package deliver

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
	// Version is one revision, applied now or earlier; run.ErrNotFound.
	Version(ctx context.Context, sync, id string) (syncdef.Version, error)
}

// Connections keeps what is known of connections.
type Connections interface {
	// Connection is the stored settings and the account's pin; run.ErrNotFound.
	Connection(ctx context.Context, name string) (syncdef.Stored, error)
	// PinAccount stores which account the connection is, unless one is stored, and
	// returns what is.
	PinAccount(ctx context.Context, name, account string) (syncdef.Stored, error)
	// Pace is the connection's state; the zero State when nothing is stored.
	Pace(ctx context.Context, connection string) (pace.State, error)
	// SetPace stores a state over the one with its Revision, with Revision+1;
	// run.ErrConflict when another one is stored.
	SetPace(ctx context.Context, connection string, s pace.State) error
}

// Tokens stores token buckets. The arithmetic is package pace's.
type Tokens interface {
	// Lease takes up to want tokens of a bucket, or says how long to wait.
	Lease(ctx context.Context, bucket string, limits []pace.Window, want int, now time.Time) (granted int, wait time.Duration, err error)
	// Slow halves what the bucket grants from now on; it grows back by itself.
	Slow(ctx context.Context, bucket string, now time.Time) error
}

// Runs reads runs and ends those that a row's failure stops.
type Runs interface {
	// Run reads one run; run.ErrNotFound.
	Run(ctx context.Context, id string) (run.Run, error)
	// Latest is the id of the sync's bracketed run that was begun last; "" none. Asked only
	// for plain pushes to mirrors.
	Latest(ctx context.Context, sync string) (string, error)
	// UpdateRun replaces a run whose stored Revision is r.Revision; run.ErrConflict.
	UpdateRun(ctx context.Context, r run.Run) error
	// Batches lists a run's batches, for versions that gather.
	Batches(ctx context.Context, runID string) ([]run.Batch, error)
}

// Chunks stores the records of messages.
type Chunks interface {
	// Chunk reads a message's record; the zero Chunk when there is none.
	Chunk(ctx context.Context, runID, batch string, index int) (run.Chunk, error)
	// StartChunk stores the start mark over whatever mark there is, unless the chunk is Done.
	StartChunk(ctx context.Context, runID, batch string, index int, s run.Start) error
	// ReturnChunk notes that the message goes back on purpose: it deletes the start
	// mark, and stores the call size, when its rows were last tried, and how long what
	// was given up of it may still be carried out, unless the chunk is Done.
	ReturnChunk(ctx context.Context, runID, batch string, index, most int, tried, busyUntil time.Time) error
	// RecordChunk stores a chunk's record unless one is stored (I2); first says
	// whether this call stored it.
	RecordChunk(ctx context.Context, runID, batch string, index int, c run.Chunk) (first bool, err error)
}

// Unchanged keeps, for run.KeepUnchanged, the keys of rows that were accepted and left the
// destination as it was: they write no entry of the ledger, and an older batch that comes
// late is compared with them here.
type Unchanged interface {
	// StoreUnchanged stores the hashes (run.AppendSeen) of such keys of a message.
	StoreUnchanged(ctx context.Context, runID, batch string, index int, hashes []byte) error
	// Unchanged calls each for every message of a run of which some are stored.
	Unchanged(ctx context.Context, runID string, each func(batch string, index int, hashes []byte) error) error
	// RecentRuns lists a sync's runs, newest BegunAt first.
	RecentRuns(ctx context.Context, sync string, limit int) ([]run.Run, error)
	// RunsBefore goes on after the run of that BegunAt and id, in the same order.
	RunsBefore(ctx context.Context, sync string, begun time.Time, id string, limit int) ([]run.Run, error)
}

// Halts stores which versions cannot be delivered.
type Halts interface {
	// Halt reads a version's halt; run.ErrNotFound.
	Halt(ctx context.Context, sync, version string) (run.Halt, error)
	// SetHalt stores a halt over the one with its Revision (0: none is stored), with
	// Revision+1; run.ErrConflict when another one is.
	SetHalt(ctx context.Context, h run.Halt) error
	// DeleteHalt ends it; nothing happens when there is none.
	DeleteHalt(ctx context.Context, sync, version string) error
}

// Ledger stores what the destinations hold. Reads are strongly consistent.
type Ledger interface {
	// Entries reads the entries of the keys that have one.
	Entries(ctx context.Context, target string, keys []string) (map[string]ledger.Entry, error)
	// Commit stores entries, each over the one with its Revision; where another one
	// is stored, what ledger.Merge says is stored instead, and where that was deleted
	// since, what ledger.Orphan says; lost holds the entry's position if they say that
	// it lost. The slice is the caller's again when it returns.
	Commit(ctx context.Context, target string, entries []ledger.Entry) (lost []int, err error)
}

// Listing lists what the ledger knows.
type Listing interface {
	// EntriesAfter lists a target's entries, in no order that means anything, from after
	// the token on ("" from the first), about limit of them, perhaps none; next is "" at
	// the end. An entry that is there throughout the listing is listed once; keys that are
	// kept as a hash only are left out.
	EntriesAfter(ctx context.Context, target, after string, limit int) (entries []ledger.Entry, next string, err error)
}

// Errors stores rows that were not delivered, and when they are due.
type Errors interface {
	// ReplaceErrors stores each error under its Ref, unless what is stored there counts
	// more attempts. One of as many was stored by a try that did not tell the ledger: what
	// the later try found holds.
	ReplaceErrors(ctx context.Context, errs []run.RowError) error
	// ErrorsByRef reads the errors of one sync that exist among refs, by Ref.
	ErrorsByRef(ctx context.Context, sync string, refs []string) (map[string]run.RowError, error)
	// StoreDue stores due items; of one ID and time the first stays: a message that
	// was settled twice may find fewer of its rows due the second time.
	StoreDue(ctx context.Context, due []run.Due) error
}

// Freshness stores how old the data at the destinations is, and names the syncs.
type Freshness interface {
	// List names the syncs that have a current version, sorted.
	List(ctx context.Context) ([]string, error)
	// Current is the applied version of a sync; run.ErrNotFound when none is.
	Current(ctx context.Context, sync string) (syncdef.Version, error)
	// Freshness reads what is known of a sync; the zero Reading of it when nothing is.
	Freshness(ctx context.Context, sync string) (freshness.Reading, error)
	// SetFreshness stores a reading over the one with its Revision (0: none is stored),
	// with Revision+1; run.ErrConflict when another one is.
	SetFreshness(ctx context.Context, r freshness.Reading) error
}

// Visibility keeps a message hidden.
type Visibility interface {
	// Hide makes the message invisible for d (at most 12 h) from now.
	Hide(ctx context.Context, queue, receipt string, d time.Duration) error
}
