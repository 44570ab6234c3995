package apptest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/control"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/sqlite"
)

// planned calls penstock_plan as SQL does.
func (w *World) planned(t *testing.T, rows ...[]string) (int, []runs.Planned, string) {
	t.Helper()
	status, values, message := Status(t, w.Invoke(t, "control", Request("plan", "q-plan", "q-plan:1", rows...)))
	out := make([]runs.Planned, len(values))
	for i, v := range values {
		if err := json.Unmarshal(v, &out[i]); err != nil {
			t.Fatal(err)
		}
	}
	return status, out, message
}

// penstock_plan answers each row of a batch as a push of it would, with what it would
// change and its part of the cost; a faulty row or name is answered alone.
func TestPlanFunction(t *testing.T) {
	w := faulty(t)
	w.Push(t, "q", "q:1", accounts("accounts", 2)...)
	w.Pass(t, soon)
	calls := w.Vendors.Salesforce.Core().Calls().Total
	status, got, message := w.planned(t,
		account("accounts", "c000", 0), account("accounts", "c001", 77), account("accounts", "new", 1),
		[]string{`"accounts"`, `{"name":"nobody","n":1,"u":1}`}, []string{`null`, `{"id":"x"}`}, []string{`"accounts"`, `"no object"`},
	)
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, message)
	}
	var lines []string
	for _, p := range got {
		line := fmt.Sprintln(p.Action, p.RecordID, p.Fields, p.Type)
		for _, c := range p.Changes {
			line += fmt.Sprintf("  %s -> %s\n", c.Field, c.New)
		}
		if e := p.Estimate; e != nil {
			line += fmt.Sprintf("  %g calls, %g of the day, %g of the grant\n", e.Calls, *e.QuotaShare, *e.GrantShare)
			if e.Dollars <= 0 || (e.Seconds > 0) != (e.Calls > 0) {
				t.Errorf("%+v", e)
			}
		}
		lines = append(lines, line)
	}
	want := []string{
		"unchanged c000 [] \n  0 calls, 0 of the day, 0 of the grant\n",
		"update c001 [Daily_Active_Users__c] \n  Daily_Active_Users__c -> 77\n  0.005 calls, 5e-08 of the day, 1e-07 of the grant\n",
		"create new [] \n  0.005 calls, 5e-08 of the day, 1e-07 of the grant\n",
		"rejected  [] missing_record_id\n  0 calls, 0 of the day, 0 of the grant\n",
		"rejected  [] unknown_sync\n",
		"rejected  [] not_an_object\n  0 calls, 0 of the day, 0 of the grant\n",
	}
	if d := cmp.Diff(want, lines); d != "" {
		t.Error(d)
	}
	if now := w.Vendors.Salesforce.Core().Calls().Total; now != calls || w.Depth(t, "salesforce") != 0 {
		t.Errorf("%d calls after %d", now, calls)
	}
}

// What names nothing that can be planned fails the statement, with a remedy.
func TestPlanFunctionRefuses(t *testing.T) {
	w := faulty(t)
	for name, c := range map[string]struct{ sync, want string }{
		"unknown": {`"nothing"`, "there is no sync"},
		"a run":   {`"accounts.r0123456789abcdef"`, "name a sync"},
	} {
		if status, _, message := w.planned(t, []string{c.sync, `{"id":"1"}`}); status != http.StatusBadRequest || !strings.Contains(message, c.want) {
			t.Errorf("%s: %d %s", name, status, message)
		}
	}
	if status, got, message := w.planned(t); status != http.StatusOK || len(got) != 0 {
		t.Errorf("no rows: %d %s", status, message)
	}
}

// named is a World of a sync of Accounts whose names, of any length, are personal data
// or not.
func named(t *testing.T, personal bool) *World {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"connections": "connections:\n  crm: {type: salesforce, url: https://acme.my.salesforce.com, personal: allowed}\n",
		"people": "connection: crm\ndestination_object: Account\nmatching_strategy: external_id\nmatch: {source: id, destination: Customer_ID__c}\nrecord_id: id\nfield_mappings:\n" +
			fmt.Sprintf("  - {source: name, destination: Name, personal: %t}\n", personal) + "  - {source: n, destination: Daily_Active_Users__c, data_type: integer}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return NewWith(t, Load(t, dir))
}

