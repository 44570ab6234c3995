package pipeline_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// deleting is a world whose rows may delete.
func deleting(t *testing.T, change func(*crm, *syncdef.Definition)) *world {
	t.Helper()
	return newWorld(t, 4, func(c *crm, d *syncdef.Definition) {
		d.OnDelete = syncdef.RemoveDelete
		if change != nil {
			change(c, d)
		}
	})
}

// deletion is a row that deletes a key.
func deletion(key string) string { return fmt.Sprintf(`{"id":%q,"sync_action":"delete"}`, key) }

// statuses are the answers' words.
func statuses(answers []row.Answer) []row.AnswerStatus {
	out := make([]row.AnswerStatus, len(answers))
	for n, a := range answers {
		out[n] = a.Status
	}
	return out
}

// through pushes rows as one batch, works until the queue is empty, and answers what
// the run's messages counted.
func (w *world) through(query string, objects ...string) ([]row.Answer, run.Counts) {
	w.t.Helper()
	answers := w.push(batch(query, query+":1", "accounts", objects...))
	w.drain(time.Hour)
	return answers, w.counts(answers[0].Run)
}

func TestDeleteOfAKnownRecord(t *testing.T) {
	w := deleting(t, nil)
	w.through("q1", object("a", 1), object("b", 2))
	if _, c := w.through("q2", deletion("a")); c.Delivered != 1 {
		t.Errorf("counts %+v", c)
	}
	if w.crm.records["a"] != nil || w.crm.records["b"] == nil {
		t.Errorf("the vendor holds %v", w.crm.records)
	}
	// Once more it costs nothing, and an upsert makes it anew, with all fields.
	if _, c := w.through("q3", deletion("a")); c.Unchanged != 1 || w.crm.removed != 1 {
		t.Errorf("the second delete: %+v", c)
	}
	if _, c := w.through("q4", object("a", 1)); c.Delivered != 1 || w.crm.value("a") != 1 || w.crm.records["a"]["Constant__c"] == "" {
		t.Errorf("the upsert after it: %+v, held %v", c, w.crm.records)
	}
}

func TestDeleteOfAnUnknownRecord(t *testing.T) {
	w := deleting(t, nil)
	w.crm.records["theirs"] = map[string]string{"Value__c": "7"}
	if _, c := w.through("q1", deletion("theirs"), deletion("nobody")); c.Unchanged != 2 || w.crm.calls != 0 {
		t.Errorf("counts %+v, %d calls", c, w.crm.calls)
	}
	if w.crm.records["theirs"] == nil {
		t.Error("a record that the sync never wrote is gone")
	}
}

// What was refused was never written: a delete of it is none of the vendor's business.
func TestDeleteAfterARefusal(t *testing.T) {
	w := deleting(t, nil)
	w.crm.records["a"] = map[string]string{"Value__c": "7"}
	w.crm.outcome = func(string) *dest.Outcome { return &dest.Outcome{Status: dest.Rejected, Code: "bad"} }
	w.through("q1", object("a", 1))
	w.crm.outcome = nil
	if _, c := w.through("q2", deletion("a")); c.Unchanged != 1 || w.crm.records["a"] == nil {
		t.Errorf("counts %+v", c)
	}
}

// Neither is what was found by a lookup and then refused: the sync knows its id, and wrote
// nothing to it.
func TestDeleteOfWhatWasOnlyFound(t *testing.T) {
	w := mirroring(t, "100%")
	w.crm.finds = true
	w.crm.records["a"] = map[string]string{"Value__c": "7"}
	w.crm.records["b"] = map[string]string{"Value__c": "7"}
	w.crm.outcome = func(string) *dest.Outcome { return &dest.Outcome{Status: dest.Rejected, Code: "bad"} }
	w.through("q1", object("a", 1), object("b", 1))
	w.crm.outcome = nil
	if _, c := w.through("q2", deletion("a")); c.Unchanged != 1 || w.crm.records["a"] == nil {
		t.Errorf("counts %+v", c)
	}
	if r := w.bracket("t1", "full", objects("c")...); w.crm.records["b"] == nil || r.Mirror.Rows != 0 {
		t.Errorf("%+v, the vendor holds %v", r.Mirror, w.crm.records)
	}
}

