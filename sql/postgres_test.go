package sql_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/syncdef"
	statements "github.com/penstock-data/penstock/sql"
)

// postgresPrograms is the folder of PostgreSQL's programs. .ci/run sets it in the stage
// that runs these tests.
const postgresPrograms = "PENSTOCK_POSTGRES"

// A postgres is a PostgreSQL of the test's own, which stands for Redshift as far as
// testdata/postgres.sql says.
type postgres struct {
	t      *testing.T
	dir    string // of its socket
	lambda string // the address of answer
	// answer answers a call of an external function; arguments are JSON. A text that
	// begins with "error: " fails the call.
	answer func(function string, arguments []json.RawMessage) string
}

// newPostgres starts one with Redshift's stand-ins, for a test whose scripts AsPostgres
// writes.
func newPostgres(t *testing.T) *postgres {
	t.Helper()
	bin := os.Getenv(postgresPrograms)
	if bin == "" {
		t.Skipf("%s is not set: bash .ci/run machine sql", postgresPrograms)
	}
	statements.AsPostgres(t)
	p := &postgres{t: t}
	var err error
	if p.dir, err = os.MkdirTemp("", "pg"); err != nil { //nolint:usetesting // the name of t.TempDir may be too long for a socket
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(p.dir) })
	data := filepath.Join(p.dir, "data")
	if os.Getuid() == 0 { // PostgreSQL runs as no root
		p.run("", "chown", "postgres", p.dir)
	}
	p.asOwner(bin+"/initdb", "--pgdata", data, "--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync")
	p.asOwner(bin+"/pg_ctl", "--pgdata", data, "--log", filepath.Join(p.dir, "log"), "--wait", "--silent", "--options",
		"-c listen_addresses='' -c fsync=off -c timezone=America/Los_Angeles -k "+p.dir, "start")
	t.Cleanup(func() { p.asOwner(bin+"/pg_ctl", "--pgdata", data, "--mode", "immediate", "--silent", "stop") })
	server := httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(server.Close)
	p.lambda = server.URL
	standIns, err := os.ReadFile("testdata/postgres.sql")
	if err != nil {
		t.Fatal(err)
	}
	p.exec(string(standIns))
	return p
}

// serve is the Lambda.
func (p *postgres) serve(w http.ResponseWriter, r *http.Request) {
	var call struct {
		Function  string            `json:"function"`
		Arguments []json.RawMessage `json:"arguments"`
	}
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &call)
	}
	if err != nil || p.answer == nil {
		fmt.Fprintf(w, "error: %v: %s\n", err, body)
		return
	}
	answer := p.answer(call.Function, call.Arguments)
	var line bytes.Buffer
	if json.Compact(&line, []byte(answer)) == nil {
		answer = line.String()
	}
	fmt.Fprintln(w, answer)
}

// asOwner runs a program as the user that PostgreSQL runs as.
func (p *postgres) asOwner(program string, args ...string) {
	p.t.Helper()
	if os.Getuid() == 0 {
		program, args = "runuser", append([]string{"-u", "postgres", "--", program}, args...)
	}
	p.run("", program, args...)
}

func (p *postgres) run(in, program string, args ...string) string {
	p.t.Helper()
	out, err := p.try(in, program, args...)
	if err != nil {
		p.t.Fatalf("%s: %v", program, err)
	}
	return out
}

func (p *postgres) try(in, program string, args ...string) (string, error) {
	cmd := osexec.Command(program, args...) //nolint:noctx // it stops PostgreSQL when the test's context has ended
	var out, said bytes.Buffer
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = p.dir, strings.NewReader(in), &out, &said
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, said.String())
	}
	return out.String(), nil
}

// psql runs a script, each statement by itself, up to the first that fails.
func (p *postgres) psql(script string) (string, error) {
	return p.try("SET penstock.lambda = '"+p.lambda+"';\n"+script, "psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only",
		"--field-separator", " | ", "--pset", "null=NULL", "--set", "ON_ERROR_STOP=1", "--host", p.dir, "--username", "postgres", "--dbname", "postgres")
}

func (p *postgres) exec(script string) {
	p.t.Helper()
	if _, err := p.psql(script); err != nil {
		p.t.Fatal(err)
	}
}

// query gives the rows of a query, as read does of DuckDB's.
func (p *postgres) query(query string) []string {
	p.t.Helper()
	out, err := p.psql("SET search_path TO penstock, public;\n" + statements.Postgres(query) + ";\n")
	if err != nil {
		p.t.Fatalf("%s: %v", query, err)
	}
	if out = strings.TrimSuffix(out, "\n"); out == "" {
		return nil
	}
	return strings.Split(out, "\n")
}

// setUp runs Redshift's script.
func (p *postgres) setUp(params statements.Params) {
	p.t.Helper()
	script, err := statements.Setup(statements.Redshift, params)
	if err != nil {
		p.t.Fatal(err)
	}
	p.exec(statements.Postgres(script))
}

