package gateway

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"

	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecodeReadsTheWholeRequest(t *testing.T) {
	r, err := Decode(read(t, "post.json"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{
		"method":        r.Method,
		"path":          r.Path,
		"any case":      r.Header("SF-External-Function-Query-Batch-ID"),
		"many only":     r.Header("x-only-many"),
		"many, empty":   r.Header("x-empty"),
		"absent":        r.Header("authorization"),
		"query":         r.Query("mode"),
		"query, case":   r.Query("Mode"),
		"query of many": r.Query("tag"),
		"body":          string(r.Body),
	}
	want := map[string]string{
		"method":        "POST",
		"path":          "/push",
		"any case":      "01b2c3d4-0000-1111-0000-000000000001:1:1:0:0",
		"many only":     "first",
		"many, empty":   "",
		"absent":        "",
		"query":         "full",
		"query, case":   "",
		"query of many": "a",
		"body":          "{\"data\":[[0,\"café \\u00e9\",9007199254740993]]}\n",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

const document = `{"data":[[0,"salesforce_customer_health",{"EMAIL":"john@acmecorp.com"}]]}`

// packed is text as each compressor of the wild writes it.
func packed(t testing.TB, text []byte) map[encoding][]byte {
	t.Helper()
	var g, z, f bytes.Buffer
	gw, zw := gzip.NewWriter(&g), zlib.NewWriter(&z)
	fw, err := flate.NewWriter(&f, flate.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []interface {
		Write([]byte) (int, error)
		Close() error
	}{gw, zw, fw} {
		if _, err := w.Write(text); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return map[encoding][]byte{identity: text, gzipped: g.Bytes(), zlibbed: z.Bytes(), rawDeflate: f.Bytes()}
}

func event(body string, encoded bool, header string) []byte {
	b := append([]byte(`{"httpMethod":"POST","path":"/push","headers":{"Content-Encoding":"`+header+`"},"body":`), rawjson.AppendQuote(nil, body)...)
	if encoded {
		return append(b, `,"isBase64Encoded":true}`...)
	}
	return append(b, `,"isBase64Encoded":false}`...)
}

func TestBodyIsSniffedWhateverTheHeaderSays(t *testing.T) {
	var d Decoder // one for all cases: its buffers must not leak from one into the next
	for _, text := range []string{document, "  " + document, "[1]", `"x"`, "", strings.Repeat(document, 5000)} {
		for enc, b := range packed(t, []byte(text)) {
			for _, header := range []string{"", "gzip", "deflate", "identity"} {
				r, err := d.Decode(event(base64.StdEncoding.EncodeToString(b), true, header))
				if err != nil {
					t.Fatalf("%s under header %q: %v", enc, header, err)
				}
				if string(r.Body) != text {
					t.Errorf("%s under header %q: got %d bytes, want %d", enc, header, len(r.Body), len(text))
				}
			}
		}
	}
	r, err := d.Decode(event(document, false, "gzip"))
	if err != nil || string(r.Body) != document {
		t.Errorf("a plain body under Content-Encoding: gzip: %q, %v", r.Body, err)
	}
}

func TestTextThatIsNoDeflateStaysText(t *testing.T) {
	for _, text := range []string{"hello world", "<html>", "12", "null", "PK\x03\x04zip", "\x00\x01\x02"} {
		r, err := Decode(event(base64.StdEncoding.EncodeToString([]byte(text)), true, ""))
		if err != nil || string(r.Body) != text {
			t.Errorf("%q became %q, %v", text, r.Body, err)
		}
	}
}

func TestRefusedEvents(t *testing.T) {
	gz := packed(t, []byte(strings.Repeat(document, 50)))[gzipped]
	flipped := bytes.Clone(gz)
	flipped[len(flipped)-6] ^= 1 // in the checksum
	bomb := packed(t, make([]byte, MaxBody+1))
	encode := base64.StdEncoding.EncodeToString
	for _, c := range []struct {
		name string
		raw  []byte
		kind row.RefusalKind
		says string
	}{
		{"nothing", nil, row.Mistake, "not an API Gateway proxy request"},
		{"no JSON", []byte("hello"), row.Mistake, "not an API Gateway proxy request"},
		{"an array", []byte("[]"), row.Mistake, "want an object"},
		{"truncated", []byte(`{"httpMethod":"POST","body":"{`), row.Mistake, "not an API Gateway proxy request"},
		{"two documents", []byte(`{"httpMethod":"POST"}{}`), row.Mistake, "data after the event"},
		{"another event", []byte(`{"Records":[]}`), row.Mistake, "httpMethod is missing"},
		{"method twice", []byte(`{"httpMethod":"POST","httpMethod":"GET"}`), row.Mistake, "duplicate"},
		{"body an object", []byte(`{"httpMethod":"POST","body":{}}`), row.Mistake, "body: want a string"},
		{"broken UTF-8", []byte("{\"httpMethod\":\"POST\",\"body\":\"\xff\"}"), row.Mistake, "UTF-8"},
		{"half a surrogate", []byte(`{"httpMethod":"POST","body":"\ud800"}`), row.Mistake, "not an API Gateway proxy request"},
		{"no base64", event("{}!", true, ""), row.Mistake, "base64"},
		{"gzip cut off", event(encode(gz[:len(gz)-9]), true, "gzip"), row.Mistake, "broken gzip"},
		{"gzip checksum", event(encode(flipped), true, "gzip"), row.Mistake, "broken gzip"},
		{"gzip and garbage", event(encode(append(bytes.Clone(gz), "tail"...)), true, "gzip"), row.Mistake, "broken gzip"},
		{"gzip bomb", event(encode(bomb[gzipped]), true, "gzip"), row.TooLarge, "MAX_BATCH_ROWS"},
		{"zlib bomb", event(encode(bomb[zlibbed]), true, "deflate"), row.TooLarge, "MAX_BATCH_ROWS"},
		{"deflate bomb", event(encode(bomb[rawDeflate]), true, "deflate"), row.TooLarge, "MAX_BATCH_ROWS"},
		{"plain, too large", event(`{"a":"`+strings.Repeat("x", MaxBody)+`"}`, false, ""), row.TooLarge, "MAX_BATCH_ROWS"},
	} {
		r, err := Decode(c.raw)
		var e *row.Refusal
		if !errors.As(err, &e) {
			t.Errorf("%s: error %v (request %+v)", c.name, err, r)
			continue
		}
		if e.Kind != c.kind || !strings.Contains(e.Error(), c.says) {
			t.Errorf("%s: %d %q, want %d and %q", c.name, e.Kind, e, c.kind, c.says)
		}
	}
}

func TestLargestBodyPasses(t *testing.T) {
	text := bytes.Repeat([]byte("["), MaxBody)
	r, err := Decode(event(base64.StdEncoding.EncodeToString(packed(t, text)[gzipped]), true, "gzip"))
	if err != nil || len(r.Body) != MaxBody {
		t.Fatalf("%d bytes, %v", len(r.Body), err)
	}
}

// The whole of intake has 96 MB; the envelope may take a
// third of it even when a 6 MB event inflates to the limit.
func TestMemoryOfALargeRequest(t *testing.T) {
	noise := make([]byte, 4<<20)
	seed := uint32(1)
	for i := range noise {
		seed = seed*1664525 + 1013904223
		noise[i] = byte(seed>>24)%95 + 32
	}
	text := append(append([]byte(`{"data":"`), noise...), bytes.Repeat([]byte("a"), 6<<20)...)
	raw := event(base64.StdEncoding.EncodeToString(packed(t, text)[gzipped]), true, "gzip")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := Decode(raw)
	runtime.ReadMemStats(&after)
	if err != nil || len(r.Body) != len(text) {
		t.Fatalf("%d of %d bytes, %v", len(r.Body), len(text), err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 32<<20 {
		t.Errorf("an event of %d bytes allocates %d", len(raw), got)
	}
}

func TestEncodeIsLocked(t *testing.T) {
	got := Encode(wire.Response{Status: 200, Body: []byte(`{"data":[[0,{"t":"a\tb\"c"}]]}`), Headers: map[string]string{
		"Content-Type": "application/json", "Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg==",
	}})
	if d := cmp.Diff(string(read(t, "response.golden")), string(got)); d != "" {
		t.Error(d)
	}
}

func TestResponseRoundTrip(t *testing.T) {
	for _, r := range []wire.Response{
		{Status: 200, Headers: map[string]string{}, Body: []byte(document)},
		{Status: 429, Headers: map[string]string{"Retry-After": "5", "X": "a\"b"}, Body: []byte("slow down, please\n")},
		{Status: 204, Headers: map[string]string{}, Body: nil},
	} {
		got, err := DecodeResponse(Encode(r))
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Body) == 0 {
			got.Body = nil
		}
		if d := cmp.Diff(r, got); d != "" {
			t.Error(d)
		}
	}
	got, err := DecodeResponse([]byte(`{"isBase64Encoded":true,"statusCode":200,"headers":{"n":1},"body":"aGk="}`))
	if err != nil || string(got.Body) != "hi" || got.Headers["n"] != "1" {
		t.Errorf("base64: %+v, %v", got, err)
	}
	for _, bad := range []string{``, `null`, `{}`, `{"statusCode":"x"}`, `{"statusCode":200`, `{"statusCode":200,"body":"?","isBase64Encoded":true}`, `"text"`} {
		if _, err := DecodeResponse([]byte(bad)); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}

func TestRequestRoundTrip(t *testing.T) {
	header := http.Header{"Sf-External-Function-Query-Batch-Id": {"q:1"}, "X-Two": {"a", "b"}}
	for _, body := range []string{"", document, "\x1f\x8b\x08 not gzip", "\xff\xfe"} {
		raw := EncodeRequest("POST", "/push", header, url.Values{"mode": {"full"}}, []byte(body))
		r, err := Decode(raw)
		if strings.HasPrefix(body, "\x1f\x8b") {
			if err == nil {
				t.Error("broken gzip passed")
			}
			continue
		}
		if err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		if string(r.Body) != body || r.Header("sf-external-function-query-batch-id") != "q:1" || r.Header("x-two") != "b" ||
			r.Query("mode") != "full" || r.Path != "/push" || r.Method != "POST" {
			t.Errorf("%q: %+v", body, r)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(read(f, "post.json"))
	for _, b := range packed(f, []byte(document)) {
		f.Add(event(base64.StdEncoding.EncodeToString(b), true, "gzip"))
	}
	f.Add([]byte(`{"httpMethod":"GET","headers":null,"body":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		kept := bytes.Clone(raw)
		r, err := Decode(raw)
		if !bytes.Equal(raw, kept) {
			t.Fatal("the event was changed")
		}
		if err != nil {
			var e *row.Refusal
			if !errors.As(err, &e) || e.Kind > row.TooLarge || e.Message == "" {
				t.Fatalf("untyped error: %v", err)
			}
			return
		}
		if r.Method == "" || len(r.Body) > MaxBody {
			t.Fatalf("method %q, %d bytes", r.Method, len(r.Body))
		}
		again, err := Decode(EncodeRequest(r.Method, r.Path, nil, nil, r.Body))
		if err != nil {
			var e *row.Refusal
			if errors.As(err, &e) { // the plain body may look compressed, too
				return
			}
			t.Fatal(err)
		}
		if sniff(r.Body) == identity && !bytes.Equal(again.Body, r.Body) {
			t.Fatalf("body changed: %q to %q", r.Body, again.Body)
		}
	})
}
