package yamlfile

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// A mapped destination is a field's, or leads into one.
type mapped struct {
	path string // of the key, in the YAML
	to   syncdef.Path
	node *yaml.Node
}

// destinations compare what the mappings write with each other.
type destinations struct {
	*parser
	met []mapped
}

// add reports a destination that is written already, as itself, by a part of it, or as
// a part of another.
func (d *destinations) add(n *yaml.Node, path, destination string) {
	to, err := syncdef.ParsePath(destination)
	switch nests := d.kind.Nesting == syncdef.NestObjects; {
	case d.known && nests && err != nil:
		d.fault(n, path, "destination: %v", err)
		return
	case d.known && !nests && d.kind.Nesting == syncdef.NestNone && err == nil && to.Nested():
		d.fault(n, path, "destination: %s has no nested fields, so that %s cannot be written; name the field itself. A list or an object goes into a field of text with as: join or as: json", d.title(), shorten(destination))
		return
	case d.known && strings.HasSuffix(destination, syncdef.SpreadMark) && !d.kind.Spreads:
		d.fault(n, path, "destination: %s has no fields that an object could name, so that %s cannot be written; map each member by itself: source: column.member", d.title(), shorten(destination))
		return
	case d.known && err == nil && to.Nested() && strings.HasSuffix(destination, syncdef.SpreadMark):
		d.fault(n, path, "destination %s: the members of an object become fields, and no parts of one; map the object itself to %s", destination, to[:len(to)-1])
		return
	case err != nil || !d.known || !nests:
		to = syncdef.Path{{Name: destination}} // a name, whatever is in it
	}
	for _, other := range d.met {
		if what := clash(to, other.to); what != "" {
			d.fault(n, path, "destination %s "+what, destination, other.node.Line)
			break
		}
	}
	d.met = append(d.met, mapped{path, to, n})
}

// clash says why two destinations cannot both be written, "" when they can. Vendors
// compare field names without regard to case.
func clash(a, b syncdef.Path) string {
	n := 0
	for n < len(a) && n < len(b) && a[n].Index == b[n].Index && strings.EqualFold(a[n].Name, b[n].Name) {
		n++
	}
	switch {
	case n == len(a) && n == len(b):
		return "is mapped already on line %d; one column per field"
	case n == len(a):
		return "is built of its parts already, on line %d: map it as a whole, or its parts"
	case n == len(b):
		return "is a part of what is mapped as a whole on line %d: map the whole, or its parts"
	case n > 0 && (a[n].Name == "") != (b[n].Name == ""):
		return "makes a list of what is an object on line %d, or the other way round"
	}
	return ""
}

// close reports lists with gaps, at the element behind the gap.
func (d *destinations) close() {
	var said []string
	for _, m := range d.met {
		for i, step := range m.to {
			before := m.to[:i]
			if step.Name != "" || step.Index == 0 || slices.Contains(said, before.String()) {
				continue
			}
			has := slices.ContainsFunc(d.met, func(o mapped) bool {
				return len(o.to) > i && o.to[i].Name == "" && o.to[i].Index == step.Index-1 && strings.EqualFold(o.to[:i].String(), before.String())
			})
			if !has {
				said = append(said, before.String())
				d.fault(m.node, m.path, "destination: %s[%d] is missing; the elements of a list are counted from 0, without a gap", before, step.Index-1)
			}
		}
	}
}
