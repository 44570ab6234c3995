package frequency

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Expressions are the plan's schedule expressions for EventBridge Scheduler (its user
// guide, "Schedule types"): rate(15 minutes), or cron of six fields, in the plan's time
// zone. A cron expression there cannot name days of the month and of the week both; in
// five fields these mean either: then there are two expressions, and a time that both
// have is one due time.
func (p Plan) Expressions() []string {
	if p.every > 0 {
		return []string{rate(p.every)}
	}
	if p.spec == nil {
		return nil
	}
	s := p.spec
	minute, hour, month := field(s.Minute, 0, 59, nil), field(s.Hour, 0, 23, nil), field(s.Month, 1, 12, nil)
	dom, dow := field(s.Dom, 1, 31, nil), field(s.Dow, 0, 6, days)
	six := func(dom, dow string) string {
		return fmt.Sprintf("cron(%s %s %s %s %s *)", minute, hour, dom, month, dow)
	}
	switch {
	case starred(s.Dow): // all days that dom has
		return []string{six(dom, "?")}
	case starred(s.Dom):
		return []string{six("?", dow)}
	case dom == "*" || dow == "*": // either is every day
		return []string{six("*", "?")}
	}
	return []string{six(dom, "?"), six("?", dow)}
}

// days are Scheduler's words for cron's 0 to 6; its numbers are others, 1 to 7.
var days = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}

// star is the bit by which the cron library marks a field that began with * or ?.
const star = 1 << 63

func starred(field uint64) bool { return field&star != 0 }

// field writes a set of values: *, a list of values and ranges, or first/step.
func field(set uint64, least, most int, names []string) string {
	var values []int
	for v := least; v <= most; v++ {
		if set&(1<<v) != 0 {
			values = append(values, v)
		}
	}
	if len(values) == most-least+1 {
		return "*"
	}
	name := func(v int) string {
		if names != nil {
			return names[v]
		}
		return strconv.Itoa(v)
	}
	if step := stepOf(values, most); names == nil && step > 1 {
		return strconv.Itoa(values[0]) + "/" + strconv.Itoa(step)
	}
	var parts []string
	for from := 0; from < len(values); {
		to := from
		for to+1 < len(values) && values[to+1] == values[to]+1 {
			to++
		}
		switch {
		case to-from < 2:
			for _, v := range values[from : to+1] {
				parts = append(parts, name(v))
			}
		default:
			parts = append(parts, name(values[from])+"-"+name(values[to]))
		}
		from = to + 1
	}
	return strings.Join(parts, ",")
}

// stepOf is the distance of three values or more that go on evenly to the end of the
// field; 0 when they do not.
func stepOf(values []int, most int) int {
	if len(values) < 3 {
		return 0
	}
	step := values[1] - values[0]
	for i := 2; i < len(values); i++ {
		if values[i]-values[i-1] != step {
			return 0
		}
	}
	if values[len(values)-1]+step <= most {
		return 0
	}
	return step
}

// rate writes an interval in its greatest whole unit; the unit is singular with 1 alone.
func rate(every time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if n := every / unit.length; n > 0 && every%unit.length == 0 {
			if n == 1 {
				return "rate(1 " + unit.name + ")"
			}
			return fmt.Sprintf("rate(%d %ss)", n, unit.name)
		}
	}
	return "rate(1 minute)" // cannot be: Parse takes whole minutes
}
