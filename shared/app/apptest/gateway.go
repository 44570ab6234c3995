package apptest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

// PostRows posts rows to a running gateway as a warehouse does, in one batch, and
// answers their run; the first must be queued.
func PostRows(t testing.TB, url string, rows ...[]string) string {
	t.Helper()
	args := make([][]jsontext.Value, len(rows))
	for i, r := range rows {
		for _, a := range r {
			args[i] = append(args[i], jsontext.Value(a))
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/push", bytes.NewReader(snowflake.EncodeRequest(nil, args)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(snowflake.HeaderBatchID, "q:1")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %v: %s", resp.StatusCode, err, body)
	}
	values, err := snowflake.DecodeReply(body)
	if err != nil || len(values) != len(rows) {
		t.Fatalf("%d answers, %v", len(values), err)
	}
	var first Answer
	if err := json.Unmarshal(values[0], &first); err != nil || first.Status != "queued" {
		t.Fatalf("answered %+v, %v", first, err)
	}
	return first.Run
}

// A Log keeps what is logged, and tells of every line, so that a test can wait for
// something to be done.
type Log struct {
	Told chan struct{}

	mu   sync.Mutex
	text bytes.Buffer
}

// NewLog makes one whose lines somebody may wait for.
func NewLog() *Log { return &Log{Told: make(chan struct{}, 1000)} }

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	select {
	case l.Told <- struct{}{}:
	default: // nobody listens any more
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String is all that was logged.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
