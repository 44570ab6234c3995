package yamlfile

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/netguard"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// ParseConnections reads connections.yaml: one key, connections, with a mapping
// of name to settings. kinds are the destination types that there are. The error is a syncdef.Faults; with it come the
// connections whose name and type could be read, so that definitions can still
// be checked.
func ParseConnections(file string, src []byte, kinds []syncdef.Kind) (syncdef.Connections, error) {
	conns, _, err := parseConnections(file, src, kinds)
	return conns, err
}

// ParseWarehouse reads the section warehouse of connections.yaml; nil without one. What
// is wrong with the connections is no fault here.
func ParseWarehouse(file string, src []byte) (*syncdef.Connection, error) {
	_, warehouse, err := parseConnections(file, src, nil)
	var faults syncdef.Faults
	if errors.As(err, &faults) {
		faults = slices.DeleteFunc(faults, func(f syncdef.Fault) bool { return !strings.HasPrefix(f.Path, "warehouse") })
	}
	return warehouse, faults.Err()
}

func parseConnections(file string, src []byte, kinds []syncdef.Kind) (syncdef.Connections, *syncdef.Connection, error) {
	r := &reader{file: file, places: map[string]at{}}
	conns, warehouse := r.connections(src, kinds)
	r.faults.Sort()
	return conns, warehouse, r.faults.Err()
}

func (r *reader) connections(src []byte, kinds syncdef.Kinds) (out syncdef.Connections, warehouse *syncdef.Connection) {
	root := r.document(src, "the key connections")
	if root == nil {
		return nil, nil
	}
	top := r.object(root, "", "the file", []syncdef.Key{{Name: "connections"}, {Name: "warehouse"}})
	if top == nil {
		return nil, nil
	}
	defer top.close()
	if n := top.get("warehouse"); n != nil {
		warehouse = r.warehouse(n)
	}
	n := top.get("connections")
	top.missing("connections", "list them as name: {type: "+first(kinds.Names())+", ...}")
	if n == nil {
		return nil, warehouse
	}
	list := r.object(n, "connections", "connections", nil)
	if list == nil {
		return nil, warehouse
	}
	for _, name := range list.order {
		settings := list.values[name]
		if !connectionName.MatchString(name) {
			r.fault(list.keys[name], join("connections", name), "%q cannot name a connection; use a small letter, then up to 62 small letters, digits, _ and -", shorten(name))
			continue
		}
		out = append(out, r.connection(name, settings, kinds))
	}
	slices.SortFunc(out, func(a, b syncdef.Connection) int { return strings.Compare(a.Name, b.Name) })
	return out, warehouse
}

var connectionName = regexp.MustCompile(syncdef.ConnectionPattern)

func first(names []string) string {
	if len(names) == 0 {
		return "..."
	}
	return names[0]
}

// connection reads the settings of one connection and fills in the defaults.
func (r *reader) connection(name string, n *yaml.Node, kinds syncdef.Kinds) syncdef.Connection {
	c := syncdef.Connection{Name: name, Secret: name}
	o := r.object(n, join("connections", name), "a connection", syncdef.ConnectionKeys)
	if o == nil {
		return c
	}
	before := len(r.faults)
	c.Type = choiceOf(o, "type", kinds.Names(), "")
	o.missing("type", "allowed: "+strings.Join(kinds.Names(), ", "))
	kind, known := kinds.Find(c.Type)
	for _, one := range kinds { // where the type is not told, no type's keys are refused
		if !known || one.Name == c.Type {
			o.table = with(o.table, one.Connection)
		}
	}
	if s := o.text("secret"); s != "" {
		c.Secret = s
	}
	c.URL = r.url(o)
	if c.Personal = choice[string](o, "personal"); o.has("personal") {
		c.Personal = syncdef.PersonalAllowed // also misspelt, which is a fault here and none of a definition
	}
	c.Quota = r.quota(o)
	if known {
		c.Options = texts(o.own(kind.Connection))
	}
	o.refuseSecrets()
	o.close()
	if !known || kind.CheckConnection == nil {
		return c
	}
	said := slices.Clone(r.faults[before:])
	for _, f := range kind.CheckConnection(&c) {
		if key := strings.TrimPrefix(f.Path, o.path+"."); !o.mistyped(key) {
			r.told(said, f, join(o.path, key), at{n.Line, n.Column})
		}
	}
	return c
}

// texts are a connection's own keys as they are stored; nil for none.
func texts(keys map[string]any) map[string]string {
	if len(keys) == 0 {
		return nil
	}
	out := make(map[string]string, len(keys))
	for k, v := range keys {
		out[k] = fmt.Sprint(v)
	}
	return out
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
	case u.Scheme != "https" && (u.Scheme != "http" || !netguard.LoopbackHost(u.Hostname())):
		r.fault(n, path, "url must begin with https://; http:// is allowed to this machine only (127.0.0.1, localhost)")
	case private(u.Hostname()) != "":
		r.fault(n, path, "url is %s, and no call goes there; write the account's public address", private(u.Hostname()))
	default:
		return s
	}
	return ""
}

// private says what a host is that is written as an address, of neither the public
// internet nor this machine; "" for any other. Where a name leads is seen when it is called.
func private(host string) string {
	ip, err := netip.ParseAddr(host)
	if err != nil || netguard.LoopbackHost(host) {
		return ""
	}
	return netguard.Special(ip)
}

// quota reads the share of the vendor's limits that may be used (I7); what is not
// said is the destination type's to fill in.
func (r *reader) quota(o *object) (quota syncdef.Quota) {
	n := o.get("quota")
	if n == nil {
		return quota
	}
	q := r.object(n, join(o.path, "quota"), "quota", o.key("quota").Keys)
	if q == nil {
		return quota
	}
	quota.Share = q.number("share")
	quota.CallsPerDay = int64(q.number("calls_per_day"))
	q.close()
	return quota
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
