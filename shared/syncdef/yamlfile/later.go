package yamlfile

import (
	"math"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// later reads the sections that a later version acts on: their shape is checked,
// their content kept as it is, and each is announced.
func (p *parser) later(o *object, d *syncdef.Definition) {
	section := func(key string) any {
		n := o.get(key)
		if n == nil {
			return nil
		}
		p.shape(n, key, o.key(key))
		p.notice(o.keys[key], key, syncdef.NotActedOn)
		return p.json(n, key)
	}
	d.Quality = section("quality")
}

// shape checks a value against its key; what the table does not know is let pass.
func (p *parser) shape(n *yaml.Node, path string, key syncdef.Key) {
	switch key.Type {
	case syncdef.KeyShare:
		p.share(n, path, key.Name)
	case syncdef.KeyObjects:
		p.each(n, path, func(n *yaml.Node, path string) { p.shapes(n, path, "an item of "+key.Name, key.Keys) })
	case syncdef.KeyObject:
		p.shapes(n, path, key.Name, key.Keys)
	default:
		p.str(n, path, key.Name)
	}
}

func (p *parser) shapes(n *yaml.Node, path, what string, table []syncdef.Key) {
	o := p.object(n, path, what, table)
	if o == nil {
		return
	}
	for _, key := range table {
		o.needed(key)
		if key.Type == syncdef.KeyTexts {
			o.texts(key.Name, func(*yaml.Node, string, string) {})
		} else if n := o.get(key.Name); n != nil {
			p.shape(n, join(path, key.Name), key)
		}
	}
}

// each visits the items of a list.
func (p *parser) each(n *yaml.Node, path string, visit func(n *yaml.Node, path string)) {
	if n.Kind != yaml.SequenceNode {
		p.fault(n, path, "%s must be a list, not %s", path, kind(n))
		return
	}
	for i, c := range n.Content {
		visit(c, item(path, i))
	}
}

var percent = regexp.MustCompile(`^[0-9]{1,3}(\.[0-9]{1,6})?%$`)

// share checks a part of a whole: 0 to 1, or a percentage such as 5%.
func (p *parser) share(n *yaml.Node, path, key string) {
	s, ok := p.scalar(n, path, key)
	if !ok || percent.MatchString(s) {
		return
	}
	if v, err := strconv.ParseFloat(s, 64); err != nil || !(v >= 0 && v <= 1) {
		p.fault(n, path, "%s: %q is no share; allowed: 0 to 1, or a percentage such as 5%%", key, shorten(s))
	}
}

// json turns YAML into what encoding/json would read back from it, so that a
// stored definition equals a parsed one.
func (p *parser) json(n *yaml.Node, path string) any {
	switch n.Kind {
	case yaml.MappingNode:
		out := make(map[string]any, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i]
			if k.Kind != yaml.ScalarNode {
				continue
			}
			if _, twice := out[k.Value]; twice && !p.said(k) {
				p.fault(k, join(path, k.Value), "duplicate key %s", shorten(k.Value))
			}
			out[k.Value] = p.json(n.Content[i+1], join(path, k.Value))
		}
		return out
	case yaml.SequenceNode:
		out := make([]any, len(n.Content))
		for i, c := range n.Content {
			out[i] = p.json(c, item(path, i))
		}
		return out
	case yaml.ScalarNode:
		return p.jsonScalar(n, path)
	default:
		return nil // an alias, refused already
	}
}

func (p *parser) jsonScalar(n *yaml.Node, path string) any {
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return n.Value == "true" || n.Value == "True" || n.Value == "TRUE"
	case "!!int", "!!float":
		var v float64
		if err := n.Decode(&v); err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
			p.fault(n, path, "%s is no number that can be stored", shorten(n.Value))
			return nil
		}
		return v
	default:
		return n.Value
	}
}

// said reports whether a place has a fault already.
func (p *parser) said(n *yaml.Node) bool {
	for _, f := range p.faults {
		if f.Line == n.Line && f.Column == n.Column {
			return true
		}
	}
	return false
}
