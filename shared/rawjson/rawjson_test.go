package rawjson

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

// nested is an array or object of so many levels.
func nested(levels int, before, inner, after string) string {
	return strings.Repeat(before, levels) + inner + strings.Repeat(after, levels)
}

func TestEnds(t *testing.T) {
	for _, c := range []struct {
		in      string
		at      int
		want    int // ValueEnd
		extent  int
		deepest int
	}{
		{`"a\"b" x`, 0, 6, 6, 0},
		{`"a\\" x`, 0, 5, 5, 0},
		{`"12345678\u0022" x`, 0, 16, 16, 0},
		{`"cut`, 0, -1, -1, 0},
		{`"cut\`, 0, -1, -1, 0},
		{`"1234567\`, 0, -1, -1, 0},
		{`12,`, 0, 2, 2, 0},
		{`-1.5e3]`, 0, 6, 6, 0},
		{`true}`, 0, 4, 4, 0},
		{`null`, 0, 4, 4, 0},
		{`[1,[2],{"a":"]"}],`, 0, 17, 17, 2},
		{`{"a":{"}":"{"}} `, 0, 15, 15, 2},
		{`[1`, 0, -1, -1, 1},
		{`{"a":"x`, 0, -1, -1, 1},
		{`,`, 0, -1, -1, 0},
		{``, 0, -1, -1, 0},
		{`[1] 2`, 4, 5, 5, 0},
		{`[1]`, 3, -1, -1, 0},
		{nested(MaxDepth, "[", "", "]"), 0, 2 * MaxDepth, 2 * MaxDepth, MaxDepth},
		{nested(MaxDepth+1, "[", "", "]"), 0, -1, 2*MaxDepth + 2, MaxDepth + 1},
		{nested(200_000, `{"a":`, "1", "}"), 0, -1, 200_000*6 + 1, 200_000},
	} {
		name := c.in
		if len(name) > 30 {
			name = name[:30]
		}
		if got := ValueEnd([]byte(c.in), c.at); got != c.want {
			t.Errorf("ValueEnd %q: %d, want %d", name, got, c.want)
		}
		if got, deepest := Extent([]byte(c.in), c.at); got != c.extent || deepest != c.deepest {
			t.Errorf("Extent %q: %d, %d levels, want %d, %d", name, got, deepest, c.extent, c.deepest)
		}
	}
}

func TestWalker(t *testing.T) {
	for _, c := range []struct {
		in    string
		array bool
		want  []string
		fails bool
	}{
		{in: `{}`},
		{in: ` { } `},
		{in: "{\"a\":1,\n\t\"b\" : [1,{\"c\":2}] , \"\":null}", want: []string{`a=1`, `b=[1,{"c":2}]`, `=null`}},
		{in: `[]`, array: true},
		{in: `[1, "two",[3] ]`, array: true, want: []string{`=1`, `="two"`, `=[3]`}},
		{in: `[1]`, fails: true},
		{in: `{"a":1}`, array: true, fails: true},
		{in: `{"a":1`, want: []string{`a=1`}, fails: true},
		{in: `{"a":1,}`, want: []string{`a=1`}, fails: true},
		{in: `{"a":1 "b":2}`, want: []string{`a=1`}, fails: true},
		{in: `{"a"}`, fails: true},
		{in: `{"a`, fails: true},
		{in: `{a:1}`, fails: true},
		{in: `{,}`, fails: true},
		{in: `{"a":1} x`, want: []string{`a=1`}, fails: true},
		{in: ``, fails: true},
		{in: `{"a":` + nested(MaxDepth+1, "[", "", "]") + `}`, fails: true},
	} {
		w := Members([]byte(c.in))
		if c.array {
			w = Elements([]byte(c.in))
		}
		var got []string
		for w.Next() {
			got = append(got, string(w.Name())+"="+string(w.Value()))
		}
		if d := cmp.Diff(c.want, got); d != "" || (w.Err() != nil) != c.fails || w.Next() {
			t.Errorf("%.40s: error %v\n%s", c.in, w.Err(), d)
		}
	}
}

// inside writes what walks that Into begins find, at all levels.
func inside(w *Walker) (s string) {
	for w.Next() {
		s += string(w.Quoted())
		in := w.Into()
		if in.Err() != nil {
			s += string(w.Value()) + " "
			continue
		}
		s += "(" + inside(&in) + ")"
		w.Leave(&in)
	}
	return s
}

func TestInto(t *testing.T) {
	for _, c := range []struct {
		in, want string
		fails    bool
	}{
		{in: `[]`, want: ``},
		{in: ` [ 1 , [ ] , {} ,[[2], 3 ] ] `, want: `1 ()()((2 )3 )`},
		{in: `[{"a":1,"b":{"c":[true]}},"]"]`, want: `("a"1 "b"("c"(true )))"]" `},
		{in: `[[1]x]`, want: `(1 )`, fails: true},
		{in: `[[1}]`, want: `(1 )`, fails: true},
		{in: `[[1,[2]`, want: `(1 (2 ))`, fails: true},
		{in: `[[1] 2`, want: `(1 )`, fails: true},
	} {
		w := Elements([]byte(c.in)).AnyDepth()
		if got := inside(&w); got != c.want || (w.Err() != nil) != c.fails {
			t.Errorf("%s: %s, want %s; error %v", c.in, got, c.want, w.Err())
		}
	}
}

// TestIntoLeft: a walk that is left before its end, or not begun, costs its level nothing.
func TestIntoLeft(t *testing.T) {
	w := Members([]byte(`{"a":[1,[2,3]],"b":{"c":4},"d":5}`)).AnyDepth()
	w.Next()
	in := w.Into()
	in.Next()
	w.Leave(&in)
	if string(w.Value()) != `[1,[2,3]]` || !w.Next() || !w.Next() || string(w.Value()) != "5" || w.Next() || w.Err() != nil {
		t.Errorf("at %s %s: %v", w.Name(), w.Value(), w.Err())
	}
}

func TestMembersByName(t *testing.T) {
	b := []byte(`{"caf\u00e9":1,"plain":2,"plain":3,"x\":":4}`)
	for name, want := range map[string]string{"café": "1", "plain": "2", `x":`: "4", `caf\u00e9`: "", "none": ""} {
		if got := Get(b, name); string(got) != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if Get([]byte(`[1]`), "a") != nil {
		t.Error("an array has no members")
	}
}

func TestWalkingDoesNotAllocate(t *testing.T) {
	b := []byte(`{"a":1,"b":{"c":[1,2,3]},"d":"text"}`)
	n := 0
	if got := testing.AllocsPerRun(100, func() {
		for w := Members(b); w.Next(); {
			if w.Named("b") || len(w.Value()) == 1 {
				n++
			}
		}
	}); got != 0 || n == 0 {
		t.Errorf("%v allocations", got)
	}
}

func TestScalars(t *testing.T) {
	for _, c := range []struct {
		in, scalar string
		n          int64
		isInt      bool
	}{
		{`"caf\u00e9 \ud83d\ude00"`, "café 😀", 0, false},
		{`"plain"`, "plain", 0, false},
		{`"42"`, "42", 42, true},
		{`9007199254740993`, "9007199254740993", 9007199254740993, true},
		{`-7`, "-7", -7, true},
		{`1.0`, "1.0", 0, false},
		{`1e3`, "1e3", 0, false},
		{`9223372036854775808`, "9223372036854775808", 0, false},
		{`true`, "true", 0, false},
		{`null`, "", 0, false},
		{`{"a":1}`, "", 0, false},
		{`[1]`, "", 0, false},
		{`"\ud800"`, "", 0, false},
		{"\"\xff\"", "", 0, false},
		{`"cut`, "", 0, false},
		{``, "", 0, false},
	} {
		if got := Scalar([]byte(c.in)); got != c.scalar {
			t.Errorf("Scalar %s: %q", c.in, got)
		}
		if n, ok := Int([]byte(c.in)); ok != c.isInt || ok && n != c.n {
			t.Errorf("Int %s: %d, %v", c.in, n, ok)
		}
	}
	for in, want := range map[string][2]bool{`true`: {true, true}, `false`: {false, true}, `"true"`: {}, `1`: {}, ``: {}} {
		if v, ok := Bool([]byte(in)); v != want[0] || ok != want[1] {
			t.Errorf("Bool %s: %v, %v", in, v, ok)
		}
	}
	for _, in := range []string{``, `1`, `"`, `"a`, `"a"b`, `"a""`, "\"a\x01\"", `"\x"`} {
		if s, ok := Text([]byte(in)); ok {
			t.Errorf("Text %s: %q", in, s)
		}
	}
}

func TestAppendMember(t *testing.T) {
	b := AppendMember([]byte(`[{`), "status", "queued")
	b = AppendMember(b, "na\"me", "line\nbreak \xff ☃")
	b = append(AppendName(b, "raw"), "12}"...)
	if got, want := string(b), `[{"status":"queued","na\"me":"line\nbreak `+"\uFFFD"+` ☃","raw":12}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// valid is the judge.
func valid(b []byte) bool { return jsontext.Value(b).IsValid() }

func TestCheckerIsNeverSureOfWhatJsontextRefuses(t *testing.T) {
	names := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(`"c` + strings.Repeat("x", i) + `":1,`)
		}
		return "{" + strings.TrimSuffix(b.String(), ",") + "}"
	}
	for _, c := range []struct {
		in   string
		sure bool
	}{
		{`{"a":1,"b":"x","c":null,"d":[true,false,-0.5e-3,{"a":1}],"e":{}}`, true},
		{` [ ] `, true}, {`{}`, true}, {`"caf\u00e9 \ud83d\ude00 \/\b"`, true}, {`0`, true}, {`-0`, true}, {`[[],[[]],{}]`, true},
		{nested(MaxDepth, "[", "", "]"), true},
		{nested(MaxDepth, `{"a":`, "1", "}"), true},
		{names(maxNames), true},
		// refused, or left to jsontext
		{nested(MaxDepth+1, "[", "", "]"), false},
		{nested(MaxDepth+1, `{"a":`, "1", "}"), false},
		{names(maxNames + 1), false},
		{`{"a":1,"a":2}`, false}, {`{"x":{"a":1,"b":2,"a":3}}`, false}, {`{"a":1,"\u0061":2}`, false}, {`{"\u0061":2}`, false},
		{`"\ud800"`, false}, {`"\ud800\u0041"`, false}, {`"\udc00\ud800"`, false}, {`"\x"`, false}, {`"\u12g4"`, false}, {`"\u12`, false},
		{"\"\x01\"", false}, {"\"\xff\"", false}, {`"a`, false}, {`"a\`, false},
		{`01`, false}, {`-`, false}, {`1.`, false}, {`.5`, false}, {`1e`, false}, {`1e+`, false}, {`+1`, false}, {`NaN`, false}, {`tru`, false}, {`nul`, false},
		{`[1,]`, false}, {`[,1]`, false}, {`[1 2]`, false}, {`[1`, false}, {`[`, false}, {`[}`, false}, {`{]`, false}, {`[1}`, false}, {`{"a":1]`, false},
		{`{`, false}, {`{"a"`, false}, {`{"a":`, false}, {`{"a":}`, false}, {`{"a":1,}`, false}, {`{,"a":1}`, false}, {`{"a" 1}`, false}, {`{a:1}`, false}, {`{1:2}`, false},
		{`{"a":]`, false}, {`[{"a":1,"b"}]`, false}, {`1 2`, false}, {``, false}, {` `, false}, {`]`, false}, {`,`, false}, {`[1]]`, false},
	} {
		var k Checker
		got := k.Sure([]byte(c.in))
		if got != c.sure {
			t.Errorf("%.40q: %v, want %v", c.in, got, c.sure)
		}
		if got && !valid([]byte(c.in)) {
			t.Errorf("%.40q: sure, but jsontext refuses it", c.in)
		}
	}
}

// The memory of earlier rows must never hide a duplicate in a later one.
func TestCheckerRemembersNames(t *testing.T) {
	var k Checker
	for _, c := range []struct {
		in   string
		sure bool
	}{
		{`{"a":1,"b":2,"c":3}`, true},
		{`{"a":1,"b":2,"c":3}`, true},
		{`{"a":1,"c":3}`, true},
		{`{"b":1}`, true},
		{`{"a":1,"b":2,"b":3}`, false},
		{`{"a":1,"a":2,"c":3}`, false},
		{`{"c":1,"a":2,"c":3}`, false},
		{`{"a":1,"b":2,"c":3,"a":4}`, false},
		{`{"c":1,"b":2,"a":3}`, true},
		{`{"a":1,"b":2,"c":3}`, true},
		{`{"x":1,"b":2,"b":3}`, false},
		{`{"a":{"c":1,"c":2}}`, false},
		{`{"a":{"a":1,"b":2},"b":1,"c":[{"a":1},{"a":1}]}`, true},
	} {
		if got := k.Sure([]byte(c.in)); got != c.sure || got && !valid([]byte(c.in)) {
			t.Errorf("%s: %v, want %v", c.in, got, c.sure)
		}
	}
}

func TestCheckerLearnsWideRows(t *testing.T) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i := range 300 {
		b.WriteString(`"column_` + strings.Repeat("x", i) + `":1,`)
	}
	b.WriteString(`"last":1}`)
	var k Checker
	if k.Sure(b.Bytes()) {
		t.Fatal("sure of 301 names that it has not seen")
	}
	k.Learn(b.Bytes())
	if !k.Sure(b.Bytes()) {
		t.Error("not sure of the names that it learned")
	}
	twice := bytes.Replace(b.Bytes(), []byte(`"last":`), []byte(`"column_":`), 1)
	if k.Sure(twice) {
		t.Error("a name that comes twice in a wide row is taken")
	}
	k.Learn([]byte(`{"a":1,"\u0061":2}`))
	if len(k.layout) != 0 {
		t.Error("a name with an escape was learned")
	}
}

func FuzzChecker(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":[null,"x\n\ud83d\ude00"]}`), []byte(`{"a":2,"b":{"c":-1.5e+3}}`))
	f.Add([]byte(`{"a":1,"b":2}`), []byte(`{"b":1,"b":2}`))
	f.Add([]byte(`[[[]]]`), []byte("\"\xff\""))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var k Checker
		for _, b := range [][]byte{first, second, first, second} {
			if k.Sure(b) && !valid(b) {
				t.Fatalf("sure of %q, but jsontext refuses it", b)
			}
			// What jsontext accepts and looks ordinary must be known, or the check is no use.
			if valid(b) && !bytes.ContainsAny(b, `{\`) && !k.Sure(b) {
				if end, deepest := Extent(b, Space(b, 0)); end < 0 || deepest <= MaxDepth {
					t.Fatalf("not sure of %q", b)
				}
			}
		}
	})
}

// On valid JSON the walkers find exactly what jsontext finds; on anything else
// they stay in bounds.
func FuzzWalk(f *testing.F) {
	for _, s := range []string{`{"a":1,"b\"":{"c":[1,"]"]}}`, `[1,[2,{}],"\\"]`, `"\u00e9"`, `{"a":`, `[1,,2]`, `{"":"",` + "\n" + `"x":-0}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		i := Space(b, 0)
		end := ValueEnd(b, i)
		if far, deepest := Extent(b, i); deepest <= MaxDepth && far != end || end > len(b) {
			t.Fatalf("%q ends at %d and at %d", b, end, far)
		}
		object, elements := Members(b), Elements(b)
		var got []string
		for object.Next() {
			got = append(got, string(object.Name()), string(object.Value()))
		}
		for elements.Next() {
			got = append(got, string(elements.Value()))
		}
		lazy := Elements(b).AnyDepth()
		inside(&lazy)
		if !valid(b) || end < 0 {
			return
		}
		if b[i] == '[' && lazy.Err() != nil {
			t.Fatalf("%q: %v", b, lazy.Err())
		}
		if Space(b, end) != len(b) {
			t.Fatalf("%q ends at %d", b, end)
		}
		if d := cmp.Diff(reference(b), got); d != "" {
			t.Fatalf("%q: %s", b, d)
		}
	})
}

// reference lists the parts of a value by jsontext.
func reference(b []byte) (parts []string) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(b))
	kind := dec.PeekKind()
	if kind != '{' && kind != '[' {
		return nil
	}
	_, _ = dec.ReadToken()
	for k := dec.PeekKind(); k != '}' && k != ']'; k = dec.PeekKind() {
		v, _ := dec.ReadValue()
		s := string(v)
		if kind == '{' && len(parts)%2 == 0 {
			s = s[1 : len(s)-1]
		}
		parts = append(parts, s)
	}
	return parts
}
