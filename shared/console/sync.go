package console

import (
	"net/http"
	"slices"

	"github.com/penstock-data/penstock/shared/app/view"
)

// A syncPage is one sync.
type syncPage struct {
	view.Sync
	Row   syncRow
	Chart chart
	Runs  []view.Line // newest first
	Act   bool
}

// tabled is how many runs are listed below the chart.
const tabled = 15

func (c *Console) sync(r *http.Request) (shown, error) {
	v, err := c.cfg.Pages.Sync(r.Context(), r.PathValue("name"))
	if err != nil {
		return shown{}, err
	}
	page := syncPage{Sync: v, Row: c.syncRow(v.Row), Chart: bars(v.Chart, min(max(len(v.Chart), 24), 60), 720, 120, 3), Act: c.cfg.Actions != nil}
	page.Runs = slices.Clone(v.Chart)
	slices.Reverse(page.Runs)
	page.Runs = page.Runs[:min(len(page.Runs), tabled)]
	return shown{Title: v.Sync, Page: "sync", Section: "overview", Live: true, Body: page}, nil
}
