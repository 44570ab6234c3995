package yamlfile

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// maxRoles bounds a list that is gone through at each call; no sync is many teams'.
const maxRoles = 100

// allow reads which roles may do what.
func (p *parser) allow(o *object, d *syncdef.Definition) {
	n := o.get("allow")
	if n == nil {
		return
	}
	in := p.object(n, "allow", "allow", o.key("allow").Keys)
	if in == nil {
		return
	}
	a := &syncdef.Allow{Push: in.roles("push"), Errors: in.roles("errors")}
	in.close()
	if !in.has("push") && !in.has("errors") {
		p.fault(n, "allow", "allow names nobody; write push: [ROLE], errors: [ROLE] or both, or leave allow out")
	}
	d.Allow = a
}

// roles reads a list of roles, each once and of a length that SQL has.
func (o *object) roles(key string) []string {
	var seen []string
	list := o.texts(key, func(n *yaml.Node, path, role string) {
		switch {
		case len(role) > maxRole:
			o.fault(n, path, "%q is longer than a role's name can be, which is %d bytes", shorten(role), maxRole)
		case slices.Contains(seen, role):
			o.fault(n, path, "the role %q stands in the list twice", role)
		}
		seen = append(seen, role)
	})
	if len(list) > maxRoles {
		o.fault(o.values[key], join(o.path, key), "%s has %d roles, at most %d are taken; make one role for them", key, len(list), maxRoles)
		return nil
	}
	return list
}

// maxRole is the longest name (Snowflake documentation, "Identifier requirements":
// 255 characters), in bytes of UTF-8.
const maxRole = 4 * 255
