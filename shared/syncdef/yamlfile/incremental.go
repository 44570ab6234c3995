package yamlfile

import (
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/syncdef"
)

var overlapPattern = regexp.MustCompile("^(?:" + syncdef.OverlapPattern + ")$")

// incremental reads which rows are selected: by a watermark, from a stream, or by what
// has changed since they were pushed.
func (p *parser) incremental(o *object, d *syncdef.Definition) {
	n := o.get("incremental")
	if n == nil {
		return
	}
	in := p.object(n, "incremental", "incremental", o.key("incremental").Keys)
	if in == nil {
		return
	}
	inc := &syncdef.Incremental{Cursor: in.text("cursor"), Created: in.text("created"), Overlap: p.overlap(in)}
	if in.has("cursor") || in.has("include_failed") {
		inc.IncludeFailed, _ = in.duration("include_failed")
	}
	inc.Always = p.always(in)
	inc.OrderBy = in.texts("order_by", p.term)
	inc.Stream = p.stream(in)
	changed := in.boolean("changed_only")
	inc.ChangedOnly = changed != nil && *changed
	p.together(in, inc, changed)
	in.close()
	d.Incremental = inc
}

// together refuses keys that cannot stand beside each other. changed is what
// changed_only says, nil where it is absent or faulty.
func (p *parser) together(in *object, inc *syncdef.Incremental, changed *bool) {
	refuse := func(key, why string) {
		if in.has(key) {
			p.fault(in.keys[key], join(in.path, key), "%s: %s", key, why)
		}
	}
	switch {
	case in.has("stream"):
		for _, key := range []string{"cursor", "created", "overlap", "include_failed", "always", "order_by", "changed_only"} {
			refuse(key, "a stream itself tells what changed, so that nothing else selects rows: leave it out, or take stream away")
		}
	case inc.ChangedOnly:
		for _, key := range []string{"cursor", "created", "overlap", "include_failed"} {
			refuse(key, "changed_only is for models without a cursor: leave it out, or take changed_only away")
		}
	case !in.has("cursor") && (in.has("created") || in.has("overlap") || in.has("include_failed")):
		in.missing("cursor", "created, overlap and include_failed go by its watermark: name the column that grows with every change of a row")
	case !in.has("cursor") && !in.has("always") && !in.has("order_by") && in.has("changed_only") == (changed != nil):
		in.missing("cursor", "name the column that grows with every change of a row, or write changed_only: true, or stream: NAME")
	}
	if inc.Created != "" && strings.EqualFold(inc.Created, inc.Cursor) {
		refuse("created", "it is the cursor itself: leave it out")
	}
}

// overlap reads what is taken off the watermark.
func (p *parser) overlap(in *object) string {
	n := in.get("overlap")
	if n == nil {
		return ""
	}
	s, ok := p.scalar(n, join(in.path, "overlap"), "overlap")
	if !ok {
		return ""
	}
	length, err := time.ParseDuration(s)
	if !overlapPattern.MatchString(s) || err == nil && (length <= 0 || length > syncdef.MaxOverlap) {
		p.fault(n, join(in.path, "overlap"), "overlap: %q is not possible; allowed: a duration of up to 720h, such as 90s, 10m or 2h, for a cursor of times, and a whole number for one of numbers", shorten(s))
		return ""
	}
	return s
}

// always reads the condition and the period of rows that are sent again.
func (p *parser) always(in *object) string {
	s := in.text("always")
	if s == "" {
		return ""
	}
	path, n := join(in.path, "always"), in.values["always"]
	condition, _, ok := syncdef.SplitAlways(s)
	if !ok {
		p.fault(n, path, "always: write a condition and how often, 1m to 366d: mrr > 10000 every 24h")
		return ""
	}
	if err := syncdef.CheckFragment(condition); err != nil {
		p.fault(n, path, "always: the condition is put into a SELECT, and %v", err)
		return ""
	}
	return s
}

// term checks one term of order_by.
func (p *parser) term(n *yaml.Node, path, text string) {
	if err := syncdef.CheckFragment(text); err != nil {
		p.fault(n, path, "order_by: the term is put into ORDER BY, and %v; each term stands by itself in the list: [risk_rank, mrr desc]", err)
	}
}

// stream reads the relation of changes.
func (p *parser) stream(in *object) string {
	s := in.text("stream")
	if s != "" && !relationPattern.MatchString(s) {
		p.fault(in.values["stream"], join(in.path, "stream"), "stream: %q names no stream, table or view; use NAME, SCHEMA.NAME or DATABASE.SCHEMA.NAME, each of letters, digits and _ without quotes", shorten(s))
		return ""
	}
	return s
}

// reserved refuses columns that Penstock itself adds to a model's rows.
func (p *parser) reserved(o *object, d *syncdef.Definition) {
	for _, f := range syncdef.CheckReserved(*d) {
		p.told(nil, f, f.Path, at{o.node.Line, o.node.Column})
	}
}
