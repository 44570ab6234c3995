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
	if p.dir, err = os.MkdirTemp("", "pg"); err != nil { // not t.TempDir, whose name may be too long for a socket
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
	if !strings.Contains(script, "EXTERNAL FUNCTION") {
		p.exec(statements.Postgres(`
CREATE OR REPLACE EXTERNAL FUNCTION public.penstock_syncs() RETURNS VARCHAR;
CREATE OR REPLACE EXTERNAL FUNCTION public.penstock_status(VARCHAR, VARCHAR, VARCHAR) RETURNS VARCHAR;
CREATE OR REPLACE EXTERNAL FUNCTION public.penstock_errors(VARCHAR, VARCHAR, VARCHAR) RETURNS VARCHAR;`))
	}
	p.exec(statements.Postgres(script))
}
