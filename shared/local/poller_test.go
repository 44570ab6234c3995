package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/wire/sqs"
)

// A source hands out its batches once, in order, and notes what is deleted.
type source struct {
	mu      sync.Mutex
	batches [][]envelope.Delivery
	errs    []error // what the first receives fail with
	asked   []string
	deleted []string
	refuse  error // of Delete
}

func (s *source) Receive(_ context.Context, queue string, max int, visibility time.Duration) ([]envelope.Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, fmt.Sprintf("%s %d %s", queue, max, visibility))
	if len(s.errs) > 0 {
		err := s.errs[0]
		s.errs = s.errs[1:]
		return nil, err
	}
	if len(s.batches) == 0 {
		return nil, nil
	}
	b := s.batches[0]
	s.batches = s.batches[1:]
	return b, nil
}

func (s *source) Delete(ctx context.Context, _ string, receipts ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	s.deleted = append(s.deleted, receipts...)
	return s.refuse
}

func messages(ids ...string) []envelope.Delivery {
	all := make([]envelope.Delivery, len(ids))
	for i, id := range ids {
		all[i] = envelope.Delivery{ID: id, Receipt: "r-" + id, Group: "g", Receives: 1, SentAt: time.UnixMilli(1), Body: []byte("body of " + id)}
	}
	return all
}

func TestPollerAcknowledgesWhatIsDone(t *testing.T) {
	boom := errors.New("boom")
	for name, c := range map[string]struct {
		answer  string
		err     error
		deleted []string
		n       int
		log     string
	}{
		"all done":       {`{"batchItemFailures":[]}`, nil, []string{"r-a", "r-b", "r-c"}, 3, ""},
		"nothing said":   {``, nil, []string{"r-a", "r-b", "r-c"}, 3, ""},
		"partial":        {`{"batchItemFailures":[{"itemIdentifier":"b"}]}`, nil, []string{"r-a", "r-c"}, 2, ""},
		"all stay":       {`{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"b"},{"itemIdentifier":"c"}]}`, nil, nil, 0, ""},
		"failed":         {``, boom, nil, 3, "boom"},
		"answer unclear": {`{"batchItemFailures":[{"itemIdentifier":""}]}`, nil, nil, 3, "itemIdentifier is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &source{batches: [][]envelope.Delivery{messages("a", "b", "c")}}
			var log strings.Builder
			var got []envelope.Delivery
			p := &Poller{Source: s, Queue: "salesforce", Timeout: time.Minute, Visibility: 30 * time.Second, Log: slog.New(slog.NewTextHandler(&log, nil)), Worker: invoke(func(_ context.Context, payload []byte) ([]byte, error) {
				var err error
				if got, err = sqs.Decode(payload); err != nil {
					t.Error(err)
				}
				return []byte(c.answer), c.err
			})}
			if n := p.once(t.Context()); n != c.n {
				t.Errorf("%d, want %d", n, c.n)
			}
			if d := cmp.Diff(messages("a", "b", "c"), got, cmp.Comparer(time.Time.Equal)); d != "" {
				t.Errorf("the worker got other messages: %s", d)
			}
			if d := cmp.Diff(c.deleted, s.deleted); d != "" {
				t.Errorf("deleted: %s", d)
			}
			if c.log == "" && log.Len() > 0 || !strings.Contains(log.String(), c.log) {
				t.Errorf("log %q, want %q", log.String(), c.log)
			}
			if d := cmp.Diff([]string{"salesforce 10 30s"}, s.asked); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestPollerGivesTheWorkerItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{batches: [][]envelope.Delivery{messages("a")}}
		p := &Poller{Source: s, Queue: "q", Timeout: 20 * time.Second, Log: slog.New(slog.DiscardHandler), Worker: invoke(func(ctx context.Context, _ []byte) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})}
		begun := time.Now()
		p.once(t.Context())
		if took := time.Since(begun); took != 20*time.Second || s.deleted != nil {
			t.Errorf("after %v, deleted %v", took, s.deleted)
		}
	})
}

// What is in hand when the poller is told to end is finished and acknowledged.
func TestPollerEndsAfterWhatIsInHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{batches: [][]envelope.Delivery{messages("a")}, errs: []error{errors.New("first call fails")}}
		ctx, cancel := context.WithCancel(t.Context())
		var log strings.Builder
		var mu sync.Mutex
		p := &Poller{Source: s, Queue: "q", Log: slog.New(slog.NewTextHandler(&locked{&mu, &log}, nil)), Worker: invoke(func(ctx context.Context, _ []byte) ([]byte, error) {
			cancel()
			time.Sleep(time.Second) // the bubble's clock
			return nil, ctx.Err()
		})}
		if err := p.Run(ctx); err != nil {
			t.Error(err)
		}
		if d := cmp.Diff([]string{"r-a"}, s.deleted); d != "" {
			t.Errorf("deleted: %s", d)
		}
		if s.asked[0] != "q 10 6m0s" { // the default is 6 x the timeout, whose default is a minute
			t.Errorf("asked for %q", s.asked[0])
		}
		if !strings.Contains(log.String(), "first call fails") {
			t.Errorf("log %q", log.String())
		}
	})
}

type locked struct {
	mu *sync.Mutex
	b  *strings.Builder
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func TestTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute+time.Second)
		defer cancel()
		n := 0
		var log strings.Builder
		err := Tick(ctx, invoke(func(_ context.Context, payload []byte) ([]byte, error) {
			n++
			if !strings.Contains(string(payload), `"Scheduled Event"`) {
				t.Errorf("payload %s", payload)
			}
			return nil, errors.New("a tick that fails does not end the others")
		}), time.Minute, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil || n != 3 || strings.Count(log.String(), "a tick that fails") != 3 {
			t.Errorf("%d ticks, %v, log %q", n, err, log.String())
		}
	})
}
