package yamlfile

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// ParseConnections reads connections.yaml: one key, connections, with a mapping
// of name to settings. The error is a syncdef.Faults; with it come the
// connections whose name and type could be read, so that definitions can still
// be checked.
func ParseConnections(file string, src []byte) (syncdef.Connections, error) {
	r := &reader{file: file, places: map[string]at{}}
	conns := r.connections(src)
	r.faults.Sort()
	return conns, r.faults.Err()
}

func (r *reader) connections(src []byte) syncdef.Connections {
	root := r.document(src, "the key connections")
	if root == nil {
		return nil
	}
	top := r.object(root, "", "the file")
	if top == nil {
		return nil
	}
	defer top.close()
	n := top.get("connections")
	top.missing("connections", "list them as name: {type: salesforce, url: ...}")
	if n == nil {
		return nil
	}
	list := r.object(n, "connections", "connections")
	if list == nil {
		return nil
	}
	var out syncdef.Connections
	for _, name := range list.order {
		settings := list.values[name]
		if !connectionName.MatchString(name) {
			r.fault(list.keys[name], join("connections", name), "%q cannot name a connection; use a small letter, then up to 62 small letters, digits, _ and -", shorten(name))
			continue
		}
		out = append(out, r.connection(name, settings))
	}
	slices.SortFunc(out, func(a, b syncdef.Connection) int { return strings.Compare(a.Name, b.Name) })
	return out
}

var (
	connectionName = regexp.MustCompile(syncdef.ConnectionPattern)
	apiVersion     = regexp.MustCompile(`^[0-9]{2,3}\.0$`)
)

// connection reads the settings of one connection and fills in the defaults.
func (r *reader) connection(name string, n *yaml.Node) syncdef.Connection {
	c := syncdef.Connection{Name: name, Secret: name}
	o := r.object(n, join("connections", name), "a connection")
	if o == nil {
		return c
	}
	c.Type = choice(o, "type", syncdef.ConnectionTypes, "")
	o.missing("type", "allowed: "+words(syncdef.ConnectionTypes))
	if s := o.text("secret"); s != "" {
		c.Secret = s
	}
	c.URL = r.url(o)
	r.quota(o, &c)
	if c.Type == syncdef.SlackType {
		if c.URL == "" {
			c.URL = "https://slack.com/api/"
		}
	} else {
		r.salesforce(o, &c)
	}
	o.refuseSecrets()
	o.close()
	return c
}

// salesforce reads what only Salesforce needs.
func (r *reader) salesforce(o *object, c *syncdef.Connection) {
	c.Auth = choice(o, "auth", syncdef.Auths, syncdef.Auths[0])
	if c.Type == syncdef.Salesforce {
		o.missing("url", "give the organisation's address, such as https://acme.my.salesforce.com")
	}
	n := o.get("api_version")
	if n == nil {
		return
	}
	path := join(o.path, "api_version")
	if s, ok := o.scalar(n, path, "api_version"); ok && !apiVersion.MatchString(s) {
		r.fault(n, path, "api_version: %q is no version; write it as 62.0", shorten(s))
	} else {
		c.APIVer = s
	}
}

// url reads an address. Secrets travel over it, so it is https, except to the
// machine itself, where the simulators listen.
func (r *reader) url(o *object) string {
	s := o.text("url")
	if s == "" {
		return ""
	}
	n, path := o.values["url"], join(o.path, "url")
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "":
		r.fault(n, path, "url is no address; write it as https://host")
	case u.User != nil:
		r.fault(n, path, "url holds a user or password; put them into the secret that the key secret names")
	case u.RawQuery != "" || u.Fragment != "":
		r.fault(n, path, "url must end with its path, without ? and #")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		r.fault(n, path, "url must begin with https://; http:// is allowed to this machine only (127.0.0.1, localhost)")
	default:
		return s
	}
	return ""
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && ip.IsLoopback())
}

// quota reads the share of the vendor's limits that may be used (I7). Slack
// counts each app's calls separately, so there is nothing to share.
func (r *reader) quota(o *object, c *syncdef.Connection) {
	if c.Type == syncdef.SlackType {
		if o.has("quota") {
			o.known = append(o.known, "quota")
			r.fault(o.keys["quota"], join(o.path, "quota"), "quota has no use with type slack: Slack counts each app's calls separately")
		}
		return
	}
	c.Quota = syncdef.Quota{CallsPerDay: syncdef.DefaultCalls, Share: syncdef.DefaultShare}
	n := o.get("quota")
	if n == nil {
		return
	}
	q := r.object(n, join(o.path, "quota"), "quota")
	if q == nil {
		return
	}
	c.Quota.Share = q.number("share", 1, 100, syncdef.DefaultShare)
	const most = 1_000_000_000
	c.Quota.CallsPerDay = int64(q.number("calls_per_day", 1, most, syncdef.DefaultCalls))
	q.close()
}

// refuseSecrets names the right place for what must not stand in a file, and does
// not repeat it.
func (o *object) refuseSecrets() {
	for _, key := range []string{"password", "token", "client_secret", "client_id", "private_key", "api_key", "username"} {
		if n := o.keys[key]; n != nil {
			o.fault(n, join(o.path, key), "%s does not belong in a file: put it into the secret that the key secret names, and remove it here", key)
			delete(o.keys, key)
		}
	}
}
