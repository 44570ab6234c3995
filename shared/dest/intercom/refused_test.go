package intercom_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A permission that the app lacks is the version's whose call needs it: another sync's calls
// may need none. What the probe may not ask is the connection's.
func TestPermissions(t *testing.T) {
	def := with(byEmail(), `{"managed_tags":["risk_"],"create_attributes":true}`, syncdef.Field{Source: "tags", Destination: "tags", Type: syncdef.JSON})
	for denied, fields := range map[string][]string{"contacts": {"name", `"J"`}, "tags": {"tags", `["risk_x"]`}} {
		w := newWorld(t, def, func(c *simConfig) { c.Denied = []string{denied} })
		b := dest.Batch{Records: []dest.Record{w.rec("john@acme.example", fields...)}}
		_, err := w.dest.Push(t.Context(), b, w.dest.Calls(b, 0)[0])
		if call := asCall(t, err); call.Class != dest.Configuration || call.Scope != dest.ScopeVersion || call.Code != "forbidden" {
			t.Errorf("%s: %+v", denied, call)
		}
		if err := w.acct.Probe(t.Context()); err != nil {
			t.Errorf("%s: %v", denied, err)
		}
	}
	w := newWorld(t, def, func(c *simConfig) { c.Denied = []string{"me"} })
	if call := asCall(t, w.acct.Probe(t.Context())); call.Class != dest.Configuration || call.Scope != dest.ScopeConnection {
		t.Errorf("%+v", call)
	}
}

// A resource that is asked for too often is waited for by the row, or the call, that asks
// for it, and by nobody else.
func TestSlowed(t *testing.T) {
	tagged := with(byExternalID(), `{"managed_tags":["risk_"]}`, syncdef.Field{Source: "tags", Destination: "tags", Type: syncdef.JSON})
	made := with(byExternalID(), `{"create_attributes":true}`, syncdef.Field{Source: "plan", Destination: "plan", Type: syncdef.String}, flat)
	identifying := with(byEmail(), "", syncdef.Field{Source: "id", Destination: "external_id", Type: syncdef.String})
	push := func(w *world, r dest.Record) ([]dest.Outcome, error) {
		return w.dest.Push(w.t.Context(), dest.Batch{Records: []dest.Record{r}}, dest.Call{Records: []int{0}})
	}
	look := func(w *world, keys ...string) ([]dest.Outcome, error) {
		var b dest.Batch
		for _, key := range keys {
			b.Records = append(b.Records, w.rec(key))
		}
		return w.dest.Lookup(w.t.Context(), b, w.dest.Lookups(b)[0])
	}
	for name, c := range map[string]struct {
		def   syncdef.Definition
		match string
		do    func(w *world) ([]dest.Outcome, error)
		row   bool
	}{
		"a mapped attribute": {made, "POST /data_attributes", func(w *world) ([]dest.Outcome, error) { return push(w, w.rec("c-2", "plan", `"pro"`)) }, true},
		"an object's member": {made, "POST /data_attributes", func(w *world) ([]dest.Outcome, error) {
			return push(w, w.rec("c-2", "custom_attributes", `{"fresh":1}`))
		}, true},
		"the attributes": {byExternalID(), "GET /data_attributes", func(w *world) ([]dest.Outcome, error) { return push(w, w.rec("c-2", "note", `"n"`)) }, false},
		"a find":         {byExternalID(), "/find_by_external_id/", func(w *world) ([]dest.Outcome, error) { return look(w, "c-1") }, true},
		"a search":       {byExternalID(), "/contacts/search", func(w *world) ([]dest.Outcome, error) { return look(w, "c-1", "c-2") }, false},
		"a conflict": {identifying, "GET /contacts/", func(w *world) ([]dest.Outcome, error) {
			return push(w, w.rec("c-1@acme.example", "external_id", `"c-1"`))
		}, true},
		"a tag":    {tagged, "POST /tags", func(w *world) ([]dest.Outcome, error) { return push(w, w.rec("c-2", "tags", `["risk_x"]`)) }, true},
		"the tags": {tagged, "GET /tags", func(w *world) ([]dest.Outcome, error) { return push(w, w.rec("c-2", "tags", `["risk_x"]`)) }, false},
	} {
		w := newWorld(t, c.def)
		w.seed(`{"role":"user","external_id":"c-1","email":"c-1@acme.example"}`)
		w.arm(sandbox.Fault{Match: c.match, Status: 429, Headers: map[string]string{"Retry-After": "7"}, Body: `{"type":"error.list","errors":[{"code":"too_many_requests","message":"slow"}]}`})
		out, err := c.do(w)
		if c.row {
			if err != nil || out[0].Status != dest.Retry || out[0].After != 7*time.Second || out[0].Code != "too_many_requests" || out[0].Message == "" {
				t.Errorf("%s: %+v, %v", name, out, err)
			}
			continue
		}
		if call := asCall(t, err); call.Class != dest.Unavailable || call.Scope != dest.ScopeUntold || call.After != 7*time.Second {
			t.Errorf("%s: %+v", name, call)
		}
	}
	w := newWorld(t, byExternalID())
	w.arm(sandbox.Fault{Match: "/me", Status: 429, Body: `{"type":"error.list","errors":[{"code":"too_many_requests","message":"slow"}]}`})
	if call := asCall(t, w.acct.Probe(t.Context())); call.Class != dest.Throttled || call.Scope != dest.ScopeConnection {
		t.Errorf("%+v", call)
	}
}

