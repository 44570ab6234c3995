package yamlfile

import (
	"net/mail"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// maxNotifications bounds what one alert may send, so that what is stored of it
// stays a small item.
const maxNotifications = 10

// maxRecipients is how many addresses one call of Amazon SES takes (Developer Guide,
// "Service quotas").
const maxRecipients = 50

// notifications reads who is told of what.
func (p *parser) notifications(o *object, d *syncdef.Definition) {
	n := o.get("notifications")
	if n == nil {
		return
	}
	p.each(n, "notifications", func(n *yaml.Node, path string) {
		in := p.object(n, path, "an item of notifications", o.key("notifications").Keys)
		if in == nil {
			return
		}
		if one, sound := p.notification(in); sound {
			d.Notifications = append(d.Notifications, one)
		}
	})
	if len(d.Notifications) > maxNotifications {
		p.fault(n, "notifications", "notifications has %d entries, at most %d are taken; make one for several recipients", len(d.Notifications), maxNotifications)
	}
}

func (p *parser) notification(in *object) (one syncdef.Notification, sound bool) {
	before := len(p.faults)
	in.missing("type", "write email, webhook, or a destination type that posts messages")
	one.Type = in.text("type")
	one.Conditions = in.texts("conditions", func(n *yaml.Node, path, word string) {
		if !slices.Contains(syncdef.Conditions, word) {
			p.unknown(n, path, "conditions", word, syncdef.Conditions)
		}
	})
	one.Recipients = in.texts("recipients", func(n *yaml.Node, path, address string) {
		if a, err := mail.ParseAddress(address); err != nil || a.Address != address {
			p.fault(n, path, "recipients: %q is no email address; write it as name@company.com", shorten(address))
		}
	})
	if len(one.Recipients) > maxRecipients {
		p.fault(in.values["recipients"], join(in.path, "recipients"), "recipients has %d addresses, at most %d are taken; make a mailing list for them", len(one.Recipients), maxRecipients)
	}
	one.Connection, one.Channel, one.Secret = in.text("connection"), in.text("channel"), in.text("secret")
	if in.has("secret") && one.Type != "" && one.Type != syncdef.NotifyWebhook {
		p.fault(in.keys["secret"], join(in.path, "secret"), "secret is for a webhook; a connection has its own in connections.yaml")
	}
	switch one.Type {
	case "":
	case syncdef.NotifyEmail:
		in.missing("recipients", "list the addresses")
		for _, key := range []string{"connection", "channel"} {
			if in.has(key) {
				p.fault(in.keys[key], join(in.path, key), "%s is for notifications that are posted; an email has recipients", key)
			}
		}
	case syncdef.NotifyWebhook:
		p.webhook(in, &one)
	default:
		p.posts(in, &one)
	}
	in.close()
	return one, len(p.faults) == before
}

// webhook checks a notification that is sent to an address of one's own. The address is
// in the secret, since whoever knows it may be able to call it.
func (p *parser) webhook(in *object, one *syncdef.Notification) {
	for _, key := range []string{"recipients", "connection", "channel"} {
		if in.has(key) {
			p.fault(in.keys[key], join(in.path, key), "%s is not for a webhook; its secret holds the address", key)
		}
	}
	switch {
	case one.Secret == "":
		one.Secret = syncdef.DefaultWebhookSecret
	case !secretName.MatchString(one.Secret):
		p.fault(in.values["secret"], join(in.path, "secret"), "%q cannot name a secret; use a small letter, then up to 62 small letters, digits, _ and -", shorten(one.Secret))
	}
}

// secretName is like a connection's: a file's name, and a part of an environment
// variable's.
var secretName = connectionName

// posts checks a notification that a connection posts.
func (p *parser) posts(in *object, one *syncdef.Notification) {
	types := []string{syncdef.NotifyEmail, syncdef.NotifyWebhook}
	for _, k := range p.kinds {
		if k.Posts {
			types = append(types, k.Name)
		}
	}
	if !slices.Contains(types, one.Type) {
		p.unknown(in.values["type"], join(in.path, "type"), "type", one.Type, types)
		return
	}
	in.missing("channel", "say where it is posted")
	if in.has("recipients") {
		p.fault(in.keys["recipients"], join(in.path, "recipients"), "recipients is for email; %s posts to a channel", one.Type)
	}
	var of []string
	for _, c := range p.conns {
		if c.Type == one.Type {
			of = append(of, c.Name)
		}
	}
	switch {
	case p.blind || slices.Contains(of, one.Connection):
	case one.Connection == "" && len(of) == 1:
		one.Connection = of[0]
	case one.Connection == "" && len(of) > 1:
		p.fault(in.node, join(in.path, "connection"), "connection is missing; of type %s there are %s", one.Type, strings.Join(of, ", "))
	case len(of) == 0:
		p.fault(in.node, join(in.path, "connection"), "no connection of type %s is in connections.yaml; add one", one.Type)
	default:
		p.unknown(in.values["connection"], join(in.path, "connection"), "connection", one.Connection, of)
	}
}

// unknown reports a word that is none of those allowed.
func (p *parser) unknown(n *yaml.Node, path, what, word string, allowed []string) {
	if near := syncdef.MeantKey(word, allowed); near != "" {
		p.fault(n, path, "%s: %q is not known; did you mean %s?", what, shorten(word), near)
		return
	}
	p.fault(n, path, "%s: %q is not known; allowed: %s", what, shorten(word), strings.Join(allowed, ", "))
}
