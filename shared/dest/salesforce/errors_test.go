package salesforce_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/salesforce"
	"github.com/penstock-data/penstock/shared/sandbox"
	"github.com/penstock-data/penstock/shared/syncdef"
)

func callError(t *testing.T, err error) *dest.CallError {
	t.Helper()
	var failed *dest.CallError
	if !errors.As(err, &failed) {
		t.Fatalf("want a *dest.CallError, got %v", err)
	}
	return failed
}

// entry is a call-level error body.
func entry(code, message string) string {
	return `[{"message":"` + message + `","errorCode":"` + code + `"}]`
}

// TestCallErrors holds what Salesforce may answer to a whole call: what failed,
// whose it is, and what is kept of the answer.
func TestCallErrors(t *testing.T) {
	big := strings.Repeat("x", 9000)
	for name, test := range map[string]struct {
		fault    sandbox.Fault
		fields   []dest.Field
		class    dest.Class
		scope    dest.Scope
		quota    dest.Quota
		after    time.Duration
		received bool
		says     string
	}{
		"daily limit":  {fault: sandbox.Fault{Status: 403, Body: entry("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")}, class: dest.Throttled, scope: dest.ScopeConnection, quota: dest.QuotaDay, says: "used up"},
		"concurrent":   {fault: sandbox.Fault{Status: 403, Body: entry("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")}, class: dest.Throttled, scope: dest.ScopeConnection, quota: dest.QuotaConcurrent, says: "in flight"},
		"transactions": {fault: sandbox.Fault{Status: 400, Body: entry("REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded.")}, class: dest.Throttled, scope: dest.ScopeConnection, quota: dest.QuotaConcurrent, says: "ConcurrentPerOrgLongTxn"},
		"slow down":    {fault: sandbox.Fault{Status: 429, Body: "x", Headers: map[string]string{"Retry-After": "9"}}, class: dest.Throttled, scope: dest.ScopeConnection, after: 9 * time.Second, says: "slow down"},
		"slow, coded":  {fault: sandbox.Fault{Status: 429, Body: entry("TOO_MANY", "m")}, class: dest.Throttled, scope: dest.ScopeConnection, says: "TOO_MANY"},

		"no permission":     {fault: sandbox.Fault{Status: 403, Body: entry("INSUFFICIENT_ACCESS_OR_READONLY", "m")}, class: dest.Configuration, scope: dest.ScopeVersion, says: "permissions"},
		"unknown field":     {fault: sandbox.Fault{Status: 400, Body: entry("INVALID_FIELD", "No such column 'Helth__c' on sobject of type Account")}, class: dest.Configuration, scope: dest.ScopeVersion, says: "Helth__c"},
		"unknown object":    {fault: sandbox.Fault{Status: 400, Body: entry("INVALID_TYPE", "sObject type 'Acount' is not supported.")}, class: dest.Configuration, scope: dest.ScopeVersion, says: "Acount"},
		"no such resource":  {fault: sandbox.Fault{Status: 404, Body: entry("NOT_FOUND", "The requested resource does not exist")}, class: dest.Configuration, scope: dest.ScopeVersion, says: "object"},
		"wrong method":      {fault: sandbox.Fault{Status: 405, Body: entry("METHOD_NOT_ALLOWED", "m")}, class: dest.Configuration, scope: dest.ScopeVersion, says: "METHOD"},
		"API disabled":      {fault: sandbox.Fault{Status: 403, Body: entry("API_DISABLED_FOR_ORG", "m")}, class: dest.Configuration, scope: dest.ScopeConnection, says: "may use the API"},
		"retired version":   {fault: sandbox.Fault{Status: 410, Body: entry("GONE", "m")}, class: dest.Configuration, scope: dest.ScopeConnection, says: "api_version"},
		"unknown 403":       {fault: sandbox.Fault{Status: 403, Body: entry("SOMETHING_NEW", "m")}, class: dest.Configuration, scope: dest.ScopeUntold, says: "SOMETHING_NEW"},
		"redirect":          {fault: sandbox.Fault{Status: 302, Headers: map[string]string{"Location": "https://evil.example/"}}, class: dest.Configuration, scope: dest.ScopeConnection, says: "My Domain"},
		"bad record":        {fault: sandbox.Fault{Status: 400, Body: entry("JSON_PARSER_ERROR", "m at [line:1, column:77]")}, class: dest.Refused, says: "column:77"},
		"unknown 400":       {fault: sandbox.Fault{Status: 400, Body: entry("SOMETHING_NEW", "m")}, class: dest.Refused, says: "SOMETHING_NEW"},
		"no body":           {fault: sandbox.Fault{Status: 400}, class: dest.Unavailable, says: "nothing"},
		"another shape":     {fault: sandbox.Fault{Status: 400, Body: `{"oops":1}`}, class: dest.Refused, says: "400"},
		"too large":         {fault: sandbox.Fault{Status: 413, Body: "<html>"}, fields: []dest.Field{field("Name", `"`+big+`"`)}, class: dest.Refused, says: "too large"},
		"small, too large":  {fault: sandbox.Fault{Status: 413, Body: "<html>"}, class: dest.Refused, scope: dest.ScopeVersion, says: "413"},
		"small, URI":        {fault: sandbox.Fault{Status: 414, Body: "<html>"}, class: dest.Refused, scope: dest.ScopeVersion, says: "414"},
		"small, headers":    {fault: sandbox.Fault{Status: 431, Body: "<html>"}, class: dest.Refused, scope: dest.ScopeVersion, says: "431"},
		"timeout inside":    {fault: sandbox.Fault{Status: 400, Body: entry("REQUEST_RUNNING_TOO_LONG", "m")}, class: dest.Unavailable, received: true, says: "LONG"},
		"outage":            {fault: sandbox.Fault{Status: 502, Body: "<html>"}, class: dest.Unavailable, received: true, says: "502"},
		"gateway's timeout": {fault: sandbox.Fault{Status: 408, Body: "<html>"}, class: dest.Unavailable, received: true, says: "408"},
		"internal error":    {fault: sandbox.Fault{Status: 500, Body: entry("UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId if you contact support: 1234567890-42 (-77)")}, class: dest.Unavailable, received: true, says: "ErrorId if you contact support: 1234567890-42 (-77)"},
		"maintenance":       {fault: sandbox.Fault{Status: 503, Body: entry("SERVER_UNAVAILABLE", "m"), Headers: map[string]string{"Retry-After": "30"}}, class: dest.Unavailable, after: 30 * time.Second, received: true, says: "SERVER_UNAVAILABLE"},
		"value, quoted":     {fault: sandbox.Fault{Status: 400, Body: entry("JSON_PARSER_ERROR", "Cannot deserialize instance of double from VALUE_STRING value secret-value or request may be missing a required field at [line:1, column:77]")}, class: dest.Refused, says: "column:77"},
		"value, worded":     {fault: sandbox.Fault{Status: 400, Body: entry("CUSTOM", "you sent secret-value")}, fields: []dest.Field{field("Name", `"secret-value"`)}, class: dest.Refused, says: "you sent (value)"},
		"server, malformed": {fault: sandbox.Fault{Status: 500, Body: `[{"errorCode":`}, class: dest.Unavailable, received: true, says: "500"},
	} {
		t.Run(name, func(t *testing.T) {
			d := start(t, byExternalID)
			test.fault.Match = "composite/sobjects"
			d.arm(t, test.fault)
			b := keyed("c1")
			b.Records[0].Fields = test.fields
			_, err := d.Push(t.Context(), b, d.Calls(b, 0)[0])
			failed := callError(t, err)
			if failed.Class != test.class || failed.Scope != test.scope || failed.Quota != test.quota || failed.After != test.after || failed.Received != test.received || !strings.Contains(failed.Message, test.says) {
				t.Errorf("%+v", failed)
			}
			if strings.Contains(failed.Error(), "secret-value") {
				t.Errorf("a row's value in %q", failed)
			}
		})
	}
}