// What a role may, and what not: who reads sees monitoring and calls nothing that sends;
// who pushes brings monitoring up to date.
func TestPostgresRoles(t *testing.T) {
	p := newPostgres(t)
	p.answer = func(function string, _ []json.RawMessage) string {
		return map[string]string{"penstock_syncs": `{"syncs": []}`, "penstock_status": "{}", "penstock_push": "{}"}[function]
	}
	for range 2 { // Redshift folds a role's name as every other
		p.setUp(statements.Params{Pushers: []string{"Loader"}, Readers: []string{"analyst"}})
	}
	// COPY FROM PROGRAM is the stand-in's, not a right that Redshift's roles have.
	p.exec("CREATE ROLE stranger; GRANT pg_execute_server_program TO loader, analyst;")
	for _, c := range []struct {
		role, statement string
		may             bool
	}{
		{"loader", "CALL penstock.penstock_refresh()", true},
		{"loader", "SELECT * FROM penstock.reverse_etl_alerts", true},
		{"loader", "INSERT INTO penstock.penstock_receipts (sync) VALUES ('a')", true},
		{"loader", "DROP TABLE penstock.penstock_runs", false},
		{"loader", "CREATE TABLE penstock.mine (a INTEGER)", false},
		{"analyst", "SELECT * FROM penstock.reverse_etl_dashboard", true},
		{"analyst", "SELECT * FROM penstock.reverse_etl_sync_errors", true},
		{"analyst", "SELECT * FROM penstock.penstock_receipts", false},
		{"analyst", "DELETE FROM penstock.penstock_runs", false},
		{"loader", "SELECT penstock.penstock_push('a', '{}')", true},
		{"analyst", "SELECT penstock.penstock_status('a')", true},
		{"analyst", "SELECT penstock.penstock_push('a', '{}')", false},
		{"analyst", "SELECT penstock.penstock_begin('a')", false},
		{"analyst", "CALL penstock.penstock_run('a', NULL, NULL)", false},
		{"analyst", "CALL penstock.penstock_refresh()", false},
		{"stranger", "SELECT penstock.penstock_status('a')", false},
		{"stranger", "SELECT * FROM penstock.reverse_etl_dashboard", false},
		{"stranger", "CALL penstock.penstock_refresh()", false},
	} {
		_, err := p.psql("SET ROLE " + c.role + ";\n" + c.statement + ";\n")
		switch {
		case c.may && err != nil:
			t.Errorf("%s may not: %s: %v", c.role, c.statement, err)
		case !c.may && (err == nil || !strings.Contains(err.Error(), "permission denied") && !strings.Contains(err.Error(), "must be owner")):
			t.Errorf("%s: %s: %v", c.role, c.statement, err)
		}
	}
}

// The source view has each row as JSON, with the columns that the definition names, and
// what stands for one that a VARCHAR would not hold.
func TestPostgresSourceView(t *testing.T) {
	p := newPostgres(t)
	p.exec(`CREATE TABLE customers (customer_id VARCHAR(20), score NUMERIC, address jsonb, since DATE, updated_at VARCHAR(99), unused TEXT);
INSERT INTO customers VALUES
('a', 9007199254740993, '{"city": "Ulm"}', '2024-01-15', '9007199254740993', 'x'),
('b', NULL, NULL, NULL, NULL, 'x'),
('c', 1, jsonb_build_object('city', repeat('x', 70000)), NULL, NULL, 'x'),
('d', 1, NULL, NULL, '2024-01-15 10:00:00.5', 'x'),
('e', 1, NULL, NULL, 'it"s', 'x');`)
	params := statements.Params{Syncs: []statements.Sync{statements.Scored}}
	for range 2 { // it can be made again
		p.setUp(params)
	}
	got := p.query("SELECT customer_id, penstock_row FROM penstock_source_scored ORDER BY 1")
	want := []string{
		`a | {"score": 9007199254740993, "since": "2024-01-15", "address": {"city": "Ulm"}, "updated_at": 9007199254740993, "customer_id": "a"}`,
		`b | {"score": null, "since": null, "address": null, "updated_at": null, "customer_id": "b"}`,
		`c | {"penstock_too_large":70092,"customer_id": "c"}`,
		`d | {"score": 1, "since": null, "address": null, "updated_at": "2024-01-15 10:00:00.5", "customer_id": "d"}`,
		`e | {"score": 1, "since": null, "address": null, "updated_at": "it\"s", "customer_id": "e"}`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	teardown, err := statements.Teardown(statements.Redshift, params)
	if err != nil {
		t.Fatal(err)
	}
	p.exec(statements.Postgres(teardown))
	if got := p.query("SELECT COUNT(*) FROM customers"); got[0] != "5" {
		t.Errorf("%s rows are left", got)
	}
}

// What a definition asked for yesterday and does not today, of a model that two syncs
// read, stands in the way of neither the script nor its teardown.
func TestPostgresViewsOfYesterday(t *testing.T) {
	p := newPostgres(t)
	p.exec("CREATE TABLE t (id VARCHAR(20), name VARCHAR(20));")
	today := syncdef.Definition{Sync: "abc", Model: "shared", RecordID: []string{"id"}, Fields: []syncdef.Field{{Source: "name"}}}
	yesterday := today
	yesterday.Incremental, yesterday.Quality = &syncdef.Incremental{ChangedOnly: true}, &syncdef.Quality{MinRows: 1}
	of := func(d syncdef.Definition) statements.Params {
		other := d
		other.Sync = "other"
		return statements.Params{Syncs: []statements.Sync{{Definition: d}, {Definition: other, Model: "SELECT id, name FROM t; -- all of them\n"}}}
	}
	for range 2 {
		p.setUp(of(yesterday))
	}
	p.setUp(of(today))
	if got := p.query("SELECT viewname FROM pg_views WHERE schemaname = 'penstock' AND (viewname LIKE 'penstock_gate_%' OR viewname LIKE '%_with_sync_history')"); len(got) > 0 {
		t.Errorf("%v are left", got)
	}
	p.setUp(of(yesterday))
	for range 2 {
		teardown, err := statements.Teardown(statements.Redshift, of(today))
		if err != nil {
			t.Fatal(err)
		}
		p.exec(statements.Postgres(teardown))
	}
}