// A window of 10 seconds does not end in hours, whatever unit a header is in.
func TestResetIsNear(t *testing.T) {
	w := newWorld(t, byExternalID())
	now := w.clock.now()
	for header, want := range map[string]time.Duration{
		fmt.Sprint(now.Unix() + 8): 8 * time.Second, fmt.Sprint(now.Unix() - 5): time.Second, fmt.Sprint(now.Unix() + 7200): time.Minute,
		fmt.Sprint(now.UnixMilli() + 8000): time.Minute, "9223372036854775807": time.Minute, "soon": 0,
	} {
		w.arm(sandbox.Fault{Match: "/me", Status: 429, Headers: map[string]string{"X-RateLimit-Reset": header}})
		if call := asCall(t, w.acct.Probe(t.Context())); call.Class != dest.Throttled || call.After != want {
			t.Errorf("%s: %v, want %v (%+v)", header, call.After, want, call)
		}
	}
	w.arm(sandbox.Fault{Match: "/me", Status: 429, Headers: map[string]string{"Retry-After": "7200", "X-RateLimit-Reset": "1"}})
	if call := asCall(t, w.acct.Probe(t.Context())); call.After != 2*time.Hour { // that is said in so many words
		t.Errorf("%+v", call)
	}
}

// A value that is quoted is not what Intercom says: its words halt no version, restore
// nobody, and name no contact.
func TestVendorsWordsInValues(t *testing.T) {
	def := with(byExternalID(), `{"on_archived":"unarchive"}`, flat)
	for _, c := range []struct {
		status        int
		code, message string
		known         bool
		want          string
		scope         dest.Scope
	}{
		{400, "parameter_invalid", `'does not exist' is not a valid value of custom attribute 'score'`, false, "parameter_invalid", dest.ScopeUntold},
		{400, "parameter_invalid", `'Custom attribute 'score' does not exist' is no value of 'score'`, false, "parameter_invalid", dest.ScopeUntold},
		{400, "parameter_invalid", `Custom attribute 'score' does not take 'this does not exist'`, false, "parameter_invalid", dest.ScopeUntold},
		{400, "parameter_invalid", `Custom attribute 'score' does not exist`, false, "parameter_invalid", dest.ScopeVersion},
		{409, "conflict", `'multiple' of 'id=4711' is there: A contact matching those details already exists with id=4711`, false, "conflict", dest.ScopeUntold},
		{409, "conflict", `A contact matching those details already exists with id=66a4 for 'archived'`, false, "found 66a4", dest.ScopeUntold},
		{409, "conflict", `A contact matching those details already exists with id=66a4 for 'multiple'`, false, "found 66a4", dest.ScopeUntold},
		{404, "not_found", `'admin@owner.example' Not Found`, true, "found ", dest.ScopeUntold},
		{404, "not_found", `Admin Not Found`, true, "not_found", dest.ScopeUntold},
	} {
		w := newWorld(t, def)
		r := w.rec("c-1", "custom_attributes.score", "1")
		match := "POST /contacts"
		if c.known {
			r.ID, match = "66a0", "PUT /contacts/"
		}
		w.arm(sandbox.Fault{Match: match, Status: c.status, Body: fmt.Sprintf(`{"type":"error.list","errors":[{"code":%q,"message":%q}]}`, c.code, c.message)})
		o := w.push(r)[0]
		if short(o) != c.want || o.Scope != c.scope || strings.Contains(o.Message, "4711") || strings.Contains(o.Message, "does not exist") {
			t.Errorf("%s: %+v", c.message, o)
		}
		for _, sent := range w.sent() {
			if strings.Contains(sent, "unarchive") {
				t.Errorf("%s: %s", c.message, sent)
			}
		}
	}
}