// TestSessionNeverTaken has a gateway refuse every session with a page of its own.
func TestSessionNeverTaken(t *testing.T) {
	d := start(t, byExternalID)
	d.arm(t, sandbox.Fault{Match: "composite/sobjects", Count: -1, Status: 401, Body: "<html>", ContentType: "text/html"})
	_, err := d.Push(t.Context(), keyed("a"), dest.Call{Records: []int{0}})
	if failed := callError(t, err); failed.Class != dest.Configuration || failed.Scope != dest.ScopeConnection || !strings.Contains(failed.Message, "API Enabled") {
		t.Errorf("%+v", failed)
	}
}

// TestVersionNotThere has a path that names no object: only the API version can be
// what is not found.
func TestVersionNotThere(t *testing.T) {
	d := start(t, creating(syncdef.MatchField, "AccountNumber"))
	d.arm(t, sandbox.Fault{Match: "composite/sobjects", Status: 404, Body: entry("NOT_FOUND", "The requested resource does not exist")})
	_, err := d.Push(t.Context(), keyed("a"), dest.Call{Records: []int{0}})
	if failed := callError(t, err); failed.Scope != dest.ScopeConnection || !strings.Contains(failed.Message, "api_version") {
		t.Errorf("%+v", failed)
	}
}

// TestOutcomes holds failures of single records, each alone in its call.
func TestOutcomes(t *testing.T) {
	byLookup, byID := matching(syncdef.MatchField, "AccountNumber"), matching(syncdef.MatchField, "Id")
	byID.Operation = syncdef.Update
	const id = "0015g0000000001AAA"
	for name, test := range map[string]struct {
		errors string
		def    syncdef.Definition
		id     string
		status dest.Status
		scope  dest.Scope
		code   string
		says   string
	}{
		"locked":         {`"statusCode":"UNABLE_TO_LOCK_ROW","message":"unable to obtain exclusive access to this record"`, byExternalID, "", dest.Retry, 0, "UNABLE_TO_LOCK_ROW", "exclusive"},
		"locked, inside": {`"statusCode":"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY","message":"Sum: execution of AfterUpdate caused by: System.DmlException: UNABLE_TO_LOCK_ROW"`, byExternalID, "", dest.Retry, 0, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "AfterUpdate"},
		"locked, quoted": {`"statusCode":"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST","message":"bad value for restricted picklist field: UNABLE_TO_LOCK_ROW"`, byExternalID, "", dest.Rejected, 0, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "(value)"},
		"internal":       {`"statusCode":"UNKNOWN_EXCEPTION","message":"An unexpected error occurred. ErrorId: 42"`, byExternalID, "", dest.Retry, 0, "UNKNOWN_EXCEPTION", "ErrorId: 42"},
		"no access":      {`"statusCode":"INSUFFICIENT_ACCESS_OR_READONLY","message":"insufficient access rights on object id"`, byExternalID, "", dest.Rejected, dest.ScopeUntold, "INSUFFICIENT_ACCESS_OR_READONLY", "this record"},
		"duplicates":     {`"statusCode":"DUPLICATES_DETECTED","message":"Use one of these records?"`, byExternalID, "", dest.Rejected, 0, "DUPLICATES_DETECTED", "duplicate_rule: allow"},
		"unknown field":  {`"statusCode":"INVALID_FIELD","message":"No such column 'X__c' on sobject of type Account","fields":["X__c"]`, byExternalID, "", dest.Rejected, dest.ScopeVersion, "INVALID_FIELD", "field_mappings"},
		"unknown parent": {`"statusCode":"INVALID_FIELD","message":"Foreign key external ID: secret not found for field Ext__c in entity Account"`, byExternalID, "", dest.Rejected, dest.ScopeUntold, "INVALID_FIELD", "(value) not found for field Ext__c"},
		"read only":      {`"statusCode":"INVALID_FIELD_FOR_INSERT_UPDATE","message":"Unable to create/update fields: X__c. Please check the security settings of this field","fields":["X__c"]`, byExternalID, "", dest.Rejected, dest.ScopeVersion, "INVALID_FIELD_FOR_INSERT_UPDATE", "X__c"},
		"person's name":  {`"statusCode":"INVALID_FIELD_FOR_INSERT_UPDATE","message":"Unable to create/update fields: Name. Please check","fields":["Name"]`, byExternalID, "", dest.Rejected, dest.ScopeUntold, "INVALID_FIELD_FOR_INSERT_UPDATE", "Name"},
		"person's field": {`"statusCode":"INVALID_FIELD_FOR_INSERT_UPDATE","message":"Account: bad field names on insert/update call: PersonEmail","fields":["PersonEmail"]`, byExternalID, "", dest.Rejected, dest.ScopeUntold, "INVALID_FIELD_FOR_INSERT_UPDATE", "PersonEmail"},
		"unknown code":   {`"statusCode":"SOMETHING_NEW","message":"m"`, byExternalID, "", dest.Rejected, 0, "SOMETHING_NEW", "m"},

		"deleted":          {`"statusCode":"ENTITY_IS_DELETED","message":"entity is deleted","fields":[]`, byLookup, id, dest.Found, 0, "ENTITY_IS_DELETED", "deleted"},
		"purged":           {`"statusCode":"INVALID_CROSS_REFERENCE_KEY","message":"invalid cross reference id","fields":[]`, byLookup, id, dest.Found, 0, "INVALID_CROSS_REFERENCE_KEY", "deleted"},
		"not found":        {`"statusCode":"NOT_FOUND","message":"m"`, byLookup, id, dest.Found, 0, "NOT_FOUND", "deleted"},
		"another's lookup": {`"statusCode":"INVALID_CROSS_REFERENCE_KEY","message":"m","fields":["AccountId"]`, byLookup, id, dest.Rejected, 0, "INVALID_CROSS_REFERENCE_KEY", "m"},
		"deleted parent":   {`"statusCode":"ENTITY_IS_DELETED","message":"entity is deleted","fields":["AccountId"]`, byLookup, id, dest.Rejected, 0, "ENTITY_IS_DELETED", "refers to"},
		"deleted, created": {`"statusCode":"ENTITY_IS_DELETED","message":"entity is deleted"`, byExternalID, "", dest.Rejected, 0, "ENTITY_IS_DELETED", "recycle bin"},
		"deleted, by Id":   {`"statusCode":"ENTITY_IS_DELETED","message":"entity is deleted","fields":[]`, byID, "", dest.Rejected, 0, "no_match", "no Account has this Id"},
		"purged, by Id":    {`"statusCode":"INVALID_CROSS_REFERENCE_KEY","message":"invalid cross reference id"`, byID, "", dest.Rejected, 0, "no_match", "restore"},

		"text quoted":     {`"statusCode":"STRING_TOO_LONG","message":"Name: data value too large: secret value (max length=255)","fields":["Name"]`, byExternalID, "", dest.Rejected, 0, "STRING_TOO_LONG", "Name: data value too large: (value) (max length=255)"},
		"picklist quoted": {`"statusCode":"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST","message":"Status: bad value for restricted picklist field: secret","fields":["Status__c"]`, byExternalID, "", dest.Rejected, 0, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "field: (value): add"},
		"email quoted":    {`"statusCode":"INVALID_EMAIL_ADDRESS","message":"Email: invalid email address: secret@","fields":["Email"]`, byExternalID, "", dest.Rejected, 0, "INVALID_EMAIL_ADDRESS", "address: (value)"},
		"rule's wording":  {`"statusCode":"FIELD_CUSTOM_VALIDATION_EXCEPTION","message":"Sorry, topsecret is no good; ask topsecrets"`, byExternalID, "", dest.Rejected, 0, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Sorry, (value) is no good; ask topsecrets"},
	} {
		t.Run(name, func(t *testing.T) {
			d := start(t, test.def)
			d.arm(t, sandbox.Fault{Match: "composite/sobjects", Status: 200, Body: `[{"success":false,"errors":[{` + test.errors + `}]}]`})
			b := keyed(id)
			b.Records[0].ID = test.id
			b.Records[0].Fields = []dest.Field{field("Name", `"topsecret"`)}
			out, err := d.Push(t.Context(), b, d.Calls(b, 0)[0])
			if err != nil {
				t.Fatal(err)
			}
			o := out[0]
			if o.Status != test.status || o.Scope != test.scope || o.Code != test.code || !strings.Contains(o.Message, test.says) || o.ID != "" {
				t.Errorf("%+v", o)
			}
			if strings.Contains(strings.ReplaceAll(o.Message, "topsecrets", ""), "secret") {
				t.Errorf("a row's value in %q", o.Message)
			}
		})
	}
}

// TestOtherAnswers holds answers of JSON that are not what was asked for.
func TestOtherAnswers(t *testing.T) {
	const id = "0015g0000000001AAA"
	for name, test := range map[string]struct {
		body string
		id   string
		want bool // it is an answer
	}{
		"the id asked for":     {`[{"id":"` + id + `","success":true,"errors":[]}]`, id, true},
		"in 15 characters":     {`[{"id":"0015g0000000001","success":true,"errors":[]}]`, id, true},
		"asked in 15":          {`[{"id":"` + id + `","success":true,"errors":[]}]`, "0015g0000000001", true},
		"no error named":       {`[{"success":false}]`, id, true},
		"members of tomorrow":  {`[{"id":"` + id + `","success":true,"warnings":[{}],"errors":null}]`, id, true},
		"another's id":         {`[{"id":"0015g0000000002AAA","success":true,"errors":[]}]`, id, false},
		"no id":                {`[{"success":true,"errors":[]}]`, id, false},
		"no id of any kind":    {`[{"id":"x","success":true,"errors":[]}]`, id, false},
		"created without id":   {`[{"success":true,"created":true}]`, "", false},
		"success unsaid":       {`[{"id":"` + id + `","errors":[]}]`, id, false},
		"success a text":       {`[{"id":"` + id + `","success":"true"}]`, id, false},
		"success null":         {`[{"id":"` + id + `","success":null}]`, id, false},
		"too few":              {`[]`, id, false},
		"too many":             {`[{"id":"` + id + `","success":true},{"id":"` + id + `","success":true}]`, id, false},
		"cut short":            {`[{"id":"` + id + `","success":true`, id, false},
		"another shape":        {`{"ok":true}`, id, false},
		"a name twice":         {`[{"id":"` + id + `","success":false,"success":true}]`, id, false},
		"broken UTF-8":         {"[{\"id\":\"\xff\",\"success\":true}]", id, false},
		"trailing answer":      {`[{"id":"` + id + `","success":true}] {}`, id, false},
		"errors of other form": {`[{"success":false,"errors":["locked"]}]`, id, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := start(t, creating(syncdef.MatchField, "AccountNumber"))
			d.arm(t, sandbox.Fault{Match: "composite/sobjects", Status: 200, Body: test.body})
			b := keyed("k")
			b.Records[0].ID = test.id
			out, err := d.Push(t.Context(), b, d.Calls(b, 0)[0])
			if test.want {
				if err != nil || len(out) != 1 || out[0].Status != dest.Delivered && out[0].Code != "UNKNOWN" {
					t.Errorf("%+v %v", out, err)
				}
				return
			}
			if failed := callError(t, err); failed.Class != dest.Unavailable || failed.Scope != dest.ScopeUntold || !failed.Received {
				t.Errorf("%+v", failed)
			}
		})
	}
}

