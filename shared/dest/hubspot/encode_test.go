package hubspot_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/hubspot"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// sent are the requests that a push makes: path and body.
func sent(t *testing.T, def syncdef.Definition, b dest.Batch) []string {
	t.Helper()
	var all []string
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if !json.Valid(body) {
			t.Errorf("not JSON: %s", body)
		}
		all = append(all, r.URL.Path+" "+string(body))
		http.Error(w, `{"category":"RATE_LIMITS"}`, http.StatusTooManyRequests)
	}))
	t.Cleanup(web.Close)
	w := start(t, options(), def)
	cfg := w.cfg
	cfg.Connection.URL = web.URL
	account, err := hubspot.Vendor.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	d, err := account.Open(version(t, def))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range d.Calls(b, 0) {
		if _, err := d.Push(t.Context(), b, c); err == nil {
			t.Error("the push did not fail")
		}
	}
	return all
}

func TestRequests(t *testing.T) {
	values := dest.Record{Key: "a@b.example", Match: "  A@B.example ", Fields: []dest.Field{
		field("firstname", `"O'Brien \"x\" 🚰"`), field("lastname", "null"), field("email", `" A@B.example "`), field("ltv_usd", "1234567.50"), field("n", "1.5e3"), field("m", "-2E-3"), field("b", "true"), field("c", "false"),
		field("renewal_date", `"2026-12-31"`), field("interests", `["sql",null,"etl",7]`), field("none", "[]"), field("object", `{"a":[1]}`), field("lists", `[[1],2]`), field("kept", `["a","b"]`),
	}}
	byEmail := byEmail
	byEmail.Fields = append(slices.Clone(byEmail.Fields), syncdef.Field{Source: "k", Destination: "kept", Type: syncdef.JSON, Options: []byte(`{"keep_json":true}`)})
	known := contact(7)
	known.ID = "1000008"
	known.Fields = known.Fields[:1]
	byKey := matching(syncdef.Upsert, "customer_id")
	byKey.Object = "Company"
	byNumber := matching(syncdef.Upsert, "account_no")
	byNumber.Match.DataType = syncdef.MatchNumber
	insertNumber := byNumber
	insertNumber.Operation = syncdef.Insert
	byID := matching(syncdef.Update, "hs_object_id")
	byID.Object = "2-4711"
	for name, c := range map[string]struct {
		def    syncdef.Definition
		record dest.Record
		want   string
	}{
		"upsert": {byEmail, values, `/crm/objects/2026-09/contacts/batch/upsert {"inputs":[{"id":"A@B.example","idProperty":"email","objectWriteTraceId":"0","properties":{` +
			`"firstname":"O'Brien \"x\" 🚰","lastname":"","email":"A@B.example","ltv_usd":"1234567.50","n":"1500","m":"-0.002","b":"true","c":"false","renewal_date":"2026-12-31","interests":"sql;etl;7","none":"","object":"{\"a\":[1]}","lists":"[[1],2]","kept":"[\"a\",\"b\"]"}}]}`},
		"a known contact": {byEmail, known, `/crm/objects/2026-09/contacts/batch/update {"inputs":[{"id":"1000008","objectWriteTraceId":"0","properties":{"firstname":"Person 7"}}]}`},
		"by a property":   {byKey, dest.Record{Key: "c-1", Match: "C-1", ID: "5"}, `/crm/objects/2026-09/companies/batch/upsert {"inputs":[{"id":"C-1","idProperty":"customer_id","objectWriteTraceId":"0","properties":{}}]}`},
		"by a blank": {byKey, dest.Record{Key: "c-1", Match: " C-1 ", Fields: []dest.Field{field("customer_id", `" C-1 "`), field("name", `" A "`)}},
			`/crm/objects/2026-09/companies/batch/upsert {"inputs":[{"id":"C-1","idProperty":"customer_id","objectWriteTraceId":"0","properties":{"customer_id":"C-1","name":" A "}}]}`},
		"by a number": {byNumber, dest.Record{Key: "101", Match: "1.010000000000000e+02", Fields: []dest.Field{field("account_no", "101.0")}},
			`/crm/objects/2026-09/contacts/batch/upsert {"inputs":[{"id":"101","idProperty":"account_no","objectWriteTraceId":"0","properties":{"account_no":"101"}}]}`},
		"insert by a number": {insertNumber, dest.Record{Key: "101", Match: "101.0"}, `/crm/objects/2026-09/contacts/batch/create {"inputs":[{"objectWriteTraceId":"0","properties":{"account_no":"101"}}]}`},
		"by id":              {byID, dest.Record{Key: "77", Match: "77.0"}, `/crm/objects/2026-09/2-4711/batch/update {"inputs":[{"id":"77","objectWriteTraceId":"0","properties":{}}]}`},
		"insert":             {matching(syncdef.Insert, "email"), dest.Record{Key: "a@b.example", Match: "A@b.example"}, `/crm/objects/2026-09/contacts/batch/create {"inputs":[{"objectWriteTraceId":"0","properties":{"email":"A@b.example"}}]}`},
	} {
		if d := cmp.Diff([]string{c.want}, sent(t, c.def, dest.Batch{Records: []dest.Record{c.record}})); d != "" {
			t.Errorf("%s: want -, got +\n%s", name, d)
		}
	}
}

