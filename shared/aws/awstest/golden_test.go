package awstest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	awserrors "github.com/penstock-data/penstock/shared/aws/errors"
	"github.com/penstock-data/penstock/shared/aws/ledger"
	"github.com/penstock-data/penstock/shared/aws/queue"
	"github.com/penstock-data/penstock/shared/aws/state"
	"github.com/penstock-data/penstock/shared/envelope"
	entries "github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

var update = flag.Bool("update", false, "write the golden files")

// A recorder answers every request with {} and keeps what was asked.
type recorder struct {
	t   *testing.T
	mu  sync.Mutex
	log bytes.Buffer
}

func (r *recorder) Do(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	var asked map[string]any
	if err := json.Unmarshal(body, &asked); err != nil {
		return nil, err
	}
	delete(asked, "ClientRequestToken") // random: the SDK's own idempotency
	text, err := json.MarshalIndent(asked, "", "  ")
	if err != nil {
		return nil, err
	}
	_, operation, _ := strings.Cut(req.Header.Get("X-Amz-Target"), ".")
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(&r.log, "%s %s\n", operation, text)
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: req}, nil
}

// note marks which call the requests after it belong to. Answers are empty, so
// that what reads them may fail; only the requests count here.
func (r *recorder) note(call string) { fmt.Fprintf(&r.log, "# %s\n", call) }

func (r *recorder) check(name string) {
	r.t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, r.log.Bytes(), 0o644); err != nil {
			r.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		r.t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), r.log.String()); diff != "" {
		r.t.Errorf("what is stored or sent changed; data of deployed versions must stay readable (-want +got):\n%s", diff)
	}
}

func record(t *testing.T) (*recorder, sdk.Config) {
	r := &recorder{t: t}
	return r, sdk.Config{Region: "us-east-1", HTTPClient: r, Credentials: sdk.AnonymousCredentials{}, RetryMaxAttempts: 1}
}

var at = time.Date(2026, 3, 14, 15, 9, 26, 535897932, time.UTC)

func now() time.Time { return at }

func TestGoldenState(t *testing.T) {
	r, cfg := record(t)
	s := state.New(cfg, state.Config{Table: "state", Now: now})
	ctx := t.Context()
	call := func(name string, f func() error) {
		r.note(name)
		_ = f() // answers are empty, so that what reads them may fail
	}
	call("Apply", func() error {
		return s.Apply(ctx, syncdef.Version{ID: "v1", AppliedAt: at, Definition: syncdef.Definition{Sync: "health", Lanes: 4}})
	})
	call("Current", func() error { _, err := s.Current(ctx, "health"); return err })
	call("Remove", func() error { return s.Remove(ctx, "health") })
	call("NextSequence", func() error { _, err := s.NextSequence(ctx, "health"); return err })

	c := syncdef.Connection{Name: "salesforce_prod", Type: "salesforce", Secret: "crm"}
	call("PutConnection", func() error { return s.PutConnection(ctx, c) })
	call("PinAccount", func() error { _, err := s.PinAccount(ctx, c.Name, "00D1"); return err })
	call("AcceptAccount", func() error { _, err := s.AcceptAccount(ctx, c.Name, ""); return err })
	call("SetPace", func() error {
		return s.SetPace(ctx, c.Name, pace.State{Since: at, Until: at.Add(time.Minute), Code: "401", Revision: 1})
	})
	call("Lease", func() error {
		_, _, err := s.Lease(ctx, c.Name+"/calls", []pace.Window{{Calls: 10, Per: time.Hour}}, 2, at)
		return err
	})

	begun := run.Run{ID: "health.1", Sync: "health", Version: "v1", Mode: run.Full, Bracketed: true, Status: run.Open, BegunAt: at, Expected: -1}
	ended := begun
	ended.Status, ended.EndedAt, ended.Revision, ended.Cursor = run.Complete, at, 4, "9007199254740993"
	mark := run.Mark{Sync: "health", Target: "health#crm#Account", Column: "updated", Value: `"2026-03-14"`, Type: "timestamp", Revision: 2}
	call("BeginRun", func() error { return s.BeginRun(ctx, begun, "health.0") })
	call("UpdateRun", func() error { return s.UpdateRun(ctx, begun) })
	call("CompleteRun", func() error { return s.CompleteRun(ctx, ended, mark) })
	call("SetHalt", func() error {
		return s.SetHalt(ctx, run.Halt{Sync: "health", Version: "v1", Tries: 1, Since: at, Next: at, Code: "INVALID_FIELD", Reason: "no such field"})
	})
	call("StoreDue", func() error {
		return s.StoreDue(ctx, []run.Due{{Sync: "health", At: at, Run: "health.1", Batch: "b1", By: "health.1#b1#0", Attempts: 1, Rows: []int{3, 4}, Version: "v1"}})
	})
	call("SetOverview", func() error {
		return s.SetOverview(ctx, run.Overview{Sync: "health", AsOf: at, Version: "v1", Lines: []run.Line{run.LineOf(ended)}, Running: []run.Progress{{ID: "health.2", AsOf: at}}, Revision: 3})
	})
	call("Overviews", func() error { _, err := s.Overviews(ctx, nil); return err })
	call("DueItems", func() error { _, err := s.DueItems(ctx, "health", at, 5); return err })

	call("PinBatch", func() error {
		_, _, err := s.PinBatch(ctx, run.Batch{
			Run: "health.1", ID: "b1", Sync: "health", Version: "v1", BodyHash: "ab", Sequence: 7, At: at, Chunks: 1, Lanes: []byte{1}, Rows: []byte{1, 2, 2, 5},
			Counts: run.Counts{Received: 2, Queued: 2},
		})
		return err
	})
	call("MarkSent", func() error { return s.MarkSent(ctx, "health.1", "b1") })
	call("StartChunk", func() error { return s.StartChunk(ctx, "health.1", "b1", 0, run.Start{Receives: 2, At: at, Row: -1}) })
	call("ReturnChunk", func() error { return s.ReturnChunk(ctx, "health.1", "b1", 0, 25, at, at) })
	call("RecordChunk", func() error {
		_, err := s.RecordChunk(ctx, "health.1", "b1", 0, run.Chunk{
			At: at, Counts: run.Counts{Delivered: 1, Failed: 1, Calls: 4}, Hold: "7", Outcomes: run.PackFates([]run.Fate{run.FateDelivered, run.FateDue}),
			Groups: []run.Group{{Stage: "deliver", Type: "busy", Rows: 1}},
		})
		return err
	})
	call("Chunks", func() error { return s.Chunks(ctx, "health.2", nil) })
	r.check("state")
}

