package yamlfile

import (
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// own reads the keys of a destination type's table, with their defaults: text,
// whole numbers and booleans by name.
func (o *object) own(table []syncdef.Key) map[string]any {
	out := map[string]any{}
	for _, key := range table {
		if v := o.ownKey(key); v != nil {
			out[key.Name] = v
		}
	}
	return out
}

// ownKey reads one key, nil when it is absent without a default, or faulty.
func (o *object) ownKey(key syncdef.Key) any {
	n := o.get(key.Name)
	if n == nil {
		if o.has(key.Name) {
			return nil // empty, which was said
		}
		return standard(key)
	}
	switch key.Type {
	case syncdef.KeyInteger:
		most := key.Max
		if most == 0 {
			most = math.MaxInt32
		}
		const bad = math.MinInt
		if v := o.number(key.Name, key.Min, most, bad); v != bad {
			return v
		}
	case syncdef.KeyBoolean:
		if v := o.boolean(key.Name); v != nil {
			return *v
		}
	default:
		if s := o.ownText(n, key); s != "" {
			return s
		}
	}
	return nil
}

// ownText reads text: one of the allowed values, or what the pattern matches, or
// any. With a pattern it may look like a number: 68.0.
func (o *object) ownText(n *yaml.Node, key syncdef.Key) string {
	path := join(o.path, key.Name)
	if len(key.Allowed) > 0 {
		return choice(o, key.Name, key.Allowed, "")
	}
	if key.Pattern == "" {
		return o.str(n, path, key.Name)
	}
	s, ok := o.scalar(n, path, key.Name)
	whole, err := regexp.Compile(`^(?:` + key.Pattern + `)$`)
	if !ok || err != nil || whole.MatchString(s) {
		return s
	}
	remedy := "it must match " + key.Pattern
	if key.Example != "" {
		remedy = "write it as " + key.Example
	}
	o.fault(n, path, "%s: %q is not possible; %s", key.Name, shorten(s), remedy)
	return ""
}

// standard is a key's default as a value of its type, nil when it has none.
func standard(key syncdef.Key) any {
	if key.Default == "" {
		return nil
	}
	switch key.Type {
	case syncdef.KeyInteger:
		if v, err := strconv.Atoi(key.Default); err == nil {
			return v
		}
		return nil
	case syncdef.KeyBoolean:
		return key.Default == "true"
	default:
		return key.Default
	}
}

// boolean reads true or false, nil when it is absent or faulty.
func (o *object) boolean(key string) *bool {
	n := o.get(key)
	if n == nil {
		return nil
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
		o.fault(n, join(o.path, key), "%s must be true or false, not %s", key, kind(n))
		return nil
	}
	v := strings.EqualFold(n.Value, "true")
	return &v
}

// section reads the object under the destination type's name, and refuses those
// of other types.
func (p *parser) section(o *object, d *syncdef.Definition) {
	for _, kind := range p.kinds {
		if len(kind.Definition) == 0 || (p.known && kind.Name != p.kind.Name && !o.has(kind.Name)) {
			continue // not offered
		}
		n := o.get(kind.Name)
		if n != nil && p.known && kind.Name != p.kind.Name {
			p.fault(o.keys[kind.Name], kind.Name, "%s has no use here: the connection is of type %s", kind.Name, p.kind.Name)
		}
	}
	if len(p.kind.Definition) == 0 {
		return
	}
	n := o.values[p.kind.Name]
	if n == nil || isNull(n) {
		n = &yaml.Node{Kind: yaml.MappingNode}
	}
	in := p.object(n, p.kind.Name, p.kind.Name)
	if in == nil {
		return
	}
	d.Options = options(in.own(p.kind.Definition))
	in.close()
}

// ownField reads the destination type's keys of one field mapping. Those that
// syncdef.Field has itself are set there, the others become its options.
func (p *parser) ownField(o *object, f *syncdef.Field) {
	if !p.known {
		for _, kind := range p.kinds {
			o.own(kind.Field) // not refused, whichever type it will be
		}
		return
	}
	rest := map[string]any{}
	for name, v := range o.own(p.kind.Field) {
		if b := options(map[string]any{name: v}); !fieldKeys[name] || json.Unmarshal(b, f) != nil {
			rest[name] = v
		}
	}
	f.Options = options(rest)
}

// fieldKeys are the keys that more than one destination type may offer and that
// the mapping itself acts on.
var fieldKeys = map[string]bool{"markup": true}

// options are a type's own keys as they are stored: sorted, nil for none.
func options(keys map[string]any) json.RawMessage {
	if len(keys) == 0 {
		return nil
	}
	b, err := json.Marshal(keys)
	if err != nil {
		return nil // cannot happen: text, whole numbers and booleans
	}
	return b
}

// check lets the destination type judge what was read and fill in its defaults.
// What it says about a place that has a fault already is left out.
func (p *parser) check(o *object, d *syncdef.Definition) {
	if !p.known || p.kind.Check == nil {
		return
	}
	conn := p.conn
	said := slices.Clone(p.faults)
	for _, f := range p.kind.Check(d, &conn) {
		p.told(said, f, f.Path, at{o.node.Line, o.node.Column})
	}
}

// told adds a fault of a destination type, with the place of its path or of the
// nearest that holds it.
func (r *reader) told(said syncdef.Faults, f syncdef.Fault, path string, top at) {
	where, found := top, false
	for up := path; up != ""; up = parent(up) {
		if slices.ContainsFunc(said, func(other syncdef.Fault) bool { return other.Path == up }) {
			return
		}
		if here, ok := r.places[up]; ok && !found {
			where, found = here, true
		}
	}
	r.fault(&yaml.Node{Line: where.line, Column: where.column}, path, "%s", f.Message)
}

// parent is the path of what holds a path: field_mappings[2].scale,
// field_mappings[2], field_mappings, "".
func parent(path string) string {
	return path[:max(0, strings.LastIndexAny(path, ".["))]
}
