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
	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

// AWS's list prices of us-east-1 in dollars, as the services' price pages give them.
const (
	perSQS        = 0.50 / 1e6 // a FIFO request, each 64 KB of it
	perAPI        = 3.50 / 1e6 // a request of a REST API
	perInvocation = 0.20 / 1e6
	perGBSecond   = 0.0000133334 // arm64
	perRead       = 0.125 / 1e6  // a unit of 4 KB, strongly consistent, on demand
	perWrite      = 0.625 / 1e6  // a unit of 1 KB
	perTableGB    = 0.25         // a month
	perBackupGB   = 0.20         // of point-in-time recovery, a month
	perAlarm      = 0.10         // a metric that an alarm watches, a month
	perMetric     = 0.30         // a custom metric, a month, by the hours in which it is written
	perSecret     = 0.40         // a month
	perLogGB      = 0.50         // taken in
)

// What the figures assume and nobody measured on AWS.
const (
	monthHours   = 730
	polls        = 5   // long polls of an event source mapping at once
	pollSeconds  = 20  // each
	tickSeconds  = 0.1 // of the sweeper without work
	tickLog      = 700 // bytes of log a tick, Lambda's own lines included
	syncs        = 10  // applied
	pushSeconds  = 0.3 // a request of 1,000 rows
	callSeconds  = 2.0 // of the vendor
	callsAtOnce  = 4
	chunkSeconds = 0.3 // of the ledger, a message
	callRows     = 200
	lookupRows   = 1000
	lanes        = 4
	entryKB      = 0.32 // of the ledger, DynamoDB's own 100 bytes an item included
)

// A line of a table of costs: what, how it comes about, and dollars.
type line struct {
	what, how string
	dollars   float64
}

