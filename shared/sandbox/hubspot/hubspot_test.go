package hubspot_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/sandbox/hubspot"
)

// An api is a simulator with its clock.
type api struct {
	*hubspot.Server
	t    *testing.T
	now  time.Time
	kind string // Content-Type of its bodies
}

func start(t *testing.T, opts hubspot.Options) *api {
	t.Helper()
	a := &api{t: t, kind: "application/json", now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	opts.Token, opts.Now = "pat", func() time.Time { return a.now }
	var err error
	if a.Server, err = hubspot.New(opts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

// call makes a request and answers status and body.
func (a *api) call(method, path, body string) (int, string) {
	a.t.Helper()
	r := httptest.NewRequest(method, "http://127.0.0.1"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer pat")
	if body != "" {
		r.Header.Set("Content-Type", a.kind)
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	b, err := io.ReadAll(w.Body)
	if err != nil || len(b) > 0 && !json.Valid(b) {
		a.t.Fatalf("%s %s: %v, %s", method, path, err, b)
	}
	return w.Code, string(b)
}

const contacts = "/crm/objects/2026-09/contacts"

func upsert(trace, id, properties string) string {
	return fmt.Sprintf(`{"id":%q,"idProperty":"email","objectWriteTraceId":%q,"properties":{%s}}`, id, trace, properties)
}

func inputs(list ...string) string { return `{"inputs":[` + strings.Join(list, ",") + `]}` }

// What the vendor refuses, and how: the whole call, or one of its records.
func TestStrict(t *testing.T) {
	many := make([]string, 101)
	for i := range many {
		many[i] = upsert(fmt.Sprint(i), fmt.Sprintf("p%d@example.com", i), "")
	}
	for name, c := range map[string]struct {
		path, body string
		status     int
		says       string
	}{
		"a number":         {"/batch/upsert", inputs(upsert("0", "a@b.example", `"ltv_usd":12`)), 400, "java.lang.String"},
		"null":             {"/batch/upsert", inputs(upsert("0", "a@b.example", `"ltv_usd":null`)), 400, "java.lang.String"},
		"commas":           {"/batch/upsert", inputs(upsert("0", "a@b.example", `"ltv_usd":"1,200.50"`)), 207, "INVALID_INTEGER"},
		"no boolean":       {"/batch/upsert", inputs(upsert("0", "a@b.example", `"is_customer":"yes"`)), 207, "INVALID_OPTION"},
		"a label":          {"/batch/upsert", inputs(upsert("0", "a@b.example", `"ltv_segment":"High"`)), 207, "INVALID_OPTION"},
		"several options":  {"/batch/upsert", inputs(upsert("0", "a@b.example", `"interests":"sql;etl"`)), 200, `"sql;etl"`},
		"no such option":   {"/batch/upsert", inputs(upsert("0", "a@b.example", `"interests":"sql;tea"`)), 207, "INVALID_OPTION"},
		"a time of day":    {"/batch/upsert", inputs(upsert("0", "a@b.example", `"renewal_date":"1772366400001"`)), 207, "INVALID_DATE"},
		"midnight":         {"/batch/upsert", inputs(upsert("0", "a@b.example", `"renewal_date":"1772323200000"`)), 200, `"2026-03-01"`},
		"a datetime":       {"/batch/upsert", inputs(upsert("0", "a@b.example", `"renewal_date":"2026-03-01T10:00:00Z"`)), 207, "INVALID_DATE"},
		"no address":       {"/batch/upsert", inputs(upsert("0", "nobody", "")), 207, "INVALID_EMAIL"},
		"a long text":      {"/batch/upsert", inputs(upsert("0", "a@b.example", `"firstname":"`+strings.Repeat("x", 65_537)+`"`)), 207, "STRING_TOO_LONG"},
		"no property":      {"/batch/upsert", inputs(upsert("0", "a@b.example", `"nope":"x"`)), 400, "PROPERTY_DOESNT_EXIST"},
		"read-only":        {"/batch/upsert", inputs(upsert("0", "a@b.example", `"createdate":"x"`)), 400, "READ_ONLY_VALUE"},
		"one id twice":     {"/batch/upsert", inputs(upsert("0", "a@b.example", ""), upsert("1", "A@B.example", "")), 400, "Duplicate IDs"},
		"101":              {"/batch/upsert", inputs(many...), 400, "maximum batch size"},
		"by hs_object_id":  {"/batch/upsert", `{"inputs":[{"id":"1","idProperty":"hs_object_id","properties":{}}]}`, 400, "non-unique 0-1 property hs_object_id"},
		"update by email":  {"/batch/update", inputs(upsert("0", "a@b.example", "")), 400, "non-unique 0-1 property email"},
		"by no property":   {"/batch/upsert", `{"inputs":[{"id":"1","properties":{}}]}`, 400, "non-unique"},
		"no inputs":        {"/batch/upsert", `{}`, 400, "inputs"},
		"gone":             {"/batch/update", `{"inputs":[{"id":"7","objectWriteTraceId":"0","properties":{}}]}`, 207, "OBJECT_NOT_FOUND"},
		"untraced":         {"/batch/upsert", `{"inputs":[{"id":"a@b.example","idProperty":"email","properties":{"ltv_segment":"x"}}]}`, 400, "INVALID_OPTION"},
		"without a record": {"/batch/read", `{"idProperty":"email","inputs":[{"id":"a@b.example"}],"properties":[],"propertiesWithHistory":[]}`, 207, "OBJECT_NOT_FOUND"},
		"no properties":    {"/batch/upsert", `{"inputs":[{"id":"a@b.example","idProperty":"email","objectWriteTraceId":"0"}]}`, 400, "[properties]"},
		"null properties":  {"/batch/create", `{"inputs":[{"objectWriteTraceId":"0","properties":null}]}`, 400, "[properties]"},
		"no changes":       {"/batch/update", `{"inputs":[{"id":"7","objectWriteTraceId":"0"}]}`, 400, "[properties]"},
		"one, none":        {"", `{"properties":null}`, 400, "[properties]"},
		"read nothing":     {"/batch/read", `{"inputs":[{"id":"7"}]}`, 400, "propertiesWithHistory"},
		"without history":  {"/batch/read", `{"inputs":[{"id":"7"}],"properties":[]}`, 400, "propertiesWithHistory"},
		"null to be read":  {"/batch/read", `{"inputs":[{"id":"7"}],"properties":null,"propertiesWithHistory":[]}`, 400, "propertiesWithHistory"},
		"too deep":         {"/search", `{"limit":200,"after":"9900"}`, 400, "10000"},
	} {
		if status, body := start(t, hubspot.Options{}).call("POST", contacts+c.path, c.body); status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d %.300s", name, status, body)
		}
	}
	if status, body := start(t, hubspot.Options{}).call("GET", "/crm/objects/2026-09/starships", ""); status != 400 || !strings.Contains(body, "infer object type") {
		t.Errorf("no object: %d %s", status, body)
	}
}

// Outer white space belongs to a text, and an address with some is none; of other values
// it is taken away.
func TestWhiteSpace(t *testing.T) {
	a := start(t, hubspot.Options{})
	if _, err := a.Seed("contacts", slices.Values([]map[string]string{{"email": "a@b.example", "customer_id": "c-1"}})); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path, body string
		status     int
		says       string
	}{
		{"/batch/upsert", inputs(upsert("0", "  a@b.example ", "")), 207, "INVALID_EMAIL"},
		{"/batch/upsert", inputs(upsert("0", "a@b.example", `"email":"  d@b.example "`)), 207, "INVALID_EMAIL"},
		{"/batch/upsert", `{"inputs":[{"id":" c-1","idProperty":"customer_id","objectWriteTraceId":"0","properties":{}}]}`, 200, `"new":true`},
		{"/batch/upsert", `{"inputs":[{"id":" c-1","idProperty":"customer_id","objectWriteTraceId":"0","properties":{}},{"id":"C-1","idProperty":"customer_id","objectWriteTraceId":"1","properties":{}}]}`, 200, `"new":false`},
		{"/batch/read", `{"idProperty":"email","inputs":[{"id":" a@b.example"}],"properties":[],"propertiesWithHistory":[]}`, 207, "OBJECT_NOT_FOUND"},
		{"/batch/upsert", inputs(upsert("0", "a@b.example", `"ltv_usd":" 12 "`)), 200, `"ltv_usd":"12"`},
		{"/batch/upsert", inputs(upsert("0", "a@b.example", `"is_customer":" true\t"`)), 200, `"is_customer":"true"`},
		{"/batch/upsert", inputs(upsert("0", "a@b.example", `"ltv_segment":" high"`)), 200, `"ltv_segment":"high"`},
		{"/batch/upsert", inputs(upsert("0", "a@b.example", `"interests":" sql;etl "`)), 200, `"interests":"sql;etl"`},
		{"/batch/upsert", inputs(upsert("0", "a@b.example", `"renewal_date":" 2026-01-01\n"`)), 200, `"renewal_date":"2026-01-01"`},
		{"/batch/upsert", inputs(upsert("0", "a@b.example", `"last_seen":" 2026-01-01T00:00:00Z"`)), 200, `"last_seen":"2026-01-01T00:00:00.000Z"`},
		{"/batch/upsert", inputs(upsert("0", "a@b.example", `"firstname":" Ann "`)), 200, `"firstname":" Ann "`},
		{"/batch/upsert", inputs(upsert("0", "a@b.example", `"ltv_usd":" "`)), 207, "INVALID_INTEGER"},
		{"/batch/upsert", inputs(upsert("0", "a@b.example", `"ltv_usd":"1 2"`)), 207, "INVALID_INTEGER"},
	} {
		if status, body := a.call("POST", contacts+c.path, c.body); status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d %s", c.body, status, body)
		}
	}
}

// What a search refuses, and what it compares.
func TestSearch(t *testing.T) {
	filters := func(n int, filter string) string {
		return `{"filters":[` + strings.TrimSuffix(strings.Repeat(filter+",", n), ",") + `]}`
	}
	groups := func(list ...string) string { return `{"filterGroups":[` + strings.Join(list, ",") + `]}` }
	one := func(property, rest string) string {
		return groups(filters(1, fmt.Sprintf(`{"propertyName":%q,%s}`, property, rest)))
	}
	const has = `{"propertyName":"email","operator":"HAS_PROPERTY"}`
	for name, c := range map[string]struct {
		body   string
		status int
		says   string
	}{
		"unknown operator":    {one("email", `"operator":"LIKE","value":"a"`), 400, "LIKE"},
		"no operator":         {one("email", `"value":"a"`), 400, "Operator"},
		"lower case":          {one("email", `"operator":"eq","value":"a"`), 400, "eq"},
		"no value":            {one("email", `"operator":"EQ"`), 400, "requires"},
		"empty value":         {one("email", `"operator":"NEQ","value":""`), 400, "requires"},
		"no token":            {one("email", `"operator":"CONTAINS_TOKEN"`), 400, "requires"},
		"no values":           {one("email", `"operator":"IN"`), 400, "requires"},
		"empty values":        {one("email", `"operator":"NOT_IN","values":[]`), 400, "requires"},
		"a value for values":  {one("email", `"operator":"IN","value":"a@b.example"`), 400, "requires"},
		"no end":              {one("ltv_usd", `"operator":"BETWEEN","value":"1"`), 400, "requires"},
		"no number":           {one("ltv_usd", `"operator":"LT","value":"abc"`), 400, "type"},
		"a number among":      {one("ltv_usd", `"operator":"IN","values":["1","x"]`), 400, "type"},
		"no boolean":          {one("is_customer", `"operator":"EQ","value":"yes"`), 400, "type"},
		"no date":             {one("renewal_date", `"operator":"GTE","value":"soon"`), 400, "type"},
		"no property":         {one("nope", `"operator":"EQ","value":"a"`), 400, "nope"},
		"eleven in a group":   {groups(filters(11, has)), 400, "10 filters"},
		"twenty-six in all":   {groups(filters(10, has), filters(10, has), filters(6, has)), 400, "25 filters"},
		"six groups":          {groups(filters(1, has), filters(1, has), filters(1, has), filters(1, has), filters(1, has), filters(1, has)), 400, "5 filterGroups"},
		"a long query":        {`{"query":"` + strings.Repeat("é", 3001) + `"}`, 400, "3000"},
		"the longest query":   {`{"query":"` + strings.Repeat("é", 3000) + `"}`, 200, `"total":0`},
		"twenty-five":         {groups(filters(10, has), filters(10, has), filters(5, has)), 200, `"total":1`},
		"a number":            {one("ltv_usd", `"operator":"EQ","value":" 12.0"`), 200, `"total":1`},
		"a day":               {one("renewal_date", `"operator":"EQ","value":"2026-03-01"`), 200, `"total":1`},
		"a day, in ms":        {one("renewal_date", `"operator":"EQ","value":"1772323200000"`), 200, `"total":1`},
		"a time of that day":  {one("renewal_date", `"operator":"LT","value":"1772323200001"`), 200, `"total":1`},
		"an instant":          {one("last_seen", `"operator":"BETWEEN","value":"1772366400000","highValue":"2026-03-01T12:00:00Z"`), 200, `"total":1`},
		"absent, of a number": {one("health_score", `"operator":"NOT_HAS_PROPERTY"`), 200, `"total":1`},
	} {
		a := start(t, hubspot.Options{})
		if status, body := a.call("POST", contacts, `{"properties":{"email":"a@b.example","ltv_usd":"12","renewal_date":"2026-03-01","last_seen":"2026-03-01T12:00:00Z"}}`); status != 201 {
			t.Fatal(body)
		}
		status, body := a.call("POST", contacts+"/search", c.body)
		if status != c.status || !strings.Contains(body, c.says) || status == 400 && !strings.Contains(body, `"category":"VALIDATION_ERROR"`) {
			t.Errorf("%s: %d %.300s", name, status, body)
		}
	}
}

// A body is JSON, and says so.
func TestContentType(t *testing.T) {
	a := start(t, hubspot.Options{})
	for kind, want := range map[string]int{
		"application/json": 200, "Application/JSON; charset=utf-8": 200, "": 415, "text/plain": 415, "application/x-www-form-urlencoded": 415, "application/jsonp": 415,
	} {
		a.kind = kind
		if status, body := a.call("POST", contacts+"/batch/upsert", inputs(upsert("0", "a@b.example", ""))); status != want {
			t.Errorf("%q: %d %s", kind, status, body)
		}
		if status, body := a.call("GET", contacts, ""); status != 200 {
			t.Errorf("%q, without a body: %d %s", kind, status, body)
		}
	}
}

// One clash leaves the others written where inputs have trace ids, and nothing where
// they have none or the account fails whole batches.
func TestClash(t *testing.T) {
	bodies := map[bool]string{
		true:  inputs(upsert("a", "x@example.com", `"customer_id":"C-1"`), upsert("b", "y@example.com", `"customer_id":"c-1"`), upsert("c", "z@example.com", "")),
		false: strings.ReplaceAll(inputs(upsert("a", "x@example.com", `"customer_id":"C-1"`), upsert("a", "y@example.com", `"customer_id":"c-1"`)), `"objectWriteTraceId":"a",`, ""),
	}
	for _, c := range []struct {
		whole, traced bool
		status, count int
	}{{false, true, 207, 2}, {true, true, 409, 0}, {false, false, 409, 0}} {
		a := start(t, hubspot.Options{WholeBatch: c.whole})
		status, body := a.call("POST", contacts+"/batch/upsert", bodies[c.traced])
		if status != c.status || a.Count("contacts") != c.count || !strings.Contains(body, "CONFLICT") {
			t.Errorf("%+v: %d, %d contacts, %s", c, status, a.Count("contacts"), body)
		}
		if status == 207 && !strings.Contains(body, `"objectWriteTraceId":["b"]`) {
			t.Error(body)
		}
	}
}

// A unique number is compared as one, in a batch and with what is there; an exponent makes
// no number of an id.
func TestUniqueNumber(t *testing.T) {
	schema := hubspot.DefaultSchema()
	schema[0].Properties = append(schema[0].Properties, hubspot.Property{Name: "account_no", Type: "number", FieldType: "number", Unique: true})
	a := start(t, hubspot.Options{Schema: schema})
	one := func(trace, id string) string {
		return fmt.Sprintf(`{"id":%q,"idProperty":"account_no","objectWriteTraceId":%q,"properties":{"firstname":%q}}`, id, trace, id)
	}
	for _, c := range []struct {
		path, body string
		status     int
		says       string
	}{
		{"/batch/upsert", inputs(one("0", "101")), 200, `"new":true`},
		{"/batch/upsert", inputs(one("0", " 101.0 ")), 200, `"new":false`},
		{"/batch/upsert", inputs(one("0", "1.01e2")), 207, "INVALID_INTEGER"},
		{"/batch/upsert", inputs(one("0", "7"), one("1", "7.00")), 400, "Duplicate IDs"},
		{"/batch/create", `{"inputs":[{"objectWriteTraceId":"0","properties":{"account_no":"101.00"}}]}`, 207, "CONFLICT"},
		{"/batch/create", `{"inputs":[{"objectWriteTraceId":"0","properties":{"account_no":"8"}},{"objectWriteTraceId":"1","properties":{"account_no":"8.0"}}]}`, 207, "CONFLICT"},
		{"/batch/read", `{"idProperty":"account_no","inputs":[{"id":"101.0"}],"properties":[],"propertiesWithHistory":[]}`, 200, "1000001"},
		{"/batch/read", `{"idProperty":"account_no","inputs":[{"id":"1.01e2"}],"properties":[],"propertiesWithHistory":[]}`, 207, "OBJECT_NOT_FOUND"},
	} {
		if status, body := a.call("POST", contacts+c.path, c.body); status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s %s: %d %.300s", c.path, c.body, status, body)
		}
	}
	if n := a.Count("contacts"); n != 2 {
		t.Errorf("%d contacts", n)
	}
}

// The numeric paths of the vendor's own client libraries lead to the same records, and
// one record's calls do too.
func TestPaths(t *testing.T) {
	a := start(t, hubspot.Options{Portal: "99"})
	if status, body := a.call("GET", "/account-info/v3/details", ""); status != 200 || !strings.Contains(body, `"portalId":99`) {
		t.Errorf("%d %s", status, body)
	}
	status, body := a.call("POST", "/crm/v3/objects/contacts", `{"properties":{"email":"A@b.example","firstname":"Ann"}}`)
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(body), &made); err != nil || status != 201 {
		t.Fatalf("%d %s", status, body)
	}
	for _, c := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "/crm/v3/objects/contacts/" + made.ID, "", 200, `"a@b.example"`},
		{"GET", contacts + "/a@b.example?idProperty=email&properties=firstname", "", 200, `"Ann"`},
		{"GET", "/crm/objects/2026-03/0-1/" + made.ID, "", 200, made.ID},
		{"PATCH", "/crm/v3/objects/contact/" + made.ID, `{"properties":{"firstname":""}}`, 200, `"firstname":null`},
		{"GET", "/crm/v3/objects/contacts?limit=1", "", 200, made.ID},
		{"POST", "/crm/v3/objects/contacts/search", `{"filterGroups":[{"filters":[{"propertyName":"email","operator":"IN","values":["a@b.example"]}]}],"properties":["email"],"limit":10,"after":"0","sorts":[]}`, 200, `"total":1`},
		{"GET", "/crm/v3/properties/contacts", "", 200, `"hasUniqueValue":true`},
		{"GET", "/crm/properties/2026-09/contacts/ltv_segment", "", 200, `"medium"`},
		{"GET", "/crm/properties/2026-09/contacts/nope", "", 404, "PROPERTY_NOT_FOUND"},
		{"POST", "/crm/v3/properties/contacts", `{"name":"tier","label":"Tier","type":"string","fieldType":"text","groupName":"g","hasUniqueValue":true}`, 201, `"tier"`},
		{"POST", contacts + "/batch/upsert", `{"inputs":[{"id":"gold","idProperty":"tier","properties":{"firstname":"Zed"}}]}`, 200, `"new":true`},
		{"GET", "/crm-object-schemas/v3/schemas/contacts", "", 200, `"requiredProperties":[]`},
		{"GET", "/crm/v3/schemas/contacts", "", 200, `"objectTypeId":"0-1"`},
		{"POST", contacts + "/batch/archive", `{"inputs":[{"id":"` + made.ID + `"},{"id":"1"}]}`, 204, ""},
		{"GET", contacts + "/" + made.ID, "", 404, "OBJECT_NOT_FOUND"},
		{"DELETE", contacts + "/" + made.ID, "", 204, ""},
		{"POST", contacts + "/gdpr-delete", `{"objectId":"gold","idProperty":"tier"}`, 204, ""},
		{"GET", "/crm/objects/2031-01/contacts", "", 404, "resource not found"},
		{"GET", "/nowhere", "", 404, "resource not found"},
	} {
		if status, body := a.call(c.method, c.path, c.body); status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s %s: %d %s", c.method, c.path, status, body)
		}
	}
	if a.Count("contacts") != 0 {
		t.Errorf("%d contacts", a.Count("contacts"))
	}
}

