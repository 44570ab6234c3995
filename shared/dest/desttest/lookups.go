package desttest

import (
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
)

// lookups are the questions before a push.
var lookups = map[string]func(*testing.T, *world){
	"finds what was pushed":       finds,
	"looks up parts of a call":    lookupParts,
	"takes no answer for missing": noMatch,
	"fails to look up":            lookupFails,
}

// asked makes n records that were pushed and n that were not, all of which are to
// be looked up, in turn; ids are those of the pushed ones.
func (w *world) asked(t *testing.T, n int) (b dest.Batch, ids []string) {
	t.Helper()
	if w.Query == "" {
		t.Skip("the destination has no lookups")
	}
	b = of()
	tried := dest.Tried{At: w.Config.Now()}
	for i := range n {
		r := w.Record(2 * i)
		ids = append(ids, w.push(t, of(r))[0].ID, "")
		r.ID, r.Intent, r.Tried = "", true, tried
		other := w.Record(100_000 + i)
		other.ID, other.Intent, other.Tried = "", true, tried
		b.Records = append(b.Records, r, other)
	}
	return b, ids
}

// answered compares lookups' outcomes with the ids.
func answered(t *testing.T, out []dest.Outcome, ids []string) {
	t.Helper()
	for i, o := range out {
		switch {
		case ids[i] != "" && (o.ID != ids[i] || o.Status != dest.Found && o.Status != dest.Delivered):
			t.Errorf("record %d was pushed as %s: %+v", i, ids[i], o)
		case ids[i] == "" && o.Status != dest.Pending && o.Status != dest.Rejected:
			t.Errorf("record %d was not pushed: %+v", i, o)
		}
	}
}

func finds(t *testing.T, w *world) {
	b, ids := w.asked(t, 5)
	before := w.account.APICalls()
	answered(t, w.lookUp(t, b), ids)
	if w.account.APICalls() == before {
		t.Error("no call was made")
	}
}

func lookupParts(t *testing.T, w *world) {
	b, ids := w.asked(t, 3)
	for _, c := range w.dest.Lookups(b) {
		for i, at := range c.Records {
			part := dest.Call{Records: []int{at}, Costs: c.Costs}
			if i == 0 {
				part.Records = c.Records[:1:1]
			}
			out, err := w.dest.Lookup(t.Context(), b, part)
			if err != nil || len(out) != 1 {
				t.Fatalf("%d outcomes, %v", len(out), err)
			}
			answered(t, out, ids[at:at+1])
		}
	}
}

// noMatch has answers that hold no answer: nothing is not found, and nothing is
// created.
func noMatch(t *testing.T, w *world) {
	b, _ := w.asked(t, 1)
	for name, body := range noAnswers {
		w.arm(t, sandbox.Fault{Match: w.Query, Status: 200, Body: body})
		out, err := w.dest.Lookup(t.Context(), b, w.dest.Lookups(b)[0])
		if err == nil {
			t.Errorf("%s: outcomes %s", name, statuses(out))
			w.Core.ClearFaults()
			continue
		}
		if call := failed(t, err); call.Class != dest.Unavailable || call.Scope != dest.ScopeUntold {
			t.Errorf("%s: class %d, scope %d", name, call.Class, call.Scope)
		}
	}
}

func lookupFails(t *testing.T, w *world) {
	b, ids := w.asked(t, 1)
	w.arm(t, sandbox.Fault{Match: w.Query, Status: 500, Body: "<html>", ContentType: "text/html"})
	w.arm(t, sandbox.Fault{Match: w.Query, Status: 200, Body: "<html>", ContentType: "text/html"})
	for range 2 {
		_, err := w.dest.Lookup(t.Context(), b, w.dest.Lookups(b)[0])
		call := failed(t, err)
		if call.Class != dest.Unavailable || call.Scope != dest.ScopeUntold {
			t.Errorf("class %d, scope %d", call.Class, call.Scope)
		}
		for _, r := range b.Records {
			if strings.Contains(call.Message, r.Key) {
				t.Errorf("the message holds a key: %q", call.Message)
			}
		}
	}
	answered(t, w.lookUp(t, b), ids)
}
