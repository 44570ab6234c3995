// Package desttest is the suite that every destination passes against its
// vendor's simulator: one outcome per record in order, whatever the vendor does
// to a single record or to a whole call. It takes a destination and its
// simulator's Core as a Subject; what only one vendor has is tested beside that
// vendor.
package desttest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
)

// Destination is pipeline.Destination, which this package must not import.
type Destination interface {
	Limits() dest.Limits
	Lookups(b dest.Batch) []dest.Call
	Lookup(ctx context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error)
	Calls(b dest.Batch) []dest.Call
	Push(ctx context.Context, b dest.Batch, c dest.Call) ([]dest.Outcome, error)
}

// A Subject is one destination over its simulator, both fresh.
type Subject struct {
	Dest Destination
	Core *sandbox.Core
	// Record is a record that the vendor accepts; every i has its own key.
	Record func(i int) dest.Record
	// Stored is what the simulator holds for a record, as text by field; nil when
	// it holds none. Null fields are absent.
	Stored func(r dest.Record) map[string]string
	// Count is how many records the simulator holds.
	Count func() int

	Text   string // a field that takes any text of 200 characters
	Number string // a field that takes a number of 16 digits before the point and 2 after it; "" when there is none

	// Bad makes a record that the vendor refuses for what it holds, with BadCode.
	Bad     func(r dest.Record) dest.Record
	BadCode string
	// Busy fails single records for a while; FailRecords is filled in.
	Busy sandbox.Fault
	// Name is what Busy knows a record by; nil is its key.
	Name func(r dest.Record) string

	Throttle     sandbox.Fault // the vendor's answer when the quota is used up
	Unauthorised sandbox.Fault // the vendor's answer to a session that it does not take
	LogsIn       bool          // the destination logs in again when a session ends

	// Idempotent says that pushing a record twice leaves what once leaves, so that
	// a lost answer is settled by pushing again.
	Idempotent bool
	// Clears says that null empties a field.
	Clears bool
}

// Run runs the suite; start makes a Subject.
func Run(t *testing.T, start func(t *testing.T) Subject) {
	for name, test := range map[string]func(*testing.T, Subject){
		"delivers every record once":     delivers,
		"keeps order in partial fails":   partial,
		"retries a busy record":          busy,
		"is throttled":                   throttled,
		"is unavailable":                 unavailable,
		"loses an answer":                lost,
		"reads HTML":                     html,
		"is not authorised":              unauthorised,
		"logs in again":                  logsInAgain,
		"clears with null":               clears,
		"keeps texts":                    texts,
		"keeps numbers":                  numbers,
		"stops with its context":         cancelled,
		"answers an empty batch":         empty,
		"sends only what a record holds": sparse,
	} {
		t.Run(name, func(t *testing.T) { test(t, start(t)) })
	}
}

// batch makes n records.
func batch(s Subject, n int) dest.Batch {
	b := dest.Batch{Run: "suite:1", Total: map[string]int{}}
	for i := range n {
		b.Records = append(b.Records, s.Record(i))
	}
	return b
}

// push makes all calls of a batch and answers the outcomes by record; it fails the
// test when a record is answered twice, or never, or a call fails.
func push(t *testing.T, s Subject, b dest.Batch) []dest.Outcome {
	t.Helper()
	out := make([]dest.Outcome, len(b.Records))
	seen := make([]int, len(b.Records))
	for _, c := range s.Dest.Calls(b) {
		got, err := s.Dest.Push(t.Context(), b, c)
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
func arm(t *testing.T, s Subject, f sandbox.Fault) {
	t.Helper()
	if err := s.Core.AddFault(f); err != nil {
		t.Fatal(err)
	}
}

// refusal makes the batch's first call and wants it to fail as a whole.
func refusal(t *testing.T, s Subject, b dest.Batch) *dest.CallError {
	t.Helper()
	out, err := s.Dest.Push(t.Context(), b, s.Dest.Calls(b)[0])
	var failed *dest.CallError
	if !errors.As(err, &failed) {
		t.Fatalf("want a *dest.CallError, got %v and outcomes %q", err, statuses(out))
	}
	if out != nil {
		t.Errorf("a failed call has outcomes: %q", statuses(out))
	}
	if failed.Op == "" || failed.Message == "" {
		t.Errorf("the error does not say what failed and why: %+v", failed)
	}
	return failed
}

func delivers(t *testing.T, s Subject) {
	b := batch(s, 450)
	out := push(t, s, b)
	if got, want := statuses(out), strings.Repeat("d", 450); got != want {
		t.Fatalf("outcomes %s", got)
	}
	ids := map[string]bool{}
	for i, o := range out {
		if o.ID == "" || ids[o.ID] {
			t.Errorf("record %d: id %q is empty or another record's", i, o.ID)
		}
		ids[o.ID] = true
		holds(t, s, b.Records[i])
	}
	if n := s.Count(); n != 450 {
		t.Errorf("the simulator holds %d records", n)
	}
}

// holds compares a record's fields with what the simulator stored.
func holds(t *testing.T, s Subject, r dest.Record) {
	t.Helper()
	stored := s.Stored(r)
	if stored == nil {
		t.Errorf("record %s is not stored", r.Key)
		return
	}
	for _, f := range r.Fields {
		want := string(f.Value)
		if f.Value.Kind() == '"' {
			text, err := jsontext.AppendUnquote(nil, f.Value)
			if err != nil {
				t.Fatal(err)
			}
			want = string(text)
		}
		if f.Value.Kind() == 'n' {
			want = ""
		}
		if diff := cmp.Diff(want, stored[f.Name]); diff != "" {
			t.Errorf("record %s field %s (-sent +stored):\n%s", r.Key, f.Name, diff)
		}
	}
}

func partial(t *testing.T, s Subject) {
	b := batch(s, 7)
	b.Records[2] = s.Bad(b.Records[2])
	b.Records[6] = s.Bad(b.Records[6])
	out := push(t, s, b)
	if got := statuses(out); got != "ddRdddR" {
		t.Errorf("outcomes %s", got)
	}
	if out[2].Code != s.BadCode || out[2].Message == "" {
		t.Errorf("code %q, message %q", out[2].Code, out[2].Message)
	}
	if n := s.Count(); n != 5 {
		t.Errorf("the simulator holds %d records", n)
	}
}

func busy(t *testing.T, s Subject) {
	if s.Busy.Code == "" {
		t.Skip("the vendor does not fail single records for a while")
	}
	b := batch(s, 5)
	f := s.Busy
	f.FailRecords = []string{b.Records[3].Key}
	if s.Name != nil {
		f.FailRecords[0] = s.Name(b.Records[3])
	}
	arm(t, s, f)
	out := push(t, s, b)
	if got := statuses(out); got != "dddrd" || out[3].Code != f.Code {
		t.Fatalf("outcomes %s, code %q", got, out[3].Code)
	}
	again := dest.Batch{Run: b.Run, Total: b.Total, Records: b.Records[3:4]}
	if got := statuses(push(t, s, again)); got != "d" {
		t.Errorf("the second time: %s", got)
	}
}

func empty(t *testing.T, s Subject) {
	b := dest.Batch{Run: "suite:1"}
	if calls := s.Dest.Calls(b); len(calls) != 0 {
		t.Errorf("calls for no records: %v", calls)
	}
	if calls := s.Dest.Lookups(b); len(calls) != 0 {
		t.Errorf("lookups for no records: %v", calls)
	}
}
