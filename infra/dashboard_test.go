package infra_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	appmetrics "github.com/penstock-data/penstock/shared/app/metrics"
)

// byConnection says which functions write a metric of a connection.
func byConnection() map[string][]string {
	return map[string][]string{
		appmetrics.RowsDelivered: kinds(), appmetrics.RowsNotDelivered: kinds(), appmetrics.Calls: kinds(),
		appmetrics.RowsNotRight: {"sweep"}, appmetrics.QuotaUsed: {"sweep"},
	}
}

// A widget of a dashboard (Amazon CloudWatch API reference, "Dashboard body structure
// and syntax").
type widget struct {
	Type                string
	X, Y, Width, Height int
	Properties          struct {
		Title, Region, View, Stat, Markdown string
		Period                              int
		Metrics                             [][]any
	}
}

// board is the dashboard of a rendered stack.
func board(t *testing.T, tpl template) []widget {
	t.Helper()
	all := tpl.of("AWS::CloudWatch::Dashboard")
	if len(all) != 1 {
		t.Fatalf("%d dashboards", len(all))
	}
	var body struct{ Widgets []widget }
	d := json.NewDecoder(strings.NewReader(all[0].properties.text("DashboardBody")))
	if err := d.Decode(&body); err != nil {
		t.Fatalf("the body is no JSON: %v", err)
	}
	return body.Widgets
}

// The widgets lie in 24 columns, none over another.
func TestDashboardLies(t *testing.T) {
	all := board(t, render(t, readTemplate(t), stack{name: "one"}))
	for i, a := range all {
		if a.Width < 1 || a.Height < 1 || a.X < 0 || a.X+a.Width > 24 {
			t.Errorf("widget %d lies at %d, %d wide", i, a.X, a.Width)
		}
		if p := a.Properties; a.Type == "metric" && (p.Title == "" || p.Region == "" || p.View != "timeSeries" || p.Period != 300 || p.Stat == "" || len(p.Metrics) == 0) {
			t.Errorf("widget %d lacks a property: %+v", i, p)
		}
		for n, b := range all[:i] {
			if a.X < b.X+b.Width && b.X < a.X+a.Width && a.Y < b.Y+b.Height && b.Y < a.Y+a.Height {
				t.Errorf("widgets %d and %d lie over each other", n, i)
			}
		}
	}
	off := render(t, readTemplate(t), stack{"one", map[string]string{"Dashboard": "off"}})
	if n := len(off.of("AWS::CloudWatch::Dashboard")); n != 0 {
		t.Errorf("%d dashboards where none is wanted", n)
	}
}

// searched reads a search for a metric of connections.
var searched = regexp.MustCompile(`^SEARCH\('\{Penstock,FunctionName,Connection\} MetricName="(\w+)" FunctionName=\(?("[\w-]+"(?: OR "[\w-]+")*)\)?', '(Sum|Maximum)', 300\)$`)

// drawn are the series of a dashboard: namespace, metric and the dimension's value; a
// search is one of each function.
func drawn(t *testing.T, all []widget) (series []string) {
	t.Helper()
	ids := map[string]bool{}
	for _, w := range all {
		for _, m := range w.Properties.Metrics {
			options, isExpression := m[0].(map[string]any)
			if !isExpression {
				if _, ok := m[len(m)-1].(map[string]any); ok {
					m = m[:len(m)-1]
				}
				if len(m) != 4 {
					t.Errorf("%s: a metric of one dimension has four parts: %v", w.Properties.Title, m)
				}
				series = append(series, fmt.Sprint(m...))
				continue
			}
			text := fmt.Sprint(options["expression"])
			parts := searched.FindStringSubmatch(text)
			if id := fmt.Sprint(options["id"]); parts == nil || len(text) > 1024 || ids[w.Properties.Title+id] || !regexp.MustCompile(`^[a-z][a-zA-Z0-9_]*$`).MatchString(id) {
				t.Errorf("%s: the search cannot be read: %v", w.Properties.Title, options)
				continue
			}
			ids[w.Properties.Title+fmt.Sprint(options["id"])] = true
			for name := range strings.SplitSeq(parts[2], " OR ") {
				series = append(series, fmt.Sprint(appmetrics.Namespace, " ", parts[1], " of connections ", strings.Trim(name, `"`)))
			}
		}
	}
	return series
}

// Every series of the dashboard is there: a metric that a function of this stack writes,
// or one that AWS has for a resource of this stack; and what functions write is drawn.
func TestDashboardDrawsWhatIsThere(t *testing.T) {
	tpl := render(t, readTemplate(t), stack{name: "one"})
	there := map[string]bool{}
	own := map[string]bool{}
	names := map[string]string{}
	for name, f := range functions(t, tpl) {
		names[name] = f.properties.text("FunctionName")
		for _, metric := range []string{"Errors", "Duration", "Throttles"} {
			there["AWS/Lambda"+metric+appmetrics.Dimension+names[name]] = true
		}
	}
	for metric, functions := range counted() {
		for _, name := range functions {
			own[appmetrics.Namespace+metric+appmetrics.Dimension+names[name]] = true
		}
	}
	for metric, functions := range byConnection() {
		for _, name := range functions {
			own[fmt.Sprint(appmetrics.Namespace, " ", metric, " of connections ", names[name])] = true
		}
	}
	for _, q := range tpl.of("AWS::SQS::Queue") {
		for _, metric := range []string{"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"} {
			there["AWS/SQS"+metric+"QueueName"+q.properties.text("QueueName")] = true
		}
	}
	for _, table := range tpl.of("AWS::DynamoDB::Table") {
		for _, metric := range []string{"ReadThrottleEvents", "WriteThrottleEvents"} {
			there["AWS/DynamoDB"+metric+"TableName"+"one-"+table.name+"-RANDOM"] = true
		}
	}
	for _, metric := range []string{"4XXError", "5XXError", "Count"} {
		there["AWS/ApiGateway"+metric+"ApiName"+tpl.resources["Api"].properties.text("Name")] = true
	}
	series := drawn(t, board(t, tpl))
	for _, s := range series {
		s = strings.ReplaceAll(s, "\n", "")
		if !there[s] && !own[s] {
			t.Errorf("nobody writes %s", s)
		}
	}
	for s := range own {
		if !slices.Contains(series, s) {
			t.Errorf("the dashboard does not draw %s", s)
		}
	}
	for s := range there {
		if !slices.Contains(series, s) && !strings.Contains(s, "SQS") {
			t.Errorf("the dashboard does not draw %s", s)
		}
	}
}

// docs/telemetry.md tells of every metric of ours.
func TestTelemetryPageListsMetrics(t *testing.T) {
	page, err := os.ReadFile("../docs/telemetry.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, all := range []map[string][]string{counted(), byConnection()} {
		for metric := range all {
			if !strings.Contains(string(page), "| `"+metric+"` |") {
				t.Errorf("the page does not tell of %s", metric)
			}
		}
	}
}
