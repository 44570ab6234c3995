package intercom_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// short is an outcome in a word or two.
func short(o dest.Outcome) string {
	switch o.Status {
	case dest.Delivered:
		if o.Created {
			return "created"
		}
		return "updated"
	case dest.Found:
		return "found " + o.ID
	case dest.Retry:
		return "retry"
	case dest.Pending:
		return "pending"
	}
	return o.Code
}

func shorts(out []dest.Outcome) []string {
	all := make([]string, len(out))
	for i, o := range out {
		all[i] = short(o)
	}
	return all
}

func same(t *testing.T, want, got []string) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("want -, got +\n%s", d)
	}
}

const attributes = "GET /data_attributes?model=contact "

// What is sent, to the byte: a search, a contact that is made and one that is changed.
func TestRequests(t *testing.T) {
	w := newWorld(t, byExternalID())
	ids := w.seed(`{"external_id":"a/b?","name":"Old"}`)
	got := w.deliver(
		w.rec("a/b?", "name", `"New \"name\""`, "note", "null", "custom_attributes.score", "1234567890123456.12"),
		w.rec("c-2", "name", `"Zwei 🚰"`, "phone", "null", "custom_attributes.score", "1.50"),
	)
	same(t, []string{"updated", "created"}, shorts(got))
	same(t, []string{
		`POST /contacts/search {"query":{"field":"external_id","operator":"IN","value":["a/b?","c-2"]},"pagination":{"per_page":150}}`,
		attributes,
		`PUT /contacts/` + ids[0] + ` {"name":"New \"name\"","custom_attributes":{"note":null,"score":1234567890123456.12}}`,
		`POST /contacts {"role":"user","external_id":"c-2","name":"Zwei 🚰","custom_attributes":{"score":1.50}}`,
	}, w.sent())
	// The ledger knows them now: one call each, and nothing is read again.
	again := w.rec("c-2", "name", `"Deux"`)
	again.ID = got[1].ID
	same(t, []string{"updated"}, shorts(w.deliver(again)))
	same(t, []string{`PUT /contacts/` + got[1].ID + ` {"name":"Deux"}`}, w.sent())
	// Alone in its lookup, an external id is asked for by itself.
	same(t, []string{"updated"}, shorts(w.deliver(w.rec("a/b?", "name", `"Newer"`))))
	same(t, []string{"GET /contacts/find_by_external_id/a%2Fb%3F ", `PUT /contacts/` + ids[0] + ` {"name":"Newer"}`}, w.sent())
}

// Calls per 1,000 changed rows: one a contact, and lookups in batches of 15.
func TestCallsPerThousandRows(t *testing.T) {
	w := newWorld(t, byEmail())
	var records []dest.Record
	for i := range 1000 {
		records = append(records, w.rec(fmt.Sprintf("p%d@acme.example", i), "name", fmt.Sprintf(`"P %d"`, i), "note", `"n"`))
	}
	w.deliver(records...)
	if calls := w.acct.APICalls(); calls != 1000+67+1 {
		t.Errorf("%d calls, want 1,000, 67 lookups and the list of attributes", calls)
	}
}

// The search does not show a new contact for minutes: the 409 names it.
func TestSearchLags(t *testing.T) {
	for name, def := range map[string]syncdef.Definition{"external_id": byExternalID(), "email": byEmail()} {
		w := newWorld(t, def)
		w.api("POST", "/contacts", fmt.Sprintf(`{%q:"Ana@acme.example"}`, name))
		w.sent()
		got := w.deliver(w.rec("Ana@acme.example", "name", `"Ana"`), w.rec("ben@acme.example", "name", `"Ben"`))
		same(t, []string{"updated", "created"}, shorts(got))
		if n := len(w.sent()); n != 4 || w.sim.Live() != 2 {
			t.Errorf("%s: %d calls, %d contacts", name, n, w.sim.Live())
		}
	}
}

