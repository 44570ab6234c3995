package apptest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/sandbox"
	salesforcesim "github.com/penstock-data/penstock/shared/sandbox/salesforce"
)

// What is not a whole answer to a lookup is no answer: nothing is created, and no
// row is said not to be found. The rows come back by themselves and are created once.
func TestLookupsWithoutAnswer(t *testing.T) {
	for name, f := range map[string]sandbox.Fault{
		"{}":               {Status: 200, Body: `{}`},
		"no parts":         {Status: 200, Body: `{"compositeResponse":[]}`},
		"a part is {}":     {Find: `"body":\{.*\},"httpHeaders"`, Replace: `"body":{},"httpHeaders"`},
		"no records":       {Find: `"totalSize":\d+`, Replace: `"totalSize":5`},
		"not done":         {Find: `"done":true`, Replace: `"done":false`},
		"5, not done":      {Find: `"totalSize":\d+,"done":true`, Replace: `"totalSize":5,"done":false`},
		"fewer parts":      {Shorten: 1},
		"more parts":       {Lengthen: 1},
		"HTML":             {Status: 200, ContentType: "text/html", Body: "<html>maintenance</html>"},
		"nothing":          {Status: 200},
		"cut off":          {Cut: -30},
		"null":             {Status: 200, Body: `null`},
		"an empty list":    {Status: 200, Body: `[]`},
		"a part says 500":  {Find: `"httpStatusCode":200`, Replace: `"httpStatusCode":500`},
		"records are null": {Find: `"records":\[[^\]]*\]`, Replace: `"records":null`},
	} {
		t.Run(name, func(t *testing.T) {
			w := faulty(t)
			w.Vendors.SeedAccounts(t, "there.example")
			f.Match, f.Count = "POST /composite", -1
			w.fault(t, f)
			id := w.Push(t, "q", "q:1", domain("a", "x@there.example", 1), domain("b", "x@new.example", 2))[0].Run
			w.Drain(t, "salesforce")
			if n := w.Vendors.Salesforce.Count("Account"); n != 1 {
				t.Fatalf("%d Accounts, one of them made without an answer", n)
			}
			for kind := range w.errorTypes(t, id) {
				if kind == "not_found" || kind == "missing" || kind == "unknown" {
					t.Errorf("a row is said to be %s", kind)
				}
			}
			w.Vendors.Salesforce.Core().ClearFaults()
			w.Pass(t, 2*time.Hour)
			want := map[string]string{"there.example": "1", "new.example": "2"}
			if d := cmp.Diff(want, w.Vendors.Accounts("Daily_Active_Users__c")); d != "" {
				t.Errorf("afterwards: %s%+v", d, w.Errors(t, id))
			}
		})
	}
}

// Lookups that the vendor finds too complicated are halved until it takes them: whoever is
// there is updated, who is not is created once, and no row is blamed.
func TestLookupsTooComplicated(t *testing.T) {
	calls := map[int]int64{}
	for _, most := range []int{0, 40} { // values a query; 0 is no limit
		w := newStrict(t, Load(t, "testdata/faults"), salesforcesim.Options{MaxLiterals: most})
		var there []string
		var rows [][]string
		want := map[string]string{}
		for n := range 100 {
			name := fmt.Sprintf("company%d.example", n)
			if n%2 == 0 {
				there = append(there, name)
			}
			rows = append(rows, domain(fmt.Sprint("c", n), "x@"+name, n))
			want[name] = fmt.Sprint(n)
		}
		w.Vendors.SeedAccounts(t, there...)
		id := w.Push(t, "q", "q:1", rows...)[0].Run
		w.Drain(t, "salesforce")
		if d := cmp.Diff(want, w.Vendors.Accounts("Daily_Active_Users__c")); d != "" {
			t.Errorf("at most %d values: %s", most, d)
		}
		if n := w.Vendors.Salesforce.Count("Account"); n != len(rows) {
			t.Errorf("at most %d values: %d Accounts", most, n)
		}
		if errs := w.Errors(t, id); len(errs) != 0 {
			t.Errorf("at most %d values: %+v", most, errs)
		}
		calls[most] = w.Vendors.Salesforce.Core().Calls().Total
	}
	if calls[40] <= calls[0] || calls[40] > calls[0]+20 {
		t.Errorf("%v calls: nothing was refused, or more was made anew than had to be", calls)
	}
	t.Log(calls)
}

func domain(id, email string, n int) []string {
	return []string{`"domains"`, fmt.Sprintf(`{"id":%q,"email":%q,"name":"Customer %s","n":%d}`, id, email, id, n)}
}
