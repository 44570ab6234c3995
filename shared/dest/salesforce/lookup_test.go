package salesforce_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/salesforce"
	"github.com/penstock-data/penstock/shared/sandbox"
	simulator "github.com/penstock-data/penstock/shared/sandbox/salesforce"
	"github.com/penstock-data/penstock/shared/syncdef"
)

func matching(strategy syncdef.Strategy, destination string) syncdef.Definition {
	def := byExternalID
	def.Strategy, def.OnMissing = strategy, syncdef.Report
	def.Match = syncdef.Match{Source: "x", Destination: destination}
	return def
}

func seed(t testing.TB, sim *simulator.Simulator, fields []string, rows ...[]string) {
	t.Helper()
	if err := sim.Seed("Account", fields, slices.Values(rows)); err != nil {
		t.Fatal(err)
	}
}

func keyed(keys ...string) dest.Batch {
	b := dest.Batch{Run: "r:1"}
	for _, k := range keys {
		b.Records = append(b.Records, dest.Record{Key: k, RecordID: k})
	}
	return b
}

// lookUp makes all lookups of a batch and writes each record's answer.
func lookUp(t *testing.T, d *salesforce.Salesforce, b dest.Batch) []dest.Outcome {
	t.Helper()
	out := make([]dest.Outcome, len(b.Records))
	for _, c := range d.Lookups(b) {
		got, err := d.Lookup(t.Context(), b, c)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(c.Records) {
			t.Fatalf("%d outcomes for %d records", len(got), len(c.Records))
		}
		for i, at := range c.Records {
			out[at] = got[i]
		}
	}
	return out
}

func short(o dest.Outcome) string {
	switch o.Status {
	case dest.Found:
		return o.ID
	case dest.Pending:
		return "pending"
	}
	return o.Code
}

func TestLookupByDomain(t *testing.T) {
	d, sim := start(t, matching(syncdef.MatchEmailDomain, "Website"))
	seed(t, sim, []string{"Name", "Website"},
		[]string{"Acme", "https://www.AcmeCorp.com/about?x=1"},
		[]string{"Near", "notacmecorp.com"},
		[]string{"Near", "http://acmecorp.com.au"},
		[]string{"One", "twice.example"}, []string{"Two", "https://twice.example"},
		[]string{"U", "under_score.example"}, []string{"V", "underXscore.example"},
		[]string{"M1", "many.example"}, []string{"M2", "many.example"}, []string{"M3", "many.example"}, []string{"M4", "many.example"}, []string{"M5", "many.example"},
		[]string{"None", ""},
	)
	b := keyed("acmecorp.com", "twice.example", "nowhere.example", "many.example", "o'brien.example")
	got := lookUp(t, d, b)
	var codes []string
	for _, o := range got {
		codes = append(codes, short(o))
	}
	if want := []string{"0015g0000000001AAA", "ambiguous_match", "no_match", "ambiguous_match", "no_match"}; !slices.Equal(codes, want) {
		t.Errorf("%v, want %v", codes, want)
	}
	for i, parts := range map[int][]string{
		1: {"2 records of Account", "0015g0000000004AAA, 0015g0000000005AAA", "merge"},
		2: {`no Account matches "nowhere.example" by Website`, "on_missing: create"},
		3: {"5 records", "0015g0000000008AAA, 0015g0000000009AAA, 0015g000000000AAAQ)"},
	} {
		for _, part := range parts {
			if !strings.Contains(got[i].Message, part) {
				t.Errorf("record %d: %q lacks %q", i, got[i].Message, part)
			}
		}
	}
	if calls := d.APICalls(); calls != 1 {
		t.Errorf("%d API calls", calls)
	}
}

func TestLookupByText(t *testing.T) {
	for _, strategy := range []struct {
		name syncdef.Strategy
		keys []string
	}{
		{syncdef.MatchField, []string{"o'brien & söhne", `back\slash`, "100%", "missing"}},
		{syncdef.MatchName, []string{"o'brien & söhne", `back\slash`, "100%", "missing"}},
	} {
		d, sim := start(t, matching(strategy.name, "Name"))
		seed(t, sim, []string{"Name"}, []string{"O'Brien & Söhne"}, []string{`Back\Slash`}, []string{"100%"}, []string{"1005"})
		var codes []string
		for _, o := range lookUp(t, d, keyed(strategy.keys...)) {
			codes = append(codes, short(o))
		}
		if want := []string{"0015g0000000001AAA", "0015g0000000002AAA", "0015g0000000003AAA", "no_match"}; !slices.Equal(codes, want) {
			t.Errorf("%s: %v, want %v", strategy.name, codes, want)
		}
	}
}

