package pipeline_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// mirroring is a world whose full runs remove up to so much.
func mirroring(t *testing.T, most string) *world {
	t.Helper()
	return deleting(t, func(_ *crm, d *syncdef.Definition) { d.Mirror = &syncdef.Mirror{MaxDeletes: most} })
}

// objects are rows of these keys.
func objects(keys ...string) []string {
	var out []string
	for n, k := range keys {
		out = append(out, object(k, n+1))
	}
	return out
}

// holds wants the vendor to hold these keys.
func (w *world) holds(keys ...string) {
	w.t.Helper()
	if len(w.crm.records) != len(keys) {
		w.t.Errorf("the vendor holds %v, want %v", w.crm.records, keys)
	}
	for _, k := range keys {
		if w.crm.records[k] == nil {
			w.t.Errorf("%s is gone", k)
		}
	}
}

// A full run removes what left the model, and only what this sync wrote; the run counts
// the removals, and is complete when they are settled.
func TestMirror(t *testing.T) {
	w := mirroring(t, "50%")
	w.crm.records["theirs"] = map[string]string{"Value__c": "7"}
	w.bracket("t1", "full", objects("a", "b", "c", "d")...)
	w.holds("a", "b", "c", "d", "theirs")
	r := w.bracket("t2", "full", objects("a", "c")...)
	w.holds("a", "c", "theirs")
	if r.Status != run.Complete || r.Outcome != run.Succeeded || r.Counts.Received != 4 || r.Counts.Delivered != 4 || r.Mirror == nil || r.Mirror.Rows != 2 || r.Mirror.Held != 4 || !r.Mirror.Done || r.Reason != "" {
		t.Errorf("%+v, %+v", r, r.Mirror)
	}
	// Once more there is nothing to remove, and what comes back is written anew.
	if r := w.bracket("t3", "full", objects("a", "c")...); r.Mirror.Rows != 0 || r.Counts.Received != 2 || w.crm.removed != 2 {
		t.Errorf("%+v, %+v", r, r.Mirror)
	}
	w.bracket("t4", "full", objects("a", "b", "c")...)
	w.holds("a", "b", "c", "theirs")
}

// Incremental runs and plain pushes remove nothing, whatever they lack.
func TestMirrorIsFullRunsOnly(t *testing.T) {
	w := mirroring(t, "100%")
	w.bracket("t1", "full", objects("a", "b")...)
	if r := w.bracket("t2", "incremental", object("a", 9)); r.Mirror != nil || r.Status != run.Complete {
		t.Errorf("%+v", r)
	}
	w.through("q1", object("a", 10))
	w.live(time.Hour)
	w.holds("a", "b")
	// A full run that is not whole removes nothing either.
	b, err := w.control().Begin(t.Context(), "accounts", "full", "t3")
	if err != nil {
		t.Fatal(err)
	}
	w.push(batch("t3", "t3", b.Run, object("a", 11)))
	if _, err := w.control().Finish(t.Context(), b.Run, 2); err != nil {
		t.Fatal(err)
	}
	w.live(5 * time.Hour)
	if r := w.status(b.Run); r.Status != run.Incomplete || r.Mirror != nil {
		t.Errorf("%+v", r)
	}
	w.holds("a", "b")
}

// A rejected and a failed row count as present; a row without a key stops the removals.
func TestMirrorCountsEveryRow(t *testing.T) {
	for _, idless := range []bool{false, true} { // without ids a key is all that a record is known by
		w := mirroring(t, "100%")
		w.crm.idless = idless
		w.bracket("t1", "full", objects("a", "b", "c")...)
		w.crm.outcome = func(key string) *dest.Outcome {
			if key == "b" {
				return &dest.Outcome{Status: dest.Rejected, Code: "bad"}
			}
			return nil
		}
		r := w.bracket("t2", "full", `{"id":"a","v":1}`, object("b", 7)) // a lacks a column: rejected
		w.crm.outcome = nil
		w.holds("a", "b")
		if r.Counts.Rejected != 1 || r.Counts.Failed != 1 || r.Mirror.Rows != 1 || r.Outcome != run.Partial {
			t.Errorf("%+v, %+v", r, r.Mirror)
		}
		r = w.bracket("t3", "full", object("a", 1), `{"id":null,"v":1,"constant":"c"}`)
		w.holds("a", "b")
		if !strings.Contains(r.Mirror.Refused, "1 row has no match value") || r.Outcome != run.Partial || r.Reason != r.Mirror.Refused {
			t.Errorf("%+v, %+v", r, r.Mirror)
		}
	}
}

// An empty model is refused, and max_deletes is checked on the whole list before the
// first delete.
func TestMirrorBounds(t *testing.T) {
	w := mirroring(t, "50%")
	var keys []string
	for n := range 2_500 {
		keys = append(keys, fmt.Sprintf("k%d", n))
	}
	w.crm.most = 500
	w.bracket("t1", "full", objects(keys...)...)
	r := w.bracket("t2", "full")
	if !strings.Contains(r.Mirror.Refused, "the model is empty") || r.Outcome != run.None || w.crm.removed != 0 {
		t.Errorf("%+v, %+v", r, r.Mirror)
	}
	r = w.bracket("t3", "full", objects(keys[:1_249]...)...)
	if !strings.Contains(r.Mirror.Refused, "1251 of the 2500 records") || !strings.Contains(r.Mirror.Refused, "allows 1250") || r.Mirror.Rows != 1_251 || r.Outcome != run.Partial || w.crm.removed != 0 {
		t.Errorf("%+v, %+v", r, r.Mirror)
	}
	r = w.bracket("t4", "full", objects(keys[:1_250]...)...)
	if r.Mirror.Refused != "" || r.Mirror.Rows != 1_250 || r.Mirror.Pages != 2 || w.crm.removed != 1_250 || len(w.crm.records) != 1_250 || r.Outcome != run.Succeeded {
		t.Errorf("%+v, %+v, %d removed", r.Counts, r.Mirror, w.crm.removed)
	}
}