func TestGoldenLedger(t *testing.T) {
	r, cfg := record(t)
	s := ledger.New(cfg, ledger.Config{Table: "ledger"})
	for _, e := range []entries.Entry{
		{
			Key: "acme.com", Revision: 4,
			Held: entries.Held{Fingerprint: row.Fingerprint{1, 15: 2}, Fields: []uint32{1, 1<<32 - 1}, Version: "v1", ID: "0015g", Sequence: 1<<53 + 1},
			Last: entries.Last{Run: "health.1", Sequence: 1<<53 + 1},
		},
		{Key: "größe", Last: entries.Last{Run: "health.1", Sequence: 2, Error: "health.1#b1#3", Intent: "health.1#b1#4", Unknown: true}},
		{Key: ""},
		{Key: strings.Repeat("k", 1025)},
	} {
		if _, err := s.Commit(t.Context(), "health#salesforce_prod#Account#01234567", []entries.Entry{e}); err != nil {
			t.Fatal(err)
		}
	}
	r.check("ledger")
}

func TestGoldenErrors(t *testing.T) {
	r, cfg := record(t)
	s := awserrors.New(cfg, awserrors.Config{Table: "errors", Now: now})
	err := s.StoreErrors(t.Context(), []run.RowError{{
		Sync: "health", Run: "health.1", Batch: "b1", Row: 17, RecordID: "cust_1", Key: "acme.com", Version: "v1", Target: "health#crm#Account",
		Type: "busy", Message: "try later", Field: "Name", Stage: "deliver", Attempts: 1, Due: at.Add(time.Minute), At: at, Sequence: 7, Source: []byte(`{"n":1}`),
	}})
	if err != nil {
		t.Fatal(err)
	}
	r.check("errors")
}

func TestGoldenQueue(t *testing.T) {
	r, cfg := record(t)
	q := queue.New(cfg, queue.Config{URLs: map[string]string{"salesforce": "http://localhost/salesforce.fifo"}})
	msgs := []envelope.Message{
		{Group: "health#0", Dedup: "health.1#b1#0", Body: []byte("KLUv/QQA")},
		{Group: "health#0", Dedup: "health.1#b1#1", Body: []byte("KLUv/QQB")},
		{Group: "health#1", Dedup: "größe " + strings.Repeat("x", 130), Body: []byte("KLUv/QQC")},
	}
	// The answer names no entry, so that nothing counts as accepted, and the
	// second message of the first group must not be sent.
	accepted, err := q.Send(t.Context(), "salesforce", msgs)
	if err == nil || cmp.Diff([]bool{false, false, false}, accepted) != "" {
		t.Errorf("got %v, %v; want nothing accepted, and an error", accepted, err)
	}
	r.note("Hide")
	if err := q.Hide(t.Context(), "salesforce", "receipt", 1500*time.Millisecond); err != nil {
		t.Error(err)
	}
	r.check("queue")
}
