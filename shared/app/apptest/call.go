package apptest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/envelope"
	"github.com/penstock-data/penstock/shared/local"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/wire/gateway"
	"github.com/penstock-data/penstock/shared/wire/snowflake"
	"github.com/penstock-data/penstock/shared/wire/sqs"
)

// ARN is the queue that events are said to come from.
const ARN = "arn:aws:sqs:eu-central-1:123456789012:penstock-%s.fifo"

// An Answer is what SQL sees of one pushed row.
type Answer struct {
	Status   string `json:"status"`
	Run      string `json:"run"`
	RecordID string `json:"record_id"`
	Field    string `json:"field"`
	Reason   string `json:"error_type"`
	Message  string `json:"error_message"`
}

// Request is the proxy event of one call of a SQL function by Snowflake: each row
// is its arguments in JSON.
func Request(function, query, batch string, rows ...[]string) []byte {
	return As("", function, query, batch, rows...)
}

// As is Request by somebody of this role, as Snowflake tells it; "" tells none.
func As(role, function, query, batch string, rows ...[]string) []byte {
	args := make([][]jsontext.Value, len(rows))
	for i, r := range rows {
		for _, a := range r {
			args[i] = append(args[i], jsontext.Value(a))
		}
	}
	header := http.Header{}
	if role != "" {
		header[snowflake.HeaderRole] = []string{blanked.ReplaceAllString(role, " ")}
		header[snowflake.HeaderRole+"-base64"] = []string{base64.StdEncoding.EncodeToString([]byte(role))}
	}
	return event(function, query, batch, header, snowflake.EncodeRequest(nil, args))
}

// blanked is what a plain header cannot carry: each run of it becomes one blank.
var blanked = regexp.MustCompile(`[^\x20-\x7e]+`)

// RawRequest is Request with a body of any kind.
func RawRequest(function, query, batch string, body []byte) []byte {
	return event(function, query, batch, http.Header{}, body)
}

func event(function, query, batch string, header http.Header, body []byte) []byte {
	for name, value := range map[string]string{
		"Content-Type":                "application/json",
		snowflake.HeaderFormat:        "json",
		snowflake.HeaderFormatVersion: "1.0",
		snowflake.HeaderQueryID:       query,
		snowflake.HeaderBatchID:       batch,
		snowflake.HeaderName:          "penstock_" + function,
	} {
		header[name] = []string{value}
	}
	return gateway.EncodeRequest("POST", "/"+function, header, nil, body)
}

// Status reads an API answer: its status, its rows where that is 200, and else
// what the warehouse shows.
func Status(t testing.TB, raw []byte) (status int, rows []jsontext.Value, message string) {
	t.Helper()
	r, err := gateway.DecodeResponse(raw)
	if err != nil {
		t.Fatal(err)
	}
	if r.Status != http.StatusOK {
		return r.Status, nil, string(r.Body)
	}
	if rows, err = snowflake.DecodeReply(r.Body); err != nil {
		t.Fatal(err)
	}
	return r.Status, rows, ""
}

// Answers reads the answers of a push that was taken.
func Answers(t testing.TB, raw []byte) []Answer {
	t.Helper()
	status, rows, message := Status(t, raw)
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, message)
	}
	answers := make([]Answer, len(rows))
	for i, r := range rows {
		if err := json.Unmarshal(r, &answers[i]); err != nil {
			t.Fatal(err)
		}
	}
	return answers
}

// Push pushes rows as one batch and returns their answers.
func (w *World) Push(t testing.TB, query, batch string, rows ...[]string) []Answer {
	t.Helper()
	return Answers(t, w.Invoke(t, "push", Request("push", query, batch, rows...)))
}

// Call calls begin, finish, status or errors of a control function for one row,
// and reads the answer.
func Call[T any](t testing.TB, control local.Invoker, function string, args ...string) T {
	t.Helper()
	raw, err := control.Invoke(t.Context(), Request(function, "01b1a2c3-control", "01b1a2c3-control:1", args))
	if err != nil {
		t.Fatalf("%s failed: %v", function, err)
	}
	status, rows, message := Status(t, raw)
	if status != http.StatusOK || len(rows) != 1 {
		t.Fatalf("%s: status %d, %d rows: %s", function, status, len(rows), message)
	}
	var answer T
	if err := json.Unmarshal(rows[0], &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// A SyncStatus is a sync as penstock_status shows it.
type SyncStatus = runs.SyncStatus

// Status is a sync as penstock_status shows it.
func (w *World) Status(t testing.TB, sync string) SyncStatus {
	t.Helper()
	return Call[SyncStatus](t, w.Functions["control"], "status", fmt.Sprintf("%q", sync))
}

// Run is a run as penstock_status shows it.
func (w *World) Run(t testing.TB, id string) runs.RunStatus {
	t.Helper()
	return Run(t, w.Functions["control"], id)
}

// Errors are a run's errors as penstock_errors shows them.
func (w *World) Errors(t testing.TB, id string) []run.RowError {
	t.Helper()
	return Errors(t, w.Functions["control"], id)
}

// Run is a run as a control function shows it.
func Run(t testing.TB, control local.Invoker, id string) runs.RunStatus {
	t.Helper()
	s := Call[struct{ Runs []runs.RunStatus }](t, control, "status", fmt.Sprintf("%q", id))
	if len(s.Runs) != 1 {
		t.Fatalf("%d runs of id %q", len(s.Runs), id)
	}
	return s.Runs[0]
}

// Errors are a run's errors as a control function shows them.
func Errors(t testing.TB, control local.Invoker, id string) []run.RowError {
	t.Helper()
	type shown struct {
		run.RowError
		Source json.RawMessage `json:"source_data"`
	}
	page := Call[struct{ Errors []shown }](t, control, "errors", fmt.Sprintf("%q", id))
	all := make([]run.RowError, len(page.Errors))
	for i, e := range page.Errors {
		e.RowError.Source = e.Source
		all[i] = e.RowError
	}
	return all
}

// Work hands messages to a worker and returns the ids of those that stay.
func (w *World) Work(t testing.TB, function string, in []envelope.Delivery) []string {
	t.Helper()
	return Stay(t, w.Invoke(t, function, sqs.EncodeEvent(in, fmt.Sprintf(ARN, function))))
}

// Stay reads which messages a worker leaves in the queue.
func Stay(t testing.TB, raw []byte) []string {
	t.Helper()
	ids, err := sqs.DecodeFailures(raw)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}
