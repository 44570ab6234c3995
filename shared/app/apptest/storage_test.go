package apptest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/app/push"
	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pipeline/deliver"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sandbox"
)

// throttled refuses half of the reads and commits of the ledger.
type throttled struct {
	deliver.Ledger
	chance *rand.Rand
}

var errThrottled = errors.New("ProvisionedThroughputExceededException: the level of configured provisioned throughput was exceeded")

func (l throttled) refuses() bool { return l.chance.IntN(2) == 0 }

func (l throttled) Entries(ctx context.Context, target string, keys []string) (map[string]ledger.Entry, error) {
	if l.refuses() {
		return nil, errThrottled
	}
	return l.Ledger.Entries(ctx, target, keys)
}

func (l throttled) Commit(ctx context.Context, target string, entries []ledger.Entry) ([]int, error) {
	if l.refuses() {
		return nil, errThrottled
	}
	return l.Ledger.Commit(ctx, target, entries)
}

// A ledger that throttles slows the road down; nothing is lost, counted twice or
// taken for a crash.
func TestThrottledStorage(t *testing.T) {
	w := faulty(t)
	d := w.Deliver("salesforce")
	d.Ledger = throttled{d.Ledger, rand.New(rand.NewPCG(1, 2))}
	id := w.Push(t, "q", "q:1", accounts("accounts", 400)...)[0].Run
	w.Pass(t, soon)
	w.Settle(t)
	if r := w.Run(t, id); r.Status != run.Complete || r.Counts.Delivered+r.Counts.Unchanged != 400 || r.Counts.Failed != 0 {
		t.Errorf("the run is %s: %+v", r.Status, r.Counts)
	}
	if got := len(w.stored(t)); got != 400 {
		t.Errorf("%d Accounts", got)
	}
	if !strings.Contains(w.Log(), `"StorageFailures"`) {
		t.Error("the metric StorageFailures is not written")
	}
}

// refusing refuses all of the ledger.
type refusing struct{ deliver.Ledger }

func (refusing) Entries(context.Context, string, []string) (map[string]ledger.Entry, error) {
	return nil, errors.New("AccessDeniedException: the table's key is disabled")
}

// Storage that fails for hours is no crash and no attempt: afterwards the rows go
// out, and nobody's row is an error.
func TestStorageOutageIsNotACrash(t *testing.T) {
	w := New(t)
	w.Vendors.SeedAccounts(t, sites...)
	id := Answers(t, w.Invoke(t, "push", Event(t, "push")))[0].Run
	d := w.Deliver("salesforce")
	good := d.Ledger
	d.Ledger = refusing{good}
	w.Pass(t, 5*time.Hour)
	if n := w.Depth(t, "salesforce"); n != 2 {
		t.Fatalf("%d messages are left, want 2", n)
	}
	if r := w.Run(t, id); r.Status.Ended() {
		t.Errorf("the run is %s: %s", r.Status, r.Reason)
	}
	d.Ledger = good
	w.Pass(t, 20*time.Minute)
	if r := w.Run(t, id); r.Status != run.Complete || r.Outcome != run.Succeeded || r.Counts.Delivered != 4 {
		t.Errorf("the run is %s %s: %+v", r.Status, r.Outcome, r.Counts)
	}
	if errs := w.Errors(t, id); len(errs) != 0 {
		t.Errorf("errors %+v", errs)
	}
}

// brokenRuns cannot be read.
type brokenRuns struct{ deliver.Runs }

func (brokenRuns) Run(context.Context, string) (run.Run, error) {
	return run.Run{}, errors.New("ThrottlingException")
}

// The chat worker's storage is down for half an hour: the messages are posted once
// each afterwards.
func TestChatHalfAnHour(t *testing.T) {
	w := New(t)
	id := Answers(t, w.Invoke(t, "push", Event(t, "push-slack")))[0].Run
	w.Clock.Advance(3 * time.Minute)
	w.Invoke(t, "sweep", Tick())
	d := w.Deliver("slack")
	good := d.Runs
	d.Runs = brokenRuns{good}
	w.Pass(t, 30*time.Minute)
	if n := len(w.Vendors.Slack.Messages()); n != 0 {
		t.Fatalf("%d messages", n)
	}
	d.Runs = good
	w.Pass(t, 15*time.Minute)
	if n := len(w.Vendors.Slack.Messages()); n != 2 {
		t.Errorf("%d messages, want 2", n)
	}
	if r := w.Run(t, id); r.Status != run.Complete || r.Counts.Delivered != 2 || len(w.Errors(t, id)) != 0 {
		t.Errorf("the run is %s: %+v, %d errors", r.Status, r.Counts, len(w.Errors(t, id)))
	}
}

// flakyChunks and flakyErrors refuse half of what they are asked.
type flakyChunks struct {
	deliver.Chunks
	chance *rand.Rand
}

