// Package desttest is the suite that every destination passes against its
// vendor's simulator: one outcome per record in order, whatever the vendor does
// to a single record or to a whole call. It takes a destination and its
// simulator's Core as a Subject; what only one vendor has is tested beside that
// vendor.
package desttest

import (
	"context"
	"errors"
	"fmt"
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

func throttled(t *testing.T, s Subject) {
	arm(t, s, s.Throttle)
	b := batch(s, 3)
	failed := refusal(t, s, b)
	if failed.Class != dest.Throttled || failed.After <= 0 {
		t.Errorf("class %d, after %v", failed.Class, failed.After)
	}
	if n := s.Count(); n != 0 {
		t.Errorf("%d records were stored", n)
	}
	if got := statuses(push(t, s, b)); got != "ddd" {
		t.Errorf("afterwards: %s", got)
	}
}

func unavailable(t *testing.T, s Subject) {
	arm(t, s, sandbox.Fault{Status: 503, Body: "<html>maintenance</html>", ContentType: "text/html", Headers: map[string]string{"Retry-After": "30"}})
	b := batch(s, 2)
	failed := refusal(t, s, b)
	if failed.Class != dest.Unavailable {
		t.Errorf("class %d: %v", failed.Class, failed)
	}
	if got := statuses(push(t, s, b)); got != "dd" {
		t.Errorf("afterwards: %s", got)
	}
}

func lost(t *testing.T, s Subject) {
	b := batch(s, 4)
	warm(t, s)
	arm(t, s, sandbox.Fault{DropAfterCommit: true})
	c := s.Dest.Calls(b)[0]
	out, err := s.Dest.Push(t.Context(), b, c)
	if err != nil {
		t.Fatalf("a call that was sent fails as if it had not been: %v", err)
	}
	for i, o := range out {
		if o.Status != dest.Unknown && !(s.Idempotent && o.Status == dest.Retry) {
			t.Errorf("record %d: status %d", i, o.Status)
		}
	}
	if len(out) != len(c.Records) {
		t.Errorf("%d outcomes for %d records", len(out), len(c.Records))
	}
	if !s.Idempotent {
		return
	}
	if got := statuses(push(t, s, b)); got != "dddd" {
		t.Errorf("the second time: %s", got)
	}
	for _, r := range b.Records {
		holds(t, s, r)
	}
	if n := s.Count(); n != 5 {
		t.Errorf("the simulator holds %d records, want the 4 and the one before", n)
	}
}

// warm delivers another record, so that the login is over before a fault is armed.
func warm(t *testing.T, s Subject) {
	t.Helper()
	if got := statuses(push(t, s, dest.Batch{Run: "suite:0", Total: map[string]int{}, Records: []dest.Record{s.Record(1_000_000)}})); got != "d" {
		t.Fatalf("before the fault: %s", got)
	}
}

func html(t *testing.T, s Subject) {
	warm(t, s)
	for _, status := range []int{200, 404} {
		arm(t, s, sandbox.Fault{Status: status, Body: "<!DOCTYPE html><title>Sign in</title>", ContentType: "text/html"})
		failed := refusal(t, s, batch(s, 2))
		if failed.Class != dest.Configuration || !strings.Contains(failed.Message, "HTML") || !strings.Contains(failed.Message, "url") {
			t.Errorf("status %d: class %d, message %q", status, failed.Class, failed.Message)
		}
	}
}

func unauthorised(t *testing.T, s Subject) {
	warm(t, s)
	f := s.Unauthorised
	f.Count = -1
	arm(t, s, f)
	before := s.Core.Calls().Total
	failed := refusal(t, s, batch(s, 2))
	if failed.Class != dest.Configuration {
		t.Errorf("class %d: %v", failed.Class, failed)
	}
	if n := s.Core.Calls().Total - before; n > 3 {
		t.Errorf("%d requests for a session that is never taken: at most two and a login", n)
	}
}

func logsInAgain(t *testing.T, s Subject) {
	if !s.LogsIn {
		t.Skip("the destination has no login")
	}
	warm(t, s)
	f := s.Unauthorised
	f.Count = 1
	arm(t, s, f)
	if got := statuses(push(t, s, batch(s, 2))); got != "dd" {
		t.Errorf("outcomes %s", got)
	}
}

func clears(t *testing.T, s Subject) {
	if !s.Clears {
		t.Skip("the vendor has no fields to clear")
	}
	r := s.Record(1)
	r.Fields = replaced(r.Fields, dest.Field{Name: s.Text, Value: jsontext.Value(`"once"`)})
	first := push(t, s, one(r))
	holds(t, s, r)
	r.Fields = replaced(r.Fields, dest.Field{Name: s.Text, Value: jsontext.Value("null")})
	r.ID = first[0].ID
	push(t, s, one(r))
	if text, there := s.Stored(r)[s.Text]; there {
		t.Errorf("%s still holds %q", s.Text, text)
	}
}

// one is a batch of one record.
func one(r dest.Record) dest.Batch {
	return dest.Batch{Run: "suite:1", Total: map[string]int{}, Records: []dest.Record{r}}
}

func texts(t *testing.T, s Subject) {
	all := []string{
		`O'Brien`, `O''Brien`, `"quoted" \back\slash/`, "tab\tand line\nbreak", `{"json":[1,2]}`,
		"Grüße, 東京 🚰", "Ａ ﬁ e\u0301", "<b>&amp;</b>", "10000000000000000000000.25",
		"\u2028line separator", "trailing backslash\\",
	}
	b := dest.Batch{Run: "suite:1", Total: map[string]int{}}
	for i, text := range all {
		r := s.Record(i)
		value, err := jsontext.AppendQuote(nil, text)
		if err != nil {
			t.Fatal(err)
		}
		r.Fields = replaced(r.Fields, dest.Field{Name: s.Text, Value: value})
		b.Records = append(b.Records, r)
	}
	if got := statuses(push(t, s, b)); got != strings.Repeat("d", len(all)) {
		t.Fatalf("outcomes %s", got)
	}
	for _, r := range b.Records {
		holds(t, s, r)
	}
}

// replaced sets a field that may be there already.
func replaced(fields []dest.Field, f dest.Field) []dest.Field {
	out := append([]dest.Field(nil), fields...)
	for i := range out {
		if out[i].Name == f.Name {
			out[i] = f
			return out
		}
	}
	return append(out, f)
}

func numbers(t *testing.T, s Subject) {
	if s.Number == "" {
		t.Skip("the vendor has no number fields")
	}
	for i, n := range []string{"9007199254740993", "-9007199254740993", "1234567890123456.12", "0.01", "0", "-0.5", "85.0"} {
		r := s.Record(i)
		r.Fields = replaced(r.Fields, dest.Field{Name: s.Number, Value: jsontext.Value(n)})
		if out := push(t, s, one(r)); out[0].Status != dest.Delivered {
			t.Errorf("%s: %s %s", n, out[0].Code, out[0].Message)
		}
		holds(t, s, r)
	}
}

func cancelled(t *testing.T, s Subject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := batch(s, 2)
	out, err := s.Dest.Push(ctx, b, s.Dest.Calls(b)[0])
	if err == nil {
		for i, o := range out {
			if o.Status == dest.Delivered {
				t.Errorf("record %d was delivered under a cancelled context", i)
			}
		}
	}
	if n := s.Count(); n != 0 {
		t.Errorf("%d records were stored", n)
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

// sparse pushes one field of a record that exists and wants the others left alone.
func sparse(t *testing.T, s Subject) {
	if !s.Clears {
		t.Skip("the vendor has no fields to leave alone")
	}
	whole := s.Record(3)
	id := push(t, s, one(whole))[0].ID
	part := whole
	part.ID = id
	part.Fields = []dest.Field{{Name: s.Text, Value: jsontext.Value(`"` + fmt.Sprintf("only %s", s.Text) + `"`)}}
	push(t, s, one(part))
	holds(t, s, part)
	whole.Fields = replaced(whole.Fields, part.Fields[0])
	holds(t, s, whole)
}
