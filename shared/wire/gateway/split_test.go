package gateway

import (
	"io"
	"strings"
	"testing"
)

// The body may stand anywhere in the event, and only its own is taken out.
func TestSplit(t *testing.T) {
	for _, c := range []struct{ raw, body, rest string }{
		{`{"body":"a\"b","httpMethod":"GET"}`, `a"b`, `{"body":null,"httpMethod":"GET"}`},
		{`{"x":{"body":"no"},"b\u006fdy" : "yes" ,"y":1}`, `yes`, `{"x":{"body":"no"},"b\u006fdy" : null ,"y":1}`},
		{`{"body":null,"y":1}`, ``, `{"body":null,"y":1}`},
		{`{"y":["body","x"]}`, ``, `{"y":["body","x"]}`},
		{`["body","x"]`, ``, `["body","x"]`},
		{`{"body":"a","body":"b"}`, `a`, `{"body":null,"body":"b"}`},
	} {
		body, rest, err := new(Decoder).split([]byte(c.raw))
		if err != nil || string(body) != c.body || string(rest) != c.rest {
			t.Errorf("%s: %q, %s, %v", c.raw, body, rest, err)
		}
	}
	if _, err := Decode([]byte(`{"httpMethod":"POST","body":"a","body":"b"}`)); err == nil {
		t.Error("two bodies passed")
	}
	if _, _, err := new(Decoder).split([]byte(`{"body":"a`)); err == nil || !strings.Contains(err.Error(), io.ErrUnexpectedEOF.Error()) {
		t.Errorf("cut off: %v", err)
	}
}
