// Package pipeline is the road itself: Intake takes a batch from a warehouse and
// queues it, Deliver takes messages to a destination and records what became of
// every row, Control and Sweep begin, watch and end runs. It decides order,
// retry and acknowledgement, and declares the small interfaces that it needs;
// shared/aws and shared/sqlite implement them, held equal by shared/storetest.
package pipeline

import (
	"context"
	"errors"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// Sentinels that the adapters return (wrapped) and pipeline tells apart.
var (
	ErrNotFound = errors.New("not found")                // Syncs.*, Runs.Run, Runs.Batch
	ErrActive   = errors.New("another run is active")    // Runs.BeginRun
	ErrConflict = errors.New("changed by somebody else") // Runs.UpdateRun: Revision does not match
)

// Syncs stores definitions. Versions are immutable.
type Syncs interface {
	// Current is the applied version of a sync; ErrNotFound when none is.
	Current(ctx context.Context, sync string) (syncdef.Version, error)
	// Version is one revision, applied now or earlier.
	Version(ctx context.Context, sync, id string) (syncdef.Version, error)
	// Apply stores a version and makes it the current one. Twice is the same as once.
	Apply(ctx context.Context, v syncdef.Version) error
	// List names the syncs that have a current version, sorted.
	List(ctx context.Context) ([]string, error)
}

// Runs stores runs and their batches. Reads are strongly consistent.
type Runs interface {
	// BeginRun stores a bracketed run and marks it as its sync's active one;
	// ErrActive, and the run that is, when there already is one.
	BeginRun(ctx context.Context, r run.Run) (run.Run, error)
	// EnsureRun stores an implicit run unless it exists, and returns what is stored.
	EnsureRun(ctx context.Context, r run.Run) (run.Run, error)
	// Run reads one run; ErrNotFound.
	Run(ctx context.Context, id string) (run.Run, error)
	// UpdateRun replaces a run whose stored Revision is r.Revision, and stores it
	// with Revision+1; ErrConflict otherwise. A run that ended leaves the list of
	// open runs and, when bracketed, stops being active; one that is no longer
	// ended returns to the list. With watermark not "", the sync's watermark
	// becomes that value in the same transaction (I4).
	UpdateRun(ctx context.Context, r run.Run, watermark string) error
	// OpenRuns lists the runs that have not ended.
	OpenRuns(ctx context.Context) ([]run.Run, error)
	// RecentRuns lists a sync's runs, newest BegunAt first.
	RecentRuns(ctx context.Context, sync string, limit int) ([]run.Run, error)
	// Watermark is the sync's watermark, a JSON scalar; "" when none was set.
	Watermark(ctx context.Context, sync string) (string, error)

	// PinBatch stores a batch unless it exists, and returns what is stored; with
	// created false the caller has a retry in hand.
	PinBatch(ctx context.Context, b run.Batch) (stored run.Batch, created bool, err error)
	// MarkSent notes that every chunk of the batch was accepted by the queue.
	MarkSent(ctx context.Context, runID, batch string) error
	// Batch reads one batch with its chunks; ErrNotFound.
	Batch(ctx context.Context, runID, batch string) (run.Batch, error)
	// Batches lists a run's batches with their chunks.
	Batches(ctx context.Context, runID string) ([]run.Batch, error)
	// RecordChunk stores the result of a chunk unless one is stored (I2): first
	// says whether this call stored it. c.Deferrals and c.Attempts are ignored.
	RecordChunk(ctx context.Context, runID, batch string, index int, c run.Chunk) (first bool, err error)
	// DeferChunk adds one deferral, and attempts, to a chunk's record.
	DeferChunk(ctx context.Context, runID, batch string, index, attempts int) error
}

// Ledger stores what was delivered, per target and key. Reads are strongly consistent.
type Ledger interface {
	// Entries reads the entries of the keys that have one.
	Entries(ctx context.Context, target string, keys []string) (map[string]ledger.Entry, error)
	// Commit stores entries. Where the stored entry has a greater Place, that one
	// stays, but loses its Fingerprint and Fields: the next run re-sends it (I3).
	Commit(ctx context.Context, target string, entries []ledger.Entry) error
}

// ErrorPage is about how many bytes of errors one RunErrors call returns: what a
// function of 256 MB holds and answers within Lambda's 6 MB.
const ErrorPage = 3 << 20

// Errors stores rows that were not delivered, by run.RowError.Ref.
type Errors interface {
	// StoreErrors stores the errors; the same Ref overwrites.
	StoreErrors(ctx context.Context, errs []run.RowError) error
	// RunErrors lists a run's errors in the order of batch and row, from after
	// the token on, up to limit or until they pass ErrorPage; next is "" at the end.
	RunErrors(ctx context.Context, runID string, limit int, after string) (errs []run.RowError, next string, err error)
}

// Pace stores token buckets. The arithmetic is pace.Lease's.
type Pace interface {
	// Lease takes up to want tokens of a bucket, or says how long to wait.
	Lease(ctx context.Context, bucket string, limits []pace.Window, want int, now time.Time) (granted int, wait time.Duration, err error)
	// Pause keeps a bucket from granting anything before until.
	Pause(ctx context.Context, bucket string, until time.Time) error
}

// A Message is one queue entry. Queues are named by destination type.
type Message struct {
	Group string // FIFO message group: the lane
	Dedup string // deduplication id: run, batch and chunk
	Body  []byte // text, at most 1 MiB
}

// Sender puts messages into a destination's queue.
type Sender interface {
	// Send sends in order and reports per message whether the queue accepted it;
	// within a group nothing is sent after the first failure. err is nil only
	// when all were accepted.
	Send(ctx context.Context, queue string, msgs []Message) (accepted []bool, err error)
	// Depth is the approximate number of messages that wait in the queue.
	Depth(ctx context.Context, queue string) (int, error)
}

// A Delivery is a message as the worker receives it.
type Delivery struct {
	ID       string // message id, returned when the message is to stay in the queue
	Receipt  string
	Group    string
	Receives int       // times received, this one included
	SentAt   time.Time // when it was queued
	Body     []byte
}

// Visibility keeps a message hidden for longer.
type Visibility interface {
	// Hide makes the message invisible for d (at most 12 h) from now.
	Hide(ctx context.Context, queue, receipt string, d time.Duration) error
}

// A Destination is one sync's end of the road at one vendor. Calls are made by
// pipeline, one token each, so that it knows what was spent.
type Destination interface {
	// Limits are the vendor's caps.
	Limits() dest.Limits
	// Lookups cuts the records that must be looked up (no ID yet and matched by
	// search, or Intent) into calls; nil when there are none.
	Lookups(b dest.Batch) []dest.Call
	// Lookup makes one of these calls: one outcome per record of the call, in its
	// order: Found, Pending, Delivered (an intent that was carried out) or
	// Rejected (ambiguous, or missing with on_missing: report).
	Lookup(ctx context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error)
	// Calls cuts records into full calls.
	Calls(b dest.Batch) []dest.Call
	// Push makes one of these calls: one outcome per record of the call, in its
	// order, or a *dest.CallError when nothing was sent.
	Push(ctx context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error)
}
