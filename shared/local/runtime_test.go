package local_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/penstock-data/penstock/shared/local"
)

// asFunction makes this test binary a Lambda function instead of running tests.
const asFunction = "PENSTOCK_TEST_IS_A_FUNCTION=1"

func TestMain(m *testing.M) {
	if os.Getenv("PENSTOCK_TEST_IS_A_FUNCTION") == "1" {
		lambda.Start(sample{})
		return
	}
	os.Exit(m.Run())
}

// sample is a function that does what its payload says.
type sample struct{}

func (sample) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	what, rest, _ := strings.Cut(string(payload), " ")
	switch what {
	case "fail":
		return nil, errors.New("this one fails")
	case "exit":
		os.Exit(3)
	case "large":
		return bytes.Repeat([]byte("1"), 6<<20+1), nil
	case "deadline":
		end, _ := ctx.Deadline()
		lc, _ := lambdacontext.FromContext(ctx)
		return []byte(`"` + end.UTC().Format(time.RFC3339) + " " + lc.AwsRequestID + `"`), nil
	case "get": // answers only after that address did
		resp, err := http.Get(rest) //nolint:noctx // the sample outlives its invocation on purpose
		if err != nil {
			return nil, err
		}
		return []byte(`"late"`), resp.Body.Close()
	}
	return payload, nil
}

func function(t *testing.T) *local.Runtime {
	t.Helper()
	var log strings.Builder
	r, err := local.StartRuntime(t.Context(), os.Args[0], []string{asFunction}, &log)
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	t.Cleanup(r.Close)
	return r
}

func TestRuntimeInvokes(t *testing.T) {
	r := function(t)
	for _, payload := range []string{`"one"`, `{"two":2}`, `"` + strings.Repeat("x", 5<<20) + `"`} {
		got, err := r.Invoke(t.Context(), []byte(payload))
		if err != nil || string(got) != payload {
			t.Errorf("%d bytes came back for %d, %v", len(got), len(payload), err)
		}
	}
	if _, err := r.Invoke(t.Context(), []byte("fail")); err == nil || !strings.Contains(err.Error(), "this one fails") {
		t.Errorf("a function that fails: %v", err)
	}
	if _, err := r.Invoke(t.Context(), []byte("large")); err == nil || !strings.Contains(err.Error(), "more than 6 MB") {
		t.Errorf("an answer over 6 MB: %v", err)
	}
	end := time.Now().Add(7 * time.Minute).Truncate(time.Second)
	ctx, cancel := context.WithDeadline(t.Context(), end)
	defer cancel()
	got, err := r.Invoke(ctx, []byte("deadline"))
	if want := `"` + end.UTC().Format(time.RFC3339) + ` 6"`; err != nil || string(got) != want {
		t.Errorf("deadline and request id %s, %v; want %s", got, err, want)
	}
}

// An answer that comes after its caller has gone is nobody's.
func TestRuntimeDropsALateAnswer(t *testing.T) {
	r := function(t)
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		cancel()
		<-left
	}))
	defer server.Close()
	_, err := r.Invoke(ctx, []byte("get "+server.URL))
	close(left)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("given up with %v", err)
	}
	got, err := r.Invoke(t.Context(), []byte(`"mine"`))
	if err != nil || string(got) != `"mine"` {
		t.Errorf("the next one got %s, %v", got, err)
	}
}

func TestRuntimeReportsAProcessThatDies(t *testing.T) {
	r := function(t)
	for _, payload := range []string{"exit", `"after"`} {
		if _, err := r.Invoke(t.Context(), []byte(payload)); !errors.Is(err, local.ErrExited) {
			t.Errorf("%s: %v", payload, err)
		}
	}
}
