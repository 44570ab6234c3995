package run

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// LineOf is a run that has ended, in few words. Due, Again and Retried are the caller's to
// fill in.
func LineOf(r Run) Line {
	l := Line{
		ID: r.ID, Mode: r.Mode, Bracketed: r.Bracketed, Status: r.Status, Outcome: r.Outcome, BegunAt: r.BegunAt, EndedAt: r.EndedAt,
		Counts: r.Counts, Reason: r.Reason,
	}
	if l.Outcome == "" {
		l.Outcome = OutcomeOf(r, r.Counts)
	}
	l.Counts.Queued = 0
	return l
}

// ProgressOf is a run that goes on, with what its records add up to at now.
func ProgressOf(r Run, t *Tally, now time.Time) Progress {
	p := Progress{ID: r.ID, Mode: r.Mode, Status: r.Status, BegunAt: r.BegunAt, AsOf: now, Expected: r.Expected, Counts: t.Counts, Groups: t.Groups}
	p.Counts.Queued = t.Left()
	if len(p.Groups) > OverviewGroups {
		p.Groups = boundGroups(p.Groups, OverviewGroups)
	}
	return p
}

// boundGroups keeps the first groups, and counts the rest as one.
func boundGroups(all []Group, most int) []Group {
	out := append([]Group(nil), all[:most]...)
	rest := Group{Type: otherGroup}
	for _, g := range all[most:] {
		rest.Rows += g.Rows
	}
	return append(out, rest)
}

// Missing is how many of a run's rows are not right at the destination: all of them where
// it failed as a whole, and nothing was delivered since.
func (l *Line) Missing() int64 { return l.Counts.Received - l.Right() }

// Right is how many of a run's rows are right at the destination; one that another row
// took the place of is right by that one.
func (l *Line) Right() int64 {
	if l.Outcome == None && l.Retried == 0 {
		return 0
	}
	return min(l.Counts.Received, l.Counts.Delivered+l.Counts.Unchanged+l.Counts.Superseded+l.Retried)
}

// Held is how many of a run's rows the destination holds.
func (l *Line) Held() int64 {
	return min(l.Counts.Received, l.Counts.Delivered+l.Counts.Unchanged+l.Retried)
}

// Succeeded reports whether a run counts as a success: it is complete, and has rows at
// the destination or had none to deliver.
func (l *Line) Succeeded() bool {
	return l.Status == Complete && (l.Outcome != None || l.Retried > 0)
}

// Summarize fills in what a sync's runs that have ended tell, the one begun last first:
// the last success, the rows before it, what is not right, and the last runs of each mode.
func Summarize(o *Overview, lines []Line) {
	o.NotRight, o.Lines = 0, nil
	kept := map[Mode]int{}
	var good []*Line
	selected := false
	for i := range lines {
		l := &lines[i]
		if l.Succeeded() {
			good = append(good, l)
		}
		if !selected && o.AsOf.Sub(l.EndedAt) < KeepErrors {
			o.NotRight += max(0, l.Counts.Received-l.Counts.Delivered-l.Counts.Unchanged-l.Counts.Superseded-l.Retried)
		}
		selected = selected || l.Bracketed // it selected again what those before it had not delivered
		if kept[l.Mode]++; kept[l.Mode] <= OverviewRuns {
			o.Lines = append(o.Lines, *l)
		}
	}
	slices.SortStableFunc(good, func(a, b *Line) int { return cmp.Or(b.EndedAt.Compare(a.EndedAt), strings.Compare(b.ID, a.ID)) })
	if len(good) == 0 {
		return
	}
	last := good[0]
	o.Success, o.SuccessRun, o.SuccessRows, o.PreviousRows = last.EndedAt, last.ID, last.Held(), -1
	if n := slices.IndexFunc(good[1:], func(l *Line) bool { return l.Mode == last.Mode }); n >= 0 {
		o.PreviousRows = good[n+1].Held()
	}
}

// KeepErrors is how long errors are kept, with their sources, and counted as not right.
const KeepErrors = 30 * 24 * time.Hour
