package redshift

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/penstock-data/penstock/shared/run"
)

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

// A standIn answers as the Data API does: requests are signed for redshift-data, a
// cluster and a workgroup exclude each other, and a ClientToken runs once.
type standIn struct {
	t      *testing.T
	ids    map[string]string // client token -> id
	sql    []string
	status string
	result bool
	records,
	refuse string // the error of ExecuteStatement
	hide string // the error of GetStatementResult
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a := r.Header.Get("Authorization"); !strings.Contains(a, "/eu-central-1/redshift-data/aws4_request") || !strings.Contains(a, "Signature=") {
		s.fail(w, 403, "UnrecognizedClientException")
		return
	}
	var in map[string]any
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || r.Header.Get("Content-Type") != "application/x-amz-json-1.1" {
		s.fail(w, 400, "SerializationException")
		return
	}
	has := func(name string) bool { _, ok := in[name]; return ok }
	id, _ := in["Id"].(string)
	switch r.Header.Get("X-Amz-Target") {
	case "RedshiftData.ExecuteStatement":
		token, _ := in["ClientToken"].(string)
		switch {
		case s.refuse != "":
			s.fail(w, 400, s.refuse)
		case has("WorkgroupName") == has("ClusterIdentifier") || has("WorkgroupName") && has("DbUser") || has("DbUser") && has("SecretArn"),
			in["Database"] != "dev" || len(token) < 1 || len(token) > 64 || has("Parameters"):
			s.t.Logf("%v", in)
			s.fail(w, 400, "ValidationException")
		default:
			if s.ids[token] == "" {
				s.sql = append(s.sql, in["Sql"].(string))
				s.ids[token] = fmt.Sprintf("d9b6c0c9-0747-4bf4-b142-e8883122f76%d", len(s.sql))
			}
			fmt.Fprintf(w, `{"Id":%q,"Database":"dev","CreatedAt":1767614400}`, s.ids[token])
		}
	case "RedshiftData.DescribeStatement":
		if !s.known(id) {
			s.fail(w, 400, "ResourceNotFoundException")
			return
		}
		fmt.Fprintf(w, `{"Id":%q,"Status":%q,"HasResultSet":%t,"RedshiftQueryId":7,"Error":"ERROR: Invalid digit, Value 'j', jane@example.com"}`, id, s.status, s.result)
	case "RedshiftData.GetStatementResult":
		if !s.known(id) || !s.result || s.status != "FINISHED" {
			s.fail(w, 400, "ValidationException")
			return
		}
		if s.hide != "" {
			s.fail(w, 400, s.hide)
			return
		}
		fmt.Fprint(w, s.records)
	default:
		s.fail(w, 404, "UnknownOperationException")
	}
}

func (s *standIn) known(id string) bool {
	for _, one := range s.ids {
		if one == id {
			return true
		}
	}
	return false
}

