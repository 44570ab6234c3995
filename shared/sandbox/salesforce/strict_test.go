package salesforce

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/penstock-data/penstock/shared/sandbox"
)

// statuses are the codes of a collection's answer, "ok" for a success.
func statuses(body string) string {
	var out []string
	for _, part := range strings.Split(body, `"success":`)[1:] {
		_, rest, _ := strings.Cut(part, `"statusCode":"`)
		code, _, _ := strings.Cut(rest, `"`)
		if strings.HasPrefix(part, "true") {
			code = "ok"
		}
		out = append(out, code)
	}
	return strings.Join(out, "/")
}

// TestTexts holds what becomes of a text on its way into the store.
func TestTexts(t *testing.T) {
	o := open(t, Options{})
	_, body := o.upsert(`"Customer_ID__c":"  c1\t","Name":"\r\n One  Two ","Phone":"   ","BillingCity":"\u00a0x"`)
	if statuses(body) != "ok" {
		t.Fatal(body)
	}
	want := `{"Id":"0015g0000000001AAA","Name":"One  Two","BillingCity":"` + "\u00a0" + `x","Customer_ID__c":"c1"}` + "\n"
	if _, _, listed := o.send("GET", "/_sandbox/records?object=Account", ""); listed != want {
		t.Errorf("%s want %s", listed, want)
	}
	if _, body := o.upsert(`"Customer_ID__c":" C1","Name":"` + strings.Repeat("😀", 127) + `"`); !strings.Contains(body, `"created":false`) {
		t.Errorf("254 UTF-16 units, and a key with a blank: %s", body)
	}
}

// TestCheckbox wants null refused for the record alone.
func TestCheckbox(t *testing.T) {
	o := open(t, Options{})
	contact := func(value string) string { return `"LastName":"n","HasOptedOutOfEmail":` + value }
	body := strings.ReplaceAll(accounts(contact("null"), contact("true"), contact(`""`), contact(`"false"`), `"LastName":"n"`), `"Account"`, `"Contact"`)
	if _, _, got := o.send("POST", data+"composite/sobjects", body); statuses(got) != "INVALID_TYPE_ON_FIELD_IN_RECORD/ok/INVALID_TYPE_ON_FIELD_IN_RECORD/ok/ok" {
		t.Error(got)
	}
	_, _, got := o.send("GET", data+"query?q="+url.QueryEscape("SELECT COUNT() FROM Contact WHERE HasOptedOutOfEmail = false"), "")
	if !strings.Contains(got, `"totalSize":2`) {
		t.Errorf("false, and never set: %s", got)
	}
}

// TestTwice wants every record refused whose key another record of the call has.
func TestTwice(t *testing.T) {
	o := open(t, Options{})
	_, body := o.upsert(`"Customer_ID__c":"a","Name":"1"`, `"Customer_ID__c":"b","Name":"2"`, `"Customer_ID__c":" A ","Name":"3"`, `"Customer_ID__c":"A","Name":"4"`)
	if got := statuses(body); got != "DUPLICATE_VALUE/ok/DUPLICATE_VALUE/DUPLICATE_VALUE" || o.sim.Count("Account") != 1 {
		t.Errorf("upsert: %s", body)
	}
	_, _, body = o.send("PATCH", data+"composite/sobjects", accounts(`"Id":"0015g0000000001AAA","Name":"x"`, `"Id":"0015g0000000001","Name":"y"`))
	if got := statuses(body); got != "DUPLICATE_VALUE/DUPLICATE_VALUE" || o.query("SELECT Id, Name FROM Account") != "2" {
		t.Errorf("update: %s", body)
	}
}

func TestReferences(t *testing.T) {
	o := seeded(t, []string{"Name"}, []string{"Acme"})
	record := func(account string) string {
		return strings.Replace(accounts(`"LastName":"n","AccountId":"`+account+`"`), "Account", "Contact", 1)
	}
	for account, want := range map[string]string{
		"0015g0000000001AAA": "ok", "0015g0000000001": "ok", "": "ok",
		"x": "MALFORMED_ID", "0015g0000000009AAA": "INVALID_CROSS_REFERENCE_KEY", "00Q5g0000000001": "INVALID_CROSS_REFERENCE_KEY",
	} {
		if _, _, body := o.send("POST", data+"composite/sobjects", record(account)); statuses(body) != want {
			t.Errorf("%s: %s", account, body)
		}
	}
	if _, _, body := o.send("POST", data+"composite/sobjects", record("0015g0000000009AAA")); !strings.Contains(body, `"fields":[]`) {
		t.Errorf("%s", body)
	}
	_, _, body := o.send("GET", data+"query?q="+url.QueryEscape("SELECT AccountId FROM Contact WHERE AccountId = '0015g0000000001'"), "")
	if strings.Count(body, `"AccountId":"0015g0000000001AAA"`) != 2 {
		t.Errorf("by reference: %s", body)
	}
	o.send("DELETE", data+"sobjects/Account/0015g0000000001AAA", "")
	if _, _, body := o.send("POST", data+"composite/sobjects", record("0015g0000000001AAA")); statuses(body) != "ENTITY_IS_DELETED" {
		t.Errorf("deleted: %s", body)
	}
}

