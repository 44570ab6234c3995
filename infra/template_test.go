// Package infra_test holds template.yaml to what cfn-lint and `sam validate` do
// not see: numbers that belong together, names that Go code reads, and rights
// that are no wider than needed.
package infra_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/app/env"
	"github.com/penstock-data/penstock/shared/app/worker"
	"github.com/penstock-data/penstock/shared/dest/vendors"
)

// folder is the folder below functions/ of a function's resource: DeadLetterFunction
// is functions/deadletter. The Makefile's build-%Function does the same.
func folder(r resource) string {
	return strings.ToLower(strings.TrimSuffix(r.name, "Function"))
}

func functions(t *testing.T, tpl template) map[string]resource {
	t.Helper()
	byFolder := map[string]resource{}
	for _, r := range tpl.of("AWS::Serverless::Function") {
		byFolder[folder(r)] = r
	}
	if len(byFolder) == 0 {
		t.Fatal("template.yaml has no function")
	}
	return byFolder
}

func TestEveryFunctionIsDeployedAndHasAnEvent(t *testing.T) {
	inTemplate := slices.Sorted(maps.Keys(functions(t, readTemplate(t))))

	mains, err := filepath.Glob("../functions/*/main.go")
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	for _, m := range mains {
		folders = append(folders, filepath.Base(filepath.Dir(m)))
	}
	if d := cmp.Diff(folders, inTemplate); d != "" {
		t.Errorf("functions/*/main.go (-) and the functions of template.yaml (+):\n%s", d)
	}
	known := slices.Concat(slices.Collect(maps.Keys(env.Functions)), kinds())
	slices.Sort(known)
	if d := cmp.Diff(known, inTemplate); d != "" {
		t.Errorf("env.Functions and a worker per destination type (-), and the functions of template.yaml (+):\n%s", d)
	}

	sampled := sampleEvents(t)
	for _, name := range inTemplate {
		if !slices.Contains(slices.Concat(slices.Collect(maps.Values(sampled))...), name) {
			t.Errorf("functions/%s has no sample in events/", name)
		}
	}
	for event, names := range sampled {
		for _, name := range names {
			if !slices.Contains(inTemplate, name) {
				t.Errorf("events/README.md gives %s to the function %q, which does not exist", event, name)
			}
		}
	}
}

// sampleEvents reads the table in events/README.md, which infra/sam-local goes
// by: per stored event, the functions that take it. A file that the table lacks
// is a failure; an event that is made in code has no file and is left out.
func sampleEvents(t *testing.T) map[string][]string {
	t.Helper()
	readme, err := os.ReadFile("../events/README.md")
	if err != nil {
		t.Fatal(err)
	}
	functions := map[string][]string{}
	for line := range strings.Lines(string(readme)) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		for event := range strings.SplitSeq(cells[1], ",") {
			event = strings.TrimSpace(event)
			if _, err := os.Stat("../events/" + event + ".json"); err != nil {
				continue
			}
			for name := range strings.SplitSeq(cells[2], ",") {
				functions[event] = append(functions[event], strings.TrimSpace(name))
			}
		}
	}
	files, err := filepath.Glob("../events/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if name := strings.TrimSuffix(filepath.Base(f), ".json"); functions[name] == nil {
			t.Errorf("%s is not in the table of events/README.md", f)
		}
	}
	return functions
}

// kinds names the destination types.
func kinds() []string {
	var names []string
	for _, v := range vendors.Vendors() {
		names = append(names, v.Name)
	}
	return names
}

// sources says what each variable's value refers to in the template.
var sources = func() map[string]string {
	all := map[string]string{
		env.StateTable: "StateTable", env.LedgerTable: "LedgerTable", env.ErrorsTable: "ErrorsTable",
		env.SecretPrefix: "SecretPrefix", env.Quiet: "Quiet", env.Stack: "AWS::StackName",
	}
	for _, kind := range kinds() {
		all[env.QueueOf(kind)] = queueOf(kind)
	}
	return all
}()

// queueOf is the queue resource of a destination type.
func queueOf(kind string) string { return upper(kind) + "Queue" }

// upper is a destination type as the resources' names write it.
func upper(kind string) string { return strings.ToUpper(kind[:1]) + kind[1:] }

