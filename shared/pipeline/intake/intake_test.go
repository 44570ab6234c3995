package intake_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// What a batch of rows is answered, stored and counted.
func TestPush(t *testing.T) {
	w := newWorld(t, nil)
	b := batch(syncName, "b", object("a", 1, "10"), object("b", `"x"`, "99"), object("a", 2, "20"), object("c", 3, "null"), `[]`)
	got := w.push(b)
	want := []string{"superseded", "rejected not_a_number", "queued", "queued", "rejected not_an_object"}
	for n, a := range got {
		s := string(a.Status)
		if a.Fault != nil {
			s += " " + a.Fault.Rule
		}
		if s != want[n] {
			t.Errorf("row %d: %s, want %s", n, s, want[n])
		}
	}
	if got[1].RecordID != "id-b" || got[1].Run != theRun {
		t.Errorf("a rejected row is answered with %q of %q", got[1].RecordID, got[1].Run)
	}
	p := w.pinned(theRun, syncName, "b")
	counts := run.Counts{Received: 5, Queued: 2, Rejected: 2, Superseded: 1, NoCursor: 1}
	if diff := cmp.Diff(counts, p.Counts); diff != "" {
		t.Error(diff)
	}
	if p.Cursor != "20" { // 99 is of a rejected row
		t.Errorf("greatest cursor %s, want 20", p.Cursor)
	}
	if p.Sequence == 0 || !p.Sent {
		t.Errorf("sequence %d, sent %v", p.Sequence, p.Sent)
	}
	e := w.errors(theRun)
	if len(e) != 2 || e[1].RecordID != "id-b" || e[1].Key != "b" || e[1].Stage != "intake" || e[1].Sequence != p.Sequence {
		t.Errorf("errors %+v", e)
	}
	keys := map[string]string{}
	for _, c := range w.messages() {
		for _, r := range c.Rows {
			keys[string(r.Object)] = string(r.Least)
		}
		if c.Late || c.Sequence != p.Sequence {
			t.Errorf("message late %v of sequence %d", c.Late, c.Sequence)
		}
	}
	if diff := cmp.Diff(map[string]string{object("a", 2, "20"): "10", object("c", 3, "null"): ""}, keys); diff != "" {
		t.Errorf("queued rows and what they superseded:\n%s", diff)
	}
}

// Names that lead nowhere fail the query when all rows have them.
func TestNowhere(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	w.ok(w.store.BeginRun(ctx, run.Run{ID: "accounts.r1", Sync: syncName, Bracketed: true, Status: run.Complete, Expected: 1}, ""))
	w.ok(w.store.BeginRun(ctx, run.Run{ID: "accounts.r2", Sync: syncName, Bracketed: true, Status: run.Cancelled, TakenBy: "accounts.r3"}, "accounts.r1"))
	for target, want := range map[string]string{
		"orders":        `there is no sync "orders": applied are ["accounts"]`,
		"accounts.r9":   `there is no run "accounts.r9"`,
		"accounts.r1":   `is complete and takes no more rows`,
		"accounts.r2":   `was taken over by run "accounts.r3"`,
		"accounts.q1~2": `there is no run`,
	} {
		_, err := w.intake.Push(ctx, batch(target, "b", object("a", 1, "1")))
		var refused *row.Refusal
		if !errors.As(err, &refused) || refused.Kind != row.Mistake || !strings.Contains(refused.Message, want) {
			t.Errorf("%s: %v, want %s", target, err, want)
		}
		mixed := batch(target, "m-"+target, object("a", 1, "1"))
		mixed.Rows = append(mixed.Rows, batch(syncName, "", object("z", 1, "1")).Rows...)
		mixed.Rows[1].Number = 1
		answers := w.push(mixed)
		if answers[0].Status != row.Rejected || answers[1].Status != row.Queued {
			t.Errorf("%s beside a good row: %s", target, text(answers))
		}
	}
	for n, value := range []string{"jane@corp.example", `{"email":"jane@corp.example","ssn":"123-45-6789"}`, "123-45-6789", strings.Repeat("jane ", 30)} {
		_, err := w.intake.Push(ctx, batch(value, fmt.Sprint("v", n), object("a", 1, "1")))
		var refused *row.Refusal
		if !errors.As(err, &refused) || strings.Contains(refused.Message, "jane") || strings.Contains(refused.Message, "123") || !strings.Contains(refused.Message, `there is no sync of such a name`) || !strings.Contains(refused.Message, `applied are ["accounts"]`) {
			t.Errorf("a value in the name's place: %v", err)
		}
	}
	nobody := batch("", "n", object("a", 1, "1"))
	if a := w.push(nobody); a[0].Status != row.Rejected || a[0].Fault.Rule != "unknown_sync" {
		t.Errorf("a row that names nothing: %s", text(a))
	}
	large := row.Batch{ID: "l", Rows: make([]row.Row, run.MaxRows+1)}
	var refused *row.Refusal
	if _, err := w.intake.Push(ctx, large); !errors.As(err, &refused) || refused.Kind != row.TooLarge {
		t.Errorf("too many rows: %v", err)
	}
}