// TestLookupCounts wants full calls, and only for the records that need one.
func TestLookupCounts(t *testing.T) {
	d, sim := start(t, matching(syncdef.MatchEmailDomain, "Website"))
	const n = 2500
	var rows [][]string
	var keys []string
	for i := range n {
		keys = append(keys, fmt.Sprintf("customer%05d.example", i))
		rows = append(rows, []string{fmt.Sprint(i), "https://" + keys[i] + "/"})
	}
	seed(t, sim, []string{"Name", "Website"}, rows...)
	b := keyed(keys...)
	b.Records[7].ID = "0015g0000000008AAA"
	calls := d.Lookups(b)
	if len(calls) != 3 || slices.Contains(calls[0].Records, 7) {
		t.Fatalf("%d calls", len(calls))
	}
	for i, o := range lookUp(t, d, b) {
		if i != 7 && o.Status != dest.Found {
			t.Fatalf("record %d: %+v", i, o)
		}
	}
	if got := d.APICalls(); got != 3 {
		t.Errorf("%d API calls", got)
	}
}

// TestLookupPages has more rows behind its keys than one page holds; the further
// calls are counted.
func TestLookupPages(t *testing.T) {
	d, sim := start(t, matching(syncdef.MatchEmailDomain, "Website"))
	var rows [][]string
	for i := range 4500 {
		rows = append(rows, []string{fmt.Sprint(i), fmt.Sprintf("shop%d.bigmarket.example", i)})
	}
	seed(t, sim, []string{"Name", "Website"}, append(rows, []string{"Exact", "bigmarket.example"})...)
	out := lookUp(t, d, keyed("bigmarket.example"))
	if out[0].Status != dest.Found || d.APICalls() != 3 {
		t.Errorf("%+v after %d calls", out[0], d.APICalls())
	}
}

func TestMissingIsCreated(t *testing.T) {
	def := matching(syncdef.MatchEmailDomain, "Website")
	def.OnMissing = syncdef.Create
	d, sim := start(t, def)
	b := keyed("new.example")
	b.Records[0].Fields = []dest.Field{field("Name", `"New"`)}
	if out := lookUp(t, d, b); out[0].Status != dest.Pending {
		t.Fatalf("%+v", out[0])
	}
	out, err := d.Push(t.Context(), b, d.Calls(b)[0])
	if err != nil || out[0].Status != dest.Delivered || !out[0].Created {
		t.Fatalf("%+v %v", out, err)
	}
	if got := stored(sim, "Website", "new.example", "Name"); got["Name"] != "New" || got["Id"] != out[0].ID {
		t.Errorf("stored %v", got)
	}
	// A create whose answer was lost is found by the next attempt's lookup.
	if out := lookUp(t, d, b); out[0].Status != dest.Found {
		t.Errorf("%+v", out[0])
	}
}

func TestUpdateByExternalIDNeverCreates(t *testing.T) {
	def := byExternalID
	def.Operation = syncdef.Update
	d, sim := start(t, def)
	seed(t, sim, []string{"Name", "Customer_ID__c"}, []string{"One", "c1"})
	b := keyed("c1", "c2")
	out := lookUp(t, d, b)
	if out[0].ID != "0015g0000000001AAA" || out[1].Code != "no_match" || strings.Contains(out[1].Message, "on_missing") {
		t.Errorf("%+v", out)
	}
}

// TestLookupFails wants a failed query to fail the call: its keys would otherwise
// read as missing.
func TestLookupFails(t *testing.T) {
	d, _ := start(t, matching(syncdef.MatchField, "Nope__c"))
	b := keyed("x")
	_, err := d.Lookup(t.Context(), b, d.Lookups(b)[0])
	failed := callError(t, err)
	if failed.Class != dest.Configuration || failed.Code != "INVALID_FIELD" {
		t.Errorf("%+v", failed)
	}
}

// TestLookupQuotesNoKey wants what Salesforce quotes of a query, keys included,
// to stay out of an error that is logged (I6).
func TestLookupQuotesNoKey(t *testing.T) {
	d, sim := start(t, matching(syncdef.MatchField, "Name"))
	b := keyed("secret-key")
	for code, text := range map[string]string{
		"INVALID_FIELD":   `\nWHERE Name IN ('secret-key'\n      ^\nERROR at Row:1:Column:7\nNo such column 'Name'`,
		"MALFORMED_QUERY": "unexpected token: 'secret-key'",
	} {
		body := `{"compositeResponse":[{"body":[{"errorCode":"` + code + `","message":"` + text + `"}],"httpStatusCode":400,"referenceId":"q0"}]}`
		if err := sim.Core().AddFault(sandbox.Fault{Match: "/composite", Status: 200, Body: body}); err != nil {
			t.Fatal(err)
		}
		_, err := d.Lookup(t.Context(), b, d.Lookups(b)[0])
		failed := callError(t, err)
		if failed.Class != dest.Configuration || failed.Code != code || strings.Contains(failed.Error(), "secret-key") {
			t.Errorf("%+v", failed)
		}
	}
}
