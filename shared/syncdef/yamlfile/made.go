package yamlfile

import (
	"errors"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// origin reads what a field is made of: source or value.
func (r rules) origin() {
	f := r.field
	if !r.has("value") {
		f.Source = r.text("source")
		if !r.mistyped("value") {
			r.missing("source", "name the column of the model, or write value: a constant, or a text with {{column}} in it")
		}
		return
	}
	if r.has("source") {
		r.fault(r.keys["value"], join(r.path, "value"), "a field is made of source or of value, not of both; write {{column}} into value")
	}
	n := r.get("value")
	if n == nil {
		return
	}
	if n.Kind == yaml.MappingNode {
		r.fault(n, join(r.path, "value"), `value must be in quotes, because { begins a mapping: value: "{{column}}"`)
		return
	}
	s, ok := r.scalar(n, join(r.path, "value"), "value")
	switch {
	case !ok:
	case strings.TrimSpace(s) == "":
		r.fault(n, join(r.path, "value"), "value must not be blank")
	default:
		r.template(n, s)
	}
}

// template reads a value's text, and says where in the file it is at fault.
func (r rules) template(n *yaml.Node, text string) {
	r.field.Value = &text // also a faulty one: the field has no source to ask for
	t, err := syncdef.ParseTemplate(text)
	if err != nil {
		where := *n
		if e := (*syncdef.TemplateError)(nil); errors.As(err, &e) {
			where.Column = inText(n, e.At)
		}
		r.fault(&where, join(r.path, "value"), "value: %v", err)
		return
	}
	if len(t.Columns()) > 0 {
		return
	}
	for _, key := range []string{"on_null", "default"} {
		if r.has(key) {
			r.notice(r.keys[key], join(r.path, key), "never used, because the value is a constant")
		}
	}
}

// inText is the column of a byte of a value's text, where it stands on one line and
// as it is read; else the column in which the value begins.
func inText(n *yaml.Node, at int) int {
	before := n.Value[:min(at, len(n.Value))]
	switch {
	case strings.ContainsAny(n.Value, "\n\r"), n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return n.Column
	case n.Style&yaml.DoubleQuotedStyle != 0 && strings.ContainsAny(before, `"\`), n.Style&yaml.SingleQuotedStyle != 0 && strings.Contains(before, "'"):
		return n.Column
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		return n.Column + 1 + len([]rune(before))
	}
	return n.Column + len([]rune(before))
}

// defaultSeparators stand between the parts where a definition names none.
var defaultSeparators = map[syncdef.As]string{syncdef.AsJoin: syncdef.DefaultSeparator, syncdef.AsFlat: syncdef.DefaultJoint}

// lists reads what becomes of lists and objects.
func (r rules) lists() {
	f := r.field
	if r.only("as") != nil {
		f.As = choice[syncdef.As](r.object, "as")
	}
	if fits := map[syncdef.Type][]syncdef.As{syncdef.String: {syncdef.AsJoin, syncdef.AsJSON}, syncdef.JSON: {syncdef.AsFlat}}[f.Type]; f.As != "" && fits != nil && !slices.Contains(fits, f.As) {
		r.fault(r.values["as"], join(r.path, "as"), "as: %s has no use with data_type %s; allowed: %s", f.As, f.Type, listed(fits))
	}
	n := r.only("separator")
	switch {
	case n == nil:
	case f.As != syncdef.AsJoin && f.As != syncdef.AsFlat:
		r.fault(r.keys["separator"], join(r.path, "separator"), "separator has no use without as: join or as: flat")
	default:
		s, ok := r.scalar(n, join(r.path, "separator"), "separator")
		if f.Separator = s; ok && s == "" {
			r.fault(n, join(r.path, "separator"), "separator is empty, and the parts could not be told apart; leave it out for %q, or write one such as \"; \"", defaultSeparators[f.As])
		}
	}
	if f.Separator == "" {
		f.Separator = defaultSeparators[f.As]
	}
}

// personal reads whether the value is personal data, which the connection must allow.
func (p *parser) personal(o *object, f *syncdef.Field) {
	v := o.boolean("personal")
	if v == nil {
		return
	}
	f.Personal = *v
	if conn, found := p.conns.Find(p.conn.Name); *v && found && conn.Type != "" && conn.Personal != syncdef.PersonalAllowed {
		p.fault(o.keys["personal"], join(o.path, "personal"), "personal: %s is personal data, and the connection %s does not allow it; leave the mapping out, or write personal: %s at the connection, in %s",
			f.From(), p.conn.Name, syncdef.PersonalAllowed, ConnectionsFile)
	}
}