func (f flakyChunks) Chunk(ctx context.Context, id, batch string, index int) (run.Chunk, error) {
	if f.chance.IntN(2) == 0 {
		return run.Chunk{}, errThrottled
	}
	return f.Chunks.Chunk(ctx, id, batch, index)
}

// RecordChunk fails before or after it has stored.
func (f flakyChunks) RecordChunk(ctx context.Context, id, batch string, index int, c run.Chunk) (bool, error) {
	before, after := f.chance.IntN(3) == 0, f.chance.IntN(3) == 0
	if before {
		return false, errThrottled
	}
	first, err := f.Chunks.RecordChunk(ctx, id, batch, index, c)
	if err == nil && after {
		return false, errThrottled
	}
	return first, err
}

type flakyErrors struct {
	deliver.Errors
	chance *rand.Rand
}

// ReplaceErrors fails before it stores, or after.
func (f flakyErrors) ReplaceErrors(ctx context.Context, errs []run.RowError) error {
	before, after := f.chance.IntN(3) == 0, f.chance.IntN(3) == 0
	if before {
		return errThrottled
	}
	if err := f.Errors.ReplaceErrors(ctx, errs); err != nil || !after {
		return err
	}
	return errThrottled
}

// StoreDue likewise.
func (f flakyErrors) StoreDue(ctx context.Context, due []run.Due) error {
	before, after := f.chance.IntN(3) == 0, f.chance.IntN(3) == 0
	if before {
		return errThrottled
	}
	if err := f.Errors.StoreDue(ctx, due); err != nil || !after {
		return err
	}
	return errThrottled
}

// Records and errors that are refused, before or after they were stored, change no
// count: each row counts once (I2), and what failed comes back (I1).
func TestFlakyStorage(t *testing.T) {
	for seed := range uint64(5) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := faulty(t)
			d, chance := w.Deliver("salesforce"), rand.New(rand.NewPCG(seed, 1))
			chunks, errs := d.Chunks, d.Errors
			d.Chunks, d.Errors = flakyChunks{chunks, chance}, flakyErrors{errs, chance}
			w.fault(t, sandbox.Fault{FailRecords: []string{"c010", "c011"}, Count: 3, Code: "UNABLE_TO_LOCK_ROW", Message: "busy"})
			w.fault(t, sandbox.Fault{FailRecords: []string{"c020"}, Count: -1, Code: "STRING_TOO_LONG", Message: "too long"})
			id := w.Push(t, "q", "q:1", accounts("accounts", 100)...)[0].Run
			w.Pass(t, soon)
			if got := len(w.stored(t)); got < 97 {
				t.Errorf("within a minute %d of 97 others are there", got)
			}
			w.Pass(t, time.Hour)
			d.Chunks, d.Errors = chunks, errs
			w.Pass(t, time.Hour)
			r := w.Run(t, id)
			// A row whose due item was stored, but not its message's record, may be delivered
			// by its retry before the message comes again: it is superseded then.
			if c := r.Counts; r.Status != run.Complete || c.Settled() != 100 || c.Failed < 1 || c.Failed+c.Superseded > 3 || r.Due != 0 {
				t.Errorf("the run is %s: %+v, %d due", r.Status, r.Counts, r.Due)
			}
			if got := len(w.stored(t)); got != 99 {
				t.Errorf("%d records, want all but the one that is refused", got)
			}
		})
	}
}

// refusedCommits refuses the ledger's first commits.
type refusedCommits struct {
	deliver.Ledger
	refusals *int
}

func (l refusedCommits) Commit(ctx context.Context, target string, entries []ledger.Entry) ([]int, error) {
	if *l.refusals--; *l.refusals >= 0 {
		return nil, errThrottled
	}
	return l.Ledger.Commit(ctx, target, entries)
}

// A row that fails again once its message comes back from a refused commit is told as the
// later try found it: the field to mend, or when it is sent again by itself.
func TestErrorOfTheLaterTry(t *testing.T) {
	busy := sandbox.Fault{FailRecords: []string{"c001"}, Count: 3, Code: "UNABLE_TO_LOCK_ROW", Message: "busy"}
	tooLong := sandbox.Fault{FailRecords: []string{"c001"}, Count: 1, Code: "STRING_TOO_LONG", Message: "too long"}
	for name, faults := range map[string][2]sandbox.Fault{"busy, then refused": {busy, tooLong}, "refused, then busy": {tooLong, busy}} {
		t.Run(name, func(t *testing.T) {
			w := faulty(t)
			d, refusals := w.Deliver("salesforce"), 2
			d.Ledger = refusedCommits{d.Ledger, &refusals}
			w.fault(t, faults[0])
			id := w.Push(t, "q", "q:1", account("accounts", "c001", 1))[0].Run
			w.Drain(t, "salesforce")
			w.fault(t, faults[1])
			w.Clock.Advance(10 * time.Second)
			w.Drain(t, "salesforce")
			due := faults[1].Code == busy.Code
			errs := w.Errors(t, id)
			if len(errs) != 1 || errs[0].Type != faults[1].Code || errs[0].Due.IsZero() == due {
				t.Fatalf("errors %+v", errs)
			}
			w.Pass(t, 3*time.Hour)
			if r := w.Run(t, id); r.Due != 0 || (r.Retried == 1) != due || (w.stored(t)["c001"] != "") != due {
				t.Errorf("%+v, %d due, %d delivered by a retry, records %v", r.Counts, r.Due, r.Retried, w.stored(t))
			}
		})
	}
}