// A breaker is a network that fails at a point.
type breaker struct {
	base http.RoundTripper
	at   func(r *http.Request) error // asked before a request leaves
	then func()                      // done once it has
}

func (b breaker) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := b.at(r); err != nil {
		return nil, err
	}
	if b.then != nil && strings.Contains(r.URL.Path, "composite") {
		res, err := b.base.RoundTrip(r)
		if err == nil {
			res.Body.Close()
		}
		b.then()
		return nil, context.Canceled
	}
	return b.base.RoundTrip(r)
}

// TestContextAfterSending has a deadline strike when the request is out: it may
// have been carried out, which the context's error would not say.
func TestContextAfterSending(t *testing.T) {
	w := start(t, byExternalID)
	ctx, cancel := context.WithCancel(t.Context())
	cfg := w.cfg
	cfg.HTTP = &http.Client{Transport: breaker{base: http.DefaultTransport, at: func(*http.Request) error { return nil }, then: cancel}}
	a, err := salesforce.Vendor.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	d, err := a.Open(version(t, byExternalID))
	if err != nil {
		t.Fatal(err)
	}
	b := dest.Batch{Records: []dest.Record{account(1)}}
	_, err = d.Push(ctx, b, d.Calls(b, 0)[0])
	if failed := callError(t, err); failed.Class != dest.Unavailable || !failed.Received || failed.Scope != dest.ScopeUntold {
		t.Errorf("%+v", failed)
	}
	if w.sim.Count("Account") != 1 {
		t.Error("the request did not arrive")
	}
}

