package salesforce

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestSingleRecords holds the resources of one record, in order: what each answers,
// and what it refuses.
func TestSingleRecords(t *testing.T) {
	o := open(t, Options{})
	const (
		first  = "0015g0000000001AAA"
		second = "0015g0000000002AAA"
		absent = "0015g0000000009AAA"
		other  = "0035g0000000001AAA"
	)
	accounts := data + "sobjects/Account"
	byKey := accounts + "/Customer_ID__c/"
	for _, test := range []struct {
		method, path, body string
		status             int
		want               string // the whole answer, or its beginning up to "…"
	}{
		{"POST", accounts, `{"Name":"One","Customer_ID__c":"a/b c"}`, 201, `{"id":"` + first + `","success":true,"errors":[]}`},
		{"POST", accounts + "/", `{"attributes":{"type":"Account"},"Name":"Two"}`, 201, `{"id":"` + second + `","success":true,"errors":[]}`},
		{"POST", accounts, `{"Phone":"1"}`, 400, `[{"message":"Required fields are missing: [Name]","errorCode":"REQUIRED_FIELD_MISSING","fields":["Name"]}]`},
		{"POST", accounts, `{"Id":"` + first + `","Name":"x"}`, 400, `[{"message":"cannot specify Id in an insert call","errorCode":"INVALID_FIELD_FOR_INSERT_UPDATE","fields":["Id"]}]`},
		{"POST", accounts, `{"Name":"x","Customer_ID__c":"A/B C"}`, 400, `[{"message":"duplicate value found: Customer_ID__c duplicates value on record with id: ` + first + `","errorCode":"DUPLICATE_VALUE","fields":["Customer_ID__c"]}]`},
		{"POST", accounts, `{"Nope":"x"}`, 400, `[{"message":"No such column 'Nope' on sobject of type Account","errorCode":"INVALID_FIELD"}]`},
		{"POST", accounts, `{"attributes":{"type":"Contact"},"Name":"x"}`, 400, `[{"message":"sObject type 'Contact' is not supported.","errorCode":"INVALID_TYPE"}]`},
		{"POST", accounts, `[]`, 400, `[{"message":"…`},
		{"POST", accounts, `{"Name":`, 400, `[{"message":"…`},
		{"POST", data + "sobjects/Nope", `{"Name":"x"}`, 404, `[{"message":"The requested resource does not exist","errorCode":"NOT_FOUND"}]`},
		{"PATCH", accounts, `{}`, 405, `[{"message":"HTTP Method 'PATCH' not allowed. Allowed are HEAD,GET,POST","errorCode":"METHOD_NOT_ALLOWED"}]`},
		{"POST", accounts + "/" + first, `{}`, 405, `[{"message":"HTTP Method 'POST' not allowed…`},

		{"PATCH", accounts + "/" + first, `{"Phone":"44"}`, 204, ""},
		{"PATCH", accounts + "/" + first[:15], `{"Phone":"45"}`, 204, ""},
		{"PATCH", accounts + "/" + first, `{"Id":"` + first + `"}`, 400, `[{"message":"The Id field should not be specified in the sobject data.","errorCode":"INVALID_FIELD"}]`},
		{"PATCH", accounts + "/" + first, `{"Health_Contact_Email__c":"nobody"}`, 400, `[{"message":"Health Contact Email: invalid email address: nobody","errorCode":"INVALID_EMAIL_ADDRESS","fields":["Health_Contact_Email__c"]}]`},
		{"PATCH", accounts + "/" + absent, `{"Phone":"44"}`, 404, `[{"message":"invalid cross reference id","errorCode":"INVALID_CROSS_REFERENCE_KEY","fields":[]}]`},
		{"PATCH", accounts + "/" + other, `{"Phone":"44"}`, 400, `[{"message":"Account ID: id value of incorrect type: ` + other + `","errorCode":"MALFORMED_ID","fields":["Id"]}]`},
		{"PATCH", accounts + "/x", `{"Phone":"44"}`, 404, `[{"message":"Provided external ID field does not exist or is not accessible: x","errorCode":"NOT_FOUND"}]`},

		{"GET", accounts + "/" + first + "?fields=Name,phone,Industry", "", 200, `{"attributes":{"type":"Account","url":"/services/data/v62.0/sobjects/Account/` + first + `"},"Name":"One","Phone":"45","Industry":null}`},
		{"GET", accounts + "/" + first + "?fields=Nope", "", 400, `[{"message":"No such column 'Nope' on sobject of type Account","errorCode":"INVALID_FIELD"}]`},
		{"GET", accounts + "/" + first, "", 200, `{"attributes":{"type":"Account","url":"/services/data/v62.0/sobjects/Account/` + first + `"},"Id":"` + first + `","CreatedDate":"2026-03-01T12:00:00.000+0000",…`},
		{"GET", byKey + "a%2Fb%20C?fields=Id", "", 200, `{"attributes":{"type":"Account","url":"/services/data/v62.0/sobjects/Account/` + first + `"},"Id":"` + first + `"}`},
		{"GET", byKey + "none", "", 404, `[{"message":"The requested resource does not exist","errorCode":"NOT_FOUND"}]`},
		{"GET", accounts + "/" + absent, "", 404, `[{"message":"The requested resource does not exist","errorCode":"NOT_FOUND"}]`},
		{"GET", accounts + "/Website/x", "", 404, `[{"message":"Provided external ID field does not exist or is not accessible: Website","errorCode":"NOT_FOUND"}]`},
		{"GET", byKey + "a/b", "", 404, `[{"message":"The requested resource does not exist","errorCode":"NOT_FOUND"}]`},

		{"PATCH", byKey + "A%2fB%20c", `{"Name":"Uno"}`, 200, `{"id":"` + first + `","success":true,"errors":[],"created":false}`},
		{"PATCH", byKey + "new", `{"Name":"Three"}`, 201, `{"id":"0015g0000000003AAA","success":true,"errors":[],"created":true}`},
		{"PATCH", byKey + "newer", `{"Phone":"1"}`, 400, `[{"message":"Required fields are missing: [Name]","errorCode":"REQUIRED_FIELD_MISSING","fields":["Name"]}]`},
		{"PATCH", byKey + "new", `{"Name":"x","Customer_ID__c":"new"}`, 400, `[{"message":"The Customer_ID__c field should not be specified in the sobject data.","errorCode":"INVALID_FIELD"}]`},
		{"PATCH", byKey + strings.Repeat("x", 256), `{"Name":"x"}`, 400, `[{"message":"Customer ID: data value too large: …`},

		{"DELETE", accounts + "/" + second, "", 204, ""},
		{"DELETE", accounts + "/" + second, "", 404, `[{"message":"entity is deleted","errorCode":"ENTITY_IS_DELETED","fields":[]}]`},
		{"GET", accounts + "/" + second, "", 404, `[{"message":"entity is deleted","errorCode":"ENTITY_IS_DELETED","fields":[]}]`},
		{"PATCH", accounts + "/" + second, `{"Name":"x"}`, 404, `[{"message":"entity is deleted","errorCode":"ENTITY_IS_DELETED","fields":[]}]`},
		{"DELETE", accounts + "/" + absent, "", 404, `[{"message":"invalid cross reference id","errorCode":"INVALID_CROSS_REFERENCE_KEY","fields":[]}]`},
		{"DELETE", accounts + "/" + other, "", 400, `[{"message":"Account ID: id value of incorrect type: …`},
		{"DELETE", byKey + "new", "", 204, ""},
		{"DELETE", byKey + "new", "", 404, `[{"message":"The requested resource does not exist","errorCode":"NOT_FOUND"}]`},
		{"GET", accounts + "/" + first + "/Name/x", "", 404, `[{"message":"The requested resource does not exist","errorCode":"NOT_FOUND"}]`},
	} {
		status, _, body := o.send(test.method, test.path, test.body)
		begin, open := strings.CutSuffix(test.want, "…")
		if status != test.status || !open && body != test.want || !strings.HasPrefix(body, begin) {
			t.Errorf("%s %s %s: %d %s", test.method, test.path, test.body, status, body)
		}
	}
	if n := o.sim.Count("Account"); n != 1 {
		t.Errorf("%d accounts", n)
	}
}

