//go:build cgo

package sql_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/apptest"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/wire/redshift"
	statements "github.com/penstock-data/penstock/sql"
)

// A shifted is Penstock with Redshift's procedures before it, which PostgreSQL runs; its
// functions ask the real handler as Redshift does.
type shifted struct {
	*postgres
	world *apptest.World
	// refuse names functions that fail in Penstock's place.
	refuse map[string]string
	asked  []string // functions
	params statements.Params
}

// newShifted applies the definitions by name, and runs the script with their views.
func newShifted(t *testing.T, definitions map[string]string) *shifted {
	t.Helper()
	dir := t.TempDir()
	definitions["connections"] = connections
	for name, text := range definitions {
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set := apptest.Load(t, dir)
	s := &shifted{postgres: newPostgres(t), world: apptest.NewWith(t, set), refuse: map[string]string{}}
	s.world.Vendors.SeedAccounts(t, "https://a.com", "https://b.com", "https://c.com", "https://d.com")
	s.answer = s.invoke
	params := statements.Params{Function: "penstock-redshift", RoleARN: "arn:aws:iam::123456789012:role/penstock"}
	for _, one := range set.Syncs {
		params.Syncs = append(params.Syncs, statements.Sync{Definition: one.Definition})
	}
	s.exec("CREATE SCHEMA penstock; CREATE TABLE penstock.health (email text, score numeric, note text, at text, r text); SET search_path TO penstock;")
	s.params = params
	return s
}

// invoke is Redshift's call of the Lambda, of one row.
func (s *shifted) invoke(function string, arguments []json.RawMessage) string {
	s.asked = append(s.asked, function)
	if why := s.refuse[function]; why != "" {
		return "error: " + why
	}
	row := make([]jsontext.Value, len(arguments))
	for i, a := range arguments {
		row[i] = jsontext.Value(a)
	}
	n := int64(len(s.asked))
	payload := redshift.EncodeRequest(nil, redshift.Head{
		Request: fmt.Sprintf("request-%d", n), Cluster: "arn:aws:redshift:eu-west-1:123456789012:cluster:warehouse", User: "loader", Database: "dev",
		Function: "penstock." + function, Query: 1000 + n, Records: -1,
	}, [][]jsontext.Value{row})
	answer, err := s.world.Functions["redshift"].Invoke(s.t.Context(), payload)
	if err != nil {
		return "error: " + err.Error()
	}
	values, err := redshift.DecodeReply(answer, 1)
	if err != nil {
		return "error: " + err.Error()
	}
	return string(values[0])
}

// summary is what a CALL answers; run ids are written RUN.
func (s *shifted) summary(sync, mode string) (string, error) {
	s.t.Helper()
	s.world.Clock.Advance(time.Minute) // runs are told apart by when they began
	out, err := s.psql(fmt.Sprintf("CALL penstock.penstock_run('%s', '%s', NULL);", sync, mode))
	if err != nil {
		return "", err
	}
	var v struct {
		Run, Status, Selected, Reason                   string
		Received, Queued, Rejected, Superseded, Blocked int
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		s.t.Fatalf("%q: %v", out, err)
	}
	if v.Run != "" {
		v.Run = "RUN"
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s %d %d %d %d %d %s", v.Run, v.Status, v.Selected, v.Received, v.Queued, v.Rejected, v.Superseded, v.Blocked, v.Reason)), nil
}

func (s *shifted) run(sync, mode, want string) {
	s.t.Helper()
	got, err := s.summary(sync, mode)
	if err != nil || got != want {
		s.t.Errorf("%s %s: %q, %v; want %q", sync, mode, got, err, want)
	}
}

func (s *shifted) settle() {
	s.t.Helper()
	s.world.Drain(s.t, "salesforce")
	s.world.Invoke(s.t, "sweep", apptest.Tick())
}

func (s *shifted) last(sync string) (r run.Run) {
	s.t.Helper()
	status, err := s.world.Control.Status(s.t.Context(), sync)
	if err != nil || len(status.Runs) == 0 {
		s.t.Fatal(status, err)
	}
	return status.Runs[0].Run
}

// A whole run: what the view makes of rows, what is announced, and what arrives. A row
// that is too long for a VARCHAR fails nothing but itself, and its record is named.
func TestPostgresRuns(t *testing.T) {
	s := newShifted(t, map[string]string{"accounts": definition("model: penstock.health\nrecord_id: email\nincremental: {cursor: at}\n")})
	s.setUp(s.params)
	s.exec(`INSERT INTO penstock.health VALUES ('x@a.com', 1, NULL, '2024-01-15 10:30:00'), ('x@b.com', 2.50, 'it''s "quoted" \ and é', '2024-01-15 10:31:00'), ('no address', 3, NULL, '2024-01-15 10:30:30'), ('x@c.com', NULL, NULL, NULL);`)
	s.run("accounts", "incremental", "RUN finishing all 4 3 1 0 0")
	s.settle()
	if d := cmp.Diff(map[string]string{"https://a.com": "1", "https://b.com": "2.5", "https://c.com": "", "https://d.com": ""}, s.world.Vendors.Accounts("Health_Score__c")); d != "" {
		t.Error(d)
	}
	if r := s.last("accounts"); r.Status != run.Complete || r.Cursor != `"2024-01-15 10:31:00"` {
		t.Errorf("%s, cursor %s", r.Status, r.Cursor)
	}
	// What lies below the watermark stays; what equals it, and what has none, comes again.
	s.exec("UPDATE penstock.health SET score = 9 WHERE email = 'x@b.com'; UPDATE penstock.health SET score = 8 WHERE email = 'x@a.com'; INSERT INTO penstock.health VALUES ('x@d.com', 4, NULL, '2024-01-16 00:00:00');")
	s.run("accounts", "incremental", "RUN finishing since 3 3 0 0 0")
	s.settle()
	if d := cmp.Diff(map[string]string{"https://a.com": "1", "https://b.com": "9", "https://c.com": "", "https://d.com": "4"}, s.world.Vendors.Accounts("Health_Score__c")); d != "" {
		t.Error(d)
	}
	s.run("accounts", "full", "RUN finishing all 5 4 1 0 0")
	s.settle()
	if got := s.query("SELECT count(*), count(DISTINCT run) FROM penstock_receipts"); got[0] != "12 | 3" {
		t.Errorf("receipts: %q", got)
	}
}

func TestPostgresLongRows(t *testing.T) {
	s := newShifted(t, map[string]string{"accounts": strings.Replace(definition("model: penstock.health\nrecord_id: email\n"), "[{source: score", "[{source: note, destination: Name}, {source: score", 1)})
	s.setUp(s.params)
	s.exec("INSERT INTO penstock.health VALUES ('x@a.com', 1, repeat('x', 66000), NULL), ('x@b.com', 2, repeat('y', 60000), NULL), (repeat('z', 70000), 3, NULL, NULL);")
	s.run("accounts", "full", "RUN finishing all 3 1 2 0 0")
	errs := s.world.Errors(t, s.last("accounts").ID)
	var got []string
	for _, e := range errs {
		got = append(got, e.RecordID+" "+e.Type)
	}
	if len(errs) != 2 || !strings.Contains(strings.Join(got, ","), "x@a.com row_too_large") || !strings.Contains(errs[0].Message, "at most 65535") {
		t.Errorf("%q", got)
	}
}

// Watermarks compare by their type, whatever a column's own is.
func TestPostgresWatermarks(t *testing.T) {
	cases := []struct{ name, column, low, mark, high string }{
		{"numbers", "bigint", "9", "10", "11"},
		{"decimals", "numeric", "9.5", "10.25", "100.125"},
		{"texts", "varchar", "'a'", "'b''c'", "'d'"},
		{"local", "timestamp", "'2024-01-15 09:00:00'", "'2024-01-15 10:00:00.25'", "'2024-01-15 11:00:00'"},
		{"zoned", "timestamptz", "'2024-01-15 09:00:00+00'", "'2024-01-15 10:00:00+00'", "'2024-01-15 03:30:00-07'"},
		{"days", "date", "'2024-01-13'", "'2024-01-14'", "'2024-01-15'"},
	}
	definitions := map[string]string{}
	for _, c := range cases {
		definitions[c.name] = definition("model: penstock.m_" + c.name + "\nrecord_id: email\nincremental: {cursor: Changed}\n")
	}
	s := newShifted(t, definitions)
	for _, c := range cases {
		s.exec("CREATE TABLE penstock.m_" + c.name + " (email text, score numeric, changed " + c.column + ");" +
			"INSERT INTO penstock.m_" + c.name + " VALUES ('x@a.com', 1, " + c.low + "), ('x@b.com', 2, " + c.mark + ");")
	}
	s.setUp(s.params)
	s.exec("CREATE OR REPLACE PROCEDURE penstock.penstock_refresh() AS 'BEGIN END' LANGUAGE plpgsql;") // it has tests of its own, and takes long
	for _, c := range cases {
		s.run(c.name, "incremental", "RUN finishing all 2 2 0 0 0")
		s.settle()
		s.exec("INSERT INTO penstock.m_" + c.name + " VALUES ('x@c.com', 3, " + c.high + ");")
		s.run(c.name, "incremental", "RUN finishing since 2 2 0 0 0")
		s.settle()
		s.run(c.name, "incremental", "RUN finishing since 1 1 0 0 0")
	}
}

// A text that is no time or number stops no run: its row is pushed in every one. A date
// says no more of when a row was made than the day.
func TestPostgresValuesThatAreNotRead(t *testing.T) {
	cases := []struct{ name, mark, low, high string }{
		{"local", "2024-01-15 10:30:00", "2024-01-15 09:00:00", "2024-01-16"},
		{"zoned", "2024-01-15 10:30:00.000 +0000", "2024-01-15 10:30:00+05", "2024-01-16 10:00:00Z"},
		{"numbers", "9.5", "5", "10"},
	}
	definitions := map[string]string{}
	for _, c := range cases {
		definitions[c.name] = definition("model: penstock.m_" + c.name + "\nrecord_id: email\nincremental: {cursor: at, created: made}\n")
	}
	s := newShifted(t, definitions)
	for _, c := range cases {
		s.exec("CREATE TABLE penstock.m_" + c.name + " (email text, score numeric, at text, made text);" +
			"INSERT INTO penstock.m_" + c.name + " VALUES ('x@a.com', 1, '" + c.mark + "', NULL), ('x@b.com', 2, '" + c.low + "', 'n/a');")
	}
	s.setUp(s.params)
	s.exec("CREATE OR REPLACE PROCEDURE penstock.penstock_refresh() AS 'BEGIN END' LANGUAGE plpgsql;")
	for _, c := range cases {
		s.run(c.name, "incremental", "RUN finishing all 2 2 0 0 0")
		s.settle()
		s.exec("INSERT INTO penstock.m_" + c.name + " VALUES ('x@c.com', 3, 'n/a', NULL), ('x@d.com', 4, '', '');")
		s.run(c.name, "incremental", "RUN finishing since 3 3 0 0 0")
		s.settle()
		s.exec("INSERT INTO penstock.m_" + c.name + " VALUES ('x@b.com', 5, '" + c.low + "', '" + c.high + "');")
		s.run(c.name, "incremental", "RUN finishing since 4 4 0 0 0")
		s.settle()
		s.run(c.name, "dry_run", "planned since 4 4 0 0 0")
	}
	s.exec("INSERT INTO penstock.m_local VALUES ('x@b.com', 6, '2000-01-01', '2024-01-15'), ('x@b.com', 7, '2000-01-01', '2024-01-14');")
	s.run("local", "dry_run", "planned since 5 5 0 0 0")
}

// Whatever fails, the run is closed with its reason, which quotes no row, and the next
// one begins; nobody waits for a run that cannot be closed longer than Penstock says.
func TestPostgresRunsThatFail(t *testing.T) {
	s := newShifted(t, map[string]string{"accounts": definition("model: penstock.health\nrecord_id: email\n")})
	s.setUp(s.params)
	s.exec("INSERT INTO penstock.health VALUES ('x@a.com', 1, NULL, NULL);")
	for _, c := range []struct {
		name, before, after, refuse, says, reason string
	}{
		{name: "no view", before: "ALTER VIEW penstock.penstock_source_accounts RENAME TO gone;", after: "ALTER VIEW penstock.gone RENAME TO penstock_source_accounts;",
			says: "penstock_run: push: relation", reason: "penstock_run: push: SQLSTATE 42P01: the view penstock_source_accounts or what it reads is gone"},
		{name: "a refused push", refuse: "penstock_push", says: "penstock_run: push: no x@a.com", reason: "penstock_run: push: SQLSTATE P0001;"},
		{name: "a refused finish", refuse: "penstock_finish", says: "penstock_run: finish: no x@a.com", reason: "penstock_run: finish: SQLSTATE P0001;"},
	} {
		if c.before != "" {
			s.exec(c.before)
		}
		if c.refuse != "" {
			s.refuse[c.refuse] = "no x@a.com"
		}
		_, err := s.summary("accounts", "full")
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
		r := s.last("accounts")
		if r.Status != run.Cancelled || !strings.HasPrefix(r.Reason, c.reason) || strings.Contains(r.Reason, "x@a.com") {
			t.Errorf("%s: %s, %q", c.name, r.Status, r.Reason)
		}
		clear(s.refuse)
		if c.after != "" {
			s.exec(c.after)
		}
	}
	s.run("accounts", "full", "RUN finishing all 1 1 0 0 0")
	if got, err := s.summary("accounts", "full"); err != nil || !strings.HasPrefix(got, "skipped  0 0 0 0 0 run ") {
		t.Errorf("while it goes on: %q, %v", got, err)
	}
	if _, err := s.summary("nothing", "full"); err == nil || !strings.Contains(err.Error(), "there is no sync") {
		t.Errorf("an unknown sync: %v", err)
	}
	s.settle()
	s.refuse["penstock_syncs"] = "no"
	if got, err := s.summary("accounts", "full"); err != nil || !strings.Contains(got, "the monitoring tables were not refreshed, and what was pushed is pushed") {
		t.Errorf("without refresh: %q, %v", got, err)
	}
}

// The gate is asked before the first push: what blocks is told with its counts, and
// pushes nothing; what warns goes on. A view of another definition pushes nothing either.
func TestPostgresGate(t *testing.T) {
	s := newShifted(t, map[string]string{"accounts": definition("model: penstock.health\nrecord_id: email\nquality: {rules: [{column: score, not_null: true, warn_over: 0.2, block_over: 0.4}]}\n")})
	s.setUp(s.params)
	s.exec("CREATE OR REPLACE PROCEDURE penstock.penstock_refresh() AS 'BEGIN END' LANGUAGE plpgsql;" +
		"INSERT INTO penstock.health VALUES ('x@a.com', 1, NULL, NULL), ('x@b.com', 2, NULL, NULL), ('x@c.com', NULL, NULL, NULL), ('x@d.com', NULL, NULL, NULL);")
	got, err := s.summary("accounts", "full")
	if err != nil || !strings.HasPrefix(got, "RUN blocked all 0 0 0 0 0 ") || !strings.Contains(got, "score") {
		t.Errorf("%q, %v", got, err)
	}
	if n := s.world.Depth(t, "salesforce"); n != 0 || slices.Contains(s.asked, "penstock_push") {
		t.Errorf("%d messages of a blocked run; asked %q", n, s.asked)
	}
	s.exec("DELETE FROM penstock.health WHERE email = 'x@d.com';")
	if got, err = s.summary("accounts", "full"); err != nil || !strings.HasPrefix(got, "RUN finishing all 3 3 0 0 0 ") || !strings.Contains(got, "score") {
		t.Errorf("what warns: %q, %v", got, err)
	}
	s.settle()
	s.exec("DELETE FROM penstock.health WHERE score IS NULL;")
	s.run("accounts", "full", "RUN finishing all 2 2 0 0 0")
	s.settle()
	s.exec("DROP VIEW penstock.penstock_gate_accounts;")
	if _, err := s.summary("accounts", "full"); err == nil {
		t.Error("a gate that is gone lets rows pass")
	}
	if r := s.last("accounts"); !strings.Contains(r.Reason, "gate: SQLSTATE 42P01: the view penstock_gate_accounts") {
		t.Errorf("%s: %q", r.Status, r.Reason)
	}
}

// More syncs than one answer holds are read page by page.
func TestPostgresManySyncs(t *testing.T) {
	s := newShifted(t, map[string]string{"accounts": definition("model: penstock.health\nrecord_id: email\n")})
	s.setUp(s.params)
	one, err := s.world.Store.Current(t.Context(), "accounts")
	if err != nil {
		t.Fatal(err)
	}
	for n := range 250 {
		one.Definition.Sync = fmt.Sprintf("sync_%03d", n)
		if err := s.world.Store.Apply(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}
	s.exec("CALL penstock.penstock_refresh();")
	if got := s.query("SELECT COUNT(*), COUNT(DISTINCT sync) FROM penstock_models"); got[0] != "251 | 251" {
		t.Errorf("%s of 251 syncs", got)
	}
	asked := 0
	for _, f := range s.asked {
		if f == "penstock_syncs" {
			asked++
		}
	}
	if asked < 2 {
		t.Errorf("asked %d times", asked)
	}
}
