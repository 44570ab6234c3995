package bigquery_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/wire"
	"github.com/penstock-data/penstock/shared/wire/bigquery"
	"github.com/penstock-data/penstock/shared/wire/gateway"
)

func values(texts ...string) (vs []jsontext.Value) {
	for _, t := range texts {
		vs = append(vs, jsontext.Value(t))
	}
	return vs
}

func refused(t *testing.T, r wire.Request) string {
	t.Helper()
	_, err := bigquery.Decode(r)
	var e *row.Refusal
	if !errors.As(err, &e) || e.Kind != row.Mistake {
		t.Fatalf("not refused: %v", err)
	}
	return e.Message
}

// A request as the documentation shows one, and what Penstock's SQL sends.
func TestDecodeIsLocked(t *testing.T) {
	body, err := os.ReadFile("testdata/request.json")
	if err != nil {
		t.Fatal(err)
	}
	b, err := bigquery.Decode(wire.Request{Method: "POST", Path: "/token/push", Body: body})
	if err != nil {
		t.Fatal(err)
	}
	if b.ID != query+"/124ab1c" || b.Query != query || b.Function != wire.Push || len(b.Rows) != 4 {
		t.Fatalf("%+v", b)
	}
	const first = `{"customer_id":"cust_001","email":"john@acmecorp.com","id":9007199254740993,"price":1234567890123456789012345.6789012345,"f":1.50e+3,` +
		`"note":"caf\u00e9 \ud83d\ude00 é","n":null,"factors":{"b":1,"a":[0.10,-0]},"at":"2024-01-15T10:30:00.123456Z"}`
	if r := b.Rows[0]; r.Fault != nil || r.Target != "sf_health" || string(r.Object) != first {
		t.Errorf("%+v", r)
	}
	if r := b.Rows[1]; r.Fault != nil || string(r.Object) != `{"customer_id":"cust_002","id":"9007199254740993"}` || r.Number != 1 {
		t.Errorf("%+v", r)
	}
	if r := b.Rows[2]; r.Fault == nil || r.Fault.Rule != "unknown_sync" {
		t.Errorf("%+v", r)
	}
	if r := b.Rows[3]; r.Fault == nil || r.Fault.Rule != wire.NotAnObject {
		t.Errorf("%+v", r)
	}
}

// INT64 beyond 2^53 comes as a string.
func TestWideIntegers(t *testing.T) {
	for text, want := range map[string]int64{`12`: 12, `"9007199254740993"`: 9007199254740993, `"-9223372036854775808"`: -9223372036854775808, `9007199254740992`: 9007199254740992} {
		b, err := bigquery.Decode(post("/token/finish", bigquery.Request{ID: "r", Job: job, Calls: [][]jsontext.Value{values(`"s.r1"`, text)}}))
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := b.Calls[0].Int(wire.RowCount); !ok || got != want {
			t.Errorf("%s: %d, %v", text, got, ok)
		}
	}
}

