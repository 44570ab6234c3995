// Package sql holds the statements that set a warehouse up for Penstock: the
// sample's tables and models, the penstock functions where the warehouse needs
// them declared, one-statement runs, and monitoring views. It fills in the names
// of an account and runs nothing.
package sql

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/penstock-data/penstock/shared/wire/snowflake"
)

//go:embed duckdb/*.sql snowflake/*.sql
var files embed.FS

// SnowflakeParams are the names and addresses of one account. A field that is
// empty and has no default becomes a placeholder such as <ROLE_ARN>.
type SnowflakeParams struct {
	APIURL       string // the API's invoke URL with its stage: https://a1b2c3.execute-api.eu-west-1.amazonaws.com/v1
	RoleARN      string // the AWS role that the API integration assumes, named by CloudFormation: arn:aws:iam::123456789012:role/penstock-SnowflakeRole-1A2B3C4D5E6F
	Integration  string // default penstock_api
	Database     string // default penstock
	Schema       string // default public
	Role         string // the Snowflake role that pushes; default sysadmin
	Warehouse    string // the warehouse in which tasks run, and whose use the role is granted; no default
	MaxBatchRows int    // default 1000: at 1,000 rows a batch a row may have 4.5 KB of JSON on average
}

// Dialects are the warehouses that Setup knows.
var Dialects = []string{"duckdb", "snowflake"}

// Setup is the script that sets up a warehouse of the dialect, in order. The
// parameters are Snowflake's; duckdb takes none.
func Setup(dialect string, params SnowflakeParams) (string, error) {
	switch dialect {
	case "duckdb":
		return join(dialect, func(name, text string) (string, error) { return duckDialect.render(name, text, nil) })
	case "snowflake":
		if err := params.check(); err != nil {
			return "", fmt.Errorf("set up %q: %w", dialect, err)
		}
		missing := params.fill()
		body, err := join(dialect, func(name, text string) (string, error) {
			return snowDialect.render(name, text, params)
		})
		return header(missing) + body, err
	}
	return "", fmt.Errorf("set up %q: this dialect is not known; known are %s", dialect, strings.Join(Dialects, " and "))
}

// RunTables is the part of the duckdb script that penstock_run needs, which makes it
// by itself where it is missing.
func RunTables() string {
	text, err := files.ReadFile("duckdb/04_run.sql")
	if err != nil {
		return "" // cannot be: it is embedded
	}
	return string(text)
}

var (
	identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_$]*$`)
	roleARN    = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$`)
	apiURL     = regexp.MustCompile(`^https://[A-Za-z0-9.-]+(/[A-Za-z0-9_-]+)*/*$`)
)

// check refuses values that would not be what they stand for in the statements.
func (p *SnowflakeParams) check() error {
	var faults []error
	for _, f := range []struct {
		name, value, allowed string
		form                 *regexp.Regexp
	}{
		{"API URL", p.APIURL, "https://HOST/STAGE", apiURL},
		{"role ARN", p.RoleARN, "arn:aws:iam::ACCOUNT:role/NAME", roleARN},
		{"integration", p.Integration, "a plain identifier", identifier},
		{"database", p.Database, "a plain identifier", identifier},
		{"schema", p.Schema, "a plain identifier", identifier},
		{"role", p.Role, "a plain identifier", identifier},
		{"warehouse", p.Warehouse, "a plain identifier", identifier},
	} {
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

// meaning says what belongs where a placeholder stands.
var meaning = map[string]string{
	"<API_URL>":   "the API's invoke URL, an output of the deployed stack: https://a1b2c3.execute-api.eu-west-1.amazonaws.com/v1",
	"<ROLE_ARN>":  "the AWS role that Snowflake assumes, an output of the deployed stack (the end of its name is generated): arn:aws:iam::123456789012:role/penstock-SnowflakeRole-1A2B3C4D5E6F",
	"<WAREHOUSE>": "the Snowflake warehouse in which the tasks run: SHOW WAREHOUSES",
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

// join runs the dialect's files and those of both through fill, in the order of their
// names.
func join(dialect string, fill func(name, text string) (string, error)) (string, error) {
	own, err := fs.Glob(files, dialect+"/*.sql")
	shared, late := fs.Glob(monitoring, monitoringFolder+"/*.sql")
	if err := errors.Join(err, late); err != nil {
		return "", fmt.Errorf("set up %q: %w", dialect, err)
	}
	all := append(own, shared...)
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(path.Base(a), path.Base(b)) })
	var parts []string
	for _, file := range all {
		from := files
		if path.Dir(file) == monitoringFolder {
			from = monitoring
		}
		text, err := from.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("set up %q: %w", dialect, err)
		}
		part, err := fill(path.Base(file), string(text))
		if err != nil {
			return "", fmt.Errorf("set up %q: %w", dialect, err)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "\n"), nil
}
