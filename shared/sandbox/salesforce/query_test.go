package salesforce

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
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
		`SELECT Id FROM Account WHERE Nope = 'a'`:                              "INVALID_FIELD",
		`SELECT Id FROM Account WHERE Health_Score__c = 'a'`:                   "INVALID_FIELD",
		`SELECT Id FROM Account WHERE Name IN ()`:                              "INVALID_FIELD",
		`DELETE FROM Account`:                                                  "MALFORMED_QUERY",
		`SELECT Id FROM Account LIMIT x`:                                       "MALFORMED_QUERY",
	} {
		status, _, body := o.send("GET", data+"query?q="+url.QueryEscape(soql), "")
		if status != 400 || !strings.Contains(body, `"errorCode":"`+code+`"`) {
			t.Errorf("%s: %d %s", soql, status, body)
		}
	}
	if _, refusal := o.sim.parse("SELECT Id FROM Account WHERE Name = '" + strings.Repeat("x", 100_000) + "'"); refusal == nil || refusal.code != "MALFORMED_QUERY" {
		t.Errorf("a query over 100,000 characters: %v", refusal)
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

// TestLikeAgainstRegexp compares the index with a plain look at every row, while
// the field changes between queries.
func TestLikeAgainstRegexp(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	o := open(t, Options{})
	letters := []rune("abcABC.é_-")
	word := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteRune(letters[rng.IntN(len(letters))])
		}
		return b.String()
	}
	values := make([]string, 2000)
	for i := range values {
		values[i] = word(5 + rng.IntN(20))
	}
	err := o.sim.Seed("Account", []string{"Name"}, func(yield func([]string) bool) {
		for _, v := range values {
			if !yield([]string{v}) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	table := o.sim.tables["account"]
	column, _ := table.field("Name")
	for round := range 300 {
		for range 5 {
			row := rng.IntN(len(values))
			values[row] = word(5 + rng.IntN(20))
			table.set(row, column, []byte(values[row]))
		}
		source := []rune(values[rng.IntN(len(values))])
		from := rng.IntN(len(source))
		part := string(source[from : from+rng.IntN(len(source)-from)+1])
		pattern := "%" + strings.ReplaceAll(part, "_", `\_`) + "%"
		want := "(?is)^.*" + regexp.QuoteMeta(part) + ".*$"
		if rng.IntN(3) == 0 {
			pattern, want = "_"+pattern[1:], "(?is)^."+regexp.QuoteMeta(part)+".*$"
		}
		expected := regexp.MustCompile(want)
		var rows []uint32
		for i, v := range values {
			if expected.MatchString(v) {
				rows = append(rows, uint32(i))
			}
		}
		q, refusal := o.sim.parse("SELECT Id FROM Account WHERE Name LIKE '" + pattern + "'")
		if refusal != nil {
			t.Fatal(refusal)
		}
		if got := q.run(); !slices.Equal(got, rows) {
			t.Fatalf("round %d, pattern %q: %d rows, want %d", round, pattern, len(got), len(rows))
		}
		exact, refusal := o.sim.parse("SELECT Id FROM Account WHERE Name = '" + values[round] + "'")
		if refusal != nil {
			t.Fatal(refusal)
		}
		if got := exact.run(); !slices.Contains(got, uint32(round)) {
			t.Fatalf("round %d: %q is not found by equality", round, values[round])
		}
	}
	if table.columns[column].grams == nil {
		t.Error("the index was never used")
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

func TestRoundDecimal(t *testing.T) {
	for _, test := range []struct {
		in           string
		whole, scale int
		want         string
		verdict      int
	}{
		{"85", 4, 1, "85", 0}, {"85.0", 4, 1, "85.0", 0}, {"85.05", 4, 1, "85.1", 0}, {"85.04", 4, 1, "85.0", 0},
		{"-85.05", 4, 1, "-85.1", 0}, {"9999.95", 4, 1, "", decimalTooLarge}, {"9999.94", 4, 1, "9999.9", 0},
		{"10000", 4, 1, "", decimalTooLarge}, {"00001", 4, 1, "00001", 0}, {"1e3", 4, 1, "1000", 0}, {"1E-1", 4, 1, "0.1", 0},
		{"1e4", 4, 1, "", decimalTooLarge}, {"5e-2", 4, 1, "0.1", 0}, {"-0.04", 4, 1, "0.0", 0}, {"0.5", 1, 0, "1", 0},
		{"9007199254740993", 18, 0, "9007199254740993", 0}, {"abc", 4, 1, "", decimalBad}, {"", 4, 1, "", decimalBad}, {"1.2.3", 4, 1, "", decimalBad},
	} {
		got, verdict := roundDecimal(nil, []byte(test.in), test.whole, test.scale)
		if got == nil && verdict == decimalFits {
			got = []byte(test.in)
		}
		if verdict != test.verdict || string(got) != test.want {
			t.Errorf("%s (%d.%d): %s %d, want %s %d", test.in, test.whole, test.scale, got, verdict, test.want, test.verdict)
		}
		if verdict == decimalFits && string(got) == test.in != fitsPlainly([]byte(test.in), test.whole, test.scale) && test.in != "00001" {
			t.Errorf("%s: the short cut disagrees", test.in)
		}
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

// FuzzParse wants every query to be answered or refused, and no match of LIKE to
// depend on the index.
func FuzzParse(f *testing.F) {
	f.Add("SELECT Id FROM Account WHERE Name LIKE '%abcdefghi%' OR (Name = 'x' AND Website IN ('a','b'))", "abcdefghijk")
	f.Add(`SELECT Id FROM Account WHERE Name LIKE '\%\_é%' ORDER BY Name LIMIT 3`, "%_é")
	f.Fuzz(func(t *testing.T, soql, value string) {
		if !utf8.ValidString(value) || len(value) > 200 {
			return
		}
		sim, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		table := sim.tables["account"]
		column, _ := table.field("Name")
		table.set(table.add(noon), column, []byte(value))
		q, refusal := sim.parse(soql)
		if refusal != nil {
			return
		}
		indexed := q.run()
		if c := q.where; c != nil && c.op == "LIKE" && c.field == column && q.limit < 0 && !q.count {
			plain := value != "" && likeMatch(c.values[0], appendFold(nil, []byte(value)))
			if plain != (len(indexed) == 1) {
				t.Errorf("%q on %q: index %v, plain %v", soql, value, indexed, plain)
			}
		}
	})
}
