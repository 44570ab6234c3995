package apptest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sandbox"
	salesforcesim "github.com/penstock-data/penstock/shared/sandbox/salesforce"
)

// Inputs that went wrong once, over the whole road to the vendors' simulators.

// send pushes objects to a sync, delivers them, and answers the run and what SQL saw.
func (w *World) send(t *testing.T, sync string, objects ...string) (id string, statuses []string) {
	t.Helper()
	w.Clock.Advance(time.Second)
	q := fmt.Sprint("q", w.Clock.Now().UnixNano())
	var rows [][]string
	for _, o := range objects {
		rows = append(rows, []string{fmt.Sprintf("%q", sync), o})
	}
	for _, a := range w.Push(t, q, q+":1", rows...) {
		id, statuses = a.Run, append(statuses, a.Status+" "+a.Reason)
	}
	w.Settle(t) // messages of the chat wait for their run
	for _, queue := range w.types {
		w.Drain(t, queue)
	}
	w.Settle(t)
	return id, statuses
}

// records are one object's records, as text by field.
func (w *World) records(object string, fields ...string) []map[string]string {
	var all []map[string]string
	w.Vendors.Salesforce.Each(object, func(r salesforcesim.Record) bool {
		one := map[string]string{}
		for _, f := range fields {
			if v, ok := r.Text(f); ok {
				one[f] = string(v)
			}
		}
		all = append(all, one)
		return true
	})
	return all
}

// A record that is deleted at the vendor is made anew with all of its fields, though only
// one changed: also where the answer that says so is lost, where the vendor asks to slow down
// before the rest is sent, and where somebody else was first.
func TestDeletedThenChanged(t *testing.T) {
	for name, f := range map[string]sandbox.Fault{
		"":                       {},
		"its answer is lost":     {Match: "PATCH", DropAfterCommit: true, Count: 1},
		"carried out, then 502":  {Match: "PATCH", AfterCommit: true, Status: 502, Body: "bad gateway", Count: 1},
		"slowed down in between": {Match: "PATCH", Holding: "77", Status: 429, Headers: map[string]string{"Retry-After": "30"}, Count: 1},
		"made by somebody else":  {},
	} {
		t.Run(name, func(t *testing.T) {
			w := faulty(t)
			w.send(t, "accounts", `{"id":"d","name":"One","n":77,"u":1}`)
			if err := w.Vendors.Salesforce.Remove("Account", w.records("Account", "Id")[0]["Id"]); err != nil {
				t.Fatal(err)
			}
			if name == "made by somebody else" {
				w.seed(t, "Customer_ID__c", "d")
			}
			if f.Match != "" {
				w.fault(t, f)
			}
			w.send(t, "accounts", `{"id":"d","name":"Two","n":77,"u":2}`)
			w.Pass(t, time.Hour)
			want := []map[string]string{{"Customer_ID__c": "d", "Name": "Two", "Daily_Active_Users__c": "77"}}
			if d := cmp.Diff(want, w.records("Account", "Customer_ID__c", "Name", "Daily_Active_Users__c")); d != "" {
				t.Error(d)
			}
		})
	}
}

// Keys that the vendor takes for one are one record, and the last row wins, within
// a batch and over several, in whichever lane.
func TestKeysThatAreOne(t *testing.T) {
	w := faulty(t)
	w.send(t, "accounts", `{"id":"AbC-1","name":"First","n":1,"u":1}`, `{"id":"abc-1","name":"Second","n":2,"u":2}`)
	w.send(t, "accounts", `{"id":"ABC-1 ","name":"Third","n":3,"u":3}`)
	if got := w.records("Account", "Name"); len(got) != 1 || got[0]["Name"] != "Third" {
		t.Errorf("by external id: %v", got)
	}
	w = faulty(t)
	_, said := w.send(t, "fields", `{"id":1,"acct":"AC-1","name":"One","n":1}`, `{"id":2,"acct":"ac-1","name":"Two","n":2}`, `{"id":3,"acct":" Ac-1","name":"Three","n":3}`)
	if got := w.records("Account", "Name"); len(got) != 1 || got[0]["Name"] != "Three" {
		t.Errorf("by field: %v, SQL saw %q", got, said)
	}
	w.send(t, "fields", `{"id":4,"acct":"aC-1","name":"Four","n":4}`)
	if got := w.records("Account", "Name"); len(got) != 1 || got[0]["Name"] != "Four" {
		t.Errorf("by field, later: %v", got)
	}
	w = faulty(t)
	for i, email := range []string{"x@shop.example", "y@WWW.Shop.example", "z@shop.example"} {
		w.send(t, "domains", fmt.Sprintf(`{"id":%d,"email":%q,"name":"N","n":%d}`, i, email, i))
	}
	if got := w.records("Account", "Website"); len(got) != 1 {
		t.Errorf("by domain: %v", got)
	}
}

