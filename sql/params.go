package sql

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

// Params are the names and addresses of one account. A field that is empty and has no
// default becomes a placeholder such as <ROLE_ARN>; a dialect heeds its own alone.
type Params struct {
	dialect Dialect // set by Setup

	Syncs []Sync // whose views are made

	// Snowflake, Redshift and BigQuery.
	Pushers      []string // who may push, besides reading: roles; on BigQuery members such as serviceAccount:x@p.iam.gserviceaccount.com
	Readers      []string // who may read status, errors and the monitoring tables
	MaxBatchRows int      // default 1000: at 1,000 rows a batch a row may have 4.5 KB of JSON on average

	// Snowflake and Redshift.
	RoleARN  string // the AWS role that the warehouse assumes, an output of the stack: arn:aws:iam::123456789012:role/penstock-SnowflakeRole-1A2B3C4D5E6F
	Database string // default penstock; on Redshift the database that the script is run in, which is not made
	Schema   string // default public; on Redshift penstock

	// Snowflake.
	APIURL      string // the API's invoke URL with its stage: https://a1b2c3.execute-api.eu-west-1.amazonaws.com/v1
	Integration string // default penstock_api
	Role        string // the role that owns what is made, and pushes; default sysadmin
	Warehouse   string // the warehouse that the script and the tasks run in, and whose use the roles need; no default
	RunAs       string // whose rights penstock_run has: caller, the default, or owner
	Streams     bool   // make the sample's stream and the task that it triggers too

	// Redshift.
	Function  string // the Lambda behind the functions, an output of the stack: penstock-RedshiftFunction-1A2B3C4D5E6F
	Cluster   string // the cluster's identifier, for the commands that the script names; or
	Workgroup string // the serverless workgroup's name

	// BigQuery.
	Project    string // the project of the dataset and the connection
	Dataset    string // default penstock
	Location   string // of the dataset and the connection: europe-west1, or EU or US
	Region     string // of the forwarder on Cloud Run; default Location where that is a region
	Connection string // default penstock
	Endpoint   string // the forwarder's URL: https://penstock-forwarder-abc123-ew.a.run.app

	// Snowflake and DuckDB.
	NoSample bool // leave out the sample's tables, rows, models and tasks
	NoRows   bool // leave out the sample's rows alone
}

// A Sync is a definition whose views are made.
type Sync struct {
	Definition syncdef.Definition
	Model      string // the SELECT of its model, in the warehouse's SQL; "" where the model is there already
}

