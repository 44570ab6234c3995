package slack_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
)

// A run with more rows than digest_over for a channel is one message there,
// however many invocations it takes.
func TestDigestOnce(t *testing.T) {
	w := newWorld(t)
	records := alerts(25)
	total := map[string]int{"alerts": 25}
	first, err := w.deliver(dest.Batch{Run: "slack_alerts.r1", Total: total, Records: records[:22]})
	if err != nil {
		t.Fatal(err)
	}
	w.restart()
	second, err := w.deliver(dest.Batch{Run: "slack_alerts.r1", Total: total, Records: records[22:]})
	if err != nil {
		t.Fatal(err)
	}
	posted := w.sim.Messages()
	if len(posted) != 1 {
		t.Fatalf("%d messages, want 1", len(posted))
	}
	for i, o := range append(first, second...) {
		if o.Status != dest.Delivered || o.ID != posted[0].Channel+":"+posted[0].TS {
			t.Errorf("record %d: %+v", i, o)
		}
	}
	golden(t, "digest.golden", posted[0].Text+"\n")
	var payload map[string]any
	if err := json.Unmarshal(posted[0].Metadata.EventPayload, &payload); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"run": "slack_alerts.r1", "sync": "slack_alerts", "channel": "#alerts", "rows": 25.0}
	if diff := cmp.Diff(want, payload); diff != "" || posted[0].Metadata.EventType != "penstock_digest" {
		t.Error(posted[0].Metadata.EventType, diff)
	}
	if got := w.calls("chat.postMessage"); got != 1 {
		t.Errorf("%d posts, want 1", got)
	}

	// Another run has its own.
	if _, err := w.deliver(dest.Batch{Run: "slack_alerts.r2", Total: total, Records: records[:1]}); err != nil {
		t.Error(err)
	}
	if got := len(w.sim.Messages()); got != 2 {
		t.Errorf("%d messages after the second run, want 2", got)
	}
}

// The answer is lost after Slack took the digest: it is found, not sent again, by
// the run itself and by a later try of its rows, be these many or few.
func TestDigestAfterLostAnswer(t *testing.T) {
	for name, later := range map[string]dest.Batch{
		"same run":  {Run: "slack_alerts.r1", Total: map[string]int{"alerts": 30}},
		"later try": {Run: "slack_alerts.r1~2", Total: map[string]int{"alerts": 30}},
		"few rows":  {Run: "slack_alerts.r1~2", Total: map[string]int{"alerts": 3}},
	} {
		for _, taken := range []bool{true, false} {
			w := newWorld(t)
			b := dest.Batch{Run: "slack_alerts.r1", Total: map[string]int{"alerts": 30}, Records: alerts(30)}
			if taken {
				w.fault(sandbox.Fault{Match: "chat.postMessage", DropAfterCommit: true})
			} else {
				w.fault(sandbox.Fault{Match: "chat.postMessage", Status: 502})
			}
			_, err := w.deliver(b)
			if ce := callError(t, err); !ce.Received {
				t.Fatalf("%s: %+v", name, ce)
			}
			w.clock.pass(time.Minute)
			w.restart()
			later.Records = intend(b.Records[:later.Total["alerts"]])
			out, err := w.deliver(later)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[dest.Status]int{dest.Delivered: len(later.Records)}, statuses(out)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
			want := 1
			if !taken && name == "few rows" {
				want = 3
			}
			if got := len(w.sim.Messages()); got != want {
				t.Errorf("%s, taken %v: %d messages, want %d", name, taken, got, want)
			}
		}
	}
}

// A digest whose answer was lost is found by the rows of any later run: by the run that
// tried them. What was not in it is sent.
func TestDigestOfAnotherRun(t *testing.T) {
	for _, rows := range []int{30, 3} {
		w := newWorld(t)
		w.fault(sandbox.Fault{Match: "chat.postMessage", DropAfterCommit: true})
		b := dest.Batch{Run: "s.r1~2", Total: map[string]int{"alerts": 30}, Records: alerts(30)}
		if _, err := w.deliver(b); err == nil {
			t.Fatal("the answer was not lost")
		}
		w.clock.pass(time.Hour)
		w.restart()
		later := dest.Batch{Run: "s.r2", Total: map[string]int{"alerts": rows + 1}, Records: append(intend(b.Records[:rows]), rec("new", "", "new"))}
		for i := range rows {
			later.Records[i].Tried.Run = "s.r1"
		}
		out, err := w.dest.Lookup(t.Context(), later, w.dest.Lookups(later)[0])
		if err != nil {
			t.Fatal(err)
		}
		want := map[dest.Status]int{dest.Delivered: rows, dest.Pending: 1}
		if rows == 3 { // no digest, so that only what was tried is looked for
			delete(want, dest.Pending)
		}
		if diff := cmp.Diff(want, statuses(out)); diff != "" {
			t.Errorf("%d rows: %s", rows, diff)
		}
	}
}