// The windows hold over any 10 seconds and over a day, and the headers tell.
func TestLimits(t *testing.T) {
	a := start(t, hubspot.Options{TenSeconds: 3, Daily: 5})
	ask := func() (int, string) { return a.call("GET", "/account-info/2026-09/details", "") }
	for range 3 {
		if status, body := ask(); status != 200 {
			t.Fatalf("%d %s", status, body)
		}
	}
	if status, body := ask(); status != 429 || !strings.Contains(body, "TEN_SECONDLY_ROLLING") {
		t.Errorf("%d %s", status, body)
	}
	a.now = a.now.Add(10 * time.Second)
	for range 2 {
		if status, body := ask(); status != 200 {
			t.Errorf("%d %s", status, body)
		}
	}
	if status, body := ask(); status != 429 || !strings.Contains(body, `"DAILY"`) {
		t.Errorf("%d %s", status, body)
	}
	a.now = a.now.Add(24 * time.Hour)
	if status, _ := ask(); status != 200 {
		t.Errorf("the next day: %d", status)
	}
	a = start(t, hubspot.Options{})
	for range 4 {
		a.call("POST", contacts+"/search", `{}`)
	}
	if status, body := a.call("POST", contacts+"/search", `{}`); status != 429 || !strings.Contains(body, "SECONDLY") {
		t.Errorf("a fifth search: %d %s", status, body)
	}
}

