package amplitude_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
	sim "github.com/penstock-data/penstock/shared/sandbox/amplitude"
)

// users are n records.
func users(n int) []dest.Record {
	out := make([]dest.Record, n)
	for i := range out {
		out[i] = rec(fmt.Sprintf("user-%d", i), "plan", fmt.Sprintf(`"plan %d"`, i))
	}
	return out
}

// rejected counts the outcomes of a code.
func coded(out []dest.Outcome, code string) (n int) {
	for _, o := range out {
		if o.Code == code {
			n++
		}
	}
	return n
}

// One faulty event of 100 leaves 99, however little Amplitude names at once.
func TestFaultyEventsAreLeftOut(t *testing.T) {
	for _, code := range []string{"events_with_invalid_fields", "events_with_missing_fields", "events_with_invalid_id_lengths", "silenced_events"} {
		for _, first := range []bool{false, true} {
			w := newWorld(t, func(c *sim.Config, _ *world) { c.First = first })
			bad := []string{"user-0", "user-50", "user-99"}
			w.fault(sandbox.Fault{FailRecords: bad, Count: -1, Code: code, Message: "user_properties"})
			out, err := w.push(users(100)...)
			if err != nil {
				t.Fatalf("%s: %v", code, err)
			}
			if n := coded(out, code); n != 3 || w.sim.Count() != 97 {
				t.Errorf("%s: %d rejected, %d users", code, n, w.sim.Count())
			}
			for _, at := range []int{0, 50, 99} {
				if o := out[at]; o.Status != dest.Rejected || o.Scope != dest.ScopeUntold || o.Message == "" {
					t.Errorf("%s: %+v", code, o)
				}
			}
			want := 2
			if first && code != "silenced_events" {
				want = 4
			}
			if n := len(w.bodies()); n != want {
				t.Errorf("%s, first only %t: %d calls, want %d", code, first, n, want)
			}
		}
	}
}

// The loop has an end: what is refused still is halved by deliver.
func TestRoundsEnd(t *testing.T) {
	w := newWorld(t, func(c *sim.Config, _ *world) { c.First = true })
	var bad []string
	for i := range 20 {
		bad = append(bad, fmt.Sprintf("user-%d", i))
	}
	w.fault(sandbox.Fault{FailRecords: bad, Count: -1, Code: "events_with_invalid_fields", Message: "x"})
	call := w.fails(users(100)...)
	if n := len(w.bodies()); n != 8 || call.Class != dest.Refused || call.Scope != dest.ScopeUntold || call.Received || w.sim.Count() != 0 {
		t.Errorf("%d calls, %d users: %+v", n, w.sim.Count(), call)
	}
	// All of a call are bad: nothing is left to be sent.
	out, err := w.push(users(3)...)
	if err != nil || coded(out, "events_with_invalid_fields") != 3 {
		t.Errorf("%+v, %v", out, err)
	}
}

// Users who get too much come again, each in the time that is right; the others are
// delivered at once.
func TestThrottledUsers(t *testing.T) {
	w := newWorld(t)
	w.fault(sandbox.Fault{FailRecords: []string{"user-1"}, Code: "throttled_users"})
	w.fault(sandbox.Fault{FailRecords: []string{"user-2"}, Code: "exceeded_daily_quota_users"})
	out, err := w.push(users(4)...)
	if err != nil {
		t.Fatal(err)
	}
	if out[1].Status != dest.Retry || out[1].After != 15*time.Second || out[1].Code != "throttled_users" {
		t.Errorf("%+v", out[1])
	}
	if out[2].Status != dest.Retry || out[2].After != 4*time.Hour || out[2].Code != "exceeded_daily_quota_users" {
		t.Errorf("%+v", out[2])
	}
	if out[0].Status != dest.Delivered || out[3].Status != dest.Delivered || w.sim.Count() != 2 {
		t.Errorf("%+v; %d users", out, w.sim.Count())
	}
}

