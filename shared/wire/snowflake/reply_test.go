package snowflake

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/gateway"
)

// reply encodes one value per row, of rows with these numbers.
func reply(t *testing.T, numbers []int, value func(i int) string) wire.Response {
	t.Helper()
	r, err := encode(batch(numbers...), func(dst []byte, i int) []byte { return append(dst, value(i)...) })
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func batch(numbers ...int) *wire.Batch {
	b := &wire.Batch{}
	for _, n := range numbers {
		b.Rows = append(b.Rows, row.Row{Number: n})
	}
	return b
}

func TestReplyIsLocked(t *testing.T) {
	texts := []string{`{"status":"queued","run":"sf_health.q0123456789abcdef"}`, `{"status":"rejected","field":"email","message":"\"x\" is no email address, naïve\n"}`, `9007199254740993`}
	r := reply(t, []int{0, 4, 2}, func(i int) string { return texts[i] })
	want, err := os.ReadFile("testdata/reply.golden")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(gateway.Encode(r))+"\n"); d != "" {
		t.Error(d)
	}
}

// As much as fits into a Lambda's answer is sent, and no more.
func TestAFullReplyFitsALambda(t *testing.T) {
	value := `{"status":"queued","record_id":"cust_000001"}`
	numbers := make([]int, 200_000)
	for i := range numbers {
		numbers[i] = i
	}
	most, over := 0, len(numbers)
	for over-most > 1 {
		n := (most + over) / 2
		if _, err := encode(batch(numbers[:n]...), func(dst []byte, _ int) []byte { return append(dst, value...) }); err == nil {
			most = n
		} else if e, ok := errors.AsType[*row.Refusal](err); ok && e.Kind == row.TooLarge {
			over = n
		} else {
			t.Fatal(err)
		}
	}
	size := len(gateway.Encode(reply(t, numbers[:most], func(int) string { return value })))
	if size > 6<<20 || size < 6<<20-2048 {
		t.Errorf("the largest answer takes %d bytes", size)
	}
}

func TestEmptyReply(t *testing.T) {
	if r := reply(t, nil, nil); string(r.Body) != `{"data":[]}` {
		t.Error(string(r.Body))
	}
}

func TestChecksum(t *testing.T) {
	got := reply(t, nil, nil)
	sum := md5.Sum([]byte(`{"data":[]}`))
	if got.Headers["Content-MD5"] != base64.StdEncoding.EncodeToString(sum[:]) || got.Headers["Content-Type"] != "application/json" {
		t.Errorf("%+v", got)
	}
}

func TestRefusalsArePlainText(t *testing.T) {
	for kind, status := range map[row.RefusalKind]int{row.Mistake: 400, row.TooLarge: 413, row.SlowDown: 429, row.Failure: 500} {
		got := Protocol.Refuse(kind, "unknown sync; run penstock apply")
		if got.Status != status || string(got.Body) != "unknown sync; run penstock apply" || !strings.HasPrefix(got.Headers["Content-Type"], "text/plain") {
			t.Errorf("kind %d: %+v", kind, got)
		}
	}
}

func TestClientSpeaksTheProtocol(t *testing.T) {
	rows := [][]jsontext.Value{values(`"s"`, `{"id":9007199254740993}`), values(`"s"`, `{"p":1234567890123456789012345}`), nil}
	b, err := Decode(request(string(EncodeRequest([]byte("kept")[:0], rows))))
	if err != nil || len(b.Rows) != 3 {
		t.Fatalf("%+v, %v", b, err)
	}
	r := reply(t, []int{2, 1, 0}, func(i int) string {
		if v := b.Rows[2-i].Object; v != nil {
			return string(v)
		}
		return "null"
	})
	got, err := DecodeReply(r.Body)
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
	if bytes.Contains(r.Body, []byte("kept")) {
		t.Error("the request was written over")
	}
}
