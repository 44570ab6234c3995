package slack_test

import (
	"encoding/json"
	"strings"
	"testing"
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
	total := map[string]int{"#alerts": 25}
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

// The answer is lost after Slack took the digest: it is found, not sent again.
func TestDigestAfterLostAnswer(t *testing.T) {
	w := newWorld(t)
	b := dest.Batch{Run: "slack_alerts.r1", Total: map[string]int{"#alerts": 30}, Records: alerts(30)}
	w.fault(sandbox.Fault{Match: "chat.postMessage", DropAfterCommit: true})
	out, err := w.deliver(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[dest.Status]int{dest.Unknown: 30}, statuses(out)); diff != "" {
		t.Fatal(diff)
	}
	w.restart()
	b.Records = intend(b.Records)
	if out, err = w.deliver(b); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[dest.Status]int{dest.Delivered: 30}, statuses(out)); diff != "" {
		t.Error(diff)
	}
	if got := len(w.sim.Messages()); got != 1 {
		t.Errorf("%d messages, want 1", got)
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
	w.cfg.Definition.Slack.DigestOver = 1
	w.restart()
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