// A user's 1,801st update within an hour is not sent, as Amplitude would drop it.
func TestUpdatesOfAnHour(t *testing.T) {
	w := newWorld(t)
	r := rec("user-1", "n", `0`)
	for i := range 1800 {
		r.Sequence, r.Fields[0].Value = int64(i), fmt.Appendf(nil, "%d", i)
		w.delivered(r)
		w.pass(time.Second)
	}
	r.Sequence, r.Fields[0].Value = 1800, []byte(`"last"`)
	out, err := w.push(r, rec("user-2", "n", `1`))
	if err != nil || out[0].Status != dest.Retry || out[0].Code != "updates_per_hour" || out[0].After <= 0 || out[1].Status != dest.Delivered {
		t.Fatalf("%+v, %v", out, err)
	}
	if got := w.stored(r)["n"]; got != "1799" {
		t.Errorf("the project holds %s", got)
	}
	for tries := 0; ; tries++ {
		w.pass(out[0].After)
		if out, err = w.push(r); err != nil {
			t.Fatal(err)
		}
		if out[0].Status == dest.Delivered {
			break
		}
		if tries > 7 {
			t.Fatalf("still refused: %+v", out[0])
		}
	}
	if got := w.stored(r)["n"]; got != "last" {
		t.Errorf("the project holds %s: it dropped the update", got)
	}
}

// Of a row of several events, all are sent or none: what is said of one is said of it.
func TestARowOfSeveralEvents(t *testing.T) {
	for code, want := range map[string]dest.Status{"events_with_invalid_fields": dest.Rejected, "throttled_users": dest.Retry} {
		w := newWorld(t, operations)
		w.fault(sandbox.Fault{FailRecords: []string{"user-1"}, Code: code, Message: "user_properties"})
		first, second := rec("user-1", "p_set", `1`, "p_add", `5`), rec("user-2", "p_set", `1`, "p_add", `5`)
		out, err := w.push(first, second)
		if err != nil || out[0].Status != want || out[1].Status != dest.Delivered || w.sim.Count() != 1 {
			t.Fatalf("%s: %+v, %v, %d users", code, out, err, w.sim.Count())
		}
		w.pass(time.Minute)
		w.delivered(first, second)
		for _, r := range []dest.Record{first, second} {
			if got := w.stored(r)["p_add"]; got != "5" {
				t.Errorf("%s: %s was added to %s", code, got, r.Key)
			}
		}
	}
}

// Each event of a row is one of the updates that a user may get.
func TestUpdatesOfARowAreCounted(t *testing.T) {
	w := newWorld(t, operations)
	r := rec("user-1", "p_set", `1`, "p_add", `1`, "p_append", `1`)
	for i := range int64(600) {
		r.Sequence, r.Base = i+1, i
		w.delivered(r)
		w.pass(time.Second)
	}
	r.Sequence, r.Base = 601, 600
	if out, err := w.push(r); err != nil || out[0].Status != dest.Retry || out[0].Code != "updates_per_hour" {
		t.Fatalf("%+v, %v", out, err)
	}
	if got := w.stored(r)["p_add"]; got != "600" {
		t.Errorf("the project holds %s", got)
	}
}

// An answer that was lost is made good by the same events.
func TestLostAnswers(t *testing.T) {
	for name, f := range map[string]sandbox.Fault{
		"dropped": {DropAfterCommit: true}, "502 after all": {AfterCommit: true, Status: http.StatusBadGateway},
		"504": {AfterCommit: true, Status: http.StatusGatewayTimeout, Body: "<html>", ContentType: "text/html"}, "cut": {Cut: 20},
	} {
		w := newWorld(t, operations)
		r := rec("user-1", "p_add", `5`)
		w.fault(f)
		if call := w.fails(r); !call.Received || call.Class != dest.Unavailable || call.Scope != dest.ScopeUntold {
			t.Errorf("%s: %+v", name, call)
		}
		w.pass(time.Minute)
		w.delivered(r)
		if got := w.stored(r)["p_add"]; got != "5" {
			t.Errorf("%s: %s was added", name, got)
		}
	}
}

