package apptest

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/worker"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/hubspot"
	"github.com/penstock-data/penstock/shared/dest/intercom"
	"github.com/penstock-data/penstock/shared/ledger"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/sandbox"
	hubspotsim "github.com/penstock-data/penstock/shared/sandbox/hubspot"
	intercomsim "github.com/penstock-data/penstock/shared/sandbox/intercom"
	"github.com/penstock-data/penstock/shared/verify"
)

// A verifiable is a vendor whose records can be read back: a sync of all kinds of fields,
// and what people do to its records.
type verifiable struct {
	connection, target string   // of the definitions
	fields             string   // of the sync main
	rows               []string // of three records, keys a, b and c
	changes            string   // the mapping of the sync people
	change             string   // its row, of record a
	field              string   // that it changes
	removes            string   // how the sync removals removes; "" deletes
	world              func(t *testing.T, dir string) *World
}

// folder writes the definitions.
func (v verifiable) folder(t *testing.T, more string) string {
	dir := t.TempDir()
	head := "connection: crm\nrecord_id: k\n" + v.target
	for name, text := range map[string]string{
		"connections": "connections:\n  crm: {" + v.connection + "}\n",
		"main":        head + "field_mappings:\n" + v.fields + more,
		"people":      head + "field_mappings:\n" + v.changes,
		"removals":    head + "operation: delete\non_delete: " + cmp.Or(v.removes, "delete") + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

var verifiables = map[string]verifiable{
	"salesforce": {
		connection: "type: salesforce, url: https://acme.my.salesforce.com",
		target:     "destination_object: Account\nmatching_strategy: external_id\nmatch: {source: k, destination: Customer_ID__c}\n",
		fields: "  - {source: name, destination: Name, transform: [upper], max_length: 6, on_too_long: truncate}\n" +
			"  - {source: score, destination: Health_Score__c, data_type: number, scale: 1}\n" +
			"  - {source: users, destination: Daily_Active_Users__c, data_type: integer, on_null: skip}\n" +
			"  - {source: status, destination: Health_Status__c, data_type: picklist, values: [At Risk, Healthy], on_unknown: default, default: Healthy}\n" +
			"  - {source: at, destination: Health_Score_Last_Updated__c, data_type: datetime, time_zone: Europe/Berlin}\n" +
			"  - {source: about, destination: Description, data_type: json}\n",
		rows: []string{
			`{"k":"a","name":"Größe & Söhne","score":85.55,"users":"7","status":"healthy","at":"2024-01-15 10:30:00.123","about":{"b": [1, "x"], "a": null}}`,
			`{"k":"b","name":"  O'Brien","score":"1e1","users":null,"status":"no such","at":null,"about":[1.50]}`,
			`{"k":"c","name":"c","score":null,"users":9007199254740993,"status":"At Risk","at":"2024-01-15T10:30:00+02:00","about":null}`},
		changes: "  - {source: v, destination: Health_Status__c}\n", change: `{"k":"a","v":"At Risk"}`, field: "Health_Status__c",
		world: func(t *testing.T, dir string) *World { return NewWith(t, Load(t, dir)) },
	},
	"hubspot": {
		connection: "type: hubspot",
		target:     "destination_object: contacts\nmatching_strategy: email\nmatch: {source: mail, destination: email}\n",
		fields: "  - {source: mail, destination: email}\n  - {source: name, destination: firstname}\n" +
			"  - {source: ltv, destination: ltv_usd, data_type: number}\n" +
			"  - {source: seg, destination: ltv_segment, data_type: picklist, values: [high, low]}\n" +
			"  - {source: likes, destination: interests, data_type: json}\n" +
			"  - {source: day, destination: renewal_date, data_type: date}\n" +
			"  - {source: at, destination: last_seen, data_type: datetime}\n" +
			"  - {source: paid, destination: is_customer, data_type: boolean}\n",
		rows: []string{
			`{"k":"a","mail":"A@B.example","name":" Jane ","ltv":"1.50","seg":"HIGH","likes":["sql","etl"],"day":"2024-01-15T23:00:00Z","at":"2024-01-15T10:30:00.123Z","paid":"yes"}`,
			`{"k":"b","mail":"b@b.example","name":"","ltv":1e3,"seg":"low","likes":[],"day":null,"at":"2024-01-15 10:30:00","paid":false}`,
			`{"k":"c","mail":"c@b.example","name":"c","ltv":null,"seg":null,"likes":null,"day":"2024-01-15","at":null,"paid":null}`},
		changes: "  - {source: v, destination: firstname}\n", change: `{"k":"a","mail":"a@b.example","v":"Janet"}`, field: "firstname", removes: "archive",
		world: func(t *testing.T, dir string) *World {
			clock := NewClock()
			server, err := hubspotsim.New(hubspotsim.Options{Token: hubspotsim.Sandbox.Secret["token"], Now: clock.Now})
			if err != nil {
				t.Fatal(err)
			}
			return NewOf(t, clock, []Service{{Vendor: hubspot.Vendor, Server: server, Secret: hubspotsim.Sandbox.Secret}}, load(t, dir, []dest.Vendor{hubspot.Vendor}))
		},
	},
	"intercom": {
		connection: "type: intercom",
		target:     "destination_object: contact\nmatching_strategy: external_id\nmatch: {source: k, destination: external_id}\n",
		fields: "  - {source: name, destination: name}\n  - {source: score, destination: score, data_type: number, min: 0, max: 1}\n" +
			"  - {source: users, destination: users, data_type: integer}\n" +
			"  - {source: risk, destination: risk, data_type: picklist, values: [high, low]}\n" +
			"  - {source: at, destination: signed_up_at, data_type: datetime}\n" +
			"  - {source: seen, destination: seen, data_type: datetime}\n" +
			"  - {source: paid, destination: paid, data_type: boolean}\n" +
			"  - {source: tags, destination: tags, data_type: json}\nintercom: {create_attributes: true, managed_tags: [x]}\n",
		rows: []string{
			`{"k":"a","name":"Jane","score":"0.50","users":7,"risk":"HIGH","at":"2024-01-15T10:30:00.9Z","seen":"2024-01-15 10:30:00.25","paid":"t","tags":["x"]}`,
			`{"k":"b","name":"","score":1.0,"users":0,"risk":"low","at":"2024-01-15T10:30:00+02:00","seen":"2024-01-15","paid":false,"tags":[]}`,
			`{"k":"c","name":null,"score":null,"users":null,"risk":null,"at":null,"seen":null,"paid":null,"tags":null}`},
		changes: "  - {source: v, destination: risk}\n", change: `{"k":"a","v":"low"}`, field: "risk",
		world: func(t *testing.T, dir string) *World {
			clock := NewClock()
			server, err := intercomsim.New(intercomsim.Config{Token: intercomsim.Sandbox.Secret["token"], Now: clock.Now})
			if err != nil {
				t.Fatal(err)
			}
			return NewOf(t, clock, []Service{{Vendor: intercom.Vendor, Server: server, Secret: intercomsim.Sandbox.Secret}}, load(t, dir, []dest.Vendor{intercom.Vendor}))
		},
	},
}

// delivered pushes rows, and wants these fates of them.
func (w *World) delivered(t *testing.T, sync, query string, rows ...string) string {
	t.Helper()
	var in [][]string
	for _, r := range rows {
		in = append(in, []string{fmt.Sprintf("%q", sync), r})
	}
	for _, a := range w.Push(t, query, query+":1", in...) {
		if a.Status != "queued" {
			t.Fatalf("%s: %+v", sync, a)
		}
	}
	w.Pass(t, 5*time.Minute)
	recent, err := w.Store.RecentRuns(t.Context(), sync, 1)
	if err != nil || len(recent) == 0 {
		t.Fatalf("%s: %v", sync, err)
	}
	r := recent[0]
	return fmt.Sprintf("%d delivered, %d unchanged", r.Counts.Delivered, r.Counts.Unchanged)
}

// verified compares all records of the sync main.
func (w *World) verified(t *testing.T, kind string, q verify.Request) verify.Report {
	t.Helper()
	q.Sync, q.Found = "main", true
	r, err := w.Deliver(kind).Verify(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// states are a report's, in a line.
func states(r verify.Report) string {
	var out []string
	for _, s := range []verify.State{verify.Same, verify.Changed, verify.Missing, verify.Waits, verify.Moved, verify.Removed, verify.NoID, verify.Unkept, verify.Untold, verify.Unread} {
		if n := r.States[s]; n > 0 {
			out = append(out, fmt.Sprintf("%d %s", n, s))
		}
	}
	if r.Stopped != "" {
		out = append(out, r.Stopped)
	}
	return strings.Join(out, ", ")
}

// What was delivered is found as it was, whatever a destination does to values; what
// people changed and deleted is found, voided, and sent by the next push of the same rows.
func TestVerify(t *testing.T) {
	for kind, v := range verifiables {
		t.Run(kind, func(t *testing.T) {
			w := v.world(t, v.folder(t, ""))
			if got := w.delivered(t, "main", "q1", v.rows...); got != "3 delivered, 0 unchanged" {
				t.Fatal(got)
			}
			if got := w.verified(t, kind, verify.Request{}); states(got) != "3 same" || len(got.Unsure) > 0 {
				t.Fatalf("%s: %+v", states(got), got)
			}
			w.delivered(t, "people", "q2", v.change)
			w.delivered(t, "removals", "q3", strings.Replace(v.rows[2], `"name":"c",`, "", 1))
			got := w.verified(t, kind, verify.Request{})
			if states(got) != "1 same, 1 changed, 1 missing" {
				t.Fatalf("%s: %+v", states(got), got)
			}
			if d := gocmp.Diff(map[string]int64{v.field: 1}, got.Fields); d != "" {
				t.Error(d)
			}
			mended := w.verified(t, kind, verify.Request{Mend: true})
			if mended.Mended != 2 || mended.Differ() != 2 {
				t.Errorf("mended: %+v", mended)
			}
			if again := w.verified(t, kind, verify.Request{Mend: true}); states(again) != "1 same, 2 waits" || again.Mended != 0 {
				t.Errorf("mended twice: %s: %+v", states(again), again)
			}
			if got := w.delivered(t, "main", "q4", v.rows...); got != "2 delivered, 1 unchanged" {
				t.Error(got)
			}
			if got := w.verified(t, kind, verify.Request{}); states(got) != "3 same" {
				t.Errorf("sent again: %s: %+v", states(got), got)
			}
		})
	}
}

// What a worker delivers while a record is read is no difference, and mending leaves it.
func TestVerifyLeavesWhatIsDeliveredMeanwhile(t *testing.T) {
	v := verifiables["salesforce"]
	w := v.world(t, v.folder(t, ""))
	w.delivered(t, "main", "q1", v.rows...)
	w.delivered(t, "people", "q2", v.change)
	newer := strings.Replace(v.rows[0], "85.55", "12", 1)
	once := false
	got := w.verified(t, "salesforce", verify.Request{Mend: true, Each: func(verify.Read) error {
		if !once {
			once = true
			w.delivered(t, "main", "q3", newer)
		}
		return nil
	}})
	if states(got) != "2 same, 1 delivered_since" || got.Mended != 0 {
		t.Errorf("%s: %+v", states(got), got)
	}
	if got := w.delivered(t, "main", "q4", newer); got != "0 delivered, 1 unchanged" {
		t.Error(got)
	}
}

// What failed while a record was read stays open where the record is voided: a retry sends it.
func TestMendLeavesErrorsOpen(t *testing.T) {
	v := verifiables["salesforce"]
	w := v.world(t, v.folder(t, ""))
	w.delivered(t, "main", "q1", v.rows...)
	w.delivered(t, "people", "q2", v.change)
	once := false
	got := w.verified(t, "salesforce", verify.Request{Mend: true, Each: func(verify.Read) error {
		if !once {
			once = true
			w.fault(t, sandbox.Fault{FailRecords: []string{"a"}, Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "no", Count: -1})
			if got := w.delivered(t, "main", "q3", strings.Replace(v.rows[0], "85.55", "12", 1)); got != "0 delivered, 0 unchanged" {
				t.Error(got)
			}
		}
		return nil
	}})
	if states(got) != "2 same, 1 changed" || got.Mended != 1 {
		t.Errorf("%s: %+v", states(got), got)
	}
	recent, err := w.Store.RecentRuns(t.Context(), "main", 1)
	if err != nil {
		t.Fatal(err)
	}
	w.Vendors.Salesforce.Core().ClearFaults()
	if r, err := w.Control.Retry(t.Context(), recent[0].ID, runs.Selector{}, "r"); err != nil || r.Queued != 1 {
		t.Errorf("retried: %+v, %v", r, err)
	}
}

// Several keys may be of one record, such as one that people merged others into: it is
// named once in a call, and shown once.
func TestVerifyOfMergedRecords(t *testing.T) {
	v := verifiables["hubspot"]
	clock := NewClock()
	server, err := hubspotsim.New(hubspotsim.Options{Token: hubspotsim.Sandbox.Secret["token"], Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	w := NewOf(t, clock, []Service{{Vendor: hubspot.Vendor, Server: server, Secret: hubspotsim.Sandbox.Secret}}, load(t, v.folder(t, ""), []dest.Vendor{hubspot.Vendor}))
	w.delivered(t, "people", "q1", v.change)
	w.delivered(t, "main", "q2", v.rows[1:]...)
	id := func(sync, key string) string { return w.held(t, sync, key).Held.ID }
	if err := server.Merge("contacts", id("people", "a@b.example"), id("main", "b@b.example")); err != nil {
		t.Fatal(err)
	}
	w.delivered(t, "main", "q3", v.rows[0])
	one := id("main", "b@b.example")
	if id("main", "a@b.example") != one || one == "" {
		t.Fatal("the addresses are not of one record")
	}
	shown := map[string]int{}
	got := w.verified(t, "hubspot", verify.Request{Each: func(r verify.Read) error { shown[r.ID]++; return nil }})
	if got.Stopped != "" || got.Compared != 3 || len(shown) != 2 || shown[one] != 1 {
		t.Errorf("%s: %+v, shown %v", states(got), got, shown)
	}
}

// What several versions delivered is read version by version, for as many calls as are told.
func TestVerifyTellsItsCalls(t *testing.T) {
	v := verifiables["salesforce"]
	w := v.world(t, v.folder(t, ""))
	w.delivered(t, "main", "q1", v.rows...)
	w.Apply(t, Load(t, v.folder(t, "send: all\n")))
	w.delivered(t, "main", "q2", strings.Replace(v.rows[0], "85.55", "12", 1))
	calls, told := w.Vendors.Salesforce.Core().Calls, 0
	before := calls().Total
	got := w.verified(t, "salesforce", verify.Request{Told: func(b verify.Budget) error { told = b.Calls; return nil }})
	if made := calls().Total - before; states(got) != "3 same" || told != 4 || int(made) != told {
		t.Errorf("%s: %d calls told, %d made", states(got), told, made)
	}
}

// endless lists until its time is over.
type endless struct{ over context.CancelFunc }

func (e endless) EntriesAfter(ctx context.Context, _, _ string, _ int) ([]ledger.Entry, string, error) {
	e.over()
	return nil, "", ctx.Err()
}

// A ledger that is too large for an invocation costs the sync its sample, and says so.
func TestVerifyOfAnEndlessLedger(t *testing.T) {
	v := verifiables["salesforce"]
	w := v.world(t, v.folder(t, ""))
	ctx, cancel := context.WithCancel(t.Context())
	d := w.Deliver("salesforce")
	d.Listing, d.Verifications = endless{cancel}, nil
	if got, err := d.Verify(ctx, verify.Request{Sync: "main"}); err != nil || !strings.Contains(got.Stopped, "no time to list") {
		t.Errorf("%+v, %v", got, err)
	}
}

// A connection that is paused is not called, neither for a person nor by the daily check,
// until its pause is over.
func TestVerifyOfAPausedConnection(t *testing.T) {
	v := verifiables["salesforce"]
	w := v.world(t, v.folder(t, ""))
	w.delivered(t, "main", "q1", v.rows...)
	w.Clock.Advance(48 * time.Hour)
	s, err := w.Store.Pace(t.Context(), "crm")
	if err == nil {
		err = w.Store.SetPace(t.Context(), "crm", s.Fail(w.Clock.Now(), time.Hour, "busy", "the vendor asks for it"))
	}
	if err != nil {
		t.Fatal(err)
	}
	calls := w.Vendors.Salesforce.Core().Calls
	before := calls().Total
	if got := w.verified(t, "salesforce", verify.Request{}); !strings.Contains(got.Stopped, "is paused") || got.Compared != 0 {
		t.Errorf("%s: %+v", states(got), got)
	}
	w.Invoke(t, "salesforce", []byte(worker.Freshness))
	r, err := w.Store.Verification(t.Context(), "main")
	if err != nil || !strings.Contains(r.Sample.Failure, "is paused") || !strings.Contains(r.Schema.Failure, "is paused") {
		t.Errorf("the daily check: %+v, %v", r, err)
	}
	if n := calls().Total - before; n != 0 {
		t.Errorf("%d calls were made", n)
	}
	w.Clock.Advance(time.Hour)
	if got := w.verified(t, "salesforce", verify.Request{}); states(got) != "3 same" {
		t.Errorf("after it: %s: %+v", states(got), got)
	}
}

// Reading takes its calls out of the connection's share, and says where that ended.
func TestVerifyKeepsToTheShare(t *testing.T) {
	v := verifiables["salesforce"]
	v.connection += ", quota: {calls_per_day: 6, share: 50}"
	w := v.world(t, v.folder(t, ""))
	w.delivered(t, "main", "q1", v.rows...)
	before := w.Vendors.Salesforce.Core().Calls().Total
	for range 4 {
		w.verified(t, "salesforce", verify.Request{})
	}
	if n := w.Vendors.Salesforce.Core().Calls().Total - before; n > 2 {
		t.Errorf("%d calls of the 2 that are left", n)
	}
	if got := w.verified(t, "salesforce", verify.Request{}); !strings.Contains(got.Stopped, "share of the vendor's quota is spent") || got.Compared != 0 {
		t.Errorf("%+v", got)
	}
}

// A destination that was changed is found by the daily check, and looked at again every
// hour until it fits, or whenever a person verifies.
func TestDailyCheckFindsDrift(t *testing.T) {
	v := verifiables["salesforce"]
	w := v.world(t, v.folder(t, "verify: {sample: 0}\n"))
	w.delivered(t, "main", "q1", v.rows...)
	faults := func() int {
		w.Invoke(t, "salesforce", []byte(worker.Freshness))
		r, err := w.Store.Verification(t.Context(), "main")
		if err != nil {
			t.Fatal(err)
		}
		if r.Sample.Compared != 0 && r.Sample.Ledger == 0 {
			t.Errorf("records were read: %+v", r.Sample)
		}
		return len(r.Schema.Faults)
	}
	drift := sandbox.Fault{Match: "describe", Count: -1, Status: 200, Body: `{"name":"Account","createable":true,"updateable":true,"fields":[
		{"name":"Customer_ID__c","type":"string","length":255,"externalId":true,"createable":true,"updateable":true,"nillable":true},
		{"name":"Name","type":"string","length":255,"createable":true,"updateable":true,"nillable":true},
		{"name":"Daily_Active_Users__c","type":"double","precision":18,"createable":true,"updateable":true,"nillable":true},
		{"name":"Health_Score__c","type":"double","precision":18,"createable":false,"updateable":false,"nillable":true},
		{"name":"Health_Status__c","type":"picklist","restrictedPicklist":true,"createable":true,"updateable":true,"nillable":true,"picklistValues":[{"value":"At Risk","active":true},{"value":"Healthy","active":false}]},
		{"name":"Description","type":"textarea","length":32000,"createable":true,"updateable":true,"nillable":true}]}`}
	w.fault(t, drift)
	w.Clock.Advance(24 * time.Hour)
	if n := faults(); n != 4 { // read-only, a value switched off twice (of values and default), and one that is gone
		r, _ := w.Store.Verification(t.Context(), "main")
		t.Errorf("%d faults: %q", n, r.Schema.Faults)
	}
	w.Vendors.Salesforce.Core().ClearFaults()
	w.Clock.Advance(59 * time.Minute)
	if n := faults(); n != 4 {
		t.Errorf("%d faults before the hour is over", n)
	}
	w.Clock.Advance(time.Minute)
	if n := faults(); n != 0 {
		t.Errorf("%d faults after it was mended", n)
	}
	w.fault(t, drift)
	w.Clock.Advance(24 * time.Hour)
	faults()
	w.Vendors.Salesforce.Core().ClearFaults()
	if got := w.verified(t, "salesforce", verify.Request{}); states(got) != "3 same" || faults() != 0 {
		t.Errorf("%s, %d faults after a person verified", states(got), faults())
	}
}

// The daily check compares a sample once a day, holds the definition against the metadata,
// and keeps what it found where the vendor fails; a missed day is not made up for.
func TestDailyCheck(t *testing.T) {
	v := verifiables["salesforce"]
	w := v.world(t, v.folder(t, "verify: {sample: 2}\n"))
	w.delivered(t, "main", "q1", v.rows...)
	tick := func() verify.Reading {
		w.Invoke(t, "salesforce", []byte(worker.Freshness))
		r, err := w.Store.Verification(t.Context(), "main")
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	at := verify.Slot("main", w.Clock.Now()).Add(24 * time.Hour)
	w.Clock.Advance(at.Sub(w.Clock.Now()) - time.Second)
	if r := tick(); r.Revision != 0 {
		t.Errorf("before its time: %+v", r)
	}
	w.Clock.Advance(time.Second)
	first := tick()
	if first.Sample.Compared != 2 || first.Sample.Ledger != 3 || first.Sample.Differ() != 0 || !first.Schema.AsOf.Equal(at) || len(first.Schema.Faults) != 0 {
		t.Errorf("%+v", first)
	}
	for range 3 {
		w.Clock.Advance(time.Hour)
		if r := tick(); r.Revision != first.Revision {
			t.Errorf("again on the same day: %+v", r)
		}
	}
	w.delivered(t, "removals", "q3", v.rows...)
	w.Clock.Advance(72 * time.Hour)
	second := tick()
	if second.Sample.Missing != 2 || second.Sample.Seed == first.Sample.Seed {
		t.Errorf("%+v", second)
	}
	if third := tick(); third.Revision != second.Revision {
		t.Errorf("days were made up for: %+v", third)
	}
	w.Clock.Advance(24 * time.Hour)
	w.fault(t, sandbox.Fault{Match: "describe", Count: -1, Status: 500, Body: "<html>", ContentType: "text/html"})
	if third := tick(); third.Sample.Missing != 2 || third.Sample.Failure == "" || third.Schema.Failure == "" || !third.Schema.AsOf.Equal(second.Schema.AsOf) {
		t.Errorf("after a failure: %+v", third)
	}
}

// What is personal now is not shown, though a version delivered it that did not say so.
func TestVerifyOfFieldsThatBecamePersonal(t *testing.T) {
	v := verifiables["hubspot"]
	v.connection += ", personal: allowed"
	w := v.world(t, v.folder(t, ""))
	w.delivered(t, "main", "q1", v.rows...)
	w.delivered(t, "people", "q2", v.change)
	v.fields = strings.ReplaceAll(strings.ReplaceAll(v.fields, "destination: email}", "destination: email, personal: true}"), "firstname}", "firstname, personal: true}")
	w.Apply(t, load(t, v.folder(t, ""), []dest.Vendor{hubspot.Vendor}))
	got := w.verified(t, "hubspot", verify.Request{Found: true})
	if len(got.Records) != 1 || got.Records[0].Key != "" || len(got.Records[0].Fields) != 1 || !got.Records[0].Fields[0].Personal || got.Records[0].Fields[0].Found != nil {
		t.Errorf("%+v", got.Records)
	}
}

// A contact that Intercom does not show leaves the others, and is not voided.
func TestVerifyOfARefusedRecord(t *testing.T) {
	clock := NewClock()
	server, err := intercomsim.New(intercomsim.Config{Token: intercomsim.Sandbox.Secret["token"], Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	v := verifiables["intercom"]
	w := NewOf(t, clock, []Service{{Vendor: intercom.Vendor, Server: server, Secret: intercomsim.Sandbox.Secret}}, load(t, v.folder(t, ""), []dest.Vendor{intercom.Vendor}))
	w.delivered(t, "main", "q1", v.rows...)
	w.delivered(t, "people", "q2", v.change)
	if err := server.Core().AddFault(sandbox.Fault{Match: "/contacts/" + w.held(t, "main", "b").Held.ID, Count: -1, Status: 400, Body: `{"type":"error.list","request_id":"x","errors":[{"code":"parameter_invalid","message":"no"}]}`}); err != nil {
		t.Fatal(err)
	}
	if got := w.verified(t, "intercom", verify.Request{Mend: true}); states(got) != "1 same, 1 changed, 1 nothing_readable" || got.Compared != 2 || got.Mended != 1 {
		t.Errorf("%s: %+v", states(got), got)
	}
}

// An external id that somebody changed is told, though no mapping names it, and is not
// mended: the row would make a second record.
func TestVerifyOfAChangedExternalID(t *testing.T) {
	v := verifiables["salesforce"]
	w := v.world(t, v.folder(t, ""))
	w.delivered(t, "main", "q1", v.rows...)
	held := w.held(t, "main", "a")
	v.target = "destination_object: Account\noperation: update\nmatching_strategy: field\nmatch: {source: k, destination: Id}\n"
	v.changes = "  - {source: v, destination: Customer_ID__c}\n"
	dir := v.folder(t, "")
	for _, name := range []string{"main", "removals"} {
		if err := os.Remove(filepath.Join(dir, name+".yaml")); err != nil {
			t.Fatal(err)
		}
	}
	w.Apply(t, Load(t, dir))
	w.delivered(t, "people", "q2", fmt.Sprintf(`{"k":%q,"v":"z"}`, held.Held.ID))
	got := w.verified(t, "salesforce", verify.Request{Mend: true})
	if states(got) != "2 same, 1 changed" || got.Mended != 0 || got.Unmended != 1 || !got.Records[0].Another || got.Fields["Customer_ID__c"] != 1 {
		t.Errorf("%s: %+v", states(got), got)
	}
	if got := w.delivered(t, "main", "q3", v.rows...); got != "0 delivered, 3 unchanged" {
		t.Error(got)
	}
}

// held is a key's entry in a sync's ledger.
func (w *World) held(t *testing.T, sync, key string) ledger.Entry {
	t.Helper()
	version, err := w.Store.Current(t.Context(), sync)
	if err != nil {
		t.Fatal(err)
	}
	held, err := w.Store.Entries(t.Context(), ledger.Target(&version.Definition, &version.Rules, 0), []string{key})
	if err != nil {
		t.Fatal(err)
	}
	return held[key]
}

// A record of an update by its id that was merged into another one is that one, and no
// other external id.
func TestVerifyOfAMergedRecordByItsID(t *testing.T) {
	v := verifiables["hubspot"]
	clock := NewClock()
	server, err := hubspotsim.New(hubspotsim.Options{Token: hubspotsim.Sandbox.Secret["token"], Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	ids, err := server.Seed("contacts", func(yield func(map[string]string) bool) {
		_ = yield(map[string]string{"email": "a@b.example"}) && yield(map[string]string{"email": "b@b.example"})
	})
	if err != nil {
		t.Fatal(err)
	}
	v.target = "destination_object: contacts\noperation: update\nmatching_strategy: external_id\nmatch: {source: k, destination: hs_object_id}\n"
	v.fields = "  - {source: name, destination: firstname}\n"
	dir := v.folder(t, "")
	if err := os.Remove(filepath.Join(dir, "removals.yaml")); err != nil {
		t.Fatal(err)
	}
	w := NewOf(t, clock, []Service{{Vendor: hubspot.Vendor, Server: server, Secret: hubspotsim.Sandbox.Secret}}, load(t, dir, []dest.Vendor{hubspot.Vendor}))
	w.delivered(t, "main", "q1", fmt.Sprintf(`{"k":%q,"name":"Ann"}`, ids[0]))
	if err := server.Merge("contacts", ids[0], ids[1]); err != nil {
		t.Fatal(err)
	}
	w.delivered(t, "main", "q2", fmt.Sprintf(`{"k":%q,"name":"Anne"}`, ids[0]))
	if got := w.verified(t, "hubspot", verify.Request{}); states(got) != "1 same" {
		t.Errorf("%s: %+v", states(got), got)
	}
}
