package intercom

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/freshness"
	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// maxRead is how many contacts are read to tell their ages: 10 pages.
const maxRead = 10 * pageSize

const opCount = "count contacts"

// Freshness implements dest.Prober. A search compares dates by whole days in the
// workspace's time zone ("Search contacts"), so that contacts are read and their times
// compared here: all that have a value where these are 1,500 at most, else those of the
// last two days. What is more than that is not known. What was written minutes ago may
// not be found yet.
func (a *account) Freshness(ctx context.Context, d *syncdef.Definition, now time.Time, spend dest.Spend) (freshness.Figures, error) {
	field, err := a.timed(ctx, d.FreshnessField(), spend)
	if err != nil {
		return freshness.Figures{}, err
	}
	c := counting{account: a, field: field, spend: spend}
	total, _, _, err := c.page(ctx, 0, 1, "")
	if err != nil {
		return freshness.Figures{}, err
	}
	out := freshness.Figures{Field: field, Total: &total}
	if total <= maxRead {
		all, err := c.read(ctx, 0)
		if err != nil {
			return out, err
		}
		ages(&out, field, all, now)
		out.Missing = missingIn(d, all)
		if len(all) > 0 {
			oldest, newest := edges(field, all)
			out.Oldest, out.Newest = &oldest, &newest
		}
		return out, nil
	}
	out.Why = fmt.Sprintf("of more than %d contacts Intercom tells neither the oldest nor what is empty", maxRead)
	since := now.Add(-2 * freshness.Long).Unix() // days after this one: all of the last 24 hours, in any zone
	recent, _, _, err := c.page(ctx, since, 1, "")
	switch {
	case err != nil:
		return out, err
	case recent > maxRead:
		out.Why += fmt.Sprintf("; more than %d are of the last two days, so that their ages are not known", maxRead)
		return out, nil
	}
	some, err := c.read(ctx, since)
	if err != nil {
		return out, err
	}
	ages(&out, field, some, now)
	if len(some) > 0 {
		_, newest := edges(field, some)
		out.Newest = &newest
	}
	return out, nil
}

// ownTimes are the contact's own fields that hold a time and can be searched by.
var ownTimes = map[string]bool{"signed_up_at": true, "last_seen_at": true, "created_at": true, "updated_at": true}

// timed is the name that a search has for the field that holds the time of the data.
func (a *account) timed(ctx context.Context, name string, spend dest.Spend) (string, error) {
	if ownTimes[name] {
		return name, nil
	}
	name = strings.TrimPrefix(name, customPrefix)
	if err := spend(ctx, oneCall[0]); err != nil {
		return "", err
	}
	kind, is, err := a.attributes.find(ctx, name, "")
	if err != nil {
		return "", err
	}
	why := "contacts have no attribute " + name
	switch {
	case is == untold:
		why = "whether contacts have an attribute " + name + " is not known: " + noAttributes
	case is == there && kind.kind == "date":
		return customPrefix + name, nil
	case is == there:
		why = "the attribute " + name + " is of type " + kind.kind + ", and no date"
	}
	return "", &dest.CallError{Op: opCount, Class: dest.Configuration, Scope: dest.ScopeVersion, Code: "freshness_field", Message: why + ": correct freshness.destination_field"}
}

// An aged is a contact as an answer holds it.
type aged map[string]json.RawMessage

// value is a field's, by the name that a search or a definition has for it; nil for none.
func (c aged) value(name string) json.RawMessage {
	v := c[name]
	if custom, is := strings.CutPrefix(name, customPrefix); is || v == nil && own[name] == "" {
		var all map[string]json.RawMessage
		if json.Unmarshal(c["custom_attributes"], &all) != nil {
			return nil
		}
		v = all[custom]
	}
	if string(v) == "null" || string(v) == `""` {
		return nil
	}
	return v
}

// at is a field's time, in unix seconds.
func (c aged) at(field string) (time.Time, bool) {
	n, ok := rawjson.Int([]byte(c.value(field)))
	return time.Unix(n, 0).UTC(), ok
}

