package infra_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/aws/awstest"
	"github.com/penstock-data/penstock/shared/cost"
	"github.com/penstock-data/penstock/shared/dest/vendors"
	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

// What the tables of docs/cost.md assume of the work.
const (
	syncs      = 10 // applied
	callRows   = 200
	lookupRows = 1000
	lanes      = 4
)

// prices are those of package cost by the unit that AWS names, and the page that does.
var prices = []struct {
	what    string
	dollars float64
	page    string
}{
	{"SQS, a million requests of FIFO queues, each 64 KB of one", cost.PerSQS * 1e6, "sqs/pricing/"},
	{"API Gateway, a million requests of a REST API", cost.PerAPI * 1e6, "api-gateway/pricing/"},
	{"Lambda, a million invocations", cost.PerInvocation * 1e6, "lambda/pricing/"},
	{"Lambda, a GB for a second (arm64)", cost.PerGBSecond, "lambda/pricing/"},
	{"DynamoDB on demand, a million read units (4 KB, strongly consistent)", cost.PerRead * 1e6, "dynamodb/pricing/on-demand/"},
	{"DynamoDB on demand, a million write units (1 KB)", cost.PerWrite * 1e6, "dynamodb/pricing/on-demand/"},
	{"DynamoDB, a GB for a month", cost.PerTableGB, "dynamodb/pricing/on-demand/"},
	{"DynamoDB, a GB of point-in-time recovery for a month", cost.PerBackupGB, "dynamodb/pricing/on-demand/"},
	{"CloudWatch, a metric that an alarm watches, for a month", cost.PerAlarm, "cloudwatch/pricing/"},
	{"CloudWatch, a metric of one's own for a month", cost.PerMetric, "cloudwatch/pricing/"},
	{"CloudWatch Logs, a GB taken in", cost.PerLogGB, "cloudwatch/pricing/"},
	{"Secrets Manager, a secret for a month", cost.PerSecret, "secrets-manager/pricing/"},
}

// The README's figures are the page's, rounded.
func TestReadmeSaysWhatItCosts(t *testing.T) {
	page, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("costs about $%.0f a month, a million rows $%.2f if all of them changed", cost.Total(fixed(t)), cost.Total(rows(1)))
	if !strings.Contains(string(page), want) {
		t.Errorf("README.md does not say %q", want)
	}
}

// fixed is what a stack with the default parameters costs in a month without a row.
func fixed(t *testing.T) []cost.Line {
	tpl := render(t, readTemplate(t), stack{name: "penstock"})
	s := cost.Stack{
		Secrets: float64(len(tpl.of("AWS::SecretsManager::Secret"))),
		Boards:  float64(len(tpl.of("AWS::CloudWatch::Dashboard"))),
		Syncs:   syncs,
		Ticks: []cost.Tick{
			{What: "sweeper", Reads: awstest.IdleSweep + awstest.IdleSweepPerSync*syncs},
			{What: "schedules", Reads: awstest.IdleSchedule + awstest.IdleSchedulePerSync*syncs},
			{What: "freshness", Reads: awstest.IdleFreshness + awstest.IdleFreshnessPerSync*syncs},
		},
	}
	const sweeper, schedules, workers = 0, 1, 2
	of := map[string]int{"sweep": sweeper, "schedule": schedules}
	for _, v := range vendors.Vendors() {
		of[v.Name] = workers
	}
	for name, f := range functions(t, tpl) {
		s.Queues += float64(len(events(f, "SQS")))
		for _, rule := range events(f, "Schedule") {
			n, known := of[name]
			if !known {
				t.Fatalf("what the rule of function %s costs is not counted", name)
			}
			tick, times := &s.Ticks[n], float64(cost.MonthHours*60)/everyMinutes(t, rule)
			tick.GB = (tick.GB*tick.Times + float64(f.properties.number("MemorySize"))/1024*times) / (tick.Times + times)
			tick.Times += times
		}
	}
	s.Ticks[workers].Reads += awstest.IdleFreshnessPerOwn * syncs / float64(len(vendors.Vendors())) // a sync is one worker's
	for _, a := range tpl.of("AWS::CloudWatch::Alarm") {
		s.Alarms += float64(len(metrics(a)))
	}
	return s.Month()
}

