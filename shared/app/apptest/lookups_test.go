package apptest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/sandbox"
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

func domain(id, email string, n int) []string {
	return []string{`"domains"`, fmt.Sprintf(`{"id":%q,"email":%q,"name":"Customer %s","n":%d}`, id, email, id, n)}
}
