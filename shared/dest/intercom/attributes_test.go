package intercom_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// flat maps an object to the contact's attributes.
var flat = syncdef.Field{Source: "custom_attributes", Destination: "custom_attributes", Type: syncdef.JSON}

func mapped(name string, t syncdef.Type) syncdef.Field {
	return syncdef.Field{Source: name, Destination: name, Type: t}
}

// The sample's object becomes the contact's attributes, which are made.
func TestObjectIsFlattened(t *testing.T) {
	w := newWorld(t, with(byEmail(), `{"create_attributes":true}`, flat))
	const object = `{"health_percentage":85,"risk_level":"LOW_RISK","support_priority":"normal","recent_support_tickets":1,"training_completed":true,"account_value":"12500","last_health_update":"2024-01-15 10:30:00","nothing":null}`
	got := w.deliver(w.rec("john@acme.example", "custom_attributes", object))
	same(t, []string{"created"}, shorts(got))
	want := map[string]string{"email": "john@acme.example", "role": "user", "health_percentage": "85", "risk_level": "LOW_RISK", "support_priority": "normal",
		"recent_support_tickets": "1", "training_completed": "true", "account_value": "12500", "last_health_update": "2024-01-15 10:30:00"}
	if d := cmp.Diff(want, w.sim.Contact("john@acme.example").Values); d != "" {
		t.Error(d)
	}
	made := 0
	for _, s := range w.sent() {
		if strings.HasPrefix(s, "POST /data_attributes") {
			made++
		}
	}
	if made != 7 {
		t.Errorf("%d attributes made, want one of each that has a value", made)
	}
	// An object within a text, as some warehouses write JSON, and a null that clears.
	again := w.rec("john@acme.example", "custom_attributes", `"{\"risk_level\":null,\"health_percentage\":85.5}"`)
	again.ID = got[0].ID
	same(t, []string{"updated"}, shorts(w.push(again)))
	same(t, []string{`PUT /contacts/` + again.ID + ` {"custom_attributes":{"risk_level":null,"health_percentage":85.5}}`}, w.sent())
}

