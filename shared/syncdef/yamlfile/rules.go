package yamlfile

import (
	"math/big"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// rules reads the settings of one mapping that depend on its data type.
type rules struct {
	*object
	field *syncdef.Field
}

// only gives a key's value, and reports a key that the data type has no use for.
func (r rules) only(key string) *yaml.Node {
	n, types := r.get(key), r.key(key).For
	if n == nil || r.field.Type == "" || slices.Contains(types, r.field.Type) {
		return n
	}
	r.fault(r.keys[key], join(r.path, key), "%s has no use with data_type %s; it is for %s", key, r.field.Type, listed(types))
	return nil
}

// decimal bounds the length so that comparing hostile numbers stays cheap.
var (
	decimal = regexp.MustCompile(`^-?[0-9]{1,40}(\.[0-9]{1,40})?$`)
	whole   = regexp.MustCompile(`^-?[0-9]{1,40}$`)
)

func (r rules) number() {
	if r.only("scale") != nil {
		r.field.Scale = r.whole("scale")
	}
	r.field.Min = r.bound("min")
	r.field.Max = r.bound("max")
	lo, hi := rat(r.field.Min), rat(r.field.Max)
	switch {
	case lo == nil || hi == nil:
	case lo.Cmp(hi) > 0:
		r.fault(r.values["min"], join(r.path, "min"), "min %s is greater than max %s", r.field.Min, r.field.Max)
	case r.field.Type == syncdef.Integer && ceiling(lo).Cmp(hi) > 0:
		r.fault(r.values["min"], join(r.path, "min"), "no whole number is between min %s and max %s: every row would be rejected", r.field.Min, r.field.Max)
	}
}

// ceiling is the least whole number that is not below v.
func ceiling(v *big.Rat) *big.Rat {
	n := new(big.Int).Neg(v.Num())
	return new(big.Rat).SetInt(n.Neg(n.Div(n, v.Denom()))) // Div rounds down: the denominator is positive
}

// bound reads min or max as a decimal, written as a number or as text.
func (r rules) bound(key string) string {
	n := r.only(key)
	if n == nil {
		return ""
	}
	s, ok := r.scalar(n, join(r.path, key), key)
	if ok && !decimal.MatchString(s) {
		r.fault(n, join(r.path, key), "%s must be a plain decimal such as 0 or 99.5, not %q", key, shorten(s))
		return ""
	}
	return s
}

func rat(s string) *big.Rat {
	if s == "" {
		return nil
	}
	v, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil
	}
	return v
}

func (r rules) picklist() {
	n := r.only("values")
	if n == nil {
		return
	}
	path := join(r.path, "values")
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		r.fault(n, path, "values must be a list of at least one picklist value, not %s; without values any text passes", kindOrEmpty(n))
		return
	}
	for i, c := range n.Content {
		s, ok := r.scalar(c, item(path, i), "a picklist value")
		switch {
		case !ok:
		case strings.TrimSpace(s) == "":
			r.fault(c, item(path, i), "a picklist value must not be blank; on_null says what a null does")
		case r.field.Type == syncdef.MultiPicklist && strings.TrimSpace(s) != s:
			r.fault(c, item(path, i), "the value %q is never found: the parts of a multipicklist are taken without blanks around them", shorten(s))
		case slices.Contains(r.field.Values, s):
			r.fault(c, item(path, i), "the value %q stands in the list twice", shorten(s))
		default:
			r.field.Values = append(r.field.Values, s)
		}
	}
}

func (r rules) length() {
	if r.only("max_length") != nil {
		if v := r.whole("max_length"); v != nil {
			r.field.MaxLength = *v
			r.field.OnTooLong = syncdef.RejectLong
		}
	}
	if r.only("on_too_long") == nil {
		return
	}
	what := choice[syncdef.TooLong](r.object, "on_too_long")
	if !r.has("max_length") {
		r.fault(r.keys["on_too_long"], join(r.path, "on_too_long"), "on_too_long has no use without max_length")
		return
	}
	r.field.OnTooLong = what
}

func (r rules) transform() {
	if r.only("transform") == nil {
		return
	}
	r.field.Transform = r.texts("transform", func(n *yaml.Node, path, step string) {
		if allowed := r.key("transform").Allowed; !slices.Contains(allowed, step) {
			r.fault(n, path, "transform: %q is not known; %s", shorten(step), possible(step, allowed))
		}
	})
	if len(r.field.Values) > 0 {
		r.reachable()
	}
}

// reachable reports the values of a picklist that no text is after the transforms.
func (r rules) reachable() {
	for i, n := range r.values["values"].Content {
		s, steps := n.Value, strings.Join(r.field.Transform, ", ")
		if t := transformed(s, r.field.Transform); t != s && slices.Contains(r.field.Values, s) {
			path := item(join(r.path, "values"), i)
			r.fault(n, path, "the value %q never comes out of transform: [%s], which makes it %q", shorten(s), steps, shorten(t))
		}
	}
}

// transformed is what the steps make of a text, rune by rune as the mapping does it.
func transformed(s string, steps []string) string {
	for _, step := range steps {
		switch step {
		case "trim":
			s = strings.TrimSpace(s)
		case "lower":
			s = strings.Map(unicode.ToLower, s)
		case "upper":
			s = strings.Map(unicode.ToUpper, s)
		}
	}
	return s
}

func (r rules) time() {
	if r.only("format") != nil {
		r.field.Format = choice[string](r.object, "format")
	}
	n := r.only("time_zone")
	switch {
	case n == nil:
		if r.field.Type == syncdef.DateTime && r.field.Format == "" {
			r.field.TimeZone = "UTC"
		}
	case r.field.Format != "":
		r.fault(r.keys["time_zone"], join(r.path, "time_zone"), "time_zone has no use with format %s: an epoch counts from UTC", r.field.Format)
	default:
		r.field.TimeZone = r.str(n, join(r.path, "time_zone"), "time_zone")
		if r.field.TimeZone != "" && !zone(r.field.TimeZone) {
			r.fault(n, join(r.path, "time_zone"), "time_zone: %q is not known; allowed: UTC or a name of the IANA database, such as America/New_York", shorten(r.field.TimeZone))
		}
	}
}
