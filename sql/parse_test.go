package sql

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// tools is the environment with the Python tools that infra/requirements.txt pins:
// its bin folder. .ci/run sets it in the stage that runs these tests.
const tools = "PENSTOCK_SQL_TOOLS"

// python runs one of infra's programs: value goes in as JSON, and the answer is read
// into answer.
func python(t *testing.T, program string, value, answer any) {
	t.Helper()
	bin := os.Getenv(tools)
	if bin == "" {
		t.Skipf("%s is not set: bash .ci/run python sql", tools)
	}
	in, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var complaints bytes.Buffer
	cmd := exec.CommandContext(t.Context(), bin+"/python", "../infra/"+program)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("infra/%s: %v\n%s", program, err, complaints.String())
	}
	if err := json.Unmarshal(out, answer); err != nil {
		t.Fatalf("infra/%s answers %q: %v", program, out, err)
	}
}

// A text is what infra/parsesql takes.
type text struct {
	Dialect Dialect `json:"dialect"`
	Text    string  `json:"text"`
	Body    bool    `json:"body,omitempty"`
}

// unknown are the texts that neither parser knows, whole.
var unknown = map[string]bool{
	"ALTER API INTEGRATION IF EXISTS penstock_api SET\n    API_AWS_ROLE_ARN = 'arn:aws:iam::123456789012:role/penstock'\n    API_ALLOWED_PREFIXES = ('https://a1b2c3.execute-api.eu-west-1.amazonaws.com/v1/')\n    ENABLED = TRUE": true,
}

// endings are the ends of texts that neither parser knows, whole; the rest of such a text
// is parsed. Redshift documentation, "CREATE EXTERNAL FUNCTION".
var endings = []string{
	"\n    MAX_BATCH_ROWS 1\n    MAX_BATCH_SIZE 1 MB", "\n    MAX_BATCH_ROWS 10\n    MAX_BATCH_SIZE 1 MB", "\n    MAX_BATCH_ROWS 1000\n    MAX_BATCH_SIZE 1 MB",
}

// cutEnding takes a known ending away.
func cutEnding(s string, left map[string]bool) string {
	for _, e := range endings {
		if rest, cut := strings.CutSuffix(s, e); cut {
			left[e] = true
			return rest
		}
	}
	return s
}

// filled are parameters with nothing left open.
func filled(dialect Dialect) Params {
	p := Params{
		APIURL: "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/v1", RoleARN: "arn:aws:iam::123456789012:role/penstock", Warehouse: "loading", Streams: true,
		Function: "penstock-RedshiftFunction-1A2B3C4D5E6F", Workgroup: "analytics",
		Project: "acme-data", Location: "europe-west1", Endpoint: "https://penstock-forwarder-abc123-ew.a.run.app",
		Pushers: []string{"loader"}, Readers: []string{"analyst"},
	}
	if dialect == BigQuery {
		p.Pushers, p.Readers = []string{"serviceAccount:loader@acme-data.iam.gserviceaccount.com"}, []string{"group:analysts@acme.com"}
	}
	return p
}

