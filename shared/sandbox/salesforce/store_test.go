package salesforce

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/sandbox"
)

// TestRestart kills a simulator (never closed) and opens its journal again.
func TestRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "salesforce.journal")
	first := open(t, Options{Core: sandbox.Options{Journal: path}})
	err := first.sim.Seed("Account", []string{"Name", "Website"}, func(yield func([]string) bool) {
		_ = yield([]string{"Seeded", "https://seeded.example"}) && yield([]string{"Bare", ""})
	})
	if err != nil {
		t.Fatal(err)
	}
	first.upsert(`"Customer_ID__c":"c1","Name":"One","Health_Score__c":12.34`, `"Customer_ID__c":"c2","Name":"Two"`)
	first.upsert(`"Customer_ID__c":"c1","Name":"O'Brien 東京"`)
	first.send("DELETE", data+"composite/sobjects?ids=0015g0000000004AAA", "")
	_, _, before := first.send("GET", "/_sandbox/records?object=Account", "")

	second := open(t, Options{Core: sandbox.Options{Journal: path}})
	_, _, after := second.send("GET", "/_sandbox/records?object=Account", "")
	if diff := cmp.Diff(before, after); diff != "" || strings.Count(after, "\n") != 3 {
		t.Errorf("after the restart (-before +after):\n%s\n%s", diff, after)
	}
	if _, body := second.upsert(`"Customer_ID__c":"c1","Phone":"1"`); !strings.Contains(body, `"created":false`) {
		t.Errorf("the external id was forgotten: %s", body)
	}
	third := DefaultSchema()
	third[0].Fields = third[0].Fields[1:]
	if _, err := New(Options{Schema: third, Core: sandbox.Options{Journal: path}}); err == nil {
		t.Error("a journal of another schema was replayed")
	}
}

func TestFailRecords(t *testing.T) {
	o := open(t, Options{})
	if err := o.sim.Core().AddFault(sandbox.Fault{FailRecords: []string{"c2"}, Code: "UNABLE_TO_LOCK_ROW"}); err != nil {
		t.Fatal(err)
	}
	records := []string{`"Customer_ID__c":"c1","Name":"One"`, `"Customer_ID__c":"c2","Name":"Two"`}
	if _, body := o.upsert(append([]string(nil), records...)...); strings.Count(body, `"success":true`) != 1 || !strings.Contains(body, "unable to obtain exclusive access") {
		t.Error(body)
	}
	if _, body := o.upsert(records...); strings.Count(body, `"success":true`) != 2 {
		t.Error(body)
	}
}

// TestDefaultSchemaCoversSyncs reads the destinations of the Salesforce syncs in
// the repository, so that the demo's organisation has every field they write.
func TestDefaultSchemaCoversSyncs(t *testing.T) {
	files, err := filepath.Glob("../../../sql/syncs/s*_*health.yaml")
	if err != nil || len(files) < 2 {
		t.Fatalf("the syncs are not there: %v %v", files, err)
	}
	o := open(t, Options{})
	table := o.sim.tables["account"]
	destination := regexp.MustCompile(`destination: *([A-Za-z0-9_]+)`)
	found := 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range destination.FindAllStringSubmatch(string(b), -1) {
			if found++; m[1] != "" {
				if _, ok := table.field(m[1]); !ok {
					t.Errorf("%s writes %s, which the default schema lacks", filepath.Base(file), m[1])
				}
			}
		}
	}
	if found < 15 {
		t.Errorf("only %d destinations were read", found)
	}
}

// FuzzWrite wants every body answered with one result a record, or refused as a
// whole.
func FuzzWrite(f *testing.F) {
	f.Add([]byte(`{"allOrNone":false,"records":[{"attributes":{"type":"Account"},"Customer_ID__c":"c","Name":"n","Health_Score__c":1e2,"New__c":true}]}`))
	f.Add([]byte(`{"records":[{"attributes":{"type":"Own__c"},"Key__c":"k"},{"Customer_ID__c":" K","attributes":{"type":"account"},"NumberOfEmployees":-7}]}`))
	f.Add([]byte(`{"records":[{"attributes":{"type":"Contact"},"LastName":"n","AccountId":"0015g0000000001","HasOptedOutOfEmail":null}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		sim, err := New(Options{AcceptCustom: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"", "/Account/Customer_ID__c", "/Own__c/Key__c"} {
			r := httptest.NewRequest("PATCH", "http://localhost"+data+"composite/sobjects"+path, bytes.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			if refusal := sim.route(w, r, false); refusal != nil {
				continue
			}
			var answers []struct{ Success bool }
			var sent struct{ Records []json.RawMessage }
			if err := json.Unmarshal(w.Body.Bytes(), &answers); err != nil {
				t.Fatalf("%v: %s", err, w.Body)
			}
			if json.Unmarshal(body, &sent) == nil && len(sent.Records) != len(answers) {
				t.Fatalf("%d answers to %d records", len(answers), len(sent.Records))
			}
		}
	})
}

// TestOrganisationMovesWithItsJournal holds that an organisation is its records,
// wherever these lie.
func TestOrganisationMovesWithItsJournal(t *testing.T) {
	dir := t.TempDir()
	id := func(journal string) string {
		t.Helper()
		opened, err := Sandbox.Open(sandbox.Settings{Journal: journal})
		if err != nil {
			t.Fatal(err)
		}
		defer opened.Close()
		return opened.(*Simulator).opts.OrgID
	}
	first, other := id(filepath.Join(dir, "a")), id(filepath.Join(dir, "b"))
	if first == other || !validID(first) || len(first) != 18 {
		t.Errorf("two organisations: %s and %s", first, other)
	}
	if err := os.Rename(filepath.Join(dir, "a"), filepath.Join(dir, "c")); err != nil {
		t.Fatal(err)
	}
	if moved := id(filepath.Join(dir, "c")); moved != first {
		t.Errorf("moved: %s, was %s", moved, first)
	}
	if one, other := id(""), id(""); one == other {
		t.Error("two organisations in memory are one")
	}
}