// What was refused in part was written in part: its delete is sent.
func TestDeleteOfWhatWasWrittenInPart(t *testing.T) {
	w := deleting(t, nil)
	w.crm.records["a"] = map[string]string{"Value__c": "1"} // as the refused row left it
	w.crm.outcome = func(string) *dest.Outcome {
		return &dest.Outcome{Status: dest.Rejected, Code: "bad", Written: true}
	}
	w.through("q1", object("a", 1))
	w.crm.outcome = nil
	if _, c := w.through("q2", deletion("a")); c.Delivered != 1 || w.crm.records["a"] != nil {
		t.Errorf("counts %+v", c)
	}
}

// An upsert whose answer was lost may have arrived: its delete is sent.
func TestDeleteAfterALostAnswer(t *testing.T) {
	w := deleting(t, nil)
	w.crm.late = func([]string) *dest.CallError {
		return &dest.CallError{Op: "upsert", Class: dest.Unavailable, Code: "reset", Message: "no answer", Received: true}
	}
	w.push(batch("q1", "b1", "accounts", object("a", 1)))
	w.drain(time.Minute)
	w.crm.late = nil
	if w.crm.records["a"] == nil {
		t.Fatal("it did not arrive")
	}
	if _, c := w.through("q2", deletion("a")); c.Delivered != 1 || w.crm.records["a"] != nil {
		t.Errorf("counts %+v, the vendor holds %v", c, w.crm.records)
	}
}

// In one batch the insert wins over the delete of its key, whatever the order.
func TestInsertWinsOverDelete(t *testing.T) {
	w := deleting(t, nil)
	w.through("q1", object("a", 1), object("b", 1))
	answers, _ := w.through("q2", deletion("a"), object("a", 2), object("b", 2), deletion("b"), deletion("b"))
	want := []row.AnswerStatus{row.Superseded, row.Queued, row.Queued, row.Superseded, row.Superseded}
	if d := cmp.Diff(want, statuses(answers)); d != "" {
		t.Error(d)
	}
	if w.crm.value("a") != 2 || w.crm.value("b") != 2 || w.crm.removed != 0 {
		t.Errorf("the vendor holds %v", w.crm.records)
	}
}

// An older upsert that failed and comes back after the delete stays out (I3).
func TestOlderUpsertAfterADelete(t *testing.T) {
	w := deleting(t, nil)
	w.through("q0", object("a", 1))
	w.crm.outcome = func(string) *dest.Outcome { return &dest.Outcome{Status: dest.Retry, Code: "busy"} }
	w.push(batch("q1", "b1", "accounts", object("a", 2)))
	w.drain(time.Minute)
	w.crm.outcome = nil
	w.through("q2", deletion("a"))
	w.now = w.now.Add(time.Hour)
	w.sweep()
	w.drain(time.Hour)
	if w.crm.records["a"] != nil || w.crm.removed != 1 {
		t.Errorf("the vendor holds %v", w.crm.records)
	}
}

// A delete that failed is stored, and comes back as a delete.
func TestDeleteComesBack(t *testing.T) {
	w := deleting(t, nil)
	w.through("q0", object("a", 1))
	w.crm.outcome = func(string) *dest.Outcome { return &dest.Outcome{Status: dest.Retry, Code: "busy"} }
	id := w.push(batch("q1", "b1", "accounts", deletion("a")))[0].Run
	w.drain(time.Minute)
	if errs := w.errors(id); len(errs) != 1 || errs[0].Due.IsZero() || errs[0].Key != "a" {
		t.Fatalf("errors %+v", errs)
	}
	w.crm.outcome = nil
	w.now = w.now.Add(time.Hour)
	w.sweep()
	w.drain(time.Hour)
	if w.crm.records["a"] != nil || w.crm.removed != 1 {
		t.Errorf("the vendor holds %v", w.crm.records)
	}
}

// The halves of an update come in two batches, in either order: the old one is never a
// delete.
func TestHalvesOfAnUpdate(t *testing.T) {
	half := func(action string, v int) string {
		return fmt.Sprintf(`{"id":"a","v":%d,"constant":"c","METADATA$ACTION":%q,"METADATA$ISUPDATE":true}`, v, action)
	}
	for name, order := range map[string][]string{"old first": {half("DELETE", 1), half("INSERT", 2)}, "new first": {half("INSERT", 2), half("DELETE", 1)}} {
		w := deleting(t, nil)
		w.through("q0", object("a", 1))
		for n, o := range order {
			w.push(batch("q1", fmt.Sprint("b", n), "accounts", o))
		}
		w.drain(time.Hour)
		if w.crm.value("a") != 2 || w.crm.removed != 0 {
			t.Errorf("%s: the vendor holds %v", name, w.crm.records)
		}
	}
	w := deleting(t, nil)
	if got := statuses(w.push(batch("q", "b", "accounts", half("DELETE", 1)))); got[0] != row.Superseded {
		t.Errorf("the old half is answered %s", got[0])
	}
}

