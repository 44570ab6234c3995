package yamlfile

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// own reads the keys of a destination type's table, with their defaults: text,
// whole numbers, booleans and lists of texts by name.
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
		o.needed(key)
		if o.has(key.Name) {
			return nil // empty, which was said
		}
		return standard(key)
	}
	switch key.Type {
	case syncdef.KeyInteger:
		if v := o.whole(key.Name); v != nil {
			return *v
		}
	case syncdef.KeyBoolean:
		if v := o.boolean(key.Name); v != nil {
			return *v
		}
	case syncdef.KeyTexts:
		if v := o.texts(key.Name, func(*yaml.Node, string, string) {}); len(v) > 0 {
			return v
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
		return choiceOf(o, key.Name, key.Allowed, "")
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

// table is that of a definition: the common keys, and the object under the name of
// its type, or of any type where that is not known.
func (p *parser) table() []syncdef.Key {
	out := slices.Clone(syncdef.DefinitionKeys)
	for _, kind := range p.kinds {
		if len(kind.Definition) > 0 && (!p.known || kind.Name == p.kind.Name) {
			out = append(out, syncdef.Key{Name: kind.Name, Type: syncdef.KeyObject, Keys: kind.Definition})
		}
	}
	return out
}

// section reads the object under the destination type's name, and refuses those
// of other types.
func (p *parser) section(o *object, d *syncdef.Definition) {
	for _, kind := range p.kinds {
		if n := o.keys[kind.Name]; n != nil && p.known && kind.Name != p.kind.Name {
			p.fault(n, kind.Name, "%s has no use here: the connection is of type %s", kind.Name, p.kind.Name)
			o.without(kind.Name)
		}
	}
	if len(p.kind.Definition) == 0 {
		return
	}
	n := o.get(p.kind.Name)
	if n == nil {
		n = &yaml.Node{Kind: yaml.MappingNode, Line: o.node.Line, Column: o.node.Column}
	}
	in := p.object(n, p.kind.Name, p.kind.Name, p.kind.Definition)
	if in == nil {
		return
	}
	d.Options = options(in.own(p.kind.Definition))
	in.close()
}

// fieldTable is that of a field mapping; where the type is not known, what only
// some types have is not refused.
func (p *parser) fieldTable() []syncdef.Key {
	if p.known {
		return with(syncdef.FieldKeys, p.kind.Field)
	}
	out := syncdef.FieldKeys
	for _, kind := range p.kinds {
		out = with(out, kind.Field)
	}
	return out
}

// with is a table and those keys of another one that it does not have.
func with(table, more []syncdef.Key) []syncdef.Key {
	out := slices.Clone(table)
	for _, key := range more {
		if _, has := syncdef.Named(out, key.Name); !has {
			out = append(out, key)
		}
	}
	return out
}

// ownField reads the destination type's keys of one field mapping. Those that
// syncdef.Field has itself are set there, the others become its options.
func (p *parser) ownField(o *object, f *syncdef.Field) {
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
		return nil // cannot happen: text, whole numbers, booleans and lists of text
	}
	return b
}
