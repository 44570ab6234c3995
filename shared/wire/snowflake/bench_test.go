package snowflake

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/gzip"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/gateway"
)

// The benchmarks use one request of 4,096 rows of about 350 bytes. Floor* only
// run jsontext over the same bytes, so that ratios hold on any machine.
const benchRows = 4096

func benchBody() []byte {
	rows := make([][]jsontext.Value, benchRows)
	for i := range rows {
		rows[i] = values(`"salesforce_customer_health"`, fmt.Sprintf(`{"CUSTOMER_ID":"cust_%06d","EMAIL":"contact.%d@company-%d.example.com",`+
			`"COMPANY_NAME":"COMPANY NUMBER %d INCORPORATED","HEALTH_SCORE_PCT":%d.%02d,"CUSTOMER_HEALTH_STATUS":"Moderate Risk",`+
			`"USAGE_SCORE_PCT":%d.25,"SUPPORT_SCORE_PCT":%d.50,"HEALTH_SCORE_UPDATED_DATE":"2024-01-15 10:%02d:00.000 +0000"}`,
			i, i, i*7919%100003, i, i%100, i%97, i%89, i%83, i%60))
	}
	return EncodeRequest(nil, rows)
}

func benchEvent(b *testing.B, body []byte) []byte {
	b.Helper()
	h := http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}}
	for name, v := range map[string]string{HeaderBatchID: "01b2c3d4:1:1:0:0", HeaderQueryID: "01b2c3d4", HeaderName: "PENSTOCK_PUSH"} {
		h[name] = []string{v}
	}
	return gateway.EncodeRequest("POST", "/push", h, nil, body)
}

func benchRequest(body []byte) wire.Request {
	return wire.Request{Method: "POST", Path: "/push", Header: headers(), Body: body}
}

func perRow(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
}

// FloorValidate is one strict pass of jsontext over the body.
func BenchmarkFloorValidate(b *testing.B) {
	body := jsontext.Value(benchBody())
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if !body.IsValid() {
			b.Fatal("invalid")
		}
	}
	perRow(b)
}

// FloorSpans reads every argument with jsontext and keeps nothing.
func BenchmarkFloorSpans(b *testing.B) {
	body := benchBody()
	b.ReportAllocs()
	for b.Loop() {
		dec := jsontext.NewDecoder(bytes.NewBuffer(body))
		for dec.StackDepth() < 2 {
			if _, err := dec.ReadToken(); err != nil {
				b.Fatal(err)
			}
		}
		for dec.PeekKind() == '[' {
			if _, err := dec.ReadToken(); err != nil {
				b.Fatal(err)
			}
			for dec.PeekKind() != ']' {
				if _, err := dec.ReadValue(); err != nil {
					b.Fatal(err)
				}
			}
			if _, err := dec.ReadToken(); err != nil {
				b.Fatal(err)
			}
		}
	}
	perRow(b)
}

func BenchmarkDecode(b *testing.B) {
	body := benchBody()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if batch, err := Decode(benchRequest(body)); err != nil || len(batch.Rows) != benchRows {
			b.Fatal(err)
		}
	}
	perRow(b)
}

// One flaw makes Decode read the request a second time, row by row.
func BenchmarkDecodeOneBrokenRow(b *testing.B) {
	body := benchBody()
	body[len(body)-30] = 0xff
	b.ReportAllocs()
	for b.Loop() {
		if batch, err := Decode(benchRequest(body)); err != nil || batch.Rows[benchRows-1].Fault == nil {
			b.Fatal(err)
		}
	}
	perRow(b)
}

// FloorEnvelope skips over the quoted body once and unquotes it once.
func BenchmarkFloorEnvelope(b *testing.B) {
	quoted, err := jsontext.AppendQuote(nil, benchBody())
	if err != nil {
		b.Fatal(err)
	}
	var plain []byte
	b.ReportAllocs()
	for b.Loop() {
		v, err := jsontext.NewDecoder(bytes.NewBuffer(quoted)).ReadValue()
		if err != nil {
			b.Fatal(err)
		}
		if plain, err = jsontext.AppendUnquote(plain[:0], v); err != nil {
			b.Fatal(err)
		}
	}
	perRow(b)
}

func BenchmarkEnvelopePlain(b *testing.B) {
	raw := benchEvent(b, benchBody())
	var d gateway.Decoder
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Decode(raw); err != nil {
			b.Fatal(err)
		}
	}
	perRow(b)
}

func zip(b *testing.B, body []byte) []byte {
	b.Helper()
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write(body); err != nil {
		b.Fatal(err)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	return z.Bytes()
}

// FloorGzip only undoes base64 and gzip.
func BenchmarkFloorGzip(b *testing.B) {
	text := []byte(base64.StdEncoding.EncodeToString(zip(b, benchBody())))
	var packed []byte
	r := new(gzip.Reader)
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if packed, err = base64.StdEncoding.AppendDecode(packed[:0], text); err != nil {
			b.Fatal(err)
		}
		if err := r.Reset(bytes.NewReader(packed)); err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			b.Fatal(err)
		}
	}
	perRow(b)
}

func BenchmarkEnvelopeGzip(b *testing.B) {
	raw := benchEvent(b, zip(b, benchBody()))
	var d gateway.Decoder
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Decode(raw); err != nil {
			b.Fatal(err)
		}
	}
	perRow(b)
}

// BenchmarkWhole is the raw event in, rows out.
func BenchmarkWhole(b *testing.B) {
	raw := benchEvent(b, benchBody())
	var d gateway.Decoder
	b.ReportAllocs()
	for b.Loop() {
		r, err := d.Decode(raw)
		if err != nil {
			b.Fatal(err)
		}
		if batch, err := Decode(r.Wire()); err != nil || len(batch.Rows) != benchRows {
			b.Fatal(err)
		}
	}
	perRow(b)
}

func BenchmarkReply(b *testing.B) {
	batch, err := Decode(benchRequest(benchBody()))
	if err != nil {
		b.Fatal(err)
	}
	answers := make([]row.Answer, benchRows)
	for i := range answers {
		answers[i] = row.Answer{Status: row.Queued, Run: "salesforce_customer_health.q0123456789abcdef", RecordID: "cust_000001"}
	}
	b.ReportAllocs()
	for b.Loop() {
		r, err := Protocol.Answer(&batch, answers)
		if err != nil || r.Status != 200 {
			b.Fatal(r.Status, err)
		}
		gateway.Encode(r)
	}
	perRow(b)
}
