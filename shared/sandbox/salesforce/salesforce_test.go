package salesforce

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const data = "/services/data/v62.0/"

// An org is a simulator behind HTTP and a session.
type org struct {
	t     *testing.T
	sim   *Simulator
	url   string
	token string

	contentType   string // "" is JSON, "none" sends no header
	duplicateRule string // Sforce-Duplicate-Rule-Header
}

func open(t *testing.T, opts Options) *org {
	t.Helper()
	if opts.Core.Now == nil {
		opts.Core.Now = func() time.Time { return noon }
	}
	if opts.Credentials.ClientID == "" {
		opts.Credentials = Credentials{ClientID: "app", ClientSecret: "hush"}
	}
	sim, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(sim)
	t.Cleanup(func() { srv.Close(); sim.Close() })
	o := &org{t: t, sim: sim, url: srv.URL}
	status, _, body := o.send("POST", "/services/oauth2/token", "grant_type=client_credentials&client_id=app&client_secret=hush")
	var token struct {
		AccessToken string `json:"access_token"`
		InstanceURL string `json:"instance_url"`
	}
	if err := json.Unmarshal([]byte(body), &token); err != nil || status != 200 || token.InstanceURL != srv.URL {
		t.Fatalf("log in: %d %s", status, body)
	}
	o.token = token.AccessToken
	return o
}

func (o *org) send(method, path, body string) (int, http.Header, string) {
	o.t.Helper()
	req, err := http.NewRequestWithContext(o.t.Context(), method, o.url+path, strings.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+o.token)
	switch o.contentType {
	case "":
		req.Header.Set("Content-Type", "application/json")
	case "none":
	default:
		req.Header.Set("Content-Type", o.contentType)
	}
	if o.duplicateRule != "" {
		req.Header.Set("Sforce-Duplicate-Rule-Header", o.duplicateRule)
	}
	if strings.HasPrefix(path, "/services/oauth2") {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		o.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(b)
}

// upsert sends records as JSON members beside attributes.
func (o *org) upsert(records ...string) (int, string) {
	o.t.Helper()
	status, _, body := o.send("PATCH", data+"composite/sobjects/Account/Customer_ID__c", accounts(records...))
	return status, body
}

func accounts(records ...string) string {
	for i, r := range records {
		records[i] = `{"attributes":{"type":"Account"},` + r + `}`
	}
	return `{"allOrNone":false,"records":[` + strings.Join(records, ",") + `]}`
}

// query runs SOQL and answers the records' values of the second field.
func (o *org) query(soql string) string {
	o.t.Helper()
	_, _, body := o.send("GET", data+"query?q="+url.QueryEscape(soql), "")
	var page struct {
		Records []map[string]any `json:"records"`
	}
	if json.Unmarshal([]byte(body), &page) != nil {
		return body
	}
	var names []string
	for _, r := range page.Records {
		names = append(names, fmt.Sprint(r["Name"]))
	}
	return strings.Join(names, "|")
}

func TestUpsert(t *testing.T) {
	o := open(t, Options{})
	status, body := o.upsert(`"Customer_ID__c":"c1","Name":"One","Health_Score__c":85.0`, `"Customer_ID__c":"c2","Name":"Two"`)
	want := `[{"id":"0015g0000000001AAA","success":true,"created":true,"errors":[]},{"id":"0015g0000000002AAA","success":true,"created":true,"errors":[]}]`
	if status != 200 || body != want {
		t.Fatalf("%d %s", status, body)
	}
	// The external id is compared without regard to case; absent fields stay.
	if _, body = o.upsert(`"Customer_ID__c":"C1","Health_Score__c":null`); !strings.Contains(body, `"id":"0015g0000000001AAA","success":true,"created":false`) {
		t.Error(body)
	}
	_, _, listed := o.send("GET", "/_sandbox/records?object=Account", "")
	wantListed := `{"Id":"0015g0000000001AAA","Name":"One","Customer_ID__c":"C1"}
{"Id":"0015g0000000002AAA","Name":"Two","Customer_ID__c":"c2"}
`
	if diff := cmp.Diff(wantListed, listed); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if _, _, rest := o.send("GET", "/_sandbox/records?object=Account&after=0015g0000000001AAA&limit=1", ""); !strings.HasPrefix(rest, `{"Id":"0015g0000000002AAA"`) || strings.Count(rest, "\n") != 1 {
		t.Errorf("after: %s", rest)
	}
}

func TestRecordsOfAllObjects(t *testing.T) {
	o := open(t, Options{})
	o.upsert(`"Customer_ID__c":"c1","Name":"One"`, `"Customer_ID__c":"c2","Name":"Two"`)
	if err := o.sim.Seed("Contact", []string{"LastName"}, slices.Values([][]string{{"Doe"}})); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"": `{"object":"Account","Id":"0015g0000000001AAA","Name":"One","Customer_ID__c":"c1"}
{"object":"Account","Id":"0015g0000000002AAA","Name":"Two","Customer_ID__c":"c2"}
{"object":"Contact","Id":"0035g0000000001AAA","LastName":"Doe"}
`,
		"?limit=1":                  `{"object":"Account","Id":"0015g0000000001AAA","Name":"One","Customer_ID__c":"c1"}` + "\n",
		"?object=contact":           `{"Id":"0035g0000000001AAA","LastName":"Doe"}` + "\n",
		"?object=Lead":              "object: one of Account, Contact\n",
		"?after=0015g0000000001AAA": "object: one of Account, Contact\n",
	} {
		if _, _, got := o.send("GET", "/_sandbox/records"+query, ""); got != want {
			t.Errorf("%s (-want +got):\n%s", query, cmp.Diff(want, got))
		}
	}
}

