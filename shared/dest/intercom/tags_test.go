package intercom_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/syncdef"
)

var tagged = syncdef.Field{Source: "user_tags", Destination: "tags", Type: syncdef.JSON}

const managed = `{"managed_tags":["health_score_","RISK_","high_value","standard_value"]}`

// tagWorld is a workspace with a contact that people have tagged.
func tagWorld(t *testing.T) (w *world, id string) {
	w = newWorld(t, with(byEmail(), managed, tagged))
	id = w.seed(`{"email":"john@acme.example"}`)[0]
	w.put(id, "VIP")
	w.put(id, "friend of risk_")
	w.sent()
	return w, id
}

// put tags a contact as people do.
func (w *world) put(id, name string) {
	w.t.Helper()
	tag := w.api("POST", "/tags", fmt.Sprintf(`{"name":%q}`, name))["id"]
	w.api("POST", "/contacts/"+id+"/tags", fmt.Sprintf(`{"id":%q}`, tag))
}

// known is the contact's record, its id remembered.
func (w *world) known(id string, fields ...string) dest.Record {
	r := w.rec("john@acme.example", fields...)
	r.ID = id
	return r
}

// A contact's managed tags become the row's, and those of people stay.
func TestTags(t *testing.T) {
	w, id := tagWorld(t)
	tags := func(want ...string) {
		t.Helper()
		same(t, want, w.sim.Contact("john@acme.example").Tags)
	}
	same(t, []string{"updated"}, shorts(w.deliver(w.rec("john@acme.example", "name", `"John"`, "tags", `["health_score_high","risk_low_risk","high_value",null,"high_value"]`))))
	tags("VIP", "friend of risk_", "health_score_high", "high_value", "risk_low_risk")
	w.sent()
	// One changes: a call for each change beside the contact's own.
	same(t, []string{"updated"}, shorts(w.push(w.known(id, "name", `"J"`, "tags", `["health_score_low","Risk_Low_Risk","high_value"]`))))
	tags("VIP", "friend of risk_", "health_score_low", "high_value", "risk_low_risk")
	sent := w.sent()
	if len(sent) != 4 || !strings.HasPrefix(sent[0], "PUT /contacts/") || !strings.HasPrefix(sent[1], "POST /tags ") || !strings.HasPrefix(sent[2], "POST /contacts/") || !strings.HasPrefix(sent[3], "DELETE /contacts/") {
		t.Errorf("sent %q", sent)
	}
	// Nothing but tags: they are read, and nothing is changed twice.
	same(t, []string{"updated"}, shorts(w.push(w.known(id, "tags", `["health_score_low","risk_low_risk","high_value"]`))))
	same(t, []string{"GET /contacts/" + id + "/tags "}, w.sent())
	// Null and the empty list are no tags; a list within a text is one.
	same(t, []string{"updated"}, shorts(w.push(w.known(id, "tags", `"[\"risk_x\"]"`))))
	tags("VIP", "friend of risk_", "risk_x")
	same(t, []string{"updated"}, shorts(w.push(w.known(id, "tags", "null"))))
	tags("VIP", "friend of risk_")
}

// An answer shows ten tags: the others are read before any is taken off.
func TestManyTags(t *testing.T) {
	w, id := tagWorld(t)
	for i := range 12 {
		w.put(id, fmt.Sprintf("zz %d", i))
	}
	w.put(id, "risk_old")
	w.clock.pass(2 * time.Minute)
	same(t, []string{"updated"}, shorts(w.push(w.known(id, "name", `"J"`, "tags", `["risk_new"]`))))
	got := w.sim.Contact("john@acme.example").Tags
	if all := strings.Join(got, ","); len(got) != 15 || strings.Contains(all, "risk_old") || !strings.Contains(all, "risk_new") {
		t.Errorf("%q", got)
	}
}

func TestTagsThatCannotBe(t *testing.T) {
	w, id := tagWorld(t)
	for value, want := range map[string]string{`["VIP"]`: "unmanaged_tag", `"risk_x"`: "not_a_list", `[1]`: "not_a_list", `{"a":1}`: "not_a_list", `[["risk_x"]]`: "not_a_list"} {
		o := w.push(w.known(id, "tags", value))[0]
		if short(o) != want || o.Field != "tags" || strings.Contains(o.Message, "VIP") {
			t.Errorf("%s: %+v", value, o)
		}
	}
	if n := len(w.sent()); n != 0 {
		t.Errorf("%d calls for rows that cannot be", n)
	}
}

