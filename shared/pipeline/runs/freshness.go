package runs

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/freshness"
)

// A FreshnessAnswer answers penstock_freshness: the records at a sync's destination by their age.
type FreshnessAnswer struct {
	Sync       string     `json:"sync"`
	Connection string     `json:"connection,omitempty"`
	Type       string     `json:"type,omitempty"`
	Object     string     `json:"object,omitempty"`
	AsOf       *time.Time `json:"as_of"` // when they were counted; null: not yet, or not known
	freshness.Figures
	// MissingColumns is Missing by the model's column, in lower case.
	MissingColumns map[string]int64 `json:"missing_columns,omitempty"`
	Message        string           `json:"message,omitempty"` // what is not known, and why
}

// Freshness answers how old a sync's data at its destination is, as it was counted last.
// A worker counts it, at most every 5 minutes; nothing is asked of the destination here.
func (c *Control) Freshness(ctx context.Context, sync string) (FreshnessAnswer, error) {
	v, err := c.current(ctx, "penstock_freshness", sync)
	if err != nil {
		return FreshnessAnswer{}, err
	}
	var stored freshness.Reading
	if c.Stores.Freshness != nil {
		if stored, err = c.Stores.Freshness.Freshness(ctx, sync); err != nil {
			return FreshnessAnswer{}, fmt.Errorf("read the freshness of sync %q: %w", sync, err)
		}
	}
	d := &v.Definition
	r := stored.Of(sync, d.Connection, d.Object, d.FreshnessField())
	a := FreshnessAnswer{Sync: sync, Connection: d.Connection, Type: v.Rules.Type, Object: d.Object, Figures: r.Figures}
	a.Why = ""
	switch {
	case r.Known():
		a.AsOf, a.Message = &r.AsOf, r.Figures.Why
		if r.Failure != "" {
			a.Message = strings.TrimPrefix(a.Message+"; ", "; ") + "it could not be counted since: " + r.Failure
		}
	case r.Failure != "":
		a.Message = r.Failure
	case r.Asked == "":
		a.Message = "the definition names no field that holds the time of the data: write freshness: {destination_field: FIELD}, and apply it"
	default:
		a.Message = fmt.Sprintf("not counted yet: that is done within %d minutes", int(freshness.Every(d.WarnAfter()).Minutes()))
	}
	for i := range d.Fields {
		if n, counted := r.Figures.Missing[d.Fields[i].Destination]; counted && d.Fields[i].Source != "" {
			if a.MissingColumns == nil {
				a.MissingColumns = map[string]int64{}
			}
			a.MissingColumns[strings.ToLower(d.Fields[i].Source)] = n
		}
	}
	return a, nil
}