// nameOf is a row of people.
func nameOf(id, name string, n int) []string {
	return []string{`"people"`, fmt.Sprintf(`{"id":%q,"name":"%s","n":%d}`, id, name, n)} //nolint:gocritic // name is the text of a JSON string
}

// An answer that would pass the caller's limit goes without values.
func TestPlanFunctionShortens(t *testing.T) {
	w := named(t, false)
	var before, after [][]string
	for n := range 22 {
		id := fmt.Sprint("c", n)
		before, after = append(before, nameOf(id, "short", n)), append(after, nameOf(id, strings.Repeat(`\"`, 100_000), n))
	}
	w.Push(t, "q", "q:1", before...)
	w.Pass(t, soon)
	for rows, values := range map[int]bool{2: true, 22: false} {
		status, got, message := w.planned(t, after[:rows]...)
		if status != http.StatusOK || len(got) != rows {
			t.Fatalf("%d rows: %d %s", rows, status, message)
		}
		for _, p := range got {
			if p.Action != runs.Update || !cmp.Equal(p.Fields, []string{"Name"}) || (len(p.Changes) == 1) != values {
				t.Fatalf("%d rows: %s %s %v, %d values", rows, p.Action, p.Message, p.Fields, len(p.Changes))
			}
		}
	}
}

// I6: values of personal data are in no plan; nor is anything in what is logged.
func TestPlanShowsNothingPersonal(t *testing.T) {
	w := named(t, true)
	w.Push(t, "q", "q:1", nameOf("c1", "Jane Before", 1))
	w.Pass(t, soon)
	raw := w.Invoke(t, "control", Request("plan", "q2", "q2:1", nameOf("c1", "Jane After", 2)))
	_, values, message := Status(t, raw)
	if len(values) != 1 {
		t.Fatal(message)
	}
	var p runs.Planned
	if err := json.Unmarshal(values[0], &p); err != nil {
		t.Fatal(err)
	}
	if len(p.Changes) != 2 || !p.Changes[0].Personal || p.Changes[0].New != nil || p.Changes[1].Personal || string(p.Changes[1].New) != "2" {
		t.Errorf("%s", values[0])
	}
	if strings.Contains(string(raw), "Jane") || strings.Contains(w.log.String(), "Jane") {
		t.Errorf("the plan or the log tells a personal value: %s", raw)
	}
}

// Nothing is stored: the file of the state is the same, byte by byte.
func TestPlanStoresNothing(t *testing.T) {
	file, clock := filepath.Join(t.TempDir(), "penstock.db"), NewClock()
	open := func() *sqlite.Store {
		s, err := sqlite.Open(file, clock.Now)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	hold := func() string {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	w := faulty(t)
	v, err := w.Store.Current(t.Context(), "accounts")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := w.Store.Connection(t.Context(), v.Definition.Connection)
	if err != nil {
		t.Fatal(err)
	}
	s := open()
	if err := s.PutConnection(t.Context(), conn.Connection); err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before := hold()
	s = open()
	in := &intake.Intake{Syncs: s, Connections: s, Runs: s, Batches: s, Chunks: s, Errors: s, Queue: s, Ledger: s, Seen: s, Now: clock.Now}
	h := &control.Handler{Log: w.Functions["control"].(*control.Handler).Log, Control: &runs.Control{
		Stores:   runs.Stores{Syncs: s, Definitions: s, Connections: s, Runs: s, History: s, Recorded: s, Marks: s, Errors: s, Due: s, Ledger: s, Halts: s, Depths: s, Mirrors: s},
		Replayer: in, Checker: in, Policy: run.DefaultPolicy(), Now: clock.Now,
	}}
	rows := append(accounts("accounts", 5), []string{`"accounts"`, `{"name":"nobody"}`})
	raw, err := h.Invoke(t.Context(), Request("plan", "q", "q:1", rows...))
	if err != nil {
		t.Fatal(err)
	}
	if status, values, message := Status(t, raw); status != http.StatusOK || len(values) != 6 {
		t.Errorf("%d %s", status, message)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if hold() != before {
		t.Error("a plan changed the state's file")
	}
}
