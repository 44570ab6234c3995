package yamlfile

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/quality"
	"github.com/penstock-data/penstock/shared/rawjson"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// quality reads the gate.
func (p *parser) quality(o *object) *syncdef.Quality {
	n := o.get("quality")
	if n == nil {
		return nil
	}
	in := p.object(n, "quality", "quality", o.key("quality").Keys)
	if in == nil {
		return nil
	}
	faults := len(p.faults)
	q := &syncdef.Quality{WarnOver: in.share("warn_over"), BlockOver: in.share("block_over"), MinRows: int64(in.number("min_rows"))}
	in.ordered(q.WarnOver, q.BlockOver)
	if rules := in.get("rules"); rules != nil {
		p.each(rules, "quality.rules", func(n *yaml.Node, path string) { p.qualityRule(in, n, path, q) })
		if rules.Kind == yaml.SequenceNode && len(rules.Content) > syncdef.MaxQualityRules {
			p.fault(rules, "quality.rules", "rules has %d items; allowed: at most %d", len(rules.Content), syncdef.MaxQualityRules)
		}
	}
	in.close()
	if !q.Active() && len(p.faults) == faults {
		p.fault(n, "quality", "quality has nothing to judge; write rules: [{column: email, not_empty: true}], or min_rows")
	}
	return q
}

func (p *parser) qualityRule(in *object, n *yaml.Node, path string, q *syncdef.Quality) {
	o := p.object(n, path, "a rule", in.key("rules").Keys)
	if o == nil {
		return
	}
	r := syncdef.QualityRule{Column: o.text("column"), WarnOver: o.share("warn_over"), BlockOver: o.share("block_over")}
	o.needed(o.key("column"))
	faults := len(p.faults)
	r.NotNull, r.NotEmpty, r.CountOnly = o.yes("not_null"), o.yes("not_empty"), o.yes("count_only")
	r.Between, r.In = o.range2("between"), o.among("in")
	r.MaxLength = o.number("max_length")
	if o.has("matches") {
		r.Matches = o.pattern("matches")
	}
	if len(p.faults) == faults {
		o.oneKind(&r)
	}
	o.thresholds(&r, q)
	o.close()
	q.Rules = append(q.Rules, r)
}

// oneKind wants one key that says what the rule is.
func (o *object) oneKind(r *syncdef.QualityRule) {
	var written []string
	for _, k := range syncdef.QualityKinds {
		if o.has(string(k)) && !o.mistyped(string(k)) {
			written = append(written, string(k))
		}
	}
	kinds := listed(syncdef.QualityKinds)
	switch {
	case len(written) > 1:
		o.fault(o.keys[written[1]], join(o.path, written[1]), "a rule has one of %s, and this one has %s: write a rule for each", kinds, strings.Join(written, " and "))
	case len(r.Kinds()) == 0 && !slices.ContainsFunc(syncdef.QualityKinds, func(k syncdef.QualityKind) bool { return o.mistyped(string(k)) }):
		o.fault(o.node, o.path, "the rule does not say what the column's values must be; write one of %s", kinds)
	}
}

// thresholds wants a rule that can do what is written of it.
func (o *object) thresholds(r *syncdef.QualityRule, q *syncdef.Quality) {
	for _, key := range []string{"warn_over", "block_over"} {
		if r.CountOnly && o.has(key) {
			o.fault(o.keys[key], join(o.path, key), "%s has no use beside count_only: true, which neither warns nor blocks; leave one of them out", key)
			return
		}
	}
	if r.CountOnly || r.WarnOver == "" {
		return
	}
	_, block := q.Thresholds(r)
	o.ordered(r.WarnOver, block)
}

// ordered refuses a warning that never comes, because the block comes first.
func (o *object) ordered(warn, block syncdef.Share) {
	if warn == "" || block == "" {
		return
	}
	if compareDecimals(string(warn), string(block)) > 0 {
		o.fault(o.values["warn_over"], join(o.path, "warn_over"), "warn_over %s is more than block_over %s, so that the run is blocked before it warns; write a smaller one", warn, block)
	}
}

func compareDecimals(a, b string) int {
	x, okX := new(big.Rat).SetString(a)
	y, okY := new(big.Rat).SetString(b)
	if !okX || !okY {
		return 0
	}
	return x.Cmp(y)
}

// yes reads a key that is true where it is written at all.
func (o *object) yes(key string) bool {
	v := o.boolean(key)
	if v != nil && !*v {
		o.fault(o.values[key], join(o.path, key), "%s: false says nothing; write true, or leave the key out", key)
	}
	return v != nil && *v
}