// With operation: delete every row deletes, also what the sync never wrote; once.
func TestOperationDelete(t *testing.T) {
	w := deleting(t, func(_ *crm, d *syncdef.Definition) { d.Operation = syncdef.Delete })
	w.crm.records["a"] = map[string]string{"Value__c": "7"}
	if _, c := w.through("q1", `{"id":"a"}`, `{"id":"b"}`); c.Delivered != 2 || w.crm.removed != 1 {
		t.Errorf("counts %+v", c)
	}
	if _, c := w.through("q2", `{"id":"a"}`, `{"id":"b"}`); c.Unchanged != 2 {
		t.Errorf("the second time: %+v", c)
	}
}

// on_delete: clear empties what is mapped and keeps the record; an upsert after it writes
// everything.
func TestDeleteThatClears(t *testing.T) {
	w := deleting(t, func(_ *crm, d *syncdef.Definition) { d.OnDelete = syncdef.RemoveClear })
	w.through("q1", object("a", 1))
	if _, c := w.through("q2", deletion("a"), deletion("b")); c.Delivered != 1 || c.Unchanged != 1 || len(w.crm.records["a"]) != 0 || w.crm.records["a"] == nil {
		t.Errorf("counts %+v, the vendor holds %v", c, w.crm.records)
	}
	if _, c := w.through("q3", object("a", 1)); c.Delivered != 1 || w.crm.value("a") != 1 || w.crm.records["a"]["Constant__c"] == "" {
		t.Errorf("the upsert after it: %+v, held %v", c, w.crm.records)
	}
}

// A sync that removes nothing rejects a deleting row, and says so.
func TestDeleteNotPossible(t *testing.T) {
	w := newWorld(t, 1, nil)
	if got := w.push(batch("q", "b", "accounts", deletion("a")))[0]; got.Status != row.Rejected || got.Fault.Rule != "cannot_delete" || got.Fault.Field != "sync_action" {
		t.Errorf("%+v", got)
	}
}

// A worker that dies after the delete and before it is counted counts it once.
func TestDeleteOnce(t *testing.T) {
	w := deleting(t, nil)
	w.through("q0", object("a", 1))
	id := w.push(batch("q1", "b1", "accounts", deletion("a")))[0].Run
	w.deliver.Handle(t.Context(), w.receive()) // not acknowledged, as if it died
	w.now = w.now.Add(2 * hidden)
	w.drain(time.Hour)
	if c := w.counts(id); c.Delivered != 1 || c.Settled() != 1 {
		t.Errorf("counts %+v", c)
	}
}

// person is a row of a sync that matches by id, a column of its own beside the record
// id; without an id it is null.
func person(rid, id string, v int, deleted bool) string {
	if id == "" {
		return fmt.Sprintf(`{"rid":%q,"id":null,"v":null,"constant":null,"should_delete_from_destination":%v}`, rid, deleted)
	}
	return fmt.Sprintf(`{"rid":%q,"id":%q,"v":%d,"constant":"c","should_delete_from_destination":%v}`, rid, id, v, deleted)
}

func people(t *testing.T) *world {
	return deleting(t, func(_ *crm, d *syncdef.Definition) { d.RecordID, d.Strategy = []string{"rid"}, syncdef.MatchField })
}

// A soft delete whose match value is null finds its record by the record id.
func TestSoftDeleteWithoutMatch(t *testing.T) {
	w := people(t)
	w.through("q1", person("1", "a", 1, false), person("2", "b", 2, false))
	answers, c := w.through("q2", person("1", "", 0, true), person("3", "", 0, true), person("4", "", 0, true))
	if c.Delivered != 1 || c.Unchanged != 2 || answers[0].RecordID != "1" {
		t.Errorf("counts %+v, answers %+v", c, answers)
	}
	if w.crm.records["a"] != nil || w.crm.records["b"] == nil {
		t.Errorf("the vendor holds %v", w.crm.records)
	}
	if _, c := w.through("q3", person("1", "", 0, true)); c.Unchanged != 1 {
		t.Errorf("the second time: %+v", c)
	}
}

