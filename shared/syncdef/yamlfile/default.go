package yamlfile

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// null reads on_null, default and on_unknown. A default means on_null: default
// unless that is written otherwise; it stands in for an unknown value of a
// picklist only where on_unknown says so.
func (r rules) null() {
	f := r.field
	f.Default = r.standard()
	usual := syncdef.ClearNull
	if f.Default != nil {
		usual = syncdef.DefaultNull
	}
	f.OnNull = choiceOf(r.object, "on_null", r.key("on_null").Allowed, usual)
	r.unknown()
	switch {
	case f.OnNull == syncdef.DefaultNull && !r.has("default"):
		r.fault(r.values["on_null"], join(r.path, "on_null"), "on_null: default needs the key default; allowed without one: skip, clear")
	case f.OnNull != syncdef.DefaultNull && f.OnUnknown != syncdef.DefaultUnknown && f.Default != nil:
		r.notice(r.keys["default"], join(r.path, "default"), "never used, because on_null is "+string(f.OnNull))
	}
}

// unknown reads what a picklist does with a text that is none of its values.
func (r rules) unknown() {
	f := r.field
	if f.Type == syncdef.Picklist && len(f.Values) > 0 {
		f.OnUnknown = syncdef.RejectUnknown
	}
	n := r.only("on_unknown")
	if n == nil {
		return
	}
	what := choice[syncdef.OnUnknown](r.object, "on_unknown")
	switch {
	case f.Type == "":
	case !r.has("values"):
		r.fault(r.keys["on_unknown"], join(r.path, "on_unknown"), "on_unknown has no use without values: any text passes")
	case what == syncdef.DefaultUnknown && !r.has("default"):
		r.fault(n, join(r.path, "on_unknown"), "on_unknown: default needs the key default")
	case len(f.Values) > 0:
		f.OnUnknown = what
	}
}

// standard reads the default, nil when there is none or it is faulty.
func (r rules) standard() *string {
	n := r.get("default")
	if n == nil {
		return nil
	}
	s, ok := r.scalar(n, join(r.path, "default"), "default")
	if !ok {
		return nil
	}
	if why := unfit(s, *r.field); why != "" {
		r.fault(n, join(r.path, "default"), "default %s %s", strconv.Quote(shorten(s)), why)
		return nil
	}
	return &s
}

// unfit says why a default would itself be rejected, "" when it would not.
func unfit(s string, f syncdef.Field) string {
	switch f.Type {
	case syncdef.Number, syncdef.Integer:
		return unfitNumber(s, f)
	case syncdef.Boolean:
		if s != "true" && s != "false" {
			return "is no boolean; allowed: true, false"
		}
	case syncdef.Picklist:
		if len(f.Values) > 0 && !slices.Contains(f.Values, s) {
			return "is not among values; allowed: " + strings.Join(f.Values, ", ")
		}
	case syncdef.JSON:
		if !json.Valid([]byte(s)) {
			return "is no JSON"
		}
	case syncdef.Email:
		if at := strings.LastIndexByte(s, '@'); at < 1 || at == len(s)-1 {
			return "is no email address"
		}
	}
	if n := utf8.RuneCountInString(s); f.MaxLength > 0 && n > f.MaxLength {
		return "has " + strconv.Itoa(n) + " characters; max_length allows " + strconv.Itoa(f.MaxLength)
	}
	return ""
}

func unfitNumber(s string, f syncdef.Field) string {
	if f.Type == syncdef.Integer && !whole.MatchString(s) {
		return "is no whole number"
	}
	if !decimal.MatchString(s) {
		return "is no plain decimal such as 0 or 99.5"
	}
	if v, lo := rat(s), rat(f.Min); lo != nil && v.Cmp(lo) < 0 {
		return "is below min " + f.Min
	}
	if v, hi := rat(s), rat(f.Max); hi != nil && v.Cmp(hi) > 0 {
		return "is above max " + f.Max
	}
	return ""
}
