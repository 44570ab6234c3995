package yamlfile

import (
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// failures reads what becomes of a row that failed.
func (p *parser) failures(o *object, d *syncdef.Definition) {
	d.Retry = p.retry(o)
	d.StoreSource = choice[syncdef.StoreSource](o, "store_source")
	if d.StoreSource == syncdef.StoreNone {
		p.notice(o.values["store_source"], "store_source", syncdef.NoSource)
	}
}

// retry reads how often and how late a failed row is tried again.
func (p *parser) retry(o *object) *syncdef.Retry {
	n, table := o.get("retry"), o.key("retry").Keys
	if n == nil {
		n = &yaml.Node{Kind: yaml.MappingNode, Line: o.node.Line, Column: o.node.Column}
	}
	in := p.object(n, "retry", "retry", table)
	if in == nil {
		return nil
	}
	r := &syncdef.Retry{Attempts: in.number("attempts")}
	var base, longest time.Duration
	r.Base, base = in.duration("base")
	r.Max, longest = in.duration("max")
	in.close()
	switch {
	case base == 0 || longest == 0 || base <= longest:
	case in.has("max"):
		p.fault(in.values["max"], "retry.max", "retry.max: %s is shorter than base %s", r.Max, r.Base)
	default:
		p.fault(in.values["base"], "retry.base", "retry.base: %s is longer than max, which is %s when left out", r.Base, r.Max)
	}
	return r
}

// duration reads a duration within the table's bounds, or gives the default: as
// text, and its length, 0 when it is faulty.
func (o *object) duration(key string) (string, time.Duration) {
	k := o.key(key)
	text := k.Default
	if n := o.get(key); n != nil {
		s, ok := o.length(n, join(o.path, key), key)
		if !ok {
			return text, 0
		}
		lo, hi := time.Duration(k.Min)*time.Second, time.Duration(k.Max)*time.Second
		if d, err := time.ParseDuration(s); err != nil || d < lo || d > hi {
			o.fault(n, join(o.path, key), "%s: %q is not possible; allowed: a duration of %s to %s, such as 90s, 15m or 2h", key, shorten(s), short(lo), short(hi))
			return text, 0
		}
		text = s
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return text, 0
	}
	return text, d
}

// length reads a duration's text; a bare number has no unit.
func (o *object) length(n *yaml.Node, path, key string) (string, bool) {
	if n.Kind == yaml.ScalarNode && (n.ShortTag() == "!!int" || n.ShortTag() == "!!float") {
		o.fault(n, path, "%s: %s has no unit; write %ss, %sm or %sh", key, n.Value, n.Value, n.Value, n.Value)
		return "", false
	}
	s := o.str(n, path, key)
	return s, s != ""
}

// short prints a duration as people write it: 15m, 720h.
func short(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	case d%time.Minute == 0:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	default:
		return d.String()
	}
}