// A sync that cannot be carried out keeps no row of another one in its request.
func TestUnusableBesideAGoodOne(t *testing.T) {
	w := newWorld(t, nil)
	v, err := w.store.Current(t.Context(), syncName)
	w.ok(err)
	v.Definition.Sync, v.Definition.Connection = "orders", "nowhere"
	w.ok(w.store.Apply(t.Context(), syncdef.NewVersion(v.Definition, v.Rules, w.now)))
	for _, names := range [][]string{{"orders", syncName}, {syncName, "orders"}} {
		b := batch(names[0], "b-"+names[0], object("a", 1, "1"))
		b.Rows = append(b.Rows, batch(names[1], "", object("b", 1, "1")).Rows...)
		b.Rows[1].Number = 1
		for n, a := range w.push(b) {
			if bad := names[n] == "orders"; bad != (a.Status == row.Rejected) || bad && (a.Fault.Rule != "unusable_sync" || !strings.Contains(a.Fault.Message, `connection "nowhere" is not stored`)) {
				t.Errorf("%s: %+v, %+v", names[n], a, a.Fault)
			}
		}
	}
	if n := len(w.messages()); n != 2 {
		t.Errorf("%d messages", n)
	}
}

// byRecord makes a definition one that matches nothing: its key is its record id.
func byRecord(d *syncdef.Definition, columns ...string) {
	d.Operation, d.Strategy, d.Match, d.RecordID = syncdef.Insert, syncdef.MatchNone, syncdef.Match{}, columns
}

// Two rows of a key in one batch, by what the definition and the destination say.
func TestDuplicates(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*syncdef.Definition, *syncdef.Rules)
		keys   []string
		want   string
	}{
		"the last one": {nil, []string{"a", "a", "b"}, "superseded queued queued"},
		"rejected": {func(d *syncdef.Definition, _ *syncdef.Rules) { d.OnDuplicate = syncdef.Reject },
			[]string{"a", "a", "b"}, "duplicate_key queued queued"},
		"rejected by a record id of two columns": {func(d *syncdef.Definition, _ *syncdef.Rules) {
			byRecord(d, "other", "key")
			d.OnDuplicate = syncdef.Reject
		}, []string{"a", "b", "a"}, "duplicate_key queued queued"},
		"a record id that differs in one of its columns": {func(d *syncdef.Definition, _ *syncdef.Rules) {
			byRecord(d, "key", "v")
			d.OnDuplicate = syncdef.Reject
		}, []string{"a", "a", "b"}, "queued queued queued"},
		"a match value beside a record id that differs": {func(d *syncdef.Definition, _ *syncdef.Rules) {
			d.RecordID, d.OnDuplicate = []string{"key", "v"}, syncdef.Reject
		}, []string{"a", "a", "b"}, "duplicate_key queued queued"},
		"case counts": {nil, []string{"a", "A"}, "queued queued"},
		"case does not": {func(_ *syncdef.Definition, r *syncdef.Rules) { r.Identity.Steps = []row.Step{row.StepLower} },
			[]string{"a", "A"}, "superseded queued"},
		"nobody knows": {func(_ *syncdef.Definition, r *syncdef.Rules) { r.Identity.CaseUnsure = true },
			[]string{"a", "A", "b", "b"}, "case_unsure case_unsure superseded queued"},
	} {
		w := newWorld(t, c.change)
		var objects []string
		for n, k := range c.keys {
			objects = append(objects, object(k, n, fmt.Sprint(n)))
		}
		var got []string
		for _, a := range w.push(batch(syncName, "b", objects...)) {
			if a.Fault != nil {
				got = append(got, a.Fault.Rule)
				continue
			}
			got = append(got, string(a.Status))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: %s, want %s", name, s, c.want)
		}
		for n, e := range w.errors(theRun) {
			if strings.Contains(e.Message, `"`+c.keys[n]+`"`) {
				t.Errorf("%s: the message quotes the key: %s", name, e.Message)
			}
		}
	}
}