func TestWholeAnswers(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		fault sandbox.Fault
		class dest.Class
		scope dest.Scope
		code  string
		after time.Duration
	}{
		"fewer than sent":    {sandbox.Fault{Status: 200, Body: `{"code":200,"events_ingested":1}`}, dest.Unavailable, dest.ScopeUntold, "bad_answer", 0},
		"202":                {sandbox.Fault{Status: 202, Body: `{"code":200,"events_ingested":2}`}, dest.Unavailable, dest.ScopeUntold, "bad_answer", 0},
		"too large a header": {sandbox.Fault{Status: 431}, dest.Refused, dest.ScopeUntold, "431", 0},
		"too long":           {sandbox.Fault{Status: 414, Body: `{}`}, dest.Refused, dest.ScopeUntold, "414", 0},
		"too large":          {sandbox.Fault{Status: 413, Body: `{"code":413,"error":"Payload too large"}`}, dest.Refused, dest.ScopeUntold, "413", 0},
		"firewall":           {sandbox.Fault{Status: 403, Body: `{"message":"Forbidden"}`}, dest.Configuration, dest.ScopeUntold, "403", 0},
		"firewall's text":    {sandbox.Fault{Status: 403, Body: `Forbidden`}, dest.Configuration, dest.ScopeUntold, "403", 0},
		"a gateway's type":   {sandbox.Fault{Status: 415, Body: `{"error":"Unsupported Media Type"}`}, dest.Configuration, dest.ScopeUntold, "415", 0},
		"a proxy":            {sandbox.Fault{Status: 407, Body: `{}`}, dest.Configuration, dest.ScopeUntold, "407", 0},
		"no body":            {sandbox.Fault{Status: 400}, dest.Unavailable, dest.ScopeUntold, "400", 0},
		"cut":                {sandbox.Fault{Status: 400, Body: `{"code":400,"error":"Invalid event JSON","eve`}, dest.Unavailable, dest.ScopeUntold, "400", 0},
		"says nothing":       {sandbox.Fault{Status: 400, Body: `{"message":"Bad Request"}`}, dest.Configuration, dest.ScopeUntold, "400", 0},
		"names nobody":       {sandbox.Fault{Status: 400, Body: `{"code":400,"error":"Invalid event JSON"}`}, dest.Refused, dest.ScopeUntold, "400", 0},
		"names others":       {sandbox.Fault{Status: 400, Body: `{"code":400,"error":"x","events_with_invalid_fields":{"time":[2,-1,99]}}`}, dest.Refused, dest.ScopeUntold, "400", 0},
		"lists of no number": {sandbox.Fault{Status: 400, Body: `{"code":400,"error":"x","events_with_invalid_fields":{"time":["0"]}}`}, dest.Unavailable, dest.ScopeUntold, "400", 0},
		"no JSON":            {sandbox.Fault{Status: 400, Body: `bad request`}, dest.Unavailable, dest.ScopeUntold, "400", 0},
		"no key":             {sandbox.Fault{Status: 400, Body: `{"code":400,"error":"Request missing required field","missing_field":"api_key"}`}, dest.Configuration, dest.ScopeConnection, "invalid_api_key", 0},
		"path":               {sandbox.Fault{Status: 400, Body: `{"code":400,"error":"Invalid request path"}`}, dest.Configuration, dest.ScopeConnection, "400", 0},
		"not found":          {sandbox.Fault{Status: 404, Body: `{}`}, dest.Configuration, dest.ScopeUntold, "404", 0},
		"throttled":          {sandbox.Fault{Status: 429, Body: ``}, dest.Throttled, dest.ScopeConnection, "429", 15 * time.Second},
		"throttled longer":   {sandbox.Fault{Status: 429, Headers: map[string]string{"Retry-After": "90"}}, dest.Throttled, dest.ScopeConnection, "429", 90 * time.Second},
	} {
		w.fault(c.fault)
		call := w.fails(users(2)...)
		if call.Class != c.class || call.Scope != c.scope || call.Code != c.code || call.After != c.after || call.Received != (c.fault.Status < 300) {
			t.Errorf("%s: %+v", name, call)
		}
		if len(w.bodies()) != 1 {
			t.Errorf("%s: more than one request", name)
		}
	}
}

// A gateway's timeout may hide that the events were taken. What is too large although it is
// one small event is every event's; and what refuses a probe refuses the connection.
func TestGateways(t *testing.T) {
	w := newWorld(t)
	w.fault(sandbox.Fault{Status: 408, Body: `{"code":408,"error":"x"}`})
	if call := w.fails(users(1)...); call.Class != dest.Unavailable || call.Scope != dest.ScopeUntold || !call.Received {
		t.Errorf("%+v", call)
	}
	for _, status := range []int{413, 414, 431} {
		w.fault(sandbox.Fault{Status: status, Body: `{"code":413,"error":"Payload too large"}`})
		if call := w.fails(users(1)...); call.Class != dest.Refused || call.Scope != dest.ScopeVersion {
			t.Errorf("%d: %+v", status, call)
		}
		w.fault(sandbox.Fault{Status: status, Body: `{"code":413,"error":"Payload too large"}`})
		if call := w.fails(rec("user-1", "note", `"`+strings.Repeat("x", 1000)+`"`, "list", "["+strings.Repeat("1000,", dest.SmallRequest/5)+"1]")); call.Class != dest.Refused || call.Scope != dest.ScopeUntold {
			t.Errorf("%d, large: %+v", status, call)
		}
	}
	for _, f := range []sandbox.Fault{{Status: 403, Body: `{}`}, {Status: 407, Body: `{}`}, {Status: 415, Body: `{"error":"x"}`}, {Status: 404, Body: `{}`}, {Status: 413, Body: `{}`}} {
		w.fault(f)
		if call, ok := errors.AsType[*dest.CallError](w.acct.Probe(t.Context())); !ok || call.Class != dest.Configuration || call.Scope != dest.ScopeConnection {
			t.Errorf("a probe, %d: %+v", f.Status, call)
		}
	}
}