// everyMinutes is how many minutes a rule of the template waits.
func everyMinutes(t *testing.T, rule object) float64 {
	m := regexp.MustCompile(`^rate\((\d+) minutes?\)$`).FindStringSubmatch(rule.text("Schedule"))
	if m == nil {
		t.Fatalf("the rate of the rule %v is not read", rule)
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// rows is what a million rows cost of which a share changed, at 1,000 rows a request.
func rows(changed float64) []cost.Line {
	const million = 1e6
	return cost.Work{Rows: million, Changed: changed * million, Calls: changed*million/callRows + changed*million/lookupRows, Lanes: lanes}.Lines()
}

// What package cost says of the functions and of the state's units is what the template
// gives and what was measured.
func TestCostsAreOfThisStack(t *testing.T) {
	tpl := render(t, readTemplate(t), stack{name: "penstock"})
	for function, want := range map[string]float64{"PushFunction": cost.PushGB, "SalesforceFunction": cost.WorkerGB} {
		if got := float64(tpl.resources[function].properties.number("MemorySize")) / 1024; got != want {
			t.Errorf("%s has %.2f GB in the template, and %.2f in package cost", function, got, want)
		}
	}
	if cost.BatchRows != snowflake.BatchRows {
		t.Errorf("a request has %d rows, and %d in package cost", snowflake.BatchRows, cost.BatchRows)
	}
	if read, written := measuredUnits(t, cost.BatchRows); read != cost.StateRead || written != cost.StateWrite {
		t.Errorf("measured are %.0f read and %.0f write units, and package cost has %d and %d", read, written, cost.StateRead, cost.StateWrite)
	}
}

// measuredUnits reads from PERFORMANCE.md how many state units a million rows take.
func measuredUnits(t *testing.T, batch int) (read, written float64) {
	t.Helper()
	page, err := os.ReadFile("PERFORMANCE.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`([\d,]+) read and ([\d,]+) write units with ` + cost.Thousands(float64(batch)) + ` rows a batch`).FindStringSubmatch(string(page))
	if m == nil {
		t.Fatalf("infra/PERFORMANCE.md does not say how many units a million rows take with %d rows a batch", batch)
	}
	for i, n := range []*float64{&read, &written} {
		if *n, err = strconv.ParseFloat(strings.ReplaceAll(m[i+1], ",", ""), 64); err != nil {
			t.Fatal(err)
		}
	}
	return read, written
}

// costTables are the parts of docs/cost.md between marks, by the mark.
func costTables(t *testing.T) map[string]string {
	var f, r, s strings.Builder
	f.WriteString("| A month | How it comes about | |\n|---|---|---|\n")
	for _, l := range fixed(t) {
		fmt.Fprintf(&f, "| %s | %s | $%.2f |\n", l.What, l.How, l.Dollars)
	}
	fmt.Fprintf(&f, "| **Together** | | **$%.2f** |\n", cost.Total(fixed(t)))

	all, few := rows(1), rows(0.01)
	r.WriteString("| 1,000,000 rows | All changed: how it comes about | | 1% changed |\n|---|---|---|---|\n")
	for i, l := range all {
		fmt.Fprintf(&r, "| %s | %s | $%.3f | $%.3f |\n", l.What, l.How, l.Dollars, few[i].Dollars)
	}
	fmt.Fprintf(&r, "| **Together** | | **$%.2f** | **$%.2f** |\n", cost.Total(all), cost.Total(few))

	const keys = 1e6
	fmt.Fprintf(&s, "A million keys in the ledger are about %.2f GB (%.0f bytes a key): $%.2f a month, and $%.2f for its recovery.\n",
		keys*cost.EntryKB/1e6, cost.EntryKB*1000, keys*cost.EntryKB/1e6*cost.PerTableGB, keys*cost.EntryKB/1e6*cost.PerBackupGB)
	metrics := 0
	for _, names := range counted() {
		metrics += len(names)
	}
	fmt.Fprintf(&s, "\nThe functions' own metrics are written only while there is something to count: at most %d × $%.2f a month, if something failed in every hour, and %d × $%.2f for each connection that delivers in every hour.\n", metrics, cost.PerMetric, len(byConnection()), cost.PerMetric)

	var p strings.Builder
	p.WriteString("| What | Dollars | Source |\n|---|---|---|\n")
	for _, one := range prices {
		fmt.Fprintf(&p, "| %s | %s | <https://aws.amazon.com/%s> |\n", one.what, strconv.FormatFloat(one.dollars, 'f', -1, 64), one.page)
	}
	none := cost.Total(rows(0))
	return map[string]string{
		"summary": fmt.Sprintf("A stack without any work costs $%.2f a month. A million rows cost $%.2f if all of them changed, and $%.2f if 1%% did.\n", cost.Total(fixed(t)), cost.Total(all), cost.Total(few)),
		"fixed":   f.String(), "rows": r.String(), "kept": s.String(), "prices": p.String(),
		"formula": fmt.Sprintf("    %.2f + R × %.3f + C × %.3f + E × (K + 1) × %.3f\n", cost.Total(fixed(t)), none, cost.Total(all)-none, cost.PerWrite*1e6),
	}
}

// The figures of docs/cost.md are computed from prices, the template and what was
// measured; -update writes them.
func TestCosts(t *testing.T) {
	const file = "../docs/cost.md"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	for mark, table := range costTables(t) {
		begin, end := "<!-- computed: "+mark+" -->\n", "<!-- end -->\n"
		before, rest, found := strings.Cut(page, begin)
		old, after, ended := strings.Cut(rest, end)
		if !found || !ended {
			t.Errorf("docs/cost.md has no part marked %q", mark)
			continue
		}
		if *update {
			page = before + begin + table + end + after
		} else if d := cmp.Diff(table, old); d != "" {
			t.Errorf("docs/cost.md, %s (-want +got; go test ./infra -run Costs -update writes it):\n%s", mark, d)
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// How long the values of an error stay: its item's days in the table, and
// those of point-in-time recovery after it.
func TestCostsSayHowLongValuesStay(t *testing.T) {
	source, err := os.ReadFile("../shared/run/summarize.go")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`KeepErrors\s+= (\d+) \* 24 \* time\.Hour`).FindSubmatch(source)
	if m == nil {
		t.Fatal("shared/run no longer says how long an error is kept")
	}
	days, err := strconv.Atoi(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	const recovery = 35 // of DynamoDB's point-in-time recovery (Amazon DynamoDB Developer Guide)
	page, err := os.ReadFile("../docs/cost.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{fmt.Sprintf("%d days longer", recovery), fmt.Sprintf("%d days after", days+recovery)} {
		if !strings.Contains(string(page), want) {
			t.Errorf("docs/cost.md does not say %q", want)
		}
	}
}
