package desttest

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
)

// batch makes n records.
func (w *world) batch(n int) dest.Batch {
	b := of()
	for i := range n {
		b.Records = append(b.Records, w.Record(i))
	}
	return b
}

// of is a batch of these records.
func of(records ...dest.Record) dest.Batch {
	return dest.Batch{Run: "suite:1", Total: map[string]int{}, Records: records}
}

// push makes all calls of a batch and answers the outcomes by record; it fails the
// test when a record is answered twice, or never, or a call fails.
func (w *world) push(t *testing.T, b dest.Batch) []dest.Outcome {
	t.Helper()
	return w.pushCalls(t, b, w.dest.Calls(b, 0))
}

func (w *world) pushCalls(t *testing.T, b dest.Batch, calls []dest.Call) []dest.Outcome {
	t.Helper()
	out := make([]dest.Outcome, len(b.Records))
	seen := make([]int, len(b.Records))
	for _, c := range calls {
		got, err := w.dest.Push(t.Context(), b, c)
		if err != nil {
			t.Fatalf("push: %v", err)
		}
		if len(got) != len(c.Records) {
			t.Fatalf("%d outcomes for %d records", len(got), len(c.Records))
		}
		for i, at := range c.Records {
			out[at] = got[i]
			seen[at]++
		}
	}
	for i, n := range seen {
		if n != 1 {
			t.Fatalf("record %d was in %d calls", i, n)
		}
	}
	return out
}

// lookUp makes all lookups of a batch, as push does.
func (w *world) lookUp(t *testing.T, b dest.Batch) []dest.Outcome {
	t.Helper()
	out := make([]dest.Outcome, len(b.Records))
	for _, c := range w.dest.Lookups(b) {
		got, err := w.dest.Lookup(t.Context(), b, c)
		if err != nil {
			t.Fatalf("look up: %v", err)
		}
		if len(got) != len(c.Records) {
			t.Fatalf("%d outcomes for %d records", len(got), len(c.Records))
		}
		for i, at := range c.Records {
			out[at] = got[i]
		}
	}
	return out
}

// statuses writes outcomes as a string to compare.
func statuses(out []dest.Outcome) string {
	names := map[dest.Status]string{dest.Delivered: "d", dest.Rejected: "R", dest.Retry: "r", dest.Unknown: "u", dest.Pending: "p", dest.Found: "f"}
	var b strings.Builder
	for _, o := range out {
		b.WriteString(names[o.Status])
	}
	return b.String()
}

// arm adds a fault.
func (w *world) arm(t *testing.T, f sandbox.Fault) {
	t.Helper()
	if err := w.Core.AddFault(f); err != nil {
		t.Fatal(err)
	}
}

// always arms a fault until the test ends or clears it.
func (w *world) always(t *testing.T, f sandbox.Fault) {
	t.Helper()
	f.Count = -1
	w.arm(t, f)
}

// warm delivers another record, so that the login is over before a fault is armed.
func (w *world) warm(t *testing.T) {
	t.Helper()
	if out := w.push(t, of(w.Record(1_000))); statuses(out) != "d" {
		t.Fatalf("before the fault: %+v", out)
	}
}

// refusal makes the batch's first call and wants it to fail as a whole.
func (w *world) refusal(t *testing.T, b dest.Batch) *dest.CallError {
	t.Helper()
	out, err := w.dest.Push(t.Context(), b, w.dest.Calls(b, 0)[0])
	if out != nil {
		t.Errorf("a failed call has outcomes: %q", statuses(out))
	}
	return failed(t, err)
}

// failed wants an error to say what failed and why.
func failed(t *testing.T, err error) *dest.CallError {
	t.Helper()
	var call *dest.CallError
	if !errors.As(err, &call) {
		t.Fatalf("want a *dest.CallError, got %v", err)
	}
	if call.Op == "" || call.Message == "" || call.Code == "" {
		t.Errorf("the error does not say what failed and why: %+v", call)
	}
	return call
}

// unread wants a call's failure to be an answer that cannot be read.
func unread(t *testing.T, what string, call *dest.CallError) {
	t.Helper()
	if call.Class != dest.Unavailable || call.Scope != dest.ScopeUntold || !call.Received {
		t.Errorf("%s: class %d, scope %d, received %v: %v", what, call.Class, call.Scope, call.Received, call)
	}
}

// holds compares a record's fields with what the simulator stored.
func (w *world) holds(t *testing.T, r dest.Record) {
	t.Helper()
	stored := w.Stored(r)
	if stored == nil {
		t.Errorf("record %s is not stored", r.Key)
		return
	}
	for _, f := range r.Fields {
		want := string(f.Value)
		switch f.Value.Kind() {
		case '"':
			text, err := jsontext.AppendUnquote(nil, f.Value)
			if err != nil {
				t.Fatal(err)
			}
			want = string(text)
		case 'n':
			want = ""
		}
		if diff := cmp.Diff(want, stored[f.Name]); diff != "" {
			t.Errorf("record %s field %s (-sent +stored):\n%s", r.Key, f.Name, diff)
		}
	}
}

// grown wants the simulator to hold n records more than before, where pushing
// makes new ones.
func (w *world) grown(t *testing.T, before, n int) {
	t.Helper()
	if !w.Creates {
		n = 0
	}
	if got := w.Count() - before; got != n {
		t.Errorf("the simulator holds %d records more, want %d", got, n)
	}
}
