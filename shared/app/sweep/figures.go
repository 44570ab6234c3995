package sweep

import (
	"context"
	"log/slog"
	"math"
	"time"

	"github.com/penstock-data/penstock/shared/app/metrics"
	"github.com/penstock-data/penstock/shared/app/telemetry"
)

// figuresEvery is how often the sweeper writes how connections stand: as often as the
// dashboard draws a point.
const figuresEvery = 5 * time.Minute

// figures are the metrics of how connections stand: rows that are not right, and how much
// of the day's share is spent. They cost nobody else's work anything: what cannot be read is
// told by the line, and left out.
func (h *Handler) figures(ctx context.Context, line *telemetry.Line) {
	now := h.Sweep.Now()
	if h.Function == "" || h.Sweep.Overviews == nil || now.Minute()%int(figuresEvery.Minutes()) != 0 {
		return
	}
	all, err := h.Sweep.Overviews.Overviews(ctx, nil)
	if err != nil {
		line.Add(slog.String("unread", err.Error()))
	}
	left, spent := map[string]int{}, map[string]int{}
	for i := range all {
		if o := &all[i]; o.Unreadable == "" {
			left[o.Connection] += int(o.NotRight)
			spent[o.Connection] = int(math.Round(100 * o.Account.Share)) // all its syncs tell the same
		}
	}
	for connection := range left {
		line.Of(connection, metrics.Count{Name: metrics.RowsNotRight, N: left[connection]}, metrics.Count{Name: metrics.QuotaUsed, N: spent[connection]})
	}
}
