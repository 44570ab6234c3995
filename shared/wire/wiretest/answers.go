package wiretest

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
)

// calls checks that arguments arrive by name, whichever of them are left out.
func calls(t *testing.T, c Caller) {
	type named map[wire.Param]string
	for _, f := range []struct {
		function string
		args     []jsontext.Value
		want     named
	}{
		{wire.Begin, args(`"s"`, `"full"`), named{wire.Sync: "s", wire.Mode: "full"}},
		{wire.Begin, args(`"s"`, `null`), named{wire.Sync: "s", wire.Mode: ""}},
		{wire.Begin, args(`"s"`), named{wire.Sync: "s", wire.Mode: "", wire.Run: ""}},
		{wire.Finish, args(`"s.r1"`, `12`), named{wire.Run: "s.r1", wire.RowCount: "12"}},
		{wire.Finish, args(`"s.r1"`, `"9007199254740993"`), named{wire.Run: "s.r1", wire.RowCount: "9007199254740993"}},
		{wire.Cancel, args(`"s.r1"`, `"wrong \"model\""`), named{wire.Run: "s.r1", wire.Reason: `wrong "model"`}},
		{wire.Retry, args(`"s.r1"`), named{wire.Run: "s.r1", wire.Selector: ""}},
		{wire.Reset, args(`"s"`), named{wire.Sync: "s"}},
		{wire.Status, args(`"s.r1"`), named{wire.Target: "s.r1"}},
		{wire.Errors, args(`"s.r1"`, `"next"`), named{wire.Run: "s.r1", wire.After: "next"}},
		{wire.Syncs, args(), named{wire.Sync: ""}},
	} {
		other := args(`"other"`, `"other"`)[:len(f.args)]
		b := decode(t, c, c.Request("b-1", f.function, [][]jsontext.Value{f.args, other}))
		if b.Function != f.function || len(b.Rows) != 0 || len(b.Calls) != 2 || b.Calls[0].Number == b.Calls[1].Number {
			t.Errorf("%s: %+v", f.function, b)
			continue
		}
		for name, want := range f.want {
			call := b.Calls[0]
			if got := call.Text(name); got != want || call.Fault != nil || want == "" && call.Value(name) != nil {
				t.Errorf("%s: %s is %q, want %q (%v)", f.function, name, got, want, call.Fault)
			}
		}
	}
	b := decode(t, c, c.Request("b-1", wire.Finish, [][]jsontext.Value{args(`"s.r1"`)}))
	if len(b.Calls) != 1 || b.Calls[0].Fault == nil || b.Calls[0].Fault.Rule != "wrong_arguments" || !strings.Contains(b.Calls[0].Fault.Message, "penstock_finish(run, rows)") {
		t.Errorf("finish without rows: %+v", b.Calls)
	}
	r, err := c.Protocol.Reply(&b, args(`{"run":"s.r1"}`))
	if err != nil || string(values(t, c, r)[0]) != `{"run":"s.r1"}` {
		t.Errorf("the answer of a call: %s, %v", r.Body, err)
	}
}

func polls(t *testing.T, c Caller) {
	if c.Poll == nil {
		t.Skip("the caller does not poll")
	}
	b := decode(t, c, c.Poll("b-1", wire.Push))
	if !b.Poll || b.ID != c.id("b-1") || b.Function != wire.Push || b.Len() != 0 {
		t.Errorf("%+v", b)
	}
}

// answers are one of each kind, again and again.
func answers(n, message int) []row.Answer {
	all := make([]row.Answer, n)
	for i := range all {
		all[i] = row.Answer{Status: row.Queued, Run: "sf_health.q0123456789abcdef", RecordID: "cust \"1\"\n"}
		if i%2 == 1 {
			all[i] = row.Answer{Status: row.Rejected, RecordID: "é", Fault: &row.Fault{Field: "email", Rule: "not_an_email", Message: strings.Repeat(`say "x"`, message)}}
		}
	}
	return all
}

func many(n int) [][]jsontext.Value {
	rows := make([][]jsontext.Value, n)
	for i := range rows {
		rows[i] = args(`"s"`, `{}`)
	}
	return rows
}

