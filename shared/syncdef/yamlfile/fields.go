package yamlfile

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/mapping"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// fields reads field_mappings, in order: the fingerprint is taken in it. A sync that
// only deletes needs none, unless it clears the mapped fields.
func (p *parser) fields(o *object, optional bool) []syncdef.Field {
	n := o.get("field_mappings")
	if n == nil && optional {
		return nil
	}
	if n == nil {
		o.missing("field_mappings", "list at least one {source: column, destination: field}")
		return nil
	}
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		p.fault(n, "field_mappings", "field_mappings must be a list of at least one {source: column, destination: field}, not %s", kindOrEmpty(n))
		return nil
	}
	out := make([]syncdef.Field, 0, len(n.Content))
	all := &destinations{parser: p}
	for i, c := range n.Content {
		path := item("field_mappings", i)
		p.place(path, c)
		f, dest := p.field(c, path)
		if dest != nil && f.Destination != "" {
			all.add(dest, path+".destination", f.Destination)
		}
		out = append(out, f) // faulty ones too, so that paths keep their numbers
	}
	all.close()
	return out
}

func kindOrEmpty(n *yaml.Node) string {
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		return "an empty list"
	}
	return kind(n)
}

// field reads one mapping and gives the node of its destination.
func (p *parser) field(n *yaml.Node, path string) (f syncdef.Field, dest *yaml.Node) {
	o := p.object(n, path, "a field mapping", p.fieldTable())
	if o == nil {
		return f, nil
	}
	r := rules{object: o, field: &f}
	r.origin()
	f.Destination = o.text("destination")
	o.missing("destination", "name the field of the destination")
	dest = o.values["destination"]
	if f.Type = syncdef.Type(o.key("data_type").Default); o.has("data_type") {
		// Faulty, it is "", and the settings that depend on it are not judged.
		f.Type = choiceOf[syncdef.Type](o, "data_type", o.key("data_type").Allowed, "")
	}

	r.number()
	r.picklist()
	r.length()
	r.transform()
	r.time()
	r.null()
	r.lists()
	p.personal(o, &f)
	if p.known && p.kind.Spreads && strings.HasSuffix(f.Destination, syncdef.SpreadMark) && f.Type != syncdef.JSON && f.Type != "" {
		p.fault(dest, path+".destination", "destination %s stands for the members of an object; write data_type: json", f.Destination)
	}
	p.ownField(o, &f)
	o.close()
	return f, dest
}

// compiles asks the package that will map the rows, so that a mapping which is
// accepted here cannot fail there: a default that is no date or beyond the
// destination's, a value that is longer than max_length.
func (p *parser) compiles(o *object, d *syncdef.Definition) {
	rules := p.kind.RulesOf(d, &p.conn)
	for i, f := range d.Fields {
		path := item("field_mappings", i)
		if slices.ContainsFunc(p.faults, func(f syncdef.Fault) bool { return f.Path == path || strings.HasPrefix(f.Path, path+".") }) {
			continue
		}
		alone := syncdef.Definition{RecordID: []string{"row"}, Fields: []syncdef.Field{f}}
		single := rules
		single.Nested = false // its destination was judged among the others
		if _, err := mapping.Compile(&alone, single); err != nil {
			p.uncompiled(path, f, err.Error())
		}
	}
	if len(p.faults) > 0 || !p.known { // the type's defaults are wanting
		return
	}
	if _, err := mapping.Compile(d, rules); err != nil {
		p.fault(o.node, "", "%s", err.Error())
	}
}

// uncompiled reports why a mapping cannot be carried out, at the key that the
// reason begins with.
func (p *parser) uncompiled(path string, f syncdef.Field, what string) {
	if _, after, ok := strings.Cut(what, f.From()+" -> "+f.Destination+": "); ok {
		what = after
	}
	where := p.places[path]
	if key, _, ok := strings.Cut(what, ":"); ok {
		if here, has := p.places[join(path, key)]; has {
			where, path = here, join(path, key)
		}
	}
	p.fault(&yaml.Node{Line: where.line, Column: where.column}, path, "%s", what)
}

// zone checks a time zone's name.
func zone(name string) bool {
	_, err := syncdef.Zone(name)
	return err == nil
}