// reads lists the variables that a function reads.
func reads(function string) []string {
	names, fixed := env.Functions[function]
	if !fixed {
		return env.Worker(function)
	}
	if slices.Contains(env.AllQueues, function) {
		for _, kind := range kinds() {
			names = append(slices.Clip(names), env.QueueOf(kind))
		}
	}
	return names
}

func TestEnvironmentIsWhatTheCodeReads(t *testing.T) {
	tpl := readTemplate(t)
	for name, r := range functions(t, tpl) {
		variables := r.properties.object("Environment").object("Variables")
		want := slices.Sorted(slices.Values(reads(name)))
		if d := cmp.Diff(want, slices.Sorted(maps.Keys(variables))); d != "" {
			t.Errorf("%s: variables that the code reads (-) and the template sets (+):\n%s", r.name, d)
		}
		for variable, value := range variables {
			if strings.HasPrefix(variable, "PENSTOCK_TOKEN_") {
				continue // TestTokenParameters
			}
			if o, _ := value.(object); variable == env.SecretPrefix && len(o.list("Fn::If")) == 3 {
				value = o.list("Fn::If")[1] // the other is the stack's name: TestRender
			}
			if variable == env.Visibility {
				d, err := time.ParseDuration(fmt.Sprint(value))
				if timeout := tpl.resources[queueOf(name)].properties.number("VisibilityTimeout"); err != nil || d != time.Duration(timeout)*time.Second {
					t.Errorf("%s: %s is %v, but %s hides messages for %d s: deaths would not be told from hand-backs", r.name, variable, value, queueOf(name), timeout)
				}
				continue
			}
			// A Ref to a table, a queue or one of two parameters is never a secret (I6).
			if got := target(value); got != sources[variable] {
				t.Errorf("%s: %s is %v, want !Ref %s", r.name, variable, value, sources[variable])
			}
		}
	}
}

func TestFunctionsAreBuiltForLambdaOnArm(t *testing.T) {
	for _, r := range functions(t, readTemplate(t)) {
		p := r.properties
		if got := words(p.list("Architectures")); !slices.Equal(got, []string{"arm64"}) {
			t.Errorf("%s: Architectures are %v, want [arm64]", r.name, got)
		}
		if got := p.text("Runtime"); got != "provided.al2023" {
			t.Errorf("%s: Runtime is %q, want provided.al2023", r.name, got)
		}
		if got := r.raw.object("Metadata").text("BuildMethod"); got != "makefile" {
			t.Errorf("%s: BuildMethod is %q, want makefile", r.name, got)
		}
		if p.number("Timeout") == 0 || p.number("MemorySize") == 0 {
			t.Errorf("%s: Timeout and MemorySize must be chosen, not left to defaults", r.name)
		}
	}
}

// events lists a function's event sources of a type.
func events(r resource, kind string) []object {
	var found []object
	sources := r.properties.object("Events")
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		if e := sources.object(name); e.text("Type") == kind {
			found = append(found, e.object("Properties"))
		}
	}
	return found
}

// Every worker is sent, by a rule, the event at which it counts how old data is.
func TestWorkersCountFreshness(t *testing.T) {
	all := functions(t, readTemplate(t))
	for _, v := range vendors.Vendors() {
		rules := events(all[v.Name], "Schedule")
		if len(rules) != 1 || rules[0].text("Input") != worker.Freshness {
			t.Errorf("functions/%s: want one rule with the input %s, got %v", v.Name, worker.Freshness, rules)
		}
	}
}

