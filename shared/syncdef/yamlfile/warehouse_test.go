package yamlfile_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/syncdef/yamlfile"
)

func TestWarehouse(t *testing.T) {
	const rest = "connections:\n  chat: {type: chat}\nwarehouse: "
	snow := map[string]string{"account": "myorg-acme", "user": "penstock", "role": `"Runner"`, "warehouse": "wh", "database": "penstock"}
	for _, c := range []struct {
		text string
		want *syncdef.Connection
		said string // in the error
	}{
		{`{type: snowflake, account: myorg-acme, user: penstock, role: '"Runner"', warehouse: wh, database: penstock}`, &syncdef.Connection{Name: syncdef.StoredWarehouse, Type: "snowflake", Secret: "warehouse", Options: snow}, ""},
		{"{type: redshift, workgroup: wg, database: dev}", &syncdef.Connection{Name: syncdef.StoredWarehouse, Type: "redshift", Options: map[string]string{"workgroup": "wg", "database": "dev"}}, ""},
		{"{type: bigquery, project: acme-data, dataset: penstock, location: EU}", &syncdef.Connection{Name: syncdef.StoredWarehouse, Type: "bigquery", Secret: "warehouse",
			Options: map[string]string{"project": "acme-data", "dataset": "penstock", "location": "EU"}}, ""},
		{"snowflake", nil, "warehouse must be a mapping"},
		{"{account: a}", nil, "3:12: type is missing; allowed: snowflake, redshift, bigquery"},
		{"{type: oracle}", nil, `type: "oracle" is not known; allowed: snowflake, redshift, bigquery`},
		{"{type: snowflake, account: a, user: u, role: r, warehouse: w}", nil, "database is missing"},
		{"{type: snowflake, account: https://a.snowflakecomputing.com, user: u, role: r, warehouse: w, database: d}", nil, "write it as myorg-myaccount"},
		{"{type: snowflake, account: a, user: u, role: r, warehouse: w, database: d, dataset: x}", nil, "dataset has no use with type: snowflake"},
		{"{type: snowflake, account: a, user: u, role: r, warehouse: w, database: d, password: x}", nil, "password does not belong in a file"},
		{"{type: snowflake, account: a, user: u, role: r, warehouse: w, database: d, secret: prod}", nil, "unknown key secret"},
		{"{type: redshift, database: dev}", nil, "workgroup is missing, or cluster"},
		{"{type: redshift, workgroup: a, cluster: b, database: dev}", nil, "exclude each other"},
		{"{type: redshift, workgroup: a, user: b, database: dev}", nil, "user has no use with a workgroup"},
		{"{type: bigquery, project: a`b, dataset: d, location: EU}", nil, "write it as acme-data"},
		{"{type: bigquery, project: a, dataset: d}", nil, "location is missing"},
	} {
		got, err := yamlfile.ParseWarehouse("connections.yaml", []byte(rest+c.text+"\n"))
		switch {
		case c.said != "" && (err == nil || !strings.Contains(err.Error(), c.said) || strings.Count(err.Error(), "\n") > 0):
			t.Errorf("%s: %v, want one fault with %q", c.text, err, c.said)
		case c.said == "" && (err != nil || cmp.Diff(c.want, got) != ""):
			t.Errorf("%s: %v, %s", c.text, err, cmp.Diff(c.want, got))
		}
		if _, all := yamlfile.ParseConnections("connections.yaml", []byte(rest+c.text+"\n"), kinds); (all == nil) != (c.said == "") {
			t.Errorf("%s: with the connections: %v", c.text, all)
		}
	}
	if w, err := yamlfile.ParseWarehouse("connections.yaml", []byte("connections: {}\n")); w != nil || err != nil {
		t.Errorf("%v, %v", w, err)
	}
}
