package apptest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sandbox"
)

// Intercom takes one contact a call: a proxy that refuses every change halts the version,
// and one that refuses a single contact costs this one only.
func TestRefusedSingleCalls(t *testing.T) {
	const people = 40
	for name, f := range map[string]sandbox.Fault{
		"all": {Match: "PUT", Status: 502, ContentType: "text/html", Body: "<html>Bad Gateway</html>", Count: -1},
		"one": {Match: "PUT", Holding: "0.1234", Status: 502, ContentType: "text/html", Body: "<html>Bad Gateway</html>", Count: -1},
	} {
		w, server := NewIntercom(t)
		push := func(n int) string {
			query := fmt.Sprint("q", n)
			var rows [][]string
			for i := range people {
				score := fmt.Sprint("0.", n)
				if n == 2 && i == 17 {
					score = "0.1234"
				}
				rows = append(rows, []string{`"intercom_health"`, fmt.Sprintf(`{"USER_EMAIL":"p%d@acme.com","HEALTH_SCORE_DECIMAL":%s,"RISK_CATEGORY":"low_risk","CUSTOM_ATTRIBUTES":{},"USER_TAGS":[]}`, i, score)})
			}
			return w.Push(t, query, query+":1", rows...)[0].Run
		}
		push(1)
		w.Drain(t, "intercom")
		if err := server.Core().AddFault(f); err != nil {
			t.Fatal(err)
		}
		id := push(2)
		before := server.Core().Calls().Total
		w.Drain(t, "intercom")
		v, err := w.Store.Current(t.Context(), "intercom_health")
		if err != nil {
			t.Fatal(err)
		}
		h, err := w.Store.Halt(t.Context(), "intercom_health", v.ID)
		calls, errs := server.Core().Calls().Total-before, w.Errors(t, id)
		switch name {
		case "all":
			if err != nil || len(errs) > 0 || calls > 80 {
				t.Errorf("halt %+v, %v; %d errors, %d calls", h, err, len(errs), calls)
			}
		case "one":
			if !errors.Is(err, run.ErrNotFound) || len(errs) != 1 || errs[0].RecordID != "p17@acme.com" && errs[0].Key != "p17@acme.com" {
				t.Errorf("halt %+v, %v; %d errors: %+v", h, err, len(errs), errs)
			}
		}
		server.Core().ClearFaults()
		w.Pass(t, 15*time.Minute)
		if r := w.Run(t, id); r.Counts.Delivered+r.Retried != people {
			t.Errorf("%s: %+v, %d came back", name, r.Counts, r.Retried)
		}
	}
}