// What is wrong with an object's member is its row's failure; what is wrong with a
// mapping's attribute is the version's. Nothing of either is sent.
func TestAttributesThatAreNotThere(t *testing.T) {
	fields := []syncdef.Field{flat, mapped("gone", syncdef.String), mapped("locked", syncdef.String), mapped("tier", syncdef.String), mapped("arr", syncdef.Number)}
	for _, c := range []struct {
		field, value string
		want         string
		scope        dest.Scope
	}{
		{"gone", `"x"`, "unknown_attribute", dest.ScopeVersion},
		{"arr", `1`, "unknown_attribute", dest.ScopeVersion}, // of companies
		{"locked", `"x"`, "read_only_attribute", dest.ScopeVersion},
		{"tier", `"bronze"`, "not_an_option", dest.ScopeUntold},
		{"note", `"` + strings.Repeat("ü", 256) + `"`, "attribute_too_long", dest.ScopeUntold},
		{"custom_attributes", `{"gone":1}`, "unknown_attribute", dest.ScopeUntold},
		{"custom_attributes", `{"locked":"x"}`, "read_only_attribute", dest.ScopeUntold},
		{"custom_attributes", `{"note":{"a":1}}`, "nested_attribute", dest.ScopeUntold},
		{"custom_attributes", `{"note":[1]}`, "nested_attribute", dest.ScopeUntold},
		{"custom_attributes", `{"deep":{"a":1}}`, "nested_attribute", dest.ScopeUntold}, // that it lacks is not what is wrong
		{"custom_attributes", `{"a.b":1}`, "bad_attribute_name", dest.ScopeUntold},
		{"custom_attributes", `{"two words":1}`, "unknown_attribute", dest.ScopeUntold},
		{"custom_attributes", `[1]`, "not_an_object", dest.ScopeUntold},
		{"custom_attributes", `"text"`, "not_an_object", dest.ScopeUntold},
	} {
		def := with(byExternalID(), "", fields...)
		if c.field == flat.Destination {
			def.Fields = []syncdef.Field{flat} // what is mapped by its name counts instead of a member
		}
		w := newWorld(t, def)
		o := w.push(w.rec("c-1", c.field, c.value))[0]
		if short(o) != c.want || o.Scope != c.scope || o.Field != c.field || o.Message == "" || w.sim.Live() != 0 {
			t.Errorf("%s %s: %+v", c.field, c.value, o)
		}
		if strings.Contains(o.Message, "bronze") || strings.Contains(o.Message, "ü") || strings.Contains(o.Message, "a.b") {
			t.Errorf("a row's value in %q", o.Message)
		}
	}
	w := newWorld(t, with(byExternalID(), "", fields...))
	same(t, []string{"created"}, shorts(w.deliver(w.rec("c-1", "tier", `"gold"`, "note", `"`+strings.Repeat("ü", 255)+`"`))))
	// Of another type than the attribute: Intercom refuses the row, and quotes it.
	if o := w.push(w.rec("c-2", "custom_attributes", `{"note":"n","seats":"secret-value"}`))[0]; short(o) != "parameter_invalid" || o.Field != "custom_attributes" || strings.Contains(o.Message, "secret") || !strings.HasSuffix(o.Message, "the custom attribute is (seats)") {
		t.Errorf("%+v", o)
	}
	for refusal, want := range map[string]string{
		`"message":"Value 'gold' is not taken by the attribute 'seats'"`:        "custom_attributes (seats)",
		`"message":"Value 'gold' is not taken by an attribute"`:                 "custom_attributes",
		`"message":"not of type Numeric","field":"custom_attributes.seats"`:     "custom_attributes (seats)",
		`"message":"not of type Numeric","field":"custom_attributes.stranger"`:  "",
		`"message":"Value 'secret' is wrong","field":"custom_attributes.note"`:  "note",
		`"message":"Value 'secret' is wrong: the attribute 'note' is a text"`:   "note",
		`"message":"Value 'a secret' is wrong, and no name of it","field":"xx"`: "",
	} {
		w.arm(sandbox.Fault{Match: "POST /contacts", Status: 400, Body: `{"type":"error.list","errors":[{"code":"parameter_invalid",` + refusal + `}]}`})
		o := w.push(w.rec("c-3", "note", `"n"`, "custom_attributes", `{"seats":"gold"}`))[0]
		got := o.Field
		if _, name, named := strings.Cut(o.Message, "the custom attribute is"); named {
			got += name
		}
		if got != want || strings.Contains(o.Message, "gold") || strings.Contains(o.Message, "secret") {
			t.Errorf("%s: %q, want %q (%+v)", refusal, got, want, o)
		}
	}
}

