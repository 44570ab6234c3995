package storetest

import (
	"context"
	"time"

	"github.com/penstock-data/penstock/shared/alert"
	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/freshness"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/verify"
)

// A Store is all that intake, deliver, runs and a poller need of storage. What the
// methods promise is written at their interfaces; ports_test.go compares.
type Store interface {
	Current(ctx context.Context, sync string) (syncdef.Version, error)
	Version(ctx context.Context, sync, id string) (syncdef.Version, error)
	Apply(ctx context.Context, v syncdef.Version) error
	Remove(ctx context.Context, sync string) error
	List(ctx context.Context) ([]string, error)
	NextSequence(ctx context.Context, sync string) (int64, error)

	Connection(ctx context.Context, name string) (syncdef.Stored, error)
	PutConnection(ctx context.Context, c syncdef.Connection) error
	PinAccount(ctx context.Context, name, account string) (syncdef.Stored, error)
	AcceptAccount(ctx context.Context, name, account string) (syncdef.Stored, error)
	Pace(ctx context.Context, connection string) (pace.State, error)
	SetPace(ctx context.Context, connection string, s pace.State) error
	Lease(ctx context.Context, bucket string, limits []pace.Window, want int, now time.Time) (granted int, wait time.Duration, err error)
	Slow(ctx context.Context, bucket string, now time.Time) error
	Bucket(ctx context.Context, bucket string) (pace.Bucket, error)

	BeginRun(ctx context.Context, r run.Run, latest string) error
	Latest(ctx context.Context, sync string) (string, error)
	EnsureRun(ctx context.Context, r run.Run) (run.Run, error)
	Run(ctx context.Context, id string) (run.Run, error)
	UpdateRun(ctx context.Context, r run.Run) error
	CompleteRun(ctx context.Context, r run.Run, m run.Mark) error
	LiveRuns(ctx context.Context) ([]run.Run, error)
	RecentRuns(ctx context.Context, sync string, limit int) ([]run.Run, error)
	RetriesOf(ctx context.Context, id string) ([]run.Run, error)
	RunsBefore(ctx context.Context, sync string, begun time.Time, id string, limit int) ([]run.Run, error)

	Firing(ctx context.Context, sync string, at time.Time) (run.Firing, error)
	SetFiring(ctx context.Context, f run.Firing) error
	RecentFirings(ctx context.Context, sync string, limit int) ([]run.Firing, error)

	Batch(ctx context.Context, runID, batch string) (run.Batch, error)
	Batches(ctx context.Context, runID string) ([]run.Batch, error)
	PinBatch(ctx context.Context, b run.Batch) (stored run.Batch, created bool, err error)
	CountGate(ctx context.Context, runID, batch string, c run.GateCounts) (run.GateCounts, error)
	MarkSent(ctx context.Context, runID, batch string) error

	Chunk(ctx context.Context, runID, batch string, index int) (run.Chunk, error)
	Chunks(ctx context.Context, runID string, each func(batch string, index int, c run.Chunk) error) error
	ChunksDone(ctx context.Context, runID, batch string, chunks int) (map[int]bool, error)
	StartChunk(ctx context.Context, runID, batch string, index int, s run.Start) error
	ReturnChunk(ctx context.Context, runID, batch string, index, most int, tried, busyUntil time.Time) error
	RecordChunk(ctx context.Context, runID, batch string, index int, c run.Chunk) (first bool, err error)

	Mark(ctx context.Context, sync, target, column string) (run.Mark, error)
	SetMark(ctx context.Context, m run.Mark) error
	ResetMarks(ctx context.Context, sync string) error
	Halt(ctx context.Context, sync, version string) (run.Halt, error)
	SetHalt(ctx context.Context, h run.Halt) error
	DeleteHalt(ctx context.Context, sync, version string) error

	Pause(ctx context.Context, sync string) (run.Pause, error)
	SetPause(ctx context.Context, p run.Pause) error
	DeletePause(ctx context.Context, sync string) error
	StoreAction(ctx context.Context, a run.Action) error
	Actions(ctx context.Context, since time.Time, limit int) ([]run.Action, error)
	Freshness(ctx context.Context, sync string) (freshness.Reading, error)
	SetFreshness(ctx context.Context, r freshness.Reading) error
	Verification(ctx context.Context, sync string) (verify.Reading, error)
	SetVerification(ctx context.Context, r verify.Reading) error

	SetOverview(ctx context.Context, o run.Overview) error
	DeleteOverview(ctx context.Context, sync string) error
	Overview(ctx context.Context, sync string) (run.Overview, error)
	Overviews(ctx context.Context, known map[string]int64) ([]run.Overview, error)
	SomeRuns(ctx context.Context, ids []string) (map[string]run.Run, error)
	SomeOpenRuns(ctx context.Context, limit int) ([]string, error)
	ListErrors(ctx context.Context, list, from string, limit int, each func(run.Listed) bool) (more bool, err error)
	SomeErrors(ctx context.Context, refs []string) (map[string]run.RowError, error)
	Places(ctx context.Context, places []ledger.Place) (map[ledger.Place]ledger.Entry, error)

	Alerts(ctx context.Context, sync string) (alert.Book, error)
	SetAlerts(ctx context.Context, b alert.Book) error

	Entries(ctx context.Context, target string, keys []string) (map[string]ledger.Entry, error)
	Commit(ctx context.Context, target string, entries []ledger.Entry) (lost []int, err error)
	EntriesAfter(ctx context.Context, target, after string, limit int) (entries []ledger.Entry, next string, err error)
	StoreSeen(ctx context.Context, runID, batch string, part int, hashes []byte) error
	Seen(ctx context.Context, runID string, each func(batch string, part int, hashes []byte) error) error
	StoreUnchanged(ctx context.Context, runID, batch string, index int, hashes []byte) error
	Unchanged(ctx context.Context, runID string, each func(batch string, index int, hashes []byte) error) error
	StoreLeft(ctx context.Context, runID string, page int, keys []string) error
	Left(ctx context.Context, runID string, page int) ([]string, error)
	KeysOf(ctx context.Context, target string, records []string) (map[string][]string, error)
	ForgetEntries(ctx context.Context, target string, keys []string) error
	ForgetErrors(ctx context.Context, refs []string) error
	Versions(ctx context.Context, sync string) ([]syncdef.Version, error)

	StoreErrors(ctx context.Context, errs []run.RowError) error
	ReplaceErrors(ctx context.Context, errs []run.RowError) error
	RunErrors(ctx context.Context, runID string, limit int, after string) (errs []run.RowError, next string, err error)
	ErrorsByRef(ctx context.Context, sync string, refs []string) (map[string]run.RowError, error)
	EndDue(ctx context.Context, sync string, refs []string, why string) error
	StoreDue(ctx context.Context, due []run.Due) error
	Removed(ctx context.Context) ([]string, error)
	DueItems(ctx context.Context, sync string, now time.Time, limit int) ([]run.Due, error)
	DeleteDue(ctx context.Context, d run.Due) error

	Send(ctx context.Context, queue string, msgs []envelope.Message) (accepted []bool, err error)
	Depth(ctx context.Context, queue string) (int, error)
	Hide(ctx context.Context, queue, receipt string, d time.Duration) error
	Receive(ctx context.Context, queue string, max int, visibility time.Duration) ([]envelope.Delivery, error)
	Delete(ctx context.Context, queue string, receipts ...string) error
}