func TestQueueSources(t *testing.T) {
	tpl := readTemplate(t)
	consumed := map[string]bool{}
	for _, f := range functions(t, tpl) {
		for _, e := range events(f, "SQS") {
			queue := tpl.resources[target(e["Queue"])]
			consumed[queue.name] = true
			if got, timeout := queue.properties.number("VisibilityTimeout"), f.properties.number("Timeout"); got < 6*timeout {
				t.Errorf("%s: VisibilityTimeout is %d s, want at least 6 times the %d s of %s", queue.name, got, timeout, f.name)
			}
			if got := e.number("BatchSize"); got < 1 || got > 10 {
				t.Errorf("%s: BatchSize is %d, a FIFO queue gives 1 to 10", f.name, got)
			}
			if e["MaximumBatchingWindowInSeconds"] != nil {
				t.Errorf("%s: a FIFO queue has no batching window", f.name)
			}
			if got := words(e.list("FunctionResponseTypes")); !slices.Equal(got, []string{"ReportBatchItemFailures"}) {
				t.Errorf("%s: FunctionResponseTypes are %v; without ReportBatchItemFailures one bad message returns ten", f.name, got)
			}
			concurrency := e.object("ScalingConfig")["MaximumConcurrency"]
			if name := target(concurrency); name != "" {
				concurrency = tpl.parameters.object(name)["Default"]
			}
			if n, ok := concurrency.(int); !ok || n < 2 || n > 1000 {
				t.Errorf("%s: MaximumConcurrency is %v, want 2 to 1000", f.name, concurrency)
			}
		}
	}
	for _, q := range tpl.of("AWS::SQS::Queue") {
		if !consumed[q.name] && q.name != "ScheduleDeadLetters" { // people look at it: TestSchedulesOfSyncs
			t.Errorf("%s: no function takes its messages", q.name)
		}
	}
}

func TestQueues(t *testing.T) {
	tpl := readTemplate(t)
	plain := render(t, tpl, stack{name: "penstock"}).resources
	dead := map[string]bool{}
	for _, q := range tpl.of("AWS::SQS::Queue") {
		dead[target(q.properties.object("RedrivePolicy")["deadLetterTargetArn"])] = true
	}
	for _, q := range tpl.of("AWS::SQS::Queue") {
		if q.name == "ScheduleDeadLetters" { // TestSchedulesOfSyncs
			continue
		}
		p := q.properties
		name := p.object("QueueName").text("Fn::Sub")
		if p["FifoQueue"] != true || !strings.HasSuffix(name, ".fifo") {
			t.Errorf("%s: want a FIFO queue, and a name that ends in .fifo: %q", q.name, name)
		}
		if p.text("DeduplicationScope") != "messageGroup" || p.text("FifoThroughputLimit") != "perMessageGroupId" {
			t.Errorf("%s: lanes share one queue's throughput without high-throughput settings", q.name)
		}
		if got := p.number("MaximumMessageSize"); got != 1<<20 {
			t.Errorf("%s: MaximumMessageSize is %d, want 1 MiB", q.name, got)
		}
		if got := p.number("MessageRetentionPeriod"); got != 14*24*3600 {
			t.Errorf("%s: messages are kept %d s, want 14 days (I1)", q.name, got)
		}
		if plain[q.name].properties["SqsManagedSseEnabled"] != true { // with KmsKeyArn: TestKeyOfOnesOwn
			t.Errorf("%s: rows must be encrypted at rest", q.name)
		}
		if dead[q.name] {
			alarmOn(t, tpl, q.name, "ApproximateNumberOfMessagesVisible")
			alarmOn(t, tpl, q.name, "NumberOfMessagesReceived") // the consumer empties it between two samples
			continue
		}
		redrive := p.object("RedrivePolicy")
		if tpl.resources[target(redrive["deadLetterTargetArn"])].kind != "AWS::SQS::Queue" {
			t.Errorf("%s has no dead-letter queue", q.name)
		}
		if got := redrive.number("maxReceiveCount"); got < 100 {
			t.Errorf("%s: maxReceiveCount is %d, and each deferral counts: want at least 100", q.name, got)
		}
		alarmOn(t, tpl, q.name, "ApproximateAgeOfOldestMessage")
	}
}

func TestEveryFunctionHasAlarms(t *testing.T) {
	tpl := readTemplate(t)
	for _, f := range functions(t, tpl) {
		alarmOn(t, tpl, f.name, "Errors")
		alarmOn(t, tpl, f.name, "Throttles")
	}
	for _, a := range tpl.of("AWS::CloudWatch::Alarm") {
		action := a.properties.object("AlarmActions").list("Fn::If")
		if len(action) != 3 || action[0] != "HasAlarmTopic" {
			t.Errorf("%s does not notify AlarmTopicArn", a.name)
		}
	}
}

