package intercom_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/sandbox/intercom"
)

const token = "test-token"

// A workspace is a simulator that a test calls as a client does.
type workspace struct {
	*intercom.Server
	t    *testing.T
	now  time.Time
	head map[string]string // beside the usual ones; "" takes one away
}

func start(t *testing.T, change ...func(*intercom.Config)) *workspace {
	t.Helper()
	w := &workspace{t: t, now: time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)}
	cfg := intercom.Config{Token: token, Now: func() time.Time { return w.now }, Attributes: []intercom.Attribute{
		{Name: "plan", Type: "string", Options: []string{"free", "paid"}}, {Name: "seats", Type: "integer"}, {Name: "score", Type: "float"},
		{Name: "active", Type: "boolean"}, {Name: "since", Type: "date"}, {Name: "note", Type: "string"}, {Name: "locked", Type: "string", ReadOnly: true},
		{Name: "arr", Type: "float", Model: "company"},
	}}
	for _, f := range change {
		f(&cfg)
	}
	s, err := intercom.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.Server = s
	return w
}

// call makes a request and answers status, code and body.
func (w *workspace) call(method, path, body string) (status int, code string, answer map[string]any, header http.Header) {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), method, "http://127.0.0.1"+path, nil)
	r.Body = sandbox.RequestBody([]byte(body))
	for name, value := range map[string]string{"Authorization": "Bearer " + token, "Accept": "application/json", "Content-Type": "application/json", "Intercom-Version": "2.16"} {
		r.Header.Set(name, value)
	}
	for name, value := range w.head {
		if r.Header.Del(name); value != "" {
			r.Header.Set(name, value)
		}
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil {
		w.t.Fatalf("%s %s: %d %s", method, path, rec.Code, rec.Body)
	}
	if errs, ok := answer["errors"].([]any); ok {
		code = errs[0].(map[string]any)["code"].(string)
	}
	return rec.Code, code, answer, rec.Header()
}

// make makes a contact and answers its id.
func (w *workspace) make(body string) string {
	w.t.Helper()
	status, code, answer, _ := w.call("POST", "/contacts", body)
	if status != 200 {
		w.t.Fatalf("%s: %d %s", body, status, code)
	}
	return answer["id"].(string)
}

// message is an error's.
func message(answer map[string]any) string {
	return answer["errors"].([]any)[0].(map[string]any)["message"].(string)
}

