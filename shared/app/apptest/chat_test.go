package apptest

import (
	"fmt"
	"slices"
	"testing"
	"time"

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
	var rows [][]string
	for n := range 10 {
		rows = append(rows, []string{`"notes"`, fmt.Sprintf(`{"id":%d,"text":"message %02d"}`, n, n)})
	}
	for n := range 4 {
		err := w.Vendors.Slack.Core().AddFault(sandbox.Fault{Match: "chat.postMessage", Holding: fmt.Sprintf("message %02d", n), Status: 200,
			Body: `{"ok":false,"error":"slack_connect_file_link_sharing_blocked"}`, Count: -1})
		if err != nil {
			t.Fatal(err)
		}
	}
	id := w.Push(t, "q", "q:1", rows...)[0].Run
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