// thousands writes a whole number with commas.
func thousands(n float64) string {
	s := strconv.FormatFloat(n, 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// fixed is what a stack with the default parameters costs in a month without a row.
func fixed(t *testing.T) (lines []line) {
	tpl := render(t, readTemplate(t), stack{name: "penstock"})
	sources, watched := 0.0, 0.0
	for _, f := range functions(t, tpl) {
		sources += float64(len(events(f, "SQS")))
	}
	for _, a := range tpl.of("AWS::CloudWatch::Alarm") {
		watched += float64(len(metrics(a)))
	}
	secrets := float64(len(tpl.of("AWS::SecretsManager::Secret")))
	ticks := float64(monthHours * 60)
	memory := float64(tpl.resources["SweepFunction"].properties.number("MemorySize")) / 1024
	each := float64(monthHours * 3600 / pollSeconds)
	reads := float64(awstest.IdleReads + awstest.IdleReadsPerSync*syncs)
	return []line{
		{"SQS, idle polling of every queue", fmt.Sprintf("%.0f queues × %d long polls at once × %s a month (one takes %d s) = %s requests × $0.50/M", sources, polls, thousands(each), pollSeconds, thousands(sources*polls*each)), sources * polls * each * perSQS},
		{"CloudWatch alarms", fmt.Sprintf("%.0f metrics that the alarms watch × $0.10", watched), watched * perAlarm},
		{"Secrets Manager", fmt.Sprintf("%.0f secrets × $0.40", secrets), secrets * perSecret},
		{"Lambda, sweeper", fmt.Sprintf("%s ticks × %.1f s × %.2f GB × $0.0000133334/GB-s, and × $0.20/M", thousands(ticks), tickSeconds, memory), ticks*tickSeconds*memory*perGBSecond + ticks*perInvocation},
		{"DynamoDB, sweeper", fmt.Sprintf("%s ticks × %.0f requests of a read unit (%d syncs) × $0.125/M", thousands(ticks), reads, syncs), ticks * reads * perRead},
		{"Logs", fmt.Sprintf("%s ticks × %d bytes = %.2f GB × $0.50", thousands(ticks), tickLog, ticks*tickLog/1e9), ticks * tickLog / 1e9 * perLogGB},
	}
}

// rows is what a million rows cost of which a share changed, at 1,000 rows a request.
func rows(t *testing.T, changed float64) (lines []line) {
	const million = 1e6
	tpl := render(t, readTemplate(t), stack{name: "penstock"})
	gb := func(function string) float64 {
		return float64(tpl.resources[function].properties.number("MemorySize")) / 1024
	}
	requests := million / float64(snowflake.BatchRows)
	messages := requests * lanes
	read, written := measuredUnits(t, snowflake.BatchRows)
	calls := changed*million/callRows + changed*million/lookupRows
	busy := calls*callSeconds/callsAtOnce + messages*chunkSeconds
	return []line{
		{"DynamoDB, ledger reads", "1,000,000 × $0.125/M (a unit a row, strongly consistent)", million * perRead},
		{"DynamoDB, ledger writes", fmt.Sprintf("%s changed rows × $0.625/M", thousands(changed*million)), changed * million * perWrite},
		{"DynamoDB, batches, messages and counts", fmt.Sprintf("%s write units × $0.625/M and %s read units × $0.125/M, measured", thousands(written), thousands(read)), written*perWrite + read*perRead},
		{"API Gateway", fmt.Sprintf("%s requests × $3.50/M", thousands(requests)), requests * perAPI},
		{"Lambda, push", fmt.Sprintf("%s × %.1f s × %.1f GB × $0.0000133334/GB-s, and × $0.20/M", thousands(requests), pushSeconds, gb("PushFunction")), requests*pushSeconds*gb("PushFunction")*perGBSecond + requests*perInvocation},
		{"SQS", fmt.Sprintf("%s messages × 3 (send, receive, delete) × $0.50/M", thousands(messages)), messages * 3 * perSQS},
		{"Lambda, worker", fmt.Sprintf("(%s calls × %.0f s ÷ %d + %s messages × %.1f s) × %.1f GB × $0.0000133334/GB-s", thousands(calls), callSeconds, callsAtOnce, thousands(messages), chunkSeconds, gb("SalesforceFunction")), busy * gb("SalesforceFunction") * perGBSecond},
	}
}

// measuredUnits reads from PERFORMANCE.md how many state units a million rows take.
func measuredUnits(t *testing.T, batch int) (read, written float64) {
	t.Helper()
	page, err := os.ReadFile("PERFORMANCE.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`([\d,]+) read and ([\d,]+) write units with ` + thousands(float64(batch)) + ` rows a batch`).FindStringSubmatch(string(page))
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

func total(lines []line) (sum float64) {
	for _, l := range lines {
		sum += l.dollars
	}
	return sum
}

// costTables are the parts of docs/cost.md between marks, by the mark.
func costTables(t *testing.T) map[string]string {
	var f, r, s strings.Builder
	f.WriteString("| A month | How it comes about | |\n|---|---|---|\n")
	for _, l := range fixed(t) {
		fmt.Fprintf(&f, "| %s | %s | $%.2f |\n", l.what, l.how, l.dollars)
	}
	fmt.Fprintf(&f, "| **Together** | | **$%.2f** |\n", total(fixed(t)))

	all, few := rows(t, 1), rows(t, 0.01)
	r.WriteString("| 1,000,000 rows | All changed: how it comes about | | 1% changed |\n|---|---|---|---|\n")
	for i, l := range all {
		fmt.Fprintf(&r, "| %s | %s | $%.3f | $%.3f |\n", l.what, l.how, l.dollars, few[i].dollars)
	}
	fmt.Fprintf(&r, "| **Together** | | **$%.2f** | **$%.2f** |\n", total(all), total(few))

	const keys = 1e6
	fmt.Fprintf(&s, "A million keys in the ledger are about %.2f GB (%.0f bytes a key): $%.2f a month, and $%.2f for its recovery.\n",
		keys*entryKB/1e6, entryKB*1000, keys*entryKB/1e6*perTableGB, keys*entryKB/1e6*perBackupGB)
	metrics := 0
	for _, names := range counted() {
		metrics += len(names)
	}
	fmt.Fprintf(&s, "\nThe functions' own metrics are written only while there is something to count: at most %d × $%.2f a month, if something failed in every hour.\n", metrics, perMetric)

	none := total(rows(t, 0))
	return map[string]string{
		"summary": fmt.Sprintf("A stack without any work costs $%.2f a month. A million rows cost $%.2f if all of them changed, and $%.2f if 1%% did.\n", total(fixed(t)), total(all), total(few)),
		"fixed":   f.String(), "rows": r.String(), "kept": s.String(),
		"formula": fmt.Sprintf("    %.2f + R × %.3f + C × %.3f + E × (K + 1) × %.3f\n", total(fixed(t)), none, total(all)-none, perWrite*1e6),
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
	source, err := os.ReadFile("../shared/aws/errors/errors.go")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`keep\s+= (\d+) \* 24 \* time\.Hour`).FindSubmatch(source)
	if m == nil {
		t.Fatal("shared/aws/errors no longer says how long an error is kept")
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