// What a real workspace refuses is refused.
func TestStrict(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"POST", "/contacts", `{}`, 400, "parameter_missing"},
		{"POST", "/contacts", `not json`, 400, "bad_request"},
		{"POST", "/contacts", `{"role":"user"}`, 400, "parameter_missing"},
		{"POST", "/contacts", `{"role":"lead"}`, 200, ""},
		{"POST", "/contacts", `{"role":"boss","email":"a@b.example"}`, 400, "parameter_invalid"},
		{"POST", "/contacts", `{"role":"lead","external_id":"x"}`, 400, "parameter_invalid"},
		{"POST", "/contacts", `{"email":"no address"}`, 400, "parameter_invalid"},
		{"POST", "/contacts", `{"external_id":7}`, 400, "parameter_missing"},
		{"POST", "/contacts", `{"external_id":"x","email":null}`, 400, "parameter_invalid"},
		{"POST", "/contacts", `{"external_id":"x","phone":"0123"}`, 400, "parameter_invalid"},
		{"POST", "/contacts", `{"external_id":"x","name":3}`, 400, "parameter_invalid"},
		{"POST", "/contacts", `{"external_id":"x","owner_id":"1"}`, 400, "parameter_invalid"},
		{"POST", "/contacts", `{"external_id":"x","owner_id":814860}`, 400, "parameter_invalid"}, // a text since 2.16
		{"POST", "/contacts", `{"external_id":"x","owner_id":"814860"}`, 200, ""},
		{"POST", "/contacts", `{"external_id":"x","signed_up_at":"2024-01-15"}`, 400, "parameter_invalid"},
		{"POST", "/contacts", `{"external_id":"x","signed_up_at":1705314600000}`, 400, "parameter_invalid"},
		{"POST", "/contacts", `{"external_id":"x","email_verified":true}`, 400, "parameter_invalid"},
		{"POST", "/contacts", `{"external_id":"x","custom_attributes":{"unknown":1}}`, 400, "parameter_invalid"},
		{"POST", "/contacts", `{"external_id":"x","custom_attributes":{"arr":1}}`, 400, "parameter_invalid"},
		{"POST", "/contacts", `{"external_id":"x","custom_attributes":{"locked":"x"}}`, 400, "parameter_invalid"},
		{"POST", "/contacts", `{"external_id":"x","custom_attributes":{"plan":"gold"}}`, 400, "parameter_invalid"},
		{"POST", "/contacts", `{"external_id":"x","custom_attributes":{"note":"` + long + `"}}`, 400, "parameter_invalid"},
		{"POST", "/contacts", `{"external_id":"x","custom_attributes":{"note":5}}`, 400, "parameter_invalid"},
		{"POST", "/contacts", `{"external_id":"x","custom_attributes":{"seats":1.5}}`, 400, "parameter_invalid"},
		{"POST", "/contacts", `{"external_id":"x","custom_attributes":{"score":"1"}}`, 400, "parameter_invalid"},
		{"POST", "/contacts", `{"external_id":"x","custom_attributes":{"active":"true"}}`, 400, "parameter_invalid"},
		{"POST", "/contacts", `{"external_id":"x","custom_attributes":{"note":{"a":1}}}`, 400, "parameter_invalid"},
		{"PUT", "/contacts/none", `{}`, 404, "not_found"},
		{"GET", "/contacts/find_by_external_id/none", ``, 404, "not_found"},
		{"GET", "/nothing", ``, 404, "not_found"},
		{"POST", "/contacts/search", `{}`, 400, "parameter_missing"},
		{"POST", "/contacts/search", `{"query":{"field":"nothing","operator":"=","value":"x"}}`, 400, "parameter_invalid"},
		{"POST", "/contacts/search", `{"query":{"field":"email","operator":"LIKE","value":"x"}}`, 400, "parameter_invalid"},
		{"POST", "/contacts/search", `{"query":{"field":"email","operator":"IN","value":[` + strings.TrimSuffix(strings.Repeat(`"a",`, 16), ",") + `]}}`, 400, "parameter_invalid"},
		{"POST", "/contacts/search", `{"query":{"operator":"OR","value":[` + strings.TrimSuffix(strings.Repeat(`{"field":"email","operator":"=","value":"x"},`, 16), ",") + `]}}`, 400, "client_error"},
		{"POST", "/contacts/search", `{"query":{"field":"signed_up_at","operator":"IN","value":["1705314600"]}}`, 400, "parameter_invalid"},
		{"POST", "/contacts/search", `{"query":{"field":"email","operator":"=","value":"x"},"pagination":{"per_page":151}}`, 400, "parameter_invalid"},
		{"GET", "/data_attributes?model=conversation", ``, 422, "unprocessable_entity"},
		{"POST", "/data_attributes", `{"model":"contact","data_type":"string","name":"plan"}`, 400, "parameter_invalid"},
		{"POST", "/data_attributes", `{"model":"contact","data_type":"string","name":"arr"}`, 400, "parameter_invalid"},
		{"POST", "/data_attributes", `{"model":"contact","data_type":"string","name":"!nv@l!d"}`, 400, "parameter_invalid"},
		{"POST", "/data_attributes", `{"model":"contact","data_type":"string","name":"two words"}`, 400, "parameter_invalid"},
		{"POST", "/data_attributes", `{"model":"contact","data_type":"string","name":"ärger_€-2"}`, 200, ""},
		{"POST", "/data_attributes", `{"model":"contact","data_type":"options","name":"a"}`, 400, "parameter_invalid"},
		{"POST", "/data_attributes", `{"model":"contact","data_type":"options","name":"a","options":null}`, 400, "parameter_invalid"},
		{"POST", "/data_attributes", `{"model":"contact","data_type":"options","name":"a","options":[{"value":"one"},{"value":"two"}]}`, 200, ""},
		{"POST", "/data_attributes", `{"model":"contact","data_type":"integer","name":"a","options":[{"value":"1"},{"value":"2"}]}`, 400, "parameter_invalid"},
		{"POST", "/contacts", `{"external_id":"x","custom_attributes":{"since":1705314600000}}`, 400, "parameter_invalid"},
		{"POST", "/contacts", `{"external_id":"x","custom_attributes":{"since":1705314600}}`, 200, ""},
		{"POST", "/data_attributes", `{"model":"contact","data_type":"string","name":"Name"}`, 400, "parameter_invalid"},
		{"POST", "/data_attributes", `{"model":"contact","data_type":"text","name":"a"}`, 400, "parameter_invalid"},
		{"POST", "/data_attributes", `{"model":"contact","data_type":"string","name":"a","options":[{"value":"one"}]}`, 400, "parameter_invalid"},
		{"POST", "/tags", `{}`, 400, "parameter_not_found"},
		{"DELETE", "/tags/1000", ``, 404, "not_found"},
	} {
		if status, code, _, _ := start(t).call(c.method, c.path, c.body); status != c.status || code != c.code {
			t.Errorf("%s %s %s: %d %s, want %d %s", c.method, c.path, c.body, status, code, c.status, c.code)
		}
	}
}

