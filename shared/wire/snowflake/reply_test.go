package snowflake

import (
	"crypto/md5"
	"encoding/base64"
	"os"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/wire/gateway"
)

func TestReplyIsLocked(t *testing.T) {
	var r Reply
	r.Append(0, []byte(`{"status":"queued","run":"sf_health.q0123456789abcdef"}`))
	r.Append(4, []byte(`{"status":"rejected","field":"email","message":"\"x\" is no email address, naïve\n"}`))
	r.Append(2, []byte(`9007199254740993`))
	want, err := os.ReadFile("testdata/reply.golden")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(gateway.Encode(Response(200, r.Bytes())))+"\n"); d != "" {
		t.Error(d)
	}
}

// What Size promises is what the body takes inside the proxy response.
func TestSizeIsExact(t *testing.T) {
	var r Reply
	r.Grow(10)
	for i, v := range []string{"", `"plain"`, `"qu\"ote \\ \n naïve ☃"`, "{\n\t\"spaced\": 1 }", `"\u001f"`, "\"\u2028\x7f<>&\""} {
		if v != "" {
			r.Append(i, []byte(v))
		}
		body := append([]byte(nil), r.body...)
		r.start()
		closed := append(append([]byte(nil), r.body...), closing...)
		quoted, err := jsontext.AppendQuote(nil, closed)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := r.Size(), len(quoted)-2; got != want {
			t.Errorf("after %q: size %d, want %d (body %s)", v, got, want, body)
		}
	}
	if r.Rows() != 5 {
		t.Errorf("%d rows", r.Rows())
	}
}

func TestAFullReplyFitsALambda(t *testing.T) {
	var r Reply
	value := []byte(`{"status":"queued","record_id":"cust_000001"}`)
	for n := 0; r.Size()+2*len(value) < MaxReply; n++ {
		r.Append(n, value)
	}
	size := r.Size()
	answer := gateway.Encode(Response(200, r.Bytes()))
	if len(answer) > 6<<20 {
		t.Errorf("an answer of size %d takes %d bytes", size, len(answer))
	}
	if len(answer) < 6<<20-4096 {
		t.Errorf("an answer that should be full takes only %d bytes", len(answer))
	}
}

func TestEmptyReply(t *testing.T) {
	var r Reply
	if got := string(r.Bytes()); got != `{"data":[]}` {
		t.Error(got)
	}
}

func TestChecksum(t *testing.T) {
	body := []byte(`{"data":[]}`)
	sum := md5.Sum(body)
	got := Response(200, body)
	if got.Headers["Content-MD5"] != base64.StdEncoding.EncodeToString(sum[:]) || got.Headers["Content-Type"] != "application/json" {
		t.Errorf("%+v", got)
	}
}

func TestErrorResponseIsPlainText(t *testing.T) {
	for _, status := range []int{400, 413, 429, 500} {
		got := ErrorResponse(status, "unknown sync; run penstock apply")
		if got.Status != status || string(got.Body) != "unknown sync; run penstock apply" || !strings.HasPrefix(got.Headers["Content-Type"], "text/plain") {
			t.Errorf("%+v", got)
		}
	}
}

func TestClientSpeaksTheProtocol(t *testing.T) {
	rows := [][]jsontext.Value{values(`"s"`, `{"id":9007199254740993}`), values(`"s"`, `{"p":1234567890123456789012345}`), nil}
	b, err := Decode(headers(), EncodeRequest([]byte("kept")[:0], rows))
	if err != nil || len(b.Rows) != 3 {
		t.Fatalf("%+v, %v", b, err)
	}
	var r Reply
	for i := len(rows) - 1; i >= 0; i-- {
		v := jsontext.Value("null")
		if len(b.Rows[i].Args) > 0 {
			v = b.Rows[i].Args[1]
		}
		r.Append(b.Rows[i].Number, v)
	}
	got, err := DecodeReply(r.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(values(`{"id":9007199254740993}`, `{"p":1234567890123456789012345}`, `null`), got); d != "" {
		t.Error(d)
	}
	if got, err := DecodeReply([]byte(`{"data":[]}`)); err != nil || len(got) != 0 {
		t.Errorf("empty: %v, %v", got, err)
	}
	for _, bad := range []string{``, `{}`, `{"data":[[0,1]`, `{"data":[[0]]}`, `{"data":[[0,1,2]]}`, `{"data":[[1,1]]}`,
		`{"data":[[0,1],[0,2]]}`, `{"data":[[0,1],[2,2]]}`, `{"data":[[0,{"a":1,"a":2}]]}`} {
		if _, err := DecodeReply([]byte(bad)); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}
