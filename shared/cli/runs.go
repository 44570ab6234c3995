package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/warehouse/duckdb"
	"github.com/penstock-data/penstock/shared/wire"
)

type retryCmd struct {
	Run_    string        `arg:"" name:"run" help:"The run whose errors are sent again; penstock_status lists a sync's runs."`
	Record  []string      `help:"Only the errors of this record." placeholder:"ID"`
	Type    []string      `help:"Only errors of this type; unknown, which is of rows that may have arrived, is sent again only when it is named." placeholder:"TYPE"`
	Data    string        `default:"penstock-data" help:"The folder of this machine's state."`
	Gateway string        `help:"The gateway to call; without it the one of penstock local, or one started for the command." placeholder:"URL"`
	Wait    time.Duration `default:"1m" help:"How long to wait for the rows, when the gateway was started for the command."`
}

// Run sends the errors again, page by page.
func (c retryCmd) Run(ctx context.Context, s program) error {
	return control(ctx, s, sqlCmd{Data: c.Data, Gateway: c.Gateway, Wait: c.Wait}, func(call call) error {
		selector := runs.Selector{Records: c.Record, Types: c.Type}
		for {
			var r runs.Retried
			if err := call(wire.Retry, &r, c.Run_, selector); err != nil {
				return err
			}
			fmt.Fprintf(s.out, "%s: %s\n", r.Run, r.Message)
			if selector.After = r.Next; r.Next == "" {
				return nil
			}
		}
	})
}

type cancelCmd struct {
	Run_    string `arg:"" name:"run" help:"The run."`
	Reason  string `help:"Why, for whoever reads the run's status." placeholder:"TEXT"`
	Data    string `default:"penstock-data" help:"The folder of this machine's state."`
	Gateway string `help:"The gateway to call; without it the one of penstock local, or one started for the command." placeholder:"URL"`
}

// Run ends the run.
func (c cancelCmd) Run(ctx context.Context, s program) error {
	return control(ctx, s, sqlCmd{Data: c.Data, Gateway: c.Gateway, Wait: time.Minute}, func(call call) error {
		var r runs.RunStatus
		if err := call(wire.Cancel, &r, c.Run_, c.Reason); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%s %s: %s\n", r.ID, r.Status, r.Reason)
		return nil
	})
}

type resetCmd struct {
	Sync    string `arg:"" help:"The sync."`
	Data    string `default:"penstock-data" help:"The folder of this machine's state."`
	Gateway string `help:"The gateway to call; without it the one of penstock local, or one started for the command." placeholder:"URL"`
}

// Run clears the watermark.
func (c resetCmd) Run(ctx context.Context, s program) error {
	return control(ctx, s, sqlCmd{Data: c.Data, Gateway: c.Gateway, Wait: time.Minute}, func(call call) error {
		var r struct{ Sync, Message string }
		if err := call(wire.Reset, &r, c.Sync); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%s: %s\n", r.Sync, r.Message)
		return nil
	})
}

// A call calls a penstock function and reads its answer.
type call = func(function string, into any, args ...any) error

// control makes calls of the folder's gateway: the running one, or one that is
// started for them and stopped when their rows have settled.
func control(ctx context.Context, s program, c sqlCmd, calls func(call) error) (err error) {
	if _, err := os.Stat(filepath.Join(c.Data, stateFile)); err != nil && c.Gateway == "" {
		return fmt.Errorf("there is no state in %s: name the folder of penstock local or demo with --data", c.Data)
	}
	gateway, stopGateway, err := c.gateway(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopGateway()) }()
	return calls(func(function string, into any, args ...any) error {
		values := make([]jsontext.Value, len(args))
		for i, a := range args {
			text, err := json.Marshal(a)
			if err != nil {
				return fmt.Errorf("encode an argument of %s: %w", function, err)
			}
			values[i] = text
		}
		answer, err := duckdb.Call(ctx, duckdb.Config{Gateway: gateway, Token: c.token()}, function, values...)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(answer, into); err != nil {
			return fmt.Errorf("read the answer of %s: %w", function, err)
		}
		return nil
	})
}