// Rows that are rejected as duplicates move no watermark either.
func TestCursorOfRejectedDuplicate(t *testing.T) {
	w := newWorld(t, func(d *syncdef.Definition, _ *syncdef.Rules) { d.OnDuplicate = syncdef.Reject })
	w.push(batch(syncName, "b", object("a", 1, "90"), object("a", 2, "20")))
	if got := w.pinned(theRun, syncName, "b").Cursor; got != "20" {
		t.Errorf("greatest cursor %s, want 20", got)
	}
}

// Implausible cursors are left out and counted.
func TestCursors(t *testing.T) {
	w := newWorld(t, nil)
	w.push(batch(syncName, "b",
		object("a", 1, `"2026-01-05T11:00:00Z"`), object("b", 1, `"2026-01-05 12:30:00+02:00"`),
		object("c", 1, `"2099-12-31 00:00:00"`), object("d", 1, `"infinity"`), object("e", 1, `null`), object("f", 1, `true`)))
	p := w.pinned(theRun, syncName, "b")
	if p.Cursor != `"2026-01-05T11:00:00Z"` || p.Counts.NoCursor != 4 {
		t.Errorf("greatest cursor %s, %d without one; want 11:00Z and 4", p.Cursor, p.Counts.NoCursor)
	}
}

// A text beside a timestamp is no cursor, though the timestamp moves nothing either.
func TestCursorTexts(t *testing.T) {
	for name, c := range map[string]struct {
		objects []string
		want    run.Batch
	}{
		"beside a timestamp": {[]string{object("a", 1, `"n/a"`), object("b", 1, `"2026-01-05T11:00:00Z"`), object("c", 1, `"31.12.2099"`)},
			run.Batch{Cursor: `"2026-01-05T11:00:00Z"`, Counts: run.Counts{NoCursor: 2}}},
		"beside a future": {[]string{object("a", 1, `"n/a"`), object("b", 1, `"Thu, 31 Dec 2099 00:00:00 GMT"`)},
			run.Batch{Told: run.TimestampCursor, Counts: run.Counts{NoCursor: 2}}},
		"beside a rejected one": {[]string{object("a", 1, `"n/a"`), `{"id":null,"v":1,"at":"2026-01-05T11:00:00Z"}`},
			run.Batch{Told: run.TimestampCursor, Counts: run.Counts{NoCursor: 1}}},
		"alone": {[]string{object("a", 1, `"n/a"`), object("b", 1, `"7"`)},
			run.Batch{Cursor: `"n/a"`, Texts: &run.Texts{Rows: 1, Numerals: 1, Numeral: `"7"`}}},
	} {
		w := newWorld(t, nil)
		w.push(batch(syncName, "b", c.objects...))
		p := w.pinned(theRun, syncName, "b")
		got := run.Batch{Cursor: p.Cursor, Told: p.Told, Texts: p.Texts, Counts: run.Counts{NoCursor: p.Counts.NoCursor}}
		if !cmp.Equal(got, c.want) {
			t.Errorf("%s: %s %s %+v, %d without one", name, got.Cursor, got.Told, got.Texts, got.Counts.NoCursor)
		}
	}
}

// While the queue is too full, and half full of a paused connection's rows, the
// warehouse is asked to wait; a batch that was pinned before is answered all the same.
func TestFullQueue(t *testing.T) {
	w := newWorld(t, nil)
	first := batch(syncName, "first", object("a", 1, "1"))
	answered := w.push(first)
	for name, c := range map[string]struct {
		depth  int
		paused bool
		want   string
	}{
		"room":               {run.MaxDepth / 2, true, ""},
		"half full":          {run.MaxDepth, false, ""},
		"half full, paused":  {run.MaxDepth/2 + 1, true, `connection "prod" is paused since 2026-01-05T11:00:00Z (login refused)`},
		"full":               {run.MaxDepth + 1, false, "holds 60001 messages"},
		"full and paused":    {run.MaxDepth + 1, true, "holds 60001 messages"},
		"nearly, not paused": {run.MaxDepth - 1, false, ""},
	} {
		w.boot()
		w.intake.Queue = deep{w.mortal, c.depth}
		w.intake.Connections = paced{w.mortal, c.paused}
		_, err := w.intake.Push(t.Context(), batch(syncName, name, object("b", 1, "1")))
		var refused *row.Refusal
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (!errors.As(err, &refused) || refused.Kind != row.SlowDown || !strings.Contains(refused.Message, c.want)):
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		if got := text(w.push(first)); got != text(answered) {
			t.Errorf("%s: a retry is answered %s", name, got)
		}
	}
}