// TestSeveralByExternalID wants the addresses of all records that a value finds, and
// nothing written.
func TestSeveralByExternalID(t *testing.T) {
	schema := DefaultSchema()
	for i := range schema[0].Fields {
		if f := &schema[0].Fields[i]; f.Name == "Customer_ID__c" {
			f.Unique = false
		}
	}
	o := open(t, Options{Schema: schema})
	for range 2 {
		o.send("POST", data+"sobjects/Account", `{"Name":"x","Customer_ID__c":"c1"}`)
	}
	want := `["/services/data/v62.0/sobjects/Account/0015g0000000001AAA","/services/data/v62.0/sobjects/Account/0015g0000000002AAA"]`
	for _, method := range []string{"GET", "PATCH", "DELETE"} {
		if status, _, body := o.send(method, data+"sobjects/Account/Customer_ID__c/c1", `{"Name":"y"}`); status != http.StatusMultipleChoices || body != want {
			t.Errorf("%s: %d %s", method, status, body)
		}
	}
	if got := o.query("SELECT Id, Name FROM Account"); got != "x|x" {
		t.Error(got)
	}
}

// TestSingleAccess wants what the user may not change to stay, by every road, and what it
// may not see not to be shown.
func TestSingleAccess(t *testing.T) {
	schema := DefaultSchema()
	schema[0].Access = AccessRead
	for i := range schema[0].Fields {
		if f := &schema[0].Fields[i]; f.Name == "Phone" {
			f.Access = AccessNone
		}
	}
	o := open(t, Options{Schema: schema})
	if err := o.sim.Seed("Account", []string{"Name"}, slices.Values([][]string{{"One"}})); err != nil {
		t.Fatal(err)
	}
	first := data + "sobjects/Account/0015g0000000001AAA"
	for method, body := range map[string]string{"PATCH": `{"Name":"y"}`, "DELETE": ""} {
		if status, _, got := o.send(method, first, body); status != 400 || !strings.Contains(got, "INSUFFICIENT_ACCESS_OR_READONLY") {
			t.Errorf("%s: %d %s", method, status, got)
		}
	}
	if status, _, got := o.send("GET", first, ""); status != 200 || !strings.Contains(got, `"Name":"One"`) || strings.Contains(got, "Phone") {
		t.Errorf("%d %s", status, got)
	}
}

