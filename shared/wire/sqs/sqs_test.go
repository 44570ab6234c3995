package sqs

import (
	"bytes"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/envelope"
)

const arn = "arn:aws:sqs:eu-central-1:123456789012:penstock-salesforce.fifo"

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecodeReadsLambdasEvent(t *testing.T) {
	raw := read(t, "fifo.json")
	got, err := DecodeEvent(raw)
	if err != nil {
		t.Fatal(err)
	}
	want := Event{QueueARN: arn, Deliveries: []envelope.Delivery{
		{
			ID: "11d6ee51-4cc7-4302-9e22-7cd8afdaadf5", Receipt: "AQEBBX8nesZEXmkhsmZeyIE8iQAMig7qw==", Group: "salesforce_customer_health#2",
			Receives: 3, SentAt: time.Date(2019, 11, 8, 22, 18, 30, 774e6, time.UTC), Body: []byte("KLUv/QQAWQAASGVsbG8="),
		},
		{
			ID: "2e1424d4-f796-459a-8184-9c92662be6da", Receipt: "AQEBzWwaftRI0KuVm4tP==",
			Receives: 1, SentAt: time.Date(2018, 12, 17, 21, 37, 30, 636e6, time.UTC), Body: []byte("{\"a\":\"café \\n\"}"),
		},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	ds, err := Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want.Deliveries, ds); d != "" {
		t.Error(d)
	}
	if cap(ds[0].Body) != len(ds[0].Body) {
		t.Error("appending to a body would write into the event")
	}
}

func TestEventIsLocked(t *testing.T) {
	d := envelope.Delivery{
		ID: "m-1", Receipt: `r"1`, Group: "sf_health#3", Receives: 2,
		SentAt: time.UnixMilli(1705314600123).UTC(), Body: []byte(`{"row":"a\nb"}`),
	}
	got := EncodeEvent([]envelope.Delivery{d}, arn)
	if diff := cmp.Diff(string(read(t, "event.golden")), string(got)+"\n"); diff != "" {
		t.Error(diff)
	}
}

func TestEventRoundTrip(t *testing.T) {
	at := time.UnixMilli(1705314600123).UTC()
	large := bytes.Repeat([]byte("KLUv/Q=="), 1<<20/8)
	for _, ds := range [][]envelope.Delivery{
		nil,
		{{ID: "a", SentAt: at, Body: []byte{}}},
		{{ID: "a", Receipt: "r", Group: "g", Receives: 100, SentAt: at, Body: large}, {ID: "b", SentAt: at, Body: []byte("\\\"\n\u2028é")}},
	} {
		e, err := DecodeEvent(EncodeEvent(ds, arn))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(ds, e.Deliveries) { // cmp takes seconds over a megabyte
			t.Errorf("%d deliveries became %d others", len(ds), len(e.Deliveries))
		}
	}
}

func TestRefusedEvents(t *testing.T) {
	for _, c := range []struct{ raw, says string }{
		{``, "unexpected EOF"},
		{`null`, "want an object"},
		{`{}`, "no Records"},
		{`{"httpMethod":"POST"}`, "no Records"},
		{`{"Records":{}}`, "want an array"},
		{`{"Records":[1]}`, "record 0: want an object"},
		{`{"Records":[{"body":"x"}]}`, "record 0: messageId is missing"},
		{`{"Records":[{"messageId":"a"},{"messageId":1}]}`, "record 1: messageId: want a string"},
		{`{"Records":[{"messageId":"a","body":{}}]}`, "body: want a string"},
		{`{"Records":[{"messageId":"a","attributes":null}]}`, "want an object"},
		{`{"Records":[{"messageId":"a","attributes":{"SentTimestamp":"soon"}}]}`, "SentTimestamp: want a whole number"},
		{`{"Records":[{"messageId":"a","attributes":{"ApproximateReceiveCount":"1.5"}}]}`, "ApproximateReceiveCount: want a whole number"},
		{`{"Records":[{"messageId":"a","messageId":"b"}]}`, "duplicate"},
		{`{"Records":[{"messageId":"a"}`, "unexpected EOF"},
		{`{"Records":[]}x`, "data after"},
		{"{\"Records\":[{\"messageId\":\"a\",\"body\":\"\xff\"}]}", "UTF-8"},
	} {
		ds, err := Decode([]byte(c.raw))
		if err == nil || !strings.Contains(err.Error(), c.says) || ds != nil {
			t.Errorf("%s: %v, %v; want %q", c.raw, ds, err, c.says)
		}
	}
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		ids  []string
		want string
	}{
		{nil, `{"batchItemFailures":[]}`},
		{[]string{"a"}, `{"batchItemFailures":[{"itemIdentifier":"a"}]}`},
		{[]string{"a", `b"`}, `{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"b\""}]}`},
	} {
		got := EncodeFailures(c.ids)
		if string(got) != c.want {
			t.Errorf("%v: %s, want %s", c.ids, got, c.want)
		}
		ids, err := DecodeFailures(got)
		if err != nil || !cmp.Equal(c.ids, ids) {
			t.Errorf("%s: %v, %v", got, ids, err)
		}
	}
	for _, done := range []string{``, `null`, ` null `, `{}`, `{"batchItemFailures":null}`, `{"x":[1],"batchItemFailures":[]}`} {
		if ids, err := DecodeFailures([]byte(done)); err != nil || ids != nil {
			t.Errorf("%q: %v, %v", done, ids, err)
		}
	}
	for _, bad := range []string{
		`x`, `"ok"`, `[]`, `{"batchItemFailures":[{"itemIdentifier":""}]}`, `{"batchItemFailures":[{}]}`, `{"batchItemFailures":["a"]}`,
		`{"batchItemFailures":"a"}`, `{"batchItemFailures":[{"itemIdentifier":null}]}`, `{"batchItemFailures":[{"itemIdentifier":"a"}`, `{}{}`,
	} {
		if ids, err := DecodeFailures([]byte(bad)); err == nil || ids != nil {
			t.Errorf("%s: %v, no error", bad, ids)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(read(f, "fifo.json"))
	f.Add(read(f, "event.golden"))
	f.Add([]byte(`{"Records":[{"messageId":"a","attributes":{"SentTimestamp":"-1"}}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		kept := bytes.Clone(raw)
		e, err := DecodeEvent(raw)
		if !bytes.Equal(raw, kept) {
			t.Fatal("the event was changed")
		}
		if err != nil {
			return
		}
		again, err := DecodeEvent(EncodeEvent(e.Deliveries, e.QueueARN))
		if err != nil {
			t.Fatal(err)
		}
		equal := cmp.Comparer(bytes.Equal)
		if d := cmp.Diff(e.Deliveries, again.Deliveries, equal); d != "" {
			t.Fatal(d)
		}
	})
}

func FuzzDecodeFailures(f *testing.F) {
	f.Add([]byte(`{"batchItemFailures":[{"itemIdentifier":"a"}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		ids, err := DecodeFailures(raw)
		if err != nil {
			return
		}
		again, err := DecodeFailures(EncodeFailures(ids))
		if err != nil || !cmp.Equal(ids, again) {
			t.Fatalf("%q became %q, %v", ids, again, err)
		}
	})
}

// Ten messages of 100 KiB of base64, about 1,650 rows each at 62 B a row.
func BenchmarkDecode(b *testing.B) {
	ds := make([]envelope.Delivery, 10)
	for i := range ds {
		ds[i] = envelope.Delivery{ID: "id", Receipt: "receipt", Group: "g", Receives: 1, SentAt: time.UnixMilli(1), Body: bytes.Repeat([]byte("KLUv/Q=="), 100<<10/8)}
	}
	raw := EncodeEvent(ds, arn)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if got, err := Decode(raw); err != nil || len(got) != 10 {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/16500, "ns/row")
}