// What Amplitude says is never passed on: it quotes keys, ids and values.
func TestPrivacy(t *testing.T) {
	w := newWorld(t)
	const secret = "user-0"
	for _, body := range []string{
		`{"code":400,"error":"Invalid API key: ` + apiKey + `"}`,
		`{"code":400,"error":"user-0 is bad","events_with_invalid_fields":{"user-0":[0],"plan 1":[1]}}`,
		`{"code":400,"error":"user-0","missing_field":"user-0"}`,
		`{"code":429,"error":"user-0","throttled_users":{"user-0":9,"user-1":9}}`,
		`{"code":400,"error":"x","silenced_events":[0,1],"silenced_devices":["user-0"]}`,
	} {
		status := 400
		if strings.Contains(body, "429") {
			status = 429
		}
		w.fault(sandbox.Fault{Status: status, Body: body})
		out, err := w.push(users(2)...)
		text := fmt.Sprintf("%+v", err)
		for _, o := range out {
			o.ID = ""
			text += fmt.Sprintf("%+v", o)
		}
		if strings.Contains(text, secret) || strings.Contains(text, apiKey) || strings.Contains(text, "plan 1") {
			t.Errorf("%s gives %s", body, text)
		}
	}
}

// A key that was refused is read anew, so that a new one soon holds; the probe says so.
func TestKeyIsReplaced(t *testing.T) {
	key, reads := "an-old-key", 0
	w := newWorld(t, func(_ *sim.Config, w *world) {
		w.cfg.Secret = func(context.Context) (map[string]string, error) {
			reads++
			return map[string]string{"api_key": key}, nil
		}
	})
	if call := w.fails(users(1)...); call.Code != "invalid_api_key" || call.Scope != dest.ScopeConnection || strings.Contains(call.Message, key) {
		t.Errorf("%+v", call)
	}
	if call, ok := errors.AsType[*dest.CallError](w.acct.Probe(t.Context())); ok {
		t.Logf("the probe: %v", call)
	} else {
		t.Error("the probe takes a wrong key")
	}
	key = apiKey
	if err := w.acct.Probe(t.Context()); err != nil {
		t.Error(err)
	}
	w.delivered(users(2)...)
	if reads != 3 {
		t.Errorf("the secret was read %d times", reads)
	}
	for _, bad := range []map[string]string{nil, {"token": "x"}, {"api_key": " "}} {
		w.cfg.Secret = func(context.Context) (map[string]string, error) { return bad, nil }
		w.open()
		if call := w.fails(users(1)...); call.Code != "secret" || !strings.Contains(call.Message, "amplitude_prod") {
			t.Errorf("%v: %+v", bad, call)
		}
	}
}

// The probe costs one call, leaves nothing in the project, and fails with the
// connection only.
func TestProbe(t *testing.T) {
	w := newWorld(t)
	if err := w.acct.Probe(t.Context()); err != nil || w.sim.Events() != 0 || len(w.bodies()) != 1 {
		t.Errorf("%v, %d events", err, w.sim.Events())
	}
	for name, c := range map[string]struct {
		fault sandbox.Fault
		fails bool
	}{
		"an empty batch is taken":   {sandbox.Fault{Status: 200, Body: `{"code":200,"events_ingested":0}`}, false},
		"any refusal of the events": {sandbox.Fault{Status: 400, Body: `{"code":400,"error":"Missing request body"}`}, false},
		"the firewall":              {sandbox.Fault{Status: 403, Body: `{}`}, true},
		"no word of Amplitude's":    {sandbox.Fault{Status: 400, Body: `{}`}, true},
		"another service":           {sandbox.Fault{Status: 200, Body: `{"ok":true}`}, true},
		"throttled":                 {sandbox.Fault{Status: 429}, true},
		"another path":              {sandbox.Fault{Status: 404, Body: `{}`}, true},
	} {
		w.fault(c.fault)
		err := w.acct.Probe(t.Context())
		call, _ := errors.AsType[*dest.CallError](err)
		if (err != nil) != c.fails || c.fails && (call == nil || call.Class == dest.Refused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