// What was pushed after the full run began is newer than its removals, and stays.
func TestMirrorLeavesWhatIsNewer(t *testing.T) {
	for _, idless := range []bool{false, true} { // without ids a key is all that a record is known by
		w := mirroring(t, "100%")
		w.crm.idless = idless
		w.bracket("t1", "full", objects("a", "b", "c")...)
		b, err := w.control().Begin(t.Context(), "accounts", "full", "t2")
		if err != nil {
			t.Fatal(err)
		}
		w.push(batch("t2", "t2", b.Run, object("a", 1)))
		w.live(time.Minute)
		w.through("q1", object("b", 9), object("new", 9)) // b came back, and new is new
		if _, err := w.control().Finish(t.Context(), b.Run, 1); err != nil {
			t.Fatal(err)
		}
		w.live(5 * time.Minute)
		w.holds("a", "b", "new")
		if r := w.status(b.Run); r.Status != run.Complete || r.Mirror.Rows != 1 {
			t.Errorf("%+v, %+v", r, r.Mirror)
		}
	}
}

// A removal that fails is a stored error, comes back by itself, and the run tells.
func TestMirrorRemovalComesBack(t *testing.T) {
	w := mirroring(t, "100%")
	w.bracket("t1", "full", objects("a", "b")...)
	w.crm.outcome = func(key string) *dest.Outcome {
		if key == "b" {
			return &dest.Outcome{Status: dest.Retry, Code: "busy"}
		}
		return nil
	}
	r := w.bracket("t2", "full", objects("a")...)
	if errs := w.errors(r.ID); len(errs) != 1 || errs[0].Key != "b" || errs[0].RecordID != "b" || !errs[0].Delete || errs[0].Due.IsZero() || r.Outcome != run.Partial {
		t.Fatalf("%+v, errors %+v", r, w.errors(r.ID))
	}
	w.crm.outcome = nil
	w.live(time.Hour)
	w.holds("a")
}

// Applied anew since the run began, nothing is removed; a run of a definition that is no
// mirror removes nothing.
func TestMirrorOfAnotherVersion(t *testing.T) {
	w := mirroring(t, "100%")
	w.bracket("t1", "full", objects("a", "b")...)
	b, err := w.control().Begin(t.Context(), "accounts", "full", "t2")
	if err != nil {
		t.Fatal(err)
	}
	w.push(batch("t2", "t2", b.Run, object("a", 1)))
	d := w.version.Definition
	d.Mirror = nil
	w.apply(d)
	if _, err := w.control().Finish(t.Context(), b.Run, 1); err != nil {
		t.Fatal(err)
	}
	w.live(5 * time.Minute)
	if r := w.status(b.Run); r.Status != run.Complete || !strings.Contains(r.Mirror.Refused, "applied anew") {
		t.Errorf("%+v, %+v", r, r.Mirror)
	}
	w.bracket("t3", "full", objects("a")...)
	w.holds("a", "b")
}

// dying is a Remover, and storage, that die at the nth call.
type dying struct {
	runs.Mirrors
	runs.Remover
	calls, at int
	after     bool
}

func (d *dying) dies() bool { d.calls++; return d.calls == d.at }

func (d *dying) StoreLeft(ctx context.Context, id string, page int, keys []string) error {
	dies := d.dies()
	if !dies || d.after {
		if err := d.Mirrors.StoreLeft(ctx, id, page, keys); err != nil || !dies {
			return err
		}
	}
	return errStorage
}

func (d *dying) Remove(ctx context.Context, b run.Removal) error {
	dies := d.dies()
	if !dies || d.after {
		if err := d.Remover.Remove(ctx, b); err != nil || !dies {
			return err
		}
	}
	return errStorage
}

// A sweeper that dies anywhere is followed by another one: each key is removed once, and
// counted once.
func TestMirrorSurvivesDeaths(t *testing.T) {
	for at := 1; at <= 3; at++ {
		for _, after := range []bool{false, true} {
			w := mirroring(t, "100%")
			var keys []string
			for n := range 1_500 {
				keys = append(keys, fmt.Sprintf("k%d", n))
			}
			w.crm.most = 500
			w.bracket("t1", "full", objects(keys...)...)
			b, err := w.control().Begin(t.Context(), "accounts", "full", "t2")
			if err != nil {
				t.Fatal(err)
			}
			w.push(batch("t2", "t2", b.Run, object("k0", 1)))
			w.drain(time.Hour)
			if _, err := w.control().Finish(t.Context(), b.Run, 1); err != nil {
				t.Fatal(err)
			}
			stores := w.stores()
			d := &dying{Mirrors: stores.Mirrors, Remover: w.intake, at: at, after: after}
			stores.Mirrors = d
			s := &runs.Sweep{Stores: stores, Replayer: w.intake, Remover: d, Policy: run.DefaultPolicy(), Now: w.clock}
			if err := s.Run(t.Context()); err == nil && d.calls >= at {
				t.Errorf("call %d did not fail", at)
			}
			w.live(10 * time.Minute)
			r := w.status(b.Run)
			if r.Status != run.Complete || r.Counts.Received != 1_500 || r.Counts.Delivered+r.Counts.Unchanged != 1_500 || r.Mirror.Rows != 1_499 || w.crm.removed != 1_499 || len(w.crm.records) != 1 {
				t.Errorf("call %d, after %v: %+v, %+v, %d removed", at, after, r.Counts, r.Mirror, w.crm.removed)
			}
		}
	}
}
