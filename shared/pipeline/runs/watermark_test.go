package runs_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A row that is rejected because of its cursor's value moves no watermark.
func TestCursorOfRejectedRow(t *testing.T) {
	w := newWorld(t, func(d *syncdef.Definition, _ *syncdef.Rules) { d.Incremental.Cursor = "v" })
	r := w.complete("", record{"a", 5, 0}, record{"b", `"unknown"`, 0})
	if w.mark() != "5" || r.Outcome != run.Partial {
		t.Errorf("watermark %s, %s", w.mark(), r.Outcome)
	}
}

// Far cursors are left out; an older one is lowered by a full run.
func TestFutureCursor(t *testing.T) {
	for _, far := range []any{"2099-12-31 00:00:00", "infinity", "294247-01-10 04:00:54.775806"} {
		w := newWorld(t, nil)
		r := w.complete("", record{"a", 1, "2026-01-01 00:00:00"}, record{"b", 2, far})
		if w.mark() != `"2026-01-01 00:00:00"` || r.Counts.NoCursor != 1 || r.Outcome != run.Succeeded {
			t.Errorf("%v: watermark %s, %+v", far, w.mark(), r.Counts)
		}
	}
	w := newWorld(t, nil)
	w.complete("", record{"a", 1, 2099})
	w.complete("", record{"a", 1, 2099}, record{"b", 1, 2026})
	if w.mark() != "2099" {
		t.Errorf("watermark %s: a number may be anything", w.mark())
	}
	w.complete("full", record{"a", 1, 2025}, record{"b", 1, 2026})
	if w.mark() != "2026" {
		t.Errorf("watermark %s after a full run, want 2026", w.mark())
	}
}

// A text in a column of timestamps never becomes the mark, in whichever batch it comes,
// and is counted; a mark that is one selects all rows.
func TestTextCursor(t *testing.T) {
	const day = "2026-01-01 00:00:00"
	for _, text := range []string{"n/a", "-", "31.12.2099", "2099-12-31 00:00:00 GMT", " 2099-12-31", "Thu, 31 Dec 2099 00:00:00 utc"} {
		for first := range 2 {
			w := newWorld(t, nil)
			rows := []record{{"a", 1, day}, {"b", 2, text}}
			b := w.begin("", "first")
			w.push(b.Run, rows[first])
			w.push(b.Run, rows[1-first])
			w.work()
			_, err := w.control.Finish(t.Context(), b.Run, 2)
			w.ok(err)
			w.sweepOnce()
			if r := w.run(b.Run); w.mark() != `"`+day+`"` || r.Cursor != w.mark() || r.Counts.NoCursor != 1 || r.Outcome != run.Succeeded {
				t.Errorf("%s, batch %d first: watermark %s, %+v", text, first, w.mark(), r.Counts)
			}
			if r := w.complete("", record{"b", 3, text}); w.mark() != `"`+day+`"` || r.Counts.NoCursor != 1 {
				t.Errorf("%s: watermark %s after a run of it alone, %+v", text, w.mark(), r.Counts)
			}
			if b := w.begin("", "next"); b.Select != runs.Since || b.Watermark != `"`+day+`"` {
				t.Errorf("%s: begin answers %+v", text, b)
			}
		}
	}
	w := newWorld(t, nil)
	w.complete("", record{"a", 1, "n/a"}) // nobody knows yet what the column holds
	r := w.complete("", record{"a", 1, "n/a"}, record{"b", 2, day})
	if w.mark() != "" || !strings.Contains(r.Reason, "held a text and holds a timestamp") {
		t.Errorf("watermark %s, %q", w.mark(), r.Reason)
	}
	if w.complete("", record{"a", 1, "n/a"}, record{"b", 2, day}); w.mark() != `"`+day+`"` {
		t.Errorf("watermark %s after all rows", w.mark())
	}
	w = newWorld(t, nil)
	w.complete("", record{"a", 1, "a7"}, record{"b", 2, "12"})
	if w.complete("", record{"a", 1, "b7"}); w.mark() != `"b7"` {
		t.Errorf("watermark %s of texts", w.mark())
	}
}

