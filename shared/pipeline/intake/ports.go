package intake

import (
	"context"
	"time"

	"github.com/penstock-data/penstock/shared/envelope"
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
	// List names the syncs that have a current version, sorted.
	List(ctx context.Context) ([]string, error)
	// NextSequence is a number greater than any that it gave for the sync before,
	// whichever process asks (I3). Never a clock.
	NextSequence(ctx context.Context, sync string) (int64, error)
}

// Connections reads what is stored of connections.
type Connections interface {
	// Connection is the stored settings and the account's pin; run.ErrNotFound.
	Connection(ctx context.Context, name string) (syncdef.Stored, error)
	// Pace is the connection's state; the zero State when nothing is stored.
	Pace(ctx context.Context, connection string) (pace.State, error)
}

// Runs stores runs. Reads are strongly consistent.
type Runs interface {
	// EnsureRun stores an implicit run unless it exists, and returns what is stored.
	EnsureRun(ctx context.Context, r run.Run) (run.Run, error)
	// Run reads one run; run.ErrNotFound.
	Run(ctx context.Context, id string) (run.Run, error)
	// UpdateRun replaces a run whose stored Revision is r.Revision, and stores it
	// with Revision+1; run.ErrConflict otherwise. A run that ended leaves the list
	// of open runs; one that is no longer ended returns to it.
	UpdateRun(ctx context.Context, r run.Run) error
}

// Batches stores what was accepted, and pins it before the first send.
type Batches interface {
	// Batch reads one batch; run.ErrNotFound.
	Batch(ctx context.Context, runID, batch string) (run.Batch, error)
	// PinBatch stores a batch unless it exists, and returns what is stored; with
	// created false the caller has a retry in hand.
	PinBatch(ctx context.Context, b run.Batch) (stored run.Batch, created bool, err error)
	// CountGate adds a batch's rows, and which rules of the gate they failed, to those of
	// its run, once however often it is called, and returns what the run has then. Of very
	// many batches it may forget the oldest.
	CountGate(ctx context.Context, runID, batch string, c run.GateCounts) (run.GateCounts, error)
	// MarkSent notes that every chunk of the batch was accepted by the queue.
	MarkSent(ctx context.Context, runID, batch string) error
}

// Chunks stores the records of a batch's messages: which need not be sent again, and those
// of rows that are never sent.
type Chunks interface {
	// ChunksDone tells which of a batch's chunks are recorded, by index.
	ChunksDone(ctx context.Context, runID, batch string, chunks int) (map[int]bool, error)
	// RecordChunk stores a chunk's record unless one is stored (I2); first says
	// whether this call stored it.
	RecordChunk(ctx context.Context, runID, batch string, index int, c run.Chunk) (first bool, err error)
}

// Errors stores rows that were not delivered.
type Errors interface {
	// StoreErrors stores each error under its Ref, unless what is stored there counts
	// as many attempts or more (then this is a repetition). All or an error; after an
	// error some may be stored.
	StoreErrors(ctx context.Context, errs []run.RowError) error
}

// Queue takes messages for a destination type.
type Queue interface {
	// Send sends in order and reports per message whether the queue accepted it;
	// within a group nothing is sent after the first failure. err is nil only when
	// all were accepted.
	Send(ctx context.Context, queue string, msgs []envelope.Message) (accepted []bool, err error)
	// Depth is the approximate number of messages that wait in the queue.
	Depth(ctx context.Context, queue string) (int, error)
}

// Ledger reads what the destinations hold. Reads are strongly consistent.
type Ledger interface {
	// Entries reads the entries of the keys that have one.
	Entries(ctx context.Context, target string, keys []string) (map[string]ledger.Entry, error)
	// KeysOf reads the keys that are kept for record ids (ledger.Entry.Claim), in no
	// order, those included that another record has since.
	KeysOf(ctx context.Context, target string, records []string) (map[string][]string, error)
}

// Seen keeps which keys a mirror's full run saw.
type Seen interface {
	// StoreSeen stores the hashes (run.AppendSeen) of the keys of one part of a batch's
	// rows. Twice is the same as once.
	StoreSeen(ctx context.Context, runID, batch string, part int, hashes []byte) error
}

// Clock is the present.
type Clock func() time.Time
