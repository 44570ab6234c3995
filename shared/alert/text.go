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
	Trial: "test notice",
}

// Text is a notice in lines without markup: what happened, since when, how many
// rows, and the command that mends it.
func (n Notice) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %s\n", n.Sync, titles[n.Kind], n.Step)
	fmt.Fprintf(&b, "What:  %s\n", n.Why)
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
	if n.Mend != "" && n.Step != Recovered {
		fmt.Fprintf(&b, "Next:  %s\n", n.Mend)
	}
	return b.String()
}
