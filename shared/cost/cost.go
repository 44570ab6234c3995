// Package cost is what AWS charges for a stack and for rows, by list prices, what was
// measured and what is assumed. docs/cost.md prints it; plans estimate with it. Pure.
package cost

import (
	"fmt"
	"strconv"
)

// AWS's list prices of us-east-1 in dollars, as the services' price pages give them.
const (
	PerSQS        = 0.50 / 1e6 // a FIFO request, each 64 KB of it
	PerAPI        = 3.50 / 1e6 // a request of a REST API
	PerInvocation = 0.20 / 1e6
	PerGBSecond   = 0.0000133334 // arm64
	PerRead       = 0.125 / 1e6  // a unit of 4 KB, strongly consistent, on demand
	PerWrite      = 0.625 / 1e6  // a unit of 1 KB
	PerTableGB    = 0.25         // a month
	PerBackupGB   = 0.20         // of point-in-time recovery, a month
	PerAlarm      = 0.10         // a metric that an alarm watches, a month
	PerDashboard  = 3.00         // a month, beyond an account's first three of at most 50 metrics
	PerMetric     = 0.30         // a custom metric, a month, by the hours in which it is written
	PerSecret     = 0.40         // a month
	PerLogGB      = 0.50         // taken in
)

// What the figures assume and nobody measured on AWS.
const (
	MonthHours   = 730
	Polls        = 5   // long polls of an event source mapping at once
	PollSeconds  = 20  // each
	TickSeconds  = 0.1 // of an invocation by a rule, without work
	TickLog      = 700 // bytes of its log, Lambda's own lines included
	PushSeconds  = 0.3 // a request of 1,000 rows
	CallSeconds  = 2.0 // of the vendor
	CallsAtOnce  = 4
	ChunkSeconds = 0.3  // of the ledger, a message
	EntryKB      = 0.32 // of the ledger, DynamoDB's own 100 bytes an item included
)

// State units of a million rows in requests of BatchRows, as infra/PERFORMANCE.md has
// measured them, and the functions' memory as the template gives it; tests compare.
const (
	BatchRows  = 1000
	StateRead  = 8200
	StateWrite = 8350
	PushGB     = 0.5
	WorkerGB   = 0.5
)

// A Line of a table of costs: what, how it comes about, and dollars.
type Line struct {
	What, How string
	Dollars   float64
}

// Total adds lines up.
func Total(lines []Line) (sum float64) {
	for _, l := range lines {
		sum += l.Dollars
	}
	return sum
}

// Thousands writes a whole number with commas.
func Thousands(n float64) string {
	s := strconv.FormatFloat(n, 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// A Stack is what a stack has that costs without a row.
type Stack struct {
	Queues  float64 // with an event source mapping, dead letters included
	Alarms  float64 // metrics that alarms watch
	Boards  float64 // CloudWatch dashboards
	Secrets float64
	Syncs   float64 // applied
	Ticks   []Tick
}

// A Tick is what a rule makes functions do by itself.
type Tick struct {
	What  string
	Times float64 // a month, of all the functions together
	GB    float64 // memory of each, the mean
	Reads float64 // read units of one without work
}

// Month is what a stack costs in a month without a row.
func (s Stack) Month() []Line {
	each := float64(MonthHours * 3600 / PollSeconds)
	lines := []Line{
		{"SQS, idle polling of every queue", fmt.Sprintf("%.0f queues × %d long polls at once × %s a month (one takes %d s) = %s requests × $0.50/M", s.Queues, Polls, Thousands(each), PollSeconds, Thousands(s.Queues*Polls*each)), s.Queues * Polls * each * PerSQS},
		{"CloudWatch alarms", fmt.Sprintf("%.0f metrics that the alarms watch × $0.10", s.Alarms), s.Alarms * PerAlarm},
		{"CloudWatch dashboard", fmt.Sprintf("%.0f × $3.00; none with `Dashboard=off`", s.Boards), s.Boards * PerDashboard},
		{"Secrets Manager", fmt.Sprintf("%.0f secrets × $0.40", s.Secrets), s.Secrets * PerSecret},
	}
	times := 0.0
	for _, t := range s.Ticks {
		times += t.Times
		lines = append(
			lines,
			Line{"Lambda, " + t.What, fmt.Sprintf("%s ticks × %.1f s × %.2f GB × $0.0000133334/GB-s, and × $0.20/M", Thousands(t.Times), TickSeconds, t.GB), t.Times*TickSeconds*t.GB*PerGBSecond + t.Times*PerInvocation},
			Line{"DynamoDB, " + t.What, fmt.Sprintf("%s ticks × %.0f requests of a read unit (%.0f syncs) × $0.125/M", Thousands(t.Times), t.Reads, s.Syncs), t.Times * t.Reads * PerRead},
		)
	}
	return append(lines, Line{"Logs", fmt.Sprintf("%s ticks × %d bytes = %.2f GB × $0.50", Thousands(times), TickLog, times*TickLog/1e9), times * TickLog / 1e9 * PerLogGB})
}