// retries: the same request is the same batch, and the same answers are the same
// bytes, so that a caller that compares sees no difference.
func retries(t *testing.T, c Caller) {
	first, second := decode(t, c, c.Request("b-1", wire.Push, good)), decode(t, c, c.Request("b-1", wire.Push, good))
	if d := cmp.Diff(first, second); d != "" {
		t.Error(d)
	}
	other := decode(t, c, c.Request("b-2", wire.Push, good))
	if other.ID == first.ID {
		t.Errorf("two batches have the id %q", other.ID)
	}
	one, err1 := c.Protocol.Answer(&first, answers(len(good), 1))
	two, err2 := c.Protocol.Answer(&second, answers(len(good), 1))
	if d := cmp.Diff(one, two); d != "" || err1 != nil || err2 != nil {
		t.Errorf("%v, %v, %s", err1, err2, d)
	}
	var texts []string
	for _, v := range values(t, c, one) {
		texts = append(texts, string(v))
	}
	var want []string
	for _, a := range answers(len(good), 1) {
		want = append(want, string(a.AppendJSON(nil)))
	}
	if d := cmp.Diff(want, texts); d != "" {
		t.Error(d)
	}
}

// refusals: who made the mistake decides what the caller does.
func refusals(t *testing.T, c Caller) {
	const text = `there is no sync "a": applied are ["b"]`
	for kind, want := range map[row.RefusalKind]Reaction{row.Mistake: Fails, row.TooLarge: Fails, row.SlowDown: Waits, row.Failure: Retries} {
		cause := errors.New("cause")
		r, ours := c.Protocol.Fail(&row.Refusal{Kind: kind, Message: text, Err: cause})
		reaction, shown := c.React(r)
		if reaction != want || want == Fails && shown != text || (ours != nil) != (kind == row.Failure) {
			t.Errorf("kind %d: the caller %s and shows %q (%v); want: %s", kind, reaction, shown, ours, want)
		}
	}
	broken := errors.New("dynamodb: throttled, table secret-table")
	r, ours := c.Protocol.Fail(broken)
	if reaction, _ := c.React(r); reaction != Retries || !errors.Is(ours, broken) || bytes.Contains(r.Body, []byte("secret-table")) {
		t.Errorf("our own failure: the caller %s: %s, %v", reaction, r.Body, ours)
	}
	b := decode(t, c, c.Request("b-1", wire.Push, good))
	r, ours = c.Protocol.Answer(&b, answers(len(good)-1, 1))
	if reaction, _ := c.React(r); reaction != Retries || ours == nil {
		t.Errorf("an answer too few: the caller %s, %v", reaction, ours)
	}
}

// largeAnswers are shortened, and refused only where that does not do either.
func largeAnswers(t *testing.T, c Caller) {
	n := c.Limit / 500 // so many full answers fit, unless their messages are long
	b := decode(t, c, c.Request("b-1", wire.Push, many(n)))
	for _, message := range []int{1, 100, 1000} {
		r, err := c.Protocol.Answer(&b, answers(n, message))
		if err != nil {
			t.Fatal(err)
		}
		short := message > 1
		for i, v := range values(t, c, r) {
			want := answers(2, message)[i%2].AppendJSON(nil)
			if short {
				want = answers(2, message)[i%2].AppendShort(nil)
			}
			if !bytes.Equal(v, want) {
				t.Fatalf("row %d: %.200s, want %.200s", i, v, want)
			}
		}
	}
	field := strings.Repeat("f", 500)
	all := answers(n, 1)
	for i := range all {
		all[i].Fault = &row.Fault{Field: field, Rule: "r"}
	}
	r, err := c.Protocol.Answer(&b, all)
	if reaction, text := c.React(r); reaction != Fails || text == "" || err != nil {
		t.Errorf("answers that cannot be shortened: the caller %s: %q, %v", reaction, text, err)
	}
	calls := decode(t, c, c.Request("b-1", wire.Status, [][]jsontext.Value{args(`"s"`)}))
	r, err = c.Protocol.Reply(&calls, args(`"`+strings.Repeat("x", c.Limit)+`"`))
	if reaction, text := c.React(r); reaction != Fails || text == "" || err != nil {
		t.Errorf("a call's answer over the limit: the caller %s: %q, %v", reaction, text, err)
	}
}
