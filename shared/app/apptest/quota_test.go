package apptest

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sandbox"
)

// A quota is how many calls of a vendor's API 1,000 changed rows may cost at the most:
// the vendor's cap of records a call, and 5% more.
type quota struct {
	world func(*testing.T) (*World, *sandbox.Core)
	queue string
	row   func(i, pass int) []string
	calls int64 // for 1,000 rows that changed
	more  int64 // for 1,000 rows that are met for the first time: lookups, lists of names
	tags  int64 // for 1,000 rows whose tags changed too
}

// quotas are all destination types, each with the caps of its vendor's documentation:
// 200 records a call of sObject Collections, 100 of a HubSpot batch, 2,000 of an
// Amplitude batch (a request of the warehouse has 1,000), one contact, one message.
func quotas() map[string]quota {
	salesforce := func(t *testing.T) (*World, *sandbox.Core) {
		w := faulty(t)
		return w, w.Vendors.Salesforce.Core()
	}
	return map[string]quota{
		"salesforce": {salesforce, "salesforce", func(i, pass int) []string { return account("accounts", fmt.Sprintf("c%04d", i), i+pass) }, 5, 0, 0},
		// Lookups ask for several hundred keys a call.
		"salesforce by domain": {salesforce, "salesforce", func(i, pass int) []string {
			return domain(fmt.Sprint(i), fmt.Sprintf("a@c%04d.example", i), i+pass)
		}, 5, 10, 0},
		"hubspot": {func(t *testing.T) (*World, *sandbox.Core) {
			w, s := NewHubSpot(t)
			return w, s.Core()
		}, "hubspot", func(i, pass int) []string {
			return object("hubspot_contacts", `{"CUSTOMER_ID":%d,"EMAIL":"p%d@acme.example","LTV_USD":%d,"LTV_SEGMENT":"low","RENEWAL_DATE":null,"INTERESTS":null,"UPDATED_AT":%d}`, i, i, i+pass, pass)
		}, 10, 0, 0},
		"amplitude": {func(t *testing.T) (*World, *sandbox.Core) {
			w, s := NewAmplitude(t)
			return w, s.Core()
		}, "amplitude", func(i, pass int) []string {
			return object("amplitude_usage", `{"CUSTOMER_ID":"cust_%04d","DAILY_ACTIVE_USERS":%d,"FEATURE_ADOPTION":0.5,"API_CALLS_TREND":"up","FIRST_PLAN":"a","UPDATED_AT":%d}`, i, i+pass, pass)
		}, 1, 0, 0},
		// 67 lookups of 15 contacts, and a few calls that read and make attributes and tags.
		"intercom": {func(t *testing.T) (*World, *sandbox.Core) {
			w, s := NewIntercom(t)
			return w, s.Core()
		}, "intercom", func(i, pass int) []string {
			tags := `["high_value"]`
			if pass == 2 {
				tags = `["standard_value"]`
			}
			return object("intercom_health", `{"USER_EMAIL":"p%d@acme.example","HEALTH_SCORE_DECIMAL":0.%d,"RISK_CATEGORY":"low","CUSTOM_ATTRIBUTES":{"n":%d},"USER_TAGS":%s}`, i, 5+pass, i+pass, tags)
		}, 1000, 67 + 1000 + 10, 2000},
		"slack": {func(t *testing.T) (*World, *sandbox.Core) {
			w := NewWith(t, Load(t, "testdata/quota"))
			return w, w.Vendors.Slack.Core()
		}, "slack", func(i, pass int) []string {
			return object("each", `{"id":"%d-%d","text":"alert %d"}`, pass, i, i)
		}, 1000, 1, 0}, // the list of channels
	}
}

// openCalls are what a connection costs whenever it is opened or read again: the login, and
// whose account it is.
var openCalls = []string{"POST /services/oauth2/token", "GET /", "GET /account-info/2026-09/details", "GET /me", "POST /api/auth.test"}

// object is a row of a sync.
func object(sync, format string, args ...any) []string {
	return []string{fmt.Sprintf("%q", sync), fmt.Sprintf(format, args...)}
}

// Calls per 1,000 rows stay within 5% of the vendor's cap, over the whole road: for new
// rows, for changed ones, and for changed tags.
func TestCallsPerThousandRows(t *testing.T) {
	for name, q := range quotas() {
		t.Run(name, func(t *testing.T) {
			w, core := q.world(t)
			for pass, most := range []int64{q.calls + q.more, q.calls, q.calls + q.tags} {
				var rows [][]string
				for i := range 1000 {
					rows = append(rows, q.row(i, pass))
				}
				estimated := w.estimated(t, rows)
				core.ResetCalls()
				query := fmt.Sprintf("q%d", pass)
				id := w.Push(t, query, query+":1", rows...)[0].Run
				w.Settle(t) // a channel's messages wait until their number is known
				w.Pass(t, Quiet)
				r := w.Run(t, id)
				if r.Counts.Delivered != 1000 || r.Outcome != run.Succeeded {
					t.Fatalf("pass %d: %s %+v", pass, r.Outcome, r.Counts)
				}
				calls := core.Calls()
				n := calls.Total
				for _, label := range openCalls {
					n -= calls.By[label]
				}
				// What a plan said before is what it came to, but for lists of names.
				if off := float64(n) - estimated; off > max(10, estimated/10) || -off > max(2, estimated/10) {
					t.Errorf("pass %d: %d calls, and %.0f were estimated: %v", pass, n, estimated, calls.By)
				}
				if n > most+most/20 {
					t.Errorf("pass %d: %d calls, %d at the most and 5%%: %v", pass, n, most, calls.By)
				} else {
					t.Logf("pass %d: %d calls of %d", pass, n, most)
				}
			}
		})
	}
}

// estimated is how many calls a plan of the rows expects.
func (w *World) estimated(t *testing.T, rows [][]string) float64 {
	t.Helper()
	sync, err := strconv.Unquote(rows[0][0])
	if err != nil {
		t.Fatal(err)
	}
	p := runs.PlanRequest{Sync: sync}
	for n, r := range rows {
		p.Rows = append(p.Rows, row.Row{Number: n, Target: sync, Object: jsontext.Value(r[1])})
	}
	planned, err := w.Control.PlanParts(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	var b runs.Bill
	b.Add(planned)
	whole, _, err := w.Control.Estimate(t.Context(), sync, &b)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, one := range planned {
		sum += one.Estimate.Calls
	}
	if sum > whole.Calls+0.01 || sum < whole.Calls-3 {
		t.Errorf("the rows' parts are %.2f calls, and the whole %.0f", sum, whole.Calls)
	}
	return whole.Calls
}

// Two requests in hand are one full batch of Amplitude's.
func TestFullBatches(t *testing.T) {
	w, s := NewAmplitude(t)
	row := quotas()["amplitude"].row
	for n := range 2 {
		var rows [][]string
		for i := range 1000 {
			rows = append(rows, row(n*1000+i, 0))
		}
		w.Push(t, "q", fmt.Sprintf("q:%d", n), rows...)
	}
	w.Drain(t, "amplitude")
	if calls := s.Core().Calls(); calls.Total != 1 || s.Count() != 2000 {
		t.Errorf("%v for %d users", calls.By, s.Count())
	}
}