// scripts are all scripts, with everything that can be left out, and with nothing of it.
func scripts(t *testing.T) map[Dialect][]string {
	t.Helper()
	out := map[Dialect][]string{}
	for _, dialect := range Dialects {
		seen := map[string]bool{}
		full := filled(dialect)
		bare := full
		bare.Pushers, bare.Readers, bare.Streams, bare.NoSample, bare.RunAs = nil, nil, false, true, "owner"
		for _, p := range []Params{full, bare} {
			script, err := Setup(dialect, p)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range split(script) {
				if !seen[s] {
					seen[s] = true
					out[dialect] = append(out[dialect], s)
				}
			}
		}
	}
	for _, dialect := range []Dialect{DuckDB, Snowflake} {
		more, err := SetupModels(dialect)
		if err != nil {
			t.Fatal(err)
		}
		out[dialect] = append(out[dialect], split(more)...)
	}
	groups, err := RefreshGroups()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		for _, s := range g.Steps {
			for _, one := range split(s.Redshift.Statement()) {
				out[Redshift] = append(out[Redshift], variable.ReplaceAllString(one, "${1}v_$2"))
			}
		}
	}
	steps := RunSteps
	for _, s := range RunSteps {
		if plan := FindStep(PlanOf(s.Name)); plan.Name != s.Name {
			steps = append(steps[:len(steps):len(steps)], plan)
		}
	}
	for _, s := range steps {
		for _, d := range Dialects {
			if s.In(d).Statement() != "" && d != DuckDB {
				s := s
				if d == Redshift { // INTO is PL/pgSQL
					s.Into = nil
				}
				one := strings.TrimSuffix(speeches[d].scripting(s), ";")
				if d == Redshift {
					one = executed(t, one)
				}
				out[d] = append(out[d], one)
			}
		}
		out[DuckDB] = append(out[DuckDB], s.DuckDB.Statement())
	}
	return out
}

var (
	executes = regexp.MustCompile(`(?s)^EXECUTE (.*?)(\s+INTO v_[\w, ]+)?$`)
	operand  = regexp.MustCompile(`^(?:'((?:[^']|'')*)'|QUOTE_LITERAL\((v_\w+)\)|CASE WHEN v_\w+ THEN '((?:[^']|'')*)' ELSE '(?:[^']|'')*' END|(v_\w+))( \|\| |$)`)
	// stand are the values of what is put into a text of Redshift without quotes.
	stand = map[string]string{"v_here": "penstock", "v_relation": "penstock.penstock_source_scored", "v_since": " WHERE m.at::FLOAT8 >= '5'::FLOAT8 OR m.at IS NULL"}
)

// executed is the statement that EXECUTE of PL/pgSQL would run, which neither parser
// knows; any other statement is as it is.
func executed(t *testing.T, s string) string {
	t.Helper()
	m := executes.FindStringSubmatch(s)
	if m == nil {
		return s
	}
	var made strings.Builder
	for rest := m[1]; rest != ""; {
		o := operand.FindStringSubmatch(rest)
		if len(o) < 5 || o[4] != "" && stand[o[4]] == "" {
			t.Fatalf("a text of another form than the one that is known: %s", rest)
		}
		rest = rest[len(o[0]):]
		made.WriteString(strings.ReplaceAll(o[1]+o[3], "''", "'") + stand[o[4]])
		if o[2] != "" {
			made.WriteString("'" + o[2] + "'")
		}
	}
	return made.String()
}

// ranked is a definition whose source view has every reserved column.
var ranked = syncdef.Definition{Sync: "ranked", Model: "accounts", RecordID: []string{"id"}, Fields: []syncdef.Field{{Source: "score"}},
	Incremental: &syncdef.Incremental{ChangedOnly: true, Always: "score > 90 every 24h", OrderBy: []string{"score DESC"}}}

// The sample's monitoring statements, as each dialect writes them, and the teardowns.
func others(t *testing.T) map[Dialect][]string {
	t.Helper()
	out := map[Dialect][]string{}
	for _, dialect := range Dialects {
		teardown, err := Teardown(dialect, filled(dialect))
		if err != nil {
			t.Fatal(err)
		}
		out[dialect] = split(teardown)
		for _, d := range []syncdef.Definition{judged, ranked, kept.Definition} {
			views, err := Views(dialect, filled(dialect), d)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range views {
				out[dialect] = append(out[dialect], strings.TrimSuffix(strings.TrimSpace(v.Create(dialect)), ";"))
			}
		}
	}
	for dialect, file := range map[Dialect]string{Redshift: "sample_monitoring_redshift", BigQuery: "sample_monitoring_bigquery", Snowflake: "sample_monitoring"} {
		text, err := os.ReadFile("testdata/" + file + ".sql")
		if err != nil {
			t.Fatal(err)
		}
		out[dialect] = append(out[dialect], split(string(text))...)
	}
	return out
}

