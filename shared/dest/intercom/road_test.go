package intercom_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/apptest"
	"github.com/penstock-data/penstock/shared/app/machine"
	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/dest/intercom"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sandbox"
	sim "github.com/penstock-data/penstock/shared/sandbox/intercom"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

// known is the list of vendors of these tests.
var known = []dest.Vendor{intercom.Vendor}

func set(t *testing.T) yamlfile.Set {
	t.Helper()
	set, err := yamlfile.Load("testdata/syncs", dest.Kinds(known))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// health is a row of the sample's view.
func health(email string, score float64, risk, extra string) []string {
	level := map[bool]string{true: "high", false: "low"}[score >= 0.8]
	return []string{`"intercom_health"`, fmt.Sprintf(`{"USER_EMAIL":%q,"HEALTH_SCORE_DECIMAL":%v,"RISK_CATEGORY":%q,`+
		`"CUSTOM_ATTRIBUTES":{"health_percentage":%v,"risk_level":%q,"training_completed":true,"account_value":"12500"%s},`+
		`"USER_TAGS":["health_score_%s","risk_%s","high_value"]}`, email, score, risk, score*100, strings.ToUpper(risk), extra, level, risk)}
}

// road is the whole road over a simulated workspace.
func road(t *testing.T) (*apptest.World, *apptest.Clock, *sim.Server) {
	t.Helper()
	clock := apptest.NewClock()
	s, err := sim.New(sim.Config{Token: sim.Sandbox.Secret["token"], Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return apptest.NewOf(t, clock, []apptest.Service{{Vendor: intercom.Vendor, Server: s, Secret: sim.Sandbox.Secret}}, set(t)), clock, s
}

// A member that the workspace will not have holds up nobody but its row.
func TestRoadWithMembersThatCannotBeMade(t *testing.T) {
	w, _, s := road(t)
	var rows [][]string
	for i := range 100 {
		extra := ""
		if i%25 == 0 {
			extra = `,"email":"second@acme.example"`
		}
		rows = append(rows, health(fmt.Sprintf("person%d@acme.example", i), 0.85, "low_risk", extra))
	}
	answers := w.Push(t, "q", "q:1", rows...)
	w.Drain(t, "intercom")
	w.Pass(t, time.Minute)
	if r := w.Run(t, answers[1].Run); s.Live() != 96 || r.Counts.Delivered != 96 || r.Counts.Failed != 4 {
		t.Errorf("%+v, %d contacts", r.Counts, s.Live())
	}
}

// Over the whole road: 1 faulty row of 100 leaves 99 delivered; addresses that differ by
// case are one contact; what did not change costs nothing; a changed row is one call
// and one for each changed tag.
func TestRoad(t *testing.T) {
	w, _, s := road(t)
	var rows [][]string
	for i := range 100 {
		extra := ""
		if i == 42 {
			extra = fmt.Sprintf(`,"comment":"secret-value %s"`, strings.Repeat("x", 300))
		}
		rows = append(rows, health(fmt.Sprintf("Person%d@Acme.example", i), 0.85, "low_risk", extra))
	}
	rows = append(rows, health("person0@ACME.example", 0.5, "high_risk", ""))
	answers := w.Push(t, "q", "q:1", rows...)
	w.Drain(t, "intercom")
	w.Pass(t, 10*time.Minute)
	r := w.Run(t, answers[1].Run)
	if r.Counts.Delivered != 99 || r.Counts.Failed != 1 || r.Counts.Superseded != 1 || r.Outcome != run.Partial || s.Live() != 99 {
		t.Errorf("%s %s %+v, %d contacts", r.Status, r.Outcome, r.Counts, s.Live())
	}
	if errs := w.Errors(t, r.ID); len(errs) != 1 || errs[0].Type != "attribute_too_long" || errs[0].Field != "custom_attributes" {
		t.Errorf("errors %+v", errs)
	}
	want := map[string]string{"email": "person0@acme.example", "role": "user", "health_score": "0.5", "risk_category": "high_risk",
		"health_percentage": "50", "risk_level": "HIGH_RISK", "training_completed": "true", "account_value": "12500"}
	c := s.Contact("person0@acme.example")
	if d := cmp.Diff(want, c.Values); d != "" {
		t.Error(d)
	}
	if got := strings.Join(c.Tags, " "); got != "health_score_low high_value risk_high_risk" {
		t.Errorf("tags %s", got)
	}
	calls := s.Core().Calls().Total
	again := w.Push(t, "q2", "q2:1", health("PERSON0@acme.example", 0.5, "high_risk", ""))[0]
	w.Drain(t, "intercom")
	if w.Run(t, again.Run).Counts.Unchanged != 1 || s.Core().Calls().Total != calls {
		t.Errorf("the same values again: %+v, %d calls", w.Run(t, again.Run).Counts, s.Core().Calls().Total-calls)
	}
	s.Core().ResetCalls()
	w.Push(t, "q3", "q3:1", health("person1@acme.example", 0.81, "high_risk", ""))
	w.Drain(t, "intercom")
	by := s.Core().Calls().By
	if by["PUT /contacts/*"] != 1 || by["POST /contacts/*/tags"] != 1 || by["DELETE /contacts/*/tags/*"] != 1 || by["POST /contacts/search"] != 0 {
		t.Errorf("calls %v", by)
	}
	if log := strings.ToLower(w.Log()); strings.Contains(log, "acme") || strings.Contains(log, "secret-value") {
		t.Errorf("the log holds a row's value:\n%s", w.Log())
	}
}

// A contact that became another one gets the whole row, not what changed.
func TestMergedGetsTheWholeRow(t *testing.T) {
	w, clock, s := road(t)
	w.Push(t, "q", "q:1", health("ana@acme.example", 0.9, "low_risk", ""), health("ben@acme.example", 0.4, "high_risk", ""))
	w.Drain(t, "intercom")
	clock.Advance(5 * time.Minute)
	ana, ben := s.Contact("ana@acme.example").ID, s.Contact("ben@acme.example").ID
	s.Merge(ana, ben)
	w.Push(t, "q2", "q2:1", health("ana@acme.example", 0.95, "low_risk", ""))
	w.Drain(t, "intercom")
	if c := s.Contact("ben@acme.example"); c.Values["health_score"] != "0.95" || c.Values["risk_category"] != "low_risk" || strings.Join(c.Tags, " ") != "health_score_high high_value risk_low_risk" {
		t.Errorf("%+v", c)
	}
}

// Outages and a used up limit wait; an attribute that cannot be made halts the version.
func TestFailuresOfTheWholeRoad(t *testing.T) {
	w, _, s := road(t)
	for _, f := range []sandbox.Fault{
		{Match: "POST /contacts", Status: 503, Count: 3, Body: `{"type":"error.list","errors":[{"code":"service_unavailable","message":"later"}]}`},
		{Match: "POST /contacts", DropAfterCommit: true, Count: 2},
		{Match: "/tags", Status: 429, Count: 2, Headers: map[string]string{"X-RateLimit-Limit": "1667", "X-RateLimit-Remaining": "0"}, Body: `{"type":"error.list","errors":[{"code":"rate_limit_exceeded","message":"Exceeded rate limit of 1667 in 10_seconds"}]}`},
	} {
		if err := s.Core().AddFault(f); err != nil {
			t.Fatal(err)
		}
	}
	var rows [][]string
	for i := range 20 {
		rows = append(rows, health(fmt.Sprintf("p%d@acme.example", i), 0.9, "low_risk", ""))
	}
	id := w.Push(t, "q", "q:1", rows...)[0].Run
	w.Drain(t, "intercom")
	w.Pass(t, time.Hour)
	if r := w.Run(t, id); s.Live() != 20 || r.Counts.Delivered+r.Retried != 20 && r.Counts.Delivered != 20 {
		t.Errorf("%d contacts, %+v, retried %d", s.Live(), r.Counts, r.Retried)
	}
	for i := range 20 {
		if c := s.Contact(fmt.Sprintf("p%d@acme.example", i)); c == nil || c.Values["health_percentage"] != "90" || len(c.Tags) != 3 {
			t.Errorf("contact %d: %+v", i, c)
		}
	}
}

// One machine, called over its gateway as a warehouse calls.
func TestOneMachine(t *testing.T) {
	s, err := sim.New(sim.Config{Token: sim.Sandbox.Secret["token"]})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	lines := apptest.NewLog()
	m, err := machine.New(machine.Config{
		Dir: t.TempDir(), Vendors: known, Endpoints: map[string]string{"intercom": web.URL},
		Secret: func(context.Context, string, string) (map[string]string, error) { return sim.Sandbox.Secret, nil },
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
	id := apptest.PostRows(t, m.URL, health("ana@acme.example", 0.9, "low_risk", ""), health("ben@acme.example", 0.4, "high_risk", ""))
	for delivered := int64(0); delivered < 2; {
		<-lines.Told
		got, err := m.Runs.Status(t.Context(), id)
		if err != nil || len(got.Runs) != 1 {
			t.Fatalf("%+v, %v", got, err)
		}
		delivered = got.Runs[0].Counts.Delivered
	}
	if c := s.Contact("ben@acme.example"); s.Live() != 2 || c.Values["risk_level"] != "HIGH_RISK" || len(c.Tags) != 3 {
		t.Errorf("%+v", c)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