// A create whose answer was lost is repeated, and there is one contact.
func TestCreateIsSentTwice(t *testing.T) {
	for name, fault := range map[string]sandbox.Fault{
		"reset": {Match: "POST /contacts", DropAfterCommit: true}, "502": {Match: "POST /contacts", AfterCommit: true, Status: 502, Body: "bad gateway"},
		"cut": {Match: "POST /contacts", Cut: 30}, "no answer": {Match: "POST /contacts", AfterCommit: true, Status: 200, Body: "{}"},
	} {
		w := newWorld(t, byExternalID())
		w.arm(fault)
		b := dest.Batch{Records: []dest.Record{w.rec("c-1", "name", `"One"`)}}
		_, err := w.dest.Push(t.Context(), b, w.dest.Calls(b, 0)[0])
		if call := asCall(t, err); call.Class != dest.Unavailable || !call.Received {
			t.Errorf("%s: %+v", name, call)
		}
		same(t, []string{"updated"}, shorts(w.deliver(b.Records...)))
		if w.sim.Live() != 1 || w.sim.Contact("c-1").Values["name"] != "One" {
			t.Errorf("%s: %+v", name, w.sim.Contacts())
		}
	}
}

func TestArchived(t *testing.T) {
	for _, c := range []struct {
		options, then, want string
		archived            bool
	}{
		{`{}`, "archive", "contact_archived", true},
		{`{"on_archived":"report"}`, "archive", "contact_archived", true},
		{`{"on_archived":"unarchive"}`, "archive", "updated", false},
		{`{"on_archived":"unarchive"}`, "block", "not_restorable", true},
	} {
		w := newWorld(t, with(byExternalID(), c.options))
		id := w.seed(`{"external_id":"c-1","name":"Old"}`)[0]
		w.api("POST", "/contacts/"+id+"/"+c.then, "")
		known := w.rec("c-1", "name", `"New"`)
		known.ID = id // the ledger remembers it: it is gone (404), and found anew
		for _, r := range []dest.Record{w.rec("c-1", "name", `"New"`), known} {
			got := w.deliver(r)
			same(t, []string{c.want}, shorts(got))
			if after := w.sim.Contact("c-1"); after.Archived != c.archived || (after.Values["name"] == "New") == c.archived {
				t.Errorf("%s, %s: %+v", c.options, c.then, after)
			}
			if got[0].Status == dest.Rejected && (!strings.Contains(got[0].Message, id) && c.then == "archive" || strings.Contains(got[0].Message, "c-1")) {
				t.Errorf("message %q", got[0].Message)
			}
		}
	}
}

// A merged contact's place is taken by the one that it became, once.
func TestMerged(t *testing.T) {
	w := newWorld(t, byExternalID())
	ids := w.seed(`{"external_id":"c-1"}`, `{"external_id":"c-2"}`)
	w.sim.Merge(ids[0], ids[1])
	r := w.rec("c-1", "name", `"Merged"`)
	r.ID = ids[0]
	same(t, []string{"updated"}, shorts(w.deliver(r)))
	same(t, []string{`PUT /contacts/` + ids[0] + ` {"name":"Merged"}`, `PUT /contacts/` + ids[1] + ` {"name":"Merged"}`}, w.sent())
	same(t, []string{"updated"}, shorts(w.deliver(w.rec("c-1", "name", `"Found"`))))
	if sent := w.sent(); len(sent) != 2 || !strings.HasPrefix(sent[1], "PUT /contacts/"+ids[1]) {
		t.Errorf("sent %q", sent)
	}
	// In a lookup of several the search leaves it out, and the 409 says whose it is.
	same(t, []string{"updated", "created"}, shorts(w.deliver(w.rec("c-1", "name", `"Both"`), w.rec("c-3", "name", `"Three"`))))
	if got := w.sim.Contact("c-2").Values["name"]; got != "Both" || w.sim.Live() != 2 {
		t.Errorf("name %q, %d contacts", got, w.sim.Live())
	}
	// A 410 that leads back to itself ends.
	w.arm(sandbox.Fault{Match: "PUT", Count: -1, Status: 410, Headers: map[string]string{"Link": `</contacts/` + ids[1] + `>; rel="canonical"`},
		Body: `{"type":"error.list","errors":[{"code":"contact_merged","message":"merged"}]}`})
	if got := w.deliver(w.rec("c-1", "name", `"Loop"`)); got[0].Status == dest.Delivered {
		t.Errorf("%+v", got)
	}
}