// Attributes are made with the mapping's data type, once, and can be made by nobody
// who may not.
func TestAttributesAreCreated(t *testing.T) {
	fields := []syncdef.Field{mapped("n", syncdef.Number), mapped("i", syncdef.Integer), mapped("b", syncdef.Boolean), mapped("d", syncdef.Date), mapped("dt", syncdef.DateTime), mapped("s", syncdef.Picklist)}
	w := newWorld(t, with(byExternalID(), `{"create_attributes":true}`, fields...))
	values := []string{"n", "1.5", "i", "7", "b", "true", "d", `"2024-01-15"`, "dt", `"2024-01-15T00:00:01Z"`, "s", `"x"`}
	same(t, []string{"created", "created"}, shorts(w.push(w.rec("c-1", values...), w.rec("c-2", values...))))
	var made []string
	for _, s := range w.sent() {
		if body, is := strings.CutPrefix(s, "POST /data_attributes "); is {
			made = append(made, body)
		}
	}
	same(t, []string{
		`{"model":"contact","data_type":"float","name":"n"}`, `{"model":"contact","data_type":"integer","name":"i"}`, `{"model":"contact","data_type":"boolean","name":"b"}`,
		`{"model":"contact","data_type":"date","name":"d"}`, `{"model":"contact","data_type":"datetime","name":"dt"}`, `{"model":"contact","data_type":"string","name":"s"}`,
	}, made)
	if v := w.sim.Contact("c-2").Values; v["d"] != "1705276800" || v["dt"] != "1705276801" {
		t.Errorf("%v", v)
	}
	// Two workers make one attribute at a time: whoever comes second takes it as it is.
	w.api("POST", "/data_attributes", `{"model":"contact","data_type":"string","name":"raced"}`)
	w.def.Fields = append(w.def.Fields, mapped("raced", syncdef.String))
	w.restart()
	w.arm(sandbox.Fault{Match: "GET /data_attributes", Find: `"custom_attributes.raced"`, Replace: `"custom_attributes.another"`})
	same(t, []string{"created"}, shorts(w.push(w.rec("c-3", "raced", `"x"`))))

	for name, c := range map[string]struct {
		field syncdef.Field
		fault sandbox.Fault
		code  string
	}{
		"of companies already": {mapped("arr", syncdef.Number), sandbox.Fault{Match: "nothing"}, "parameter_invalid"},
		"forbidden":            {mapped("new", syncdef.Number), sandbox.Fault{Match: "POST /data_attributes", Status: 403, Body: `{"type":"error.list","errors":[{"code":"forbidden","message":"no"}]}`}, "forbidden"},
	} {
		w := newWorld(t, with(byExternalID(), `{"create_attributes":true}`, c.field))
		w.arm(c.fault)
		b := dest.Batch{Records: []dest.Record{w.rec("c-1", c.field.Destination, "1")}}
		_, err := w.dest.Push(t.Context(), b, w.dest.Calls(b, 0)[0])
		if call := asCall(t, err); call.Class != dest.Configuration || call.Scope != dest.ScopeVersion || call.Code != c.code {
			t.Errorf("%s: %+v", name, call)
		}
	}
}

// called is how a message names a member.
func called(name string) string {
	if strings.Contains(name, " ") {
		return ""
	}
	return " (" + name + ")"
}

// A member of which no attribute can be made is its row's failure, and is asked for once a
// minute; the same of a mapping is the version's, above.
func TestMembersThatCannotBeMade(t *testing.T) {
	forbidden := sandbox.Fault{Match: "POST /data_attributes", Status: 403, Count: -1, Body: `{"type":"error.list","errors":[{"code":"forbidden","message":"no"}]}`}
	for name, c := range map[string]struct {
		member string
		fault  sandbox.Fault
		want   dest.Status
		code   string
	}{
		"Intercom's own":         {"email", sandbox.Fault{Match: "nothing"}, dest.Rejected, "parameter_invalid"},
		"in other case":          {"Phone", sandbox.Fault{Match: "nothing"}, dest.Rejected, "parameter_invalid"},
		"of companies":           {"arr", sandbox.Fault{Match: "nothing"}, dest.Rejected, "parameter_invalid"},
		"with blanks":            {"two words", sandbox.Fault{Match: "nothing"}, dest.Rejected, "bad_attribute_name"},
		"too many":               {"more", sandbox.Fault{Match: "POST /data_attributes", Status: 422, Count: -1, Body: `{"type":"error.list","errors":[{"code":"data_invalid","message":"You've reached the limit"}]}`}, dest.Rejected, "data_invalid"},
		"without the permission": {"more", forbidden, dest.Retry, "forbidden"},
	} {
		w := newWorld(t, with(byExternalID(), `{"create_attributes":true}`, flat))
		w.arm(c.fault)
		bad := `{"` + c.member + `":"a value"}`
		out := w.push(w.rec("c-1", "custom_attributes", bad), w.rec("c-2", "custom_attributes", `{"note":"n"}`), w.rec("c-3", "custom_attributes", bad))
		for _, o := range []dest.Outcome{out[0], out[2]} {
			if o.Status != c.want || o.Code != c.code || o.Scope != dest.ScopeUntold || o.Field != "custom_attributes" || !strings.Contains(o.Message, "a member"+called(c.member)+" ") || strings.Contains(o.Message, "a value") {
				t.Errorf("%s: %+v", name, o)
			}
		}
		if out[1].Status != dest.Delivered {
			t.Errorf("%s: the row between: %+v", name, out[1])
		}
		tried := func() (n int) {
			for _, s := range w.sent() {
				if strings.HasPrefix(s, "POST /data_attributes") {
					n++
				}
			}
			return n
		}
		asks := map[bool]int{true: 1}[!strings.Contains(c.member, " ")]
		if n := tried(); n != asks {
			t.Errorf("%s: tried %d times at once", name, n)
		}
		w.clock.pass(time.Minute)
		w.push(w.rec("c-1", "custom_attributes", bad))
		if n := tried(); n != asks { // sent tells what came since it was asked
			t.Errorf("%s: tried %d times after a minute", name, n)
		}
	}
}