// A counting searches contacts by a field that holds a time.
type counting struct {
	account *account
	field   string
	spend   dest.Spend
}

// page searches contacts whose time is after the day of a moment.
func (c *counting) page(ctx context.Context, since int64, size int, after string) (total int64, contacts []aged, next string, err error) {
	if err := c.spend(ctx, oneCall[0]); err != nil {
		return 0, nil, "", err
	}
	paging := map[string]any{"per_page": size}
	if after != "" {
		paging["starting_after"] = after
	}
	body, err := json.Marshal(map[string]any{"query": map[string]any{"field": c.field, "operator": ">", "value": since}, "pagination": paging})
	if err != nil {
		return 0, nil, "", &dest.CallError{Op: opCount, Class: dest.Refused, Code: "request", Message: "the search cannot be written"}
	}
	got, err := c.account.client.do(ctx, opCount, http.MethodPost, "/contacts/search", body)
	if err != nil {
		return 0, nil, "", unsent(err)
	}
	if got.err != nil {
		failed := (*destination)(nil).unanswered(got.err)
		failed.Op = opCount
		return 0, nil, "", failed
	}
	var out struct {
		Type  string  `json:"type"`
		Data  *[]aged `json:"data"`
		Total *int64  `json:"total_count"`
		Pages *struct {
			Next *struct {
				After string `json:"starting_after"`
			} `json:"next"`
		} `json:"pages"`
	}
	if json.Unmarshal(got.body, &out) != nil || out.Type != "list" || out.Data == nil || out.Total == nil || *out.Total < 0 {
		return 0, nil, "", unsent(c.account.client.unreadable(opCount, got))
	}
	if out.Pages != nil && out.Pages.Next != nil {
		next = out.Pages.Next.After
	}
	return *out.Total, *out.Data, next, nil
}

// read reads the contacts of a search, a page more than maxRead at most: what is written
// meanwhile may add to them. Fewer than every page says are no answer.
func (c *counting) read(ctx context.Context, since int64) (all []aged, err error) {
	got, least := int64(0), int64(math.MaxInt64)
	for after := ""; len(all) <= maxRead; {
		total, some, next, err := c.page(ctx, since, pageSize, after)
		if err != nil {
			return nil, err
		}
		got, least = got+int64(len(some)), min(least, total)
		for _, one := range some {
			if _, ok := one.at(c.field); ok {
				all = append(all, one)
			}
		}
		if next == "" || len(some) == 0 {
			if got < least {
				return nil, unsent(c.account.client.unreadable(opCount, &answer{status: http.StatusOK, body: []byte("{")}))
			}
			break
		}
		after = next
	}
	return all, nil
}

// ages counts contacts by the age of a field.
func ages(out *freshness.Figures, field string, all []aged, now time.Time) {
	count := func(age time.Duration) *int64 {
		since, n := now.Add(-age).Truncate(time.Second), int64(0)
		for _, c := range all {
			if at, _ := c.at(field); !at.Before(since) {
				n++
			}
		}
		return &n
	}
	out.Updated1h, out.Updated4h, out.Updated1d = count(freshness.Short), count(freshness.Medium), count(freshness.Long)
}

// edges are the least and the greatest time of contacts, of which there is one at least.
func edges(field string, all []aged) (oldest, newest time.Time) {
	oldest, _ = all[0].at(field)
	newest = oldest
	for _, c := range all[1:] {
		at, _ := c.at(field)
		if at.Before(oldest) {
			oldest = at
		}
		if at.After(newest) {
			newest = at
		}
	}
	return oldest, newest
}

// missingIn counts the contacts that have nothing in a mapped field. Tags are no value of
// a contact's.
func missingIn(d *syncdef.Definition, all []aged) map[string]int64 {
	out := map[string]int64{}
	for _, f := range d.Fields {
		name := f.Destination
		if _, twice := out[name]; twice || name == fieldTags || name == fieldCustom {
			continue
		}
		n := int64(0)
		for _, c := range all {
			if c.value(name) == nil {
				n++
			}
		}
		out[name] = n
	}
	return out
}

var _ dest.Prober = (*account)(nil)
