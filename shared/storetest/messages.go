package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/envelope"
)

// What tests of queues send and receive.

func message(group string, n int) envelope.Message {
	body := fmt.Sprintf("%s/%d", group, n)
	return envelope.Message{Group: group, Dedup: "health.1#b1#" + body, Body: []byte(body)}
}

func send(t *testing.T, s Stores, msgs ...envelope.Message) {
	t.Helper()
	accepted, err := s.Send(t.Context(), s.Name, msgs)
	ok(t, err)
	if len(accepted) != len(msgs) || slices.Contains(accepted, false) {
		t.Fatalf("accepted %v of %d without an error", accepted, len(msgs))
	}
}

func receive(t *testing.T, s Stores, queue string, max int) []envelope.Delivery {
	t.Helper()
	return must(s.Receive(t.Context(), queue, max, hidden))(t)
}

func receiveOne(t *testing.T, s Stores) envelope.Delivery {
	t.Helper()
	got := receive(t, s, s.Name, 1)
	if len(got) != 1 {
		t.Fatalf("got %d messages, want 1", len(got))
	}
	return got[0]
}

func receiveFor(t *testing.T, s Stores, visibility time.Duration) envelope.Delivery {
	t.Helper()
	got := must(s.Receive(t.Context(), s.Name, 1, visibility))(t)
	if len(got) != 1 {
		t.Fatalf("got %d messages, want 1", len(got))
	}
	return got[0]
}

// eventually lets at most 10 s pass until a message is visible again.
func eventually(t *testing.T, s Stores) envelope.Delivery {
	t.Helper()
	for range 40 {
		s.Advance(250 * time.Millisecond)
		if got := receive(t, s, s.Name, 10); len(got) == 1 {
			return got[0]
		}
	}
	t.Fatal("nothing came within 10 s")
	return envelope.Delivery{}
}

// drain takes what is in hand and all that comes after it off the queue, by group.
func drain(t *testing.T, s Stores, queue string, inHand []envelope.Delivery) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	take := func(got []envelope.Delivery) {
		for _, d := range got {
			all[d.Group] = append(all[d.Group], string(d.Body))
			ok(t, s.Delete(t.Context(), queue, d.Receipt))
		}
	}
	take(inHand)
	for {
		got := receive(t, s, queue, 10)
		if len(got) == 0 {
			return all
		}
		take(got)
	}
}

// wantBodies compares what came, whatever the order of the groups.
func wantBodies(t *testing.T, got []envelope.Delivery, want ...string) {
	t.Helper()
	var bodies []string
	for _, d := range got {
		bodies = append(bodies, string(d.Body))
	}
	slices.Sort(bodies)
	if diff := cmp.Diff(want, bodies); diff != "" {
		t.Errorf("received (-want +got):\n%s", diff)
	}
}

func wantDepth(t *testing.T, s Stores, queue string, want int) {
	t.Helper()
	if n := must(s.Depth(t.Context(), queue))(t); n != want {
		t.Errorf("Depth: got %d, want %d", n, want)
	}
}
