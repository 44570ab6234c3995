package slack_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/slack"
	"github.com/penstock-data/penstock/shared/sandbox"
	sim "github.com/penstock-data/penstock/shared/sandbox/slack"
)

// A lost answer is settled by the message's metadata, for each way in which the
// channel is given, and whether or not Slack took the message.
func TestIntentIsSettled(t *testing.T) {
	for _, channel := range []string{"#alerts", "alerts", "C0ALERTS1", "#secret", "G0SECRET1"} {
		for _, taken := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s taken=%v", channel, taken), func(t *testing.T) {
				w := newWorld(t, func(s *sim.Config, _ *world) {
					s.Scopes = []string{"chat:write", "channels:history", "channels:read", "groups:history", "groups:read"}
				})
				w.opts.Channel = channel
				w.restart()
				fault := sandbox.Fault{Match: "chat.postMessage", DropAfterCommit: true}
				if !taken {
					fault = sandbox.Fault{Match: "chat.postMessage", Status: 502}
				}
				w.fault(fault)
				b := dest.Batch{Run: "s.r1", Records: alerts(2)}
				_, err := w.deliver(b)
				if ce := callError(t, err); ce.Class != dest.Unavailable || !ce.Received {
					t.Fatalf("%+v", ce)
				}
				w.restart()
				w.clock.pass(time.Hour)
				again := dest.Batch{Run: "s.r1", Records: intend(b.Records)}
				again.Records = again.Records[:1]
				out, err := w.deliver(again)
				if err != nil || out[0].Status != dest.Delivered || out[0].Created == taken {
					t.Errorf("%+v, %v", out, err)
				}
				messages := w.sim.Messages()
				if len(messages) != 1 {
					t.Fatalf("%d messages, want 1", len(messages))
				}
				found := messages[0]
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
	if diff := cmp.Diff([]dest.Call{{Records: []int{1}, Costs: []dest.Cost{{Bucket: slack.HistoryBucket, Tokens: 1}}}}, calls); diff != "" {
		t.Error(diff)
	}
	b.Records[1].Intent = false
	if calls := w.dest.Lookups(b); calls != nil {
		t.Errorf("%v", calls)
	}
}

// A record id is sent once, ever: also when another run's message is found.
func TestOnceOverRuns(t *testing.T) {
	w := newWorld(t)
	if _, err := w.deliver(dest.Batch{Run: "s.r1", Records: alerts(1)}); err != nil {
		t.Fatal(err)
	}
	w.clock.pass(time.Hour)
	out, err := w.deliver(dest.Batch{Run: "s.r2", Records: intend(alerts(1))})
	if err != nil || out[0].Status != dest.Delivered || out[0].Created {
		t.Errorf("%+v, %v", out, err)
	}
}

// A channel with more messages than are searched leaves an intent unknown: sending again
// might send twice. A digest that nobody has tried is sent.
func TestSearchHasAnEnd(t *testing.T) {
	w := newWorld(t)
	page := sandbox.Fault{Match: "conversations.history", Count: -1, Status: 200,
		Body: `{"ok":true,"messages":[{"type":"message","ts":"1777888800.000100"}],"has_more":true,"response_metadata":{"next_cursor":"on"}}`}
	w.fault(page)
	b := dest.Batch{Run: "s.r1", Total: map[string]int{"alerts": 30}, Records: alerts(2)}
	b.Records[1] = intend(b.Records)[1]
	out, err := w.dest.Lookup(t.Context(), b, w.dest.Lookups(b)[0])
	if err != nil || out[0].Status != dest.Pending || out[1].Status != dest.Unknown || !strings.Contains(out[1].Message, "20 pages") {
		t.Errorf("%+v, %v", out, err)
	}
	if got := w.calls("conversations.history"); got != 20 {
		t.Errorf("%d pages, want 20", got)
	}
	// Those that the call's cost does not pay for are paid for later, and fit into what
	// Slack allows beside all that the bucket grants in a minute.
	limits := w.acct.Limits()
	if limits.Beyond != slack.HistoryBucket || w.acct.APICalls() != 20+1 || limits.Windows(slack.HistoryBucket)[0].Calls+20 > 50 {
		t.Errorf("%+v, %d requests", limits, w.acct.APICalls())
	}
}

// Record ids are compared as they are, however they are spelt.
func TestRecordIDsAsTheyAre(t *testing.T) {
	w := newWorld(t)
	ids := []string{"a:b", "a%3Ab", `a\:b`, "A:B", "a:b ", "ü", "u\u0308", "<a>&", `"`, "~1"}
	for i, id := range ids {
		b := dest.Batch{Run: "s.r1", Records: intend([]dest.Record{rec(id, "", "hello")})}
		out, err := w.deliver(b)
		if err != nil || !out[0].Created {
			t.Errorf("%q was taken for another: %+v, %v", id, out, err)
		}
		out, err = w.deliver(b)
		if err != nil || out[0].Created || out[0].Status != dest.Delivered || len(w.sim.Messages()) != i+1 {
			t.Errorf("%q was not found: %+v, %v", id, out, err)
		}
	}
}

// What was tried longer ago than is searched, or nobody knows when, is unknown where it is
// not found; what was tried since is sent.
func TestTooOldToBeFound(t *testing.T) {
	w := newWorld(t)
	b := dest.Batch{Run: "s.r1", Records: intend([]dest.Record{rec("1", "", "a"), rec("2", "", "b"), rec("3", "", "c"), rec("4", "", "d")})}
	b.Records[1].Tried.At = begin.Add(2 * time.Second)
	b.Records[2].Tried.At = time.Time{}
	w.clock.pass(14*24*time.Hour + time.Second)
	sent := dest.Batch{Run: "s.r0", Records: []dest.Record{rec("4", "", "d")}} // since, by somebody else
	if _, err := w.deliver(sent); err != nil {
		t.Fatal(err)
	}
	out, err := w.dest.Lookup(t.Context(), b, w.dest.Lookups(b)[0])
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []dest.Status{dest.Unknown, dest.Pending, dest.Unknown, dest.Delivered} {
		if o := out[i]; o.Status != want || want == dest.Unknown && !strings.Contains(o.Message, "14 days") {
			t.Errorf("record %d: %+v, want status %d", i, o, want)
		}
	}
}

// The search goes through pages, over messages of others, back 14 days.
func TestSearchPages(t *testing.T) {
	w := newWorld(t, func(s *sim.Config, _ *world) { s.Spacing = -1 })
	post := func(id string) {
		t.Helper()
		b := dest.Batch{Run: "s.r1", Records: []dest.Record{rec(id, "", "text of "+id)}}
		if _, err := w.dest.Push(t.Context(), b, w.dest.Calls(b, 0)[0]); err != nil {
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
	}{{"newer 449", dest.Delivered, 1}, {"newer 100", dest.Delivered, 2}, {"deep", dest.Delivered, 3}, {"too old", dest.Unknown, 3}} {
		w.sim.Core().ResetCalls()
		if got := look(c.id); got.Status != c.want || w.calls("conversations.history") != c.pages {
			t.Errorf("%s: %+v after %d pages", c.id, got, w.calls("conversations.history"))
		}
	}
}

// A name is looked up once, over pages of channels.
func TestChannelNamesArePaged(t *testing.T) {
	w := newWorld(t, func(s *sim.Config, c *world) {
		for i := range 450 {
			s.Channels = append(s.Channels, sim.Channel{ID: fmt.Sprintf("C9%07d", i), Name: fmt.Sprintf("room-%d", i)})
		}
		c.opts.Channel = "#room-444"
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

// A listing that Slack cuts off goes on from there: a workspace may have more channels
// than may be listed in a minute. A cursor that is refused is given up.
func TestChannelsGoOn(t *testing.T) {
	for name, c := range map[string]struct {
		fault sandbox.Fault
		lists int64
	}{
		"too many":  {sandbox.Fault{Status: 429, Body: `{"ok":false,"error":"ratelimited"}`}, 3 + 1},
		"cut off":   {sandbox.Fault{Status: 502}, 3 + 1},
		"no cursor": {sandbox.Fault{Status: 200, Body: `{"ok":false,"error":"invalid_cursor"}`}, 3 + 3},
	} {
		w := newWorld(t, func(s *sim.Config, w *world) {
			for i := range 450 {
				s.Channels = append(s.Channels, sim.Channel{ID: fmt.Sprintf("C9%07d", i), Name: fmt.Sprintf("team-%d", i)})
			}
			w.opts.Channel = "#team-444"
		})
		w.before = func(r *http.Request) { // the third page is refused once
			if strings.HasSuffix(r.URL.Path, "conversations.list") && w.calls("conversations.list") == 2 {
				w.before = nil
				c.fault.Match = "conversations.list"
				w.fault(c.fault)
			}
		}
		b := dest.Batch{Run: "s.r1", Records: intend(alerts(1))}
		for _, failing := range []bool{true, false} {
			if _, err := w.dest.Lookup(t.Context(), b, w.dest.Lookups(b)[0]); (err != nil) != failing {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if got := w.calls("conversations.list"); got != c.lists {
			t.Errorf("%s: %d calls of conversations.list, want %d", name, got, c.lists)
		}
	}
}

// Names that are nowhere cost one listing a minute; a channel that was made since is
// found after it, and a private one after a public one.
func TestUnknownNamesAreListedOnce(t *testing.T) {
	w := newWorld(t, func(s *sim.Config, _ *world) {
		s.Scopes = []string{"chat:write", "channels:history", "channels:read", "groups:history", "groups:read"}
	})
	w.column()
	w.open()
	look := func(channel string) dest.Outcome {
		t.Helper()
		b := dest.Batch{Run: "s.r1", Records: intend([]dest.Record{rec("1", channel, "hello")})}
		out, err := w.dest.Lookup(t.Context(), b, w.dest.Lookups(b)[0])
		if err != nil {
			t.Fatal(err)
		}
		return out[0]
	}
	for _, c := range []struct {
		channel string
		want    dest.Status
		lists   int64 // so far: public and private are one each
	}{
		{"#alerts", dest.Pending, 1}, {"#secret", dest.Pending, 3}, {"#nowhere", dest.Rejected, 5}, {"#nowhere", dest.Rejected, 5}, {"#nor-there", dest.Rejected, 5}, {"sales", dest.Pending, 5},
	} {
		if o := look(c.channel); o.Status != c.want || w.calls("conversations.list") != c.lists {
			t.Errorf("%s: %+v after %d listings, want %d", c.channel, o, w.calls("conversations.list"), c.lists)
		}
	}
	w.clock.pass(time.Minute)
	if o := look("#nowhere"); o.Status != dest.Rejected || w.calls("conversations.list") != 7 {
		t.Errorf("after a minute: %+v after %d listings", o, w.calls("conversations.list"))
	}
}
