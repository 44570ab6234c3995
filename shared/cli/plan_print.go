package cli

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/verify"
)

// price estimates what the plan would cost.
func (p *plan) price(ctx context.Context, control *runs.Control) error {
	v, err := control.Syncs.Current(ctx, p.Sync)
	if err != nil {
		return fmt.Errorf("read sync %q: %w", p.Sync, err)
	}
	e, conn, err := control.Estimate(ctx, p.Sync, &p.bill)
	if err != nil {
		return err
	}
	p.Estimate, p.Connection, p.blind = e, v.Definition.Connection, v.Rules.Effort == nil
	if !p.blind {
		p.PerDay, p.Granted = v.Rules.Effort.PerDay(&conn)
	}
	return nil
}

// print prints the plan for people.
func (p *plan) print(s program) {
	sent := p.Counts[runs.Create] + p.Counts[runs.Update] + p.Counts[runs.Delete]
	fmt.Fprintln(s.out, wrapped("", fmt.Sprintf("%s of %s of %s would be sent (a dry run: nothing was sent or stored):", humanize.Comma(sent), counted(p.Rows), p.Sync)))
	for _, a := range []runs.Action{runs.Create, runs.Update, runs.Delete, runs.Unchanged, runs.Replaced, runs.Refused, runs.NotSelected, runs.Removed} {
		if n := p.Counts[a]; n > 0 {
			fmt.Fprintf(s.out, "  %-13s %s\n", strings.ReplaceAll(string(a), "_", " "), humanize.Comma(n))
		}
	}
	if g := p.Gate; g != nil {
		fmt.Fprintln(s.out, paint(s.out, weight[g.Decision], wrapped("  ", gateLine(&run.Gate{Verdict: *g}, false))))
	}
	for _, one := range p.Plan {
		fmt.Fprintln(s.out, wrapped("    ", planLine(one)))
	}
	if more := p.Counts[runs.Removed] - int64(p.shown[runs.Removed]); more > 0 && !p.all {
		fmt.Fprintf(s.out, "    and %s more to remove: --json lists them all\n", humanize.Comma(more))
	}
	printAnswered(s, p.Errors)
	p.printOld(s)
	p.printCost(s)
}

// planLine is a row's plan on one line.
func planLine(one runs.Planned) string {
	text := string(one.Action) + " " + one.RecordID
	switch first := one.ByLedger(); {
	case one.Action == runs.Refused:
		return text + ": " + one.Type
	case one.Action == runs.Update && first == runs.Create:
		text += " (there, though never delivered)"
	case one.Action == runs.Create && first == runs.Update:
		text += " (not there any more)"
	}
	switch {
	case len(one.Fields) > 0:
		text += ": " + strings.Join(changes(one), ", ")
	case one.Action == runs.Update && one.Destination == verify.There:
		text += ": holds these values"
	}
	return text
}

// maxValue is how many characters are shown of a value.
const maxValue = 32

// changes are what an update writes, as people read it.
func changes(one runs.Planned) []string {
	out := make([]string, len(one.Fields))
	copy(out, one.Fields)
	for i, c := range one.Changes {
		switch {
		case c.Personal:
			out[i] = c.Field + " (personal)"
		case c.Already:
			out[i] = fmt.Sprintf("%s = %s (already)", c.Field, cut(string(c.New), maxValue))
		case len(c.Old) > 0:
			out[i] = fmt.Sprintf("%s %s -> %s", c.Field, cut(string(c.Old), maxValue), cut(string(c.New), maxValue))
		case len(c.New) > 0:
			out[i] = fmt.Sprintf("%s = %s", c.Field, cut(string(c.New), maxValue))
		}
	}
	return out
}

// printCost prints what the plan would cost.
func (p *plan) printCost(s program) {
	e := &p.Estimate
	line := func(label, text string) {
		const indent = "                " // under the counts
		text = strings.TrimPrefix(wrapped(indent, text), indent)
		fmt.Fprintf(s.out, "  %-13s %s\n", label, text)
	}
	fmt.Fprintln(s.out, "estimated:")
	if p.blind {
		line("calls", "not known of this version, which an earlier release applied")
	} else {
		text := fmt.Sprintf("%s to %s", humanize.Comma(int64(math.Ceil(e.Calls))), p.Connection)
		if e.QuotaShare != nil {
			text += fmt.Sprintf(": %s of %s a day, %s of %s granted", percent(*e.QuotaShare), humanize.Comma(p.PerDay), percent(*e.GrantShare), humanize.Comma(p.Granted))
		}
		line("calls", text)
		line("time", lasting(e.Seconds)+" at the connection's rate")
	}
	line("AWS", dollars(e.Dollars)+" where it runs there")
}

// percent writes a share with two digits that count.
func percent(share float64) string {
	x := share * 100
	switch {
	case x == 0:
		return "0%"
	case x < 0.01:
		return "under 0.01%"
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 2, 64), 64) // it was just written
	return strconv.FormatFloat(rounded, 'f', -1, 64) + "%"
}

// dollars writes an amount with two digits that count.
func dollars(x float64) string {
	switch {
	case x < 0.0001:
		return "under $0.0001"
	case x < 0.01:
		return "$" + strconv.FormatFloat(x, 'f', 4, 64)
	}
	return "$" + strconv.FormatFloat(x, 'f', 2, 64)
}

// lasting writes a time in whole seconds, minutes or hours.
func lasting(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < time.Second:
		return "under a second"
	case d < time.Minute:
		return d.Round(time.Second).String()
	case d < time.Hour:
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	}
	return strings.TrimSuffix(strings.TrimSuffix(d.Round(time.Minute).String(), "0s"), "0m")
}
