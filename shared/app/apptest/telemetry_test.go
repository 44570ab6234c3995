package apptest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/penstock-data/penstock/shared/app/control"
	"github.com/penstock-data/penstock/shared/app/metrics"
	"github.com/penstock-data/penstock/shared/app/push"
	"github.com/penstock-data/penstock/shared/app/redshift"
	"github.com/penstock-data/penstock/shared/app/schedule"
	"github.com/penstock-data/penstock/shared/app/sweep"
	"github.com/penstock-data/penstock/shared/app/worker"
	"github.com/penstock-data/penstock/shared/sandbox"
)

// asLambda gives every function the name that Lambda would give it.
func (w *World) asLambda(t *testing.T) {
	t.Helper()
	for name, f := range w.Functions {
		switch h := f.(type) {
		case *push.Handler:
			h.Function = "one-" + name
		case *control.Handler:
			h.Function = "one-" + name
		case *redshift.Handler:
			h.Function = "one-" + name
		case *schedule.Handler:
			h.Function = "one-" + name
		case *sweep.Handler:
			h.Function = "one-" + name
		case *worker.Handler:
			h.Function = "one-" + name
		default:
			t.Fatalf("%s is no handler that is known here", name)
		}
	}
}

// read are the log's lines.
func (w *World) logged(t *testing.T) (all []map[string]any) {
	t.Helper()
	for line := range strings.Lines(w.Log()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, entry)
	}
	return all
}

// Every invocation of every function logs one line of its own: who, which request, cold
// or not, how it ended, how long it took; and what it did.
func TestEveryInvocationLogsALine(t *testing.T) {
	w := faulty(t)
	w.asLambda(t)
	rows := accounts("accounts", 20)
	rows[3] = []string{`"accounts"`, `{"id":"c003","name":"Customer c003","n":"many","u":3}`}
	w.fault(t, sandbox.Fault{FailRecords: []string{"c005"}, Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "no", Count: -1})
	run := w.Push(t, "q", "q:1", rows...)[0].Run
	deliveries, err := w.Store.Receive(t.Context(), "salesforce", 10, Visibility)
	if err != nil || len(deliveries) == 0 {
		t.Fatal(len(deliveries), err)
	}
	before := len(w.logged(t))
	w.Work(t, "salesforce", deliveries)
	done := w.logged(t)[before]
	if got := fmt.Sprint(done["rows"]); got != "map[delivered:18 failed:1]" || done["calls"].(float64) < 1 || fmt.Sprint(done["runs"]) != "["+run+"]" || fmt.Sprint(done["syncs"]) != "[accounts]" || done["Connection"] != "crm" {
		t.Errorf("the worker's line: %v", done)
	}
	if got := w.logged(t)[0]; fmt.Sprint(got["rows"]) != "map[queued:19 rejected:1]" || fmt.Sprint(got["runs"]) != "["+run+"]" {
		t.Errorf("push's line: %v", got)
	}
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "8f3c"})
	for function, payloads := range map[string][][]byte{
		"push":       {Request("push", "q2", "q2:1", accounts("accounts", 1)...), []byte("{}"), Request("push", "q", "q:0", []string{`"no_such_sync"`, `{"id":"1"}`})},
		"control":    {Request("status", "q", "q:2", []string{`"accounts"`}), Request("status", "q", "q:3", []string{`"nobody@acme.example"`}), []byte("no event")},
		"redshift":   {Event(t, "redshift-status"), []byte("[]")},
		"sweep":      {Tick()},
		"schedule":   {Event(t, "schedule"), Event(t, "schedule-tick"), []byte(`{"sync":"no name","mode":"x"}`)},
		"salesforce": {[]byte(worker.Freshness), []byte("no event"), []byte(`{"Records":[]}`)},
		"deadletter": {[]byte(`{"Records":[]}`)},
	} {
		for _, payload := range payloads {
			before := len(w.logged(t))
			_, _ = w.Functions[function].Invoke(ctx, payload) // what is answered is others' matter
			got := w.logged(t)[before:]
			if len(got) != 1 {
				t.Errorf("%s logs %d lines for %.80s", function, len(got), payload)
				continue
			}
			line := got[0]
			if line[metrics.Dimension] != "one-"+function || line["request"] != "8f3c" || line["outcome"] == nil || line["ms"] == nil || line["cold"] == nil {
				t.Errorf("%s: the line lacks a field: %v", function, line)
			}
		}
	}
	for name := range w.Functions {
		if name != "slack" && !strings.Contains(w.Log(), `"FunctionName":"one-`+name+`"`) {
			t.Errorf("%s was not invoked here", name)
		}
	}
	if strings.Contains(w.Log(), "nobody@acme.example") || strings.Contains(w.Log(), "no_such_sync") || strings.Contains(w.Log(), "no name") {
		t.Error("what a caller wrote in a name's place is logged")
	}
}