// A far cursor moves no watermark; a row that failed is selected again.
func TestWatermarks(t *testing.T) {
	w := faulty(t)
	bracket := func(mode string, objects ...string) {
		t.Helper()
		w.Clock.Advance(time.Minute)
		token := fmt.Sprint("b", w.Clock.Now().UnixNano())
		_, rows, message := Status(t, w.Invoke(t, "control", Request("begin", token, token, []string{`"people"`, fmt.Sprintf("%q", mode)})))
		if len(rows) != 1 {
			t.Fatal(message)
		}
		var begun runs.Begun
		if err := json.Unmarshal(rows[0], &begun); err != nil || begun.Run == "" {
			t.Fatalf("begun %s, %v", rows[0], err)
		}
		w.send(t, begun.Run, objects...)
		Call[struct{}](t, w.Functions["control"], "finish", fmt.Sprintf("%q", begun.Run), fmt.Sprint(len(objects)))
		w.Settle(t)
	}
	mark := func() string { return w.Status(t, "people").Watermark }
	row := func(email, name, u string) string {
		return fmt.Sprintf(`{"id":%q,"email":%q,"last_name":%q,"n":1,"p":null,"t":null,"created":"2024-01-10 10:00:00","u":%q}`, email, email, name, u)
	}
	bracket("incremental", row("far@a.example", "B", "2099-12-31 00:00:00"), row("near@a.example", "C", "2024-01-10 00:00:00"))
	if got := mark(); got != `"2024-01-10 00:00:00"` {
		t.Errorf("after a far cursor the mark is %s", got)
	}
	bracket("incremental", row("bad@a.example", strings.Repeat("x", 100), "2024-01-15 09:00:00"), row("good@a.example", "ok", "2024-01-15 10:00:00"))
	if got := mark(); got != `"2024-01-15 09:00:00"` {
		t.Errorf("the mark is %s, past a row that failed", got)
	}
	bracket("full", row("near@a.example", "C", "2024-01-09 00:00:00"))
	if got := mark(); got != `"2024-01-09 00:00:00"` {
		t.Errorf("a full run leaves the mark at %s", got)
	}
}

// By Id a record is updated without a lookup, its id in 15 or 18 characters.
func TestMatchByID(t *testing.T) {
	w := faulty(t)
	w.Vendors.SeedAccounts(t, "one.example", "two.example")
	all := ids(w)
	id, _ := w.send(t, "ids", fmt.Sprintf(`{"sf_id":%q,"n":11}`, all["one.example"]), fmt.Sprintf(`{"sf_id":%q,"n":12}`, all["two.example"][:15]), `{"sf_id":"no id","n":13}`)
	want := map[string]string{"one.example": "11", "two.example": "12"}
	if d := cmp.Diff(want, w.Vendors.Accounts("Daily_Active_Users__c")); d != "" {
		t.Errorf("%s%+v", d, w.Errors(t, id))
	}
	for label := range w.Vendors.Salesforce.Core().Calls().By {
		if strings.Contains(label, "query") || strings.HasSuffix(label, "POST /composite") {
			t.Errorf("a lookup was made: %s", label)
		}
	}
}

// A number matches by value.
func TestMatchByNumber(t *testing.T) {
	w := faulty(t)
	if err := w.Vendors.Salesforce.Seed("Account", []string{"Name", "NumberOfEmployees"}, func(yield func([]string) bool) {
		yield([]string{"Acme", "1500"})
	}); err != nil {
		t.Fatal(err)
	}
	id, said := w.send(t, "numbers", `{"k":"1500.0","n":1}`, `{"k":1.5e3,"n":2}`, `{"k":"many","n":3}`)
	if got := w.records("Account", "Daily_Active_Users__c"); len(got) != 1 || got[0]["Daily_Active_Users__c"] != "2" {
		t.Errorf("%v, SQL saw %q, errors %+v", got, said, w.Errors(t, id))
	}
}