// TestContextBeforeSending has it end before anything is sent, with and without a
// session: that is nobody's failure.
func TestContextBeforeSending(t *testing.T) {
	w := start(t, byExternalID)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := dest.Batch{Records: []dest.Record{account(1)}}
	for range 2 {
		if _, err := w.Push(ctx, b, dest.Call{Records: []int{0}}); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		w.push(t, dest.Batch{Records: []dest.Record{account(2)}})
	}
}

// TestCalls cuts by kind and size, and puts no record twice into a call.
func TestCalls(t *testing.T) {
	d := start(t, creating(syncdef.MatchField, "AccountNumber"))
	var b dest.Batch
	for i := range 450 {
		r := dest.Record{Key: "k"}
		if i%2 == 0 {
			r.ID = string(rune('a' + i)) // updates among creates
		}
		b.Records = append(b.Records, r)
	}
	b.Records[4].ID = b.Records[0].ID // one record twice: not in one call
	seen := map[int]bool{}
	for _, c := range d.Calls(b, 0) {
		ids := map[string]bool{}
		for _, at := range c.Records {
			r := b.Records[at]
			if (r.ID == "") != (b.Records[c.Records[0]].ID == "") || r.ID != "" && ids[r.ID] || seen[at] {
				t.Errorf("record %d does not fit into its call", at)
			}
			seen[at], ids[r.ID] = true, true
		}
		if len(c.Records) > 200 || len(c.Costs) != 1 || c.Costs[0] != (dest.Cost{Tokens: 1}) {
			t.Errorf("%d records, costs %+v", len(c.Records), c.Costs)
		}
	}
	if len(seen) != 450 {
		t.Errorf("%d records are in calls", len(seen))
	}
	if calls := d.Calls(keyed("a", "b", "c", "d", "e"), 2); len(calls) != 3 {
		t.Errorf("at most 2: %d calls for 5 records", len(calls))
	}
	def := byExternalID
	def.BatchSize = 7
	small := start(t, def)
	if calls := small.Calls(keyed("a", "b", "c", "d", "e", "f", "g", "h"), 100); len(calls) != 2 {
		t.Errorf("batch_size 7: %d calls for 8 records", len(calls))
	}
	if calls := small.Calls(keyed("a", "b", "a"), 0); len(calls) != 2 {
		t.Errorf("one external id twice: %d calls", len(calls))
	}
}

