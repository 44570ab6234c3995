package yamlfile

import (
	"regexp"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// connection finds the connection: the one named, else the only one whose type
// suits the object.
func (p *parser) connection(o *object, d *syncdef.Definition) {
	d.Connection = o.text("connection")
	p.slack = looksLikeSlack(o)
	if p.blind {
		return
	}
	if o.has("connection") {
		c, ok := p.conns.Find(d.Connection)
		if ok && c.Type != "" {
			p.slack = c.Type == syncdef.SlackType
		} else if !ok && d.Connection != "" {
			p.fault(o.values["connection"], "connection", "connection %q is not in connections.yaml; %s",
				shorten(d.Connection), existing(d.Connection, p.conns))
		}
		return
	}
	want := syncdef.Salesforce
	if p.slack {
		want = syncdef.SlackType
	}
	switch found := p.conns.OfType(want); len(found) {
	case 1:
		d.Connection = found[0].Name
	case 0:
		p.fault(o.node, "connection", "connection is missing, and connections.yaml has none of type %s; %s",
			want, existing("", p.conns))
	default:
		p.fault(o.node, "connection", "connection is missing, and there is more than one of type %s; name one: %s",
			want, strings.Join(found.Names(), ", "))
	}
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

// looksLikeSlack guesses the vendor from the text, where no connection tells.
func looksLikeSlack(o *object) bool {
	if n := o.values["destination_object"]; n != nil {
		return n.Value == messageObject
	}
	return o.has("slack")
}

// messageObject is the one object that Slack has.
const messageObject = "message"

var apiName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,79}$`)

// target reads what is written at the destination, and what is done to it.
func (p *parser) target(o *object, d *syncdef.Definition) {
	d.Object = o.text("destination_object")
	d.Operation = p.operation(o)
	n := o.values["destination_object"]
	switch {
	case p.slack && !o.has("destination_object"):
		d.Object = messageObject
	case d.Object == "":
		o.missing("destination_object", "name the Salesforce object, such as Account")
	case p.slack && d.Object != messageObject:
		p.fault(n, "destination_object", "destination_object: Slack has no %q; allowed: %s", shorten(d.Object), messageObject)
	case !p.slack && !apiName.MatchString(d.Object):
		p.fault(n, "destination_object", "destination_object: %q is no Salesforce API name; allowed: letters, digits and _, such as Account or Health__c", shorten(d.Object))
	}
}

func (p *parser) operation(o *object) syncdef.Operation {
	allowed, standard := syncdef.Operations, syncdef.Upsert
	if p.slack {
		allowed, standard = []syncdef.Operation{syncdef.Insert}, syncdef.Insert
	}
	n := o.get("operation")
	if n == nil {
		return standard
	}
	s, ok := p.scalar(n, "operation", "operation")
	switch op := syncdef.Operation(s); {
	case !ok:
	case op == syncdef.Delete || op == syncdef.Mirror:
		p.fault(n, "operation", "operation: this version of Penstock does not %s records; allowed: %s", op, words(allowed))
	case p.slack && slices.Contains(syncdef.Operations, op) && op != syncdef.Insert:
		p.fault(n, "operation", "operation: Slack messages cannot be found again, so %s is not possible; allowed: insert (once per record id)", op)
	case !slices.Contains(allowed, op):
		p.fault(n, "operation", "operation: %q is not known; allowed: %s", shorten(s), words(allowed))
	default:
		return op
	}
	return standard
}

// identity reads the columns that name a row towards people.
func (p *parser) identity(o *object, d *syncdef.Definition) {
	seen := map[string]bool{}
	d.RecordID = o.texts("record_id", p.eachRecordID(seen))
}