// Columns that are joined to a record id are joined unambiguously.
func TestJoinedRecordIDs(t *testing.T) {
	w := faulty(t)
	w.send(t, "joined", `{"a":"x:1","b":"2","text":"first alert"}`, `{"a":"x","b":"1:2","text":"second alert"}`)
	if n := len(w.Vendors.Slack.Messages()); n != 2 {
		t.Errorf("%d of 2 messages", n)
	}
}

// An unknown picklist value is refused, not replaced; null is. Case is the list's.
func TestPicklistDefault(t *testing.T) {
	w := faulty(t)
	person := func(email, p string) string {
		return fmt.Sprintf(`{"id":%q,"email":%q,"last_name":"L","n":1,"p":%s,"t":null,"created":null,"u":1}`, email, email, p)
	}
	_, said := w.send(t, "people", person("a@b.example", `"At Risk "`), person("b@b.example", "null"), person("c@b.example", `"healthy"`), person("e@b.example", `"Healthyish"`), person("d@b.example", `"Healthy"`))
	if d := cmp.Diff([]string{"rejected not_in_picklist", "queued ", "queued ", "rejected not_in_picklist", "queued "}, said); d != "" {
		t.Error(d)
	}
	healthy := map[string]string{"Health_Status__c": "Healthy"}
	if d := cmp.Diff([]map[string]string{healthy, healthy, healthy}, w.records("Contact", "Health_Status__c")); d != "" {
		t.Error(d)
	}
}

// One number in five spellings is delivered once.
func TestOneNumber(t *testing.T) {
	w := faulty(t)
	var counts run.Counts
	for _, n := range []string{"1", "1.0", "1.00", `"1"`, "1e0"} {
		id, _ := w.send(t, "accounts", `{"id":"pd","name":"A","n":`+n+`,"u":1}`)
		counts = counts.Add(w.Run(t, id).Counts)
	}
	if counts.Delivered != 1 || counts.Unchanged != 4 {
		t.Errorf("counts %+v", counts)
	}
}

// A text is cut to what the vendor counts, and no joined character is cut in two.
func TestEmoji(t *testing.T) {
	w := faulty(t)
	w.send(t, "people", `{"id":1,"email":"a@b.example","last_name":"L","n":1,"p":null,"created":null,"u":1,"t":"`+strings.Repeat("👩‍👩‍👧", 60)+`"}`)
	got := w.records("Contact", "Recommended_Action__c")
	if len(got) != 1 {
		t.Fatalf("%v", got)
	}
	text := got[0]["Recommended_Action__c"]
	if n := len(utf16.Encode([]rune(text))); n > 255 || n < 240 || strings.ReplaceAll(text, "👩‍👩‍👧", "") != "" {
		t.Errorf("%d UTF-16 units: %q", n, text)
	}
}

// A customer's text pings nobody.
func TestMarkup(t *testing.T) {
	w := faulty(t)
	w.send(t, "notes", `{"id":1,"text":"Customer: <!channel> & <b>Co</b>"}`)
	got := w.Vendors.Slack.Messages()
	if len(got) != 1 || got[0].Text != "Customer: &lt;!channel&gt; &amp; &lt;b&gt;Co&lt;/b&gt;" {
		t.Errorf("%+v", got)
	}
}

// The vendor asks for a month of waiting: half a day is believed.
func TestRetryAfterIsBounded(t *testing.T) {
	w := faulty(t)
	w.fault(t, sandbox.Fault{Match: "PATCH", Status: 503, Headers: map[string]string{"Retry-After": "2592000"}, Body: "busy"})
	w.send(t, "accounts", `{"id":"a","name":"A","n":1,"u":1}`)
	w.Pass(t, 13*time.Hour)
	if got := len(w.stored(t)); got != 1 {
		t.Errorf("%d records after 13 hours: %+v", got, w.Status(t, "accounts"))
	}
}