// Every statement of every script, and the inside of every $$, is known to sqlglot or
// sqlfluff in its dialect, but for a list of exact texts.
func TestParse(t *testing.T) {
	var texts []text
	left := map[string]bool{}
	all := scripts(t)
	for dialect, statements := range others(t) {
		all[dialect] = append(all[dialect], statements...)
	}
	for dialect, statements := range all {
		for _, s := range statements {
			if unknown[s] {
				left[s] = true
				continue
			}
			texts = append(texts, text{Dialect: dialect, Text: cutEnding(s, left)})
			if b := body(s); b != "" && dialect != Redshift { // neither knows PL/pgSQL: PostgreSQL runs those bodies, and their statements stand by themselves here
				texts = append(texts, text{Dialect: dialect, Text: b, Body: true})
			}
		}
	}
	var why []string
	python(t, "parsesql", texts, &why)
	if len(why) != len(texts) {
		t.Fatalf("%d answers for %d texts", len(why), len(texts))
	}
	for i, w := range why {
		if w != "" {
			t.Errorf("%s: %s\n%s", texts[i].Dialect, w, texts[i].Text)
		}
	}
	for _, s := range append(slices.Collect(maps.Keys(unknown)), endings...) {
		if !left[s] {
			t.Errorf("the list of unknown texts has one that no script has:\n%s", s)
		}
	}
}

// What is wrong is found, wherever it stands.
func TestParseFindsFaults(t *testing.T) {
	broken := []text{
		{Dialect: "snowflake", Text: "SELECT a, FROM t WHERE"},
		{Dialect: "snowflake", Text: "CREATE TABLE t (a VARCHAR b)"},
		{Dialect: "snowflake", Text: "CREATE TASK t WAREHOUSE = w WHEN SYSTEM$STREAM_HAS_DATA('s') AS INSERT INTO t SELEC 1"},
		{Dialect: "snowflake", Text: "GRANT USAGE FUNCTION f() TO ROLE r"},
		{Dialect: "snowflake", Text: "ALTER API INTEGRATION penstock_api SET API_ALLOWED_PREFIXES = ('https://elsewhere/')"}, // not the exact text
		{Dialect: "snowflake", Text: "DECLARE\n    x INTEGER DEFAULT 0;\nBEGIN\n    IF (x = 0) THEN\n        x := 1;\nEND", Body: true},
		{Dialect: "snowflake", Text: "BEGIN\n    SELECT 1 INTO x FROM WHERE;\nEND", Body: true},
		{Dialect: "redshift", Text: "GRANT USAGE ON SCHEMA s ROLE r"},
		{Dialect: "redshift", Text: "CREATE TABLE t (a VARCHAR(10) b, c SUPER)"},
		{Dialect: "redshift", Text: "SELECT u.a::VARCHAR( FROM p, p.answer.syncs AS u"},
		{Dialect: "bigquery", Text: "CREATE VIEW `p.d.v` AS SELECT JSON_VALUE(a, '$.b' FROM t"},
		{Dialect: "bigquery", Text: "CREATE OR REPLACE PROCEDURE `p.d.q`()\nBEGIN\n    SET v_page = ;\nEND"},
		{Dialect: "bigquery", Text: "GRANT `roles/bigquery.dataViewer` ON TABLE `p.d.t` \"user:a@b.c\""},
		{Dialect: "duckdb", Text: "SELECT count(*) FILTER WHERE x FROM t"},
		{Dialect: "duckdb", Text: "CREATE VIEW v AS SELECT * FROM t WHERE (a = 1"},
	}
	var why []string
	python(t, "parsesql", broken, &why)
	for i, w := range why {
		if w == "" {
			t.Errorf("%s: passes:\n%s", broken[i].Dialect, broken[i].Text)
		}
	}
}