var (
	identifier = form{regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_$]*$`), "a plain identifier"}
	roleARN    = form{regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$`), "arn:aws:iam::ACCOUNT:role/NAME"}
	apiURL     = form{regexp.MustCompile(`^https://[A-Za-z0-9.-]+(/[A-Za-z0-9_-]+)*/*$`), "https://HOST/STAGE"}
	runAs      = form{regexp.MustCompile(`^(?i:caller|owner)$`), "caller or owner"}
	lambda     = form{regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`), "the name of a Lambda function"}
	cluster    = form{regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`), "small letters, digits and -"}
	project    = form{regexp.MustCompile(`^([a-z][a-z0-9.-]*:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$`), "a project's id"}
	location   = form{regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`), "a region such as europe-west1, or EU or US"}
	connection = form{regexp.MustCompile(`^[A-Za-z0-9_-]+$`), "letters, digits, _ and -"}
	member     = form{regexp.MustCompile(`^(user|group|serviceAccount|domain):[A-Za-z0-9._@+-]+$`), "user:, group:, serviceAccount: or domain: and an address"}
)

// A form is what a parameter may be; allowed says it to people.
type form struct {
	pattern *regexp.Regexp
	allowed string
}

// A param is one of Params: how it is told by people, where it is heeded, and what
// stands in its place when it is not given.
type param struct {
	name    string // also its flag, as --role-arn
	value   *string
	form    form
	usual   map[Dialect]string // where it is heeded, with its default
	meaning string             // of the placeholder that stands for it where it has no default
}

// no is a parameter without a default.
const no = ""

// params are the single texts of Params.
func (p *Params) params() []param {
	return []param{
		{"api-url", &p.APIURL, apiURL, map[Dialect]string{Snowflake: no}, "the API's invoke URL, an output of the deployed stack: https://a1b2c3.execute-api.eu-west-1.amazonaws.com/v1"},
		{"role-arn", &p.RoleARN, roleARN, map[Dialect]string{Snowflake: no, Redshift: no}, roleMeaning[p.dialect]},
		{"integration", &p.Integration, identifier, map[Dialect]string{Snowflake: "penstock_api"}, ""},
		{"database", &p.Database, identifier, map[Dialect]string{Snowflake: "penstock", Redshift: "dev"}, ""},
		{"schema", &p.Schema, identifier, map[Dialect]string{Snowflake: "public", Redshift: "penstock"}, ""},
		{"role", &p.Role, identifier, map[Dialect]string{Snowflake: "sysadmin"}, ""},
		{"warehouse", &p.Warehouse, identifier, map[Dialect]string{Snowflake: no}, "the Snowflake warehouse in which the script and the tasks run: SHOW WAREHOUSES"},
		{"run-as", &p.RunAs, runAs, map[Dialect]string{Snowflake: "caller"}, ""},
		{"function", &p.Function, lambda, map[Dialect]string{Redshift: no}, "the Lambda behind the functions, an output of the deployed stack: penstock-RedshiftFunction-1A2B3C4D5E6F"},
		{"cluster", &p.Cluster, cluster, map[Dialect]string{Redshift: no}, ""},
		{"workgroup", &p.Workgroup, cluster, map[Dialect]string{Redshift: no}, ""},
		{"project", &p.Project, project, map[Dialect]string{BigQuery: no}, "the Google Cloud project of the dataset and the connection: gcloud config get project"},
		{"dataset", &p.Dataset, identifier, map[Dialect]string{BigQuery: "penstock"}, ""},
		{"location", &p.Location, location, map[Dialect]string{BigQuery: no}, "the region of the dataset, the connection and the forwarder, europe-west1; or EU or US, and --region is the forwarder's"},
		{"region", &p.Region, location, map[Dialect]string{BigQuery: no}, ""},
		{"connection", &p.Connection, connection, map[Dialect]string{BigQuery: "penstock"}, ""},
		{"endpoint", &p.Endpoint, apiURL, map[Dialect]string{BigQuery: no}, "the forwarder's URL on Cloud Run: gcloud run services describe penstock-forwarder --format 'value(status.url)'"},
	}
}

// Foreign are what is given and not of the dialect, as flags, each with the dialects
// that take it.
func (p Params) Foreign(dialect Dialect) []string {
	var out []string
	note := func(flag string, given bool, takers ...Dialect) {
		if !given || slices.Contains(takers, dialect) {
			return
		}
		var names []string
		for _, d := range takers {
			names = append(names, string(d))
		}
		out = append(out, "--"+flag+" (of "+strings.Join(names, ", ")+")")
	}
	for _, f := range p.params() {
		var takers []Dialect
		for _, d := range Dialects {
			if _, takes := f.usual[d]; takes {
				takers = append(takers, d)
			}
		}
		note(f.name, *f.value != "", takers...)
	}
	note("pusher", len(p.Pushers) > 0, Snowflake, Redshift, BigQuery)
	note("reader", len(p.Readers) > 0, Snowflake, Redshift, BigQuery)
	note("max-batch-rows", p.MaxBatchRows != 0, Snowflake, Redshift, BigQuery)
	note("streams", p.Streams, Snowflake)
	note("no-sample", p.NoSample, Snowflake, DuckDB)
	return out
}

// roleMeaning says whose role is wanted.
var roleMeaning = map[Dialect]string{
	Snowflake: "the AWS role that Snowflake assumes, an output of the deployed stack (the end of its name is generated): arn:aws:iam::123456789012:role/penstock-SnowflakeRole-1A2B3C4D5E6F",
	Redshift:  "the AWS role that Redshift assumes, an output of the deployed stack (the end of its name is generated): arn:aws:iam::123456789012:role/penstock-RedshiftRole-1A2B3C4D5E6F",
}

// check refuses values that would not be what they stand for in the statements.
func (p *Params) check() error {
	var faults []error
	plain := func(name, value string) {
		if syncdef.Reserved(string(p.dialect), value) {
			faults = append(faults, fmt.Errorf("%s %q: this word of SQL names nothing without quotes; choose another name", name, value))
		}
	}
	check := func(name, value string, f form) {
		if value != "" && !f.pattern.MatchString(value) {
			faults = append(faults, fmt.Errorf("%s %q: want %s", name, value, f.allowed))
		}
		if f.pattern == identifier.pattern {
			plain(name, value)
		}
	}
	for _, f := range p.params() {
		if _, heeded := f.usual[p.dialect]; heeded {
			check(f.name, *f.value, f.form)
		}
	}
	if p.MaxBatchRows < 0 {
		faults = append(faults, fmt.Errorf("max-batch-rows %d: want a number of rows from 1 on", p.MaxBatchRows))
	}
	who := form{identifier.pattern, "a role, as a plain identifier"}
	if p.dialect == BigQuery {
		who = member
	}
	for _, role := range slices.Concat(p.Pushers, p.Readers) {
		check("role", role, who)
	}
	for _, y := range p.Syncs {
		for part := range strings.SplitSeq(y.Definition.Relation(), ".") {
			plain("the model of "+y.Definition.Sync, part)
		}
	}
	return errors.Join(faults...)
}

// fill puts defaults and placeholders where nothing is given, and returns the
// placeholders with what they stand for.
func (p *Params) fill() (missing [][2]string) {
	if p.MaxBatchRows <= 0 {
		p.MaxBatchRows = snowflake.BatchRows
	}
	for _, f := range p.params() {
		usual, heeded := f.usual[p.dialect]
		if !heeded || *f.value != "" {
			continue
		}
		if *f.value = usual; f.meaning != "" {
			*f.value = "<" + strings.ToUpper(strings.ReplaceAll(f.name, "-", "_")) + ">"
			missing = append(missing, [2]string{*f.value, f.meaning})
		}
	}
	if p.dialect == BigQuery && p.Region == "" {
		if p.Region = p.Location; slices.Contains([]string{"EU", "US"}, strings.ToUpper(p.Location)) { // in which nothing runs
			p.Region = "<REGION>"
			missing = append(missing, [2]string{p.Region, "the forwarder's region on Cloud Run, one within " + p.Location + ": gcloud run services list"})
		}
	}
	if p.dialect == Redshift { // which folds names to small letters
		p.Schema, p.Pushers, p.Readers = strings.ToLower(p.Schema), folded(p.Pushers), folded(p.Readers)
	}
	if len(p.Pushers) == 0 && (p.dialect == Redshift || p.dialect == Snowflake) {
		p.Pushers = []string{"penstock_pusher"}
	}
	p.APIURL, p.Endpoint, p.RunAs = strings.TrimRight(p.APIURL, "/"), strings.TrimRight(p.Endpoint, "/"), strings.ToUpper(p.RunAs)
	return missing
}

// Pusher grants a privilege to everybody who pushes, one statement a line:
// {{.Pusher "USAGE ON FUNCTION penstock_reset(VARCHAR)"}}. What is made anew has lost its
// grants, so that they stand after each create.
func (p Params) Pusher(privilege string) string { return p.grants(privilege, p.Pushers) }

// Reader grants a privilege to everybody who pushes or reads.
func (p Params) Reader(privilege string) string {
	return p.grants(privilege, p.All())
}

// All are the roles that push or read, each once.
func (p Params) All() []string {
	var all []string
	for _, role := range slices.Concat(p.Pushers, p.Readers) {
		if !slices.Contains(all, role) {
			all = append(all, role)
		}
	}
	return all
}

func (p Params) grants(privilege string, roles []string) string {
	to := "ROLE %s"
	if p.dialect == BigQuery {
		to = `"%s"`
	}
	var b strings.Builder
	for _, role := range roles {
		fmt.Fprintf(&b, "GRANT %s TO "+to+";\n", privilege, role)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Monitoring are the tables and views that readers may select from.
func (p Params) Monitoring() []string {
	table, view := "TABLE ", "VIEW "
	if p.dialect == Redshift { // where a view's privileges are a table's
		view = table
	}
	var out []string
	for _, name := range monitoringTables {
		out = append(out, table+name)
	}
	for _, name := range monitoringViews {
		out = append(out, view+name)
	}
	return out
}

// Refreshed are the tables that penstock_refresh writes.
func (Params) Refreshed() []string { return slices.Concat(monitoringTables, ownTables) }

// NoStream is what a procedure says of mode cdc where there are no streams.
func (Params) NoStream() string { return NoStream }

// Step is a statement of penstock_run, for the dialect's procedure.
func (p Params) Step(name string) (string, error) { return speeches[p.dialect].step(name) }

// headed is a text under the list of those placeholders that stand in it.
func headed(missing [][2]string, text string) string {
	var b strings.Builder
	for _, m := range missing {
		if !strings.Contains(text, m[0]) {
			continue
		}
		if b.Len() == 0 {
			b.WriteString("-- NOT READY TO RUN. Replace these first:\n")
		}
		fmt.Fprintf(&b, "--   %-12s %s\n", m[0], m[1])
	}
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	return b.String() + text
}
