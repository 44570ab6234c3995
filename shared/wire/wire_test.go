package wire

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/row"
)

// The SQL surface is a promise: names, order and what may be left out.
func TestSignatures(t *testing.T) {
	var got []string
	for i := range functions {
		got = append(got, functions[i].Signature())
	}
	want := []string{
		"penstock_push(sync or run, row)", "penstock_plan(sync, row)", "penstock_begin(sync [, mode])", "penstock_gate(run, verdict)", "penstock_finish(run, rows)", "penstock_cancel(run [, reason])",
		"penstock_retry(run [, selector])", "penstock_reset(sync)", "penstock_status(sync or run [, since] [, after])", "penstock_errors(run [, after] [, since])", "penstock_freshness(sync)", "penstock_syncs([after])",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestLookup(t *testing.T) {
	for name, want := range map[string]string{"penstock_push": Push, "PENSTOCK_PUSH": Push, "push": Push, "Syncs": Syncs, "": "", "penstock_": "", "pushed": "", "my_push": ""} {
		got := ""
		if f, ok := Lookup(name); ok {
			got = f.Name
		}
		if got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if m := Unknown().Message; !strings.Contains(m, Push) || !strings.Contains(m, Syncs) {
		t.Error(m)
	}
}

func TestArgumentsByName(t *testing.T) {
	retry, _ := Lookup(Retry)
	c := NewCall(retry, 3, jsontext.Value(`"s.r1"`), jsontext.Value(`{"type":"unknown"}`))
	if c.Number != 3 || c.Fault != nil || c.Text(Run) != "s.r1" || string(c.Value(Selector)) != `{"type":"unknown"}` || c.Text(Selector) != "" || c.Value(Sync) != nil {
		t.Errorf("%+v", c)
	}
	finish, _ := Lookup(Finish)
	for in, want := range map[string]int64{`12`: 12, `"12"`: 12, `1.5`: -1, `"x"`: -1, `null`: -1, `[1]`: -1} {
		n, ok := NewCall(finish, 0, jsontext.Value(`"r"`), jsontext.Value(in)).Int(RowCount)
		if !ok {
			n = -1
		}
		if n != want {
			t.Errorf("%s: %d, want %d", in, n, want)
		}
	}
	if c := NewCall(finish, 0); c.Fault == nil || c.Fault.Rule != "wrong_arguments" {
		t.Errorf("%+v", c)
	}
	if (Call{}).Text(Run) != "" {
		t.Error("a call of nothing has arguments")
	}
}

// A table without numbers counts its rows, and its other members are told.
func TestTableWithoutNumbers(t *testing.T) {
	var got []string
	table := Table{Key: "calls", Form: `{"calls":[[...],...]}`,
		Row: func(n int, args []jsontext.Value, _ *row.Fault) {
			line := string(rune('0' + n))
			for _, a := range args {
				line += " " + string(a)
			}
			got = append(got, line)
		},
		Member: func(name string, v jsontext.Value) { got = append(got, name+"="+string(v)) },
	}
	if err := table.Read(Scan([]byte(`{"requestId":"r","calls":[[1,"a"], [] ,[{"b":2}]],"sessionUser":"u"}`))); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{`requestId="r"`, `0 1 "a"`, `1`, `2 {"b":2}`, `sessionUser="u"`}, got); d != "" {
		t.Error(d)
	}
	for _, bad := range []string{`{"calls":[[,1]]}`, `{"calls":[[1,]]}`, `{"calls":[1]}`, `{"calls":[null]}`, `{"calls":[[]`, `{"data":[]}`} {
		if err := table.Read(Scan([]byte(bad))); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}

// Whose key it is that comes twice: the row's, or one inside a column, which may
// be data and is not named.
func TestDuplicateKeysAreToldByColumn(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":1,"a":2}`:                   `the key "a" comes twice`,
		`{"a":[{"b@c.d":1,"b@c.d":2}]}`:   `column "a" holds an object with one key twice`,
		`{"a":{"x":1,"x":2}}`:             `column "a" holds an object with one key twice`,
		`[{"x":1,"x":2}]`:                 `the row holds an object with one key twice`,
		`{"a":{"x":1,"y":2},"b":1,"a":2}`: `the key "a" comes twice`,
	} {
		_, fault := mend(jsontext.Value(in), 2)
		if fault == nil || fault.Rule != DuplicateKey || !strings.Contains(fault.Message, want) || strings.Contains(fault.Message, "b@c.d") {
			t.Errorf("%s: %v, want %s", in, fault, want)
		}
	}
}

// A word that JSON has no value for, as DuckDB's to_json and others write it, is that row's
// fault alone, and becomes null; where it is not all that is wrong, nothing is known.
func TestNotFiniteIsTold(t *testing.T) {
	for in, want := range map[string][2]string{
		`{"a":NaN}`:                         {`column "a" holds NaN`, `{"a":null}`},
		`{"a":1,"b":Infinity}`:              {`column "b" holds Infinity`, `{"a":1,"b":null}`},
		`{"b":-Infinity,"a":"NaN","c":inf}`: {`column "b" holds -Infinity`, `{"b":null,"a":"NaN","c":null}`},
		`{"a":{"x":[1,undefined,2]}}`:       {`column "a" holds undefined`, `{"a":{"x":[1,null,2]}}`},
		`NaN`:                               {`the row holds NaN`, `null`},
	} {
		v, fault := mend(jsontext.Value(in), 2)
		if fault == nil || fault.Rule != NotFinite || !strings.Contains(fault.Message, want[0]) || string(v) != want[1] {
			t.Errorf("%s: %s, %v, want %s", in, v, fault, want)
		}
	}
	for _, in := range []string{`{"a":Name}`, `{"a":"NaN","b":x}`, `{"a":1,}`, `{"a":NaN,}`, `{"a":NaN "b":1}`, `{NaN:1}`, `{"a":NaN1}`, `{"a":"NaN`} {
		if _, fault := mend(jsontext.Value(in), 2); fault == nil || fault.Rule != InvalidJSON || !strings.Contains(fault.Message, "not valid JSON") {
			t.Errorf("%s: %v", in, fault)
		}
	}
}

// A table wider than the check compares by itself is judged by jsontext once.
func TestScannerLearnsWideRows(t *testing.T) {
	var b strings.Builder
	for i := range 100 {
		b.WriteString(`,"` + strings.Repeat("c", i+1) + `":1`)
	}
	one := "{" + b.String()[1:] + "}"
	s := Scan([]byte(one + one))
	if s.check.Value(s.body, 0) >= 0 {
		t.Fatal("the row is not wide enough for this test")
	}
	_, end, fault := s.Value(0)
	if end != len(one) || fault != nil || s.check.Value(s.body, end) != 2*len(one) {
		t.Errorf("end %d, %v: the second row goes to jsontext, too", end, fault)
	}
}
