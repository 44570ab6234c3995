package yamlfile

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/syncdef"
)

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
