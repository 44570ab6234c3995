package state

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// An exhausted table refuses every request until a moment of the bubble's time, as
// DynamoDB does: single requests by their code, transactions by their reasons.
type exhausted struct {
	until time.Time
	asked int
}

func (e *exhausted) Do(req *http.Request) (*http.Response, error) {
	e.asked++
	status, body := 200, "{}"
	if time.Now().Before(e.until) {
		status, body = 400, `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"no"}`
		if strings.HasSuffix(req.Header.Get("X-Amz-Target"), "TransactWriteItems") {
			body = `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","message":"no","CancellationReasons":[{"Code":"None"},{"Code":"ThrottlingError"},{"Code":"ProvisionedThroughputExceeded"}]}`
		}
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
}

// A table that only has to grow is waited for, with waits that grow, by writes,
// updates and transactions alike; one that does not is given up in time for a worker
// to hand its messages back.
func TestThrottledTable(t *testing.T) {
	calls := map[string]func(ctx context.Context, s *Store) error{
		"a write": func(ctx context.Context, s *Store) error {
			return s.PutConnection(ctx, syncdef.Connection{Name: "crm", Type: "crm"})
		},
		"an update": func(ctx context.Context, s *Store) error {
			return s.MarkSent(ctx, "health.q1", "b1")
		},
		"a transaction": func(ctx context.Context, s *Store) error {
			return s.BeginRun(ctx, run.Run{ID: "health.q1", Sync: "health", Status: run.Open}, "")
		},
	}
	for name, call := range calls {
		for _, c := range []struct {
			throttled, limit time.Duration
			fails            bool
		}{{40 * time.Second, 50 * time.Second, false}, {time.Hour, 50 * time.Second, true}} {
			t.Run(fmt.Sprint(name, " ", c.throttled), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), c.limit)
					defer cancel()
					begun := time.Now()
					table := &exhausted{until: begun.Add(c.throttled)}
					s := New(aws.Config{Region: "us-east-1", HTTPClient: table, Credentials: aws.AnonymousCredentials{}}, Config{Table: "state", Now: time.Now})
					err := call(ctx, s)
					took := time.Since(begun)
					if (err != nil) != c.fails || ctx.Err() != nil {
						t.Fatalf("%v after %v", err, took)
					}
					if c.fails && (took > c.limit-attr.Leave || took < c.limit-attr.Leave-3*time.Second) {
						t.Errorf("given up after %v of %v", took, c.limit)
					}
					// Waits of half a second on average once they have grown: not many more requests.
					if table.asked < 20 || table.asked > 400 {
						t.Errorf("%d requests in %v", table.asked, took)
					}
				})
			})
		}
	}
}
