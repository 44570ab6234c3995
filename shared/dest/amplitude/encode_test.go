package amplitude_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/amplitude"
	sim "github.com/penstock-data/penstock/shared/sandbox/amplitude"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// operations maps a property per operation; the others are set.
func operations(_ *sim.Config, w *world) {
	for _, op := range []string{"set", "set_once", "add", "append", "unset"} {
		w.def.Fields = append(w.def.Fields, syncdef.Field{Source: op, Destination: "p_" + op, Options: fmt.Appendf(nil, `{"operation":%q}`, op)})
	}
	w.def.Fields = append(w.def.Fields, syncdef.Field{Source: "d", Destination: "device_id"})
}

func TestEvent(t *testing.T) {
	w := newWorld(t, operations)
	w.delivered(rec("user-1", "p_set", `{"a":[1,2.50]}`, "p_set_once", `"first"`, "p_add", `2`, "p_append", `["x"]`, "p_unset", `true`, "device_id", `"device-1"`, "other <&>", `9007199254740993`))
	w.delivered(rec("user-1", "p_set", `null`, "p_set_once", `null`, "p_add", `null`, "p_append", `null`, "p_unset", `null`, "device_id", `null`))
	var got []string
	ids := map[string]bool{}
	for _, body := range w.bodies() {
		var in struct {
			APIKey  string `json:"api_key"`
			Options json.RawMessage
			Events  []map[string]json.RawMessage
		}
		if err := json.Unmarshal(body, &in); err != nil || in.APIKey != apiKey {
			t.Fatalf("%s: %v", body, err)
		}
		for _, e := range in.Events {
			var id string
			if json.Unmarshal(e["insert_id"], &id) != nil || len(id) != 32 || ids[id] {
				t.Errorf("insert_id %s", e["insert_id"])
			}
			ids[id] = true
			got = append(got, fmt.Sprintf("%s %s %s %s %s %s", in.Options, e["event_type"], e["user_id"], e["device_id"], e["time"], e["user_properties"]))
		}
	}
	want := []string{
		`{"min_id_length":5} "$identify" "user-1" "device-1" 1777888800000 ` +
			`{"$set":{"p_set":{"a":[1,2.50]},"other <&>":9007199254740993},"$setOnce":{"p_set_once":"first"},"$unset":{"p_unset":"-"}}`,
		`{"min_id_length":5} "$identify" "user-1"  1777888800000 {"$add":{"p_add":2}}`,
		`{"min_id_length":5} "$identify" "user-1"  1777888800000 {"$append":{"p_append":["x"]}}`,
		`{"min_id_length":5} "$identify" "user-1"  1777888800000 {"$unset":{"p_set":"-","p_set_once":"-","p_unset":"-"}}`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// A record that changes nothing is not sent, and is right at the project.
func TestNothingToSend(t *testing.T) {
	w := newWorld(t, operations)
	w.delivered(rec("user-1", "p_add", `null`, "p_append", `null`), rec("user-2"))
	if n := len(w.bodies()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestInsertID(t *testing.T) {
	w := newWorld(t)
	id := func(r dest.Record) string {
		t.Helper()
		w.delivered(r)
		return events(t, w.bodies()[0])[0]["insert_id"].(string)
	}
	first := rec("user-1", "plan", `"a"`)
	ids := map[string]string{"the first": id(first)}
	w.pass(time.Hour)
	w.open() // another process
	if again := id(first); again != ids["the first"] {
		t.Errorf("the same row again: %s, then %s", ids["the first"], again)
	}
	newer := first
	newer.Sequence++
	ids["the same values later"] = id(newer)
	ids["another value"] = id(rec("user-1", "plan", `"b"`))
	ids["another user"] = id(rec("user-2", "plan", `"a"`))
	ids["another property"] = id(rec("user-1", "pla", `"na"`))
	ids["another device"] = id(rec("user-1", "plan", `"a"`, "device_id", `"device-1"`))
	w.def.Sync = "another_sync"
	w.open()
	ids["another sync"] = id(first)
	seen := map[string]string{}
	for name, one := range ids {
		if other := seen[one]; other != "" {
			t.Errorf("%s and %s have one insert_id", name, other)
		}
		seen[one] = name
	}
}

// An event that was taken and is sent again adds nothing, whatever else a newer row sends
// with it; what comes after it is known to have arrived adds.
func TestAddsOnce(t *testing.T) {
	w := newWorld(t, operations)
	r := rec("user-1", "p_add", `2`, "p_append", `"x"`)
	w.delivered(r)
	w.pass(6 * 24 * time.Hour)
	w.delivered(r)
	newer := rec("user-1", "p_set", `1`, "p_add", `2`, "device_id", `"device-1"`, "p_append", `"x"`)
	newer.Sequence = 2
	w.delivered(newer)
	if d := cmp.Diff(map[string]string{"p_set": "1", "p_add": "2", "p_append": `["x"]`}, w.stored(newer)); d != "" {
		t.Error(d)
	}
	other := rec("user-1", "p_add", `3`)
	other.Sequence = 3
	w.delivered(other)
	newer.Sequence, newer.Base = 4, 3
	w.delivered(newer)
	if d := cmp.Diff(map[string]string{"p_set": "1", "p_add": "7", "p_append": `["x","x"]`}, w.stored(newer)); d != "" {
		t.Error(d)
	}
}

func TestIDs(t *testing.T) {
	for id, taken := range map[string]bool{
		"user-1": true, "USER-1": true, "12345": true, "-1234": true, "ünïcö": true, "日本語日本": true, "a b c": true, "nobody": true,
		"1234": false, "日本語日": false, "0": false, "-1": false, "{}": false, "lmy47d": false, "LMY47D": false, "anonymous": false, "Anonymous": false,
		"undefined": false, "UNKNOWN": false, "00000000-0000-0000-0000-000000000000": false, "nil": false, "none": false, "null": false, "n/a": false, "NA": false,
		strings.Repeat("x", 1024): true, strings.Repeat("x", 1025): false,
	} {
		w := newWorld(t)
		out, err := w.push(rec(id, "plan", `"a"`))
		if err != nil || (out[0].Status == dest.Delivered) != taken {
			t.Errorf("%q: %+v, %v", id, out, err)
		}
		if !taken && (out[0].Status != dest.Rejected || out[0].Code != "invalid_id" || out[0].Field != "user_id" || len(w.bodies()) != 0) {
			t.Errorf("%q: %+v", id, out[0])
		}
		if taken && w.sim.User(id) == nil {
			t.Errorf("%q is not there", id)
		}
	}
}

// What amplitude.min_id_length allows is sent with the request's option, and
// placeholders are refused all the same; devices are judged alike.
func TestShortIDs(t *testing.T) {
	w := newWorld(t, func(_ *sim.Config, w *world) { w.def.Options = []byte(`{"min_id_length":1}`) })
	w.delivered(rec("7", "plan", `"a"`), rec("ab", "device_id", `"d"`))
	out, err := w.push(rec("0", "plan", `"a"`), rec("8", "device_id", `"null"`), rec("9", "device_id", `5`))
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range out {
		if o.Status != dest.Rejected || o.Code != "invalid_id" {
			t.Errorf("%d: %+v", i, o)
		}
	}
	if w.sim.Count() != 2 {
		t.Errorf("%d users", w.sim.Count())
	}
}

// What Amplitude would cut or lose is refused, and what just fits arrives whole.
func TestValues(t *testing.T) {
	w := newWorld(t, operations)
	for name, c := range map[string]struct{ value, code string }{
		"a long text":      {`"` + strings.Repeat("x", 1024) + `"`, ""},
		"too long":         {`"` + strings.Repeat("x", 1025) + `"`, "value_too_long"},
		"escapes":          {`"` + strings.Repeat(`\n`, 1024) + `"`, ""},
		"accents":          {`"` + strings.Repeat("é", 1024) + `"`, ""},
		"emoji that fit":   {`"` + strings.Repeat("🚰", 512) + `"`, ""},
		"emoji too many":   {`"` + strings.Repeat("🚰", 513) + `"`, "value_too_long"},
		"too long in list": {`["a","` + strings.Repeat("x", 1025) + `"]`, "value_too_long"},
		"too long a name":  {`{"` + strings.Repeat("x", 1025) + `":1}`, "value_too_long"},
		"a long list":      {`[` + strings.Repeat(`"xxxx",`, 999) + `"x"]`, ""},
		"deep":             {strings.Repeat("[", 36) + strings.Repeat("]", 36), ""},
		"too deep":         {strings.Repeat("[", 41) + strings.Repeat("]", 41), "value_too_deep"},
		"empty":            {`""`, ""},
		"false":            {`false`, ""},
	} {
		out, err := w.push(rec("user-1", "note", c.value))
		if err != nil || out[0].Code != c.code || (out[0].Status == dest.Delivered) != (c.code == "") || c.code != "" && out[0].Field != "note" {
			t.Errorf("%s: %+v, %v", name, out, err)
			continue
		}
		var sent, stored any
		if c.code == "" && (json.Unmarshal([]byte(c.value), &sent) != nil || json.Unmarshal(w.sim.User("user-1").Properties["note"], &stored) != nil || !reflect.DeepEqual(sent, stored)) {
			t.Errorf("%s: the project holds %s", name, w.sim.User("user-1").Properties["note"])
		}
	}
	for _, value := range []string{`"2"`, `true`, `[1]`} {
		if out, err := w.push(rec("user-1", "p_add", value)); err != nil || out[0].Code != "not_a_number" {
			t.Errorf("add %s: %+v, %v", value, out, err)
		}
	}
}

// A batch_size that is written bounds a call; the default halves no batch.
func TestBatchSize(t *testing.T) {
	w := newWorld(t)
	batch := dest.Batch{Records: make([]dest.Record, 4500)}
	for size, want := range map[int]int{0: 3, syncdef.DefaultBatchSize: 3, 500: 9, 1500: 3, 10_000: 3} {
		w.def.BatchSize = size
		d, err := w.acct.Open(w.version())
		if err != nil {
			t.Fatal(err)
		}
		if calls := d.Calls(batch, 0); len(calls) != want {
			t.Errorf("batch_size %d: %d calls, want %d", size, len(calls), want)
		}
	}
}

// Calls are as full as Amplitude takes them.
func TestCallsAreFull(t *testing.T) {
	w := newWorld(t, patient)
	var records []dest.Record
	for i := range 4500 {
		records = append(records, rec(fmt.Sprintf("user-%d", i), "n", fmt.Sprint(i)))
	}
	w.delivered(records...)
	var sizes []int
	for _, body := range w.bodies() {
		sizes = append(sizes, len(events(t, body)))
	}
	if d := cmp.Diff([]int{2000, 2000, 500}, sizes); d != "" || w.acct.APICalls() != 3 {
		t.Errorf("%d calls: %s", w.acct.APICalls(), d)
	}
	w.def.Fields = []syncdef.Field{{Source: "n", Destination: "n", Options: []byte(`{"operation":"add"}`)}}
	w.open()
	for i := range records {
		records[i].Fields = append(records[i].Fields, dest.Field{Name: "plan", Value: []byte(`"a"`)})
	}
	w.delivered(records[:1500]...)
	for _, body := range w.bodies() {
		if n := len(events(t, body)); n != 2000 && n != 1000 {
			t.Errorf("%d events of rows that set and add", n)
		}
	}
	text := `"` + strings.Repeat("x", 1000) + `"`
	for i := range records[:2000] {
		records[i] = rec(records[i].Key)
		for n := range 12 {
			records[i].Fields = append(records[i].Fields, dest.Field{Name: fmt.Sprint("text_", n), Value: []byte(text)})
		}
	}
	w.delivered(records[:2000]...)
	largest := 0
	bodies := w.bodies()
	for _, body := range bodies {
		largest = max(largest, len(body))
	}
	if len(bodies) != 2 || largest > 20_000_000 || largest < 18_000_000 {
		t.Errorf("%d calls, the largest of %d bytes", len(bodies), largest)
	}
}

// A device that has not changed goes with what is set, and makes no event by itself; the
// version's rules ask for it.
func TestDeviceGoesAlong(t *testing.T) {
	w := newWorld(t, operations)
	if rules := amplitude.Kind.RulesOf(&w.def, &syncdef.Connection{}); !reflect.DeepEqual(rules.Along, []string{"device_id"}) {
		t.Errorf("%v", rules.Along)
	}
	for _, r := range []dest.Record{rec("user-1", "p_set", `1`), rec("user-1", "p_add", `2`)} {
		r.Along = []dest.Field{{Name: "device_id", Value: []byte(`"device-1"`)}}
		w.delivered(r)
	}
	var got []string
	for _, body := range w.bodies() {
		var in struct{ Events []map[string]json.RawMessage }
		if err := json.Unmarshal(body, &in); err != nil {
			t.Fatal(err)
		}
		for _, e := range in.Events {
			got = append(got, fmt.Sprintf("%s %s", e["device_id"], e["user_properties"]))
		}
	}
	if d := cmp.Diff([]string{`"device-1" {"$set":{"p_set":1}}`, ` {"$add":{"p_add":2}}`}, got); d != "" {
		t.Error(d)
	}
}