// Rows of a cancelled run are answered blocked, counted and stored, with record id
// and source.
func TestBlocked(t *testing.T) {
	w := newWorld(t, nil)
	w.push(batch(syncName, "b1", object("a", 1, "1")))
	w.status(theRun, func(r *run.Run) { r.Status, r.Reason = run.Cancelled, "a row failed" })
	b := batch(syncName, "b2", object("b", 1, "1"), object("c", `"x"`, "1"))
	got := w.push(b)
	for n, a := range got {
		if a.Status != row.Blocked || a.Fault.Rule != "run_cancelled" || !strings.Contains(a.Fault.Message, "a row failed") {
			t.Errorf("row %d: %s", n, a.AppendJSON(nil))
		}
	}
	if again := text(w.push(b)); again != text(got) {
		t.Errorf("a retry is answered\n%s\nwant\n%s", again, text(got))
	}
	e := w.errors(theRun)
	if len(e) != 2 || e[0].RecordID != "id-b" || e[0].Type != "run_cancelled" || len(e[0].Source) == 0 {
		t.Errorf("errors %+v", e)
	}
	p := w.pinned(theRun, syncName, "b2")
	if p.Counts != (run.Counts{Received: 2, Blocked: 2}) || p.Cursor != "" {
		t.Errorf("counted %+v, cursor %q", p.Counts, p.Cursor)
	}
}

// What of a row's source is stored.
func TestStoredSource(t *testing.T) {
	for _, c := range []struct {
		store syncdef.StoreSource
		want  string
	}{
		{syncdef.StoreNone, ""},
		{"", `{"id":"id-a","key":"a","v":"x","at":1}`},
		{syncdef.StoreMapped, `{"id":"id-a","key":"a","v":"x","at":1}`},
		{syncdef.StoreAll, object("a", `"x"`, "1")},
	} {
		w := newWorld(t, func(d *syncdef.Definition, _ *syncdef.Rules) { d.StoreSource = c.store })
		w.push(batch(syncName, "b", object("a", `"x"`, "1")))
		if got := string(w.errors(theRun)[0].Source); got != c.want {
			t.Errorf("store_source %q: %s, want %s", c.store, got, c.want)
		}
	}
}

// More reasons than a batch item keeps apart share one answer, the same at a retry;
// each row's error has its own.
func TestManyFaults(t *testing.T) {
	w := newWorld(t, func(d *syncdef.Definition, _ *syncdef.Rules) {
		d.Fields = nil
		for n := range 2 * run.MaxFaults {
			d.Fields = append(d.Fields, syncdef.Field{Source: fmt.Sprintf("c%d", n), Destination: fmt.Sprintf("F%d", n), Type: syncdef.Number, OnNull: syncdef.ClearNull})
		}
	})
	var objects []string
	for n := range 2 * run.MaxFaults {
		var o strings.Builder
		fmt.Fprintf(&o, `{"id":"%d","key":"%d","at":1`, n, n)
		for f := range 2 * run.MaxFaults {
			v := "1"
			if f == n {
				v = `"x"`
			}
			fmt.Fprintf(&o, `,"c%d":%s`, f, v)
		}
		objects = append(objects, o.String()+"}")
	}
	b := batch(syncName, "b", objects...)
	errs := w.intake.Errors
	w.intake.Errors = forgetful{} // at first: the retry stores them
	if _, err := w.intake.Push(t.Context(), b); err == nil {
		t.Fatal("the errors were stored")
	}
	w.intake.Errors = errs
	got := w.push(b)
	if again := text(w.push(b)); again != text(got) {
		t.Error("a retry is answered otherwise")
	}
	last := len(objects) - 1
	if got[last].Fault.Rule != "too_many_faults" || got[0].Fault.Rule != "not_a_number" {
		t.Errorf("first %+v, last %+v", got[0].Fault, got[last].Fault)
	}
	if e := w.errors(theRun)[last]; e.Type != "not_a_number" || e.Field != fmt.Sprintf("c%d", last) {
		t.Errorf("the last row's error is %+v", e)
	}
	if n := len(w.pinned(theRun, syncName, "b").Faults); n > run.MaxFaults {
		t.Errorf("%d faults are pinned", n)
	}
}

type deep struct {
	*mortal
	depth int
}

type paced struct {
	*mortal
	paused bool
}

func (p paced) state() pace.State {
	if !p.paused {
		return pace.State{}
	}
	return pace.State{}.Fail(noon.Add(-time.Hour), 0, "login", "login refused")
}
