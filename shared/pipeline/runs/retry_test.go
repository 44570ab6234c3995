package runs_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// counting is a Replayer that queues nothing.
type counting struct {
	rows  int
	first string
	last  run.Replay
}

func (c *counting) Replay(_ context.Context, b run.Replay) ([]row.Answer, error) {
	if c.rows == 0 {
		c.first = b.ID
	}
	c.rows += len(b.Rows)
	c.last = b
	answers := make([]row.Answer, len(b.Rows))
	for n := range answers {
		answers[n].Status = row.Queued
	}
	return answers, nil
}

// Exactly the open errors are sent again, with their own sequence and ref.
func TestRetry(t *testing.T) {
	w := newWorld(t, nil)
	for _, k := range []string{"a", "b", "c"} {
		w.vendor.refuses[k] = true
	}
	r := w.complete("", record{"a", 1, 10}, record{"b", 1, 20}, record{"c", 1, 30}, record{"d", `"x"`, 40}, record{"e", 1, 50})
	before := w.errors(r.ID)
	w.push(syncName, record{"b", 2, 21}) // closes b's error, failed as it is
	w.work()
	w.vendor.refuses = map[string]bool{}
	got, err := w.control.Retry(t.Context(), r.ID, runs.Selector{}, "token")
	w.ok(err)
	want := runs.Retried{Run: run.AskedID(r.ID, "token"), Queued: 2, Superseded: 1, PushAgain: 1, Message: got.Message}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(got.Message, "2 rows are sent again; 1 was rejected before it was queued") {
		t.Errorf("message %q", got.Message)
	}
	if again, err := w.control.Retry(t.Context(), r.ID, runs.Selector{}, "token"); err != nil || again != got {
		t.Errorf("a retried call is answered %+v, %v", again, err)
	}
	w.pass(5 * time.Minute)
	if w.vendor.values["a"] != "1" || w.vendor.values["c"] != "1" || w.vendor.values["b"] != "" {
		t.Errorf("the vendor holds %v", w.vendor.values)
	}
	if s := w.status(r.ID).Runs[0]; s.Retried != 2 {
		t.Errorf("%d delivered by retries", s.Retried)
	}
	if again, err := w.control.Retry(t.Context(), r.ID, runs.Selector{}, "token"); err != nil || again != got {
		t.Errorf("a call that is retried when all is delivered is answered %+v, %v", again, err)
	}
	if e := w.errors(r.ID)["a"]; e.Sequence != before["a"].Sequence {
		t.Errorf("the error's sequence is %d, was %d", e.Sequence, before["a"].Sequence)
	}
	if got, err = w.control.Retry(t.Context(), r.ID, runs.Selector{}, "another"); err != nil || got.Queued != 0 || got.Superseded != 3 {
		t.Errorf("once more: %+v, %v", got, err)
	}
}

// smallPages lists two errors at a time.
type smallPages struct{ runs.Errors }

func (p smallPages) RunErrors(ctx context.Context, id string, _ int, after string) ([]run.RowError, string, error) {
	return p.Errors.RunErrors(ctx, id, 2, after)
}

