package pipeline_test

import (
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/dest"
)

// What a vendor repeats of a row where a code or a field's name is expected is not
// passed on, and no text of it breaks a line or grows without bound (I6).
func TestEchoedCodes(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.crm.most = 10
	w.crm.outcome = func(key string) *dest.Outcome {
		switch key {
		case "4155550100", "other": // looks like a code; of another row of the call, too
			return &dest.Outcome{Status: dest.Rejected, Code: "4155550100", Field: "4155550100", Message: "no"}
		case "spaced":
			return &dest.Outcome{Status: dest.Rejected, Code: "joe@acme.example", Field: "a\nb", Message: "two\nlines " + strings.Repeat("x", 1<<20)}
		case "plain":
			return &dest.Outcome{Status: dest.Rejected, Code: "FIELD_FILTER", Field: "value__C", Message: "ok"}
		}
		return nil
	}
	id := w.send("q", "4155550100", "spaced", "plain", "other")
	w.drain(0)
	errs := w.errors(id)
	if len(errs) != 4 {
		t.Fatalf("%d errors", len(errs))
	}
	for _, e := range errs {
		want, field := dest.CodeUnreadable, ""
		if e.Key == "plain" {
			want, field = "FIELD_FILTER", "value__C"
		}
		if e.Type != want || e.Field != field || len(e.Message) > 2100 || strings.ContainsAny(e.Message, "\n\x00") {
			t.Errorf("%s: %q, %q, %d bytes", e.Key, e.Type, e.Field, len(e.Message))
		}
	}
}

// The same holds of what pauses a connection.
func TestEchoedFailure(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.crm.down = &dest.CallError{Op: "log\nin", Class: dest.Configuration, Scope: dest.ScopeConnection, Code: "a b", Message: "one\r\ntwo" + strings.Repeat("ü", 1<<20)}
	w.send("q", "a")
	w.once()
	p, err := w.store.Pace(t.Context(), "prod")
	if err != nil || p.Code != dest.CodeUnreadable || len(p.Reason) > 2200 || strings.ContainsAny(p.Reason, "\r\n") || !p.Failing() {
		t.Errorf("%q, %d bytes, %v", p.Code, len(p.Reason), err)
	}
}

// And of a call that is refused as a whole.
func TestEchoedRefusal(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.crm.fail = func([]string) *dest.CallError {
		return &dest.CallError{Op: "push", Class: dest.Refused, Code: "4155550100", Message: "no"}
	}
	id := w.send("q", "4155550100")
	w.drain(0)
	errs := w.errors(id)
	if len(errs) != 1 || errs[0].Type != dest.CodeUnreadable {
		t.Errorf("%+v", errs)
	}
}
