package cli

import (
	"fmt"

	"github.com/dustin/go-humanize/english"

	"github.com/penstock-data/penstock/sql"
)

type setupCmd struct {
	Dialect  string `arg:"" enum:"snowflake,redshift,bigquery,duckdb" help:"snowflake, redshift, bigquery or duckdb."`
	Syncs    string `help:"A folder of definitions: make the models that stand beside them, and a view per sync for its gate and its order." placeholder:"DIR"`
	Out      string `help:"Write the script into this folder: numbered files, and teardown.sql." placeholder:"DIR"`
	Teardown bool   `help:"Print the script that takes away what this one makes."`

	Pusher       []string `help:"Who may push: a role, penstock_pusher when none is given; on BigQuery user:, group: or serviceAccount: and an address. May be repeated." placeholder:"NAME"`
	Reader       []string `help:"Who may read status, errors and the monitoring tables; may be repeated." placeholder:"NAME"`
	MaxBatchRows int      `help:"Rows per request (1000)." placeholder:"N"`
	RoleARN      string   `name:"role-arn" help:"The AWS role that the warehouse assumes (stack output SnowflakeRoleArn or RedshiftRoleArn)." placeholder:"ARN"`
	Database     string   `help:"The database: of Snowflake (penstock), or the one of Redshift (dev)." placeholder:"NAME"`
	Schema       string   `help:"The schema: of Snowflake (public) or Redshift (penstock)." placeholder:"NAME"`

	APIURL      string `name:"api-url" help:"Snowflake: the API's invoke URL (stack output ApiUrl)." placeholder:"URL"`
	Integration string `help:"Snowflake: the API integration's name (penstock_api)." placeholder:"NAME"`
	Role        string `help:"Snowflake: the role that owns what is made (sysadmin)." placeholder:"NAME"`
	Warehouse   string `help:"Snowflake: the warehouse in which the script and the tasks run." placeholder:"NAME"`
	RunAs       string `help:"Snowflake: whose rights penstock_run has, caller (the default) or owner." placeholder:"WHO"`
	Streams     bool   `help:"Snowflake: make the sample's stream, and the task that it triggers, too."`
	Models      bool   `help:"Snowflake and DuckDB: the further models (sql/models) and their tables too, at the end of what is printed."`
	Sample      bool   `default:"true" negatable:"" help:"Snowflake and DuckDB: the sample's tables, rows, models and tasks too."`

	Function  string `help:"Redshift: the Lambda function behind the functions (stack output RedshiftFunction)." placeholder:"NAME"`
	Cluster   string `help:"Redshift: the cluster's identifier." placeholder:"NAME"`
	Workgroup string `help:"Redshift: the serverless workgroup, in a cluster's place." placeholder:"NAME"`

	Project    string `help:"BigQuery: the project of the dataset and the connection." placeholder:"ID"`
	Dataset    string `help:"BigQuery: the dataset (penstock)." placeholder:"NAME"`
	Location   string `help:"BigQuery: the region of dataset and connection, or EU or US." placeholder:"REGION"`
	Region     string `help:"BigQuery: the forwarder's region, where --location is EU or US." placeholder:"REGION"`
	Connection string `help:"BigQuery: the connection's name (penstock)." placeholder:"NAME"`
	Endpoint   string `help:"BigQuery: the forwarder's URL on Cloud Run." placeholder:"URL"`
}

// Run prints or writes the script, or prints its teardown.
func (c setupCmd) Run(s program) error {
	dialect, params := sql.Dialect(c.Dialect), c.params()
	if foreign := params.Foreign(dialect); len(foreign) > 0 {
		return usage("sql-setup %s takes no %s", dialect, english.OxfordWordSeries(foreign, "and"))
	}
	if c.Cluster != "" && c.Workgroup != "" {
		return usage("--cluster and --workgroup: choose one")
	}
	if c.Out != "" && c.Teardown {
		return usage("--out writes teardown.sql too: leave --teardown out")
	}
	if c.Models && (c.Out != "" || c.Teardown) {
		return usage("--models is printed behind the script: leave --out and --teardown out")
	}
	if c.Syncs != "" {
		set, err := loadFolder(c.Syncs, s.known.kinds())
		if err != nil {
			return faulty(s, err)
		}
		s.tellLeft(set)
		for _, y := range set.Syncs {
			params.Syncs = append(params.Syncs, sql.Sync{Definition: y.Definition, Model: y.Model})
		}
	}
	if c.Out != "" {
		return c.write(s, dialect, params)
	}
	script := sql.Setup
	if c.Teardown {
		script = sql.Teardown
	}
	text, err := script(dialect, params)
	if err != nil {
		return err
	}
	if c.Models {
		more, err := sql.SetupModels(sql.Dialect(c.Dialect))
		if err != nil {
			return err
		}
		text += "\n" + more
	}
	_, err = fmt.Fprint(s.out, text)
	return err
}

func (c setupCmd) params() sql.Params {
	return sql.Params{
		Pushers: c.Pusher, Readers: c.Reader, MaxBatchRows: c.MaxBatchRows, RoleARN: c.RoleARN, Database: c.Database, Schema: c.Schema,
		APIURL: c.APIURL, Integration: c.Integration, Role: c.Role, Warehouse: c.Warehouse, RunAs: c.RunAs, Streams: c.Streams, NoSample: !c.Sample,
		Function: c.Function, Cluster: c.Cluster, Workgroup: c.Workgroup,
		Project: c.Project, Dataset: c.Dataset, Location: c.Location, Region: c.Region, Connection: c.Connection, Endpoint: c.Endpoint,
	}
}