// Dates in a form that is not read, as a session's output format writes them, do not
// grow with time: all rows are selected, and begin says why, until the model has ISO's.
func TestDatesThatAreNotRead(t *testing.T) {
	w := newWorld(t, nil)
	w.complete("", record{"a", 1, "31.01.2024"})
	for _, mode := range []string{"", "dry_run"} {
		b, err := w.control.Begin(t.Context(), syncName, mode, "next"+mode)
		w.ok(err)
		if b.Select != runs.All || b.Watermark != "" || !strings.Contains(b.Reason, "TO_CHAR(") || strings.Contains(b.Reason, "31.01") {
			t.Errorf("%q: begin answers %+v", mode, b)
		}
		if b.Run == "" {
			continue
		}
		w.push(b.Run, record{"a", 1, "31.01.2024"}, record{"b", 2, "01.02.2024"})
		w.work()
		_, err = w.control.Finish(t.Context(), b.Run, 2)
		w.ok(err)
		w.sweepOnce()
	}
	w.complete("", record{"a", 1, "2024-01-31"}, record{"b", 2, "2024-02-01"})
	if b := w.begin("", "read"); b.Select != runs.Since || b.Watermark != `"2024-02-01 00:00:00"` || b.Reason != "" {
		t.Errorf("begin answers %+v", b)
	}
}

// Wide numbers are texts in BigQuery's JSON, and numbers all the same.
func TestWideNumbers(t *testing.T) {
	w := newWorld(t, nil)
	for _, c := range []struct{ cursor, want any }{
		{9007199254740000, "9007199254740000"},
		{"9007199254740993", `"9007199254740993"`},
		{"10000000000000001", `"10000000000000001"`},
	} {
		w.complete("", record{"a", 1, c.cursor})
		if b, err := w.control.Begin(t.Context(), syncName, "dry_run", "d"); err != nil || b.Type != "number" || b.Watermark != c.want {
			t.Errorf("%v: begin answers %+v, %v", c.cursor, b, err)
		}
	}
}

// Another cursor column, target or mapping selects all rows once; what only changes
// how rows travel does not.
func TestSelectAllOnce(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*syncdef.Definition, *syncdef.Rules)
		all    bool
	}{
		"cursor column": {func(d *syncdef.Definition, _ *syncdef.Rules) { d.Incremental.Cursor = "v" }, true},
		"object":        {func(d *syncdef.Definition, _ *syncdef.Rules) { d.Object = "Contact" }, true},
		"match":         {func(d *syncdef.Definition, _ *syncdef.Rules) { d.Match.Destination = "Other__c" }, true},
		"mapping":       {func(d *syncdef.Definition, _ *syncdef.Rules) { d.Fields[0].Destination = "Other__c" }, true},
		"length rule":   {func(_ *syncdef.Definition, r *syncdef.Rules) { r.LengthUnit = syncdef.LengthByte }, true},
		"retry policy":  {func(d *syncdef.Definition, _ *syncdef.Rules) { d.Retry = &syncdef.Retry{Attempts: 5} }, false},
		"batch size":    {func(d *syncdef.Definition, _ *syncdef.Rules) { d.BatchSize = 7 }, false},
	} {
		w := newWorld(t, nil)
		w.complete("", record{"a", 1, 10})
		w.apply(c.change)
		for n, want := range []bool{c.all, false} {
			b := w.begin("", fmt.Sprint(name, n))
			if got := b.Select == runs.All; got != want {
				t.Errorf("%s: begin %d answers %s with %q", name, n, b.Select, b.Watermark)
			}
			w.push(b.Run, record{"a", 1, 10})
			w.work()
			_, err := w.control.Finish(t.Context(), b.Run, 1)
			w.ok(err)
			w.sweepOnce()
		}
	}
}