// TestVersions holds paths and content types.
func TestVersions(t *testing.T) {
	o := open(t, Options{OrgID: "00D000000000002EAA"})
	for path, want := range map[string]int{
		"/services/data/v68.0/limits": 200, "/services/data/v31.0/limits": 200, "/services/data/v30.0/limits": 410, "/services/data/v21.0/limits": 410,
		"/services/data/v69.0/limits": 404, "/services/data/v6.0/limits": 404, "/services/data/v68/limits": 404, "/services/data/v68.5/limits": 404,
		"/services/data/v68.0/query/?q=SELECT+Id+FROM+Account": 200, "/services/data/v68.0/query?q=SELECT+Id+FROM+Account": 200,
		"/services/data/v68.0/": 200, "/services/data/v69.0/": 404,
		"/services/oauth2/userinfo": 200, "/id/00D000000000002EAA/0055g0000000001AAA": 200, "/id/00D5g0000000001EAA/0055g0000000001AAA": 404,
	} {
		if status, _, body := o.send("GET", path, ""); status != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if _, _, body := o.send("GET", "/services/oauth2/userinfo", ""); !strings.Contains(body, `"organization_id":"00D000000000002EAA"`) || !strings.HasPrefix(o.token, "00D000000000002!") {
		t.Errorf("identity: %s", body)
	}
	if _, _, body := o.send("GET", "/services/data/v68.0/", ""); !strings.Contains(body, `"query":"/services/data/v68.0/query"`) {
		t.Errorf("resources: %s", body)
	}
	o.token = ""
	if status, _, body := o.send("GET", "/services/data", ""); status != 200 || !strings.HasSuffix(body, `"version":"68.0"}]`) || !strings.HasPrefix(body, `[{"label":"Release 31"`) {
		t.Errorf("versions: %d %s", status, body)
	}
	if status, _, _ := o.send("GET", "/services/oauth2/userinfo", ""); status != 401 {
		t.Errorf("identity without a session: %d", status)
	}
	if _, err := New(Options{OrgID: "00D"}); err == nil {
		t.Error("an organisation id that is none was taken")
	}
}

func TestContentType(t *testing.T) {
	o := open(t, Options{})
	for kind, want := range map[string]int{
		"application/json": 200, "application/json; charset=UTF-8": 200, "Application/JSON": 200,
		"text/plain": 415, "application/x-www-form-urlencoded": 415, "none": 415, "application/": 415,
	} {
		o.contentType = kind
		for _, call := range []string{"PATCH composite/sobjects", "POST composite/sobjects"} {
			method, path, _ := strings.Cut(call, " ")
			status, _, body := o.send(method, data+path, accounts(`"Name":"n"`))
			if status != want || want == 415 && !strings.Contains(body, "UNSUPPORTED_MEDIA_TYPE") {
				t.Errorf("%s, %s: %d %s", call, kind, status, body)
			}
		}
		if status, _, _ := o.send("GET", data+"limits", ""); status != 200 {
			t.Errorf("GET, %s: %d", kind, status)
		}
	}
}

func TestDuplicateRules(t *testing.T) {
	o := seeded(t, []string{"Name", "Phone"}, []string{"Acme", "1"}, []string{"Other", "2"})
	alert := DuplicateRule{Object: "Account", Field: "Name"}
	block := DuplicateRule{Object: "account", Field: "phone", Block: true}
	create := func(record string) string {
		_, _, body := o.send("POST", data+"composite/sobjects", accounts(record))
		return statuses(body)
	}
	for _, step := range []struct {
		rules         []DuplicateRule
		header, sends string
		want          string
	}{
		{nil, "", `"Name":"acme"`, "ok"},
		{[]DuplicateRule{alert}, "", `"Name":"ACME"`, "DUPLICATES_DETECTED"},
		{[]DuplicateRule{alert}, "allowSave=false", `"Name":"ACME"`, "DUPLICATES_DETECTED"},
		{[]DuplicateRule{alert}, "includeRecordDetails=true; allowSave=TRUE", `"Name":"ACME"`, "ok"},
		{[]DuplicateRule{alert}, "", `"Name":"New"`, "ok"},
		{[]DuplicateRule{alert, block}, "allowSave=true", `"Name":"acme","Phone":"1"`, "DUPLICATES_DETECTED"},
		{[]DuplicateRule{alert, block}, "allowSave=true", `"Name":"acme","Phone":null`, "ok"},
	} {
		o.sim.SetDuplicateRules(step.rules...)
		o.duplicateRule = step.header
		if got := create(step.sends); got != step.want {
			t.Errorf("%v, %q, %s: %s, want %s", step.rules, step.header, step.sends, got, step.want)
		}
	}
	o.duplicateRule = ""
	for body, want := range map[string]int{`[{"object":"Account","field":"Name","block":true}]`: 204, `{}`: 400, `[{"colour":"red"}]`: 400} {
		if status, _, _ := o.send("PUT", "/_sandbox/duplicate_rules", body); status != want {
			t.Errorf("switch %s: %d", body, status)
		}
	}
	if got := create(`"Name":"acme"`); got != "DUPLICATES_DETECTED" {
		t.Errorf("switched on from outside: %s", got)
	}
	// A record is no duplicate of itself, and one that does not send the field is not looked at.
	_, _, body := o.send("PATCH", data+"composite/sobjects", accounts(`"Id":"0015g0000000002AAA","Name":"OTHER"`, `"Id":"0015g0000000001AAA","Phone":"3"`))
	if got := statuses(body); got != "ok/ok" {
		t.Errorf("updates: %s", body)
	}
}

// TestRecordAccess refuses single records, known by Id, by a sent value and by the
// key of an upsert.
func TestRecordAccess(t *testing.T) {
	o := seeded(t, []string{"Name", "Customer_ID__c"}, []string{"One", "c1"}, []string{"Two", "c2"})
	fault := sandbox.Fault{FailRecords: []string{"0015g0000000001AAA"}, Code: "INSUFFICIENT_ACCESS_OR_READONLY", Count: -1}
	if err := o.sim.Core().AddFault(fault); err != nil {
		t.Fatal(err)
	}
	_, _, body := o.send("PATCH", data+"composite/sobjects", accounts(`"Id":"0015g0000000001AAA","Phone":"1"`, `"Id":"0015g0000000002AAA","Phone":"1"`))
	if statuses(body) != "INSUFFICIENT_ACCESS_OR_READONLY/ok" || !strings.Contains(body, "insufficient access rights on object id") {
		t.Errorf("by id: %s", body)
	}
	if _, body := o.upsert(`"Customer_ID__c":"C1","Phone":"1"`, `"Customer_ID__c":"c2","Phone":"1"`); statuses(body) != "INSUFFICIENT_ACCESS_OR_READONLY/ok" {
		t.Errorf("by key: %s", body)
	}
}

// TestPoison fails whatever call holds one record: upsert, query and composite.
func TestPoison(t *testing.T) {
	o := open(t, Options{})
	fault := sandbox.Fault{Holding: "c 2", Status: 500, Body: `[{"message":"An unexpected error occurred. Please include this ErrorId if you contact support: 1-2 (3)","errorCode":"UNKNOWN_EXCEPTION"}]`, Count: -1}
	if err := o.sim.Core().AddFault(fault); err != nil {
		t.Fatal(err)
	}
	query := func(key string) string {
		return data + "query?q=" + url.QueryEscape("SELECT Id FROM Account WHERE Customer_ID__c = '"+key+"'")
	}
	for _, key := range []string{"c1", "c 2"} {
		want := map[string]int{"c1": 200, "c 2": 500}[key]
		if status, _ := o.upsert(`"Customer_ID__c":"ok","Name":"n"`, `"Customer_ID__c":"`+key+`","Name":"n"`); status != want {
			t.Errorf("upsert of %s: %d", key, status)
		}
		if status, _, _ := o.send("GET", query(key), ""); status != want {
			t.Errorf("query for %s: %d", key, status)
		}
		composite := `{"compositeRequest":[{"method":"GET","url":"` + query(key) + `","referenceId":"q"}]}`
		if status, _, _ := o.send("POST", data+"composite", composite); status != want {
			t.Errorf("composite for %s: %d", key, status)
		}
	}
	if n := o.sim.Count("Account"); n != 2 {
		t.Errorf("%d accounts", n)
	}
}

// TestConcurrent holds one request in a fault's wait while another comes.
func TestConcurrent(t *testing.T) {
	waiting, leave := make(chan struct{}), make(chan struct{})
	o := open(t, Options{MaxConcurrent: 1, Core: sandbox.Options{}})
	core, err := sandbox.New(sandbox.Options{Actions: map[string]func(){"hold": func() { close(waiting); <-leave }}})
	if err != nil {
		t.Fatal(err)
	}
	o.sim.handler = core.Wrap(http.HandlerFunc(o.sim.serve))
	if err := core.AddFault(sandbox.Fault{Action: "hold"}); err != nil {
		t.Fatal(err)
	}
	var held int
	var wait sync.WaitGroup
	wait.Go(func() { held, _, _ = o.send("GET", data+"limits", "") })
	<-waiting
	status, _, body := o.send("GET", data+"limits", "")
	if status != 403 || !strings.Contains(body, `"ConcurrentRequests (Concurrent API Requests) Limit exceeded."`) || !strings.Contains(body, `"REQUEST_LIMIT_EXCEEDED"`) {
		t.Errorf("the second of two: %d %s", status, body)
	}
	close(leave)
	wait.Wait()
	if after, _, _ := o.send("GET", data+"limits", ""); after != 200 {
		t.Errorf("afterwards: %d (held: %d)", after, held)
	}
}

func TestTooComplicated(t *testing.T) {
	o := open(t, Options{MaxLiterals: 3})
	for values, want := range map[string]int{"'a','b','c'": 200, "'a','b','c','d'": 400} {
		status, _, body := o.send("GET", data+"query?q="+url.QueryEscape("SELECT Id FROM Account WHERE Name IN ("+values+")"), "")
		if status != want || want == 400 && !strings.Contains(body, "QUERY_TOO_COMPLICATED") {
			t.Errorf("%s: %d %s", values, status, body)
		}
	}
}

// TestUntrueAnswers holds what a lookup must not take for an answer.
func TestUntrueAnswers(t *testing.T) {
	o := seeded(t, []string{"Name"}, []string{"A"}, []string{"B"}, []string{"C"})
	query := `{"compositeRequest":[{"method":"GET","url":"` + data + `query?q=SELECT+Name+FROM+Account","referenceId":"q"}]}`
	for name, test := range map[string]struct {
		fault sandbox.Fault
		says  string
	}{
		"another count": {sandbox.Fault{Find: `"totalSize":3,"done":true`, Replace: `"totalSize":5,"done":false`}, `"totalSize":5,"done":false`},
		"an empty part": {sandbox.Fault{Find: `"body":\{.*\]\},"http`, Replace: `"body":{},"http`}, `{"compositeResponse":[{"body":{},"httpHeaders"`},
		"no parts":      {sandbox.Fault{Shorten: 1}, `{"compositeResponse":[]}`},
		"nothing":       {sandbox.Fault{Status: 200, Body: `{}`}, `{}`},
	} {
		if err := o.sim.Core().AddFault(test.fault); err != nil {
			t.Fatal(err)
		}
		if status, _, body := o.send("POST", data+"composite", query); status != 200 || !strings.Contains(body, test.says) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}

// A multi-select picklist keeps each of its values once, in its own order; one value
// that it lacks refuses the record alone, and a list of JSON the call.
func TestMultiPicklist(t *testing.T) {
	o := open(t, Options{Schema: append(DefaultSchema(), Object{Name: "Thing__c", Prefix: "a0X", Fields: []Field{
		text("Name", 80), {Name: "Open__c", Type: MultiPicklist, Length: 12, Values: []string{"B", "A"}},
	}})})
	_, body := o.upsert(`"Customer_ID__c":"1","Name":"n","Products__c":" support;Analytics;;SUPPORT; "`, `"Customer_ID__c":"2","Name":"n","Products__c":"Analytics;Shoes"`,
		`"Customer_ID__c":"3","Name":"n","Products__c":" ; "`, `"Customer_ID__c":"4","Name":"n","Products__c":null`)
	if statuses(body) != "ok/INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST/ok/ok" || !strings.Contains(body, "bad value for restricted picklist field: Shoes") {
		t.Error(body)
	}
	if _, _, listed := o.send("GET", "/_sandbox/records?object=Account", ""); !strings.Contains(listed, `"Products__c":"Analytics;Support"`) || strings.Count(listed, "Products__c") != 1 {
		t.Error(listed)
	}
	if status, body := o.upsert(`"Customer_ID__c":"1","Name":"n","Products__c":["Analytics"]`); status != 400 {
		t.Errorf("a list: %d %s", status, body)
	}
	things := strings.ReplaceAll(accounts(`"Name":"n","Open__c":"x;A;b;X"`, `"Name":"n","Open__c":"aaaaaaaaaaaaa"`), `"Account"`, `"Thing__c"`)
	if _, _, got := o.send("POST", data+"composite/sobjects", things); statuses(got) != "ok/STRING_TOO_LONG" {
		t.Error(got)
	}
	if _, _, listed := o.send("GET", "/_sandbox/records?object=Thing__c", ""); !strings.Contains(listed, `"Open__c":"B;A;x"`) {
		t.Error(listed)
	}
	if _, _, got := o.send("GET", data+"sobjects/Account/describe", ""); !strings.Contains(got, `"name":"Products__c","label":"Products","type":"multipicklist","length":4099`) {
		t.Error(got)
	}
}
