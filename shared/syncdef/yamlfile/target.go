package yamlfile

import (
	"regexp"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// connection finds the connection, and by it the destination type: the one named,
// else the only one whose type suits the text.
func (p *parser) connection(o *object, d *syncdef.Definition) {
	d.Connection = o.text("connection")
	suits := p.suitable(o)
	if len(suits) == 1 {
		p.use(suits[0], syncdef.Connection{Name: d.Connection, Type: suits[0].Name})
	}
	if o.has("connection") {
		c, ok := p.conns.Find(d.Connection)
		if kind, known := p.kinds.Find(c.Type); ok && known {
			p.use(kind, c)
		} else if !ok && d.Connection != "" && !p.blind {
			p.fault(o.values["connection"], "connection", "connection %q is not in connections.yaml; %s",
				shorten(d.Connection), existing(d.Connection, p.conns))
		}
		return
	}
	var found syncdef.Connections
	for _, kind := range suits {
		found = append(found, p.conns.OfType(kind.Name)...)
	}
	switch {
	case len(found) == 1:
		d.Connection = found[0].Name
		kind, _ := p.kinds.Find(found[0].Type)
		p.use(kind, found[0])
	case p.blind:
	case len(found) == 0:
		p.fault(o.node, "connection", "connection is missing, and connections.yaml has none of type %s; %s",
			strings.Join(suits.Names(), " or "), existing("", p.conns))
	default:
		p.fault(o.node, "connection", "connection is missing, and there is more than one of type %s; name one: %s",
			strings.Join(suits.Names(), " or "), strings.Join(found.Names(), ", "))
	}
}

func (p *parser) use(kind syncdef.Kind, c syncdef.Connection) {
	p.kind, p.conn, p.known = kind, c, true
}

// existing tells which connections there are.
func existing(name string, conns syncdef.Connections) string {
	if near := syncdef.Nearest(name, conns.Names()); near != "" {
		return "did you mean " + near + "? There are: " + strings.Join(conns.Names(), ", ")
	}
	if len(conns) == 0 {
		return "it has no connections at all"
	}
	return "there are: " + strings.Join(conns.Names(), ", ")
}

// suitable are the types that the text can be meant for, where no connection
// tells: those that list its object, else those whose objects are not known; of
// these the one whose own section it has, or else those that can match as it says.
func (p *parser) suitable(o *object) syncdef.Kinds {
	object := ""
	if n := o.values["destination_object"]; n != nil {
		object = n.Value
	}
	suits := having(p.kinds, func(k syncdef.Kind) bool { return slices.Contains(k.Objects, object) })
	if len(suits) == 0 && object != "" {
		suits = having(p.kinds, func(k syncdef.Kind) bool { return len(k.Objects) == 0 })
	}
	if len(suits) == 0 {
		suits = p.kinds
	}
	if told := having(suits, func(k syncdef.Kind) bool { return o.has(k.Name) }); len(told) > 0 {
		return told
	}
	if n := o.values["matching_strategy"]; n != nil {
		if told := having(suits, func(k syncdef.Kind) bool { return slices.Contains(k.Strategies, syncdef.Strategy(n.Value)) }); len(told) > 0 {
			return told
		}
	}
	return suits
}

func having(kinds syncdef.Kinds, what func(syncdef.Kind) bool) syncdef.Kinds {
	return slices.DeleteFunc(slices.Clone(kinds), func(k syncdef.Kind) bool { return !what(k) })
}

// title names the destination type towards people.
func (p *parser) title() string {
	if p.kind.Title != "" {
		return p.kind.Title
	}
	return p.kind.Name
}

// target reads what is written at the destination, and what is done to it.
func (p *parser) target(o *object, d *syncdef.Definition) {
	d.Object = o.text("destination_object")
	d.Operation = p.operation(o)
	d.Mirror = p.mirror(o, &d.Operation)
	d.OnDelete = p.onDelete(o, d.Operation)
	objects := p.kind.Objects
	switch {
	case !p.known:
	case !o.has("destination_object") && len(objects) > 0:
		d.Object = objects[0]
	case !o.has("destination_object"):
		o.missing("destination_object", "name the object of "+p.title()+" that rows are written to")
	case d.Object != "" && len(objects) > 0 && !slices.Contains(objects, d.Object):
		p.fault(o.values["destination_object"], "destination_object", "destination_object: %s has no %q; allowed: %s",
			p.title(), shorten(d.Object), strings.Join(objects, ", "))
	}
}

func (p *parser) operation(o *object) syncdef.Operation {
	allowed := syncdef.Operations
	if p.known {
		allowed = p.kind.Carries()
	}
	standard := syncdef.Upsert
	if !slices.Contains(allowed, standard) && len(allowed) > 0 {
		standard = allowed[0]
	}
	n := o.get("operation")
	if n == nil {
		return standard
	}
	s, ok := p.scalar(n, "operation", "operation")
	switch op := syncdef.Operation(s); {
	case !ok:
	case slices.Contains(allowed, op):
		return op
	case slices.Contains(syncdef.Operations, op):
		p.fault(n, "operation", "operation: %s is not possible with %s; allowed: %s", op, p.title(), listed(allowed))
	default:
		p.fault(n, "operation", "operation: %q is not known; %s", shorten(s), possible(s, words(allowed)))
	}
	return standard
}

// maxDeletes is what mirror.max_deletes may be.
var maxDeletes = regexp.MustCompile("^(" + syncdef.MaxDeletesPattern + ")$")

// mirror reads how much a mirror may remove; nil where the operation is another one. A
// mirror is an upsert in all other respects.
func (p *parser) mirror(o *object, op *syncdef.Operation) *syncdef.Mirror {
	n, mirrors := o.get("mirror"), *op == syncdef.Mirroring
	m := &syncdef.Mirror{MaxDeletes: syncdef.DefaultMaxDeletes}
	if mirrors {
		*op = syncdef.Upsert
	}
	if n != nil {
		if in := p.object(n, "mirror", "mirror", o.key("mirror").Keys); in != nil {
			if written := in.get("max_deletes"); written != nil {
				s, ok := p.scalar(written, "mirror.max_deletes", "max_deletes")
				switch {
				case !ok:
				case maxDeletes.MatchString(s):
					m.MaxDeletes = s
				default:
					p.fault(written, "mirror.max_deletes", "max_deletes: %q is neither a share such as 5%% or 0.05 nor a number of records such as 200", shorten(s))
				}
			}
			in.close()
		}
		if !mirrors {
			p.notice(o.keys["mirror"], "mirror", "mirror removes nothing with operation: "+string(*op)+"; operation: mirror does")
		}
	}
	if !mirrors {
		return nil
	}
	return m
}

// onDelete reads what is done with the record of a deleting row: what is written, else
// the destination type's first. An insert is sent once and never taken back.
func (p *parser) onDelete(o *object, op syncdef.Operation) syncdef.Removal {
	written := choice[syncdef.Removal](o, "on_delete")
	n, removals := o.values["on_delete"], p.kind.Removals
	switch {
	case !p.known:
		return written
	case written == "" && (len(removals) == 0 || op == syncdef.Insert):
		return ""
	case written == "":
		return removals[0]
	case len(removals) == 0:
		p.fault(n, "on_delete", "on_delete: %s removes no records; leave it out", p.title())
	case op == syncdef.Insert:
		p.fault(n, "on_delete", "on_delete has no use with operation: insert, which only adds records; use operation: upsert")
	case !slices.Contains(removals, written):
		p.fault(n, "on_delete", "on_delete: %s is not possible with %s; allowed: %s", written, p.title(), listed(removals))
	}
	return written
}

// identity reads the columns that name a row towards people.
func (p *parser) identity(o *object, d *syncdef.Definition) {
	seen := map[string]bool{}
	d.RecordID = o.texts("record_id", p.eachRecordID(seen))
}
