package schedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"reflect"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/penstock-data/penstock/shared/app/awsenv"
	"github.com/penstock-data/penstock/shared/app/env"
	"github.com/penstock-data/penstock/shared/aws/secrets"
	"github.com/penstock-data/penstock/shared/aws/state"
	"github.com/penstock-data/penstock/shared/netguard"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/syncdef"
	"github.com/penstock-data/penstock/shared/warehouse"
	"github.com/penstock-data/penstock/shared/warehouse/bigquery"
	"github.com/penstock-data/penstock/shared/warehouse/redshift"
	"github.com/penstock-data/penstock/shared/warehouse/snowflake"
)

// lease is longer than the function's time-out in template.yaml: a call that was begun
// so long ago is in nobody's hands.
const lease = 2 * time.Minute

// FromEnvironment is the schedule function on AWS.
func FromEnvironment() (*Handler, error) {
	vars, err := env.Load("schedule", env.Functions["schedule"], os.LookupEnv)
	if err != nil {
		return nil, err
	}
	cfg, err := awsenv.Load(os.LookupEnv)
	if err != nil {
		return nil, err
	}
	table := state.New(cfg, state.Config{Table: vars[env.StateTable], Now: time.Now})
	store := secrets.New(cfg, secrets.Config{Prefix: vars[env.SecretPrefix]})
	client := &http.Client{Transport: netguard.Transport(awsenv.OneMachine(os.LookupEnv)), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &Handler{
		Function: os.Getenv(env.FunctionName), Log: slog.New(slog.NewJSONHandler(os.Stdout, nil)),
		Schedules: &runs.Schedules{
			Stores: runs.Stores{Syncs: table, Connections: table, Runs: table, History: table, Recorded: table, Halts: table, Firings: table, Pauses: table},
			Warehouse: &Warehouse{Connections: table, Now: time.Now, Open: func(ctx context.Context, c syncdef.Connection) (runs.Warehouse, error) {
				return open(ctx, cfg, client, store.Secret, c)
			}},
			Policy: run.DefaultPolicy(), Now: time.Now, Lease: lease,
		},
	}, nil
}

// open makes the client of a warehouse by its stored settings.
func open(ctx context.Context, cfg aws.Config, client *http.Client, secret func(context.Context, string) (map[string]string, error), c syncdef.Connection) (runs.Warehouse, error) {
	set := c.Options
	if c.Type == syncdef.Redshift {
		return redshift.New(cfg, redshift.Config{Workgroup: set["workgroup"], Cluster: set["cluster"], Database: set["database"], Schema: set["schema"], User: set["user"], SecretARN: set["secret_arn"]}), nil
	}
	values, err := secret(ctx, c.Secret)
	if err != nil {
		return nil, err
	}
	switch c.Type {
	case syncdef.Snowflake:
		key, err := snowflake.ParseKey(values["private_key"])
		if err != nil {
			return nil, warehouse.Refused("the member private_key of the secret %q %w", c.Secret, err)
		}
		schema := set["schema"]
		if schema == "" {
			schema = "public"
		}
		return snowflake.New(snowflake.Config{Account: set["account"], User: set["user"], Role: set["role"], Warehouse: set["warehouse"], Database: set["database"], Schema: schema,
			Key: key, HTTP: client, Now: time.Now}), nil
	case syncdef.BigQuery:
		key, err := bigquery.ReadKey(values)
		if err != nil {
			return nil, warehouse.Refused("the secret %q %w", c.Secret, err)
		}
		return bigquery.New(bigquery.Config{Project: set["project"], Dataset: set["dataset"], Location: set["location"], Key: key, HTTP: client, Now: time.Now}), nil
	}
	return nil, warehouse.Refused("this release runs nothing in a warehouse of type %q", c.Type)
}

// A Warehouse is the one that the stored settings name, read again after a minute and
// after any failure, so that what was mended soon holds.
type Warehouse struct {
	Connections interface {
		Connection(ctx context.Context, name string) (syncdef.Stored, error)
	}
	Open func(ctx context.Context, c syncdef.Connection) (runs.Warehouse, error)
	Now  func() time.Time

	mu       sync.Mutex // guards what follows
	settings syncdef.Connection
	client   runs.Warehouse // nil where it is to be read
	read     time.Time
}

const fresh = time.Minute

// Start implements runs.Warehouse.
func (w *Warehouse) Start(ctx context.Context, c run.Call) (run.Statement, error) {
	return w.with(ctx, func(in runs.Warehouse) (run.Statement, error) { return in.Start(ctx, c) })
}

// Look implements runs.Warehouse.
func (w *Warehouse) Look(ctx context.Context, handle string) (run.Statement, error) {
	return w.with(ctx, func(in runs.Warehouse) (run.Statement, error) { return in.Look(ctx, handle) })
}

func (w *Warehouse) with(ctx context.Context, do func(runs.Warehouse) (run.Statement, error)) (run.Statement, error) {
	in, err := w.current(ctx)
	if err != nil {
		return run.Statement{}, err
	}
	st, err := do(in)
	if err != nil {
		w.mu.Lock()
		w.client = nil
		w.mu.Unlock()
	}
	return st, err
}

func (w *Warehouse) current(ctx context.Context) (runs.Warehouse, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.client != nil && w.Now().Sub(w.read) < fresh {
		return w.client, nil
	}
	stored, err := w.Connections.Connection(ctx, syncdef.StoredWarehouse)
	if errors.Is(err, run.ErrNotFound) {
		return nil, warehouse.Refused("no warehouse is known: write warehouse into connections.yaml and run penstock apply --stack")
	}
	if err != nil {
		return nil, fmt.Errorf("read the settings of the warehouse: %w", err)
	}
	if w.client == nil || !reflect.DeepEqual(w.settings, stored.Connection) {
		client, err := w.Open(ctx, stored.Connection)
		if err != nil {
			return nil, err
		}
		w.client, w.settings = client, stored.Connection
	}
	w.read = w.Now()
	return w.client, nil
}
