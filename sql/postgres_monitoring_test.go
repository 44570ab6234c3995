//go:build cgo

package sql_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/run"
	statements "github.com/penstock-data/penstock/sql"
)

// asked lets external functions call the gateway of m.
func (m *monitored) asks(p *postgres) {
	calls := 0
	p.answer = func(function string, arguments []json.RawMessage) string {
		calls++
		body, err := json.Marshal(map[string]any{"data": [][]any{append([]any{0}, raw(arguments)...)}})
		m.ok(err)
		q, err := http.NewRequestWithContext(m.t.Context(), http.MethodPost, m.url+"/"+strings.TrimPrefix(function, "penstock_"), bytes.NewReader(body))
		m.ok(err)
		for name, value := range map[string]string{
			"sf-external-function-format": "json", "sf-external-function-format-version": "1.0", "sf-external-function-name": function,
			"sf-external-function-current-query-id": fmt.Sprint("pg-", calls), "sf-external-function-query-batch-id": fmt.Sprint("pg-", calls, ":1"),
		} {
			q.Header.Set(name, value)
		}
		answer, err := http.DefaultClient.Do(q)
		m.ok(err)
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		m.ok(err)
		var rows struct {
			Data [][]json.RawMessage `json:"data"`
		}
		if answer.StatusCode != http.StatusOK {
			return "error: " + string(text)
		}
		m.ok(json.Unmarshal(text, &rows))
		return string(rows.Data[0][1])
	}
}

func raw(arguments []json.RawMessage) []any {
	var out []any
	for _, a := range arguments {
		out = append(out, a)
	}
	return out
}

// Redshift's procedure, as PostgreSQL runs it, and DuckDB give equal answers over one
// live gateway, also when it is done again and after a script that is run again.
func TestPostgresAgrees(t *testing.T) {
	m := newMonitored(t)
	p := newPostgres(t)
	m.asks(p)
	p.setUp(statements.Params{Readers: []string{"analyst"}})
	m.many()
	for range 2 {
		p.exec("CALL penstock.penstock_refresh();")
		p.setUp(statements.Params{Readers: []string{"analyst"}})
	}
	m.refresh()
	rows := 0
	for _, query := range answers {
		want := m.texts(query)
		rows += len(want)
		if d := cmp.Diff(want, p.query(query)); d != "" {
			t.Errorf("%s: DuckDB -, Redshift +: %.4000s", query, d)
		}
	}
	if rows < 20_000 {
		t.Errorf("%d rows were compared", rows)
	}
	if left := p.query("SELECT COUNT(*) FROM penstock_pages"); left[0] != "0" {
		t.Errorf("%s pages are left", left)
	}
}

// The sample's monitoring statements run on it as they are written, before a refresh and
// after.
func TestPostgresSampleMonitoring(t *testing.T) {
	m := newMonitored(t)
	p := newPostgres(t)
	m.asks(p)
	m.apply("sf_health", nil)
	m.ran("sf_health", time.Hour, run.Counts{Received: 10, Delivered: 9, Failed: 1}, nil)
	p.setUp(statements.Params{})
	for range 2 {
		for _, s := range sampleMonitoringOf(t, "sample_monitoring_redshift", "to_jsonb(m)", "regexp_like") {
			p.query(s)
		}
		p.exec("CALL penstock.penstock_refresh();")
	}
	for query, want := range map[string][]string{
		"SELECT sync_name, freshness_status FROM reverse_etl_sync_health":                       {"salesforce_customer_health | STALE", "sf_health | HEALTHY"},
		"SELECT sync_id, destination_name, health_status FROM reverse_etl_dashboard ORDER BY 1": {"intercom_health | Intercom | STALE", "sf_health | Salesforce | HEALTHY", "slack_alerts | Slack | STALE"},
		"SELECT error_type, record_id FROM reverse_etl_sync_errors ORDER BY 1":                  {"FIELD_VALIDATION_ERROR | cust_009", "FIELD_VALIDATION_ERROR | cust_009", "above_max | c0"},
	} {
		if d := cmp.Diff(want, p.query(query)); d != "" {
			t.Errorf("%s: %s", query, d)
		}
	}
}

// A teardown takes all of it away, twice, and the schema with it; what is not ours keeps
// the schema.
func TestPostgresTeardown(t *testing.T) {
	p := newPostgres(t)
	params := statements.Params{Readers: []string{"analyst"}}
	teardown, err := statements.Teardown(statements.Redshift, params)
	if err != nil {
		t.Fatal(err)
	}
	const left = "SELECT (SELECT COUNT(*) FROM pg_namespace WHERE nspname = 'penstock'), (SELECT COUNT(*) FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = 'penstock'), (SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'penstock')"
	for range 2 {
		p.setUp(params)
		if got := p.query(left)[0]; !strings.HasPrefix(got, "1 | ") || strings.HasSuffix(got, " | 0") {
			t.Errorf("set up: %s", got)
		}
		for range 2 {
			p.exec(statements.Postgres(teardown))
			if got := p.query(left)[0]; got != "0 | 0 | 0" {
				t.Errorf("torn down: %s", got)
			}
		}
	}
	p.setUp(params)
	p.exec("CREATE TABLE penstock.yours (a INTEGER);")
	if _, err := p.psql(statements.Postgres(teardown)); err == nil {
		t.Error("the schema went, with a table of somebody else")
	}
	if got := p.query(left)[0]; got != "1 | 0 | 1" {
		t.Errorf("torn down: %s", got)
	}
}