// A record id that two keys were written for deletes neither.
func TestSoftDeleteClaimedTwice(t *testing.T) {
	w := people(t)
	w.through("q1", person("1", "a", 1, false))
	w.through("q2", person("1", "b", 2, false))
	answers := w.push(batch("q3", "b", "accounts", person("1", "", 0, true)))
	if answers[0].Status != row.Rejected || answers[0].Fault.Rule != "ambiguous_record" {
		t.Errorf("answer %+v", answers[0])
	}
	// Once one of the two is deleted by its key, the other one is meant.
	w.through("q4", person("1", "a", 1, true))
	if _, c := w.through("q5", person("1", "", 0, true)); c.Delivered != 1 || len(w.crm.records) != 0 {
		t.Errorf("counts %+v, the vendor holds %v", c, w.crm.records)
	}
}

// A key that has passed to another record is not the first one's to delete, also where
// the values are the same.
func TestSoftDeleteOfAnothersKey(t *testing.T) {
	w := people(t)
	w.through("q1", person("1", "a", 1, false))
	w.through("q2", person("2", "a", 1, false))
	if _, c := w.through("q3", person("1", "", 0, true)); c.Unchanged != 1 || w.crm.records["a"] == nil {
		t.Errorf("counts %+v, the vendor holds %v", c, w.crm.records)
	}
	if _, c := w.through("q4", person("2", "", 0, true)); c.Delivered != 1 || w.crm.records["a"] != nil {
		t.Errorf("counts %+v, the vendor holds %v", c, w.crm.records)
	}
}

// Neither is one that passes to another record while the delete is on its way, be both
// rows in hand or not.
func TestSoftDeleteOfAKeyThatPasses(t *testing.T) {
	for _, together := range []bool{true, false} {
		w := people(t)
		w.through("q1", person("1", "a", 1, false))
		w.push(batch("q2", "b2", "accounts", person("2", "a", 2, false)))
		w.push(batch("q3", "b3", "accounts", person("1", "", 0, true)))
		if !together {
			in, err := w.store.Receive(t.Context(), "crm", 1, hidden)
			if err != nil {
				t.Fatal(err)
			}
			w.handle(in)
		}
		w.drain(time.Hour)
		if w.crm.value("a") != 2 || w.crm.removed != 0 {
			t.Errorf("together %v: the vendor holds %v", together, w.crm.records)
		}
		if _, c := w.through("q4", person("2", "", 0, true)); c.Delivered != 1 || w.crm.records["a"] != nil {
			t.Errorf("together %v: counts %+v, the vendor holds %v", together, c, w.crm.records)
		}
	}
}

// It comes back by itself when it failed, and an upsert of the key in its batch wins.
func TestSoftDeleteComesBack(t *testing.T) {
	w := people(t)
	w.through("q1", person("1", "a", 1, false), person("2", "b", 1, false))
	if answers, _ := w.through("q2", person("2", "b", 3, false), person("2", "", 0, true)); answers[1].Status != row.Superseded || w.crm.value("b") != 3 {
		t.Errorf("answers %+v", answers)
	}
	w.crm.outcome = func(string) *dest.Outcome { return &dest.Outcome{Status: dest.Retry, Code: "busy"} }
	w.push(batch("q3", "b", "accounts", person("1", "", 0, true)))
	w.drain(time.Minute)
	w.crm.outcome = nil
	w.now = w.now.Add(time.Hour)
	w.sweep()
	w.drain(time.Hour)
	if w.crm.records["a"] != nil || w.crm.removed != 1 {
		t.Errorf("the vendor holds %v", w.crm.records)
	}
}

