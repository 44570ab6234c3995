package hubspot

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/freshness"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// maxCounted is how many mapped properties are counted, with a search each.
const maxCounted = 20

// Freshness implements dest.Prober by searches, of which an account may make 4 in a
// second ("CRM search"): they are taken out of a bucket of their own too. An answer's
// total counts beyond the 10,000 records that a search pages through. What was written
// seconds ago is not found yet.
func (a *account) Freshness(ctx context.Context, d *syncdef.Definition, now time.Time, spend dest.Spend) (freshness.Figures, error) {
	p, err := a.timed(ctx, d, spend)
	if err != nil {
		return freshness.Figures{}, err
	}
	s := search{account: a, object: objectPath(d.Object), spend: spend}
	out := freshness.Figures{Field: p.Name, Missing: map[string]int64{}}
	has := filter{Property: p.Name, Operator: "HAS_PROPERTY"}
	total, oldest, err := s.edge(ctx, p.Name, "ASCENDING", has)
	if err != nil {
		return out, err
	}
	out.Total, out.Oldest = &total, oldest
	if total > 0 {
		if _, out.Newest, err = s.edge(ctx, p.Name, "DESCENDING", has); err != nil {
			return out, err
		}
	}
	ages := []struct {
		age  time.Duration
		into **int64
	}{{freshness.Short, &out.Updated1h}, {freshness.Medium, &out.Updated4h}, {freshness.Long, &out.Updated1d}}
	if p.Type == "date" {
		ages, out.Why = ages[2:], p.Name+" is a date without a time: hours are not known, and a day is that of UTC"
	}
	for _, one := range ages {
		since := now.UTC().Add(-one.age)
		if p.Type == "date" {
			since = since.Truncate(24 * time.Hour)
		}
		n, err := s.count(ctx, total, filter{Property: p.Name, Operator: "GTE", Value: strconv.FormatInt(since.UnixMilli(), 10)})
		if err != nil {
			return out, err
		}
		*one.into = &n
	}
	counted := 0
	for _, f := range d.Fields {
		if _, twice := out.Missing[f.Destination]; twice || f.Destination == "" {
			continue
		}
		if counted++; counted > maxCounted {
			out.Why = join(out.Why, "the empty values of more than 20 properties are not counted")
			break
		}
		n, err := s.count(ctx, total, has, filter{Property: f.Destination, Operator: "NOT_HAS_PROPERTY"})
		if err != nil {
			return out, err
		}
		out.Missing[f.Destination] = n
	}
	return out, nil
}

func join(before, more string) string {
	if before == "" {
		return more
	}
	return before + "; " + more
}

// timed is the property that holds the time of the data.
func (a *account) timed(ctx context.Context, d *syncdef.Definition, spend dest.Spend) (*Property, error) {
	if err := spend(ctx, oneCall[0]); err != nil {
		return nil, err
	}
	all, err := a.properties(ctx, d.Object)
	if err != nil {
		return nil, err
	}
	why := d.Object + " has no property " + d.FreshnessField()
	for i := range all {
		p := &all[i]
		switch {
		case p.Name != d.FreshnessField():
			continue
		case p.Type == "datetime" || p.Type == "date":
			return p, nil
		}
		why = "property " + p.Name + " is of type " + p.Type + ", and no date or time"
	}
	return nil, &dest.CallError{Op: "count " + d.Object, Class: dest.Configuration, Scope: dest.ScopeVersion, Code: "freshness_field", Message: why + ": correct freshness.destination_field"}
}

// A filter is a condition of a search; those of one group all hold.
type filter struct {
	Property string `json:"propertyName"`
	Operator string `json:"operator"`
	Value    string `json:"value,omitempty"`
}

// A search counts the records of an object.
type search struct {
	account *account
	object  string
	spend   dest.Spend
}

// A found is the answer of a search.
type found struct {
	Total   *int64 `json:"total"`
	Results []struct {
		Properties map[string]*string `json:"properties"`
	} `json:"results"`
}

// do makes a search of at most one record.
func (s *search) do(ctx context.Context, body map[string]any) (*found, error) {
	op := "count " + s.object
	for _, c := range []dest.Cost{oneCall[0], {Bucket: searchBucket, Tokens: 1}} {
		if err := s.spend(ctx, c); err != nil {
			return nil, err
		}
	}
	content, err := json.Marshal(body)
	if err != nil {
		return nil, &dest.CallError{Op: op, Class: dest.Refused, Code: "request", Message: "the search cannot be written"}
	}
	var out found
	r := request{op: op, method: http.MethodPost, object: true, body: content, path: "/crm/objects/" + apiVersion + "/" + url.PathEscape(s.object) + "/search"}
	if err := s.account.get(ctx, r, &out); err != nil {
		return nil, err
	}
	if out.Total == nil || *out.Total < 0 {
		return nil, unreadable(op, answer{status: http.StatusOK, body: []byte("{")}, "it has no total")
	}
	return &out, nil
}

// count is how many records meet all filters; none is asked for where there are none.
func (s *search) count(ctx context.Context, total int64, all ...filter) (int64, error) {
	if total == 0 {
		return 0, nil
	}
	out, err := s.do(ctx, map[string]any{"filterGroups": []any{map[string]any{"filters": all}}, "limit": 1, "properties": []string{propID}})
	if err != nil {
		return 0, err
	}
	return *out.Total, nil
}

// edge is how many records meet a filter, and the first value of a property by its order.
func (s *search) edge(ctx context.Context, name, direction string, f filter) (int64, *time.Time, error) {
	out, err := s.do(ctx, map[string]any{
		"filterGroups": []any{map[string]any{"filters": []filter{f}}}, "limit": 1, "properties": []string{name},
		"sorts": []any{map[string]string{"propertyName": name, "direction": direction}},
	})
	if err != nil || len(out.Results) == 0 || out.Results[0].Properties[name] == nil {
		if err == nil && *out.Total > 0 {
			err = unreadable("count "+s.object, answer{status: http.StatusOK, body: []byte("{")}, "a record has not the property that it was asked for by")
		}
		if err != nil {
			return 0, nil, err
		}
		return *out.Total, nil, nil
	}
	text := *out.Results[0].Properties[name]
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			at = at.UTC()
			return *out.Total, &at, nil
		}
	}
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		at := time.UnixMilli(ms).UTC()
		return *out.Total, &at, nil
	}
	return 0, nil, unreadable("count "+s.object, answer{status: http.StatusOK, body: []byte("{")}, "a time is not written as HubSpot writes one")
}

var _ dest.Prober = (*account)(nil)
