package attr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// A table answers each request by its number; its time is the bubble's.
type table struct {
	asked  int
	answer func(n int) (status int, body string, err error)
}

func (f *table) Do(req *http.Request) (*http.Response, error) {
	f.asked++
	status, body, err := f.answer(f.asked)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
}

func (f *table) client() *dynamodb.Client {
	return Client(aws.Config{Region: "us-east-1", HTTPClient: f, Credentials: aws.AnonymousCredentials{}})
}

func (f *table) put(ctx context.Context) error {
	_, err := f.client().PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("t"), Item: Key("a", "b")})
	return err
}

func fault(code string) (int, string, error) {
	return 400, fmt.Sprintf(`{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"no"}`, code), nil
}

// A table that is throttled for a minute is waited for.
func TestThrottledUntilItAnswers(t *testing.T) {
	for _, code := range []string{"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded", "TransactionConflictException"} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
			defer cancel()
			end := time.Now().Add(time.Minute)
			f := &table{answer: func(int) (int, string, error) {
				if time.Now().Before(end) {
					return fault(code)
				}
				return 200, "{}", nil
			}}
			if err := f.put(ctx); err != nil || f.asked < 20 {
				t.Errorf("%s: %v after %d requests", code, err, f.asked)
			}
		})
	}
}

// One that stays throttled leaves a worker the time to hand its messages back.
func TestThrottledToTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		begun := time.Now()
		f := &table{answer: func(int) (int, string, error) { return fault("ProvisionedThroughputExceededException") }}
		err := f.put(ctx)
		if took := time.Since(begun); err == nil || took > 30*time.Second-Leave || took < 25*time.Second {
			t.Errorf("%v after %v and %d requests", err, took, f.asked)
		}
		if !strings.Contains(fmt.Sprint(err), "ProvisionedThroughputExceededException") {
			t.Errorf("the error %v does not say what the table said", err)
		}
	})
}

func TestNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &table{answer: func(int) (int, string, error) { return 0, "", errors.New("connection refused") }}
		if err := f.put(t.Context()); err == nil || f.asked != unreachable {
			t.Errorf("%v after %d requests", err, f.asked)
		}
	})
}

// What the caller has to decide is not repeated.
func TestNotRepeated(t *testing.T) {
	for _, code := range []string{"ConditionalCheckFailedException", "ValidationException", "AccessDeniedException", "ResourceNotFoundException"} {
		synctest.Test(t, func(t *testing.T) {
			f := &table{answer: func(int) (int, string, error) { return fault(code) }}
			if err := f.put(t.Context()); err == nil || f.asked != 1 {
				t.Errorf("%s: %v after %d requests", code, err, f.asked)
			}
		})
	}
}

// What an answer leaves out is asked for again, until the time is nearly over.
func TestGetAll(t *testing.T) {
	const left = `"UnprocessedKeys":{"t":{"Keys":[{"pk":{"S":"a"},"sk":{"S":"b"}}],"ConsistentRead":true}}`
	const one = `"Responses":{"t":[{"pk":{"S":"a"},"sk":{"S":"b"}}]}`
	for name, c := range map[string]struct {
		answers []string // the last one again and again
		items   int
		fails   bool
	}{
		"at once":       {[]string{"{" + one + "}"}, 1, false},
		"in two parts":  {[]string{"{" + one + "," + left + "}", "{" + one + "}"}, 2, false},
		"throttled":     {[]string{"{" + left + "}", "{" + left + "}", "{" + left + "}", "{" + one + "}"}, 1, false},
		"never":         {[]string{"{" + left + "}"}, 0, true},
		"stops halfway": {[]string{"{" + one + "," + left + "}", "{" + left + "}"}, 0, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			f := &table{answer: func(n int) (int, string, error) { return 200, c.answers[min(n, len(c.answers))-1], nil }}
			items, err := GetAll(ctx, f.client(), "t", []Item{Key("a", "b")})
			if len(items) != c.items || (err != nil) != c.fails || ctx.Err() != nil {
				t.Errorf("%s: %d items, %v", name, len(items), err)
			}
		})
	}
}
