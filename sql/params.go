package sql

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

// SnowflakeParams are the names and addresses of one account. A field that is
// empty and has no default becomes a placeholder such as <ROLE_ARN>.
type SnowflakeParams struct {
	APIURL       string   // the API's invoke URL with its stage: https://a1b2c3.execute-api.eu-west-1.amazonaws.com/v1
	RoleARN      string   // the AWS role that the API integration assumes, named by CloudFormation: arn:aws:iam::123456789012:role/penstock-SnowflakeRole-1A2B3C4D5E6F
	Integration  string   // default penstock_api
	Database     string   // default penstock
	Schema       string   // default public
	Role         string   // the Snowflake role that owns what is made, and pushes; default sysadmin
	Pushers      []string // further roles that may push, besides reading
	Readers      []string // roles that may read status, errors and the monitoring tables
	Warehouse    string   // the warehouse that the script and the tasks run in, and whose use the roles need; no default
	MaxBatchRows int      // default 1000: at 1,000 rows a batch a row may have 4.5 KB of JSON on average
	RunAs        string   // whose rights penstock_run has: caller, the default, or owner
	Streams      bool     // make the sample's stream and the task that it triggers too
	NoSample     bool     // leave out the sample's tables, rows, models and tasks
	NoRows       bool     // leave out the sample's rows alone
}

var (
	identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_$]*$`)
	roleARN    = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$`)
	apiURL     = regexp.MustCompile(`^https://[A-Za-z0-9.-]+(/[A-Za-z0-9_-]+)*/*$`)
	runAs      = regexp.MustCompile(`^(?i:caller|owner)$`)
)

// check refuses values that would not be what they stand for in the statements.
func (p *SnowflakeParams) check() error {
	type value struct {
		name, value, allowed string
		form                 *regexp.Regexp
	}
	values := []value{
		{"API URL", p.APIURL, "https://HOST/STAGE", apiURL},
		{"role ARN", p.RoleARN, "arn:aws:iam::ACCOUNT:role/NAME", roleARN},
		{"integration", p.Integration, "a plain identifier", identifier},
		{"database", p.Database, "a plain identifier", identifier},
		{"schema", p.Schema, "a plain identifier", identifier},
		{"role", p.Role, "a plain identifier", identifier},
		{"warehouse", p.Warehouse, "a plain identifier", identifier},
		{"run as", p.RunAs, "caller or owner", runAs},
	}
	for _, role := range append(append([]string(nil), p.Pushers...), p.Readers...) {
		values = append(values, value{"role", role, "a plain identifier", identifier})
	}
	var faults []error
	for _, f := range values {
		if f.value != "" && !f.form.MatchString(f.value) {
			faults = append(faults, fmt.Errorf("%s %q: want %s", f.name, f.value, f.allowed))
		}
	}
	return errors.Join(faults...)
}

// fill puts defaults and placeholders where nothing is given, and returns the
// placeholders.
func (p *SnowflakeParams) fill() (missing []string) {
	p.APIURL = strings.TrimRight(p.APIURL, "/")
	p.RunAs = strings.ToUpper(p.RunAs)
	if p.MaxBatchRows <= 0 {
		p.MaxBatchRows = snowflake.BatchRows
	}
	for _, f := range []struct {
		value           *string
		byDefault, name string
	}{
		{&p.APIURL, "", "API_URL"},
		{&p.RoleARN, "", "ROLE_ARN"},
		{&p.Integration, "penstock_api", ""},
		{&p.Database, "penstock", ""},
		{&p.Schema, "public", ""},
		{&p.Role, "sysadmin", ""},
		{&p.Warehouse, "", "WAREHOUSE"},
		{&p.RunAs, "CALLER", ""},
	} {
		if *f.value != "" {
			continue
		}
		if *f.value = f.byDefault; f.name != "" {
			*f.value = "<" + f.name + ">"
			missing = append(missing, *f.value)
		}
	}
	return missing
}

// Pusher grants a privilege to every further role that pushes, one statement a
// line: {{.Pusher "USAGE ON FUNCTION penstock_reset(VARCHAR)"}}. What is made anew
// has lost its grants, so that they stand after each create.
func (p SnowflakeParams) Pusher(privilege string) string { return grants(privilege, p.Pushers) }

// Reader grants a privilege to every further role that pushes or reads.
func (p SnowflakeParams) Reader(privilege string) string {
	return grants(privilege, append(append([]string(nil), p.Pushers...), p.Readers...))
}

func grants(privilege string, roles []string) string {
	var b strings.Builder
	for _, role := range roles {
		fmt.Fprintf(&b, "GRANT %s TO ROLE %s;\n", privilege, role)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Monitoring are the tables and views that readers may select from.
func (SnowflakeParams) Monitoring() []string {
	return []string{
		"TABLE penstock_models", "TABLE penstock_runs",
		"TABLE reverse_etl_sync_state", "TABLE reverse_etl_sync_errors", "TABLE multi_destination_sync_state",
		"VIEW reverse_etl_sync_health", "VIEW reverse_etl_dashboard", "VIEW reverse_etl_alerts",
	}
}

// Step is a statement of penstock_run, for its procedure.
func (SnowflakeParams) Step(name string) (string, error) {
	s := FindStep(StepName(name))
	if s.Name == "" {
		return "", fmt.Errorf("penstock_run has no step %q", name)
	}
	return s.scripting(), nil
}

// meaning says what belongs where a placeholder stands.
var meaning = map[string]string{
	"<API_URL>":   "the API's invoke URL, an output of the deployed stack: https://a1b2c3.execute-api.eu-west-1.amazonaws.com/v1",
	"<ROLE_ARN>":  "the AWS role that Snowflake assumes, an output of the deployed stack (the end of its name is generated): arn:aws:iam::123456789012:role/penstock-SnowflakeRole-1A2B3C4D5E6F",
	"<WAREHOUSE>": "the Snowflake warehouse in which the script and the tasks run: SHOW WAREHOUSES",
}

func header(missing []string) string {
	if len(missing) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("-- NOT READY TO RUN. Replace these first:\n")
	for _, m := range missing {
		fmt.Fprintf(&b, "--   %-12s %s\n", m, meaning[m])
	}
	b.WriteString("\n")
	return b.String()
}