// An email need not be one contact's.
func TestAmbiguous(t *testing.T) {
	w := newWorld(t, byEmail())
	ids := w.seed(`{"external_id":"1","email":"two@acme.example"}`, `{"external_id":"2","email":"Two@acme.example"}`,
		`{"role":"lead","email":"both@acme.example"}`, `{"external_id":"3","email":"both@acme.example"}`, `{"role":"lead","email":"lead@acme.example"}`)
	got := w.deliver(w.rec("TWO@acme.example", "name", `"X"`), w.rec("both@acme.example", "name", `"X"`), w.rec("lead@acme.example", "name", `"X"`))
	same(t, []string{"ambiguous_match", "ambiguous_match", "updated"}, shorts(got))
	for _, o := range got[:2] {
		if strings.Contains(strings.ToLower(o.Message), "acme") || o.Field != "email" {
			t.Errorf("%+v", o)
		}
	}
	if !strings.Contains(got[0].Message, ids[0]+", "+ids[1]) {
		t.Errorf("message %q names no ids", got[0].Message)
	}
	// While the search lags, Intercom itself says that there are several.
	w.restart()
	w.arm(sandbox.Fault{Match: "POST /contacts", Status: 409, Body: `{"type":"error.list","errors":[{"code":"conflict","message":"Multiple existing users match this email address - must be more specific using user_id"}]}`})
	same(t, []string{"ambiguous_match"}, shorts(w.push(w.rec("new@acme.example", "name", `"X"`))))
}

// A 409 by another field than the match leads to no other person's contact.
func TestConflictOfAnotherField(t *testing.T) {
	w := newWorld(t, with(byEmail(), "", syncdef.Field{Source: "id", Destination: "external_id", Type: syncdef.String}))
	id := w.seed(`{"external_id":"7","email":"old@acme.example","name":"Old"}`)[0]
	got := w.deliver(w.rec("new@acme.example", "name", `"New"`, "external_id", `"7"`))
	same(t, []string{"conflict"}, shorts(got))
	if c := w.sim.Contact("7"); c.Values["name"] != "Old" || !strings.Contains(got[0].Message, id) {
		t.Errorf("%+v: %q", c, got[0].Message)
	}
	w.api("POST", "/contacts", `{"external_id":"8","email":"late@acme.example"}`) // the search does not show it yet
	same(t, []string{"updated"}, shorts(w.deliver(w.rec("late@acme.example", "name", `"Late"`, "external_id", `"8"`))))
	other := w.rec("late@acme.example", "external_id", `"7"`)
	other.ID = w.sim.Contact("8").ID
	same(t, []string{"conflict"}, shorts(w.push(other)))
}

// Where nothing may be created, what the search misses is asked for by its external
// id, and what is missing is told.
func TestUpdateOnly(t *testing.T) {
	def := byExternalID()
	def.Operation = syncdef.Update
	w := newWorld(t, def)
	w.api("POST", "/contacts", `{"external_id":"new"}`) // not in the search yet
	got := w.deliver(w.rec("new", "name", `"N"`), w.rec("missing", "name", `"M"`), w.rec("..", "name", `"D"`))
	same(t, []string{"updated", "no_match", "no_match"}, shorts(got))
	if w.sim.Live() != 1 || strings.Contains(got[1].Message, "on_missing") {
		t.Errorf("%d contacts, message %q", w.sim.Live(), got[1].Message)
	}
	def = byEmail()
	def.OnMissing = syncdef.Report
	w = newWorld(t, def)
	if got := w.deliver(w.rec("a@b.example", "name", `"N"`)); short(got[0]) != "no_match" || !strings.Contains(got[0].Message, "on_missing: create") || w.sim.Live() != 0 {
		t.Errorf("%+v", got)
	}
}