// A call that is repeated, as its answer was lost or its rows could not be queued, sends the
// rows that it sent or pinned, and is answered alike: what has failed since, wherever it stands
// among the run's errors, is left for the next call.
func TestRetryAskedAgain(t *testing.T) {
	for name, send := range map[string]int{"sent": 9, "not sent": 0, "its second page is not sent": 1} {
		w := newWorld(t, nil)
		w.control.Errors = smallPages{w.store}
		for n := range 40 {
			w.vendor.refuses[fmt.Sprint("k", n)] = true
		}
		b, n := w.begin("", "t"), 0
		fail := func(rows int) {
			for range rows { // each a batch: their errors are in the order of the batches' ids
				w.push(b.Run, record{fmt.Sprint("k", n), n, n}, record{fmt.Sprint("bad", n), `"x"`, n})
				n++
			}
			w.work()
		}
		fail(5)
		w.vendor.refuses = map[string]bool{}
		w.push(syncName, record{"k1", 7, 50}) // closes an error
		w.work()
		queue := &takes{Queue: w.store, left: send}
		w.intake.Queue = queue
		first, err := w.control.Retry(t.Context(), b.Run, runs.Selector{}, "token")
		if send < 9 != (err != nil) {
			t.Fatalf("%s: %v", name, err)
		}
		for n := range 40 {
			w.vendor.refuses[fmt.Sprint("k", n)] = n >= 5
		}
		pinned, err := w.store.Batches(t.Context(), run.AskedID(b.Run, "token"))
		w.ok(err)
		queue.left = 1000
		fail(20)
		var again runs.Retried
		for range 2 {
			again, err = w.control.Retry(t.Context(), b.Run, runs.Selector{}, "token")
			w.ok(err)
			if send == 9 && again != first {
				t.Errorf("%s: answered %+v, want %+v", name, again, first)
			}
			w.work()
		}
		after, err := w.store.Batches(t.Context(), run.AskedID(b.Run, "token"))
		w.ok(err)
		for i := range pinned {
			at := slices.IndexFunc(after, func(b run.Batch) bool { return b.ID == pinned[i].ID })
			if pinned[i].Sent = true; at < 0 || cmp.Diff(pinned[i], after[at]) != "" {
				t.Errorf("%s: pinned %+v, and is %+v", name, pinned[i], after)
			}
		}
		if send == 9 && len(after) != len(pinned) {
			t.Errorf("%s: the repeated call pinned %d more batches", name, len(after)-len(pinned))
		}
		w.pass(10 * time.Minute)
		r := w.run(again.Run)
		if r.Status != run.Complete || int(r.Counts.Received-r.Counts.Superseded) != again.Queued {
			t.Errorf("%s: %d queued, and the run is %s: %+v", name, again.Queued, r.Status, r.Counts)
		}
		w.vendor.refuses = map[string]bool{}
		_, err = w.control.Retry(t.Context(), b.Run, runs.Selector{}, "next")
		w.ok(err)
		w.work()
		for i := range n {
			want := fmt.Sprint(i)
			if i == 1 {
				want = "7"
			}
			if got := w.vendor.values[fmt.Sprint("k", i)]; got != want {
				t.Errorf("%s: k%d is %q, want %q", name, i, got, want)
			}
		}
	}
}

// takes is a queue that refuses all after so many requests.
type takes struct {
	intake.Queue
	left int
}

func (q *takes) Send(ctx context.Context, name string, messages []envelope.Message) ([]bool, error) {
	if q.left--; q.left < 0 {
		return make([]bool, len(messages)), errors.New("the queue is down")
	}
	return q.Queue.Send(ctx, name, messages)
}

// What was pinned and not sent goes out as it stands when the call is repeated: a row that
// failed once more meanwhile is tried again; one that was delivered, or that may have arrived,
// is not, and is counted.
func TestRetryAskedAgainOfWhatMoved(t *testing.T) {
	w := newWorld(t, func(d *syncdef.Definition, _ *syncdef.Rules) { d.Retry = &syncdef.Retry{Attempts: 1} })
	for _, k := range []string{"a", "b", "c", "d"} {
		w.vendor.refuses[k] = true
	}
	r := w.complete("", record{"a", 1, 10}, record{"b", 2, 20}, record{"c", 3, 30}, record{"d", 4, 40})
	queue := &takes{Queue: w.store}
	w.intake.Queue = queue
	if _, err := w.control.Retry(t.Context(), r.ID, runs.Selector{}, "token"); err == nil {
		t.Fatal("the queue refused nothing")
	}
	queue.left = 100
	w.vendor.refuses["a"] = false
	_, err := w.control.Retry(t.Context(), r.ID, runs.Selector{Records: []string{"a", "b"}}, "another")
	w.ok(err)
	w.work()
	moved := w.errors(r.ID)
	if moved["b"].Attempts != 2 {
		t.Fatalf("b: %+v", moved["b"])
	}
	unknown := moved["c"]
	unknown.Type, unknown.Attempts = "unknown", 2
	w.ok(w.store.StoreErrors(t.Context(), []run.RowError{unknown}))
	w.vendor.refuses, w.vendor.sends = map[string]bool{}, 0
	again, err := w.control.Retry(t.Context(), r.ID, runs.Selector{}, "token")
	w.ok(err)
	w.pass(10 * time.Minute)
	if again.Queued != 4 || w.vendor.sends != 2 || w.vendor.values["b"] != "2" || w.vendor.values["c"] != "" || w.vendor.values["d"] != "4" {
		t.Errorf("%d queued, %d sent, the vendor holds %v", again.Queued, w.vendor.sends, w.vendor.values)
	}
	if now := w.run(again.Run); now.Counts.Delivered != 2 || now.Status != run.Complete {
		t.Errorf("the run is %s %q: %+v", now.Status, now.Reason, now.Counts)
	}
}

