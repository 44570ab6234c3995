package slack_test

import (
	"fmt"
	"html"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
	sim "github.com/penstock-data/penstock/shared/sandbox/slack"
)

// Up to digest_over rows are messages of their own, each with the row's text as a
// reader sees it, no faster than Slack takes them.
func TestMessages(t *testing.T) {
	w := newWorld(t)
	w.column()
	w.open()
	records := alerts(20)
	records[3] = rec("odd", "sales", "O'Brien & <Söhne> \\n \"quoted\" 🚰")
	begun := w.clock.now()
	out, err := w.deliver(dest.Batch{Run: "slack_alerts.r1", Records: records})
	if err != nil {
		t.Fatal(err)
	}
	posted := w.sim.Messages()
	if len(posted) != 20 {
		t.Fatalf("%d messages, want 20", len(posted))
	}
	byID := map[string]sim.Message{}
	for _, m := range posted {
		byID[m.Channel+":"+m.TS] = m
	}
	for i, o := range out {
		m, there := byID[o.ID]
		if o.Status != dest.Delivered || !o.Created || !there {
			t.Errorf("record %d: %+v", i, o)
		}
		delete(byID, o.ID)
		channel := "alerts"
		if i == 3 {
			channel = "sales"
		}
		if m.ChannelName != channel || string(records[i].Fields[0].Value) != string(quote(html.UnescapeString(m.Text))) {
			t.Errorf("record %d became %+v", i, m)
		}
	}
	if got := w.calls("chat.postMessage"); got != 20 {
		t.Errorf("%d calls for 20 messages: the simulator refused some", got)
	}
	// 19 messages in one channel: the first at once, 18 a second and pace's margin apart.
	if took := w.clock.now().Sub(begun); took < 18*time.Second || took > 18*1300*time.Millisecond {
		t.Errorf("took %s", took)
	}
}

func TestRequests(t *testing.T) {
	w := newWorld(t)
	one := dest.Batch{Run: "slack_alerts.r1", Records: intend([]dest.Record{rec("cust_1:ESCALATED:2026-05-04", "", ":warning: *ALERT*\nCustomer: ACME & Söhne")})}
	if _, err := w.deliver(one); err != nil {
		t.Fatal(err)
	}
	digest := dest.Batch{Run: "slack_alerts.r2", Total: map[string]int{"C0SALES01": 21}, Records: []dest.Record{rec("x", "C0SALES01", "Hello\nworld")}}
	if _, err := w.deliver(digest); err != nil {
		t.Fatal(err)
	}
	golden(t, "requests.golden", w.seen())
}

// Rows that cannot be sent are answered without a request and harm no other.
func TestFaultyRows(t *testing.T) {
	null := dest.Record{RecordID: "null", Fields: []dest.Field{{Name: "text", Value: []byte("null")}}}
	absent := dest.Record{RecordID: "absent"}
	records := []dest.Record{null, rec("good", "", "hello"), rec("blank", "", " \n"), absent, rec("long", "", strings.Repeat("ü", 40_001)), rec("longest", "", strings.Repeat("ü", 40_000))}
	w := newWorld(t)
	out, err := w.deliver(dest.Batch{Run: "s.r", Records: records})
	if err != nil {
		t.Fatal(err)
	}
	codes := make([]string, len(out))
	for i, o := range out {
		codes[i] = o.Code
		if o.Code != "" && (o.Status != dest.Rejected || o.Field != "text" || !strings.Contains(o.Message, ":")) {
			t.Errorf("record %d: %+v", i, o)
		}
	}
	if diff := cmp.Diff([]string{"no_text", "", "no_text", "no_text", "msg_too_long", ""}, codes); diff != "" {
		t.Error(diff)
	}
	if got := w.calls("chat.postMessage"); got != 2 {
		t.Errorf("%d calls, want 2", got)
	}
	for _, c := range w.dest.Calls(dest.Batch{Records: records}, 0) {
		if len(c.Records) == 4 && c.Costs != nil {
			t.Error("faulty rows take tokens of a channel")
		}
	}
}

func TestNoChannel(t *testing.T) {
	w := newWorld(t)
	w.opts.Channel = ""
	w.column()
	w.open()
	out, err := w.deliver(dest.Batch{Run: "s.r", Records: []dest.Record{rec("a", "", "hello"), rec("b", "sales", "hello")}})
	if err != nil || out[0].Code != "no_channel" || out[1].Status != dest.Delivered {
		t.Errorf("%+v, %v", out, err)
	}
}