var (
	percent = regexp.MustCompile(`^([0-9]{1,3})(?:\.([0-9]{1,6}))?%$`)
	part    = regexp.MustCompile(`^\+?(?:0*(0|1)(?:\.([0-9]*))?|\.([0-9]+))$`)
)

// share reads a part of a whole: 0 to 1, or a percentage such as 5%.
func (o *object) share(key string) syncdef.Share {
	n := o.get(key)
	if n == nil {
		return ""
	}
	path := join(o.path, key)
	s, ok := o.scalar(n, path, key)
	if !ok {
		return ""
	}
	if m := percent.FindStringSubmatch(s); m != nil {
		all := strings.Repeat("0", 3-len(m[1])) + m[1] + m[2]
		if v := shareOf(all[:1], all[1:]); compareDecimals(string(v), "1") <= 0 {
			return v
		}
	}
	if m := part.FindStringSubmatch(s); m != nil {
		if v := shareOf(m[1], m[2]+m[3]); len(v) <= syncdef.ShareDigits+2 && compareDecimals(string(v), "1") <= 0 {
			return v
		}
	}
	o.fault(n, path, "%s: %q is no share; allowed: 0 to 1 with at most %d digits after the point, or a percentage such as 5%%", key, shorten(s), syncdef.ShareDigits)
	return ""
}

// shareOf joins digits before and after the point, as short as they can be.
func shareOf(whole, digits string) syncdef.Share {
	digits = strings.TrimRight(digits, "0")
	if whole == "" {
		whole = "0"
	}
	if digits == "" {
		return syncdef.Share(whole)
	}
	return syncdef.Share(whole + "." + digits)
}

// range2 reads the least and the greatest number.
func (o *object) range2(key string) []syncdef.Decimal {
	n := o.get(key)
	if n == nil {
		return nil
	}
	path := join(o.path, key)
	if n.Kind != yaml.SequenceNode || len(n.Content) != 2 {
		o.fault(n, path, "%s must be a list of two numbers, the least and the greatest, not %s; write [0, 1]", key, kindOrLength(n))
		return nil
	}
	var out []syncdef.Decimal
	for i, c := range n.Content {
		s, ok := o.scalar(c, item(path, i), key)
		if ok && !decimalNumber.MatchString(s) {
			o.fault(c, item(path, i), "%s: %q is no number; write digits, such as 0 or -1.5", key, shorten(s))
			ok = false
		}
		if !ok {
			return nil
		}
		out = append(out, syncdef.Decimal(s))
	}
	if compareDecimals(string(out[0]), string(out[1])) > 0 {
		o.fault(n, path, "%s: %s is more than %s, and nothing is between them; write the least first", key, out[0], out[1])
		return nil
	}
	return out
}

// decimalNumber is a number as JSON and every SQL write it.
var decimalNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?$`)

func kindOrLength(n *yaml.Node) string {
	if n.Kind == yaml.SequenceNode {
		return fmt.Sprintf("one of %d", len(n.Content))
	}
	return kind(n)
}

// among reads the values that pass.
func (o *object) among(key string) []json.RawMessage {
	n := o.get(key)
	if n == nil {
		return nil
	}
	path := join(o.path, key)
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 || len(n.Content) > syncdef.MaxQualityValues {
		o.fault(n, path, "%s must be a list of 1 to %d values, not %s; write [low, medium, high]", key, syncdef.MaxQualityValues, kindOrLength(n))
		return nil
	}
	var out []json.RawMessage
	for i, c := range n.Content {
		where := item(path, i)
		if isNull(c) {
			o.fault(c, where, "%s: null passes anyway; write a rule not_null where it must not", key)
			continue
		}
		s, ok := o.scalar(c, where, key)
		switch number := c.ShortTag() == "!!int" || c.ShortTag() == "!!float"; {
		case !ok:
		case number && decimalNumber.MatchString(s):
			out = append(out, json.RawMessage(s))
		case number:
			o.fault(c, where, "%s: %q is no plain number; write digits, or put it in quotes if it is text", key, shorten(s))
		case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }):
			o.fault(c, where, "%s: a value has control characters, which cannot be written into every warehouse's SQL", key)
		default:
			out = append(out, json.RawMessage(rawjson.AppendQuote(nil, s)))
		}
	}
	return out
}

// pattern reads a regular expression that means the same in every warehouse.
func (o *object) pattern(key string) string {
	s := o.text(key)
	if s == "" {
		return ""
	}
	n, path := o.values[key], join(o.path, key)
	if len(s) > syncdef.MaxPattern {
		o.fault(n, path, "%s has %d bytes; allowed: at most %d", key, len(s), syncdef.MaxPattern)
		return ""
	}
	if _, err := quality.Portable(s); err != nil {
		o.fault(n, path, "%s: %s", key, err)
		return ""
	}
	return s
}
