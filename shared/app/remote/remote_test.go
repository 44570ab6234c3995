package remote

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/aws/awstest"
)

// standIn answers as CloudFormation and DynamoDB would, of a stack without syncs.
type standIn struct {
	stacks func(w http.ResponseWriter)
	mu     sync.Mutex
	tables map[string]int // that were asked, how often
	denies bool           // secrets
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if target := r.Header.Get("X-Amz-Target"); strings.HasPrefix(target, "DynamoDB") {
		for _, name := range []string{"prod-state", "prod-ledger", "prod-errors"} {
			if strings.Contains(string(body), `"`+name+`"`) {
				s.mu.Lock()
				s.tables[name]++
				s.mu.Unlock()
			}
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		fmt.Fprint(w, `{"Items":[],"Count":0,"ScannedCount":0,"Responses":{},"UnprocessedKeys":{}}`)
		return
	}
	if s.denies && strings.HasPrefix(r.Header.Get("X-Amz-Target"), "secretsmanager") {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"__type":"AccessDeniedException","Message":"User: arn:x is not authorized"}`)
		return
	}
	s.stacks(w)
}

// stack is CloudFormation's answer with these outputs.
func stack(outputs ...string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		fmt.Fprint(w, `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member><StackName>prod</StackName><StackStatus>CREATE_COMPLETE</StackStatus><CreationTime>2026-01-01T00:00:00Z</CreationTime><Outputs>`)
		for _, o := range outputs {
			key, value, _ := strings.Cut(o, "=")
			fmt.Fprintf(w, `<member><OutputKey>%s</OutputKey><OutputValue>%s</OutputValue></member>`, key, value)
		}
		fmt.Fprint(w, `</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`)
	}
}

func refusal(status int, code, message string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>`, code, message)
	}
}

// environment serves the stand-in, and points the SDK at it.
func environment(t *testing.T, s *standIn) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	awstest.Environment(t, server.URL)
}

func TestOpen(t *testing.T) {
	s := &standIn{stacks: stack("ApiUrl=https://x", "StateTable=prod-state", "LedgerTable=prod-ledger", "ErrorsTable=prod-errors"), tables: map[string]int{}}
	environment(t, s)
	control, err := Open(t.Context(), "prod")
	if err != nil {
		t.Fatal(err)
	}
	syncs, err := control.ListSyncs(t.Context())
	if err != nil || len(syncs) != 0 {
		t.Errorf("%v, %v", syncs, err)
	}
	if _, _, err := control.RunErrors(t.Context(), "things.q1", 10, ""); err == nil || !strings.Contains(err.Error(), `there is no run "things.q1"`) {
		t.Errorf("errors of no run: %v", err)
	}
	if s.tables["prod-state"] == 0 || s.tables["prod-errors"] == 0 {
		t.Errorf("asked %v", s.tables)
	}
}

// What AWS or the machine lacks is one line with the remedy.
func TestOpenRefused(t *testing.T) {
	all := stack("StateTable=a", "LedgerTable=b", "ErrorsTable=c")
	for name, c := range map[string]struct {
		stacks func(http.ResponseWriter)
		unset  string
		want   string
	}{
		"no credentials": {all, "AWS_ACCESS_KEY_ID", "no AWS credentials were found, or they have expired: run  aws sso login , or set AWS_PROFILE"},
		"no region":      {all, "AWS_REGION", "no AWS region is set: set AWS_REGION"},
		"no stack":       {refusal(400, "ValidationError", "Stack with id prod does not exist"), "", `there is no stack "prod" in eu-central-1`},
		"another stack":  {stack("StateTable=a"), "", `the stack "prod" has no output LedgerTable`},
		"denied":         {refusal(403, "AccessDenied", "User: arn:x is not authorized"), "", `may not read the stack "prod": they need cloudformation:DescribeStacks`},
		"expired":        {refusal(403, "ExpiredToken", "The security token is expired"), "", "AWS does not accept your credentials (ExpiredToken): run  aws sso login"},
		"down":           {refusal(503, "ServiceUnavailable", "later"), "", `read the stack "prod" in eu-central-1: ServiceUnavailable: later`},
	} {
		t.Run(name, func(t *testing.T) {
			environment(t, &standIn{stacks: c.stacks, tables: map[string]int{}})
			if c.unset != "" {
				t.Setenv(c.unset, "")
			}
			_, err := Open(t.Context(), "prod")
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// A secret that the credentials may not read is no failure of the stack's.
func TestSecretDenied(t *testing.T) {
	outputs := stack("StateTable=prod-state", "LedgerTable=prod-ledger", "ErrorsTable=prod-errors", "SecretPrefix=prod/")
	environment(t, &standIn{stacks: outputs, tables: map[string]int{}, denies: true})
	p, err := Look(t.Context(), "prod", func() time.Time { return time.Date(2026, 3, 14, 15, 0, 0, 0, time.UTC) })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Secret(t.Context(), "crm"); !errors.Is(err, ErrLacking) || !strings.Contains(err.Error(), "they lack secretsmanager:GetSecretValue") {
		t.Errorf("%v", err)
	}
}

func TestAlerts(t *testing.T) {
	s := &standIn{stacks: stack("StateTable=prod-state", "LedgerTable=prod-ledger", "ErrorsTable=prod-errors"), tables: map[string]int{}}
	environment(t, s)
	book, err := Alerts(t.Context(), "prod", "sf_health")
	if err != nil || book.Sync != "sf_health" || len(book.Open) != 0 || s.tables["prod-state"] != 1 {
		t.Errorf("%+v, %v, asked %v", book, err, s.tables)
	}
}