// TestRecordErrors holds one record each that Salesforce refuses, beside one that
// it takes.
func TestRecordErrors(t *testing.T) {
	o := open(t, Options{})
	o.upsert(`"Customer_ID__c":"taken","Name":"Taken"`)
	long := strings.Repeat("é", 256)
	for _, test := range []struct{ record, code, field string }{
		{`"Customer_ID__c":"x"`, "REQUIRED_FIELD_MISSING", "Name"},
		{`"Customer_ID__c":"x","Name":null`, "REQUIRED_FIELD_MISSING", "Name"},
		{`"Customer_ID__c":"taken","Name":""`, "REQUIRED_FIELD_MISSING", "Name"},
		{`"Customer_ID__c":"x","Name":"` + long + `"`, "STRING_TOO_LONG", "Name"},
		{`"Customer_ID__c":"x","Name":"n","Health_Status__c":"Meh"`, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Health_Status__c"},
		{`"Customer_ID__c":"x","Name":"n","Health_Contact_Email__c":"nobody"`, "INVALID_EMAIL_ADDRESS", "Health_Contact_Email__c"},
		{`"Customer_ID__c":"x","Name":"n","Health_Score__c":10000`, "NUMBER_OUTSIDE_VALID_RANGE", "Health_Score__c"},
		{`"Customer_ID__c":"x","Name":"n","Health_Score__c":9999.95`, "NUMBER_OUTSIDE_VALID_RANGE", "Health_Score__c"},
		{`"Customer_ID__c":"x","Name":"n","CreatedDate":"2024-01-01T00:00:00Z"`, "INVALID_FIELD_FOR_INSERT_UPDATE", "CreatedDate"},
		{`"Name":"n"`, "MISSING_ARGUMENT", "Customer_ID__c"},
		{`"Customer_ID__c":"x","Name":"` + "\u00a0" + strings.Repeat("😀", 127) + "\u00a0" + `"`, "STRING_TOO_LONG", "Name"}, // 256 UTF-16 units
		{`"Customer_ID__c":"x","Name":" \t\r\n "`, "REQUIRED_FIELD_MISSING", "Name"},
		{`"Customer_ID__c":" ","Name":"n"`, "MISSING_ARGUMENT", "Customer_ID__c"},
		{`"Customer_ID__c":"x","Name":"n","NumberOfEmployees":123456789`, "NUMBER_OUTSIDE_VALID_RANGE", "NumberOfEmployees"},
		{`"Customer_ID__c":"x","Name":"n","Health_Score_Last_Updated__c":"1699-12-31T23:59:59Z"`, "FIELD_INTEGRITY_EXCEPTION", "Health_Score_Last_Updated__c"},
		{`"Customer_ID__c":"x","Name":"n","Health_Score_Last_Updated__c":"4000-12-31T00:00:01Z"`, "FIELD_INTEGRITY_EXCEPTION", "Health_Score_Last_Updated__c"},
	} {
		status, body := o.upsert(`"Customer_ID__c":"good","Name":"Good"`, test.record)
		var got []struct {
			Success bool
			Errors  []struct {
				StatusCode, Message string
				Fields              []string
			}
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil || status != 200 || len(got) != 2 {
			t.Errorf("%s: %d %s", test.record, status, body)
			continue
		}
		if !got[0].Success || got[1].Success || got[1].Errors[0].StatusCode != test.code || got[1].Errors[0].Fields[0] != test.field {
			t.Errorf("%s: %s", test.record, body)
		}
	}
	if n := o.sim.Count("Account"); n != 2 {
		t.Errorf("%d accounts", n)
	}
}

// TestCallErrors holds calls that are refused as a whole, in the vendor's other
// error shape.
func TestCallErrors(t *testing.T) {
	o := open(t, Options{})
	up, good := "composite/sobjects/Account/Customer_ID__c", accounts(`"Customer_ID__c":"x","Name":"n"`)
	for _, test := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"PATCH", up, accounts(`"Customer_ID__c":"x","Nope__c":1`), 400, "INVALID_FIELD"},
		{"PATCH", up, accounts(`"Customer_ID__c":"x","Id":"0015g0000000001AAA"`), 400, "INVALID_FIELD"},
		{"PATCH", up, accounts(`"Customer_ID__c":"x","Name":5`), 400, "JSON_PARSER_ERROR"},
		{"PATCH", up, accounts(`"Customer_ID__c":"x","Name":"n","Name":"m"`), 400, "JSON_PARSER_ERROR"},
		{"PATCH", up, accounts(`"Customer_ID__c":"x","Name":"n","Health_Score__c":"high"`), 400, "JSON_PARSER_ERROR"},
		{"PATCH", up, accounts(`"Customer_ID__c":"x","Name":"n","Health_Score_Last_Updated__c":"2024-01-15 10:30:00"`), 400, "JSON_PARSER_ERROR"},
		{"PATCH", up, `{"records":[`, 400, "JSON_PARSER_ERROR"},
		{"PATCH", up, good + " garbage", 400, "JSON_PARSER_ERROR"},
		{"PATCH", up, good + `{"a":1}`, 400, "JSON_PARSER_ERROR"},
		{"PATCH", up, good + "}", 400, "JSON_PARSER_ERROR"},
		{"POST", "sobjects/Account", `{"Name":"n"} garbage`, 400, "JSON_PARSER_ERROR"},
		{"POST", "sobjects/Account", `{"Name":"n"}{"a":1}`, 400, "JSON_PARSER_ERROR"},
		{"PATCH", "sobjects/Account/Customer_ID__c/x", `{"Name":"n","Id":null}`, 400, "INVALID_FIELD"},
		{"PATCH", "sobjects/Account/0015g0000000001AAA", `{"Name":"n","Id":""}`, 400, "INVALID_FIELD"},
		{"PATCH", up, accounts(`"Customer_ID__c":"x","Name":"n","Id":null`), 400, "INVALID_FIELD"},
		{"PATCH", up, accounts(`"Customer_ID__c":"x","Name":"n","Id":""`), 400, "INVALID_FIELD"},
		{"PATCH", up, strings.Replace(good, "false", `"true"`, 1), 400, "JSON_PARSER_ERROR"},
		{"PATCH", up, strings.Replace(good, "false", `"false"`, 1), 400, "JSON_PARSER_ERROR"},
		{"PATCH", up, strings.Replace(good, "false", "null", 1), 400, "JSON_PARSER_ERROR"},
		{"PATCH", up, `{"allOrNone":false}`, 400, "JSON_PARSER_ERROR"},
		{"PATCH", up, strings.Replace(accounts(`"Customer_ID__c":"x"`), "Account", "Contact", 1), 400, "INVALID_TYPE"},
		{"PATCH", up, `{"records":[{"Name":"n"}]}`, 400, "INVALID_INPUT"},
		{"PATCH", up, accounts(strings.Split(strings.Repeat(`"Name":"n";`, 200)+`"Name":"n"`, ";")...), 400, "EXCEEDED_ID_LIMIT"},
		{"PATCH", "composite/sobjects/Account/Website", accounts(`"Website":"x"`), 404, "NOT_FOUND"},
		{"PATCH", "composite/sobjects/Nope/Id", accounts(`"Website":"x"`), 404, "NOT_FOUND"},
		{"GET", "composite/sobjects", "", 405, "METHOD_NOT_ALLOWED"},
		{"PATCH", up, accounts(`"Customer_ID__c":"x","Name":"n","NumberOfEmployees":1.5`), 400, "JSON_PARSER_ERROR"},
		{"PATCH", up, accounts(`"Customer_ID__c":"x","Name":"n","NumberOfEmployees":1.0`), 400, "JSON_PARSER_ERROR"},
		{"PATCH", up, accounts(`"Customer_ID__c":"x","Name":"n","NumberOfEmployees":2147483648`), 400, "JSON_PARSER_ERROR"},
		{"GET", "sobjects/Nope/describe", "", 404, "NOT_FOUND"},
		{"GET", "query?q=SELECT+Id+FROM+Nope", "", 400, "INVALID_TYPE"},
	} {
		status, _, body := o.send(test.method, data+test.path, test.body)
		var got []struct{ ErrorCode, Message string }
		if err := json.Unmarshal([]byte(body), &got); err != nil || status != test.status || len(got) != 1 || got[0].ErrorCode != test.code || got[0].Message == "" {
			t.Errorf("%s %s %.80s: %d %s", test.method, test.path, test.body, status, body)
		}
	}
	if n := o.sim.Count("Account"); n != 0 {
		t.Errorf("%d accounts", n)
	}
}