// The simulator refuses what comes too fast, and the refusal is passed on.
func TestTooFast(t *testing.T) {
	w := newWorld(t)
	b := dest.Batch{Run: "s.r", Records: alerts(2)}
	calls := w.dest.Calls(b, 0)
	if _, err := w.dest.Push(t.Context(), b, calls[0]); err != nil {
		t.Fatal(err)
	}
	_, err := w.dest.Push(t.Context(), b, calls[1])
	if ce := callError(t, err); ce.Class != dest.Throttled || ce.After != time.Second {
		t.Errorf("%+v", ce)
	}
	w.clock.pass(time.Second)
	if _, err := w.dest.Push(t.Context(), b, calls[1]); err != nil {
		t.Error(err)
	}
	if got := len(w.sim.Messages()); got != 2 {
		t.Errorf("%d messages, want 2", got)
	}
}

// A new token is read after the old one was refused.
func TestTokenIsReadAgain(t *testing.T) {
	w := newWorld(t)
	b := dest.Batch{Run: "s.r", Records: alerts(1)}
	w.secret = map[string]string{"token": "xoxb-old"}
	_, err := w.deliver(b)
	if ce := callError(t, err); ce.Class != dest.Configuration || ce.Code != "invalid_auth" {
		t.Errorf("%+v", ce)
	}
	w.secret = map[string]string{"token": token}
	if _, err := w.deliver(b); err != nil {
		t.Error(err)
	}
}

// Every request that left is counted: pages, refusals and lost answers too.
func TestAPICalls(t *testing.T) {
	w := newWorld(t)
	b := dest.Batch{Run: "s.r", Records: alerts(3)}
	calls := w.dest.Calls(b, 0)
	w.fault(sandbox.Fault{Match: "chat.postMessage", DropAfterCommit: true})
	w.fault(sandbox.Fault{Match: "chat.postMessage", Status: 503})
	for i, failed := range []bool{true, true, false} {
		w.clock.pass(2 * time.Second)
		if _, err := w.dest.Push(t.Context(), b, calls[i]); (err != nil) != failed {
			t.Fatal(i, err)
		}
	}
	b.Records = intend(b.Records)
	w.clock.pass(2 * time.Second)
	if out, err := w.deliver(b); err != nil || statuses(out)[dest.Delivered] != 3 {
		t.Fatal(out, err)
	}
	if err := w.acct.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Three messages, one page of history (whose channel's id the third message's
	// answer gave), one message again, one test.
	if got, want := w.acct.APICalls(), w.sim.Core().Calls().Total; got != want || got != 6 {
		t.Errorf("%d counted, %d arrived, want 6", got, want)
	}
}

// Two spellings of a channel's name take tokens of one bucket; what cannot be sent
// takes none.
func TestBuckets(t *testing.T) {
	w := newWorld(t)
	b := dest.Batch{Records: []dest.Record{rec("1", "", "a"), rec("2", "alerts", "b"), rec("3", "C0SALES01", "c"), rec("4", "", " ")}}
	var got []string
	for _, c := range w.dest.Calls(b, 0) {
		if c.Costs == nil {
			got = append(got, "nothing")
			continue
		}
		got = append(got, fmt.Sprint(c.Costs[0].Bucket, " ", c.Costs[0].Tokens))
	}
	if diff := cmp.Diff([]string{"#alerts 1", "#alerts 1", "C0SALES01 1", "nothing"}, got); diff != "" {
		t.Error(diff)
	}
}

// No more records a call than are asked for, whatever the call is.
func TestMost(t *testing.T) {
	w := newWorld(t)
	records := append(alerts(50), rec("blank", "", ""), rec("empty", "", ""), rec("null", "", ""))
	for most, want := range map[int]int{0: 2, 1: 53, 7: 9, 50: 2} {
		calls := w.dest.Calls(dest.Batch{Records: records}, most)
		seen := map[int]bool{}
		for _, c := range calls {
			if most > 0 && len(c.Records) > most {
				t.Errorf("most %d: a call of %d", most, len(c.Records))
			}
			for _, r := range c.Records {
				seen[r] = true
			}
		}
		if len(calls) != want || len(seen) != len(records) {
			t.Errorf("most %d: %d calls, want %d, of %d records", most, len(calls), want, len(seen))
		}
	}
}

// Neither slack-go nor net/http may repeat a message, not even on a connection
// that was kept and then broke.
func TestNoBlindRetry(t *testing.T) {
	for name, f := range map[string]sandbox.Fault{
		"429": {Status: 429, Headers: map[string]string{"Retry-After": "1"}}, "500": {Status: 500}, "503": {Status: 503},
		"drop": {DropAfterCommit: true},
	} {
		w := newWorld(t)
		if _, err := w.deliver(dest.Batch{Run: "s.r", Records: alerts(1)}); err != nil {
			t.Fatal(err)
		}
		f.Match = "chat.postMessage"
		w.fault(f)
		w.deliver(dest.Batch{Run: "s.r", Records: alerts(2)[1:]}) //nolint:errcheck // the error is another test's
		if got := w.calls("chat.postMessage"); got != 2 {
			t.Errorf("%s: %d calls, want 2", name, got)
		}
	}
}