// What a version sent that was taken back is not at the destination for ever: whatever it
// was by which it differed, and whatever of it was sent, all rows are selected once.
func TestSelectAllOnceTakenBack(t *testing.T) {
	mapped := func(d *syncdef.Definition, _ *syncdef.Rules) { d.Fields[0].Destination = "Other__c" }
	changed := func(d *syncdef.Definition, _ *syncdef.Rules) { d.Incremental = &syncdef.Incremental{ChangedOnly: true} }
	stream := func(d *syncdef.Definition, _ *syncdef.Rules) { d.Incremental = &syncdef.Incremental{Stream: "s"} }
	for name, c := range map[string]struct {
		first, other func(*syncdef.Definition, *syncdef.Rules)
		mode         string
	}{
		"mapping":       {nil, mapped, ""},
		"object":        {nil, func(d *syncdef.Definition, _ *syncdef.Rules) { d.Object = "Contact" }, ""},
		"cursor column": {nil, func(d *syncdef.Definition, _ *syncdef.Rules) { d.Incremental.Cursor = "v" }, ""},
		"no cursor":     {nil, func(d *syncdef.Definition, _ *syncdef.Rules) { d.Incremental = nil }, ""},
		"changed rows":  {changed, func(d *syncdef.Definition, r *syncdef.Rules) { changed(d, r); mapped(d, r) }, ""},
		"no memory":     {changed, nil, ""},
		"stream":        {stream, func(d *syncdef.Definition, r *syncdef.Rules) { stream(d, r); mapped(d, r) }, "cdc"},
	} {
		for between, sent := range map[string]func(*world){
			"nothing":      func(*world) {},
			"plain pushes": func(w *world) { w.push(syncName, record{"a", 1, 10}); w.pass(5 * time.Minute) },
			"a whole run":  func(w *world) { w.complete("full", record{"a", 1, 10}) },
			"a cancelled run": func(w *world) {
				b := w.begin("", "broken off")
				w.push(b.Run, record{"a", 1, 10})
				w.work()
				_, err := w.control.Cancel(w.t.Context(), b.Run, "")
				w.ok(err)
				w.sweepOnce()
			},
			"removed": func(w *world) { w.ok(w.control.Remove(w.t.Context(), syncName)) },
		} {
			w := newWorld(t, c.first)
			w.complete("full", record{"a", 1, 10})
			w.apply(c.other)
			sent(w)
			w.apply(c.first)
			for n, want := range []bool{true, false} {
				b := w.begin(c.mode, fmt.Sprint("back", n))
				if got := b.Select == runs.All || b.Reason != ""; got != want {
					t.Errorf("%s, %s: begin %d answers %+v", name, between, n, b)
				}
				_, err := w.control.Cancel(t.Context(), b.Run, "")
				w.ok(err)
				w.complete("full", record{"a", 1, 10})
			}
		}
	}
}

// A run of all rows that was begun before another mapping came and went says nothing of
// what that one sent.
func TestTakenBackInARun(t *testing.T) {
	other := func(d *syncdef.Definition, _ *syncdef.Rules) { d.Fields[0].Destination = "Other__c" }
	for name, first := range map[string]bool{"the first": true, "a later one": false} {
		w := newWorld(t, nil)
		if !first {
			w.complete("", record{"a", 1, 10})
		}
		b := w.begin("full", "long")
		w.push(b.Run, record{"a", 1, 10})
		w.work()
		w.apply(other)
		w.push(syncName, record{"a", 1, 10})
		w.work()
		w.apply(nil)
		_, err := w.control.Finish(t.Context(), b.Run, 1)
		w.ok(err)
		w.sweepOnce()
		if r := w.run(b.Run); r.Status != run.Complete {
			t.Fatalf("%s: %+v", name, r)
		}
		if b := w.begin("", "back"); b.Select != runs.All {
			t.Errorf("%s: begin answers %+v", name, b)
		}
	}
}

// Of inserts nothing is selected anew.
func TestInsertsAreNotSelectedAnew(t *testing.T) {
	insert := func(d *syncdef.Definition, r *syncdef.Rules) {
		d.Operation, d.Strategy, d.Match, r.Once = syncdef.Insert, syncdef.MatchNone, syncdef.Match{}, true
	}
	w := newWorld(t, insert)
	w.complete("", record{"a", 1, 10})
	notes := w.apply(func(d *syncdef.Definition, r *syncdef.Rules) {
		insert(d, r)
		d.Fields[0].Destination, d.Object = "Other__c", "Contact"
	})
	if len(notes) != 1 || !strings.Contains(notes[0], "a key is sent once") {
		t.Errorf("apply says %q", notes)
	}
	if b := w.begin("", "t"); b.Select != runs.Since || b.Watermark != "10" {
		t.Errorf("begin answers %+v", b)
	}
}

