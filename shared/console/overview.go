package console

import (
	"net/http"
	"time"

	"github.com/penstock-data/penstock/shared/app/view"
)

// An overviewPage is all syncs and connections.
type overviewPage struct {
	Syncs       []syncRow
	Connections []connectionRow
	Tally       []tallied
	Act         bool // actions are offered
}

// A tallied word is a health and how many syncs have it.
type tallied struct {
	Word string
	N    int
}

type syncRow struct {
	view.Row
	Spark  chart
	Late   string // the tone of the age: good, warn or bad
	Shares []share
}

type connectionRow struct {
	view.Connection
	State string // a word of badge
	Share float64
	// Pausable and Resumable say whether one of its syncs is.
	Pausable, Resumable bool
}

// A share is a part of a run that goes on.
type share struct {
	Run         string
	Done, Total int64
	Waits       string
}

func (c *Console) overview(r *http.Request) (shown, error) {
	o, err := c.cfg.Pages.Overview(r.Context())
	if err != nil {
		return shown{}, err
	}
	page := overviewPage{Act: c.cfg.Actions != nil}
	count := map[view.Health]int{}
	for _, s := range o.Syncs {
		page.Syncs = append(page.Syncs, c.syncRow(s))
		count[s.Health]++
	}
	for _, h := range []view.Health{view.Stale, view.HighErrorRate, view.Warning, view.Healthy} {
		if count[h] > 0 {
			page.Tally = append(page.Tally, tallied{string(h), count[h]})
		}
	}
	for _, x := range o.Connections {
		page.Connections = append(page.Connections, connectionOf(x, o.Syncs))
	}
	return shown{Title: "Overview", Page: "overview", Section: "overview", Live: true, Body: page}, nil
}

func connectionOf(x view.Connection, syncs []view.Row) connectionRow {
	row := connectionRow{Connection: x, State: "ok", Share: -1}
	for _, s := range syncs {
		if s.Connection == x.Name {
			row.Pausable, row.Resumable = row.Pausable || s.Paused == nil, row.Resumable || s.Paused != nil
		}
	}
	switch {
	case x.SetUp:
		row.State = "setup"
	case !x.PausedSince.IsZero():
		row.State = "paused"
	}
	if x.Quota > 0 {
		row.Share = float64(x.Spent) / float64(x.Quota)
	}
	return row
}

func (c *Console) syncRow(s view.Row) syncRow {
	row := syncRow{Row: s, Late: "good", Spark: bars(s.Spark, 14, 98, 24, 2)}
	switch {
	case s.StaleAfter > 0 && s.Age > s.StaleAfter, s.LastSuccess.IsZero() && s.Health == view.Stale:
		row.Late = "bad"
	case s.WarnAfter > 0 && s.Age > s.WarnAfter:
		row.Late = "warn"
	}
	for _, l := range s.Running {
		row.Shares = append(row.Shares, share{Run: l.Run, Done: l.Counts.Settled(), Total: max(l.Expected, l.Counts.Received), Waits: l.WaitsFor})
	}
	return row
}

// Words says how the sync stands, its badge.
func (s syncRow) Words() []string {
	if s.Unreadable != "" {
		return []string{"unreadable"}
	}
	words := []string{string(s.Health)}
	if s.Paused != nil {
		words = append(words, "paused")
	}
	if s.Halted != nil {
		words = append(words, "halted")
	}
	if s.Gate != nil && s.Gate.Decision != "PROCEED" {
		words = append(words, string(s.Gate.Decision))
	}
	return words
}

// Thresholds says when the sync is late, and when stale.
func (s syncRow) Thresholds() string {
	switch {
	case s.WarnAfter > 0 && s.StaleAfter > 0:
		return "late after " + brief(s.WarnAfter) + ", stale " + brief(s.StaleAfter)
	case s.StaleAfter > 0:
		return "stale after " + brief(s.StaleAfter)
	}
	return ""
}

// brief is a threshold, which people write in whole units.
func brief(d time.Duration) string { return age(d.Truncate(time.Minute)) }
