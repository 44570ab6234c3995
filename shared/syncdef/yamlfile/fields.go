package yamlfile

import (
	"strings"
	"time"
	_ "time/tzdata" // zone names must not depend on the machine that validates

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/mapping"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// fields reads field_mappings, in order: the fingerprint is taken in it.
func (p *parser) fields(o *object) []syncdef.Field {
	n := o.get("field_mappings")
	if n == nil {
		o.missing("field_mappings", "list at least one {source: column, destination: field}")
		return nil
	}
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		p.fault(n, "field_mappings", "field_mappings must be a list of at least one {source: column, destination: field}, not %s", kindOrEmpty(n))
		return nil
	}
	out := make([]syncdef.Field, 0, len(n.Content))
	first := map[string]int{} // destination -> line
	for i, c := range n.Content {
		path := item("field_mappings", i)
		f, dest := p.field(c, path)
		if dest != nil && f.Destination != "" {
			// Vendors compare field names without regard to case.
			folded := strings.ToLower(f.Destination)
			if line, twice := first[folded]; twice {
				p.fault(dest, path+".destination", "destination %s is mapped already on line %d; one column per field", f.Destination, line)
			} else {
				first[folded] = dest.Line
			}
		}
		out = append(out, f) // faulty ones too, so that paths keep their numbers
	}
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
	before := len(p.faults)
	f.Source = o.text("source")
	o.missing("source", "name the column of the model")
	f.Destination = o.text("destination")
	o.missing("destination", "name the field of the destination")
	dest = o.values["destination"]
	if f.Type = syncdef.Type(o.key("data_type").Default); o.has("data_type") {
		// Faulty, it is "", and the settings that depend on it are not judged.
		f.Type = choiceOf[syncdef.Type](o, "data_type", o.key("data_type").Allowed, "")
	}

	r := rules{object: o, field: &f}
	r.number()
	r.picklist()
	r.length()
	r.transform()
	r.time()
	r.null()
	p.ownField(o, &f)
	o.close()
	if len(p.faults) == before {
		p.compiles(o, f)
	}
	return f, dest
}

// compiles asks the package that will map the rows, so that a mapping which is
// accepted here cannot fail there: a default that is no date, a value that is
// longer than max_length.
func (p *parser) compiles(o *object, f syncdef.Field) {
	alone := syncdef.Definition{RecordID: []string{f.Source}, Fields: []syncdef.Field{f}}
	_, err := mapping.Compile(&alone, syncdef.Rules{})
	if err == nil {
		return
	}
	what := err.Error()
	if _, after, ok := strings.Cut(what, f.Source+" -> "+f.Destination+": "); ok {
		what = after
	}
	where, path := o.node, o.path
	if key, _, _ := strings.Cut(what, ":"); o.has(key) {
		where, path = o.values[key], join(path, key)
	}
	p.fault(where, path, "%s", what)
}

// zone checks a time zone's name.
func zone(name string) bool {
	if name == "Local" || name == "" { // these depend on the machine
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}
