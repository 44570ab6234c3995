package yamlfile

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/penstock-data/penstock/shared/syncdef"
)

// warehouse reads the section: as a connection under syncdef.StoredWarehouse, nil where
// it cannot be read.
func (r *reader) warehouse(n *yaml.Node) *syncdef.Connection {
	o := r.object(n, "warehouse", "warehouse", syncdef.WarehouseKeys)
	if o == nil {
		return nil
	}
	c := &syncdef.Connection{Name: syncdef.StoredWarehouse, Options: map[string]string{}}
	c.Type = choiceOf(o, "type", o.key("type").Allowed, "")
	o.missing("type", "allowed: snowflake, redshift, bigquery")
	uses, known := syncdef.WarehouseUses[c.Type]
	for _, key := range syncdef.WarehouseKeys[1:] {
		needed, used := uses[key.Name]
		switch {
		case !known:
			o.get(key.Name)
			continue
		case !used && o.has(key.Name):
			o.fault(o.keys[key.Name], join("warehouse", key.Name), "%s has no use with type: %s", key.Name, c.Type)
			continue
		case needed:
			o.needed(syncdef.Key{Name: key.Name, Needed: true, Doc: key.Doc})
		}
		if n := o.get(key.Name); n != nil && used {
			c.Options[key.Name] = o.ownText(n, key)
		}
	}
	if known && c.Type != syncdef.Redshift {
		c.Secret = syncdef.WarehouseSecret
	}
	o.refuseSecrets()
	o.close()
	if c.Type == syncdef.Redshift {
		o.redshift(c)
	}
	maps.DeleteFunc(c.Options, func(_, v string) bool { return v == "" })
	return c
}

// redshift holds the keys of Redshift against each other.
func (o *object) redshift(c *syncdef.Connection) {
	switch {
	case o.has("workgroup") && o.has("cluster"):
		o.fault(o.keys["cluster"], "warehouse.cluster", "workgroup and cluster exclude each other: a workgroup is of Redshift Serverless")
	case !o.has("workgroup") && !o.has("cluster") && !slices.ContainsFunc([]string{"workgroup", "cluster"}, o.mistyped):
		o.fault(o.node, "warehouse.workgroup", "workgroup is missing, or cluster: write the one that penstock_run is in")
	}
	if o.has("user") && (c.Options["workgroup"] != "" || o.has("secret_arn")) {
		o.fault(o.keys["user"], "warehouse.user", "user has no use with a workgroup or a secret_arn, which say who it is")
	}
}