// An option that holds a semicolon cannot be sent: its row alone is refused, unsent.
func TestSemicolon(t *testing.T) {
	w := start(t, options(), byEmail)
	b := three()
	b.Records[1].Fields = append(b.Records[1].Fields, field("interests", `["a;b"]`))
	out, err := w.Push(t.Context(), b, w.Calls(b, 0)[0])
	if err != nil || out[0].Status != dest.Delivered || out[1].Status != dest.Rejected || out[1].Field != "interests" || out[2].Status != dest.Delivered {
		t.Errorf("%+v, %v", out, err)
	}
}

// A text that begins with a semicolon would add to what a property of several options holds:
// its row alone is refused, unsent; elsewhere in the text a semicolon is no such sign.
func TestLeadingSemicolon(t *testing.T) {
	w := start(t, options(), byEmail)
	b := three()
	b.Records[1].Fields = append(b.Records[1].Fields, field("interests", `"etl"`))
	if out, err := w.Push(t.Context(), b, w.Calls(b, 0)[0]); err != nil || out[1].Status != dest.Delivered {
		t.Fatalf("%+v, %v", out, err)
	}
	for _, text := range []string{`";sql"`, `" ;sql"`, `"\u003bsql"`, `";"`} {
		b.Records[1].Fields[len(b.Records[1].Fields)-1].Value = []byte(text)
		out, err := w.Push(t.Context(), b, w.Calls(b, 0)[0])
		if err != nil || out[0].Status != dest.Delivered || out[2].Status != dest.Delivered {
			t.Fatalf("%s: %+v, %v", text, out, err)
		}
		if o := out[1]; o.Status != dest.Rejected || o.Code != "leading_semicolon" || o.Field != "interests" || strings.Contains(o.Message, "sql") {
			t.Errorf("%s: %+v", text, o)
		}
		if got := w.sim.Record("contacts", "email", b.Records[1].Key)["interests"]; got != "etl" {
			t.Errorf("%s: stored %q", text, got)
		}
	}
	b.Records[1].Fields[len(b.Records[1].Fields)-1].Value = []byte(`"sql;alerts"`)
	if out, err := w.Push(t.Context(), b, w.Calls(b, 0)[0]); err != nil || out[1].Status != dest.Delivered || w.sim.Record("contacts", "email", b.Records[1].Key)["interests"] != "sql;alerts" {
		t.Errorf("%+v, %v", out, err)
	}
}

// Values that HubSpot takes for one are never in one call; 1,000 records are 10 calls.
func TestCalls(t *testing.T) {
	w := start(t, options(), byEmail)
	b := dest.Batch{}
	for i := range 1000 {
		b.Records = append(b.Records, contact(i))
	}
	if calls := w.Calls(b, 0); len(calls) != 10 {
		t.Errorf("%d calls", len(calls))
	}
	b = dest.Batch{Records: []dest.Record{{Key: "a@b.example", Match: "A@b.example"}, {Key: "a@b.example", Match: "a@B.example "}}}
	if calls := w.Calls(b, 0); len(calls) != 2 {
		t.Errorf("one contact twice: %d calls", len(calls))
	}
}

// A contact answers to its secondary addresses: an upsert by one meets it, a lookup by
// one finds it, and neither takes the other address for a mismatch.
func TestSecondaryEmail(t *testing.T) {
	seed := slices.Values([]map[string]string{{"email": "first@example.com", "hs_additional_emails": "second@example.com;third@example.com"}, {"email": "other@example.com"}})
	records := []dest.Record{{Key: "second@example.com", Fields: contact(1).Fields}, {Key: "other@example.com", Fields: contact(2).Fields}}
	w := start(t, options(), byEmail)
	ids, err := w.sim.Seed("contacts", seed)
	if err != nil {
		t.Fatal(err)
	}
	b := dest.Batch{Records: records}
	out, err := w.Push(t.Context(), b, w.Calls(b, 0)[0])
	if err != nil || out[0].Status != dest.Delivered || out[0].ID != ids[0] || out[0].Created || w.sim.Count("contacts") != 2 {
		t.Errorf("%+v, %v, %d contacts", out, err, w.sim.Count("contacts"))
	}
	if got := w.sim.Record("contacts", "email", "first@example.com")["firstname"]; got != "Person 1" {
		t.Errorf("firstname %q", got)
	}
	w = start(t, options(), matching(syncdef.Update, "email"))
	if ids, err = w.sim.Seed("contacts", seed); err != nil {
		t.Fatal(err)
	}
	b.Records = append(b.Records, dest.Record{Key: "nobody@example.com"})
	lookups := w.Lookups(b)
	out, err = w.Lookup(t.Context(), b, lookups[0])
	if err != nil || len(lookups) != 1 || out[0].ID != ids[0] || out[1].ID != ids[1] || out[2].Status != dest.Rejected || out[2].Code != "no_match" {
		t.Errorf("%+v, %v", out, err)
	}
	for _, o := range out {
		if strings.Contains(o.Message, "@") {
			t.Errorf("the message holds an address: %q", o.Message)
		}
	}
}