// A contact that people deleted is made anew, whole.
func TestDeleted(t *testing.T) {
	w := newWorld(t, byExternalID())
	id := w.seed(`{"external_id":"c-1"}`)[0]
	w.api("DELETE", "/contacts/"+id, "")
	r := w.rec("c-1", "name", `"One"`)
	r.ID = id
	first := w.push(r)[0]
	if first.Status != dest.Found || first.ID != "" {
		t.Errorf("%+v", first)
	}
	same(t, []string{"created"}, shorts(w.deliver(r)))
}

// Values as Intercom takes them.
func TestStandardFields(t *testing.T) {
	w := newWorld(t, with(byExternalID(), "", syncdef.Field{Source: "e", Destination: "email", Type: syncdef.Email}, syncdef.Field{Source: "o", Destination: "owner_id", Type: syncdef.Integer},
		syncdef.Field{Source: "s", Destination: "signed_up_at", Type: syncdef.DateTime}, syncdef.Field{Source: "l", Destination: "last_seen_at", Type: syncdef.Date},
		syncdef.Field{Source: "u", Destination: "unsubscribed_from_emails", Type: syncdef.Boolean}, syncdef.Field{Source: "seen", Destination: "seen", Type: syncdef.DateTime},
		syncdef.Field{Source: "seen", Destination: "seen_text", Type: syncdef.DateTime}, syncdef.Field{Source: "r", Destination: "role", Type: syncdef.String}))
	first := w.rec("c-1", "email", `"Ana@Acme.example"`, "owner_id", "814860", "signed_up_at", `"2024-01-15T10:30:00.250Z"`, "last_seen_at", `"2024-01-15"`,
		"unsubscribed_from_emails", "true", "seen", `"2024-01-15T10:30:00+02:00"`, "seen_text", `"2024-01-15T10:30:00Z"`, "role", `"user"`)
	got := w.deliver(first)
	same(t, []string{"created"}, shorts(got))
	want := map[string]string{"external_id": "c-1", "email": "ana@acme.example", "role": "user", "owner_id": "814860", "signed_up_at": "1705314600", "last_seen_at": "1705276800",
		"unsubscribed_from_emails": "1", "seen": "1705307400", "seen_text": "2024-01-15T10:30:00Z"}
	if d := cmp.Diff(want, w.sim.Contact("c-1").Values); d != "" {
		t.Error(d)
	}
	clear := w.rec("c-1", "email", "null", "owner_id", "null", "signed_up_at", "null", "last_seen_at", "null", "unsubscribed_from_emails", "false", "seen", "null", "seen_text", "null", "role", "null")
	clear.ID = got[0].ID
	same(t, []string{"updated"}, shorts(w.push(clear)))
	if d := cmp.Diff(map[string]string{"external_id": "c-1", "role": "user"}, w.sim.Contact("c-1").Values); d != "" {
		t.Error(d)
	}
	bad := w.rec("c-1", "owner_id", "5")
	bad.ID = got[0].ID
	if o := w.push(bad)[0]; short(o) != "parameter_invalid" || o.Field != "owner_id" {
		t.Errorf("%+v", o)
	}
}

// More contacts than a page are read to the end.
func TestPages(t *testing.T) {
	w := newWorld(t, byEmail())
	var bodies []string
	for i := range 160 {
		bodies = append(bodies, fmt.Sprintf(`{"external_id":"%d","email":"many@acme.example"}`, i))
	}
	bodies = append(bodies, `{"external_id":"last","email":"last@acme.example"}`)
	w.seed(bodies...)
	got := w.deliver(w.rec("many@acme.example", "name", `"M"`), w.rec("last@acme.example", "name", `"L"`))
	same(t, []string{"ambiguous_match", "updated"}, shorts(got))
	if sent := w.sent(); len(sent) != 3 || !strings.Contains(sent[1], "starting_after") || !strings.Contains(got[0].Message, "and 157 more") {
		t.Errorf("%q, %q", sent, got[0].Message)
	}
}

