package apptest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/hubspot"
	"github.com/penstock-data/penstock/shared/dest/intercom"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sandbox"
	hubspotsim "github.com/penstock-data/penstock/shared/sandbox/hubspot"
	intercomsim "github.com/penstock-data/penstock/shared/sandbox/intercom"
	"github.com/penstock-data/penstock/shared/verify"
)

// crmFolder writes syncs, whose rows are named by k, and their connection crm.
func crmFolder(t *testing.T, connection string, syncs map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{"connections": "connections:\n  crm: {" + connection + "}\n"}
	for name, text := range syncs {
		files[name] = "connection: crm\nrecord_id: k\n" + text
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// hubspotOf is a World of syncs to HubSpot.
func hubspotOf(t *testing.T, syncs map[string]string) (*World, *hubspotsim.Server) {
	t.Helper()
	clock := NewClock()
	server, err := hubspotsim.New(hubspotsim.Options{Token: hubspotsim.Sandbox.Secret["token"], Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	dir := crmFolder(t, "type: hubspot", syncs)
	return NewOf(t, clock, []Service{{Vendor: hubspot.Vendor, Server: server, Secret: hubspotsim.Sandbox.Secret}}, load(t, dir, []dest.Vendor{hubspot.Vendor})), server
}

// intercomOf is a World of syncs to Intercom, whose search shows a contact after a time.
func intercomOf(t *testing.T, lag time.Duration, syncs map[string]string) (*World, *intercomsim.Server) {
	t.Helper()
	clock := NewClock()
	server, err := intercomsim.New(intercomsim.Config{Token: intercomsim.Sandbox.Secret["token"], Now: clock.Now, SearchLag: lag})
	if err != nil {
		t.Fatal(err)
	}
	dir := crmFolder(t, "type: intercom", syncs)
	return NewOf(t, clock, []Service{{Vendor: intercom.Vendor, Server: server, Secret: intercomsim.Sandbox.Secret}}, load(t, dir, []dest.Vendor{intercom.Vendor})), server
}

// lastErrors are the types of the errors of a sync's last run.
func (w *World) lastErrors(t *testing.T, sync string) []string {
	t.Helper()
	recent, err := w.Store.RecentRuns(t.Context(), sync, 1)
	if err != nil || len(recent) == 0 {
		t.Fatalf("%s: %v", sync, err)
	}
	var out []string
	for _, e := range w.Errors(t, recent[0].ID) {
		out = append(out, e.Type)
	}
	return out
}

// A contact is removed by its own address. One that has the row's as a secondary address,
// which a merge makes of it, is another's: it stays as it is. An upsert writes it all the
// same, and its plan says so.
func TestSecondaryAddressRemovesNobody(t *testing.T) {
	const target = "destination_object: contacts\nmatching_strategy: email\nmatch: {source: mail, destination: email}\n"
	w, server := hubspotOf(t, map[string]string{
		"gone": target + "operation: delete\non_delete: archive\n",
		"main": target + "field_mappings:\n  - {source: name, destination: firstname}\n",
	})
	ids, err := server.Seed("contacts", slices.Values([]map[string]string{{"email": "main@b.example", "firstname": "Kept"}, {"email": "old@b.example", "firstname": "Old"}}))
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Merge("contacts", ids[1], ids[0]); err != nil {
		t.Fatal(err)
	}
	if got := w.delivered(t, "gone", "q1", `{"k":"a","mail":"old@b.example"}`, `{"k":"b","mail":"nobody@b.example"}`); got != "0 delivered, 1 unchanged" {
		t.Errorf("a merged address: %s", got)
	}
	if got := w.lastErrors(t, "gone"); !slices.Equal(got, []string{"secondary_match"}) {
		t.Errorf("a merged address: errors %v", got)
	}
	if got := server.Record("contacts", "email", "main@b.example"); got["firstname"] != "Kept" || server.Count("contacts") != 1 {
		t.Fatalf("left is %v, of %d", got, server.Count("contacts"))
	}
	if lines, _, _ := w.looked(t, "hubspot", "main", run.Incremental, -1, `{"k":"a","mail":"old@b.example","name":"New"}`); !slices.Equal(lines, []string{"create update there"}) {
		t.Errorf("the plan of an upsert: %v", lines)
	}
	if got := w.delivered(t, "main", "q2", `{"k":"a","mail":"old@b.example","name":"New"}`); got != "1 delivered, 0 unchanged" || server.Record("contacts", "email", "main@b.example")["firstname"] != "New" {
		t.Errorf("an upsert: %s, %v", got, server.Record("contacts", "email", "main@b.example"))
	}
	if got := w.delivered(t, "gone", "q3", `{"k":"b","mail":"Main@b.example"}`); got != "1 delivered, 0 unchanged" || server.Count("contacts") != 0 {
		t.Errorf("its own address: %s, %d left", got, server.Count("contacts"))
	}
}

// Of an insert whose answer leaves a record out, or does not say which ones it refuses, the
// records that it names are delivered. What was left out is looked for, where that can be.
func TestInsertsAnsweredInPart(t *testing.T) {
	const fields = "field_mappings:\n  - {source: mail, destination: email}\n  - {source: n, destination: ltv_usd}\n"
	const match = "matching_strategy: email\nmatch: {source: mail, destination: email}\n"
	short := sandbox.Fault{Match: "POST /batch/create", Shorten: 1}
	loose := sandbox.Fault{Match: "POST /batch/create", Find: `"objectWriteTraceId":\["\d+"\]`, Replace: `"x":[]`, Count: -1}
	for name, c := range map[string]struct {
		match  string
		fault  sandbox.Fault
		bad    bool
		want   string
		errors []string
	}{
		"one is left out":           {"", short, false, "19 delivered, 0 unchanged", []string{"unknown"}},
		"one is left out and found": {match, short, false, "20 delivered, 0 unchanged", nil},
		"two errors without a name": {"", loose, true, "18 delivered, 0 unchanged", []string{"INVALID_INTEGER", "INVALID_INTEGER"}},
	} {
		w, server := hubspotOf(t, map[string]string{"main": "destination_object: contacts\noperation: insert\n" + c.match + fields})
		if err := server.Core().AddFault(c.fault); err != nil {
			t.Fatal(err)
		}
		var rows []string
		for n := range 20 {
			value := "1"
			if c.bad && (n == 3 || n == 7) {
				value = "abc"
			}
			rows = append(rows, fmt.Sprintf(`{"k":"k%d","mail":"a%d@b.example","n":%q}`, n, n, value))
		}
		if got := w.delivered(t, "main", "q1", rows...); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if got := w.lastErrors(t, "main"); !slices.Equal(got, c.errors) {
			t.Errorf("%s: errors %v, want %v", name, got, c.errors)
		}
		if want := 20 - len(c.errors)*map[bool]int{true: 1}[c.bad]; server.Count("contacts") != want {
			t.Errorf("%s: %d contacts", name, server.Count("contacts"))
		}
	}
}

// An address that is mapped beside the match is written without the blanks around it, and
// compares so.
func TestVerifyAnAddressWithBlanks(t *testing.T) {
	w, _ := hubspotOf(t, map[string]string{"main": "destination_object: contacts\nmatching_strategy: external_id\nmatch: {source: k, destination: customer_id}\n" +
		"field_mappings:\n  - {source: mail, destination: email, transform: [lower]}\n"})
	w.delivered(t, "main", "q1", `{"k":"a","mail":" A@b.example\t"}`, `{"k":"b","mail":"b@b.example"}`)
	if got := states(w.verified(t, "hubspot", verify.Request{})); got != "2 same" {
		t.Error(got)
	}
}

// A lead meets no conflict by its email, and the search shows it after minutes: one that may
// have been made is looked for then, and one that was made is known by its id.
func TestLeadIsMadeOnce(t *testing.T) {
	for name, f := range map[string]sandbox.Fault{
		"an error":           {Match: "POST /contacts", Holding: `"role"`, AfterCommit: true, Status: 504},
		"no answer":          {Match: "POST /contacts", Holding: `"role"`, DropAfterCommit: true},
		"a page":             {Match: "POST /contacts", Holding: `"role"`, AfterCommit: true, Status: 200, Body: "<html>"},
		"its tag fails":      {Match: "POST /tags", Status: 500, Body: "oops"},
		"its tag is slowed":  {Match: "/tags", Holding: `"id"`, Status: 429, Body: `{"type":"error.list","errors":[{"code":"too_many_requests","message":"slow"}]}`},
		"its tag is refused": {Match: "/tags", Holding: `"id"`, Count: 2, Status: 422, Body: `{"type":"error.list","errors":[{"code":"parameter_invalid","message":"no"}]}`},
	} {
		for _, role := range []string{"user", "lead"} {
			w, server := intercomOf(t, 3*time.Minute, map[string]string{"main": "destination_object: contact\nmatching_strategy: email\nmatch: {source: mail, destination: email}\n" +
				"field_mappings:\n  - {source: name, destination: name}\n  - {source: role, destination: role}\n  - {source: tags, destination: tags, data_type: json}\nintercom: {managed_tags: [x]}\n"})
			if err := server.Core().AddFault(f); err != nil {
				t.Fatal(err)
			}
			row := func(name string) string {
				return fmt.Sprintf(`{"k":"a","mail":"a@b.example","name":%q,"role":%q,"tags":["x"]}`, name, role)
			}
			w.delivered(t, "main", "q1", row("Jane"))
			server.Core().ClearFaults()
			w.Pass(t, 15*time.Minute)
			if c := server.Contacts()[0]; len(c.Tags) != 1 && name != "its tag is refused" {
				t.Errorf("%s, %s: it did not come back by itself: %+v", name, role, c)
			}
			got := w.delivered(t, "main", "q2", row("Janet"))
			contacts := server.Contacts()
			if len(contacts) != 1 || got != "1 delivered, 0 unchanged" || contacts[0].Values["name"] != "Janet" || len(contacts[0].Tags) != 1 {
				t.Errorf("%s, %s: %s, %+v", name, role, got, contacts)
			}
		}
	}
}

// Of a number that has more digits than Intercom keeps nothing is said; of any other one it
// is seen that people changed it.
func TestVerifyNumbersOfManyDigits(t *testing.T) {
	w, server := intercomOf(t, 0, map[string]string{
		"main": "destination_object: contact\nmatching_strategy: external_id\nmatch: {source: k, destination: external_id}\n" +
			"field_mappings:\n  - {source: score, destination: score, data_type: number}\nintercom: {create_attributes: true}\n",
		"people": "destination_object: contact\nmatching_strategy: external_id\nmatch: {source: k, destination: external_id}\n" +
			"field_mappings:\n  - {source: score, destination: score, data_type: number}\n",
	})
	rows := []string{`{"k":"a","score":0.3333333333333333333333}`, `{"k":"b","score":1234567890.123456789012}`, `{"k":"c","score":12345678901234567890}`, `{"k":"d","score":100000000000000000001}`, `{"k":"e","score":"0.50"}`}
	w.delivered(t, "main", "q1", rows...)
	got := w.verified(t, "intercom", verify.Request{})
	if states(got) != "5 same" || got.Unsure["score"] != 4 || len(got.Notes) != 1 || got.Notes[0].Field != "score" {
		t.Errorf("%s, unsure %v, notes %v: %+v", states(got), got.Unsure, got.Notes, server.Contacts())
	}
	w.delivered(t, "people", "q2", `{"k":"a","score":0.25}`, `{"k":"e","score":0.7}`)
	if got := states(w.verified(t, "intercom", verify.Request{})); got != "3 same, 2 changed" {
		t.Errorf("changed by people: %s", got)
	}
}