// A row that fails holds the mark, so that the next run selects it again; once it
// is delivered the mark goes on.
func TestFailedBelowWatermark(t *testing.T) {
	w := newWorld(t, nil)
	w.vendor.refuses["a"] = true
	r := w.complete("", record{"a", 1, 10}, record{"b", 2, 20})
	if w.mark() != "10" || r.Outcome != run.Partial || len(r.Groups) != 1 || r.Groups[0].Type != "REFUSED" {
		t.Errorf("watermark %s, %s, groups %+v", w.mark(), r.Outcome, r.Groups)
	}
	w.vendor.refuses["a"] = false
	b := w.begin("", "next")
	if b.Watermark != "10" {
		t.Errorf("begin answers %+v", b)
	}
	w.push(b.Run, record{"a", 1, 10}, record{"b", 2, 20})
	w.work()
	_, err := w.control.Finish(t.Context(), b.Run, 2)
	w.ok(err)
	w.sweepOnce()
	if c := w.run(b.Run).Counts; w.mark() != "20" || c.Delivered != 1 || c.Unchanged != 1 {
		t.Errorf("watermark %s, %+v", w.mark(), c)
	}
}

// A row that took another one's place at intake and fails holds the mark for both.
func TestHoldOfSuperseded(t *testing.T) {
	w := newWorld(t, nil)
	w.vendor.refuses["a"] = true
	w.complete("", record{"a", 1, 10}, record{"a", 2, 40}, record{"b", 2, 30})
	if w.mark() != "10" {
		t.Errorf("watermark %s, want 10", w.mark())
	}
}

// A row that fails for longer than include_failed is left behind, and the run says so.
func TestLeftBehind(t *testing.T) {
	w := newWorld(t, func(d *syncdef.Definition, _ *syncdef.Rules) { d.Incremental.IncludeFailed = "2h" })
	w.vendor.refuses["a"] = true
	for hour := range 4 {
		r := w.complete("", record{"a", hour, 10}, record{"b", hour, 20 + hour})
		left, mark := int64(0), "10"
		if hour >= 2 {
			left, mark = 1, fmt.Sprint(20+hour-2)
		}
		if w.mark() != mark || r.LeftBehind != left {
			t.Errorf("hour %d: watermark %s, %d left behind; want %s and %d", hour, w.mark(), r.LeftBehind, mark, left)
		}
		w.now = w.now.Add(time.Hour)
	}
}

// Only rows below the mark are left behind: one of the same message that stands at it,
// or above, is selected again.
func TestLeftBehindIsExact(t *testing.T) {
	w := newWorld(t, func(d *syncdef.Definition, _ *syncdef.Rules) { d.Incremental.IncludeFailed = "2h" })
	for _, key := range []string{"a", "b", "c"} {
		w.vendor.refuses[key] = true
	}
	for hour := range 4 {
		r := w.complete("", record{"a", hour, 10}, record{"b", hour, 11}, record{"c", hour, 40}, record{"d", hour, 30})
		left := int64(0)
		if hour >= 2 {
			left = 2
		}
		if r.LeftBehind != left || r.Counts.Failed != 3 {
			t.Errorf("hour %d: watermark %s, %d left behind, want %d", hour, w.mark(), r.LeftBehind, left)
		}
		w.now = w.now.Add(time.Hour)
	}
}

