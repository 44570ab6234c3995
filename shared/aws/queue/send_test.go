package queue

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/envelope"
)

// fakeSQS refuses the bodies that start with "bad", and keeps what it accepted, in
// order, and how large its batches were.
type fakeSQS struct {
	mu       sync.Mutex
	down     bool
	accepted map[string][]string // bodies by group
	batches  [][]int             // sizes of bodies
}

func (f *fakeSQS) Do(req *http.Request) (*http.Response, error) {
	var asked struct {
		Entries []struct{ Id, MessageBody, MessageGroupId string }
	}
	if err := json.NewDecoder(req.Body).Decode(&asked); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	answer := func(status int, v any) (*http.Response, error) {
		b, err := json.Marshal(v)
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(b))), Request: req}, err
	}
	if f.down {
		return answer(400, map[string]string{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no such queue"})
	}
	var ok, bad []map[string]any
	var sizes []int
	for _, e := range asked.Entries {
		sizes = append(sizes, len(e.MessageBody))
		if strings.HasPrefix(e.MessageBody, "bad") {
			bad = append(bad, map[string]any{"Id": e.Id, "Code": "InternalError", "Message": "try again", "SenderFault": false})
			continue
		}
		f.accepted[e.MessageGroupId] = append(f.accepted[e.MessageGroupId], e.MessageBody)
		ok = append(ok, map[string]any{"Id": e.Id, "MessageId": "m"})
	}
	f.batches = append(f.batches, sizes)
	return answer(200, map[string]any{"Successful": ok, "Failed": bad})
}

func fake(f *fakeSQS) *Queue {
	f.accepted = map[string][]string{}
	cfg := aws.Config{Region: "us-east-1", HTTPClient: f, Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1}
	return New(cfg, Config{URLs: map[string]string{"q": "http://localhost/q.fifo"}})
}

func msg(group, body string) envelope.Message {
	return envelope.Message{Group: group, Dedup: group + body[:min(len(body), 9)], Body: []byte(body)}
}

func TestSendStopsAGroupAtItsFirstFailure(t *testing.T) {
	f := &fakeSQS{}
	accepted, err := fake(f).Send(t.Context(), "q", []envelope.Message{
		msg("a", "1"), msg("b", "1"), msg("a", "bad"), msg("b", "2"), msg("a", "3"), msg("b", "3"), msg("c", "bad"),
	})
	if err == nil || !strings.Contains(err.Error(), "InternalError: try again") {
		t.Errorf("the error %v does not say what the queue said", err)
	}
	if diff := cmp.Diff([]bool{true, true, false, true, false, true, false}, accepted); diff != "" {
		t.Errorf("accepted (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string][]string{"a": {"1"}, "b": {"1", "2", "3"}}, f.accepted); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
}

func TestSendWhenTheQueueIsGone(t *testing.T) {
	f := &fakeSQS{down: true}
	accepted, err := fake(f).Send(t.Context(), "q", []envelope.Message{msg("a", "1"), msg("b", "1")})
	if err == nil || slices.Contains(accepted, true) {
		t.Errorf("got %v, %v", accepted, err)
	}
	if _, err := fake(f).Send(t.Context(), "other", []envelope.Message{msg("a", "1")}); err == nil || !strings.Contains(err.Error(), "no URL is configured for queue other") {
		t.Errorf("got %v", err)
	}
}

func TestSendKeepsWithinABatch(t *testing.T) {
	f := &fakeSQS{}
	var msgs []envelope.Message
	for i := range 25 {
		msgs = append(msgs, msg(string(rune('a'+i)), strings.Repeat("x", 1+i*20_000)))
	}
	accepted, err := fake(f).Send(t.Context(), "q", msgs)
	if err != nil || slices.Contains(accepted, false) {
		t.Fatalf("got %v, %v", accepted, err)
	}
	messages := 0
	for _, sizes := range f.batches {
		total := 0
		for _, n := range sizes {
			total += n
		}
		if messages += len(sizes); len(sizes) > maxEntries || total > maxBody {
			t.Errorf("a batch of %d messages and %d bytes", len(sizes), total)
		}
	}
	if messages != len(msgs) {
		t.Errorf("%d messages were sent, want %d", messages, len(msgs))
	}
}
