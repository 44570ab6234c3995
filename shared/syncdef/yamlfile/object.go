package yamlfile

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// An object is a YAML mapping that is being read. Every key that is asked for
// becomes known; close reports the others.
type object struct {
	*reader
	path   string
	node   *yaml.Node
	keys   map[string]*yaml.Node
	values map[string]*yaml.Node
	order  []string // the keys as they stand
	known  []string
}

// object opens a mapping; anything else is a fault and gives nil.
func (r *reader) object(n *yaml.Node, path, what string) *object {
	if n.Kind != yaml.MappingNode {
		r.fault(n, path, "%s must be a mapping of keys to values, not %s", what, kind(n))
		return nil
	}
	o := &object{reader: r, path: path, node: n, keys: map[string]*yaml.Node{}, values: map[string]*yaml.Node{}}
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

// close reports the keys that nobody asked for.
func (o *object) close() {
	for _, key := range o.order {
		n := o.keys[key]
		if n == nil || slices.Contains(o.known, key) || len(o.faults) >= maxFaults {
			continue
		}
		if near := syncdef.Nearest(key, o.known); near != "" {
			o.fault(n, join(o.path, key), "unknown key %s; did you mean %s?", shorten(key), near)
			continue
		}
		o.fault(n, join(o.path, key), "unknown key %s; allowed: %s", shorten(key), strings.Join(o.known, ", "))
	}
}

// has reports whether the key stands in the file, whatever its value.
func (o *object) has(key string) bool { return o.keys[key] != nil }

// get gives a key's value, nil when it is absent or, which is a fault, empty.
func (o *object) get(key string) *yaml.Node {
	if !slices.Contains(o.known, key) {
		o.known = append(o.known, key)
	}
	n := o.values[key]
	if n != nil && isNull(n) {
		o.fault(o.keys[key], join(o.path, key), "%s is empty; give it a value or leave the key out", key)
		return nil
	}
	return n
}

// missing reports a required key that does not stand in the file.
func (o *object) missing(key, remedy string) {
	if !o.has(key) {
		o.fault(o.node, join(o.path, key), "%s is missing; %s", key, remedy)
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

// number reads a whole number within bounds, or gives the default.
func (o *object) number(key string, lo, hi, standard int) int {
	n := o.get(key)
	if n == nil {
		return standard
	}
	path := join(o.path, key)
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" {
		o.fault(n, path, "%s must be a whole number, not %s; allowed: %d to %d", key, kind(n), lo, hi)
		return standard
	}
	v, err := strconv.Atoi(n.Value)
	if err != nil || v < lo || v > hi {
		o.fault(n, path, "%s: %s is out of range; allowed: %d to %d", key, n.Value, lo, hi)
		return standard
	}
	return v
}

// choice reads one of a list of words, or gives the default.
func choice[T ~string](o *object, key string, allowed []T, standard T) T {
	n := o.get(key)
	if n == nil {
		return standard
	}
	s, ok := o.scalar(n, join(o.path, key), key)
	if !ok {
		return standard
	}
	if !slices.Contains(allowed, T(s)) {
		o.fault(n, join(o.path, key), "%s: %q is not known; allowed: %s", key, shorten(s), words(allowed))
		return standard
	}
	return T(s)
}

// words lists allowed values for a message.
func words[T ~string](list []T) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return strings.Join(out, ", ")
}