// The metrics' dimensions are the function and the connection, whatever syncs, runs,
// fields and error types there are: CloudWatch charges for each combination (I6: none is
// a value).
func TestMetricsAreFew(t *testing.T) {
	w := faulty(t)
	w.asLambda(t)
	w.fault(t, sandbox.Fault{FailRecords: []string{"c005", "c006"}, Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "no", Count: -1})
	for n, sync := range []string{"accounts", "numbers", "people", "typed", "domains"} {
		for part := range 3 {
			w.Invoke(t, "push", Request("push", fmt.Sprintf("q%d%d", n, part), "b:1", accounts(sync, 10+part)...))
		}
	}
	w.Pass(t, time.Hour)
	known := []string{
		metrics.StorageFailures, metrics.FailedRows, metrics.StoredErrors, metrics.OldMessages,
		metrics.RowsDelivered, metrics.RowsNotDelivered, metrics.Calls, metrics.RowsNotRight, metrics.QuotaUsed,
	}
	seen := map[string]bool{}
	for _, line := range w.logged(t) {
		aws, ok := line["_aws"].(map[string]any)
		if !ok {
			continue
		}
		for _, directive := range aws["CloudWatchMetrics"].([]any) {
			d := directive.(map[string]any)
			dimensions := fmt.Sprint(d["Dimensions"])
			if dimensions != "[[FunctionName]]" && dimensions != "[[FunctionName Connection]]" {
				t.Errorf("dimensions %s", dimensions)
			}
			for _, m := range d["Metrics"].([]any) {
				name := m.(map[string]any)["Name"].(string)
				if !slices.Contains(known, name) || line[name] == nil {
					t.Errorf("metric %s: %v", name, line)
				}
				key := fmt.Sprint(name, " ", line[metrics.Dimension])
				if strings.Contains(dimensions, metrics.Connection) {
					key += fmt.Sprint(" ", line[metrics.Connection])
				}
				seen[key] = true
			}
		}
	}
	if len(seen) < 4 || len(seen) > 10 {
		t.Errorf("%d metrics of one connection: %v", len(seen), seen)
	}
}

// The sweeper writes how connections stand every five minutes: a connection's rows that are
// not right are those of its syncs together.
func TestFiguresOfConnections(t *testing.T) {
	w := faulty(t)
	w.asLambda(t)
	w.fault(t, sandbox.Fault{FailRecords: []string{"c005", "c006"}, Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION", Message: "no", Count: -1})
	w.Push(t, "q", "q:1", accounts("accounts", 20)...)
	w.Pass(t, time.Hour)
	w.Settle(t)
	written := 0
	for _, line := range w.logged(t) {
		if line[metrics.RowsNotRight] == nil {
			continue
		}
		at := time.UnixMilli(int64(line["_aws"].(map[string]any)["Timestamp"].(float64))).UTC()
		if written++; line[metrics.RowsNotRight] != 2.0 || line[metrics.Connection] != "crm" || line[metrics.Dimension] != "one-sweep" || at.Minute()%5 != 0 {
			t.Errorf("%v", line)
		}
	}
	if written == 0 {
		t.Error("nobody tells of the rows that are not right")
	}
}
