package salesforce

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func seeded(t *testing.T, fields []string, rows ...[]string) *org {
	t.Helper()
	o := open(t, Options{})
	if err := o.sim.Seed("Account", fields, slices.Values(rows)); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestQuery(t *testing.T) {
	o := seeded(t, []string{"Name", "Website", "Health_Score__c", "Health_Contact_Email__c"},
		[]string{"Acme", "https://www.acmecorp.com/", "85.0", "a@acmecorp.com"},
		[]string{"ACME Australia", "acmecorp.com.au", "12", ""},
		[]string{"O'Brien & Söhne", "http://obrien_söhne.example", "", "b@obrien.example"},
		[]string{`Back\slash`, "", "85", ""},
		[]string{"100% Cotton", "cotton.example", "7.5", ""},
	)
	for soql, want := range map[string]string{
		`SELECT Id, Name FROM Account`:                                                                  `Acme|ACME Australia|O'Brien & Söhne|Back\slash|100% Cotton`,
		`select id, name from account where name = 'ACME'`:                                              `Acme`,
		`SELECT Id, Name FROM Account WHERE Website LIKE '%acmecorp.com%'`:                              `Acme|ACME Australia`,
		`SELECT Id, Name FROM Account WHERE Website LIKE '%ACMECORP.COM'`:                               ``,
		`SELECT Id, Name FROM Account WHERE Website LIKE 'acmecorp%'`:                                   `ACME Australia`,
		`SELECT Id, Name FROM Account WHERE Website LIKE '%o%'`:                                         `Acme|ACME Australia|O'Brien & Söhne|100% Cotton`,
		`SELECT Id, Name FROM Account WHERE Website LIKE '%obrien\_SÖHNE%'`:                             `O'Brien & Söhne`,
		`SELECT Id, Name FROM Account WHERE Website LIKE '%obrien_s_hne%'`:                              `O'Brien & Söhne`,
		`SELECT Id, Name FROM Account WHERE Website LIKE '%acme\_corp%'`:                                ``,
		`SELECT Id, Name FROM Account WHERE Name IN ('o\'brien & SÖHNE', 'back\\slash')`:                `O'Brien & Söhne|Back\slash`,
		`SELECT Id, Name FROM Account WHERE Name LIKE '100\%%'`:                                         `100% Cotton`,
		`SELECT Id, Name FROM Account WHERE Health_Score__c = 85`:                                       `Acme|Back\slash`,
		`SELECT Id, Name FROM Account WHERE Health_Score__c = null`:                                     `O'Brien & Söhne`,
		`SELECT Id, Name FROM Account WHERE Website != null AND Health_Score__c != 12`:                  `Acme|O'Brien & Söhne|100% Cotton`,
		`SELECT Id, Name FROM Account WHERE Name = 'acme' OR (Website LIKE '%com%' AND Name != 'Acme')`: `Acme|ACME Australia`,
		`SELECT Id, Name FROM Account WHERE Name NOT IN ('acme','100% cotton')`:                         `ACME Australia|O'Brien & Söhne|Back\slash`,
		`SELECT Id, Name FROM Account WHERE Id = '0015g0000000002AAA'`:                                  `ACME Australia`,
		`SELECT Id, Name FROM Account WHERE Id IN ('0015g0000000002','0035g0000000001AAA')`:             `ACME Australia`,
		`SELECT Id, Name FROM Account WHERE Id != '0015g0000000002AAA' AND Name LIKE 'a%'`:              `Acme`,
		`SELECT Id, Name FROM Account WHERE Health_Score__c IN (7.50, 12.0)`:                            `ACME Australia|100% Cotton`,
		`SELECT Id, Name FROM Account WHERE Health_Score__c != null ORDER BY Health_Score__c`:           `100% Cotton|ACME Australia|Acme|Back\slash`,
		`SELECT Id, Name FROM Account WHERE Website != null ORDER BY Name DESC LIMIT 1 OFFSET 1`:        `ACME Australia`,
		`SELECT Id, Name FROM Account OFFSET 2000`:                                                      ``,
		`SELECT Id, Name FROM Account WHERE Website != null ORDER BY Name DESC LIMIT 2`:                 `O'Brien & Söhne|ACME Australia`,
	} {
		if got := o.query(soql); got != want {
			t.Errorf("%s\n got %s\nwant %s", soql, got, want)
		}
	}
	if _, _, body := o.send("GET", data+"query?q="+url.QueryEscape("SELECT COUNT() FROM Account WHERE Website LIKE '%acme%'"), ""); body != `{"totalSize":2,"done":true,"records":[]}` {
		t.Errorf("count: %s", body)
	}
	wantRecord := `{"totalSize":1,"done":true,"records":[{"attributes":{"type":"Account","url":"/services/data/v62.0/sobjects/Account/0015g0000000001AAA"},"Id":"0015g0000000001AAA","Website":"https://www.acmecorp.com/","Health_Score__c":85.0,"Industry":null,"CreatedDate":"2026-03-01T12:00:00.000+0000"}]}`
	if _, _, body := o.send("GET", data+"query?q="+url.QueryEscape("SELECT Id, Website, Health_Score__c, Industry, CreatedDate FROM Account WHERE Name = 'Acme'"), ""); body != wantRecord {
		t.Errorf("record: %s", body)
	}
	for soql, code := range map[string]string{
		`SELECT Id FROM Account WHERE Name = 'a' OR Name = 'b' AND Name = 'c'`: "MALFORMED_QUERY",
		`SELECT Id FROM Account WHERE Name = 'a`:                               "MALFORMED_QUERY",
		`SELECT Id FROM Account WHERE Name = 'O'Brien'`:                        "MALFORMED_QUERY",
		`SELECT Id FROM Account WHERE Name = '\x'`:                             "MALFORMED_QUERY",
		`SELECT Id Name FROM Account`:                                          "MALFORMED_QUERY",
		`SELECT Id FROM Account WHERE Name ! 'a'`:                              "MALFORMED_QUERY",
		`SELECT Id FROM Account WHERE Name ! = 'a'`:                            "MALFORMED_QUERY",
		`SELECT Id FROM Account WHERE NumberOfEmployees = 1.5`:                 "INVALID_FIELD",
		`SELECT Id FROM Account WHERE NumberOfEmployees IN (1, 2147483648)`:    "INVALID_FIELD",
		`SELECT Id FROM Account WHERE NumberOfEmployees < -2147483649`:         "INVALID_FIELD",
		`SELECT Id FROM Account WHERE Nope = 'a'`:                              "INVALID_FIELD",
		`SELECT Id FROM Account WHERE Health_Score__c = 'a'`:                   "INVALID_FIELD",
		`SELECT Id FROM Account WHERE Name IN ()`:                              "INVALID_FIELD",
		`DELETE FROM Account`:                                                  "MALFORMED_QUERY",
		`SELECT Id FROM Account LIMIT x`:                                       "MALFORMED_QUERY",
		`SELECT Id, Name, id FROM Account`:                                     "INVALID_FIELD",
		`SELECT Id FROM Account WHERE Id IN ('0015g0000000001AAA','x')`:        "INVALID_QUERY_FILTER_OPERATOR",
		`SELECT Id FROM Account WHERE Id = ''`:                                 "INVALID_QUERY_FILTER_OPERATOR",
		`SELECT Id FROM Account WHERE Id = '0015g0000000001AAB'`:               "INVALID_QUERY_FILTER_OPERATOR",
		`SELECT Id FROM Contact WHERE AccountId = 'x'`:                         "INVALID_QUERY_FILTER_OPERATOR",
		`SELECT Id FROM Account WHERE Id LIKE '001%'`:                          "INVALID_FIELD",
		`SELECT Id FROM Account WHERE Description = 'x'`:                       "INVALID_FIELD",
	} {
		status, _, body := o.send("GET", data+"query?q="+url.QueryEscape(soql), "")
		if status != 400 || !strings.Contains(body, `"errorCode":"`+code+`"`) {
			t.Errorf("%s: %d %s", soql, status, body)
		}
	}
	for soql, fits := range map[string]bool{
		"Name = '" + strings.Repeat("x", 4000) + "'":                              true,
		"Name = '" + strings.Repeat("é", 4000) + "'":                              true,
		"Name = '" + strings.Repeat("x", 4001) + "'":                              false,
		"Name LIKE '%" + strings.Repeat("x", 4000) + "'":                          false,
		"Name IN ('a','" + strings.Repeat("😀", 2001) + "')":                       false,
		"Name IN ('" + strings.Repeat(strings.Repeat("x", 3990)+"','", 24) + "')": true,
		"Name IN ('" + strings.Repeat(strings.Repeat("x", 3990)+"','", 26) + "')": false,
	} {
		if _, refusal := o.sim.parse("SELECT Id FROM Account WHERE " + soql); (refusal == nil) != fits || !fits && refusal.code != "MALFORMED_QUERY" {
			t.Errorf("%.40s… of %d characters: %v", soql, len(soql), refusal)
		}
	}
}

func TestPages(t *testing.T) {
	o := open(t, Options{})
	err := o.sim.Seed("Account", []string{"Name"}, func(yield func([]string) bool) {
		for i := range 4500 {
			if !yield([]string{fmt.Sprintf("n%04d", i)}) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	path, names := data+"query?q=SELECT+Id,Name+FROM+Account", map[string]bool{}
	var sizes []int
	for path != "" {
		_, _, body := o.send("GET", path, "")
		var page struct {
			TotalSize      int
			Done           bool
			NextRecordsURL string `json:"nextRecordsUrl"`
			Records        []struct{ Name string }
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil || page.TotalSize != 4500 || page.Done != (page.NextRecordsURL == "") {
			t.Fatalf("%v %.200s", err, body)
		}
		for _, r := range page.Records {
			names[r.Name] = true
		}
		sizes = append(sizes, len(page.Records))
		path = page.NextRecordsURL
	}
	if !slices.Equal(sizes, []int{2000, 2000, 500}) || len(names) != 4500 {
		t.Errorf("pages %v, %d names", sizes, len(names))
	}
	if status, _, body := o.send("GET", data+"query/01g5g0999999999AAA-2000", ""); status != 400 || !strings.Contains(body, "INVALID_QUERY_LOCATOR") {
		t.Errorf("unknown cursor: %d %s", status, body)
	}
}

func TestComposite(t *testing.T) {
	o := seeded(t, []string{"Name"}, []string{"Acme"}, []string{"Other"})
	query := func(i int) string {
		return fmt.Sprintf(`{"method":"GET","url":"/services/data/v62.0/query?q=%s","referenceId":"q%d"}`, url.QueryEscape("SELECT Id FROM Account WHERE Name = 'acme'"), i)
	}
	parts := []string{query(0), `{"method":"GET","url":"/services/data/v62.0/query?q=SELECT","referenceId":"bad"}`,
		`{"method":"PATCH","url":"/services/data/v62.0/composite/sobjects","referenceId":"w","body":` + accounts(`"Id":"0015g0000000002AAA","Name":"Changed"`) + `}`}
	_, h, body := o.send("POST", data+"composite", `{"compositeRequest":[`+strings.Join(parts, ",")+`]}`)
	for _, want := range []string{
		`{"compositeResponse":[{"body":{"totalSize":1,"done":true,`, `"httpHeaders":{},"httpStatusCode":200,"referenceId":"q0"}`,
		`"errorCode":"MALFORMED_QUERY"}],"httpHeaders":{},"httpStatusCode":400,"referenceId":"bad"}`,
		`{"body":[{"id":"0015g0000000002AAA","success":true,"errors":[]}],"httpHeaders":{},"httpStatusCode":200,"referenceId":"w"}]}`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("lacks %s\n%s", want, body)
		}
	}
	if h.Get("Sforce-Limit-Info") != "api-usage=1/100000" {
		t.Errorf("a composite is one call: %s", h.Get("Sforce-Limit-Info"))
	}
	var many []string
	for i := range 6 {
		many = append(many, query(i))
	}
	if status, _, body := o.send("POST", data+"composite", `{"compositeRequest":[`+strings.Join(many, ",")+`]}`); status != 400 || !strings.Contains(body, "LIMIT_EXCEEDED") {
		t.Errorf("six queries: %d %s", status, body)
	}
}

func TestDateTime(t *testing.T) {
	for in, want := range map[string]string{
		"2024-01-15T10:30:00Z":             "2024-01-15T10:30:00.000+0000",
		"2024-01-15T10:30:00.5Z":           "2024-01-15T10:30:00.500+0000",
		"2024-01-15T10:30:00.123456+00:00": "2024-01-15T10:30:00.123+0000",
		"2024-02-29T23:30:00-0100":         "2024-03-01T00:30:00.000+0000",
		"2024-01-15T10:30:00.25+05:30":     "2024-01-15T05:00:00.250+0000",
		"2023-02-29T10:30:00Z":             "", "2024-01-15 10:30:00Z": "", "2024-01-15T10:30:00": "", "2024-01-15T25:30:00Z": "", "2024-01-15T10:30:00.Z": "",
	} {
		got, ok := appendDateTime(nil, []byte(in))
		if ok != (want != "") || ok && string(got) != want {
			t.Errorf("%s: %s %v, want %s", in, got, ok, want)
		}
	}
}

// FuzzParse wants every query to be answered or refused.
func FuzzParse(f *testing.F) {
	f.Add("SELECT Id FROM Account WHERE Name LIKE '%abcdefghi%' OR (Name = 'x' AND Website IN ('a','b'))")
	f.Add(`SELECT Id FROM Account WHERE Name LIKE '\%\_é%' ORDER BY Name LIMIT 3`)
	f.Add(`SELECT Id FROM Account WHERE Id IN ('0015g0000000001AAA') AND Health_Score__c != 85.0`)
	sim, err := New(Options{})
	if err != nil {
		f.Fatal(err)
	}
	if err := sim.Seed("Account", []string{"Name"}, slices.Values([][]string{{"abcdefghij"}})); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, soql string) {
		q, refusal := sim.parse(soql)
		if refusal == nil && len(q.run()) > 1 {
			t.Errorf("%q: more rows than there are", soql)
		}
	})
}