// A user with an external id does not become a lead, which has none.
func TestLeadOfAUser(t *testing.T) {
	w := start(t)
	id := w.make(`{"external_id":"x","email":"a@b.example"}`)
	for _, c := range []struct {
		body   string
		status int
	}{{`{"role":"lead"}`, 400}, {`{"role":"lead","external_id":"y"}`, 400}, {`{"role":"user"}`, 200}, {`{"role":"lead","external_id":""}`, 200}, {`{"name":"A"}`, 200}} {
		if status, _, answer, _ := w.call("PUT", "/contacts/"+id, c.body); status != c.status {
			t.Errorf("%s: %d %v", c.body, status, answer)
		}
	}
}

func TestHeaders(t *testing.T) {
	for _, c := range []struct {
		name, value string
		status      int
	}{
		{"Authorization", "", 401}, {"Authorization", "Bearer other", 401}, {"Accept", "", 406}, {"Accept", "text/html", 406}, {"Accept", "text/html, */*;q=0.1", 200},
		{"Intercom-Version", "3.0", 400}, {"Intercom-Version", "2.14", 200}, {"Intercom-Version", "", 200},
	} {
		w := start(t)
		w.head = map[string]string{c.name: c.value}
		status, _, _, header := w.call("GET", "/me", "")
		if status != c.status || (header.Get("X-RateLimit-Limit") == "") != (status == 401) {
			t.Errorf("%s %q: %d, limit %q", c.name, c.value, status, header.Get("X-RateLimit-Limit"))
		}
	}
	w := start(t)
	w.head = map[string]string{"Intercom-Version": "2.14"} // what the client library sends
	if status, _, _, _ := w.call("POST", "/contacts", `{"external_id":"x","owner_id":814860}`); status != 200 {
		t.Errorf("an owner as a number: %d", status)
	}
}

// A window of 10 seconds is counted, and says when the next one begins.
func TestRateLimit(t *testing.T) {
	w := start(t, func(c *intercom.Config) { c.Limit = 3 })
	for n := range 4 {
		status, code, answer, h := w.call("GET", "/me", "")
		if h.Get("X-RateLimit-Remaining") != fmt.Sprint(max(0, 2-n)) || h.Get("X-RateLimit-Reset") != fmt.Sprint(w.now.Unix()+10) {
			t.Errorf("call %d: %v", n, h)
		}
		if n == 3 && (status != 429 || code != "rate_limit_exceeded" || message(answer) != "Exceeded rate limit of 3 in 10_seconds") {
			t.Errorf("%d %s", status, code)
		}
	}
	w.now = w.now.Add(10 * time.Second)
	if status, _, _, _ := w.call("GET", "/me", ""); status != 200 {
		t.Errorf("in the next window: %d", status)
	}
}