func TestLimits(t *testing.T) {
	d := start(t, byExternalID)
	if w := d.account.Limits().Windows(""); len(w) != 1 || w[0].Calls != 50_000 || w[0].Per != 24*time.Hour {
		t.Errorf("%+v", w)
	}
}

// TestDuplicateRule wants the header only where the definition asks for it.
func TestDuplicateRule(t *testing.T) {
	for option, want := range map[string]string{"": "", `{"duplicate_rule":"block"}`: "", `{"duplicate_rule":"allow"}`: "allowSave=true"} {
		sent := "none"
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "oauth2") {
				w.Write([]byte(`{"access_token":"t"}`)) //nolint:errcheck // the client may be gone
				return
			}
			sent = r.Header.Get("Sforce-Duplicate-Rule-Header")
			w.Write([]byte(`[{"id":"0015g0000000001AAA","success":true,"created":true}]`)) //nolint:errcheck // the client may be gone
		}))
		def := byExternalID
		def.Options = []byte(option)
		d := connect(t, def, srv.URL)
		out := d.push(t, keyed("a"))
		srv.Close()
		if sent != want || out[0].Status != dest.Delivered {
			t.Errorf("%s: header %q, %+v", option, sent, out[0])
		}
	}
}

// TestEcho holds that what stands where a code or a field's name is expected is
// passed on only when it looks like one (I6).
func TestEcho(t *testing.T) {
	d := start(t, byExternalID)
	for _, said := range []string{"joe@acme.example", "two words", `line\nbreak`, strings.Repeat("X", 81)} {
		d.arm(t, sandbox.Fault{Match: "composite/sobjects", Status: 200, Body: `[{"success":false,"errors":[{"statusCode":"` + said + `","message":"m","fields":["` + said + `"]}]}]`})
		got := d.push(t, dest.Batch{Records: rows(t, version(t, byExternalID).Rules.Identity, "C-1").Records})[0]
		if got.Code != dest.CodeUnreadable || got.Field != "" || got.Status != dest.Rejected {
			t.Errorf("%s: %+v", said, got)
		}
		d.arm(t, sandbox.Fault{Match: "composite/sobjects", Status: 400, Body: `[{"errorCode":"` + said + `","message":"m"}]`})
		_, err := d.Push(t.Context(), dest.Batch{Records: rows(t, version(t, byExternalID).Rules.Identity, "C-1").Records}, dest.Call{Records: []int{0}})
		if failed := callError(t, err); failed.Code != dest.CodeUnreadable || strings.Contains(failed.Message, said) || failed.Class != dest.Refused {
			t.Errorf("%s: %+v", said, failed)
		}
	}
}
