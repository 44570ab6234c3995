package hubspot_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/apptest"
	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/hubspot"
	"github.com/penstock-data/penstock/shared/run"
	simulator "github.com/penstock-data/penstock/shared/sandbox/hubspot"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// known is the list of vendors of these tests.
var known = []dest.Vendor{hubspot.Vendor}

func set(t *testing.T) yamlfile.Set {
	t.Helper()
	set, err := yamlfile.Load("testdata/syncs", dest.Kinds(known))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// customer is a row of the sync.
func customer(id, email, ltv, segment string) []string {
	return []string{`"hubspot_contacts"`, fmt.Sprintf(`{"CUSTOMER_ID":%q,"EMAIL":%q,"LTV_USD":%s,"LTV_SEGMENT":%q,"RENEWAL_DATE":"2026-12-31","INTERESTS":["sql","etl"],"UPDATED_AT":"2024-01-15 10:00:00"}`, id, email, ltv, segment)}
}

func server(t *testing.T, change func(*simulator.Options)) *simulator.Server {
	t.Helper()
	opts := simulator.Options{Token: simulator.Sandbox.Secret["token"]}
	if change != nil {
		change(&opts)
	}
	s, err := simulator.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Over the whole road: one bad row of 100 leaves 99 delivered, where the vendor answers
// per record and where it fails the whole batch alike; addresses that differ by case and
// white space are one contact; what did not change costs nothing.
func TestRoad(t *testing.T) {
	for name, whole := range map[string]bool{"an answer per record": false, "a failed batch": true} {
		t.Run(name, func(t *testing.T) {
			clock := apptest.NewClock()
			s := server(t, func(o *simulator.Options) { o.Now, o.WholeBatch = clock.Now, whole })
			w := apptest.NewOf(t, clock, []apptest.Service{{Vendor: hubspot.Vendor, Server: s, Secret: simulator.Sandbox.Secret}}, set(t))
			var rows [][]string
			for i := range 100 {
				email := fmt.Sprintf("Person%d@Example.com", i)
				if i == 42 {
					email = "one@two@three.example"
				}
				rows = append(rows, customer(fmt.Sprintf("c%d", i), email, fmt.Sprintf("%d.5", 1000+i), "low"))
				if i == 43 { // an option that the account lacks
					rows[i][1] = strings.Replace(rows[i][1], `"etl"`, `"knitting"`, 1)
				}
			}
			rows = append(rows, customer("c0", " person0@example.com ", "25", "medium"))
			answers := w.Push(t, "q", "q:1", rows...)
			w.Drain(t, "hubspot")
			w.Pass(t, 10*time.Minute)
			r := w.Run(t, answers[1].Run)
			if r.Counts.Delivered != 98 || r.Counts.Rejected != 1 || r.Counts.Failed != 1 || r.Counts.Superseded != 1 || r.Outcome != run.Partial || s.Count("contacts") != 98 {
				t.Errorf("%s %s %+v, %d contacts", r.Status, r.Outcome, r.Counts, s.Count("contacts"))
			}
			if errs := w.Errors(t, r.ID); !slices.ContainsFunc(errs, func(e run.RowError) bool {
				return e.Type == "INVALID_OPTION" && e.Field == "interests" && e.Due.IsZero()
			}) {
				t.Errorf("errors %+v", errs)
			}
			want := map[string]string{"email": "person0@example.com", "ltv_usd": "25", "ltv_segment": "medium", "renewal_date": "2026-12-31", "interests": "sql;etl"}
			got := s.Record("contacts", "email", "person0@example.com")
			delete(got, "id")
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			calls := s.Core().Calls().Total
			again := w.Push(t, "q2", "q2:1", customer("c0", "PERSON0@example.com", "25.00", "medium"))[0]
			w.Drain(t, "hubspot")
			if w.Run(t, again.Run).Counts.Unchanged != 1 || s.Core().Calls().Total != calls {
				t.Errorf("the same values again: %+v, %d calls", w.Run(t, again.Run).Counts, s.Core().Calls().Total-calls)
			}
			if strings.Contains(w.Log(), "@example") || strings.Contains(strings.ToLower(w.Log()), "person") {
				t.Errorf("the log holds a row's value:\n%s", w.Log())
			}
		})
	}
}

// A contact that was archived in the account since is made anew, whole.
func TestArchivedIsMadeAnew(t *testing.T) {
	clock := apptest.NewClock()
	s := server(t, func(o *simulator.Options) { o.Now = clock.Now })
	w := apptest.NewOf(t, clock, []apptest.Service{{Vendor: hubspot.Vendor, Server: s, Secret: simulator.Sandbox.Secret}}, set(t))
	w.Push(t, "q", "q:1", customer("c1", "a@example.com", "1", "low"))
	w.Drain(t, "hubspot")
	first := s.Record("contacts", "email", "a@example.com")
	r := httptest.NewRequest(http.MethodDelete, "http://127.0.0.1/crm/v3/objects/contacts/"+first["id"], nil)
	r.Header.Set("Authorization", "Bearer "+simulator.Sandbox.Secret["token"])
	s.ServeHTTP(httptest.NewRecorder(), r)
	if s.Count("contacts") != 0 {
		t.Fatal("it is not archived")
	}
	again := w.Push(t, "q2", "q2:1", customer("c1", "a@example.com", "2", "low"))[0]
	w.Drain(t, "hubspot")
	got := s.Record("contacts", "email", "a@example.com")
	if w.Run(t, again.Run).Counts.Delivered != 1 || got["id"] == first["id"] || got["ltv_usd"] != "2" || got["ltv_segment"] != "low" {
		t.Errorf("%+v, %v", w.Run(t, again.Run).Counts, got)
	}
}

// One conflict of 100: another contact holds the unique value already.
func TestConflict(t *testing.T) {
	for name, whole := range map[string]bool{"an answer per record": false, "a failed batch": true} {
		t.Run(name, func(t *testing.T) {
			opts := options()
			opts.WholeBatch = whole
			def := byEmail
			def.Fields = append(slices.Clone(def.Fields), syncdef.Field{Source: "id", Destination: "customer_id"})
			w := start(t, opts, def)
			if _, err := w.sim.Seed("contacts", slices.Values([]map[string]string{{"email": "held@example.com", "customer_id": "C-7"}})); err != nil {
				t.Fatal(err)
			}
			var b dest.Batch
			for i := range 100 {
				r := contact(i)
				if i == 7 {
					r.Fields = append(r.Fields, field("customer_id", `"C-7"`))
				}
				b.Records = append(b.Records, r)
			}
			out, calls := bisected(t, w, b)
			for i, o := range out {
				switch {
				case i != 7 && o.Status != dest.Delivered:
					t.Errorf("record %d: %+v", i, o)
				case i == 7 && (o.Status != dest.Rejected || o.Code != "CONFLICT" || o.Scope != dest.ScopeUntold || strings.Contains(o.Message, "C-7")):
					t.Errorf("the conflict: %+v", o)
				}
			}
			if w.sim.Count("contacts") != 100 || !whole && calls != 1 || whole && calls > 15 {
				t.Errorf("%d contacts, %d calls", w.sim.Count("contacts"), calls)
			}
		})
	}
}

// bisected pushes a batch as deliver does: a refused call is halved down to its rows.
func bisected(t *testing.T, w *world, b dest.Batch) ([]dest.Outcome, int) {
	t.Helper()
	out, calls := make([]dest.Outcome, len(b.Records)), 0
	todo := w.Calls(b, 0)
	for len(todo) > 0 {
		c := todo[0]
		todo = todo[1:]
		calls++
		got, err := w.Push(t.Context(), b, c)
		if call, refused := errors.AsType[*dest.CallError](err); refused && call.Class == dest.Refused && len(c.Records) > 1 {
			half := len(c.Records) / 2
			todo = append(todo, dest.Call{Records: c.Records[:half]}, dest.Call{Records: c.Records[half:]})
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for i, at := range c.Records {
			out[at] = got[i]
		}
	}
	return out, calls
}

// One machine with this list of vendors, called over its gateway.
func TestOneMachine(t *testing.T) {
	s := server(t, nil)
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	lines := apptest.NewLog()
	m, err := machine.New(machine.Config{
		Dir: t.TempDir(), Vendors: known, Endpoints: map[string]string{"hubspot": web.URL},
		Secret: func(context.Context, string, string) (map[string]string, error) { return simulator.Sandbox.Secret, nil },
		Log:    slog.New(slog.NewTextHandler(lines, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	one := set(t).Syncs[0]
	if _, err := m.Runs.Apply(t.Context(), syncdef.NewVersion(one.Definition, one.Rules, time.Now()), one.Connection); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	id := apptest.PostRows(t, m.URL, customer("c1", "a@example.com", "1.5", "high"), customer("c2", "b@example.com", "2", "low"))
	for n := int64(0); n < 2; {
		<-lines.Told // something was done
		got, err := m.Runs.Status(t.Context(), id)
		if err != nil || len(got.Runs) != 1 {
			t.Fatalf("%+v, %v", got, err)
		}
		n = got.Runs[0].Counts.Delivered
	}
	if got := s.Record("contacts", "email", "a@example.com"); s.Count("contacts") != 2 || got["ltv_usd"] != "1.50" && got["ltv_usd"] != "1.5" {
		t.Errorf("%d contacts, %v", s.Count("contacts"), got)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
