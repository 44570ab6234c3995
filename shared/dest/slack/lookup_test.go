package slack_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/slack"
	"github.com/penstock-data/penstock/shared/sandbox"
	sim "github.com/penstock-data/penstock/shared/sandbox/slack"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A lost answer is settled by the message's metadata, for each way in which the
// channel is given, and whether or not Slack took the message.
func TestIntentIsSettled(t *testing.T) {
	for _, channel := range []string{"#alerts", "alerts", "C0ALERTS1", "#secret", "G0SECRET1"} {
		for _, taken := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s taken=%v", channel, taken), func(t *testing.T) {
				w := newWorld(t, func(s *sim.Config, _ *slack.Config) {
					s.Scopes = []string{"chat:write", "channels:history", "channels:read", "groups:history", "groups:read"}
				})
				w.cfg.Definition.Slack.Channel = channel
				w.restart()
				fault := sandbox.Fault{Match: "chat.postMessage", DropAfterCommit: true}
				if !taken {
					fault = sandbox.Fault{Match: "chat.postMessage", Status: 502}
				}
				w.fault(fault)
				b := dest.Batch{Run: "s.r1", Records: alerts(2)}
				out, err := w.deliver(b)
				if err != nil || out[0].Status != dest.Unknown || out[1].Status != dest.Delivered {
					t.Fatalf("%+v, %v", out, err)
				}
				w.restart()
				w.clock.pass(time.Hour)
				again := dest.Batch{Run: "s.r1", Records: intend(b.Records)}
				again.Records[1].Intent = false
				again.Records = again.Records[:1]
				if out, err = w.deliver(again); err != nil || out[0].Status != dest.Delivered || out[0].Created == taken {
					t.Errorf("%+v, %v", out, err)
				}
				messages := w.sim.Messages()
				if len(messages) != 2 {
					t.Fatalf("%d messages, want 2", len(messages))
				}
				found := messages[0]
				if !taken {
					found = messages[1]
				}
				if out[0].ID != found.Channel+":"+found.TS {
					t.Errorf("found %q, is %q", out[0].ID, found.TS)
				}
			})
		}
	}
}

// Records without an intent cost no lookup.
func TestNoLookupWithoutIntent(t *testing.T) {
	w := newWorld(t)
	b := dest.Batch{Run: "s.r1", Records: alerts(3)}
	b.Records[1].Intent = true
	b.Records = append(b.Records, rec("other", "sales", "x"))
	calls := w.dest.Lookups(b)
	if diff := cmp.Diff([]dest.Call{{Bucket: slack.HistoryBucket, Records: []int{1}}}, calls); diff != "" {
		t.Error(diff)
	}
	b.Records[1].Intent = false
	if calls := w.dest.Lookups(b); calls != nil {
		t.Errorf("%v", calls)
	}
}

// With insert a record id is once, ever; else another run's message is another.
func TestOnceAndRuns(t *testing.T) {
	for _, op := range []syncdef.Operation{syncdef.Insert, syncdef.Upsert} {
		w := newWorld(t)
		w.cfg.Definition.Operation = op
		w.restart()
		if _, err := w.deliver(dest.Batch{Run: "s.r1", Records: alerts(1)}); err != nil {
			t.Fatal(err)
		}
		w.clock.pass(time.Hour)
		out, err := w.deliver(dest.Batch{Run: "s.r2", Records: intend(alerts(1))})
		if err != nil || out[0].Created != (op != syncdef.Insert) {
			t.Errorf("%s: %+v, %v", op, out, err)
		}
	}
}

// The search goes through pages, over messages of others, back 14 days.
func TestSearchPages(t *testing.T) {
	w := newWorld(t, func(s *sim.Config, _ *slack.Config) { s.Spacing = -1 })
	post := func(id string) {
		t.Helper()
		b := dest.Batch{Run: "s.r1", Records: []dest.Record{rec(id, "", "text of "+id)}}
		if _, err := w.dest.Push(t.Context(), b, w.dest.Calls(b)[0]); err != nil {
			t.Fatal(err)
		}
	}
	post("too old")
	w.clock.pass(15 * 24 * time.Hour)
	post("deep")
	for i := range 450 {
		post(fmt.Sprint("newer ", i))
	}
	w.sim.Core().ResetCalls()
	look := func(id string) dest.Outcome {
		t.Helper()
		b := dest.Batch{Run: "s.r1", Records: intend([]dest.Record{rec(id, "", "text of "+id)})}
		out, err := w.dest.Lookup(t.Context(), b, w.dest.Lookups(b)[0])
		if err != nil {
			t.Fatal(err)
		}
		return out[0]
	}
	for _, c := range []struct {
		id    string
		want  dest.Status
		pages int64
	}{{"newer 449", dest.Delivered, 1}, {"newer 100", dest.Delivered, 2}, {"deep", dest.Delivered, 3}, {"too old", dest.Pending, 3}} {
		w.sim.Core().ResetCalls()
		if got := look(c.id); got.Status != c.want || w.calls("conversations.history") != c.pages {
			t.Errorf("%s: %+v after %d pages", c.id, got, w.calls("conversations.history"))
		}
	}
}

// A name is looked up once, over pages of channels.
func TestChannelNamesArePaged(t *testing.T) {
	w := newWorld(t, func(s *sim.Config, c *slack.Config) {
		for i := range 450 {
			s.Channels = append(s.Channels, sim.Channel{ID: fmt.Sprintf("C9%07d", i), Name: fmt.Sprintf("room-%d", i)})
		}
		c.Definition.Slack.Channel = "#room-444"
	})
	b := dest.Batch{Run: "s.r1", Records: intend(alerts(1))}
	for range 2 {
		if _, err := w.dest.Lookup(t.Context(), b, w.dest.Lookups(b)[0]); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.calls("conversations.list"); got != 3 {
		t.Errorf("%d calls of conversations.list, want 3", got)
	}
}
