package desttest

import (
	"context"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
)

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
