package storetest

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/envelope"
)

// hidden is a visibility that no test outlives.
const hidden = 10 * time.Minute

var queueTests = []test{
	{"empty", func(t *testing.T, s Stores) {
		if accepted, err := s.Send(t.Context(), s.Name, nil); err != nil || len(accepted) != 0 {
			t.Errorf("Send of nothing: %v, %v", accepted, err)
		}
		wantBodies(t, receive(t, s, s.Name, 10))
		wantDepth(t, s, s.Name, 0)
	}},
	{"send and receive", func(t *testing.T, s Stores) {
		send(t, s, message("health.0", 1))
		got := receive(t, s, s.Name, 10)
		wantBodies(t, got, "health.0/1")
		d := got[0]
		if d.ID == "" || d.Receipt == "" || d.Group != "health.0" || d.Receives != 1 || d.SentAt.IsZero() {
			t.Errorf("got %+v", d)
		}
		wantDepth(t, s, s.Name, 1) // in flight counts
		ok(t, s.Delete(t.Context(), s.Name, d.Receipt))
		wantDepth(t, s, s.Name, 0)
	}},
	{"delete twice", func(t *testing.T, s Stores) {
		send(t, s, message("a", 1))
		d := receiveOne(t, s)
		ok(t, s.Delete(t.Context(), s.Name, d.Receipt))
		ok(t, s.Delete(t.Context(), s.Name, d.Receipt))
	}},
	{"delete several", func(t *testing.T, s Stores) {
		send(t, s, message("a", 1), message("b", 1), message("c", 1))
		receipts := []string{receiveOne(t, s).Receipt, receiveOne(t, s).Receipt}
		ok(t, s.Delete(t.Context(), s.Name))
		wantDepth(t, s, s.Name, 3)
		ok(t, s.Delete(t.Context(), s.Name, receipts...))
		wantDepth(t, s, s.Name, 1)
	}},
	{"delete several of which one is gone", func(t *testing.T, s Stores) {
		send(t, s, message("a", 1), message("b", 1), message("c", 1))
		gone := receiveOne(t, s).Receipt
		ok(t, s.Delete(t.Context(), s.Name, gone))
		// A server may refuse the one that is gone; it keeps no other.
		if err := s.Delete(t.Context(), s.Name, gone, receiveOne(t, s).Receipt, receiveOne(t, s).Receipt); err != nil {
			t.Log(err)
		}
		wantDepth(t, s, s.Name, 0)
	}},
	{"order and groups", func(t *testing.T, s Stores) {
		send(t, s, message("a", 1), message("a", 2), message("b", 1), message("a", 3), message("b", 2))
		first := receive(t, s, s.Name, 2)
		if len(first) == 0 || len(first) > 2 {
			t.Fatalf("got %d messages, want 1 or 2", len(first))
		}
		busy := map[string]bool{}
		for _, d := range first {
			busy[d.Group] = true
		}
		rest := receive(t, s, s.Name, 10)
		for _, d := range rest {
			if busy[d.Group] {
				t.Errorf("group %s was handed out while a message of it was in flight", d.Group)
			}
		}
		all := drain(t, s, s.Name, append(first, rest...))
		want := map[string][]string{"a": {"a/1", "a/2", "a/3"}, "b": {"b/1", "b/2"}}
		if diff := cmp.Diff(want, all); diff != "" {
			t.Errorf("by group (-want +got):\n%s", diff)
		}
	}},
	{"many groups in one call", func(t *testing.T, s Stores) {
		var msgs []envelope.Message
		for i := range 12 {
			msgs = append(msgs, message(fmt.Sprint("g", i), 1))
		}
		send(t, s, msgs...)
		if got := receive(t, s, s.Name, 99); len(got) != 10 {
			t.Errorf("got %d messages, want 10", len(got))
		}
	}},
	{"deduplication", func(t *testing.T, s Stores) {
		send(t, s, message("a", 1))
		send(t, s, message("a", 1), message("a", 2))
		wantDepth(t, s, s.Name, 2)
		got := receive(t, s, s.Name, 10)
		for _, d := range got {
			ok(t, s.Delete(t.Context(), s.Name, d.Receipt))
		}
		send(t, s, message("a", 1)) // processed and deleted, but still remembered
		if all := drain(t, s, s.Name, nil); len(all["a"])+len(got) != 2 {
			t.Errorf("%d messages came, want 2", len(all["a"])+len(got))
		}
		if s.FakeClock {
			s.Advance(5*time.Minute + time.Second)
			send(t, s, message("a", 1))
			wantBodies(t, receive(t, s, s.Name, 10), "a/1")
		}
	}},
	{"visibility", func(t *testing.T, s Stores) {
		send(t, s, message("a", 1))
		d := receiveFor(t, s, 3*time.Second) // longer than two calls to a busy server take
		wantBodies(t, receive(t, s, s.Name, 10))
		again := eventually(t, s)
		if again.ID != d.ID || again.Receives != 2 || again.Receipt == d.Receipt {
			t.Errorf("got %+v after %+v", again, d)
		}
		if d := again.SentAt.Sub(d.SentAt); d != 0 {
			t.Errorf("SentAt moved by %s", d)
		}
	}},
	{"hide", func(t *testing.T, s Stores) {
		send(t, s, message("a", 1), message("b", 1))
		got := receive(t, s, s.Name, 10)
		wantBodies(t, got, "a/1", "b/1")
		for _, d := range got {
			wait := hidden
			if d.Group == "b" {
				wait = 0
			}
			ok(t, s.Hide(t.Context(), s.Name, d.Receipt, wait))
		}
		wantBodies(t, receive(t, s, s.Name, 10), "b/1")
	}},
	{"hide too long", func(t *testing.T, s Stores) {
		send(t, s, message("a", 1))
		d := receiveFor(t, s, hidden)
		if err := s.Hide(t.Context(), s.Name, d.Receipt, 13*time.Hour); err == nil {
			t.Error("13 hours: no error")
		}
		ok(t, s.Hide(t.Context(), s.Name, d.Receipt, 11*time.Hour))
	}},
	{"a held head keeps its group", func(t *testing.T, s Stores) {
		send(t, s, message("a", 1), message("a", 2))
		d := receiveOne(t, s)
		ok(t, s.Hide(t.Context(), s.Name, d.Receipt, hidden))
		wantBodies(t, receive(t, s, s.Name, 10))
		ok(t, s.Delete(t.Context(), s.Name, d.Receipt))
		wantBodies(t, receive(t, s, s.Name, 10), "a/2")
	}},
	{"dead letters", func(t *testing.T, s Stores) {
		send(t, s, message("a", 1), message("a", 2))
		for i := range s.MaxReceives {
			d := receiveOne(t, s)
			if string(d.Body) != "a/1" || d.Receives != i+1 {
				t.Fatalf("receive %d: got %s, %d times", i+1, d.Body, d.Receives)
			}
			ok(t, s.Hide(t.Context(), s.Name, d.Receipt, 0))
		}
		wantBodies(t, receive(t, s, s.Name, 10), "a/2")
		wantDepth(t, s, s.DeadLetters, 1)
		dead := receive(t, s, s.DeadLetters, 10)
		wantBodies(t, dead, "a/1")
		if len(dead) == 1 && dead[0].Group != "a" {
			t.Errorf("the dead letter is of group %q, want a", dead[0].Group)
		}
	}},
	{"bodies", func(t *testing.T, s Stores) {
		// Together far over what one batch may hold; base64 is what the envelope sends.
		var msgs []envelope.Message
		for i, n := range []int{1 << 20, 700_000, 700_000, 1, 300_000, 1 << 20, 10} {
			msgs = append(msgs, envelope.Message{Group: fmt.Sprint("g", i%2), Dedup: fmt.Sprint("d", i), Body: bytes.Repeat([]byte{byte('a' + i)}, n)})
		}
		send(t, s, msgs...)
		want := map[string][]string{}
		for _, m := range msgs {
			want[m.Group] = append(want[m.Group], string(m.Body))
		}
		got := drain(t, s, s.Name, nil)
		for g := range want {
			if !slices.Equal(want[g], got[g]) {
				t.Errorf("group %s: the bodies came out different or in another order", g)
			}
		}
	}},
	{"a failure stops its group only", func(t *testing.T, s Stores) {
		msgs := []envelope.Message{message("a", 1), message("b", 1), message("a", 2), message("a", 3), message("b", 2)}
		msgs[2].Body = bytes.Repeat([]byte("x"), 1<<20+1)
		accepted, err := s.Send(t.Context(), s.Name, msgs)
		if err == nil {
			t.Error("a message over 1 MiB: no error")
		}
		if diff := cmp.Diff([]bool{true, true, false, false, true}, accepted); diff != "" {
			t.Errorf("accepted (-want +got):\n%s", diff)
		}
		want := map[string][]string{"a": {"a/1"}, "b": {"b/1", "b/2"}}
		if diff := cmp.Diff(want, drain(t, s, s.Name, nil)); diff != "" {
			t.Errorf("queued (-want +got):\n%s", diff)
		}
	}},
	{"hundreds, raced", func(t *testing.T, s Stores) {
		race(t, 6, func(i int) error {
			var msgs []envelope.Message
			for n := range 45 {
				msgs = append(msgs, message(fmt.Sprint("s", i, "l", n%4), n))
			}
			_, err := s.Send(t.Context(), s.Name, msgs)
			return err
		})
		wantDepth(t, s, s.Name, 6*45)
		var mu sync.Mutex
		last, total := map[string]int{}, 0
		race(t, 3, func(int) error {
			for {
				got, err := s.Receive(t.Context(), s.Name, 10, hidden)
				if err != nil || len(got) == 0 {
					return err
				}
				for _, d := range got {
					var n int
					if _, err := fmt.Sscanf(string(d.Body)[len(d.Group):], "/%d", &n); err != nil {
						return err
					}
					mu.Lock()
					if prev, seen := last[d.Group]; seen && n <= prev {
						t.Errorf("group %s: %d came after %d", d.Group, n, prev)
					}
					last[d.Group], total = n, total+1
					mu.Unlock()
					if err := s.Delete(t.Context(), s.Name, d.Receipt); err != nil {
						return err
					}
				}
			}
		})
		rest := drain(t, s, s.Name, nil) // a receiver may have seen only busy groups, and left
		for _, bodies := range rest {
			total += len(bodies)
		}
		if total != 6*45 {
			t.Errorf("%d messages came, want %d", total, 6*45)
		}
	}},
	{"a late duplicate", func(t *testing.T, s Stores) {
		if !s.FakeClock {
			t.Skip("the server has no clock to set: it takes 5 minutes")
		}
		// The id is forgotten while its message still waits: both are there.
		send(t, s, message("a", 1))
		s.Advance(5*time.Minute + time.Second)
		send(t, s, message("a", 1), message("a", 2))
		wantDepth(t, s, s.Name, 3)
		same(t, "drained", map[string][]string{"a": {"a/1", "a/1", "a/2"}}, drain(t, s, s.Name, nil))
	}},
	{"deduplication is by queue and id alone", func(t *testing.T, s Stores) {
		first, second := message("a", 1), message("b", 2)
		second.Dedup = first.Dedup
		send(t, s, first, second)
		wantBodies(t, receive(t, s, s.Name, 10), "a/1")
	}},
	{"retention", func(t *testing.T, s Stores) {
		if !s.FakeClock {
			t.Skip("the server has no clock to set: it takes 14 days")
		}
		send(t, s, message("a", 1), message("a", 2), message("b", 1))
		held := receiveOne(t, s)
		s.Advance(11 * time.Hour)
		send(t, s, message("a", 3))
		s.Advance(14*24*time.Hour - 11*time.Hour - time.Second)
		wantDepth(t, s, s.Name, 4)
		s.Advance(2 * time.Second)
		wantDepth(t, s, s.Name, 1)
		wantBodies(t, receive(t, s, s.Name, 10), "a/3") // the group's expired head does not block it
		ok(t, s.Delete(t.Context(), s.Name, held.Receipt))
		wantDepth(t, s, s.Name, 1)
	}},
	{"an old receipt", func(t *testing.T, s Stores) {
		if !s.FakeClock {
			t.Skip("known difference of this server: servers differ in what they answer to an old receipt")
		}
		send(t, s, message("a", 1))
		old := receiveFor(t, s, time.Minute)
		s.Advance(2 * time.Minute)
		now := receiveFor(t, s, time.Minute)
		ok(t, s.Delete(t.Context(), s.Name, old.Receipt)) // of a message that was handed out again: it stays
		wantDepth(t, s, s.Name, 1)
		if err := s.Hide(t.Context(), s.Name, old.Receipt, time.Hour); err == nil {
			t.Error("an old receipt hides the message")
		}
		ok(t, s.Hide(t.Context(), s.Name, now.Receipt, 0))
		wantBodies(t, receive(t, s, s.Name, 10), "a/1")
	}},
	{"reopened", func(t *testing.T, s Stores) {
		send(t, s, message("a", 1), message("b", 1))
		got := receiveOne(t, s)
		s = s.Reopen()
		rest := receive(t, s, s.Name, 10)
		if len(rest) != 1 || rest[0].Group == got.Group {
			t.Errorf("got %d messages, want the one of the other group", len(rest))
		}
	}},
}