// A plain push whose row fails lowers the mark, also when the run that selected the
// row ended before, or ends only afterwards.
func TestPlainPushLowers(t *testing.T) {
	t.Run("after the run", func(t *testing.T) {
		w := newWorld(t, nil)
		w.complete("", record{"a", 1, 10}, record{"b", 2, 20})
		w.vendor.refuses["a"] = true
		w.push(syncName, record{"a", 9, 15})
		w.pass(time.Minute)
		if w.mark() != "15" {
			t.Errorf("watermark %s, want 15", w.mark())
		}
	})
	t.Run("before it", func(t *testing.T) {
		w := newWorld(t, nil)
		w.complete("", record{"a", 1, 10})
		b := w.begin("", "open")
		w.vendor.refuses["a"] = true
		w.push(syncName, record{"a", 9, 5}) // of an older state of the model
		w.pass(time.Minute)
		if w.mark() != "5" {
			t.Errorf("watermark %s, want 5", w.mark())
		}
		w.push(b.Run, record{"b", 2, 20})
		w.work()
		_, err := w.control.Finish(t.Context(), b.Run, 1)
		w.ok(err)
		w.sweepOnce()
		if w.mark() != "5" {
			t.Errorf("watermark %s after the run that was open then, want 5", w.mark())
		}
		b = w.begin("", "next")
		w.vendor.refuses["a"] = false
		w.push(b.Run, record{"a", 9, 5}, record{"b", 2, 20})
		w.work()
		_, err = w.control.Finish(t.Context(), b.Run, 2)
		w.ok(err)
		w.sweepOnce()
		if w.mark() != "20" {
			t.Errorf("watermark %s after the next run, want 20", w.mark())
		}
	})
	t.Run("while there is no mark yet", func(t *testing.T) {
		w := newWorld(t, nil)
		b := w.begin("", "first")
		w.vendor.refuses["a"] = true
		w.push(b.Run, record{"b", 2, 20})
		w.push(syncName, record{"a", 9, 5})
		w.pass(time.Minute)
		_, err := w.control.Finish(t.Context(), b.Run, 1)
		w.ok(err)
		w.sweepOnce()
		if w.mark() != "5" {
			t.Errorf("watermark %s, want 5", w.mark())
		}
	})
}

// A run that holds lowers the mark once: the next complete run raises it, though the
// older run goes on.
func TestHoldIsNotRepeated(t *testing.T) {
	w := newWorld(t, nil)
	w.complete("", record{"a", 1, 10}, record{"b", 2, 20})
	w.vendor.refuses["a"] = true
	first, second := w.batch(syncName, "first", record{"a", 9, 15}), w.batch(syncName, "second", record{"c", 1, 16})
	second.Query = first.Query
	_, err := w.intake.Push(t.Context(), first)
	w.ok(err)
	w.work()
	w.sweepOnce()
	if w.mark() != "15" {
		t.Fatalf("watermark %s, want 15", w.mark())
	}
	w.vendor.refuses["a"] = false
	w.complete("", record{"a", 9, 15}, record{"b", 2, 20})
	_, err = w.intake.Push(t.Context(), second)
	w.ok(err)
	w.pass(5 * time.Minute)
	if w.mark() != "20" {
		t.Errorf("watermark %s, want 20", w.mark())
	}
}

// Reset clears the mark; a run that had selected since then does not set it.
func TestReset(t *testing.T) {
	w := newWorld(t, nil)
	w.complete("", record{"a", 1, 10})
	b := w.begin("", "open")
	w.ok(w.control.Reset(t.Context(), syncName))
	w.push(b.Run, record{"b", 2, 20})
	w.work()
	_, err := w.control.Finish(t.Context(), b.Run, 1)
	w.ok(err)
	w.sweepOnce()
	if r := w.run(b.Run); r.Status != run.Complete || w.mark() != "" {
		t.Errorf("%s, watermark %q", r.Status, w.mark())
	}
	if next := w.begin("", "next"); next.Select != runs.All {
		t.Errorf("begin answers %+v", next)
	}
}

// Another account starts an empty ledger: all rows are selected and sent.
func TestAcceptAccount(t *testing.T) {
	w := newWorld(t, nil)
	w.complete("", record{"a", 1, 10})
	_, err := w.control.AcceptAccount(t.Context(), "prod", "other")
	w.ok(err)
	if b := w.begin("", "t"); b.Select != runs.All {
		t.Errorf("begin answers %+v", b)
	}
}

// A row that came late by a retried batch holds the mark.
func TestLateBatchHolds(t *testing.T) {
	w := newWorld(t, nil)
	w.complete("", record{"a", 1, 10}, record{"b", 2, 20})
	late := w.batch(syncName, "late", record{"c", 3, 5})
	w.intake.Queue = refusing{w.store}
	if _, err := w.intake.Push(t.Context(), late); err == nil {
		t.Fatal("the queue refused")
	}
	w.intake.Queue = w.store
	if _, err := w.intake.Push(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute)
	if w.vendor.values["c"] != "3" || w.mark() != "5" {
		t.Errorf("the vendor holds %q, watermark %s, want 5", w.vendor.values["c"], w.mark())
	}
}
