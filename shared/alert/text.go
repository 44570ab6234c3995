package alert

import (
	"fmt"
	"strings"
	"time"
)

// Subject is a notice in a line: an email's subject.
func (n Notice) Subject() string {
	return fmt.Sprintf("[penstock] %s: %s %s", n.Sync, titles[n.Kind], n.Step)
}

// titles name the kinds for people.
var titles = map[Kind]string{
	RunFailed: "run failed", RunPartial: "run partly failed", Overdue: "sync overdue", ErrorRate: "high error rate",
	Paused: "connection paused", Misconfigured: "connection misconfigured", Exhausted: "retries exhausted", DeadLetters: "dead letters",
	GateBlocked: "blocked by its quality gate", Halted: "sync halted", Missed: "missed schedule", MatchRate: "low match rate", CountAnomaly: "record count anomaly", Quota: "quota nearly spent",
	SchemaDrift: "schema drift", Disagreement: "destination differs",
	Trial: "test notice",
}

// Text is a notice in lines without markup: what happened, since when, how many
// rows, the commands that show and mend it, and where to read on.
func (n Notice) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %s\n", n.Sync, titles[n.Kind], n.Step)
	fmt.Fprintf(&b, "What:  %s\n", strings.Join(strings.Fields(n.Why), " ")) // others' lines are none of the notice's
	fmt.Fprintf(&b, "Since: %s UTC\n", n.Since.UTC().Format(time.DateTime))
	switch {
	case n.Of > 0:
		fmt.Fprintf(&b, "Rows:  %d of %d\n", n.Rows, n.Of)
	case n.Rows > 0:
		fmt.Fprintf(&b, "Rows:  %d\n", n.Rows)
	}
	if n.Run != "" {
		fmt.Fprintf(&b, "Run:   %s\n", n.Run)
	}
	if n.Look != "" && n.Step != Recovered {
		fmt.Fprintf(&b, "Look:  %s\n", n.Look)
	}
	if n.Mend != "" && n.Step != Recovered {
		fmt.Fprintf(&b, "Mend:  %s\n", n.Mend)
	}
	if section := n.Kind.Section(); section != "" && n.Step != Recovered {
		fmt.Fprintf(&b, "See:   %s\n", section)
	}
	return b.String()
}

// Section is where the documentation says what to do about an alert of the kind:
// docs/operating.md#alert-overdue, its heading there; "" for a test.
func (k Kind) Section() string {
	if k == Trial {
		return ""
	}
	return "docs/operating.md#alert-" + string(k)
}
