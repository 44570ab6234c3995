package rawjson

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// unfolded is what an Unfolder that learnt an object makes of a string.
func unfolded(learn, body string) (text string, end int) {
	var u Unfolder
	u.Learn([]byte(learn))
	dst, end := u.Object(make([]byte, 3, len(body)+16), []byte(body), 0)
	return string(dst[3:]), end
}

func TestUnfoldsWhatItKnows(t *testing.T) {
	const learn = `{"id":1,"name":"x","n":null}`
	for _, text := range []string{
		`{"id":9007199254740993,"name":"ACME","n":null}`, `{"id":-1.50e+3,"name":"","n":true}`, `{"name":"é ☃ 😀"}`, `{"id":0}`,
		`{"name":"a \"quoted\" one, \\ and\n\t\/ more than a word of it","n":false}`, `{"n":"\""}`, `{"n":"\\"}`,
	} {
		body := string(AppendQuote(nil, text))
		got, end := unfolded(learn, body+",0]")
		if got != text || end != len(body) {
			t.Errorf("%s: %s, end %d of %d", body, got, end, len(body))
		}
	}
	for _, text := range []string{
		`{}`, `{"name":"x","id":1}`, `{"id":1,"id":1}`, `{"id":1,"other":2}`, `{"ID":1}`, `{"id":[1]}`, `{"id":{"name":1}}`, `{"id": 1}`, ` {"id":1}`, `{"id":1}}`, `{"id":1,}`,
		`{"id":01}`, `{"id":NaN}`, `{"name":"\u00e9"}`, `{"name":"\x"}`, `{"name":"x}`, `{"id":1`, `{"id"`, `{"name":x"}`, "{\"name\":\"a\x01\"}", `{"name":"\`, `[1]`, ``,
	} {
		if got, end := unfolded(learn, string(AppendQuote(nil, text))+",0]"); end != -1 || got != "" {
			t.Errorf("%s: %q, end %d; it is not for an Unfolder", text, got, end)
		}
	}
	if _, end := unfolded(`{"a\u0062":1}`, `"{\"ab\":1}"   `); end != -1 {
		t.Error("names with escapes are not compared")
	}
}

// An Unfolder is never sure of what is not so.
func FuzzUnfold(f *testing.F) {
	for _, seed := range []string{
		`"{\"id\":1,\"name\":\"x\"}"`, `"{\"id\":1,\"name\":\"\\\\\\\"\\n\"}"`, `"{\"name\":\"\\\\\"}"`, `"{\"id\":-0.5e1}" `, `"{\"id\":\"\u0041\"}"`, `"{\"id\":1,\"id\":1}"`, `"{\"name\":\"a"b\"}"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var u Unfolder
		u.Learn([]byte(`{"id":1,"name":"x","n":null}`))
		kept := bytes.Clone(body)
		got, end := u.Object(make([]byte, 0, len(body)+8), body, 0)
		if !bytes.Equal(kept, body) {
			t.Fatal("the body was changed")
		}
		if end < 0 {
			return
		}
		text, n, err := AppendUnquote(nil, body[1:])
		if !utf8.Valid(body) {
			return // whoever calls has looked
		}
		if err != nil || n+1 != end || !bytes.Equal(text, got) || !jsontext.Value(got).IsValid() || jsontext.Value(got).Kind() != '{' {
			t.Fatalf("%q: %q, end %d; unquoted it is %q, end %d, %v", body, got, end, text, n+1, err)
		}
	})
}