// Two of one call at once, which find other errors: the slower one fails, and sends nothing.
func TestRetryAskedTwiceAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	w.vendor.refuses["a"], w.vendor.refuses["b"] = true, true
	b := w.begin("", "t")
	w.push(b.Run, record{"a", 1, 10})
	w.work()
	w.control.Replayer = outrun{w.intake, func() {
		w.control.Replayer = w.intake
		w.push(b.Run, record{"b", 2, 20})
		w.work()
		got, err := w.control.Retry(t.Context(), b.Run, runs.Selector{}, "token")
		if w.ok(err); got.Queued != 2 {
			t.Errorf("the faster one: %+v", got)
		}
	}}
	if _, err := w.control.Retry(t.Context(), b.Run, runs.Selector{}, "token"); err == nil || !strings.Contains(err.Error(), "was pinned with other rows") {
		t.Errorf("the slower one: %v", err)
	}
	if got, err := w.control.Retry(t.Context(), b.Run, runs.Selector{}, "token"); err != nil || got.Queued != 2 {
		t.Errorf("asked again: %+v, %v", got, err)
	}
}

// outrun does something else before it takes rows.
type outrun struct {
	runs.Replayer
	before func()
}

func (o outrun) Replay(ctx context.Context, b run.Replay) ([]row.Answer, error) {
	o.before()
	return o.Replayer.Replay(ctx, b)
}

// Who names what no error of the run is, is told which types there are.
func TestRetryNamesNothing(t *testing.T) {
	w := newWorld(t, nil)
	w.vendor.refuses["a"] = true
	r := w.complete("", record{"a", 1, 10}, record{"d", `"x"`, 40})
	sound := w.complete("", record{"e", 1, 50})
	all := w.errors(r.ID)
	types := "the types that it has are " + min(all["a"].Type, all["d"].Type) + ", " + max(all["a"].Type, all["d"].Type)
	for name, c := range map[string]struct {
		run      string
		selector runs.Selector
		want     string // besides how many rows are sent again
	}{
		"a type":          {r.ID, runs.Selector{Types: []string{"nosuch"}}, ": no error of run " + strconv.Quote(r.ID) + " is as you name it; " + types},
		"a record":        {r.ID, runs.Selector{Records: []string{"zz"}}, ": no error of run " + strconv.Quote(r.ID) + " is as you name it; " + types},
		"a type that is":  {r.ID, runs.Selector{Types: []string{all["a"].Type}}, ""},
		"no error at all": {sound.ID, runs.Selector{}, ": run " + strconv.Quote(sound.ID) + " has no errors"},
	} {
		got, err := w.control.Retry(t.Context(), c.run, c.selector, name)
		w.ok(err)
		_, rest, _ := strings.Cut(got.Message, "sent again")
		if rest != c.want || (got.Queued > 0) != (c.want == "") {
			t.Errorf("%s: %s", name, got.Message)
		}
	}
}

// manyErrors are the errors of a run that has more than one call reads: so many of each type.
type manyErrors struct {
	runs.Errors
	types []string // of each page
}

func (p manyErrors) RunErrors(_ context.Context, id string, limit int, after string) ([]run.RowError, string, error) {
	page, _ := strconv.Atoi(after)
	if page == len(p.types) {
		return nil, "", nil
	}
	errs := make([]run.RowError, limit)
	for i := range errs {
		errs[i] = run.RowError{Run: id, Batch: after, Row: i, Type: p.types[page], Stage: "intake"}
	}
	return errs, strconv.Itoa(page + 1), nil
}

// Of a run with more errors than one call reads, each call that finds none as they are named
// says which types it read.
func TestRetryNamesNothingOfMany(t *testing.T) {
	w := newWorld(t, nil)
	r := w.complete("", record{"e", 1, 50})
	a, b := slices.Repeat([]string{"a"}, 4), slices.Repeat([]string{"b"}, 2)
	w.control.Errors = manyErrors{w.control.Errors, slices.Concat(a, b)}
	const none, more = ": no error that this call read is as you name it; the types that it read are ", "; run %q has more errors: call again with what next says"
	for kind, want := range map[string][]string{
		"nosuch": {"0 rows are sent again" + none + "a" + more, "0 rows are sent again" + none + "b"},
		"b":      {"0 rows are sent again" + none + "a" + more, "0 rows are sent again; 10000 were rejected"},
	} {
		sel := runs.Selector{Types: []string{kind}}
		for i, want := range want {
			got, err := w.control.Retry(t.Context(), r.ID, sel, kind+sel.After)
			w.ok(err)
			if want = strings.Replace(want, "%q", strconv.Quote(r.ID), 1); !strings.HasPrefix(got.Message, want) || (got.Next == "") != (i == 1) {
				t.Errorf("%s, call %d: %s, next %q", kind, i, got.Message, got.Next)
			}
			sel.After = got.Next
		}
	}
	// A call that finds no error more says no types.
	w.control.Errors = manyErrors{w.control.Errors, a}
	if got, err := w.control.Retry(t.Context(), r.ID, runs.Selector{Types: []string{"nosuch"}, After: "4"}, "last"); err != nil || got.Message != "0 rows are sent again" {
		t.Errorf("%+v, %v", got, err)
	}
}

