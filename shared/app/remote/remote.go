// Package remote opens a stack in AWS from a person's machine, with that person's
// credentials: what the command line and the console show of it, and what they do there.
package remote

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/smithy-go"

	"github.com/penstock-data/penstock/shared/alert"
	"github.com/penstock-data/penstock/shared/aws"
	awserrors "github.com/penstock-data/penstock/shared/aws/errors"
	"github.com/penstock-data/penstock/shared/aws/ledger"
	"github.com/penstock-data/penstock/shared/aws/queue"
	"github.com/penstock-data/penstock/shared/aws/state"
	"github.com/penstock-data/penstock/shared/pipeline/intake"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
	"github.com/penstock-data/penstock/shared/run"
)

// The outputs of template.yaml that name the tables.
const (
	stateTable  = "StateTable"
	ledgerTable = "LedgerTable"
	errorsTable = "ErrorsTable"
)

// patience bounds the search for credentials, whose last place is the metadata service
// of an EC2 instance: elsewhere nobody answers there.
const patience = 10 * time.Second

// Open is over the tables of the stack of that name, in the account and the region of
// the environment or the profile. Its errors are one line, with the remedy.
func Open(ctx context.Context, stack string) (*runs.Control, error) {
	cfg, tables, err := Stack(ctx, stack)
	if err != nil {
		return nil, err
	}
	return over(cfg, tables, time.Now), nil
}

// over is Control over a stack's tables and queues.
func over(cfg sdk.Config, tables map[string]string, now func() time.Time) *runs.Control {
	table := state.New(cfg, state.Config{Table: tables[stateTable], Now: now})
	errs := awserrors.New(cfg, awserrors.Config{Table: tables[errorsTable], Now: now})
	held := ledger.New(cfg, ledger.Config{Table: tables[ledgerTable]})
	queues := queue.New(cfg, queue.Config{URLs: queueURLs(tables)})
	in := &intake.Intake{Syncs: table, Connections: table, Runs: table, Batches: table, Chunks: table, Errors: errs, Queue: queues, Ledger: held, Seen: table, Pauses: table, Now: now}
	return &runs.Control{
		Stores: runs.Stores{
			Syncs: table, Definitions: table, Connections: table, Runs: table, History: table, Recorded: table, Marks: table, Due: table, Halts: table, Firings: table, Freshness: table, Verifications: table, Pauses: table, Audit: table,
			Errors: errs, Ledger: held, Depths: queues, Mirrors: table,
			Overviews: table, Some: table, Told: table, Lists: errs, Places: held, Versions: table, Entries: held, Sources: errs,
		},
		Replayer: in,
		Policy:   run.DefaultPolicy(), Now: now,
	}
}

// Alerts is what is stored of a sync's alerts in the stack of that name.
func Alerts(ctx context.Context, stack, sync string) (alert.Book, error) {
	cfg, tables, err := Stack(ctx, stack)
	if err != nil {
		return alert.Book{}, err
	}
	return state.New(cfg, state.Config{Table: tables[stateTable], Now: time.Now}).Alerts(ctx, sync)
}

// queueURLs are the destination types' queues, by type: the outputs that are called after
// them.
func queueURLs(outputs map[string]string) map[string]string {
	urls := map[string]string{}
	for name, url := range outputs {
		if kind, ok := strings.CutSuffix(name, "Queue"); ok {
			urls[strings.ToLower(kind)] = url
		}
	}
	return urls
}

// Stack is the SDK's configuration by the environment or the profile, and the outputs of
// the stack of that name.
func Stack(ctx context.Context, stack string) (sdk.Config, map[string]string, error) {
	cfg, err := load(ctx)
	if err != nil {
		return cfg, nil, err
	}
	described, err := describe(ctx, cfg, stack)
	if err != nil {
		return cfg, nil, err
	}
	out, err := outputs(described, stack)
	return cfg, out, err
}

// load is the SDK's configuration, with a region and credentials.
func load(ctx context.Context) (sdk.Config, error) {
	cfg, err := aws.Load(ctx)
	if err != nil {
		return cfg, err
	}
	if cfg.Region == "" {
		return cfg, errors.New("no AWS region is set: set AWS_REGION, or AWS_PROFILE to a profile that has one")
	}
	asked, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, err := cfg.Credentials.Retrieve(asked); err != nil {
		return cfg, errors.New("no AWS credentials were found, or they have expired: run  aws sso login , or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	return cfg, nil
}

func describe(ctx context.Context, cfg sdk.Config, stack string) (*cloudformation.DescribeStacksOutput, error) {
	out, err := cloudformation.NewFromConfig(cfg).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &stack})
	if err != nil {
		return nil, refused(err, stack, cfg.Region)
	}
	return out, nil
}

// outputs are the stack's outputs, those of its tables among them.
func outputs(described *cloudformation.DescribeStacksOutput, stack string) (map[string]string, error) {
	found := map[string]string{}
	for _, s := range described.Stacks {
		for _, o := range s.Outputs {
			found[sdk.ToString(o.OutputKey)] = sdk.ToString(o.OutputValue)
		}
	}
	for _, name := range []string{stateTable, ledgerTable, errorsTable} {
		if found[name] == "" {
			return nil, fmt.Errorf("the stack %q has no output %s: name a stack that was deployed from Penstock's template.yaml, and whose deployment has ended", stack, name)
		}
	}
	return found, nil
}

// refused says in one line what CloudFormation answered.
func refused(err error, stack, region string) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return fmt.Errorf("read the stack %q in %s: %w", stack, region, err)
	}
	switch code := api.ErrorCode(); {
	case code == "ValidationError" && strings.Contains(api.ErrorMessage(), "does not exist"):
		return fmt.Errorf("there is no stack %q in %s: look at the name with  aws cloudformation list-stacks , or set AWS_REGION", stack, region)
	case code == "AccessDenied" || code == "AccessDeniedException":
		return fmt.Errorf("your AWS credentials may not read the stack %q: they need cloudformation:DescribeStacks, and dynamodb:GetItem, BatchGetItem and Query on its tables", stack)
	case strings.Contains(code, "Expired") || strings.Contains(code, "InvalidClientTokenId") || strings.Contains(code, "UnrecognizedClient") || strings.Contains(code, "SignatureDoesNotMatch"):
		return fmt.Errorf("AWS does not accept your credentials (%s): run  aws sso login , or set AWS_PROFILE to another profile", code)
	}
	return fmt.Errorf("read the stack %q in %s: %s: %s", stack, region, api.ErrorCode(), api.ErrorMessage())
}
