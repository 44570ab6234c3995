package run

import "time"

// Line is a run that has ended, in few words; retried are the rows of its errors that a
// retry has delivered since.
func Line(r Run, retried int64) RunLine {
	return RunLine{
		ID: r.ID, Mode: r.Mode, Bracketed: r.Bracketed, Status: r.Status, Outcome: r.Outcome, BegunAt: r.BegunAt, EndedAt: r.EndedAt,
		Counts: r.Counts, Retried: retried, Reason: r.Reason,
	}
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
func (l *RunLine) Missing() int64 { return l.Counts.Received - l.Right() }

// Right is how many of a run's rows are right at the destination; one that another row
// took the place of is right by that one.
func (l *RunLine) Right() int64 {
	if l.Outcome == None && l.Retried == 0 {
		return 0
	}
	return min(l.Counts.Received, l.Counts.Delivered+l.Counts.Unchanged+l.Counts.Superseded+l.Retried)
}

// Held is how many of a run's rows the destination holds.
func (l *RunLine) Held() int64 {
	return min(l.Counts.Received, l.Counts.Delivered+l.Counts.Unchanged+l.Retried)
}

// Succeeded reports whether a run counts as a success: it is complete, and has rows at
// the destination or had none to deliver.
func (l *RunLine) Succeeded() bool {
	return l.Status == Complete && (l.Outcome != None || l.Retried > 0)
}

// Summarize fills in what a sync's runs that have ended tell, newest first: the last
// success, the rows before it, what is open, and the last runs of each mode.
func Summarize(o *Overview, lines []RunLine) {
	var mode Mode
	kept := map[Mode]int{}
	o.OpenErrors, o.Lines = 0, nil
	bracketed := false
	for i := range lines {
		l := &lines[i]
		if l.Succeeded() {
			switch {
			case o.Success.Before(l.EndedAt):
				o.Success, o.SuccessRun, o.SuccessRows, mode, o.PreviousRows = l.EndedAt, l.ID, l.Held(), l.Mode, -1
			case o.PreviousRows < 0 && l.Mode == mode:
				o.PreviousRows = l.Held()
			}
		}
		// A begun run selects again what the ones before it did not deliver.
		if !bracketed && o.AsOf.Sub(l.EndedAt) < openFor {
			o.OpenErrors += max(0, l.Counts.Received-l.Counts.Delivered-l.Counts.Unchanged-l.Counts.Superseded-l.Retried)
		}
		bracketed = bracketed || l.Bracketed
		if kept[l.Mode]++; kept[l.Mode] <= OverviewRuns {
			o.Lines = append(o.Lines, *l)
		}
	}
}

// openFor is how long the errors of a run are counted as open: as long as errors are kept.
const openFor = 30 * 24 * time.Hour
