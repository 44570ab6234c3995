package cli

import (
	"fmt"

	"github.com/penstock-data/penstock/sql"
)

type setupCmd struct {
	Dialect      string   `arg:"" enum:"snowflake,redshift,bigquery,duckdb" help:"snowflake, redshift, bigquery or duckdb."`
	APIURL       string   `name:"api-url" help:"The API's invoke URL (stack output ApiUrl)." placeholder:"URL"`
	RoleARN      string   `name:"role-arn" help:"The role that Snowflake assumes (stack output SnowflakeRoleArn)." placeholder:"ARN"`
	Integration  string   `help:"The API integration's name (penstock_api)." placeholder:"NAME"`
	Database     string   `help:"The database (penstock)." placeholder:"NAME"`
	Schema       string   `help:"The schema (public)." placeholder:"NAME"`
	Role         string   `help:"The Snowflake role that pushes (sysadmin)." placeholder:"NAME"`
	Pusher       []string `help:"A further role that may push; may be repeated." placeholder:"NAME"`
	Reader       []string `help:"A role that may read status, errors and the monitoring tables; may be repeated." placeholder:"NAME"`
	Warehouse    string   `help:"The warehouse in which the script and the tasks run." placeholder:"NAME"`
	MaxBatchRows int      `help:"Rows per request (1000)." placeholder:"N"`
	RunAs        string   `default:"caller" enum:"caller,owner" help:"Whose rights penstock_run has: caller or owner."`
	Streams      bool     `help:"Make the sample's stream, and the task that it triggers, too."`
	Sample       bool     `default:"true" negatable:"" help:"The sample's tables, rows, models and tasks too."`
}

// Run prints the script.
func (c setupCmd) Run(s program) error {
	text, err := sql.Setup(sql.Dialect(c.Dialect), sql.Params{
		APIURL: c.APIURL, RoleARN: c.RoleARN, Integration: c.Integration, Database: c.Database, Schema: c.Schema,
		Role: c.Role, Warehouse: c.Warehouse, MaxBatchRows: c.MaxBatchRows,
		Pushers: c.Pusher, Readers: c.Reader, RunAs: c.RunAs, Streams: c.Streams, NoSample: !c.Sample,
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(s.out, text)
	return err
}
