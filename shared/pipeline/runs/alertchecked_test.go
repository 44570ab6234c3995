package runs_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/alert"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/verify"
)

// checked stores what a daily check found of what is applied.
func (w *world) checked(change func(*verify.Reading)) {
	w.t.Helper()
	v, err := w.store.Current(w.t.Context(), syncName)
	w.ok(err)
	r, err := w.store.Verification(w.t.Context(), syncName)
	w.ok(err)
	r = r.Of(syncName, v.Definition.Connection, v.Definition.Object)
	change(&r)
	w.ok(w.store.SetVerification(w.t.Context(), r))
}

// What the daily checks find is told, by the definition's thresholds, and ends when a later
// check finds nothing or a person has mended it.
func TestWhatIsCheckedIsTold(t *testing.T) {
	few := 500
	w, m := watched(t, []string{"schema_drift", "disagreement"}, func(d *syncdef.Definition) {
		d.Verify = &syncdef.Verify{Sample: &few, MissingOver: "0.01", ChangedOver: "0.1"}
	})
	w.sweep.Verifications = w.store
	w.pass(time.Minute)
	m.is(t)
	w.checked(func(r *verify.Reading) {
		r.Sample = verify.Summary{AsOf: noon, Compared: 500, Missing: 5, Changed: 50, Fields: map[string]int64{"a": 50, "b": 3}}
	})
	w.pass(time.Minute)
	m.is(t)
	w.checked(func(r *verify.Reading) { r.Sample.Missing = 6 })
	w.pass(time.Minute)
	m.is(t, "disagreement raised")
	w.checked(func(r *verify.Reading) { r.Schema.Faults = []string{"destination: no such field"} })
	w.pass(time.Minute)
	m.is(t, "disagreement raised", "schema_drift raised")
	if o := w.opened(alert.Disagreement); o.Rows != 56 {
		t.Errorf("%+v", o)
	}
	// Those mended of a sample stand for others: the alert stays.
	w.checked(func(r *verify.Reading) { r.Sample.Records, r.Sample.Ledger, r.Sample.Mended = 500, 501, 56 })
	w.pass(time.Minute)
	m.is(t, "disagreement raised", "schema_drift raised")
	w.checked(func(r *verify.Reading) { r.Schema, r.Sample.Ledger = verify.Schema{}, 500 })
	w.pass(time.Minute)
	m.is(t, "disagreement raised", "schema_drift raised", "schema_drift recovered", "disagreement recovered")
}

// Mending voids first, and then has the next run select all rows, once: it is refused while
// a run goes on, and where nothing could be voided the watermark stays.
func TestMend(t *testing.T) {
	w := newWorld(t, func(d *syncdef.Definition, _ *syncdef.Rules) {})
	w.complete("", record{"a", 1, 10})
	mark := w.mark()
	if mark == "" {
		t.Fatal("the sync has no watermark")
	}
	void := func(n int64, err error) func(context.Context) (int64, error) {
		return func(context.Context) (int64, error) { return n, err }
	}
	if _, err := w.control.Mend(t.Context(), syncName, void(0, errors.New("storage"))); err == nil || w.mark() != mark {
		t.Errorf("%v, mark %q", err, w.mark())
	}
	if _, err := w.control.Mend(t.Context(), syncName, void(0, nil)); err != nil || w.mark() != mark {
		t.Errorf("nothing differs: %v, mark %q", err, w.mark())
	}
	if got, err := w.control.Mend(t.Context(), syncName, void(2, errors.New("storage"))); err == nil || got.Records != 2 || w.mark() != "" {
		t.Errorf("voided in part: %+v, %v, mark %q", got, err, w.mark())
	}
	if w.complete("", record{"a", 1, 10}); w.mark() != mark {
		t.Fatalf("the watermark is %q", w.mark())
	}
	ctx, interrupt := context.WithCancel(t.Context())
	if _, err := w.control.Mend(ctx, syncName, func(context.Context) (int64, error) { interrupt(); return 2, nil }); err != nil || w.mark() != "" {
		t.Errorf("interrupted: %v, mark %q", err, w.mark())
	}
	w.complete("", record{"a", 1, 10})
	going := w.begin("", "one")
	_, err := w.control.Mend(t.Context(), syncName, func(context.Context) (int64, error) { t.Error("it was voided"); return 0, nil })
	var refused *row.Refusal
	if !errors.As(err, &refused) || !strings.Contains(refused.Message, going.Run+" goes on") {
		t.Errorf("while a run goes on: %v", err)
	}
	_, err = w.control.Cancel(t.Context(), going.Run, "")
	w.ok(err)
	for range 2 {
		if got, err := w.control.Mend(runs.As(t.Context(), "ada"), syncName, void(3, nil)); err != nil || got.Records != 3 || got.Run != "" || w.mark() != "" {
			t.Errorf("%+v, %v, mark %q", got, err, w.mark())
		}
	}
	if got := w.begin("", "two"); got.Select != "all" {
		t.Errorf("%+v", got)
	}
	if _, err := w.control.Mend(t.Context(), "nosuch", void(1, nil)); !errors.As(err, &refused) {
		t.Errorf("no sync: %v", err)
	}
}
