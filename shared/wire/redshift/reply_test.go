package redshift

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
)

func locked(t *testing.T, file string, got []byte) {
	t.Helper()
	want, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)+"\n"); d != "" {
		t.Errorf("%s: %s", file, d)
	}
}

func TestAnswersAreLocked(t *testing.T) {
	b := wire.Batch{}
	b.Rows = make([]row.Row, 3)
	texts := []string{`{"status":"queued","run":"sf_health.q0123456789abcdef"}`, `{"status":"rejected","field":"email","error_message":"\"x\" is no email address, naïve\n"}`, `9007199254740993`}
	r, err := encode(&b, func(dst []byte, i int) []byte { return append(dst, texts[i]...) })
	if err != nil || r.Status != 200 {
		t.Fatal(r.Status, err)
	}
	locked(t, "reply.golden", r.Body)
	got, err := DecodeReply(r.Body, 3)
	if err != nil || string(got[1]) != texts[1] {
		t.Error(got, err)
	}
	locked(t, "refusal.golden", refuse(row.Mistake, `there is no sync "a": applied are ["b"]`).Body)
	if _, err := DecodeReply(refuse(row.TooLarge, "too large").Body, 0); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "too large") {
		t.Error(err)
	}
}

// Redshift fails a query whose answer has another number of results.
func TestDecodeReplyIsStrict(t *testing.T) {
	for _, inner := range []string{
		`{"success":true,"num_records":1,"results":["1","2"]}`, `{"success":true,"num_records":2,"results":["1"]}`, `{"success":true,"results":["1","2"]}`,
		`{"success":true,"num_records":2,"results":[1,2]}`, `{"success":true,"num_records":2,"results":["1","x"]}`, `{"num_records":2,"results":["1","2"]}`, `{`, ``,
	} {
		quoted, _ := jsontext.AppendQuote(nil, inner)
		if _, err := DecodeReply(quoted, 2); err == nil {
			t.Errorf("%s is taken", inner)
		}
	}
	if _, err := DecodeReply([]byte(`{"success":true,"num_records":0,"results":[]}`), 0); err == nil {
		t.Error("an answer that is no string is taken")
	}
}

// A value stays under what a VARCHAR holds, and so do the answers of a push.
func TestLargeValues(t *testing.T) {
	b := wire.Batch{}
	b.Rows = make([]row.Row, 1)
	answer := []row.Answer{{Status: row.Rejected, Run: "r", Fault: &row.Fault{Field: "f", Rule: "x", Message: strings.Repeat("m", MaxValue)}}}
	r, err := Protocol.Answer(&b, answer)
	got, failed := DecodeReply(r.Body, 1)
	if err != nil || failed != nil || string(got[0]) != `{"status":"rejected","field":"f","error_type":"x"}` {
		t.Errorf("%v, %v, %.80s", err, failed, got)
	}
	value := func(n int) []jsontext.Value {
		return []jsontext.Value{jsontext.Value(`"` + strings.Repeat("x", n-2) + `"`)}
	}
	if r, err := Protocol.Reply(&b, value(MaxValue)); err != nil || !strings.HasPrefix(string(r.Body), `"{\"success\":true`) {
		t.Errorf("%.60s, %v", r.Body, err)
	}
	if r, err := Protocol.Reply(&b, value(MaxValue+1)); err != nil || !strings.HasPrefix(string(r.Body), `"{\"success\":false`) {
		t.Errorf("%.60s, %v", r.Body, err)
	}
}