func TestConflicts(t *testing.T) {
	w := start(t)
	one := w.make(`{"external_id":"1","email":"Two@b.example"}`)
	two := w.make(`{"external_id":"2","email":"two@b.example"}`) // an address is not unique
	alone := w.make(`{"email":"alone@b.example"}`)
	lead := w.make(`{"role":"lead","email":"alone@b.example"}`)
	for body, want := range map[string]string{
		`{"external_id":"1"}`:                           "A contact matching those details already exists with id=" + one,
		`{"email":"ALONE@b.example"}`:                   "A contact matching those details already exists with id=" + alone,
		`{"external_id":"9","email":"alone@b.example"}`: "A contact matching those details already exists with id=" + alone,
		`{"email":"two@b.example"}`:                     "Multiple existing users match this email address - must be more specific using user_id",
	} {
		if status, code, answer, _ := w.call("POST", "/contacts", body); status != 409 || code != "conflict" || message(answer) != want {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
	if status, _, _, _ := w.call("PUT", "/contacts/"+two, `{"external_id":"1"}`); status != 409 {
		t.Errorf("another's external id: %d", status)
	}
	w.call("POST", "/contacts/"+one+"/archive", "")
	if _, _, answer, _ := w.call("POST", "/contacts", `{"external_id":"1"}`); message(answer) != "An archived contact matching those details already exists with id="+one {
		t.Errorf("%v", answer)
	}
	if status, _, _, _ := w.call("PUT", "/contacts/"+one, `{}`); status != 404 {
		t.Errorf("an archived contact is changed: %d", status)
	}
	if status, _, _, _ := w.call("POST", "/contacts/"+one+"/unarchive", ""); status != 200 {
		t.Errorf("unarchive: %d", status)
	}
	w.call("POST", "/contacts/"+one+"/block", "")
	if status, code, _, _ := w.call("POST", "/contacts/"+one+"/unarchive", ""); status != 409 || code != "not_restorable" {
		t.Errorf("unarchive what is blocked: %d %s", status, code)
	}
	if status, _, _, _ := w.call("POST", "/contacts/merge", fmt.Sprintf(`{"from":%q,"into":%q}`, two, alone)); status != 400 {
		t.Errorf("merge two users: %d", status)
	}
	if status, _, _, _ := w.call("POST", "/contacts/merge", fmt.Sprintf(`{"from":%q,"into":%q}`, lead, alone)); status != 200 {
		t.Errorf("merge: %d", status)
	}
	if status, code, _, h := w.call("GET", "/contacts/"+lead, ""); status != 410 || code != "contact_merged" || h.Get("Link") != `</contacts/`+alone+`>; rel="canonical"` {
		t.Errorf("%d %s %v", status, code, h)
	}
	w.Merge(two, alone)
	if status, _, _, _ := w.call("GET", "/contacts/find_by_external_id/2", ""); status != 410 {
		t.Errorf("a merged user by its external id: %d", status)
	}
}

// A new contact is searched for in vain for a while; external ids and ids are true at
// once.
func TestSearch(t *testing.T) {
	w := start(t)
	w.make(`{"external_id":"1","email":"ana@b.example","name":"Ana","signed_up_at":1705314600,"custom_attributes":{"seats":7,"plan":"paid"}}`)
	w.make(`{"external_id":"2","email":"ben@b.example","name":"Ben","role":"user"}`)
	count := func(query string) int {
		t.Helper()
		status, code, answer, _ := w.call("POST", "/contacts/search", `{"query":`+query+`}`)
		if status != 200 {
			t.Fatalf("%s: %d %s", query, status, code)
		}
		return int(answer["total_count"].(float64))
	}
	const ana = `{"field":"email","operator":"=","value":"ANA@b.example"}`
	if n := count(ana); n != 0 {
		t.Errorf("found %d at once", n)
	}
	if status, _, _, _ := w.call("GET", "/contacts/find_by_external_id/1", ""); status != 200 {
		t.Errorf("by its external id at once: %d", status)
	}
	w.now = w.now.Add(2 * time.Minute)
	for query, want := range map[string]int{
		ana: 1, `{"field":"email","operator":"!=","value":"ana@b.example"}`: 1,
		`{"field":"external_id","operator":"IN","value":["1","2","3"]}`: 2, `{"field":"external_id","operator":"NIN","value":["1"]}`: 1,
		`{"field":"name","operator":"~","value":"e"}`: 1, `{"field":"name","operator":"!~","value":"e"}`: 1, `{"field":"name","operator":"^","value":"a"}`: 1, `{"field":"name","operator":"$","value":"N"}`: 1,
		`{"field":"custom_attributes.seats","operator":">","value":6}`: 1, `{"field":"custom_attributes.seats","operator":">","value":7}`: 0, `{"field":"custom_attributes.plan","operator":"=","value":"paid"}`: 1,
		`{"field":"signed_up_at","operator":"=","value":1705276800}`: 1, `{"field":"signed_up_at","operator":">","value":1705276800}`: 0, // whole days
		`{"operator":"AND","value":[` + ana + `,{"operator":"OR","value":[{"field":"role","operator":"=","value":"lead"},{"field":"name","operator":"=","value":"Ana"}]}]}`: 1,
	} {
		if got := count(query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	_, _, first, _ := w.call("GET", "/contacts?per_page=1", "")
	next := first["pages"].(map[string]any)["next"].(map[string]any)["starting_after"].(string)
	_, _, second, _ := w.call("GET", "/contacts?per_page=1&starting_after="+next, "")
	if len(second["data"].([]any)) != 1 || second["pages"].(map[string]any)["next"] != nil {
		t.Errorf("%v", second)
	}
}

// Tags have names without case, and a contact shows ten.
func TestTags(t *testing.T) {
	w := start(t)
	id := w.make(`{"external_id":"1"}`)
	_, _, a, _ := w.call("POST", "/tags", `{"name":"VIP"}`)
	_, _, b, _ := w.call("POST", "/tags", `{"name":"vip"}`)
	if a["id"] != b["id"] || b["name"] != "VIP" {
		t.Errorf("%v, %v", a, b)
	}
	for i := range 12 {
		w.call("POST", "/tags", fmt.Sprintf(`{"name":"t%d","users":[{"id":%q}]}`, i, id))
	}
	_, _, c, _ := w.call("GET", "/contacts/"+id, "")
	tags := c["tags"].(map[string]any)
	if len(tags["data"].([]any)) != 10 || tags["has_more"] != true || tags["total_count"] != 12.0 {
		t.Errorf("%v", tags)
	}
	if _, _, all, _ := w.call("GET", "/contacts/"+id+"/tags", ""); len(all["data"].([]any)) != 12 {
		t.Errorf("%v", all)
	}
	if status, _, _, _ := w.call("DELETE", fmt.Sprintf("/contacts/%s/tags/%s", id, a["id"]), ""); status != 404 {
		t.Errorf("a tag that it does not have is taken off: %d", status)
	}
	if status, _, _, _ := w.call("POST", "/contacts/"+id+"/tags", `{"id":"99"}`); status != 404 {
		t.Errorf("a tag that there is not: %d", status)
	}
}

// A killed process loses nothing that it answered; names of one's own are taken.
func TestJournal(t *testing.T) {
	file := filepath.Join(t.TempDir(), "intercom.journal")
	keep := func(c *intercom.Config) { c.Journal = file }
	w := start(t, keep)
	id := w.make(`{"external_id":"1","custom_attributes":{"seats":7}}`)
	w.call("POST", "/tags", fmt.Sprintf(`{"name":"VIP","users":[{"id":%q}]}`, id))
	w.call("POST", "/data_attributes", `{"model":"contact","data_type":"datetime","name":"later"}`)
	_, _, me, _ := w.call("GET", "/me", "")
	app := me["app"].(map[string]any)["id_code"]
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	again := start(t, keep)
	c := again.Contact("1")
	if c == nil || c.ID != id || c.Values["seats"] != "7" || len(c.Tags) != 1 {
		t.Errorf("%+v", c)
	}
	_, _, me, _ = again.call("GET", "/me", "")
	if app == "app0penstock" || me["app"].(map[string]any)["id_code"] != app {
		t.Errorf("app %v, then %v", app, me)
	}
	if status, _, _, _ := again.call("PUT", "/contacts/"+id, `{"custom_attributes":{"later":1705314600}}`); status != 200 {
		t.Errorf("an attribute that was made: %d", status)
	}
	own, err := intercom.ReadAttributes(strings.NewReader(`{"data":[{"name":"mine","data_type":"boolean"}]}`))
	if err != nil || len(own) != 1 || own[0].Type != "boolean" {
		t.Errorf("%v, %v", own, err)
	}
	for _, bad := range []string{`{}`, `{"data":[{"name":"mine","data_type":"boolean"}]}}`} {
		if _, err := intercom.ReadAttributes(strings.NewReader(bad)); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

// Any attribute is made, and told once, where the simulator was asked to accept all.
func TestAccepts(t *testing.T) {
	var said []string
	w := start(t, func(c *intercom.Config) {
		c.AcceptAttributes, c.Say = true, func(line string) { said = append(said, line) }
	})
	id := w.make(`{"external_id":"1","custom_attributes":{"new":true,"other":"x","third":1.5}}`)
	for _, name := range []string{"", "two words", "a.b", "Email", "arr"} { // of which none can be made
		if status, _, _, _ := w.call("PUT", "/contacts/"+id, fmt.Sprintf(`{"custom_attributes":{%q:1}}`, name)); status != 400 {
			t.Errorf("%q: %d", name, status)
		}
	}
	if status, _, _, _ := w.call("PUT", "/contacts/"+id, `{"custom_attributes":{"new":"text"}}`); status != 400 || len(said) != 3 {
		t.Errorf("%d, said %q", status, said)
	}
}
