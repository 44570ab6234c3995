package rawjson

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// quotedSeeds are strings as they stand in an event, good and bad.
var quotedSeeds = []string{
	`""`, `"a"`, `"plain and longer than a word of eight"`, `"1234567"`, `"12345678"`, `"123456789"`,
	`"{\"data\":[[0,\"a\",{\"b\":1}]]}"`, `"\\\/\b\f\n\r\t\""`, `"caf\u00e9 \u0000 \u2028"`, `"\ud83d\ude00"`, `"é😀"`,
	`"\ud83d"`, `"\ud83d\u0041"`, `"\ude00\ud83d"`, `"\ud83d\ude0"`, `"\u12"`, `"\u+123"`, `"\u12_3"`, `"\x"`, `"\U0041"`,
	`"cut off`, `"cut off\`, `"cut off\u00`, "\"tab\tinside\"", "\"\x00\"", "\"\x1f2345678\"", "\"\x7f\"", "\"\xff\"", "\"12345678\xc3\"", "\"\xed\xa0\x80\"",
	"\"1234567\x80\\n\"", `"12345678\"12345678\\12345678"`, `"` + strings.Repeat("é\\n", 100) + `"`, "\"" + strings.Repeat("\x22\x21\x23", 5),
}

// checkUnquote holds AppendUnquote's reading of a string against jsontext's.
func checkUnquote(t *testing.T, quoted []byte) {
	t.Helper()
	if len(quoted) == 0 || quoted[0] != '"' {
		return
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(quoted))
	v, wantErr := dec.ReadValue()
	var want []byte
	if wantErr == nil {
		var err error
		if want, err = jsontext.AppendUnquote(nil, v); err != nil {
			t.Fatal(err)
		}
	}
	got, n, err := AppendUnquote([]byte("kept"), quoted[1:])
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%q: error %v, jsontext's %v", quoted, err, wantErr)
	}
	if err != nil {
		return
	}
	if string(got) != "kept"+string(want) || n != len(v)-1 {
		t.Fatalf("%q: %q and %d bytes, jsontext's %q and %d", quoted, got, n, want, len(v)-1)
	}
	if text, ok := Text(v); !ok || text != string(want) {
		t.Fatalf("Text of %q: %q, %v", v, text, ok)
	}
}

func TestUnquoteIsJSONText(t *testing.T) {
	for _, s := range quotedSeeds {
		for pad := range 9 { // every offset within a word
			checkUnquote(t, []byte(`"`+strings.Repeat("x", pad)+s[1:]))
		}
		checkUnquote(t, []byte(s+`,"isBase64Encoded":false}`))
	}
	for c := range 256 { // every byte at every offset, plain and escaped
		for pad := range 9 {
			before := strings.Repeat("x", pad)
			checkUnquote(t, append(append([]byte(`"`+before), byte(c)), `12345678"`...))
			checkUnquote(t, append(append([]byte(`"`+before+`\`), byte(c)), `12345678"`...))
		}
	}
}

func FuzzUnquote(f *testing.F) {
	for _, s := range quotedSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(checkUnquote)
}

func checkQuote(t *testing.T, text []byte) {
	t.Helper()
	want, _ := jsontext.AppendQuote([]byte("kept"), text)
	if got := AppendQuote([]byte("kept"), text); !bytes.Equal(got, want) {
		t.Fatalf("%q: %q, jsontext's %q", text, got, want)
	}
}

func TestQuoteIsJSONText(t *testing.T) {
	for c := range 256 {
		for pad := range 9 {
			before := strings.Repeat("x", pad)
			checkQuote(t, append([]byte(before), byte(c)))
			checkQuote(t, append(append([]byte(before), byte(c), byte(c)), `12345678`...))
		}
	}
	for _, s := range quotedSeeds {
		checkQuote(t, []byte(s))
	}
}

func FuzzQuote(f *testing.F) {
	for _, s := range quotedSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(checkQuote)
}

func TestEscapesAreExact(t *testing.T) {
	for _, v := range []string{"", `"plain"`, `"qu\"ote \\ \n naïve ☃"`, "{\n\t\"spaced\": 1 }\r", `"\u001f"`, "\"\u2028\x7f<>&\"", "1234567\n", "12345678\n"} {
		for pad := range 9 {
			text := strings.Repeat(" ", pad) + v
			quoted, err := jsontext.AppendQuote(nil, text)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := len(text)+Escapes([]byte(text)), len(quoted)-2; got != want {
				t.Errorf("%q: %d, want %d", text, got, want)
			}
		}
	}
}
