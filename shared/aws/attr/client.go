package attr

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

const (
	// Leave is how much of a context's time no retry uses: what a worker needs to hand
	// its messages back.
	Leave = 2 * time.Second
	// longest and tries bound the waits; with full jitter they last longer than any
	// function runs.
	longest = time.Second
	tries   = 500
	// unreachable bounds the tries of calls that got no answer at all.
	unreachable = 8
)

// Client makes a client of the tables. A call that is throttled, or that finds an
// item in somebody else's transaction, is tried again until the context's time is
// nearly over: the SDK's own three tries and shared budget of retries would make an
// outage of a table that only has to grow. The SDK's own check of an answer's checksum
// is off: as of 1.73.1 it fails on every refused condition, whose body it does not
// see, and logs a warning each time. TLS guards the answers.
func Client(cfg aws.Config) *dynamodb.Client {
	return dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
		o.DisableValidateResponseChecksum = true
		if cfg.RetryMaxAttempts != 1 {
			o.RetryMaxAttempts = 0 // the retryer's own
			o.Retryer = newRetryer()
		}
	})
}

// A retryer tries until the context's time is nearly over.
type retryer struct{ aws.RetryerV2 }

func newRetryer() *retryer {
	return &retryer{retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.RateLimiter = tries, ratelimit.None
		o.Retryables = append(o.Retryables, retry.RetryableErrorCode{Codes: map[string]struct{}{
			"TransactionConflictException": {}, "ThrottlingException": {},
		}})
	})}
}

// GetRetryToken refuses a further try when the context's time is nearly over.
func (r *retryer) GetRetryToken(ctx context.Context, err error) (func(error) error, error) {
	if late(ctx) {
		return nil, errors.New("no time is left to try again")
	}
	return r.RetryerV2.GetRetryToken(ctx, err)
}

// RetryDelay is how long to wait before the attempt after this one.
func (r *retryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	if attempt >= unreachable && !answered(err) {
		return 0, err
	}
	return Delay(attempt), nil
}

// answered reports whether the error is an answer of the service.
func answered(err error) bool {
	var api interface{ ErrorCode() string }
	return errors.As(err, &api)
}

// Delay is the wait before the attempt after this one, counted from 1: full jitter
// up to 25 ms, doubled each time, at most 1 s.
func Delay(attempt int) time.Duration {
	most := min(25*time.Millisecond<<min(max(attempt-1, 0), 10), longest)
	return rand.N(most) + time.Millisecond
}

// Backoff waits before another attempt of what the SDK does not retry: keys and
// items that a batch left unprocessed, conditions that somebody else changed, and
// conflicts of transactions. It fails when the context's time is nearly over.
func Backoff(ctx context.Context, attempt int) error {
	switch {
	case late(ctx):
		return errThrottled
	case attempt >= tries:
		return fmt.Errorf("%w: %d attempts", errThrottled, attempt)
	}
	timer := time.NewTimer(Delay(attempt))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var errThrottled = errors.New("the table is throttled or busy: it did not take everything in the time there was")

// late reports whether no further wait fits into the context's time.
func late(ctx context.Context) bool {
	end, ok := ctx.Deadline()
	return ok && time.Until(end) < Leave+longest //nolint:forbidigo // a deadline is by the process's own clock
}