// alarmOn fails unless an alarm watches the metric of a queue or function,
// directly or as a part of an expression.
func alarmOn(t *testing.T, tpl template, name, metric string) {
	t.Helper()
	for _, a := range tpl.of("AWS::CloudWatch::Alarm") {
		watched := []object{a.properties}
		for _, m := range a.properties.list("Metrics") {
			watched = append(watched, m.(object).object("MetricStat").object("Metric"))
		}
		for _, w := range watched {
			for _, d := range w.list("Dimensions") {
				if w.text("MetricName") == metric && target(d.(object)["Value"]) == name {
					return
				}
			}
		}
	}
	t.Errorf("no alarm on %s of %s", metric, name)
}

// CloudWatch Events takes rate(1 minute) and rate(2 minutes), and nothing between.
var schedule = regexp.MustCompile(`^(rate\(1 (minute|hour|day)\)|rate\(([2-9]|[1-9]\d+) (minutes|hours|days)\)|cron\(\S+( \S+){5}\))$`)

// minutes are those of a schedule's rate.
var minutes = regexp.MustCompile(`^rate\((\d+) minutes?\)$`)

func TestSchedules(t *testing.T) {
	ticks := 0
	for _, f := range functions(t, readTemplate(t)) {
		for _, e := range events(f, "Schedule") {
			ticks++
			if got := e.text("Schedule"); !schedule.MatchString(got) {
				t.Errorf("%s: %q is no schedule expression", f.name, got)
			}
			every := 60
			if n := minutes.FindStringSubmatch(e.text("Schedule")); n != nil {
				every, _ = strconv.Atoi(n[1])
				every *= 60
			}
			if got := f.properties.number("Timeout"); got > every {
				t.Errorf("%s: runs for up to %d s and starts every %d s", f.name, got, every)
			}
		}
	}
	if ticks == 0 {
		t.Error("no function runs on a schedule; nothing would sweep")
	}
	for expression, want := range map[string]bool{"rate(1 minute)": true, "rate(1 minutes)": false, "rate(5 minute)": false, "rate(5 minutes)": true, "cron(0 * * * ? *)": true, "cron(0 * * * *)": false} {
		if schedule.MatchString(expression) != want {
			t.Errorf("the test's own pattern is wrong about %q", expression)
		}
	}
}

func TestTables(t *testing.T) {
	tpl := readTemplate(t)
	tables := tpl.of("AWS::DynamoDB::Table")
	if len(tables) != 3 {
		t.Errorf("%d tables, want state, ledger and errors", len(tables))
	}
	for _, r := range tables {
		p := r.properties
		if p.text("BillingMode") != "PAY_PER_REQUEST" || p.object("PointInTimeRecoverySpecification")["PointInTimeRecoveryEnabled"] != true {
			t.Errorf("%s: want on-demand billing and point-in-time recovery", r.name)
		}
		if sse := p.object("SSESpecification"); sse["SSEEnabled"] != true || sse.text("SSEType") != "KMS" {
			t.Errorf("%s: want encryption by KMS", r.name)
		}
		want := []any{object{"AttributeName": "pk", "KeyType": "HASH"}, object{"AttributeName": "sk", "KeyType": "RANGE"}}
		if d := cmp.Diff(want, p.list("KeySchema")); d != "" {
			t.Errorf("%s: keys (-want +got):\n%s", r.name, d)
		}
		ttl := p.object("TimeToLiveSpecification")
		if expires := ttl["Enabled"] == true && ttl.text("AttributeName") == "expires_at"; expires == (r.name == "LedgerTable") {
			t.Errorf("%s: state and errors expire by expires_at, the ledger never; got %v", r.name, ttl)
		}
	}
}

// infra/sam-local.json knows every function, with the variables that it reads.
func TestSamLocalSetsEveryVariable(t *testing.T) {
	source, err := os.ReadFile("sam-local.json")
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]map[string]string
	if err := json.Unmarshal(source, &file); err != nil {
		t.Fatalf("parse infra/sam-local.json: %v", err)
	}
	want, got := map[string][]string{}, map[string][]string{}
	for name, f := range functions(t, readTemplate(t)) {
		want[f.name] = slices.Sorted(slices.Values(reads(name)))
	}
	for name, variables := range file {
		got[name] = slices.Sorted(maps.Keys(variables))
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("functions and their variables (-) and infra/sam-local.json (+):\n%s", d)
	}
}