// A digest whose rows are not all compared says so.
func TestDigestAtMost(t *testing.T) {
	w := newWorld(t)
	if _, err := w.deliver(dest.Batch{Run: "s.r1", Total: map[string]int{"alerts": 300}, AtMost: true, Records: alerts(22)}); err != nil {
		t.Fatal(err)
	}
	text := w.sim.Messages()[0].Text
	if !strings.HasPrefix(text, "*up to 300 messages from ") || !strings.HasSuffix(text, "\n… and up to 280 more") {
		t.Error(text)
	}
}

// A digest of an earlier try says nothing of rows that were not in it.
func TestDigestOfLaterTry(t *testing.T) {
	w := newWorld(t)
	total := map[string]int{"alerts": 30}
	if _, err := w.deliver(dest.Batch{Run: "s.r1", Total: total, Records: alerts(30)}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.deliver(dest.Batch{Run: "s.r1~2", Total: total, Records: alerts(30)}); err != nil {
		t.Fatal(err)
	}
	if got := len(w.sim.Messages()); got != 2 {
		t.Errorf("%d messages, want 2", got)
	}
}

// A digest's call that is made in parts posts one message.
func TestDigestInParts(t *testing.T) {
	w := newWorld(t)
	b := dest.Batch{Run: "s.r1", Records: alerts(30)}
	ids := map[string]int{}
	for i, c := range w.dest.Calls(b, 10) {
		if (c.Costs == nil) != (i > 0) {
			t.Errorf("part %d costs %v", i, c.Costs)
		}
		out, err := w.dest.Push(t.Context(), b, c)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range out {
			ids[o.ID]++
		}
	}
	posted := w.sim.Messages()
	if diff := cmp.Diff(map[string]int{posted[0].Channel + ":" + posted[0].TS: 30}, ids); diff != "" || len(posted) != 1 {
		t.Error(len(posted), diff)
	}
}

// A digest that is refused is refused once, for all its parts, and is sent when the
// channel can be posted to.
func TestDigestInPartsRefused(t *testing.T) {
	w := newWorld(t)
	w.column()
	w.open()
	b := dest.Batch{Run: "s.r1", Records: alerts(30)}
	w.fault(sandbox.Fault{Match: "chat.postMessage", Status: 200, Body: `{"ok":false,"error":"not_in_channel"}`})
	for _, c := range w.dest.Calls(b, 10) {
		out, err := w.dest.Push(t.Context(), b, c)
		if err != nil || statuses(out)[dest.Rejected] != 10 {
			t.Errorf("%+v, %v", out, err)
		}
	}
	if got := w.calls("chat.postMessage"); got != 1 {
		t.Errorf("%d posts, want 1", got)
	}
	w.clock.pass(time.Minute)
	if out, err := w.deliver(b); err != nil || statuses(out)[dest.Delivered] != 30 || len(w.sim.Messages()) != 1 {
		t.Errorf("%v, %v", statuses(out), err)
	}
}

// After a part whose answer was lost no other part posts, until the channel was
// searched.
func TestDigestInPartsLost(t *testing.T) {
	w := newWorld(t)
	b := dest.Batch{Run: "s.r1", Records: alerts(30)}
	calls := w.dest.Calls(b, 15)
	w.fault(sandbox.Fault{Match: "chat.postMessage", DropAfterCommit: true})
	for _, c := range calls {
		_, err := w.dest.Push(t.Context(), b, c)
		if ce := callError(t, err); !ce.Received {
			t.Errorf("%+v", ce)
		}
	}
	if got := w.calls("chat.postMessage"); got != 1 {
		t.Errorf("%d posts, want 1", got)
	}
	w.clock.pass(time.Minute)
	out, err := w.deliver(dest.Batch{Run: "s.r1", Records: intend(b.Records)})
	if err != nil || statuses(out)[dest.Delivered] != 30 || len(w.sim.Messages()) != 1 {
		t.Errorf("%v, %v, %d messages", statuses(out), err, len(w.sim.Messages()))
	}
}

// A channel is one for its digest, however the rows spell it, and a later part of the run
// finds it in the other spelling.
func TestDigestOfOneChannelSpeltTwice(t *testing.T) {
	w := newWorld(t)
	w.column()
	w.open()
	var records []dest.Record
	for i := range 30 {
		records = append(records, rec(fmt.Sprint(i), []string{"#alerts", "alerts"}[i%2], "hello"))
	}
	total := map[string]int{"alerts": 32}
	for _, part := range [][]dest.Record{records, {rec("30", "alerts", "hello")}, {rec("31", "#alerts", "hello")}} {
		out, err := w.deliver(dest.Batch{Run: "s.r1", Total: total, Records: part})
		if err != nil || statuses(out)[dest.Delivered] != len(part) {
			t.Errorf("%v, %v", statuses(out), err)
		}
		w.restart()
	}
	if posted := w.sim.Messages(); len(posted) != 1 || !strings.Contains(posted[0].Text, "32") {
		t.Errorf("%d messages: %+v", len(posted), posted)
	}
}

// Without totals the records in hand are counted; faulty ones are rejected all the
// same, and each channel is on its own.
func TestDigestPerChannel(t *testing.T) {
	w := newWorld(t)
	records := alerts(21)
	records[4] = rec("blank", "", "")
	records = append(records, rec("s1", "sales", "one"), rec("s2", "sales", "two"))
	out, err := w.deliver(dest.Batch{Run: "slack_alerts.r1", Records: records})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[dest.Status]int{dest.Delivered: 22, dest.Rejected: 1}, statuses(out)); diff != "" {
		t.Error(diff)
	}
	if out[4].Code != "no_text" {
		t.Errorf("%+v", out[4])
	}
	names := map[string]int{}
	for _, m := range w.sim.Messages() {
		names[m.ChannelName]++
	}
	if diff := cmp.Diff(map[string]int{"alerts": 1, "sales": 2}, names); diff != "" {
		t.Error(diff)
	}
}

