package yamlfile

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// An object is a YAML mapping that is being read by a table of keys, which says
// what each may be; close reports the keys that the table does not have.
type object struct {
	*reader
	path   string
	table  []syncdef.Key
	node   *yaml.Node
	keys   map[string]*yaml.Node
	values map[string]*yaml.Node
	order  []string // the keys as they stand
}

// object opens a mapping; anything else is a fault and gives nil.
func (r *reader) object(n *yaml.Node, path, what string, table []syncdef.Key) *object {
	if n.Kind != yaml.MappingNode {
		r.fault(n, path, "%s must be a mapping of keys to values, not %s", what, kind(n))
		return nil
	}
	o := &object{reader: r, path: path, table: table, node: n, keys: map[string]*yaml.Node{}, values: map[string]*yaml.Node{}}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch first, twice := o.keys[k.Value]; {
		case k.Kind != yaml.ScalarNode:
			r.fault(k, path, "a key must be a word, not %s", kind(k))
		case k.ShortTag() == "!!merge": // refused already
		case twice:
			r.fault(k, join(path, k.Value), "duplicate key %s: it stands on line %d already", shorten(k.Value), first.Line)
		default:
			o.keys[k.Value], o.values[k.Value] = k, v
			o.order = append(o.order, k.Value)
			r.place(join(path, k.Value), v)
		}
	}
	return o
}

// key is what the table says of a key.
func (o *object) key(name string) syncdef.Key {
	k, ok := syncdef.Named(o.table, name)
	if !ok {
		panic("yamlfile: " + o.path + " has no key " + name) // a table without what is read by it
	}
	return k
}

// without takes keys off the table that have no use; they are reported elsewhere.
func (o *object) without(names ...string) {
	o.table = slices.DeleteFunc(slices.Clone(o.table), func(k syncdef.Key) bool { return slices.Contains(names, k.Name) })
	for _, name := range names {
		delete(o.keys, name)
	}
}

// close reports the keys that the table does not have.
func (o *object) close() {
	known := syncdef.KeyNames(o.table)
	for _, key := range o.order {
		n := o.keys[key]
		if n == nil || slices.Contains(known, key) || len(o.faults) >= maxFaults {
			continue
		}
		if owner := o.owner(key); owner != "" {
			o.fault(n, join(o.path, key), "unknown key %s; it belongs %s", shorten(key), owner)
			continue
		}
		if near := syncdef.MeantKey(key, known); near != "" {
			o.fault(n, join(o.path, key), "unknown key %s; did you mean %s?", shorten(key), near)
			continue
		}
		o.fault(n, join(o.path, key), "unknown key %s; allowed: %s", shorten(key), strings.Join(known, ", "))
	}
}

// owner tells where a key belongs that stands in the wrong place, "" when it is
// known nowhere else.
func (o *object) owner(key string) string {
	if o.path != "" {
		if _, top := syncdef.Named(syncdef.DefinitionKeys, key); top && strings.HasPrefix(o.path, "field_mappings") {
			return "to the sync, not to one field: do not indent it"
		}
		return ""
	}
	section := ""
	for _, k := range o.table {
		if _, has := syncdef.Named(k.Keys, key); !has {
			continue
		}
		if k.Type == syncdef.KeyObjects {
			return "to one of " + k.Name + ": indent it below a - of the list"
		}
		if section == "" {
			section = "to " + k.Name + ": indent it below that key"
		}
	}
	return section
}

// has reports whether the key stands in the file, whatever its value.
func (o *object) has(key string) bool { return o.keys[key] != nil }

// get gives a key's value, nil when it is absent or, which is a fault, empty.
func (o *object) get(key string) *yaml.Node {
	n := o.values[key]
	if n != nil && isNull(n) {
		if comment := o.keys[key].LineComment + n.LineComment; len(comment) > 1 && comment[1] != ' ' {
			o.fault(o.keys[key], join(o.path, key), "%s is empty, because # begins a comment; put the value in quotes", key)
			return nil
		}
		o.fault(o.keys[key], join(o.path, key), "%s is empty; give it a value or leave the key out", key)
		return nil
	}
	return n
}

// missing reports a required key that does not stand in the file.
func (o *object) missing(key, remedy string) {
	if !o.has(key) && !o.mistyped(key) {
		o.fault(o.node, join(o.path, key), "%s is missing; %s", key, remedy)
	}
}

// mistyped reports whether an unknown key stands for one: close says so, which is
// enough.
func (o *object) mistyped(key string) bool {
	known := syncdef.KeyNames(o.table)
	return slices.ContainsFunc(o.order, func(name string) bool { return !slices.Contains(known, name) && syncdef.MeantKey(name, known) == key })
}

// needed reports a key that must be written and is not, with what the table says
// it is for.
func (o *object) needed(key syncdef.Key) {
	if key.Needed && key.Doc != "" {
		o.missing(key.Name, "give it: "+strings.ToLower(key.Doc[:1])+strings.TrimSuffix(key.Doc[1:], "."))
	}
}

// text reads a non-empty string, "" when it is absent or faulty.
func (o *object) text(key string) string {
	n := o.get(key)
	if n == nil {
		return ""
	}
	return o.str(n, join(o.path, key), key)
}

// str reads one string; numbers and booleans want quotes, so that 007 and no stay
// what their author wrote.
func (r *reader) str(n *yaml.Node, path, what string) string {
	switch {
	case n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null":
		r.fault(n, path, "%s must be text, not %s", what, kind(n))
	case n.ShortTag() != "!!str":
		r.fault(n, path, "%s must be text, not %s; put it in quotes if it is meant", what, kind(n))
	case strings.TrimSpace(n.Value) == "":
		r.fault(n, path, "%s must not be blank", what)
	default:
		return n.Value
	}
	return ""
}

// scalar reads any single value as its text, for keys whose values may look like
// numbers or booleans.
func (r *reader) scalar(n *yaml.Node, path, what string) (string, bool) {
	if n.Kind != yaml.ScalarNode || isNull(n) {
		r.fault(n, path, "%s must be a single value, not %s", what, kind(n))
		return "", false
	}
	if n.ShortTag() == "!!bool" {
		return strings.ToLower(n.Value), true
	}
	return n.Value, true
}

// texts reads a string or a list of them; more may be nil.
func (o *object) texts(key string, each func(n *yaml.Node, path, value string)) []string {
	n := o.get(key)
	if n == nil {
		return nil
	}
	path := join(o.path, key)
	list := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		if list = n.Content; len(list) == 0 {
			o.fault(n, path, "%s is an empty list; name at least one, or leave the key out", key)
		}
	}
	var out []string
	for i, c := range list {
		where := item(path, i)
		o.place(where, c)
		if s := o.str(c, where, key); s != "" {
			each(c, where, s)
			out = append(out, s)
		}
	}
	return out
}