// TestSingleFaults wants armed faults of a record to reach it by every road.
func TestSingleFaults(t *testing.T) {
	o := seeded(t, []string{"Name"}, []string{"One"})
	o.send("POST", "/_sandbox/faults", `{"fail_records":["0015g0000000001AAA"],"code":"UNABLE_TO_LOCK_ROW","count":-1}`)
	want := `[{"message":"unable to obtain exclusive access to this record","errorCode":"UNABLE_TO_LOCK_ROW","fields":[]}]`
	for _, method := range []string{"PATCH", "DELETE"} {
		if status, _, body := o.send(method, data+"sobjects/Account/0015g0000000001", `{"Phone":"1"}`); status != 400 || body != want {
			t.Errorf("%s: %d %s", method, status, body)
		}
	}
	_, _, calls := o.send("GET", "/_sandbox/calls", "")
	if !strings.Contains(calls, `"PATCH /sobjects/Account/ID":1`) {
		t.Error(calls)
	}
}

func TestRetrieve(t *testing.T) {
	o := seeded(t, []string{"Name"}, []string{"One"}, []string{"Two"})
	several := data + "composite/sobjects/Account"
	one := `{"attributes":{"type":"Account","url":"/services/data/v62.0/sobjects/Account/0015g0000000002AAA"},"Name":"Two"}`
	for _, test := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", several + "?ids=0015g0000000002,0015g0000000009AAA&fields=Name", "", 200, "[" + one + ",null]"},
		{"POST", several, `{"ids":["0015g0000000009AAA","0015g0000000002AAA"],"fields":["Name"]}`, 200, "[null," + one + "]"},
		{"POST", several, `{"ids":["x"],"fields":["Name"]}`, 400, `[{"message":"malformed id x","errorCode":"MALFORMED_ID"}]`},
		{"POST", several, `{"ids":["0015g0000000002AAA"]}`, 400, `[{"message":"The ids and the fields are required","errorCode":"MISSING_ARGUMENT"}]`},
		{"POST", data + "composite/sobjects/Nope", `{"ids":["x"],"fields":["Name"]}`, 404, `[{"message":"The requested resource does not exist","errorCode":"NOT_FOUND"}]`},
	} {
		if status, _, body := o.send(test.method, test.path, test.body); status != test.status || body != test.want {
			t.Errorf("%s %s %s: %d %s", test.method, test.path, test.body, status, body)
		}
	}
}

// TestDeleteTogether wants no deletion that would have to be rolled back.
func TestDeleteTogether(t *testing.T) {
	o := seeded(t, []string{"Name"}, []string{"One"})
	if status, _, body := o.send("DELETE", data+"composite/sobjects?ids=0015g0000000001AAA&allOrNone=true", ""); status != 400 || !strings.Contains(body, "NOT_SUPPORTED") || o.sim.Count("Account") != 1 {
		t.Errorf("%d %s", status, body)
	}
}

// TestOrganisation holds what clients read first.
func TestOrganisation(t *testing.T) {
	o := open(t, Options{OrgID: "00D000000000002EAA"})
	for path, want := range map[string]string{
		data + "sobjects":                   `{"encoding":"UTF-8","maxBatchSize":200,"sobjects":[{"activateable":false,`,
		data + "sobjects/":                  `{"encoding":"UTF-8","maxBatchSize":200,"sobjects":[{"activateable":false,`,
		data + "sobjects/contact":           `{"objectDescribe":{"activateable":false,`,
		data + "sobjects/Account/describe/": `{"activateable":false,`,
		data + "limits/":                    `{"DailyApiRequests":{"Max":100000,"Remaining":`,
		"/services/data/v62.0":              `{"sobjects":"/services/data/v62.0/sobjects",`,
		"/id/00D000000000002EAA/0055g0000000001AAA?format=json": `{"asserted_user":true,"id":"` + o.url + `/id/00D000000000002EAA/0055g0000000001AAA","user_id":"0055g0000000001AAA","organization_id":"00D000000000002EAA","username":"`,
	} {
		if status, _, body := o.send("GET", path, ""); status != 200 || !strings.HasPrefix(body, want) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	_, _, body := o.send("GET", data+"sobjects", "")
	if strings.Count(body, `"keyPrefix":`) != 2 || !strings.Contains(body, `"urls":{"describe":"/services/data/v62.0/sobjects/Contact/describe","rowTemplate":"/services/data/v62.0/sobjects/Contact/{ID}","sobject":"/services/data/v62.0/sobjects/Contact"}`) {
		t.Error(body)
	}
	if status, _, body := o.send("POST", data+"sobjects", "{}"); status != 405 {
		t.Errorf("POST sobjects: %d %s", status, body)
	}
}