// Where an update changed the key, the old key's record is left, and the run counts it,
// in whichever batches and order the halves come.
func TestUpdateOfTheKey(t *testing.T) {
	half := func(id, action string, v int) string {
		return fmt.Sprintf(`{"rid":"1","id":%q,"v":%d,"constant":"c","METADATA$ACTION":%q,"METADATA$ISUPDATE":"TRUE"}`, id, v, action)
	}
	was, is := half("a", "DELETE", 1), half("b", "INSERT", 2)
	for name, batches := range map[string][][]string{"one batch": {{was, is}}, "one batch, new first": {{is, was}}, "two": {{was}, {is}}, "two, new first": {{is}, {was}}} {
		w := people(t)
		w.through("q0", person("1", "a", 1, false))
		var id string
		for n, rows := range batches {
			id = w.push(batch("q1", fmt.Sprint("b", n), "accounts", rows...))[0].Run
			w.drain(time.Hour)
		}
		all, err := w.store.Batches(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		var c run.Counts
		for _, b := range all {
			c = c.Add(b.Counts)
		}
		if c.Rekeyed != 1 || c.Superseded != 1 || w.crm.value("a") != 1 || w.crm.value("b") != 2 || w.crm.removed != 0 {
			t.Errorf("%s: counts %+v, the vendor holds %v", name, c, w.crm.records)
		}
	}
}

// failingQueue refuses to send once.
type failingQueue struct {
	intake.Queue
	failed bool
}

func (q *failingQueue) Send(ctx context.Context, queue string, msgs []envelope.Message) ([]bool, error) {
	if !q.failed {
		q.failed = true
		return make([]bool, len(msgs)), errStorage
	}
	return q.Queue.Send(ctx, queue, msgs)
}

// A request that was pinned and not sent comes again: its deletes are sent as deletes,
// the one without a match value to the record that its record id stands for.
func TestDeletesOfARetriedBatch(t *testing.T) {
	w := people(t)
	w.through("q1", person("1", "a", 1, false), person("2", "b", 1, false), person("3", "c", 1, false))
	w.intake.Queue = &failingQueue{Queue: w.store}
	b := batch("q2", "b", "accounts", person("1", "", 0, true), person("2", "b", 1, true), person("9", "", 0, true))
	if _, err := w.intake.Push(t.Context(), b); err == nil {
		t.Fatal("the queue took it")
	}
	id := w.push(b)[0].Run
	w.drain(time.Hour)
	if c := w.counts(id); c.Delivered != 2 || c.Unchanged != 1 || len(w.crm.records) != 1 {
		t.Errorf("counts %+v, the vendor holds %v", c, w.crm.records)
	}
}

// A delete that failed under operation: delete is no upsert under another definition.
func TestDeleteIsNeverAnUpsert(t *testing.T) {
	w := deleting(t, func(_ *crm, d *syncdef.Definition) { d.Operation = syncdef.Delete })
	w.crm.outcome = func(string) *dest.Outcome { return &dest.Outcome{Status: dest.Retry, Code: "busy"} }
	id := w.push(batch("q1", "b1", "accounts", object("a", 1)))[0].Run
	w.drain(time.Minute)
	w.crm.outcome = nil
	d := w.version.Definition
	d.Operation = syncdef.Upsert
	w.apply(d)
	w.now = w.now.Add(time.Hour)
	w.sweep()
	w.drain(time.Hour)
	if errs := w.errors(id); len(errs) != 1 || !errs[0].Due.IsZero() || !strings.Contains(errs[0].Message, "push the row again") || w.crm.sends["a"] != 0 {
		t.Errorf("errors %+v, sent %v", errs, w.crm.sends)
	}
}

// A worker died on an upsert that may have arrived, and the row was given up: its
// delete is sent all the same.
func TestDeleteAfterACancelledAttempt(t *testing.T) {
	w := deleting(t, nil)
	id := w.push(batch("q1", "b1", "accounts", object("a", 1)))[0].Run
	w.deliver.Ledger = &brokenCommit{Store: w.store}
	w.once() // it arrives, and storage refuses to note it
	if w.crm.records["a"] == nil {
		t.Fatal("it did not arrive")
	}
	w.boot()
	w.now = w.now.Add(2 * hidden)
	r, err := w.store.Run(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	r.Status = run.Cancelled
	if err := w.store.UpdateRun(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	w.drain(time.Hour)
	if _, c := w.through("q2", deletion("a")); c.Delivered != 1 || w.crm.records["a"] != nil {
		t.Errorf("counts %+v, the vendor holds %v", c, w.crm.records)
	}
}

// brokenCommit is a ledger that takes nothing.
type brokenCommit struct{ *sqlite.Store }

func (*brokenCommit) Commit(context.Context, string, []ledger.Entry) ([]int, error) {
	return nil, errStorage
}
