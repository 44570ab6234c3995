package pipeline_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// goneVersion does not know any version.
type goneVersion struct{ *sqlite.Store }

func (goneVersion) Version(context.Context, string, string) (syncdef.Version, error) {
	return syncdef.Version{}, fmt.Errorf("version: %w", run.ErrNotFound)
}

// halt halts the world's version, which had its tries.
func (w *world) halt() {
	w.t.Helper()
	h := run.Halt{Sync: "accounts", Version: w.version.ID, Tries: 3, Since: w.now.Add(-time.Hour), Next: w.now.Add(time.Hour), Code: "INVALID_FIELD", Reason: "no such field"}
	if err := w.store.SetHalt(w.t.Context(), h); err != nil {
		w.t.Fatal(err)
	}
}

// mend ends the halt of the world's version.
func (w *world) mend() {
	w.t.Helper()
	if err := w.store.DeleteHalt(w.t.Context(), "accounts", w.version.ID); err != nil {
		w.t.Fatal(err)
	}
}

// badVersions are the ways in which the version of a message can be bad, and the type
// of its rows' errors when it is a dead letter.
var badVersions = map[string]struct {
	breaks func(*world)
	want   string
	kept   bool // the errors have their source
}{
	"halted":   {(*world).halt, "dead_letter", true},
	"unusable": {func(w *world) { w.deliver.Syncs = refusedVersion{w.store} }, "unusable_version", false},
	"unknown":  {func(w *world) { w.deliver.Syncs = goneVersion{w.store} }, "unknown_version", false},
}

// dead works off the queue as the worker of dead letters does.
func (w *world) dead() {
	w.t.Helper()
	w.deliver.Dead = true
	w.once()
	if n := w.depth(); n != 0 {
		w.t.Errorf("%d messages are left", n)
	}
}

// Dead letters of a bad version end as an error for each row (I1), and nothing is sent.
// Once the version is mended every row arrives: by a retry where the error has its
// source, else by another push.
func TestDeadLettersOfABadVersion(t *testing.T) {
	for name, c := range badVersions {
		w := newWorld(t, 1, nil)
		if _, err := w.store.Send(t.Context(), "crm", []envelope.Message{{Group: "accounts.9", Dedup: "x", Body: []byte("format 9 of a later release")}}); err != nil {
			t.Fatal(err)
		}
		objects := []string{object("a", 1), object("b", 2)}
		id := w.push(batch("q1", "q1", "accounts", objects...))[0].Run
		w.boot()
		c.breaks(w)
		w.dead()
		if k := w.counts(id); k.Failed != 2 || k.Settled() != 2 || w.crm.calls != 0 {
			t.Errorf("%s: %+v, %d calls", name, k, w.crm.calls)
		}
		errs := w.errors(id)
		if len(errs) != 2 || w.errorTypes(id)[c.want] != 2 {
			t.Errorf("%s: errors %v", name, w.errorTypes(id))
		}
		for n, e := range errs {
			if e.Row != n || (e.Source != nil) != c.kept || e.Attempts != 1 || !e.Due.IsZero() {
				t.Errorf("%s: error %+v", name, e)
			}
		}
		if got := w.errorTypes("unreadable.messages"); got["unreadable_message"] != 1 {
			t.Errorf("%s: errors of unreadable messages: %v", name, got)
		}

		w.boot()
		if c.kept {
			w.mend()
		}
		got, err := w.control().Retry(t.Context(), id, runs.Selector{}, "token")
		if err != nil || c.kept && got.Queued != 2 || !c.kept && got.PushAgain != 2 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		w.drain(time.Hour)
		w.push(batch("q2", "q2", "accounts", objects...))
		w.drain(time.Hour)
		for k, v := range map[string]int{"a": 1, "b": 2} {
			if w.crm.value(k) != v || w.crm.sends[k] != 1 {
				t.Errorf("%s: %s is %d after %d sends", name, k, w.crm.value(k), w.crm.sends[k])
			}
		}
	}
}

// Dead letters of a bad version hold the mark: the next run selects their rows (I4).
func TestDeadLettersOfABadVersionHoldTheMark(t *testing.T) {
	for name, c := range badVersions {
		w := newWorld(t, 1, nil)
		w.bracket("t1", "", object("a", 5))
		b, err := w.control().Begin(t.Context(), "accounts", "", "t2")
		if err != nil {
			t.Fatal(err)
		}
		w.push(batch("t2", "t2", b.Run, object("b", 7), object("c", 9)))
		w.boot()
		c.breaks(w)
		w.dead()
		w.finish(b.Run, 2)
		want := "5" // of rows that cannot be read no cursor is known
		if c.kept {
			want = "7"
		}
		if got := w.watermark(); got != want {
			t.Errorf("%s: the watermark is %s, want %s", name, got, want)
		}
		w.boot()
		if c.kept {
			w.mend()
		}
		w.bracket("t3", "", object("b", 7), object("c", 9))
		if got := w.watermark(); got != "9" || w.crm.sends["b"] != 1 || w.crm.sends["c"] != 1 {
			t.Errorf("%s: the watermark is %s, sent %v", name, got, w.crm.sends)
		}
	}
}