func TestToken(t *testing.T) {
	a := start(t, hubspot.Options{})
	for _, token := range []string{"", "Bearer other", "pat"} {
		r := httptest.NewRequest("GET", "http://127.0.0.1/account-info/2026-09/details", nil)
		r.Header.Set("Authorization", token)
		w := httptest.NewRecorder()
		if a.ServeHTTP(w, r); w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), "INVALID_AUTHENTICATION") {
			t.Errorf("%q: %d %s", token, w.Code, w.Body)
		}
	}
}

// A property that records are named by is accepted with unique values, which it keeps.
func TestAcceptsMatchProperty(t *testing.T) {
	file := filepath.Join(t.TempDir(), "journal")
	body := strings.ReplaceAll(inputs(upsert("0", "C-1", `"crm_id":"C-1","city":"x"`)), `"idProperty":"email"`, `"idProperty":"crm_id"`)
	for _, accept := range []bool{true, false} { // the second finds it there
		s := start(t, hubspot.Options{Journal: file, Accept: accept})
		if status, got := s.call("POST", contacts+"/batch/upsert", body); status/100 != 2 || s.Record("contacts", "crm_id", "C-1")["city"] != "x" {
			t.Errorf("%d %s", status, got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if status, got := start(t, hubspot.Options{}).call("POST", contacts+"/batch/upsert", strings.ReplaceAll(body, "crm_id", "nosuch")); status != 400 {
		t.Errorf("a strict account: %d %s", status, got)
	}
}

// A journal keeps records, properties, objects and the account's id.
func TestJournal(t *testing.T) {
	file := filepath.Join(t.TempDir(), "journal")
	var told []string
	a := start(t, hubspot.Options{Journal: file, Portal: "12", Accept: true, Notice: func(line string) { told = append(told, line) }})
	for _, path := range []string{contacts, "/crm/objects/2026-09/p1_car"} {
		if status, body := a.call("POST", path, `{"properties":{"colour":"red"}}`); status != 201 {
			t.Fatalf("%d %s", status, body)
		}
	}
	if _, err := a.Seed("contacts", slices.Values([]map[string]string{{"email": "a@b.example", "hs_additional_emails": "c@d.example"}})); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "Colour", "1st", "_a", "a b", "a-b", "é", "a.b", strings.Repeat("a", 101)} { // which no administrator can have made
		if status, body := a.call("POST", contacts, fmt.Sprintf(`{"properties":{%q:"x"}}`, name)); status != 400 || !strings.Contains(body, "PROPERTY_DOESNT_EXIST") {
			t.Errorf("a property called %q: %d %s", name, status, body)
		}
	}
	for _, name := range []string{"my-car", "1car", "2-x", "c.r", "%C3%A9"} {
		if status, body := a.call("POST", "/crm/objects/2026-09/"+name, `{"properties":{}}`); status != 400 {
			t.Errorf("an object called %q: %d %s", name, status, body)
		}
	}
	if len(told) != 3 {
		t.Errorf("told %q", told)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	b := start(t, hubspot.Options{Journal: file, Portal: "13"})
	if status, body := b.call("GET", "/account-info/2026-09/details", ""); status != 200 || !strings.Contains(body, `"portalId":12`) {
		t.Errorf("%d %s", status, body)
	}
	if b.Record("p1_car", "colour", "red") == nil || b.Record("contacts", "colour", "red") == nil {
		t.Error("the records are gone")
	}
	if status, body := b.call("GET", contacts+"/C@D.example?idProperty=email", ""); status != 200 {
		t.Errorf("by a secondary address: %d %s", status, body)
	}
}

// A merged record answers by its old id and its old address with the one that it became,
// in reads, updates and where it is archived, also after a restart.
func TestMerge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hubspot")
	a := start(t, hubspot.Options{Journal: path})
	a.call("POST", contacts+"/batch/upsert", inputs(upsert("0", "a@b.example", `"phone":"1","city":"Oslo"`), upsert("1", "c@d.example", `"phone":"2"`)))
	first, second := a.Record("contacts", "email", "a@b.example")["id"], a.Record("contacts", "email", "c@d.example")["id"]
	for _, body := range []string{`{}`, fmt.Sprintf(`{"primaryObjectId":%q,"objectIdToMerge":%q}`, second, second), fmt.Sprintf(`{"primaryObjectId":%q,"objectIdToMerge":"7"}`, second)} {
		if status, got := a.call("POST", contacts+"/merge", body); status/100 != 4 {
			t.Errorf("%s: %d %s", body, status, got)
		}
	}
	if status, got := a.call("POST", contacts+"/merge", fmt.Sprintf(`{"primaryObjectId":%q,"objectIdToMerge":%q}`, second, first)); status != 200 || !strings.Contains(got, `"id":"`+second+`"`) {
		t.Fatalf("%d %s", status, got)
	}
	for range 2 {
		for _, path := range []string{"/" + first, "/a@b.example?idProperty=email"} {
			if status, got := a.call("GET", contacts+path, ""); status != 200 || !strings.Contains(got, `"id":"`+second+`"`) {
				t.Errorf("%s: %d %s", path, status, got)
			}
		}
		if r := a.Record("contacts", "email", "c@d.example"); r["phone"] != "2" || r["city"] != "Oslo" || r["hs_merged_object_ids"] != first || a.Count("contacts") != 1 {
			t.Errorf("%v", r)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		a = start(t, hubspot.Options{Journal: path})
	}
	if status, _ := a.call("POST", contacts+"/batch/archive", inputs(fmt.Sprintf(`{"id":%q}`, first))); status != 204 || a.Count("contacts") != 0 {
		t.Errorf("%d, %d contacts", status, a.Count("contacts"))
	}
}
