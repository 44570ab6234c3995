package salesforce_test

import (
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/sandbox"
)

// TestConcurrentCalls makes calls at once, as a worker does, while the session
// ends in between: every record is delivered once, and the logins stay few.
func TestConcurrentCalls(t *testing.T) {
	d := start(t, byExternalID)
	sim := d.sim
	b := dest.Batch{}
	for i := range 4000 {
		b.Records = append(b.Records, account(i))
	}
	if err := sim.Core().AddFault(sandbox.Fault{Match: "PATCH", Action: "expire_sessions"}); err != nil {
		t.Fatal(err)
	}
	var g errgroup.Group
	g.SetLimit(d.account.Limits().Concurrency)
	for _, c := range d.Calls(b, 0) {
		g.Go(func() error {
			out, err := d.Push(t.Context(), b, c)
			for _, o := range out {
				if o.Status != dest.Delivered {
					return fmt.Errorf("%+v", o)
				}
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	stats := sim.Core().Calls()
	if n := sim.Count("Account"); n != 4000 || stats.By["POST /services/oauth2/token"] > 2 {
		t.Errorf("%d accounts, %v", n, stats.By)
	}
	if calls := stats.By["PATCH /composite/sobjects/Account/Customer_ID__c"]; calls != d.account.APICalls() || calls > int64(20+d.account.Limits().Concurrency) {
		t.Errorf("the simulator counted %d calls, the destination %d", calls, d.account.APICalls())
	}
}