// Long rows, names and runs do not make a long digest.
func TestDigestStaysShort(t *testing.T) {
	w := newWorld(t)
	records := alerts(100)
	for i := range records {
		records[i] = rec(records[i].RecordID, "", strings.Repeat("ß", 5_000)+"\r\n\r\nAny line\nCustomer: "+strings.Repeat("ö", 5_000))
	}
	if _, err := w.deliver(dest.Batch{Run: "slack_alerts." + strings.Repeat("r", 900), Records: records}); err != nil {
		t.Fatal(err)
	}
	text := w.sim.Messages()[0].Text
	if n := utf8.RuneCountInString(text); n > 4_000 || !strings.HasSuffix(text, "\n… and 80 more") {
		t.Errorf("%d characters, ends with %q", n, text[len(text)-20:])
	}
	lines := strings.Split(text, "\n")
	if n := utf8.RuneCountInString(lines[0]); n != 400 {
		t.Errorf("the first line has %d characters", n)
	}
	for _, line := range lines[1:21] {
		if n := utf8.RuneCountInString(line); n != 162 || !strings.HasSuffix(line, "…") {
			t.Errorf("%d characters in %q", n, line)
		}
	}
}

// A line of a digest is the message's first line and the one with the customer.
func TestDigestLines(t *testing.T) {
	w := newWorld(t)
	w.opts.DigestOver = 1
	w.open()
	records := []dest.Record{
		rec("1", "", "one line"),
		rec("2", "", "\n\n  first   line \t\n\nsecond\n"),
		rec("3", "", "first\nHealth: low\nCustomer: ACME\nCustomer: other"),
		{RecordID: "4", Fields: []dest.Field{{Name: "text", Value: []byte("9007199254740993")}}},
	}
	if _, err := w.deliver(dest.Batch{Run: "slack_alerts.r1", Records: records}); err != nil {
		t.Fatal(err)
	}
	golden(t, "digest_lines.golden", w.sim.Messages()[0].Text+"\n")
}
