package syncdef

// StoredWarehouse is the name under which the settings of the warehouse are stored
// beside the connections, as a Connection whose type is the kind of warehouse ("" where
// there is none any more). No connection of connections.yaml can have it.
const StoredWarehouse = "warehouse:"

// The kinds of warehouse in which a schedule runs penstock_run.
const (
	Snowflake = "snowflake"
	Redshift  = "redshift"
	BigQuery  = "bigquery"
)

// WarehouseSecret is the name of the secret with the key for the warehouse, of Snowflake
// {"private_key": "-----BEGIN PRIVATE KEY-----..."}, of BigQuery a service account's key
// as Google makes it. A stack has one, and its schedule function may read no other.
const WarehouseSecret = "warehouse"

// Patterns of what becomes a part of an address or of a statement.
const (
	accountPattern = `[A-Za-z0-9][A-Za-z0-9_.-]{0,127}`
	placePattern   = `[A-Za-z0-9][A-Za-z0-9_:.-]{0,127}`
	secretARN      = `arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.{1,512}`
)

// WarehouseKeys are the keys of the section warehouse of connections.yaml.
var WarehouseKeys = []Key{
	{Name: "type", Type: KeyText, Needed: true, Allowed: []string{Snowflake, Redshift, BigQuery}, Doc: "The kind of warehouse. The key for Snowflake or BigQuery is in the stack's secret warehouse: {\"private_key\": \"-----BEGIN PRIVATE KEY-----...\"}, or the JSON file of a service account's key as it is."},
	{Name: "account", Type: KeyText, Pattern: accountPattern, Example: "myorg-myaccount", Doc: "Snowflake: the account's identifier."},
	{Name: "user", Type: KeyText, Doc: "Snowflake: the user whose public key is set. Redshift: the database user of a cluster; the schedule function's own role when left out."},
	{Name: "role", Type: KeyText, Doc: "Snowflake: the role that may call penstock_run, written as in SQL."},
	{Name: "warehouse", Type: KeyText, Doc: "Snowflake: the warehouse that the statements run in."},
	{Name: "workgroup", Type: KeyText, Pattern: placePattern, Example: "analytics", Doc: "Redshift Serverless: the workgroup; either it or cluster is written."},
	{Name: "cluster", Type: KeyText, Pattern: placePattern, Example: "analytics", Doc: "Redshift: the cluster."},
	{Name: "database", Type: KeyText, Doc: "Snowflake, Redshift: the database that the set-up script made penstock_run in."},
	{Name: "schema", Type: KeyText, Doc: "Snowflake, Redshift: its schema; when left out, public in Snowflake and the user's search path in Redshift."},
	{Name: "project", Type: KeyText, Pattern: placePattern, Example: "acme-data", Doc: "BigQuery: the project."},
	{Name: "dataset", Type: KeyText, Pattern: `[A-Za-z0-9_]{1,200}`, Example: "penstock", Doc: "BigQuery: the dataset that the set-up script made penstock_run in."},
	{Name: "location", Type: KeyText, Pattern: `[A-Za-z0-9-]{1,40}`, Example: "EU", Doc: "BigQuery: the dataset's location."},
	{Name: "secret_arn", Type: KeyText, Pattern: secretARN, Example: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:redshift-AbCdEf", Doc: "Redshift: a secret with a database user's name and password, in the place of user."},
}

// WarehouseUses are the keys of each kind beside type: true where it must be written.
var WarehouseUses = map[string]map[string]bool{
	Snowflake: {"account": true, "user": true, "role": true, "warehouse": true, "database": true, "schema": false},
	Redshift:  {"workgroup": false, "cluster": false, "database": true, "schema": false, "user": false, "secret_arn": false},
	BigQuery:  {"project": true, "dataset": true, "location": true},
}