// unmarked are batches of which it cannot be noted that they are sent.
type unmarked struct{ intake.Batches }

func (unmarked) MarkSent(context.Context, string, string) error { return errThrottled }

// A request whose rows are queued, and which fails at the very end, may never be repeated: its
// statement was cancelled, or its client gave up. Once its rows are delivered its run is
// complete like any other, and the next one waits for nobody.
func TestBatchThatIsNotMarkedAsSent(t *testing.T) {
	for _, bracketed := range []bool{false, true} {
		w := faulty(t)
		in := w.Functions["push"].(*push.Handler).Intake
		target, id := "accounts", run.ImplicitID("accounts", "q")
		if bracketed {
			id = Call[struct{ Run string }](t, w.Functions["control"], "begin", `"accounts"`).Run
			target = id
		}
		good := in.Batches
		in.Batches = unmarked{good}
		if raw := w.Invoke(t, "push", Request("push", "q", "q:1", accounts(target, 20)...)); !strings.Contains(string(raw), `"statusCode":500`) {
			t.Fatalf("the request is answered %.200s", raw)
		}
		in.Batches = good
		if bracketed {
			Call[struct{}](t, w.Functions["control"], "finish", fmt.Sprintf("%q", id), "20")
		}
		w.Pass(t, 5*time.Minute)
		if r := w.Run(t, id); r.Status != run.Complete || r.Outcome != run.Succeeded || r.Counts.Delivered != 20 {
			t.Errorf("bracketed %v: %s %s %q: %+v", bracketed, r.Status, r.Outcome, r.Reason, r.Counts)
		}
		_, rows, _ := Status(t, w.Invoke(t, "control", Request("begin", "next", "next", []string{`"accounts"`})))
		if len(rows) != 1 || bracketed != strings.Contains(string(rows[0]), `"select":"since"`) {
			t.Errorf("bracketed %v: the next begin answers %s", bracketed, rows)
		}
	}
}

// closedQueue takes nothing.
type closedQueue struct{ intake.Queue }

func (closedQueue) Send(_ context.Context, _ string, m []envelope.Message) ([]bool, error) {
	return make([]bool, len(m)), errors.New("ServiceUnavailable")
}

// A retry that is asked for again under its token, as its answer was lost or its rows could not
// be queued, sends the rows of the first time and says so; those that failed since go out with
// the next one.
func TestRetryAskedAgain(t *testing.T) {
	for lost, left := range map[bool]int{false: 3, true: 2} { // what was sent again at once failed once more
		w := faulty(t)
		in := w.Functions["push"].(*push.Handler).Intake
		w.fault(t, sandbox.Fault{FailRecords: []string{"c001", "c002", "c003"}, Count: -1, Code: "STRING_TOO_LONG", Message: "too long"})
		id := w.Push(t, "q", "q:1", account("accounts", "c001", 1))[0].Run
		w.Drain(t, "salesforce")
		good := in.Queue
		if lost {
			in.Queue = closedQueue{good}
		}
		first, err := w.Control.Retry(t.Context(), id, runs.Selector{}, "token")
		if lost != (err != nil) || !lost && first.Queued != 1 {
			t.Fatalf("%+v, %v", first, err)
		}
		in.Queue = good
		w.Push(t, "q", "q:2", account("accounts", "c002", 1), account("accounts", "c003", 1))
		w.Drain(t, "salesforce")
		w.Vendors.Salesforce.Core().ClearFaults()
		for _, token := range []string{"token", "token", "next"} {
			want := 1
			if token == "next" {
				want = left
			}
			got, err := w.Control.Retry(t.Context(), id, runs.Selector{}, token)
			if err != nil || got.Queued != want {
				t.Errorf("lost %v, %s: %+v, %v, want %d queued", lost, token, got, err, want)
			}
			w.Pass(t, time.Hour)
		}
		if got := w.stored(t); len(got) != 3 {
			t.Errorf("lost %v: %v", lost, got)
		}
	}
}