// What could not be made may have been made by somebody else just then: while the list cannot
// be read, nothing is known of it, and nothing is remembered against it.
func TestMadeMeanwhile(t *testing.T) {
	w := newWorld(t, with(byExternalID(), `{"create_attributes":true}`, flat))
	same(t, []string{"created"}, shorts(w.push(w.rec("c-1", "custom_attributes", `{"note":"n"}`)))) // the list is read
	w.clock.pass(30 * time.Second)
	w.api("POST", "/data_attributes", `{"model":"contact","data_type":"string","name":"fresh"}`)
	w.arm(sandbox.Fault{Match: "GET /data_attributes", Status: 503})
	b := dest.Batch{Records: []dest.Record{w.rec("c-2", "custom_attributes", `{"fresh":"f"}`)}}
	_, err := w.dest.Push(t.Context(), b, w.dest.Calls(b, 0)[0])
	if call := asCall(t, err); call.Class != dest.Unavailable || call.Received {
		t.Errorf("%+v", call)
	}
	same(t, []string{"created"}, shorts(w.push(b.Records...)))
}

// An attribute that people make is seen within a minute; an app that may not read
// attributes leaves the judgement to Intercom.
func TestAttributesAreReadAgain(t *testing.T) {
	w := newWorld(t, with(byExternalID(), "", mapped("later", syncdef.String)))
	r := w.rec("c-1", "later", `"x"`)
	for range 3 {
		if o := w.push(r)[0]; o.Scope != dest.ScopeVersion {
			t.Fatalf("%+v", o)
		}
	}
	if n := len(w.sent()); n != 1 {
		t.Errorf("the list is read %d times within a minute", n)
	}
	w.api("POST", "/data_attributes", `{"model":"contact","data_type":"string","name":"later"}`)
	w.clock.pass(time.Minute)
	same(t, []string{"created"}, shorts(w.push(r)))

	w = newWorld(t, with(byExternalID(), "", mapped("later", syncdef.String)))
	w.arm(sandbox.Fault{Match: "/data_attributes", Status: 403, Count: -1, Body: `{"type":"error.list","errors":[{"code":"forbidden","message":"no"}]}`})
	if o := w.push(r)[0]; short(o) != "parameter_invalid" || o.Scope != dest.ScopeVersion || o.Field != "later" {
		t.Errorf("%+v", o)
	}
	same(t, []string{"created"}, shorts(w.push(w.rec("c-1", "note", `"x"`))))
}

// An attribute that has a mapping of its own is written once, by that.
func TestOwnMappingBeforeMember(t *testing.T) {
	def := with(byExternalID(), "")
	def.Fields = []syncdef.Field{flat, mapped("note", syncdef.String)}
	w := newWorld(t, def)
	r := w.rec("c-1", "custom_attributes", `{"note":"of the object"}`)
	r.Fields = append(r.Fields, dest.Field{Name: "note", Value: []byte(`"of the mapping"`)})
	if o := w.push(r)[0]; o.Status != dest.Delivered {
		t.Fatalf("%+v", o)
	}
	if got := w.sent(); len(got) == 0 || !strings.HasSuffix(got[len(got)-1], `"custom_attributes":{"note":"of the mapping"}}`) {
		t.Error(got)
	}
}
