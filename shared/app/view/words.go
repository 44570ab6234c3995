package view

import (
	"fmt"
	"math"
	"time"

	"github.com/penstock-data/penstock/shared/run"
)

// lost is the share of an ended run's rows that the alerts in the warehouse count.
func lost(l *Line, now time.Time) float64 {
	switch {
	case l.Outcome == run.None && l.Retried == 0:
		return 1
	case l.Counts.Received == 0 || now.Sub(l.EndedAt) > time.Hour:
		return 0
	}
	return float64(l.Counts.Received-l.Right) / float64(l.Counts.Received)
}

// summary says what an ended run has lost, in the words of the warehouse's table.
func summary(l *Line) string {
	c := l.Counts
	switch {
	case l.Reason != "":
		return l.Reason
	case c.Received > l.Right:
		return fmt.Sprintf("%d rejected, %d blocked, %d failed, %d cancelled; see reverse_etl_sync_errors", c.Rejected, c.Blocked, c.Failed, c.Cancelled)
	}
	return ""
}

// tell fills in what the warehouse's view of alerts says, but for errors of people's own
// that stand only there.
func (row *Row) tell(o *run.Overview, now time.Time) {
	change := row.Records - row.Previous
	switch overdue := row.Paused == nil; {
	case overdue && o.Success.IsZero() && late(o.AppliedAt, o.Stale, now):
		row.AlertMessage = "Sync overdue: " + row.Sync + " has not succeeded yet"
	case overdue && !o.Success.IsZero() && late(o.Success, o.Stale, now):
		row.AlertMessage = fmt.Sprintf("Sync overdue: %s last ran %d hours ago", row.Sync, passed(o.Success, now, time.Hour))
	case overdue && !row.Missed.IsZero():
		row.AlertMessage = fmt.Sprintf("Missed schedule: %s was due %d minutes ago, and no run began", row.Sync, passed(row.Missed, now, time.Minute))
	case row.Previous > 100 && math.Abs(float64(change)) > float64(row.Previous)*0.5:
		row.AlertMessage = fmt.Sprintf("Record count anomaly: %s synced %d records vs %d previous", row.Sync, row.Records, row.Previous)
	case row.ErrorRate > 0.1:
		row.AlertMessage = fmt.Sprintf("High error rate: %s has %s%% error rate", row.Sync, percent(row.ErrorRate))
	}
}

// percent is a share in percent with one digit after the point, rounded half up.
func percent(share float64) string {
	return fmt.Sprintf("%.1f", math.Round(share*1000)/10)
}
