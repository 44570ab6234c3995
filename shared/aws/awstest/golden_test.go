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

	"github.com/penstock-data/penstock/shared/aws/errors"
	"github.com/penstock-data/penstock/shared/aws/ledger"
	"github.com/penstock-data/penstock/shared/aws/queue"
	"github.com/penstock-data/penstock/shared/aws/state"
	entries "github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/pipeline"
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
		_ = f()
	}
	begun := run.Run{ID: "health.1", Sync: "health", Version: "v1", Mode: run.Full, Bracketed: true, Status: run.Open, BegunAt: at, Expected: -1}
	ended := begun
	ended.Status, ended.EndedAt, ended.Revision, ended.Cursor = run.Complete, at, 4, "9007199254740993"
	call("Apply", func() error {
		return s.Apply(ctx, syncdef.Version{ID: "v1", AppliedAt: at, Definition: syncdef.Definition{Sync: "health", Lanes: 4}})
	})
	call("Current", func() error { _, err := s.Current(ctx, "health"); return err })
	call("BeginRun", func() error { _, err := s.BeginRun(ctx, begun); return err })
	call("UpdateRun, still open", func() error { return s.UpdateRun(ctx, begun, "") })
	call("UpdateRun, ended, with a watermark", func() error { return s.UpdateRun(ctx, ended, `"2026-03-14"`) })
	call("PinBatch", func() error {
		_, _, err := s.PinBatch(ctx, run.Batch{Run: "health.1", ID: "b1", Sync: "health", Version: "v1", BodyHash: "ab", Place: 7, Cut: []run.Cut{{Lane: 1, Rows: 2}}, Counts: run.Counts{Received: 2, Queued: 2}})
		return err
	})
	call("MarkSent", func() error { return s.MarkSent(ctx, "health.1", "b1") })
	call("RecordChunk", func() error {
		_, err := s.RecordChunk(ctx, "health.1", "b1", 0, run.Chunk{At: at, Counts: run.Counts{Delivered: 1, Unchanged: 2, Failed: 3, Calls: 4}})
		return err
	})
	call("DeferChunk", func() error { return s.DeferChunk(ctx, "health.1", "b1", 0, 1) })
	call("Lease", func() error {
		_, _, err := s.Lease(ctx, "salesforce_prod", []pace.Window{{Calls: 10, Per: time.Hour}}, 2, at)
		return err
	})
	call("Pause", func() error { return s.Pause(ctx, "salesforce_prod", at) })
	r.check("state")
}

func TestGoldenLedger(t *testing.T) {
	r, cfg := record(t)
	s := ledger.New(cfg, ledger.Config{Table: "ledger"})
	for _, e := range []entries.Entry{
		{Key: "acme.com", Fingerprint: row.Fingerprint{1, 15: 2}, Fields: []uint32{1, 1<<32 - 1}, Version: "v1", ID: "0015g", Run: "health.1", Place: 1773500966535897932},
		{Key: "größe", Run: "health.1", Place: 2, Error: "health.1#b1#3", Intent: "health.1#b1#4"},
		{Key: "", Place: 3},
		{Key: strings.Repeat("k", 1025), Place: 4},
	} {
		if err := s.Commit(t.Context(), "health#salesforce_prod#Account", []entries.Entry{e}); err != nil {
			t.Fatal(err)
		}
	}
	r.check("ledger")
}

func TestGoldenErrors(t *testing.T) {
	r, cfg := record(t)
	s := errors.New(cfg, errors.Config{Table: "errors", Now: now})
	err := s.StoreErrors(t.Context(), []run.RowError{{
		Sync: "health", Run: "health.1", Batch: "b1", Row: 17, RecordID: "cust_1", Key: "acme.com", Type: "too_long", Message: "300 characters",
		Field: "Name", Stage: "intake", Attempts: 1, At: at, Place: 7, Source: []byte(`{"n":1}`),
	}})
	if err != nil {
		t.Fatal(err)
	}
	r.note("RunErrors")
	if _, _, err := s.RunErrors(t.Context(), "health.1", 10, "b1#000000000017"); err != nil {
		t.Fatal(err)
	}
	r.check("errors")
}

func TestGoldenQueue(t *testing.T) {
	r, cfg := record(t)
	q := queue.New(cfg, queue.Config{URLs: map[string]string{"salesforce": "http://localhost/salesforce.fifo"}})
	msgs := []pipeline.Message{
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