func (s *standIn) fail(w http.ResponseWriter, status int, code string) {
	w.Header().Set("X-Amzn-Errortype", code)
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"__type":%q,"message":"it quotes jane@example.com"}`, code)
}

func open(t *testing.T, c Config) (*standIn, *Client) {
	t.Helper()
	s := &standIn{t: t, ids: map[string]string{}, status: "SUBMITTED"}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	cfg := aws.Config{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("AKID", "secret", ""), BaseEndpoint: &server.URL, HTTPClient: server.Client(),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} }}
	return s, New(cfg, c)
}

func call(n int) run.Call {
	f := run.Firing{Sync: "sf_health", At: noon, Call: n}
	return run.Call{Sync: "sf_health", Mode: run.Incremental, Request: f.Request(), Again: n > 1}
}

func TestStartAndLook(t *testing.T) {
	for _, c := range []Config{
		{Workgroup: "wg", Database: "dev"}, {Cluster: "c", Database: "dev", User: "penstock"},
		{Workgroup: "wg", Database: "dev", SecretARN: "arn:aws:secretsmanager:eu-central-1:1:secret:x"},
	} {
		s, client := open(t, c)
		st, err := client.Start(t.Context(), call(1))
		if err != nil || st.State != run.StatementRunning || st.Handle == "" {
			t.Fatalf("%+v: %+v, %v", c, st, err)
		}
		if again, err := client.Start(t.Context(), call(1)); err != nil || again.Handle != st.Handle || len(s.sql) != 1 {
			t.Errorf("a repeat: %v, %+v, %v", s.sql, again, err)
		}
		if s.sql[0] != "CALL penstock_run('sf_health', 'incremental')" {
			t.Error(s.sql)
		}
		for status, want := range map[string]run.StatementState{
			"SUBMITTED": run.StatementRunning, "PICKED": run.StatementRunning, "STARTED": run.StatementRunning,
			"FINISHED": run.StatementDone, "FAILED": run.StatementFailed, "ABORTED": run.StatementFailed,
		} {
			s.status = status
			got, err := client.Look(t.Context(), st.Handle)
			if err != nil || got.State != want || got.Handle != st.Handle || strings.Contains(got.Reason, "jane") || (got.Reason != "") != (want == run.StatementFailed) {
				t.Errorf("%s: %+v, %v", status, got, err)
			}
		}
	}
}

func TestSummary(t *testing.T) {
	s, c := open(t, Config{Workgroup: "wg", Database: "dev", Schema: `my "x`})
	st, err := c.Start(t.Context(), call(1))
	if err != nil || s.sql[0] != `CALL "my ""x".penstock_run('sf_health', 'incremental')` {
		t.Fatal(s.sql, err)
	}
	s.status, s.result = "FINISHED", true
	for records, want := range map[string]run.Statement{
		`{"ColumnMetadata":[{"name":"answer"}],"Records":[[{"stringValue":"{\"run\":\"sf_health.r01\",\"status\":\"finishing\",\"reason\":\"x\"}"}]]}`: {Run: "sf_health.r01"},
		`{"ColumnMetadata":[{"name":"run"},{"name":"status"},{"name":"received"},{"name":"reason"}],"Records":[[{"isNull":true},{"stringValue":"skipped"},{"longValue":0},{"stringValue":"it goes on"}]]}`: {
			Skipped: true, Reason: "it goes on"},
		`{"ColumnMetadata":[],"Records":[]}`: {},
	} {
		s.records = records
		want.Handle, want.State = st.Handle, run.StatementDone
		if got, err := c.Look(t.Context(), st.Handle); err != nil || got != want {
			t.Errorf("%s: %+v, %v", records, got, err)
		}
	}
}

// A statement that is done stays done where its result cannot be read.
func TestResultThatCannotBeRead(t *testing.T) {
	s, c := open(t, Config{Workgroup: "wg", Database: "dev"})
	st, err := c.Start(t.Context(), call(1))
	if err != nil {
		t.Fatal(err)
	}
	s.status, s.result = "FINISHED", true
	for code, again := range map[string]bool{"ResourceNotFoundException": false, "ValidationException": false, "AccessDeniedException": false, "InternalServerException": true, "ThrottlingException": true} {
		s.hide = code
		got, err := c.Look(t.Context(), st.Handle)
		if again != (err != nil) || !again && (got.State != run.StatementDone || got.Handle != st.Handle) || errors.Is(err, run.ErrRefused) {
			t.Errorf("%s: %+v, %v", code, got, err)
		}
	}
}

func TestRefused(t *testing.T) {
	s, c := open(t, Config{Workgroup: "wg", Database: "dev"})
	for code, want := range map[string]error{
		"ValidationException": run.ErrRefused, "AccessDeniedException": run.ErrRefused, "ActiveStatementsExceededException": run.ErrBusy, "ThrottlingException": run.ErrBusy, "InternalServerException": nil,
	} {
		s.refuse = code
		_, err := c.Start(t.Context(), call(1))
		if err == nil || strings.Contains(err.Error(), "jane") || want != nil && !errors.Is(err, want) || want == nil && (errors.Is(err, run.ErrRefused) || errors.Is(err, run.ErrBusy)) {
			t.Errorf("%s: %v", code, err)
		}
	}
	if _, err := c.Look(t.Context(), "nobody"); !errors.Is(err, run.ErrRefused) {
		t.Errorf("an unknown statement: %v", err)
	}
	if _, err := c.Start(t.Context(), run.Call{Sync: "a'; DROP TABLE x"}); !errors.Is(err, run.ErrRefused) || len(s.sql) != 0 {
		t.Errorf("%v, %v", s.sql, err)
	}
	_, both := open(t, Config{Workgroup: "wg", Cluster: "c", Database: "dev"})
	if _, err := both.Start(t.Context(), call(1)); !errors.Is(err, run.ErrRefused) {
		t.Errorf("a workgroup and a cluster: %v", err)
	}
}
