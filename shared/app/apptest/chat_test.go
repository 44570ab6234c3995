package apptest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sandbox"
)

// One message of twelve meets a fault of the chat, in each way that a post can
// fail. The other eleven are posted within a minute, in order, once; afterwards the
// twelfth is there once, or its error says why not, and it is never there twice.
func TestPoisonMessage(t *testing.T) {
	const poison = "message 05"
	for name, c := range map[string]struct {
		fault sandbox.Fault
		comes bool // by itself, once the fault has passed
	}{
		"answered 500":          {sandbox.Fault{Status: 500, Body: "oops"}, true},
		"answered with HTML":    {sandbox.Fault{Status: 200, ContentType: "text/html", Body: "<html>maintenance</html>"}, true},
		"answered {}":           {sandbox.Fault{Status: 200, Body: "{}"}, true},
		"answered in half":      {sandbox.Fault{Cut: 20}, true},
		"reset":                 {sandbox.Fault{DropAfterCommit: true}, true},
		"carried out, then 502": {sandbox.Fault{AfterCommit: true, Status: 502, Body: "bad gateway"}, true},
		"refused":               {sandbox.Fault{Status: 200, Body: `{"ok":false,"error":"msg_too_long"}`}, false},
		"refused, newly":        {sandbox.Fault{Status: 200, Body: `{"ok":false,"error":"something_new"}`}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := faulty(t)
			c.fault.Match, c.fault.Holding, c.fault.Count = "chat.postMessage", poison, -1
			core := w.Vendors.Slack.Core()
			if err := core.AddFault(c.fault); err != nil {
				t.Fatal(err)
			}
			var rows [][]string
			var want []string
			for n := range 12 {
				text := fmt.Sprintf("message %02d", n)
				rows = append(rows, []string{`"notes"`, fmt.Sprintf(`{"id":%d,"text":%q}`, n, text)})
				if text != poison {
					want = append(want, text)
				}
			}
			id := w.Push(t, "q", "q:1", rows...)[0].Run
			w.Settle(t) // a digest would have to know how many there are
			w.Pass(t, soon)
			got := w.posted()
			if without := slices.DeleteFunc(slices.Clone(got), func(s string) bool { return s == poison }); !slices.Equal(without, want) {
				t.Errorf("within a minute: %q", got)
			}
			core.ClearFaults()
			w.Pass(t, 2*time.Hour)
			times := 0
			for _, text := range w.posted() {
				if text == poison {
					times++
				}
			}
			errs := w.Errors(t, id)
			r := w.Run(t, id)
			if times > 1 || c.comes != (times == 1) || !c.comes && len(errs) != 1 {
				t.Errorf("posted %d times; errors %+v", times, errs)
			}
			if r.Status != run.Complete || r.Counts.Delivered+r.Counts.Failed != 12 || r.Due != 0 {
				t.Errorf("the run is %s: %+v, %d due", r.Status, r.Counts, r.Due)
			}
		})
	}
}

// posted are the texts of the chat, in order.
func (w *World) posted() []string {
	var texts []string
	for _, m := range w.Vendors.Slack.Messages() {
		texts = append(texts, m.Text)
	}
	return texts
}

// A channel that is gone fails its own rows: the others' channel goes on.
func TestChannelThatIsGone(t *testing.T) {
	w := faulty(t)
	var rows [][]string
	for n := range 10 {
		channel := "#customer-health"
		if n%2 == 0 {
			channel = "#gone"
		}
		rows = append(rows, []string{`"routed"`, fmt.Sprintf(`{"id":%d,"text":"message %d","channel":%q}`, n, n, channel)})
	}
	id := w.Push(t, "q", "q:1", rows...)[0].Run
	w.Settle(t)
	w.Pass(t, soon)
	if got := w.posted(); len(got) != 5 {
		t.Errorf("posted %q", got)
	}
	if got := w.errorTypes(t, id); got["channel_not_found"] != 5 {
		t.Errorf("errors %v", got)
	}
	if s := w.Status(t, "routed"); s.Paused != "" {
		t.Errorf("paused: %s", s.Paused)
	}
}

// One kind of refused message stops no other, however many of them come one after the
// other.
func TestRefusedMessages(t *testing.T) {
	w := faulty(t)
	for n := range 4 {
		err := w.Vendors.Slack.Core().AddFault(sandbox.Fault{Match: "chat.postMessage", Holding: fmt.Sprintf("message %02d", n), Status: 200,
			Body: `{"ok":false,"error":"slack_connect_file_link_sharing_blocked"}`, Count: -1})
		if err != nil {
			t.Fatal(err)
		}
	}
	id := w.Push(t, "q", "q:1", notes(0, 10, "")...)[0].Run
	w.Settle(t)
	w.Pass(t, soon)
	if got := w.posted(); len(got) != 6 {
		t.Errorf("posted %q", got)
	}
	if got := w.errorTypes(t, id); got["slack_connect_file_link_sharing_blocked"] != 4 {
		t.Errorf("errors %v", got)
	}
	if s := w.Status(t, "notes"); s.Paused != "" {
		t.Errorf("paused: %s", s.Paused)
	}
}