// A row that several retries take up is delivered by one of them, and the others say so; it
// does not stand in for a row that is still missing.
func TestRetriedIsCountedOnce(t *testing.T) {
	w, m := told(t, "", "partial_failure")
	w.vendor.busy["a"], w.vendor.refuses["b"] = true, true
	r := w.complete("full", record{"a", 1, 10}, record{"b", 2, 20}, record{"c", 3, 30})
	w.vendor.busy["a"] = false
	for _, token := range []string{"one", "two"} { // both see it open
		_, err := w.control.Retry(t.Context(), r.ID, runs.Selector{}, token)
		w.ok(err)
	}
	w.work()
	w.pass(15 * time.Minute) // it was due, too
	_, err := w.control.Retry(t.Context(), r.ID, runs.Selector{}, "three")
	w.ok(err)
	w.pass(15 * time.Minute)
	if s := w.status(r.ID).Runs[0]; s.Retried != 1 || s.Due != 0 {
		t.Errorf("%d delivered by retries, %d due", s.Retried, s.Due)
	}
	o, err := w.sweep.Overview(t.Context(), syncName, w.now)
	w.ok(err)
	if o.NotRight != 1 {
		t.Errorf("%d rows are not right", o.NotRight)
	}
	m.is(t, "run_partial raised")
	w.vendor.refuses["b"] = false
	_, err = w.control.Retry(t.Context(), r.ID, runs.Selector{}, "four")
	w.ok(err)
	w.pass(15 * time.Minute)
	m.is(t, "run_partial raised", "run_partial recovered")
}

// What a retry has delivered is told of a run however many came after it.
func TestRetriedIsToldOfAnOldRun(t *testing.T) {
	w := newWorld(t, nil)
	w.vendor.refuses["a"] = true
	r := w.complete("", record{"a", 1, 10})
	w.vendor.refuses["a"] = false
	_, err := w.control.Retry(t.Context(), r.ID, runs.Selector{}, "token")
	w.ok(err)
	w.pass(time.Minute)
	for n := range 200 {
		w.now = w.now.Add(time.Second)
		w.push(syncName, record{"b", n, 20})
	}
	if s := w.status(r.ID).Runs[0]; s.Retried != 1 {
		t.Errorf("%d delivered by retries", s.Retried)
	}
	s, err := w.control.StatusPage(t.Context(), syncName, runs.Page{Runs: 100})
	for err == nil && s.Next != "" {
		s, err = w.control.StatusPage(t.Context(), syncName, runs.Page{Runs: 100, After: s.Next})
	}
	if last := s.Runs[len(s.Runs)-1]; err != nil || last.ID != r.ID || last.Retried != 1 {
		t.Errorf("the last page ends with %s, %d delivered by retries, %v", last.ID, last.Retried, err)
	}
}

