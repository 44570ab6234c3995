package apptest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/run"
)

// looked plans rows with a look at the destination, each as a line.
func (w *World) looked(t *testing.T, kind, sync string, mode run.Mode, most int, rows ...string) ([]string, []runs.Planned, *runs.Looking) {
	t.Helper()
	k := &runs.Looking{Looker: w.Deliver(kind), Most: most}
	p := runs.PlanRequest{Sync: sync, Mode: mode, Looking: k}
	for n, r := range rows {
		p.Rows = append(p.Rows, row.Row{Number: n, Target: sync, Object: jsontext.Value(r)})
	}
	planned, err := w.Control.Plan(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, one := range planned {
		line := fmt.Sprintf("%s %s %s", one.ByLedger(), one.Action, one.Destination)
		if one.Type != "" {
			line += " " + one.Type
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines, planned, k
}

// seed makes an Account with a value in a field.
func (w *World) seed(t *testing.T, field, value string) {
	t.Helper()
	err := w.Vendors.Salesforce.Seed("Account", []string{"Name", field}, func(yield func([]string) bool) { yield([]string{value, value}) })
	if err != nil {
		t.Fatal(err)
	}
}

// changed are a planned row's changes, in a line.
func changed(p runs.Planned) string {
	var out []string
	for _, c := range p.Changes {
		line := c.Field
		if c.Old != nil {
			line += " " + string(c.Old) + " ->"
		}
		if line += " " + string(c.New); c.Already {
			line += " (already)"
		}
		out = append(out, line)
	}
	return strings.Join(out, ", ")
}

// A plan reads what the destination holds: what a full run would replace, which of the
// records that were never delivered are there, and which are gone. It writes nothing there.
func TestPlanLooks(t *testing.T) {
	for kind, v := range verifiables {
		t.Run(kind, func(t *testing.T) {
			w := v.world(t, v.folder(t, ""))
			w.delivered(t, "main", "q1", v.rows...)
			other := strings.NewReplacer(`"k":"a"`, `"k":"d"`, "a@b.example", "d@b.example").Replace(v.change)
			w.delivered(t, "people", "q2", v.change)
			if kind == "salesforce" { // where an Account has a name
				w.seed(t, "Customer_ID__c", "d")
			} else {
				w.delivered(t, "people", "q5", other)
			}
			w.delivered(t, "removals", "q3", strings.Replace(v.rows[2], `"name":"c",`, "", 1))
			w.Clock.Advance(time.Hour) // a search may find records later than they are written
			there := strings.NewReplacer(`"k":"b"`, `"k":"d"`, "b@b.example", "d@b.example").Replace(v.rows[1])
			nobody := strings.NewReplacer(`"k":"b"`, `"k":"e"`, "b@b.example", "e@b.example").Replace(v.rows[1])
			rows := append(append([]string{}, v.rows...), there, nobody)
			lines, planned, k := w.looked(t, kind, "main", run.Full, -1, rows...)
			want := []string{"update update there", "update update there", "update create absent", "create update there", "create create absent"}
			if d := cmp.Diff(want, lines); d != "" {
				t.Fatal(d)
			}
			if one := planned[0].Changes; len(one) != 1 || one[0].Field != v.field || one[0].Old == nil || string(one[0].Old) == string(one[0].New) || one[0].Already {
				t.Errorf("of what somebody changed: %s", changed(planned[0]))
			}
			if len(planned[1].Changes) != 0 || len(planned[2].Changes) != 0 {
				t.Errorf("of what is as it was: %s; of what is gone: %s", changed(planned[1]), changed(planned[2]))
			}
			if len(planned[3].Changes) == 0 {
				t.Errorf("of what is there: %s", changed(planned[3]))
			}
			if k.Looked != 5 || k.Found != 1 || k.Stopped != "" {
				t.Errorf("%+v", k)
			}
			// What a process makes that has not called yet: docs/plan.md counts them.
			fresh := w.deliver(kind, dest.Vendor{})
			fresh.Open = w.Deliver(kind).Open
			first := &runs.Looking{Looker: fresh, Most: -1}
			p := runs.PlanRequest{Sync: "main", Mode: run.Full, Looking: first}
			for n, r := range rows {
				p.Rows = append(p.Rows, row.Row{Number: n, Target: "main", Object: jsontext.Value(r)})
			}
			if _, err := w.Control.Plan(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			// The account, a search, an exact lookup of the one that is not there, the attributes, and 4 contacts.
			if want := map[string]int64{"salesforce": 3, "hubspot": 4, "intercom": 8}[kind]; first.Calls != want {
				t.Errorf("%d calls, want %d", first.Calls, want)
			}
			// Rows beyond the bound are planned by the ledger alone.
			lines, _, k = w.looked(t, kind, "main", run.Full, 1, rows...)
			if d := cmp.Diff([]string{"update update there", "update update", "update update", "create update there", "create create"}, lines); d != "" || k.Looked != 2 {
				t.Error(d, k.Looked)
			}
			if got := w.delivered(t, "main", "q4", there); got != "1 delivered, 0 unchanged" {
				t.Error(got)
			}
		})
	}
}

// What the destination would refuse is said beforehand: no record, or several.
func TestPlanLooksForRefusals(t *testing.T) {
	w := faulty(t)
	w.Vendors.SeedAccounts(t, "https://one.com", "https://two.com", "https://www.two.com")
	at := func(site string) string { return fmt.Sprintf(`{"id":%q,"email":"x@%s","name":"n","n":1}`, site, site) }
	lines, planned, _ := w.looked(t, "salesforce", "domains", "", -1, at("one.com"), at("two.com"), at("none.com"))
	if d := cmp.Diff([]string{"create update there", "create rejected refuses ambiguous_match", "create create absent"}, lines); d != "" {
		t.Error(d)
	}
	if one := planned[1]; one.Field != "Website" || strings.Contains(one.Message, "two.com") || len(one.Changes) > 0 {
		t.Errorf("%+v", one)
	}
	lines, planned, _ = w.looked(t, "salesforce", "ids", "", -1, `{"sf_id":"0015g0000000999AAA","n":1}`)
	if len(lines) != 1 || planned[0].Action == runs.Create {
		t.Errorf("%q", lines)
	}
}

// A look takes its calls out of the share, and writes nothing else: no account is pinned,
// no pause is ended and none made; where it may not ask it says why, and plans on.
func TestPlanLooksOnly(t *testing.T) {
	w := faulty(t)
	row := `{"id":"c000","name":"Customer c000","n":1,"u":1}`
	if lines, _, k := w.looked(t, "salesforce", "accounts", "", 5, row); k.Looked != 1 || lines[0] != "create create absent" {
		t.Errorf("%q, %+v", lines, k)
	}
	if c, err := w.Store.Connection(t.Context(), "crm"); err != nil || c.Account != "" {
		t.Errorf("pinned %q, %v", c.Account, err)
	}
	w.Push(t, "q", "q:1", accounts("accounts", 1)...)
	w.Pass(t, soon)
	// A window that is spent.
	calls := func() int64 { return w.Vendors.Salesforce.Core().Calls().Total }
	before := calls()
	conn, err := w.Store.Connection(t.Context(), "crm")
	if err != nil {
		t.Fatal(err)
	}
	spent := conn.Connection
	spent.Quota.CallsPerDay = 2
	if err := w.Store.PutConnection(t.Context(), spent); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(2 * time.Minute) // the settings are read again
	if lines, _, k := w.looked(t, "salesforce", "accounts", "", 5, row); !strings.Contains(k.Stopped, "share") || k.Looked != 0 || lines[0] != "update update" || calls() > before+2 {
		t.Errorf("%q, %+v, %d calls", lines, k, calls()-before)
	}
	if err := w.Store.PutConnection(t.Context(), conn.Connection); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(2 * time.Minute)
	// A pause.
	s, err := w.Store.Pace(t.Context(), "crm")
	if err != nil {
		t.Fatal(err)
	}
	until := pace.State.Fail(s, w.Clock.Now(), time.Hour, "down", "it is down")
	if err := w.Store.SetPace(t.Context(), "crm", until); err != nil {
		t.Fatal(err)
	}
	paused, err := w.Store.Pace(t.Context(), "crm")
	if err != nil {
		t.Fatal(err)
	}
	before = calls()
	for range 2 { // while it lasts, and when a probe is due
		if _, _, k := w.looked(t, "salesforce", "accounts", "", 5, row); !strings.Contains(k.Stopped, "paused") || calls() != before {
			t.Errorf("%+v, %d calls", k, calls()-before)
		}
		w.Clock.Advance(3 * time.Hour)
	}
	if now, err := w.Store.Pace(t.Context(), "crm"); err != nil || !cmp.Equal(paused, now) {
		t.Errorf("%+v, %v", now, err)
	}
}

// I6: of personal data a look reads nothing, and shows nothing.
func TestPlanLooksAtNothingPersonal(t *testing.T) {
	w := named(t, true)
	w.Push(t, "q", "q:1", nameOf("c1", "Jane Before", 1))
	w.Pass(t, soon)
	_, planned, k := w.looked(t, "salesforce", "people", "", 5, nameOf("c1", "Jane After", 2)[1], nameOf("c2", "Jane New", 2)[1])
	text, err := json.Marshal(planned)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "Jane") || strings.Contains(w.log.String(), "Jane") || k.Looked != 2 {
		t.Errorf("%s", text)
	}
	if changed(planned[0]) != "Name , Daily_Active_Users__c 1 -> 2" {
		t.Errorf("%s", changed(planned[0]))
	}
}

// What cannot be read back is said; what is only inserted is not asked about.
func TestPlanLooksWhereItCan(t *testing.T) {
	w := faulty(t)
	if _, _, k := w.looked(t, "slack", "joined", "", 5, `{"a":"1","b":"2","text":"x"}`); k.Looked != 0 || k.Calls != 0 || k.Stopped != "" {
		t.Errorf("%+v", k)
	}
}

// Somebody has done by hand what the update would do.
func TestPlanLooksAtWhatIsDone(t *testing.T) {
	v := verifiables["salesforce"]
	w := v.world(t, v.folder(t, ""))
	w.delivered(t, "main", "q1", v.rows[0])
	w.delivered(t, "people", "q2", v.change)
	_, planned, _ := w.looked(t, "salesforce", "main", "", 5, strings.Replace(v.rows[0], `"status":"healthy"`, `"status":"at risk"`, 1))
	if got := changed(planned[0]); got != `Health_Status__c "At Risk" -> "At Risk" (already)` {
		t.Error(got)
	}
}