// People delete and rename tags, and delete contacts, while rows come.
func TestTagsChangeMeanwhile(t *testing.T) {
	w, id := tagWorld(t)
	row := func(tags string) string { return short(w.push(w.known(id, "name", `"J"`, "tags", tags))[0]) }
	if got := row(`["risk_a","risk_b"]`); got != "updated" {
		t.Fatal(got)
	}
	find := func(name string) string {
		return w.api("POST", "/tags", fmt.Sprintf(`{"name":%q}`, name))["id"].(string)
	}
	w.api("DELETE", "/tags/"+find("risk_a"), "") // the book still knows it
	if got := row(`["risk_a","risk_b"]`); got != "updated" {
		t.Errorf("after a tag was deleted: %s", got)
	}
	same(t, []string{"VIP", "friend of risk_", "risk_a", "risk_b"}, w.sim.Contact("john@acme.example").Tags)
	w.api("POST", "/tags", fmt.Sprintf(`{"id":%q,"name":"keep me"}`, find("risk_b"))) // it is people's from now on
	w.clock.pass(time.Minute)
	if got := row(`["risk_a"]`); got != "updated" {
		t.Errorf("after a tag was renamed: %s", got)
	}
	same(t, []string{"VIP", "friend of risk_", "keep me", "risk_a"}, w.sim.Contact("john@acme.example").Tags)
	w.arm(sandbox.Fault{Match: "DELETE /contacts", Status: 404, Body: `{"type":"error.list","errors":[{"code":"not_found","message":"gone"}]}`})
	if got := row(`[]`); got != "updated" {
		t.Errorf("taken off by somebody else: %s", got)
	}
	w.arm(sandbox.Fault{Match: "/tags", Status: 429, Body: `{"type":"error.list","errors":[{"code":"too_many_requests","message":"slow"}]}`})
	if o := w.push(w.known(id, "tags", `[]`))[0]; o.Status != dest.Retry || o.Code != "too_many_requests" {
		t.Errorf("%+v", o)
	}
	w.api("DELETE", "/contacts/"+id, "")
	if o := w.push(w.known(id, "tags", `[]`))[0]; o.Status != dest.Found || o.ID != "" {
		t.Errorf("a contact that is gone: %+v", o)
	}
}

// A contact that was made and could not be tagged is tagged the next time, and is one.
func TestTagFailsAfterCreate(t *testing.T) {
	w := newWorld(t, with(byEmail(), managed, tagged))
	w.arm(sandbox.Fault{Match: "POST /tags", Status: 500, Body: "oops"})
	r := w.rec("new@acme.example", "name", `"N"`, "tags", `["risk_x"]`)
	b := dest.Batch{Records: []dest.Record{r}}
	_, err := w.dest.Push(t.Context(), b, w.dest.Calls(b, 0)[0])
	if call := asCall(t, err); call.Class != dest.Unavailable || !call.Received {
		t.Errorf("%+v", call)
	}
	same(t, []string{"updated"}, shorts(w.deliver(r)))
	if c := w.sim.Contact("new@acme.example"); w.sim.Live() != 1 || len(c.Tags) != 1 || c.Tags[0] != "risk_x" {
		t.Errorf("%+v", c)
	}
}

// untaggable ends the caller's context before a call about tags is sent.
type untaggable struct {
	http.RoundTripper
	end context.CancelFunc
}

func (u untaggable) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/tags") {
		u.end()
		return nil, r.Context().Err()
	}
	return u.RoundTripper.RoundTrip(r)
}

// A contact that was written before the time was over has been received, though nothing
// of its tags was sent.
func TestTagIsCutOffAfterCreate(t *testing.T) {
	w := newWorld(t, with(byEmail(), managed, tagged))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w.cfg.HTTP = &http.Client{Transport: untaggable{http.DefaultTransport, cancel}}
	w.restart()
	b := dest.Batch{Records: []dest.Record{w.rec("new@acme.example", "name", `"N"`, "tags", `["risk_x"]`)}}
	_, err := w.dest.Push(ctx, b, w.dest.Calls(b, 0)[0])
	if call := asCall(t, err); call.Class != dest.Unavailable || call.Scope != dest.ScopeUntold || !call.Received {
		t.Errorf("%+v", call)
	}
	if w.sim.Live() != 1 {
		t.Errorf("%d contacts", w.sim.Live())
	}
}

// A contact whose tag is refused was written all the same, and its outcome says so.
func TestTagIsRefused(t *testing.T) {
	w, id := tagWorld(t)
	w.arm(sandbox.Fault{Match: "POST /tags", Status: 422, Body: `{"type":"error.list","errors":[{"code":"parameter_invalid","message":"no"}]}`})
	o := w.push(w.known(id, "name", `"J"`, "tags", `["risk_x"]`))[0]
	if o.Status != dest.Rejected || !o.Written || w.sim.Contact("john@acme.example").Values["name"] != "J" {
		t.Errorf("%+v", o)
	}
}
