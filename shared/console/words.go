package console

import (
	"fmt"
	"html/template"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// funcs are the words of the templates.
func (c *Console) funcs() template.FuncMap {
	return template.FuncMap{
		"num":      num,
		"rows":     func(n int64) string { return plural(n, "row") },
		"plural":   plural,
		"pct":      pct,
		"rate":     rate,
		"age":      age,
		"moment":   c.moment,
		"clock":    c.clock,
		"coming":   c.coming,
		"in":       func(t time.Time) string { return until(c.cfg.Now(), t) },
		"at":       func(t time.Time) string { return c.at(t) },
		"short":    short,
		"badge":    badge,
		"progress": progress,
		"link":     link,
		"seg":      url.PathEscape,
		"words":    func(s string) string { return strings.ReplaceAll(s, "_", " ") },
	}
}

// num writes an integer with its thousands apart.
func num(n any) string {
	switch n := n.(type) {
	case int:
		return humanize.Comma(int64(n))
	case int64:
		return humanize.Comma(n)
	}
	return fmt.Sprint(n)
}

// plural counts things whose plural is in s.
func plural(n any, one string) string {
	text := num(n)
	if text == "1" {
		return "1 " + one
	}
	return text + " " + one + "s"
}

// pct writes a share; what is nearly all or nearly nothing is not rounded to that. A
// negative share is unknown.
func pct(share float64) string {
	switch {
	case share < 0 || math.IsNaN(share):
		return "–"
	case share > 0.999 && share < 1:
		return "99.9%"
	case share > 0 && share < 0.001:
		return "<0.1%"
	case share == 1 || share == 0:
		return strconv.Itoa(int(share*100)) + "%"
	}
	return strconv.FormatFloat(share*100, 'f', 1, 64) + "%"
}

// rate writes rows per second; a negative one is unknown.
func rate(perSecond float64) string {
	switch {
	case perSecond < 0 || math.IsNaN(perSecond) || math.IsInf(perSecond, 0):
		return "–"
	case perSecond < 10:
		return strconv.FormatFloat(perSecond, 'f', 1, 64)
	}
	return humanize.Comma(int64(math.Round(perSecond)))
}

// age writes how long something takes or took, in the two units that tell.
func age(d time.Duration) string {
	switch {
	case d < 0:
		return "–"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < 10*time.Second:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + " s"
	case d < time.Hour:
		return two(d, time.Minute, "min", time.Second, "s")
	case d < 24*time.Hour:
		return two(d, time.Hour, "h", time.Minute, "min")
	}
	return two(d, 24*time.Hour, "d", time.Hour, "h")
}

func two(d, big time.Duration, bigName string, small time.Duration, smallName string) string {
	text := strconv.FormatInt(int64(d/big), 10) + " " + bigName
	if rest := int64(d % big / small); rest > 0 {
		text += " " + strconv.FormatInt(rest, 10) + " " + smallName
	}
	return text
}

// coarse is age in whole minutes, so that a page does not change every second.
func coarse(d time.Duration) string {
	if d < time.Minute {
		return "less than a minute"
	}
	return age(d.Truncate(time.Minute))
}

func ago(now, t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return coarse(max(0, now.Sub(t))) + " ago"
}

func until(now, t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	if !t.After(now) {
		return "now"
	}
	return "in " + coarse(t.Sub(now))
}

// at writes a moment in the zone of the machine.
func (c *Console) at(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.In(c.cfg.Zone).Format("2006-01-02 15:04:05")
}

// short is the part of a run's id that tells the runs of a sync apart.
func short(id string) string {
	_, rest, ok := strings.Cut(id, ".")
	if !ok {
		return id
	}
	return rest
}

// A tone is how grave a badge looks; its text says what it means.
type tone struct{ Class, Sign, Text string }

var tones = map[string]tone{
	"HEALTHY": {"good", "✓", "Healthy"}, "WARNING": {"warn", "!", "Warning"}, "STALE": {"bad", "✕", "Stale"}, "HIGH_ERROR_RATE": {"bad", "✕", "High error rate"},
	"succeeded": {"good", "✓", "Succeeded"}, "partial": {"warn", "!", "Partial"}, "failed": {"bad", "✕", "Failed"}, "complete": {"good", "✓", "Complete"},
	"incomplete": {"bad", "✕", "Incomplete"}, "cancelled": {"calm", "–", "Cancelled"}, "blocked": {"bad", "✕", "Blocked"}, "open": {"live", "●", "Running"}, "finishing": {"live", "●", "Finishing"},
	"paused": {"warn", "‖", "Paused"}, "halted": {"bad", "✕", "Halted"}, "done": {"good", "✓", "Done"}, "refused": {"warn", "!", "Refused"}, "begun": {"warn", "!", "Begun"},
	"PROCEED": {"good", "✓", "Gate open"}, "WARN_CONTINUE": {"warn", "!", "Gate warned"}, "BLOCK_SYNC": {"bad", "✕", "Gate blocked"},
	"unreadable": {"bad", "✕", "Unreadable"}, "setup": {"bad", "✕", "Needs you"}, "ok": {"good", "✓", "In order"}, "held": {"good", "✓", "Held"}, "error": {"bad", "✕", "Error"},
	"doubt": {"warn", "?", "Unknown"}, "gone": {"calm", "–", "Removed"}, "none": {"calm", "–", "Not known"},
}

// toneOf is how a word of the state is shown; one that is new is calm.
func toneOf(word any) tone {
	text := fmt.Sprint(word)
	if t, ok := tones[text]; ok {
		return t
	}
	return tone{"calm", "•", strings.ReplaceAll(text, "_", " ")}
}

// link is an address that may be followed, "" for one that is none of the web's.
func link(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	return address
}