// notes are rows of notes with the ids from to below to.
func notes(from, to int, pad string) (rows [][]string) {
	for n := from; n < to; n++ {
		rows = append(rows, []string{`"notes"`, fmt.Sprintf(`{"id":%d,"text":"message %02d%s"}`, n, n, pad)})
	}
	return rows
}

// lostPost has the chat post one message without an answer, and show no history after what
// comes first.
func (w *World) lostPost(t *testing.T, first ...sandbox.Fault) {
	t.Helper()
	for _, f := range append(first,
		sandbox.Fault{Match: "chat.postMessage", DropAfterCommit: true, Count: 1},
		sandbox.Fault{Match: "conversations.history", Status: 500, Body: "x", Count: -1},
	) {
		if err := w.Vendors.Slack.Core().AddFault(f); err != nil {
			t.Fatal(err)
		}
	}
}

// A digest that was posted, though nobody knew, is found by the next run that brings its
// rows, whether these are errors by then or still wait; what is new is posted.
func TestDigestOfAnotherRun(t *testing.T) {
	for after, want := range map[time.Duration]string{
		10 * time.Minute: "message 25",
		3 * time.Hour:    "*up to 26 messages from notes* (run %s)\n• message 25\n… and up to 25 more",
	} {
		w := faulty(t)
		w.lostPost(t, sandbox.Fault{Match: "conversations.history", DelayMS: 1, Count: 1}) // before the digest is posted
		id := w.Push(t, "q", "q:1", notes(0, 25, "")...)[0].Run
		w.Settle(t)
		w.Pass(t, after)
		if r := w.Run(t, id); (r.Counts.Failed == 25) != (after > time.Hour) {
			t.Fatalf("after %s: %+v", after, r.Counts)
		}
		w.Vendors.Slack.Core().ClearFaults()
		id = w.Push(t, "q2", "q2:1", notes(0, 26, "")...)[0].Run
		w.Settle(t)
		w.Pass(t, 3*time.Hour)
		if got := w.posted(); len(got) != 2 || got[1] != strings.ReplaceAll(want, "%s", id) {
			t.Errorf("after %s: posted %q", after, got)
		}
		if r := w.Run(t, id); r.Counts.Delivered != 26 {
			t.Errorf("after %s: %+v", after, r.Counts)
		}
	}
}

// A message that may have been posted longer ago than is searched is posted again only
// where a person says that it is missing.
func TestTooOldToBeFound(t *testing.T) {
	w := faulty(t)
	w.lostPost(t)
	id := w.Push(t, "q", "q:1", notes(0, 1, "")...)[0].Run
	w.Settle(t)
	w.Pass(t, 2*time.Hour)
	if got := w.errorTypes(t, id); got["http_500"] != 1 {
		t.Fatalf("errors %v", got)
	}
	w.Vendors.Slack.Core().ClearFaults()
	w.Clock.Advance(15 * 24 * time.Hour)
	for _, q := range []string{"q2", "q3"} { // the second time it is unknown already
		id = w.Push(t, q, q+":1", notes(0, 1, "")...)[0].Run
		w.Settle(t)
		w.Pass(t, time.Hour)
		if got := w.errorTypes(t, id); got["unknown"] != 1 || len(w.posted()) != 1 {
			t.Fatalf("%s: errors %v, posted %q", q, got, w.posted())
		}
	}
	if r, err := w.Control.Retry(t.Context(), id, runs.Selector{Types: []string{"unknown"}}, "r"); err != nil || r.Queued != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	w.Pass(t, time.Hour)
	if got := w.posted(); len(got) != 2 {
		t.Errorf("posted %q", got)
	}
}

// A digest of a run over more messages than one worker has in hand does not count as new
// what is posted already: it says that it is at most so many.
func TestDigestOfManyMessages(t *testing.T) {
	w := faulty(t)
	push := func(query string, rows int) {
		t.Helper()
		for at := 0; at < rows; at += 500 {
			var some [][]string
			for n := at; n < min(at+500, rows); n++ {
				some = append(some, notes(n, n+1, " "+incompressible(n))...)
			}
			w.Push(t, query, fmt.Sprintf("%s:%d", query, at), some...)
		}
		w.Settle(t)
		w.Pass(t, 10*time.Minute)
	}
	push("q1", 3000)
	push("q2", 3001)
	got := w.posted()
	if len(got) != 2 || !strings.HasPrefix(got[0], "*up to 3000 messages") || !strings.HasPrefix(got[1], "*up to ") || strings.Count(got[1], "•") != 1 {
		t.Errorf("posted %q", got)
	}
}

// incompressible is a text of 3 kB that no other number has.
func incompressible(n int) string {
	var b strings.Builder
	for r := rand.New(rand.NewPCG(uint64(n), 0)); b.Len() < 3000; {
		fmt.Fprintf(&b, "%x", r.Uint64())
	}
	return b.String()
}