// External ids are compared as they are, until somebody says otherwise.
func TestCase(t *testing.T) {
	yes, no := true, false
	for _, c := range []struct {
		says   *bool
		unsure bool
		equal  bool
	}{{nil, true, false}, {&yes, false, false}, {&no, false, true}} {
		def := byExternalID()
		def.Match.Case = c.says
		w := newWorld(t, def)
		id := w.version().Rules.Identity
		if equal := w.rec("aB").Key == w.rec("Ab").Key; id.CaseUnsure != c.unsure || equal != c.equal {
			t.Errorf("unsure %v, equal %v", id.CaseUnsure, equal)
		}
	}
	if w := newWorld(t, byEmail()); w.rec("Ana@ACME.example").Key != w.rec(" ana@acme.example ").Key {
		t.Error("two cases of an address are two keys")
	}
}

// An address is found however its domain is spelled, here and there, and a search of 15
// values takes fewer such addresses.
func TestSpellings(t *testing.T) {
	def := byEmail()
	def.Operation = syncdef.Update
	spellings := []string{"ana@xn--bcher-kva.example", "ana@b\u00fccher.example", "ana@bu\u0308cher.example"}
	for _, stored := range spellings {
		w := newWorld(t, def)
		w.seed(fmt.Sprintf(`{"role":"user","email":%q}`, stored))
		for _, asked := range spellings {
			same(t, []string{"updated"}, shorts(w.deliver(w.rec(asked, "name", `"Ana"`))))
		}
		var b dest.Batch
		for i := range 6 {
			b.Records = append(b.Records, w.rec(fmt.Sprintf("p%d@b\u00fccher.example", i)))
		}
		for i := range 16 {
			b.Records = append(b.Records, w.rec(fmt.Sprintf("p%d@acme.example", i)))
		}
		var sizes []int
		for _, c := range w.dest.Lookups(b) {
			sizes = append(sizes, len(c.Records))
		}
		if !slices.Equal(sizes, []int{5, 13, 4}) { // of 15 values, of 3 and 12, of 4
			t.Errorf("searches of %v records", sizes)
		}
	}
}

// No call is made beyond the share of the app's limit, nor beyond Intercom's own word.
func TestLimits(t *testing.T) {
	w := newWorld(t, byExternalID(), func(c *simConfig) { c.Limit = 167 })
	calls := func() int64 { return w.acct.Limits().Windows("")[0].Calls }
	if got := calls(); got != 833 || w.acct.Limits().Windows("")[0].Per != 10*time.Second {
		t.Errorf("%d calls in 10 s, want half of 1,666", got)
	}
	if err := w.acct.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := calls(); got != 83 { // of 167 that the answer tells
		t.Errorf("%d calls after Intercom said 167", got)
	}
	w.cfg.Connection.Quota.Share, w.cfg.Connection.Options = 100, map[string]string{"calls_per_minute": "600"}
	w.restart()
	if got := calls(); got != 100 {
		t.Errorf("%d calls of 600 a minute", got)
	}
	for range 200 {
		if err := w.acct.Probe(t.Context()); err != nil {
			call := asCall(t, err)
			if call.Class != dest.Throttled || call.Quota != dest.QuotaSecond || call.After != 10*time.Second { // until X-RateLimit-Reset
				t.Errorf("%+v", call)
			}
			return
		}
	}
	t.Error("the limit is never met")
}

func asCall(t *testing.T, err error) *dest.CallError {
	t.Helper()
	call, ok := err.(*dest.CallError) //nolint:errorlint // what Push answers is one
	if !ok {
		t.Fatalf("%v is no CallError", err)
	}
	return call
}

