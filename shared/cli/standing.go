package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/penstock-data/penstock/shared/app/view"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
)

// A standing is a sync's status with the figures of its row on the page of all syncs.
type standing struct {
	runs.SyncStatus
	Overview view.Row
}

// MarshalJSON writes the status as it is written everywhere, and the row as overview.
func (s standing) MarshalJSON() ([]byte, error) {
	status, err := json.Marshal(s.SyncStatus)
	if err != nil {
		return nil, err
	}
	row, err := json.Marshal(s.Overview)
	if err != nil {
		return nil, err
	}
	return slices.Concat(bytes.TrimSuffix(status, []byte("}")), []byte(`,"overview":`), row, []byte("}")), nil
}

// stand is how a sync stands at this moment.
func (s program) stand(ctx context.Context, control *runs.Control, one runs.SyncStatus) (standing, error) {
	now := s.clock.now()
	o, err := control.Overview(ctx, one.Sync, now)
	if err != nil {
		return standing{}, err
	}
	return standing{one, view.RowOf(&o, now)}, nil
}

// printStanding prints the figures that the runs do not show.
func (s program) printStanding(x view.Row) {
	health := string(x.Health)
	switch x.Health {
	case view.Healthy:
		health = paint(s.out, good, health)
	case view.Warning:
		health = paint(s.out, warning, health)
	default:
		health = paint(s.out, bad, health)
	}
	s.line("health", fmt.Sprintf("%s; last success %s; late after %s, stale after %s", health, s.clock.when(x.LastSuccess), span(x.WarnAfter), span(x.StaleAfter)))
	if x.LastRun != nil {
		var parts []string
		if x.SuccessRate >= 0 {
			parts = append(parts, fmt.Sprintf("%.1f%% of the last run's rows are right at the destination", x.SuccessRate*100))
		}
		if x.RowsPerSecond >= 0 {
			parts = append(parts, rate(x.RowsPerSecond)+" rows a second")
		}
		if len(parts) > 0 {
			s.line("rates", strings.Join(parts, ", "))
		}
	}
	if !x.LastSuccess.IsZero() {
		text := english.Plural(int(x.Records), "row", "") + " of the last success"
		if x.Previous >= 0 {
			text += fmt.Sprintf(", %s of the one before", humanize.Comma(x.Previous))
		}
		s.line("records", text)
	}
	if x.AlertMessage != "" {
		s.line("look", paint(s.out, bad, x.AlertMessage))
	}
	for _, a := range x.Alerts {
		s.line("alert", paint(s.out, warning, a.Kind+", since "+s.clock.when(a.Since)))
	}
	s.printAges(x)
}

// rate is a number of rows a second as the numbers beside it are written: whole where it
// is large, and with more digits where it is small.
func rate(n float64) string {
	digits := 10_000.0
	switch {
	case n >= 100:
		return humanize.Comma(int64(math.Round(n)))
	case n >= 0.1:
		digits = 10
	}
	return strconv.FormatFloat(math.Round(n*digits)/digits, 'f', -1, 64)
}

// printAges says how old the data at the destination is.
func (s program) printAges(x view.Row) {
	d := x.Destination
	if d == nil || !d.Known() {
		return
	}
	f := &d.Figures
	var parts []string
	add := func(n *int64, what string) {
		if n != nil {
			parts = append(parts, humanize.Comma(*n)+what)
		}
	}
	add(f.Total, " records")
	add(f.Updated1h, " within 1 h")
	add(f.Updated4h, " within 4 h")
	add(f.Updated1d, " within a day")
	for _, end := range []struct {
		at   *time.Time
		name string
	}{{f.Oldest, "oldest "}, {f.Newest, "newest "}} {
		if end.at != nil {
			parts = append(parts, end.name+s.clock.when(*end.at))
		}
	}
	s.line("destination", strings.Join(parts, ", ")+"; counted "+s.clock.when(d.AsOf))
}