// What tells batches apart: the job and the request within it, and for requests that
// are sent again under another id the job, the function and the calls.
func TestIdentity(t *testing.T) {
	decode := func(r bigquery.Request, function string) wire.Batch {
		t.Helper()
		b, err := bigquery.Decode(post("/token/"+function, r))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	r := bigquery.Request{ID: "r-1", Job: job, User: person, Calls: [][]jsontext.Value{values(`"s"`, `{"a":1}`)}}
	first := decode(r, "push")
	for name, c := range map[string]struct {
		change         func(*bigquery.Request)
		function       string
		id, same, told bool // whether ID, Same and Query stay
	}{
		"again":                   {func(*bigquery.Request) {}, "push", true, true, true},
		"another id":              {func(r *bigquery.Request) { r.ID = "r-2" }, "push", false, true, true},
		"whoever is said to send": {func(r *bigquery.Request) { r.User = "somebody@else.example" }, "push", true, true, true},
		"another region's job":    {func(r *bigquery.Request) { r.Job = strings.Replace(job, "US.", "EU.", 1) }, "push", false, false, false},
		"another row":             {func(r *bigquery.Request) { r.Calls = [][]jsontext.Value{values(`"s"`, `{"a":2}`)} }, "push", true, false, true},
		"a row more":              {func(r *bigquery.Request) { r.Calls = append(r.Calls, r.Calls[0]) }, "push", true, false, true},
		"another function":        {func(*bigquery.Request) {}, "plan", true, false, true},
	} {
		changed := r
		c.change(&changed)
		b := decode(changed, c.function)
		if (b.ID == first.ID) != c.id || (b.Same == first.Same) != c.same || (b.Query == first.Query) != c.told || b.Same == "" {
			t.Errorf("%s: %q, %q, %q; the first is %q, %q, %q", name, b.ID, b.Same, b.Query, first.ID, first.Same, first.Query)
		}
	}
}

func TestRefusedRequests(t *testing.T) {
	good := bigquery.Request{ID: "r-1", Job: job, Calls: [][]jsontext.Value{values(`"s"`, `{}`)}}
	for name, r := range map[string]wire.Request{
		"by GET":        {Method: "GET", Path: "/token/push", Body: good.Append(nil)},
		"no caller":     post("/token/push", bigquery.Request{ID: "r-1"}),
		"a long id":     post("/token/push", bigquery.Request{ID: strings.Repeat("r", 2000), Job: job}),
		"a long job":    post("/token/push", bigquery.Request{ID: "r-1", Job: job + strings.Repeat("j", 2000)}),
		"no function":   post("/token", bigquery.Request{ID: "r-1", Job: job}),
		"a request two": {Method: "POST", Path: "/token/push", Body: []byte(`{"requestId":"1","requestId":"2","caller":"j","calls":[]}`)},
		"ids of digits": {Method: "POST", Path: "/token/push", Body: []byte(`{"requestId":1,"caller":2,"calls":[]}`)},
	} {
		if m := refused(t, r); m == "" {
			t.Errorf("%s: no message", name)
		}
	}
}

// Whose request it is: what the API verified, and the body's word only of a forwarder
// that is trusted to carry it.
func TestCaller(t *testing.T) {
	sent := post("/token/push", bigquery.Request{ID: "r", Job: job, User: person})
	for name, c := range map[string]struct {
		said []string
		want row.Caller
	}{
		"nothing verified":                  {nil, row.Caller{}},
		"an email alone":                    {[]string{bigquery.VerifiedEmail, forwarder}, row.Caller{Role: forwarder}},
		"a forwarder's":                     {[]string{bigquery.VerifiedEmail, forwarder, bigquery.VerifiedForward, "true"}, row.Caller{Role: forwarder, User: person}},
		"a forwarder's, not trusted":        {[]string{bigquery.VerifiedEmail, forwarder, bigquery.VerifiedForward, "false"}, row.Caller{Role: forwarder}},
		"trusted, and nothing was verified": {[]string{bigquery.VerifiedForward, "true"}, row.Caller{}},
	} {
		r := sent
		r.Verified = verified(c.said...)
		b, err := bigquery.Decode(r)
		c.want.Remedy = b.Caller.Remedy
		if d := cmp.Diff(c.want, b.Caller); d != "" || err != nil || b.Caller.Remedy == "" {
			t.Errorf("%s: %v, %s", name, err, d)
		}
		event, err := gateway.Decode(gateway.WithVerified(gateway.EncodeRequest("POST", "/token/push", nil, nil, sent.Body), c.said...))
		if err != nil {
			t.Fatal(err)
		}
		b, err = bigquery.Decode(event.Wire())
		if d := cmp.Diff(c.want, b.Caller); d != "" || err != nil {
			t.Errorf("%s, as an event: %v, %s", name, err, d)
		}
	}
}

func TestReplyIsLocked(t *testing.T) {
	b := &wire.Batch{Calls: make([]wire.Call, 4)}
	texts := values(`{"status":"queued","run":"sf_health.q0123456789abcdef"}`, `{"status":"rejected","error_message":"\"x\" is no email address, naïve\n"}`, `9007199254740993`, `null`)
	r, err := bigquery.Protocol.Reply(b, texts)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/reply.golden")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(gateway.Encode(r))+"\n"); d != "" {
		t.Error(d)
	}
	if got, err := bigquery.DecodeReply(r.Body); err != nil || cmp.Diff(texts, got) != "" {
		t.Errorf("%s, %v", got, err)
	}
}

// A failure's body stays under the 1 KB that BigQuery shows, whatever it says.
func TestFailuresFit(t *testing.T) {
	for name, message := range map[string]string{
		"short": `there is no sync "a"`, "long": strings.Repeat("x", 5000), "quotes": strings.Repeat(`"`, 5000), "umlauts": strings.Repeat("ä", 700),
		"controls": strings.Repeat("\x01", 700), "no UTF-8": strings.Repeat("a\xff", 700), "astral": strings.Repeat("😀", 700), "none": "",
	} {
		body := bigquery.Failure(message)
		got := bigquery.Message(body)
		if len(body) >= 1024 || !jsontext.Value(body).IsValid() {
			t.Errorf("%s: %d bytes: %s", name, len(body), body)
		}
		if len(message) < 100 && got != message || len(message) > 100 && (!strings.HasSuffix(got, "…") || len(body) < 900) {
			t.Errorf("%s: %d bytes, %q", name, len(body), got)
		}
	}
}