// Whose a refusal is, and what it never says.
func TestRefusals(t *testing.T) {
	list := func(code, message string) string {
		return fmt.Sprintf(`{"type":"error.list","request_id":"r","errors":[{"code":%q,"message":%q}]}`, code, message)
	}
	type class struct {
		class dest.Class
		scope dest.Scope
	}
	config, row := class{dest.Configuration, dest.ScopeConnection}, class{99, 0}
	for _, c := range []struct {
		status int
		body   string
		want   class
		code   string
	}{
		{400, list("parameter_invalid", "secret-value is wrong"), row, "parameter_invalid"},
		{400, list("type_mismatch", "secret-value"), row, "type_mismatch"},
		{422, list("unprocessable_entity", "secret-value"), row, "unprocessable_entity"},
		{400, list("secret value", "secret-value"), row, dest.CodeUnreadable},
		{404, list("company_not_found", "no company"), row, "company_not_found"},
		{409, list("conflict", "no id in here"), row, "conflict"},
		{401, list("token_revoked", "revoked"), config, "token_revoked"},
		{401, ``, class{dest.Unavailable, dest.ScopeUntold}, "401"},
		{403, list("api_plan_restricted", "no"), class{dest.Configuration, dest.ScopeVersion}, "api_plan_restricted"},
		{403, list("forbidden", "no"), class{dest.Configuration, dest.ScopeVersion}, "forbidden"},
		{403, list("action_forbidden", "no"), class{dest.Configuration, dest.ScopeVersion}, "action_forbidden"},
		{403, list("banned", "no"), class{dest.Configuration, dest.ScopeUntold}, "banned"},
		{403, `{}`, class{dest.Configuration, dest.ScopeUntold}, "403"},
		{403, `{"errors":[{"message":"blocked"}]}`, class{dest.Configuration, dest.ScopeUntold}, "403"},
		{407, `{}`, class{dest.Configuration, dest.ScopeUntold}, "407"},
		{406, list("media_type_not_acceptable", "no"), config, "media_type_not_acceptable"},
		{400, list("intercom_version_invalid", "no"), config, "intercom_version_invalid"},
		{408, list("request_timeout", "slow"), class{dest.Unavailable, dest.ScopeUntold}, "request_timeout"},
		{400, list("retry_after", "later"), class{dest.Unavailable, dest.ScopeUntold}, "retry_after"},
		{503, list("service_unavailable", "later"), class{dest.Unavailable, dest.ScopeUntold}, "service_unavailable"},
		{413, ``, class{dest.Refused, dest.ScopeVersion}, "413"},
		{414, ``, class{dest.Refused, dest.ScopeVersion}, "414"},
		{431, ``, class{dest.Refused, dest.ScopeVersion}, "431"},
		{429, list("rate_limit_exceeded", "Exceeded rate limit of 167 in 10_seconds"), class{dest.Throttled, dest.ScopeConnection}, "rate_limit_exceeded"},
		{418, `{}`, class{dest.Configuration, dest.ScopeUntold}, "418"},
	} {
		w := newWorld(t, byExternalID())
		w.arm(sandbox.Fault{Match: "POST /contacts", Status: c.status, Body: c.body})
		b := dest.Batch{Records: []dest.Record{w.rec("c-1", "name", `"secret-value"`)}}
		out, err := w.dest.Push(t.Context(), b, w.dest.Calls(b, 0)[0])
		if c.want == row {
			if err != nil || out[0].Status != dest.Rejected || out[0].Code != c.code || out[0].Scope != dest.ScopeUntold || strings.Contains(out[0].Message, "secret") || out[0].Message == "" {
				t.Errorf("%d %s: %+v, %v", c.status, c.body, out, err)
			}
			continue
		}
		call := asCall(t, err)
		if (class{call.Class, call.Scope}) != c.want || call.Code != c.code || strings.Contains(call.Message, "secret-value") {
			t.Errorf("%d %s: %+v", c.status, c.body, call)
		}
	}
}

// The secret is read again after a refusal, and a token is never told.
func TestSecretIsReadAgain(t *testing.T) {
	w := newWorld(t, byExternalID())
	given := []string{"old-token", token}
	w.cfg.Secret = secretOf(func() string { one := given[0]; given = given[1:]; return one })
	w.restart()
	call := asCall(t, w.acct.Probe(t.Context()))
	if call.Scope != dest.ScopeConnection || strings.Contains(call.Message, "old-token") || !strings.Contains(call.Message, "region") {
		t.Errorf("%+v", call)
	}
	if err := w.acct.Probe(t.Context()); err != nil {
		t.Error(err)
	}
	if slices.ContainsFunc(w.sent(), func(s string) bool { return strings.Contains(s, token) }) {
		t.Error("the token is in an address or a body")
	}
}
