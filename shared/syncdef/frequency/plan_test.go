package frequency_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/frequency"
)

func plan(t *testing.T, often, zone, jitter string) frequency.Plan {
	t.Helper()
	p, err := frequency.Of(&syncdef.Definition{Frequency: often, Schedule: &syncdef.Schedule{TimeZone: zone, Jitter: jitter}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPlan(t *testing.T) {
	for _, c := range []struct{ often, zone, at, last, next string }{
		{"hourly", "UTC", "2026-03-04T10:20:30Z", "2026-03-04T10:00:00Z", "2026-03-04T11:00:00Z"},
		{"hourly", "UTC", "2026-03-04T10:00:00Z", "2026-03-04T10:00:00Z", "2026-03-04T11:00:00Z"},
		{"every 15m", "UTC", "2026-03-04T10:20:30Z", "2026-03-04T10:15:00Z", "2026-03-04T10:30:00Z"},
		{"every 15m", "UTC", "2026-03-04T10:15:00Z", "2026-03-04T10:15:00Z", "2026-03-04T10:30:00Z"},
		{"daily", "Europe/Berlin", "2026-03-04T10:20:30Z", "2026-03-03T23:00:00Z", "2026-03-04T23:00:00Z"},
		{"daily", "America/New_York", "2026-07-04T03:00:00Z", "2026-07-03T04:00:00Z", "2026-07-04T04:00:00Z"},
		{"0 6 * * 1-5", "UTC", "2026-03-07T10:00:00Z", "2026-03-06T06:00:00Z", "2026-03-09T06:00:00Z"}, // a Saturday
		{"0 0 29 2 *", "UTC", "2026-03-04T10:20:30Z", "2024-02-29T00:00:00Z", "2028-02-29T00:00:00Z"},
		// Berlin's clocks skip 2:30 on 29 March, and show it twice on 25 October.
		{"30 2 * * *", "Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z"},
		{"30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		p := plan(t, c.often, c.zone, "")
		if last, next := p.Last(at).Format(time.RFC3339), p.Next(at).Format(time.RFC3339); last != c.last || next != c.next {
			t.Errorf("%s in %s at %s: last %s, next %s; want %s, %s", c.often, c.zone, c.at, last, next, c.last, c.next)
		}
	}
	if _, err := frequency.Of(&syncdef.Definition{}); !errors.Is(err, frequency.ErrNone) {
		t.Errorf("without a frequency: %v", err)
	}
}

func TestLeast(t *testing.T) {
	for often, want := range map[string]time.Duration{
		"hourly": time.Hour, "every 7m": 7 * time.Minute, "* * * * *": time.Minute, "0,10 6 * * *": 10 * time.Minute, "0 6 * * 1-5": 24 * time.Hour, "weekly": 7 * 24 * time.Hour,
	} {
		if got := plan(t, often, "UTC", "").Least(); got != want {
			t.Errorf("%s: %s, want %s", often, got, want)
		}
	}
}

// A delay is within the jitter, the same each time, and another for another sync.
func TestDelay(t *testing.T) {
	p, due := plan(t, "hourly", "UTC", "10m"), time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)
	seen := map[time.Duration]bool{}
	for i := range 50 {
		name := "s" + strconv.Itoa(i)
		d := p.Delay(name, due)
		if seen[d] = true; d < 0 || d >= 10*time.Minute || d != p.Delay(name, due) {
			t.Errorf("%s: %s", name, d)
		}
	}
	if len(seen) < 40 {
		t.Errorf("%d delays for 50 syncs", len(seen))
	}
	if d := plan(t, "hourly", "UTC", "").Delay("s", due); d != 0 {
		t.Errorf("without jitter: %s", d)
	}
}

func TestExpressions(t *testing.T) {
	for often, want := range map[string]string{
		"hourly":               "cron(0 * * * ? *)",
		"daily":                "cron(0 0 * * ? *)",
		"weekly":               "cron(0 0 ? * SUN *)",
		"every 1m":             "rate(1 minute)",
		"every 15m":            "rate(15 minutes)",
		"every 60m":            "rate(1 hour)",
		"every 90m":            "rate(90 minutes)",
		"every 2h":             "rate(2 hours)",
		"every 24h":            "rate(1 day)",
		"every 48h":            "rate(2 days)",
		"*/15 * * * *":         "cron(0/15 * * * ? *)",
		"0 6 * * 1-5":          "cron(0 6 ? * MON-FRI *)",
		"0 6 * * MON-FRI":      "cron(0 6 ? * MON-FRI *)",
		"0 6 * * 0,6":          "cron(0 6 ? * SUN,SAT *)",
		"0 6 * * 6":            "cron(0 6 ? * SAT *)",
		"30 4 1,15 * *":        "cron(30 4 1,15 * ? *)",
		"0 0 1 */3 *":          "cron(0 0 1 1/3 ? *)",
		"0 0 ? jan-mar ?":      "cron(0 0 * 1-3 ? *)",
		"5-7,9 8-18 * * *":     "cron(5-7,9 8-18 * * ? *)",
		"0 0 13 * 5":           "cron(0 0 13 * ? *) cron(0 0 ? * FRI *)", // the 13th, and every Friday
		"0 0 1-31 * 5":         "cron(0 0 * * ? *)",                      // either is every day
		"*/7 * * * *":          "cron(0/7 * * * ? *)",
		"0 0 * * */2":          "cron(0 0 ? * SUN,TUE,THU,SAT *)",
		"1,3,5,7,9,11 * * * *": "cron(1,3,5,7,9,11 * * * ? *)",
	} {
		got := strings.Join(plan(t, often, "UTC", "").Expressions(), " ")
		if got != want {
			t.Errorf("%s: %s, want %s", often, got, want)
		}
		if len(got) > 256 {
			t.Errorf("%s: %d characters", often, len(got))
		}
	}
}

// What Scheduler makes of the expressions is what cron makes of the five fields, minute
// by minute over four weeks.
func TestExpressionsMeanTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	part := func(least, most int, star string) string {
		v := func() string { return strconv.Itoa(least + r.IntN(most-least+1)) }
		a, b := least+r.IntN(most-least+1), least+r.IntN(most-least+1)
		return []string{star, v(), v() + "," + v(), strconv.Itoa(min(a, b)) + "-" + strconv.Itoa(max(a, b)), "*/" + strconv.Itoa(1+r.IntN(most)), strconv.Itoa(min(a, b)) + "-" + strconv.Itoa(max(a, b)) + "/2"}[r.IntN(6)]
	}
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for range 100 {
		often := strings.Join([]string{part(0, 59, "*"), part(0, 23, "*"), part(1, 31, "*"), part(1, 12, "*"), part(0, 6, "?")}, " ")
		d := &syncdef.Definition{Frequency: often}
		p, err := frequency.Of(d)
		if err != nil {
			continue // a day that never comes
		}
		due := map[time.Time]bool{}
		for at := p.Next(from.Add(-time.Second)); !at.IsZero() && at.Before(from.AddDate(0, 0, 28)); at = p.Next(at) {
			due[at] = true
		}
		var all []awsCron
		for _, e := range p.Expressions() {
			all = append(all, readAWS(t, e))
		}
		for at := from; at.Before(from.AddDate(0, 0, 28)); at = at.Add(time.Minute) {
			fires := slices.ContainsFunc(all, func(c awsCron) bool { return c.fires(at) })
			if fires != due[at] {
				t.Fatalf("%s as %v at %s: fires %v, due %v", often, p.Expressions(), at, fires, due[at])
			}
		}
	}
}

// awsCron is Scheduler's reading of a cron expression: the values of minute, hour, day of
// the month, month and day of the week, from 1.
type awsCron [5][60]bool

// readAWS takes six fields, exactly one of the two days ?.
func readAWS(t *testing.T, expression string) (c awsCron) {
	t.Helper()
	fields := strings.Fields(strings.TrimSuffix(strings.TrimPrefix(expression, "cron("), ")"))
	if len(fields) != 6 || (fields[2] == "?") == (fields[4] == "?") || fields[5] != "*" {
		t.Fatalf("Scheduler takes no %s", expression)
	}
	for i, first := range []int{0, 0, 1, 1, 1} {
		for v := range c[i] {
			c[i][v] = fields[i] == "?" || slices.ContainsFunc(strings.Split(fields[i], ","), func(one string) bool { return awsHas(t, one, v, first) })
		}
	}
	return c
}

func (c *awsCron) fires(at time.Time) bool {
	return c[0][at.Minute()] && c[1][at.Hour()] && c[2][at.Day()] && c[3][at.Month()] && c[4][at.Weekday()+1]
}

func awsHas(t *testing.T, one string, v, first int) bool {
	t.Helper()
	number := func(s string) int {
		if day := slices.Index([]string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}, s); day >= 0 {
			return day + 1
		}
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("%q is no value", s)
		}
		return n
	}
	if one == "*" {
		return true
	}
	if from, step, ok := strings.Cut(one, "/"); ok {
		if from != "*" {
			first = number(from)
		}
		return v >= first && (v-first)%number(step) == 0
	}
	from, to, isRange := strings.Cut(one, "-")
	if !isRange {
		return v == number(from)
	}
	return v >= number(from) && v <= number(to)
}