func TestUpdateAndDelete(t *testing.T) {
	o := open(t, Options{})
	_, _, body := o.send("POST", data+"composite/sobjects", accounts(`"Name":"A"`, `"Name":"B"`, `"Name":"C"`))
	if strings.Count(body, `"success":true`) != 3 {
		t.Fatal(body)
	}
	if err := o.sim.Remove("Account", "0015g0000000003AAA"); err != nil {
		t.Fatal(err)
	}
	// An unchanged id, one of 15 characters, then: twice, unknown, deleted, malformed, absent.
	_, _, body = o.send("PATCH", data+"composite/sobjects", accounts(
		`"Id":"0015g0000000001AAA","Name":"A2"`, `"Id":"0015g0000000002","Phone":"1"`, `"Id":"0015g0000000001AAA","Name":"A3"`,
		`"Id":"0015g0000000009AAA","Name":"x"`, `"Id":"0015g0000000003AAA","Name":"x"`, `"Id":"003x","Name":"x"`, `"Name":"x"`))
	codes := regexp.MustCompile(`"success":true|"statusCode":"[A-Z_]+"`).FindAllString(body, -1)
	want := []string{`"statusCode":"DUPLICATE_VALUE"`, `"success":true`, `"statusCode":"DUPLICATE_VALUE"`, `"statusCode":"INVALID_CROSS_REFERENCE_KEY"`, `"statusCode":"ENTITY_IS_DELETED"`, `"statusCode":"MALFORMED_ID"`, `"statusCode":"MISSING_ARGUMENT"`}
	if diff := cmp.Diff(want, codes); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, body)
	}
	if got := o.query("SELECT Id, Name FROM Account"); got != "A|B" {
		t.Errorf("names %s", got)
	}
	_, _, body = o.send("DELETE", data+"composite/sobjects?allOrNone=false&ids=0015g0000000002AAA,0015g0000000003AAA", "")
	if !strings.Contains(body, `"success":true`) || !strings.Contains(body, "ENTITY_IS_DELETED") || o.sim.Count("Account") != 1 {
		t.Errorf("delete: %s", body)
	}
}
