package scheduler

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func hourly(sync string) Entry {
	return Entry{Name: sync, Sync: sync, Mode: "incremental", Expression: "cron(0 * * * ? *)", TimeZone: "UTC", Least: time.Hour}
}

func none(string) bool { return false }

// applies counts them: each is at a time of its own.
var applies int

// all does what is to be done, and returns the lines that say so.
func (s *Store) all(t *testing.T, keep func(string) bool, want ...Entry) (lines []string) {
	t.Helper()
	changes, err := s.Changes(t.Context(), want, keep)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		applies++
		if err := s.Make(t.Context(), c, noon.Add(time.Duration(applies)*time.Minute)); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, c.String())
	}
	return lines
}

func TestEntries(t *testing.T) {
	api, s := open(t)
	jittered := hourly("b")
	jittered.Window, jittered.TimeZone, jittered.Mode = 2, "Europe/Berlin", "full"
	often := Entry{Name: "c", Sync: "c", Mode: "incremental", Expression: "rate(15 minutes)", TimeZone: "UTC", Start: noon.Add(15 * time.Minute), Least: 15 * time.Minute}
	for _, step := range []struct {
		name string
		want []Entry
		said []string
	}{
		{"three new ones", []Entry{hourly("a"), jittered, often}, []string{
			"schedule a: new, cron(0 * * * ? *) UTC", "schedule b: new, cron(0 * * * ? *) Europe/Berlin, within 2 min", "schedule c: new, rate(15 minutes)"}},
		{"the same again", []Entry{hourly("a"), jittered, often}, nil},
		{"a later start is no change", []Entry{hourly("a"), jittered, {Name: "c", Sync: "c", Mode: "incremental", Expression: "rate(15 minutes)", TimeZone: "UTC", Start: noon.Add(time.Hour), Least: 15 * time.Minute}}, nil},
		{"without jitter", []Entry{hourly("a"), hourly("b"), often}, []string{"schedule b: cron(0 * * * ? *) Europe/Berlin, within 2 min -> cron(0 * * * ? *) UTC"}},
		{"with it again", []Entry{hourly("a"), jittered, often}, []string{"schedule b: cron(0 * * * ? *) UTC -> cron(0 * * * ? *) Europe/Berlin, within 2 min"}},
		{"one is gone", []Entry{hourly("a"), often}, []string{"schedule b: removed, it was cron(0 * * * ? *) Europe/Berlin, within 2 min"}},
		{"and comes back", []Entry{hourly("a"), jittered, often}, []string{"schedule b: new, cron(0 * * * ? *) Europe/Berlin, within 2 min"}},
	} {
		if got := s.all(t, none, step.want...); !slices.Equal(got, step.said) {
			t.Errorf("%s: %q, want %q", step.name, got, step.said)
		}
	}
	b := api.entries["b"]
	target := b["Target"].(map[string]any)
	if in := target["Input"]; in != `{"sync":"b","mode":"full","scheduled_time":"<aws.scheduler.scheduled-time>"}` {
		t.Errorf("payload: %s", in)
	}
	if c := api.entries["c"]; c["StartDate"] == nil || api.entries["a"]["StartDate"] != nil {
		t.Errorf("only a rate has a start: %v", c)
	}
	if age := target["RetryPolicy"].(map[string]any)["MaximumEventAgeInSeconds"]; age != 1800. {
		t.Errorf("repeats for %v s of an hour", age)
	}
}

// What an apply does not decide on stays, and so does what is none of ours.
func TestOthersStay(t *testing.T) {
	api, s := open(t)
	s.all(t, none, hourly("a"), hourly("b"))
	api.entries["by_hand"] = map[string]any{"Name": "by_hand", "ScheduleExpression": "rate(1 day)", "Target": map[string]any{"Input": "{}"}}
	if got := s.all(t, func(sync string) bool { return sync == "b" }, hourly("c")); !slices.Equal(got, []string{"schedule c: new, cron(0 * * * ? *) UTC", "schedule a: removed, it was cron(0 * * * ? *) UTC"}) {
		t.Errorf("%q", got)
	}
	if len(api.entries) != 3 {
		t.Errorf("%v", api.entries)
	}
}

// An answer that is lost, and an apply that dies in between, are made good by the next.
func TestLostAnswers(t *testing.T) {
	api, s := open(t)
	changes, err := s.Changes(t.Context(), []Entry{hourly("a")}, none)
	if err != nil {
		t.Fatal(err)
	}
	api.lose = 1
	if err := s.Make(t.Context(), changes[0], noon); err == nil {
		t.Error("no error")
	}
	if err := s.Make(t.Context(), changes[0], noon); err != nil { // as the SDK repeats it
		t.Error(err)
	}
	if err := s.Make(t.Context(), changes[0], noon.Add(time.Hour)); err != nil { // another process
		t.Error(err)
	}
	if !slices.Equal(api.calls, []string{"create a"}) {
		t.Errorf("%q", api.calls)
	}
	slower := hourly("a")
	slower.Mode = "full"
	changes, err = s.Changes(t.Context(), []Entry{slower}, none)
	if err != nil || len(changes) != 1 || !strings.Contains(changes[0].String(), "its mode") {
		t.Fatalf("%v, %v", changes, err)
	}
	for range 2 {
		if err := s.Make(t.Context(), changes[0], noon); err != nil {
			t.Error(err)
		}
	}
	gone, err := s.Changes(t.Context(), nil, none)
	if err != nil || len(gone) != 1 {
		t.Fatalf("%v, %v", gone, err)
	}
	for range 2 {
		if err := s.Make(t.Context(), gone[0], noon); err != nil {
			t.Error(err)
		}
	}
	if !slices.Equal(api.calls, []string{"create a", "update a", "delete a"}) {
		t.Errorf("%q", api.calls)
	}
}

// A group that is larger than a page, and a redeployed stack with another function.
func TestAnotherFunction(t *testing.T) {
	api, s := open(t)
	var want []Entry
	for i := range 5 {
		want = append(want, hourly(fmt.Sprint("sync_", i)))
	}
	s.all(t, none, want...)
	s.cfg.Function += "2"
	if got := s.all(t, none, want...); len(got) != 5 || !strings.HasSuffix(got[4], "(its mode, its function, role, dead letters or repeats differ)") {
		t.Errorf("%q", got)
	}
	if got := s.all(t, none, want...); got != nil || len(api.entries) != 5 {
		t.Errorf("%q, %d entries", got, len(api.entries))
	}
}

func TestRetriesEndBeforeTheNext(t *testing.T) {
	for _, least := range []time.Duration{time.Minute, 2 * time.Minute, 15 * time.Minute, time.Hour, 24 * time.Hour, 365 * 24 * time.Hour} {
		r := retries(least)
		if age := time.Duration(*r.MaximumEventAgeInSeconds) * time.Second; age < time.Minute || age > time.Hour || age >= least && *r.MaximumRetryAttempts > 0 {
			t.Errorf("every %s: %d tries within %s", least, *r.MaximumRetryAttempts, age)
		}
	}
}
