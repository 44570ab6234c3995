package infra_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appmetrics "github.com/penstock-data/penstock/shared/app/metrics"
)

// counted says which functions write a metric of our own.
func counted() map[string][]string {
	workers := append(kinds(), "deadletter")
	return map[string][]string{
		appmetrics.StorageFailures: append(slices.Clip(workers), "push", "control", "redshift", "sweep", "schedule"),
		appmetrics.FailedRows:      workers,
		appmetrics.StoredErrors:    append(slices.Clip(workers), "push", "redshift"),
		appmetrics.OldMessages:     workers,
	}
}

// watch reports whether an alarm of a rendered stack sums a metric by one dimension.
func watch(tpl template, metric string) bool {
	return slices.ContainsFunc(tpl.of("AWS::CloudWatch::Alarm"), func(a resource) bool { return slices.Contains(metrics(a), metric) })
}

// Every metric that a function writes has an alarm, by the function's own name, so
// that another stack's failures do not ring here.
func TestMetricsHaveAlarms(t *testing.T) {
	tpl := render(t, readTemplate(t), stack{name: "one"})
	for metric, names := range counted() {
		for _, name := range names {
			want := fmt.Sprint(appmetrics.Namespace, " ", metric, " ", []any{object{"Name": appmetrics.Dimension, "Value": functions(t, tpl)[name].properties.text("FunctionName")}})
			if !watch(tpl, want) {
				t.Errorf("no alarm on %s", want)
			}
		}
	}
	for _, table := range tpl.of("AWS::DynamoDB::Table") {
		for _, metric := range []string{"ReadThrottleEvents", "WriteThrottleEvents"} {
			if want := fmt.Sprint("AWS/DynamoDB ", metric, " ", []any{object{"Name": "TableName", "Value": "one-" + table.name + "-RANDOM"}}); !watch(tpl, want) {
				t.Errorf("no alarm on %s", want)
			}
		}
	}
	for _, q := range tpl.of("AWS::SQS::Queue") {
		if want := fmt.Sprint("AWS/SQS ApproximateAgeOfOldestMessage ", []any{object{"Name": "QueueName", "Value": q.properties.text("QueueName")}}); !watch(tpl, want) {
			t.Errorf("no alarm on %s", want)
		}
	}
}

// An alarm on a metric that is a part of an expression uses it, and one on storage
// rings at the first failure.
func TestAlarmsRing(t *testing.T) {
	tpl := render(t, readTemplate(t), stack{name: "one"})
	for _, a := range tpl.of("AWS::CloudWatch::Alarm") {
		p := a.properties
		if p["Threshold"] == nil || p["EvaluationPeriods"] == nil || p.text("ComparisonOperator") == "" {
			t.Errorf("%s compares nothing", a.name)
		}
		if strings.HasPrefix(fmt.Sprint(metrics(a)), "[Penstock StorageFailures") && (p.number("Threshold") != 0 || p["Metrics"] == nil && p.text("Statistic") != "Sum" || p.text("ComparisonOperator") != "GreaterThanThreshold") {
			t.Errorf("%s does not ring at the first failure", a.name)
		}
		returned := 0
		for _, m := range p.list("Metrics") {
			if m := m.(object); m["ReturnData"] == nil {
				returned++
				if e := m.text("Expression"); !strings.Contains(e, "METRICS()") && !strings.Contains(e, "FILL") {
					t.Errorf("%s: the expression %q uses no metric", a.name, e)
				}
			}
		}
		if p.list("Metrics") != nil && returned != 1 {
			t.Errorf("%s compares %d series, want one", a.name, returned)
		}
	}
}

// A message is old after a quarter of the time that its queue keeps it.
func TestOldMessages(t *testing.T) {
	tpl := render(t, readTemplate(t), stack{name: "one"})
	for _, q := range tpl.of("AWS::SQS::Queue") {
		if kept := time.Duration(q.properties.number("MessageRetentionPeriod")) * time.Second; kept != appmetrics.Kept {
			t.Errorf("%s keeps messages %v, the functions count with %v", q.name, kept, appmetrics.Kept)
		}
	}
	if got := tpl.resources["MessagesUntakenAlarm"].properties.number("Threshold"); got != int(appmetrics.OldAfter.Seconds()) {
		t.Errorf("MessagesUntakenAlarm rings after %d s, want %v", got, appmetrics.OldAfter)
	}
	if got := tpl.parameters.object("QueueAgeAlarm").number("MaxValue"); got != int(appmetrics.OldAfter.Seconds()) {
		t.Errorf("QueueAgeAlarm may be %d s, want at most %v", got, appmetrics.OldAfter)
	}
}

// Detailed metrics of the API are custom metrics, paid per method.
func TestNoMetricsPerMethod(t *testing.T) {
	for _, api := range readTemplate(t).of("AWS::Serverless::Api") {
		for _, s := range api.properties.list("MethodSettings") {
			if got := s.(object)["MetricsEnabled"]; got != false {
				t.Errorf("%s: MetricsEnabled is %v", api.name, got)
			}
		}
	}
}