// The selector names records and types; unknown only when asked for by name.
func TestRetrySelector(t *testing.T) {
	for name, c := range map[string]struct {
		selector runs.Selector
		want     string // record ids that are handed over
		unknown  int
	}{
		"all":             {runs.Selector{}, "a b", 1},
		"a record":        {runs.Selector{Records: []string{"b"}}, "b", 0},
		"a type":          {runs.Selector{Types: []string{"BUSY"}}, "a", 0},
		"unknown":         {runs.Selector{Types: []string{"unknown"}}, "u", 0},
		"both":            {runs.Selector{Records: []string{"a"}, Types: []string{"REFUSED"}}, "", 0},
		"nobody's record": {runs.Selector{Records: []string{"z"}}, "", 0},
	} {
		w := newWorld(t, func(d *syncdef.Definition, _ *syncdef.Rules) { d.Retry = &syncdef.Retry{Attempts: 1} })
		w.vendor.busy["a"], w.vendor.refuses["b"], w.vendor.busy["u"] = true, true, true
		r := w.complete("", record{"a", 1, 10}, record{"b", 1, 20}, record{"u", 1, 30})
		u := w.errors(r.ID)["u"]
		u.Type, u.Attempts = "unknown", u.Attempts+1
		w.ok(w.store.StoreErrors(t.Context(), []run.RowError{u}))
		replays := &counting{}
		w.control.Replayer = replays
		got, err := w.control.Retry(t.Context(), r.ID, c.selector, "token")
		w.ok(err)
		var ids []string
		byRef := map[string]string{}
		for id, e := range w.errors(r.ID) {
			byRef[e.Ref()] = id
		}
		for _, one := range replays.last.Rows {
			ids = append(ids, byRef[one.Ref])
		}
		if strings.Join(ids, " ") != c.want || got.Unknown != c.unknown {
			t.Errorf("%s: %q and %d unknown, want %q and %d", name, ids, got.Unknown, c.want, c.unknown)
		}
	}
}

// Without a stored source the row has to be pushed again.
func TestRetryWithoutSource(t *testing.T) {
	w := newWorld(t, func(d *syncdef.Definition, _ *syncdef.Rules) { d.StoreSource = syncdef.StoreNone })
	w.vendor.refuses["a"] = true
	r := w.complete("", record{"a", 1, 10})
	got, err := w.control.Retry(t.Context(), r.ID, runs.Selector{}, "token")
	w.ok(err)
	if got.Queued != 0 || got.PushAgain != 1 || !strings.Contains(got.Message, "push this row again") {
		t.Errorf("%+v", got)
	}
}

// A retry sends with today's mapping.
func TestRetryWithTodaysMapping(t *testing.T) {
	w := newWorld(t, nil)
	w.vendor.refuses["a"] = true
	r := w.complete("", record{"a", 1, 10}, record{"b", 2, 10})
	w.vendor.refuses["a"] = false
	w.apply(func(d *syncdef.Definition, _ *syncdef.Rules) {
		d.Fields = append(d.Fields, syncdef.Field{Source: "at", Destination: "At__c", Type: syncdef.Number, OnNull: syncdef.ClearNull})
	})
	_, err := w.control.Retry(t.Context(), r.ID, runs.Selector{}, "token")
	w.ok(err)
	w.work()
	if w.vendor.values["a"] != "10" { // the last field of the record
		t.Errorf("the vendor holds %q", w.vendor.values["a"])
	}
}

// What fails once more is listed by the retry's run, too: its error is that of the first run.
func TestRetryFailsAgain(t *testing.T) {
	w := newWorld(t, nil)
	w.vendor.refuses["a"] = true
	r := w.complete("", record{"a", 1, 10})
	got, err := w.control.Retry(t.Context(), r.ID, runs.Selector{}, "token")
	w.ok(err)
	w.work()
	if c := w.status(got.Run).Runs[0].Counts; c.Failed != 1 {
		t.Errorf("the retry: %+v", c)
	}
	if diff := cmp.Diff(w.errors(r.ID), w.errors(got.Run)); diff != "" || len(w.errors(got.Run)) != 1 {
		t.Error(diff)
	}
}

// Who is told that nothing is sent again is told why.
func TestRetrySaysWhyNothingIsSent(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *world)
		want   runs.Retried
		says   string
	}{
		"a newer row": {
			func(w *world) { w.push(syncName, record{"a", 2, 20}); w.work() },
			runs.Retried{Superseded: 1}, "; 1 is not open any more: a newer row of its record, or a retry, has settled since",
		},
		"another target": {
			func(w *world) { w.apply(func(d *syncdef.Definition, _ *syncdef.Rules) { d.Object = "Gadget__c" }) },
			runs.Retried{Retargeted: 1}, "; 1 was for another target (connection, account, object, match or identity) than the sync has now: the next run selects all rows; push this row again if it came outside a run",
		},
	} {
		w := newWorld(t, nil)
		w.vendor.refuses["a"] = true
		r := w.complete("", record{"a", 1, 10})
		w.vendor.refuses["a"] = false
		c.change(w)
		for range 2 {
			got, err := w.control.Retry(t.Context(), r.ID, runs.Selector{}, "token")
			w.ok(err)
			c.want.Run, c.want.Message = got.Run, "0 rows are sent again"+c.says
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
}
