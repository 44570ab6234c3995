package awstest

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/penstock-data/penstock/shared/aws"
	"github.com/penstock-data/penstock/shared/aws/errors"
	"github.com/penstock-data/penstock/shared/aws/ledger"
	"github.com/penstock-data/penstock/shared/aws/queue"
	"github.com/penstock-data/penstock/shared/aws/state"
	"github.com/penstock-data/penstock/shared/storetest"
)

// servers skips a test when no servers are named, and fails it where they must be.
func servers(t *testing.T) {
	t.Helper()
	for _, name := range []string{"AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS"} {
		if os.Getenv(name) != "" {
			continue
		}
		why := name + ` is not set: run: .ci/servers start && eval "$(.ci/servers env)"`
		if os.Getenv("PENSTOCK_REQUIRE_SERVERS") == "1" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
}

// differences are what ElasticMQ is known to do otherwise than SQS.
var differences = map[string]string{
	"queue/delete twice": "ElasticMQ 1.7.1 answers ReceiptHandleIsInvalid for a message that is gone; SQS answers that it is deleted",
}

var opened atomic.Int64

// stores are all adapters as one.
type (
	stores struct {
		*stateStore
		*ledgerStore
		*errorStore
		*queue.Queue
	}
	stateStore  = state.Store
	ledgerStore = ledger.Store
	errorStore  = errors.Store
)

func TestSuite(t *testing.T) { suite(t, nil) }

// The same over tables that refuse every other request and leave keys unprocessed:
// everything takes longer, and nothing is lost.
func TestSuiteThrottled(t *testing.T) {
	suite(t, throttle, "batches", "ledger", "errors")
}

// suite runs the suite, or these groups of it, over the servers; wrap stands between.
func suite(t *testing.T, wrap func(sdk.HTTPClient) sdk.HTTPClient, only ...string) {
	servers(t)
	storetest.Run(t, func(t *testing.T) storetest.Stores {
		ctx := t.Context()
		cfg, err := aws.Load(ctx)
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("t%d-%d", time.Now().UnixNano(), opened.Add(1))
		remove, err := CreateTables(ctx, cfg, name+"-")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := remove(context.WithoutCancel(ctx)); err != nil {
				t.Error(err)
			}
		})
		if wrap != nil {
			cfg.HTTPClient = wrap(cfg.HTTPClient)
		}
		const maxReceives = 3
		urls, err := CreateQueues(ctx, cfg, name, maxReceives)
		if err != nil {
			t.Fatal(err)
		}
		var reopen func() storetest.Stores
		reopen = func() storetest.Stores {
			return storetest.Stores{
				Store: stores{
					state.New(cfg, state.Config{Table: name + "-" + State, Now: time.Now}),
					ledger.New(cfg, ledger.Config{Table: name + "-" + Ledger}),
					errors.New(cfg, errors.Config{Table: name + "-" + Errors, Now: time.Now}),
					queue.New(cfg, queue.Config{URLs: urls}),
				},
				Name: name, DeadLetters: name + "-dlq", MaxReceives: maxReceives,
				Advance: func(d time.Duration) { <-time.After(d) }, // the server has its own clock
				Reopen:  reopen, Skip: differences,
			}
		}
		return reopen()
	}, only...)
}
