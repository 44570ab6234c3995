package dest_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/dest"
)

func TestCode(t *testing.T) {
	long := strings.Repeat("x", 80)
	for in, want := range map[string]string{
		"": "", "UNABLE_TO_LOCK_ROW": "UNABLE_TO_LOCK_ROW", "msg_too_long": "msg_too_long", "429": "429", "a.b:c-d": "a.b:c-d", long: long,
		long + "x": "", "two words": "", "line\nbreak": "", "nul\x00": "", "joe@acme.example": "", "Größe": "", "\xff": "", "a/b": "", "tab\t": "", "<b>": "",
	} {
		if got := dest.Code(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
		readable := want
		if in != "" && want == "" {
			readable = dest.CodeUnreadable
		}
		if got := dest.ErrorCode(in); got != readable {
			t.Errorf("%q as an error's: %q, want %q", in, got, readable)
		}
	}
}

func TestMessage(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "plain — text": "plain — text", "two\nlines\r\n": "two lines  ", "a\x00b\x1b[31m\u0085\u2028": "a b [31m  ", "\xffx": "?x",
	} {
		if got := dest.Message(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := dest.Message(strings.Repeat("ü", 5000)); len(got) > 2010 || !strings.HasSuffix(got, "ü …") || !utf8.ValidString(got) {
		t.Errorf("%d bytes: …%q", len(got), got[len(got)-10:])
	}
}

func TestRecordHolds(t *testing.T) {
	r := dest.Record{Key: "k-1", Match: "K-1", RecordID: "42", Fields: []dest.Field{
		{Name: "Name", Value: jsontext.Value(`"Acme\u0041"`)}, {Name: "N", Value: jsontext.Value(`85.5`)}, {Name: "Gone", Value: jsontext.Value(`null`)}, {Name: "Empty", Value: jsontext.Value(`""`)},
	}}
	for in, want := range map[string]bool{"K-1": true, "k-1": true, "42": true, "ACMEa": true, "85.5": true, "": false, "null": false, "Name": false, "8": false} {
		if got := r.Holds(in); got != want {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func TestBatchHolds(t *testing.T) {
	b := dest.Batch{Records: []dest.Record{{Key: "a-1"}, {Key: "b-2", Fields: []dest.Field{{Name: "N", Value: jsontext.Value(`413`)}, {Name: "M", Value: jsontext.Value(`4131`)}}}, {Key: "c-3"}}}
	for in, want := range map[string]bool{"A-1": true, "b-2": true, "4131": true, "413": false, "c-3": false, "": false} {
		if got := b.Holds(dest.Call{Records: []int{0, 1}}, in); got != want {
			t.Errorf("%q: %v", in, got)
		}
	}
}
