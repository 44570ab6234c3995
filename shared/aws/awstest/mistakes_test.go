package awstest

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/app/apptest"
	"github.com/penstock-data/penstock/shared/app/control"
	"github.com/penstock-data/penstock/shared/app/push"
	"github.com/penstock-data/penstock/shared/aws"
	"github.com/penstock-data/penstock/shared/aws/errors"
	"github.com/penstock-data/penstock/shared/aws/ledger"
	"github.com/penstock-data/penstock/shared/aws/queue"
	"github.com/penstock-data/penstock/shared/aws/state"
	"github.com/penstock-data/penstock/shared/local"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
)

// What a caller got wrong comes to no key and no item that DynamoDB would refuse, or is
// told as the caller's when it does.
func TestMistakes(t *testing.T) {
	servers(t)
	ctx := t.Context()
	cfg, err := aws.Load(ctx)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("m%d", time.Now().UnixNano())
	remove, err := CreateTables(ctx, cfg, name+"-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := remove(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	})
	made, err := CreateQueues(ctx, cfg, name, 3)
	if err != nil {
		t.Fatal(err)
	}
	table := state.New(cfg, state.Config{Table: name + "-" + State, Now: time.Now})
	errs := errors.New(cfg, errors.Config{Table: name + "-" + Errors, Now: time.Now})
	queues := queue.New(cfg, queue.Config{URLs: map[string]string{"salesforce": made[name], "slack": made[name]}})
	set := apptest.Set(t)
	for _, c := range set.Connections {
		if err := table.PutConnection(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range apptest.Versions(set) {
		if err := table.Apply(ctx, v); err != nil {
			t.Fatal(err)
		}
	}
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, nil))
	in := &intake.Intake{Syncs: table, Connections: table, Runs: table, Batches: table, Chunks: table, Errors: errs, Queue: queues, Now: time.Now}
	functions := map[string]local.Invoker{
		"push": &push.Handler{Intake: in, Log: logger},
		"control": &control.Handler{Log: logger, Control: &runs.Control{
			Stores: runs.Stores{
				Syncs: table, Definitions: table, Connections: table, Runs: table, History: table, Recorded: table, Marks: table, Due: table, Halts: table, Freshness: table,
				Errors: errs, Depths: queues, Ledger: ledger.New(cfg, ledger.Config{Table: name + "-" + Ledger}),
			},
			Replayer: in, Policy: run.DefaultPolicy(), Now: time.Now,
		}},
	}
	const sync = "salesforce_customer_health"
	raw, err := functions["push"].Invoke(ctx, apptest.Request("push", "q0", "q0:1", apptest.Health(sync, "john@acmecorp.com", 1)))
	if err != nil {
		t.Fatal(err)
	}
	apptest.RunMistakes(t, functions, sync, apptest.Answers(t, raw)[0].Run)
	if strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("logged as our failure: %.3000s", log.String()[max(0, strings.Index(log.String(), "level=ERROR")):])
	}
}
