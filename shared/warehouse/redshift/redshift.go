// Package redshift runs CALL penstock_run over Amazon Redshift's Data API (AWS
// documentation, "Using the Amazon Redshift Data API"). It hands a statement over and
// asks later what became of it. Redshift keeps a ClientToken for 8 hours, and runs a
// statement once under it meanwhile. A statement is shown to the role that started it.
package redshift

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/redshiftdata"
	"github.com/aws/aws-sdk-go-v2/service/redshiftdata/types"
	"github.com/aws/smithy-go"

	"github.com/penstock-data/penstock/shared/run"
	"github.com/penstock-data/penstock/shared/warehouse"
)

// Config says where and as whom statements run: a workgroup of Redshift Serverless or a
// cluster, one of the two.
type Config struct {
	Workgroup string
	Cluster   string
	Database  string
	Schema    string // of penstock_run; "" is the user's search path
	// User is the database user of a cluster; "" is the function's own identity, IAMR:role.
	User string
	// SecretARN is a secret with a user's name and password, in the place of both.
	SecretARN string
}

// A Client runs statements.
type Client struct {
	api *redshiftdata.Client
	cfg Config
}

// New makes a Client in the region of the SDK's configuration; it calls nothing yet.
func New(cfg aws.Config, c Config) *Client {
	return &Client{redshiftdata.NewFromConfig(cfg), c}
}

// Start hands the statement over. Words are checked and stand between quotes: a CALL is
// not documented to take the Data API's parameters.
func (c *Client) Start(ctx context.Context, call run.Call) (run.Statement, error) {
	if err := warehouse.Check(call); err != nil {
		return run.Statement{}, err
	}
	name := "penstock_run"
	if c.cfg.Schema != "" {
		name = `"` + strings.ReplaceAll(c.cfg.Schema, `"`, `""`) + `".` + name
	}
	in := &redshiftdata.ExecuteStatementInput{
		Sql:           aws.String(fmt.Sprintf("CALL %s('%s', '%s')", name, call.Sync, call.Mode)),
		ClientToken:   aws.String(call.Request),
		Database:      aws.String(c.cfg.Database),
		StatementName: aws.String("penstock " + call.Sync),
		WorkgroupName: set(c.cfg.Workgroup), ClusterIdentifier: set(c.cfg.Cluster), DbUser: set(c.cfg.User), SecretArn: set(c.cfg.SecretARN),
	}
	out, err := c.api.ExecuteStatement(ctx, in)
	if err != nil {
		return run.Statement{}, refused(err)
	}
	return run.Statement{Handle: aws.ToString(out.Id), State: run.StatementRunning}, nil
}

// Look asks what became of a statement.
func (c *Client) Look(ctx context.Context, handle string) (run.Statement, error) {
	out, err := c.api.DescribeStatement(ctx, &redshiftdata.DescribeStatementInput{Id: &handle})
	if err != nil {
		return run.Statement{}, looked(err, handle)
	}
	st := run.Statement{Handle: handle, State: run.StatementRunning}
	switch out.Status {
	case types.StatusStringFinished:
		st.State = run.StatementDone
	case types.StatusStringFailed, types.StatusStringAborted: // its error may quote a row (I6)
		st.State = run.StatementFailed
		st.Reason = fmt.Sprintf("CALL penstock_run %s: aws redshift-data describe-statement --id %s  shows the message, and so does SYS_QUERY_HISTORY for query %d",
			strings.ToLower(string(out.Status)), handle, out.RedshiftQueryId)
	}
	if st.State != run.StatementDone || !aws.ToBool(out.HasResultSet) {
		return st, nil
	}
	result, err := c.api.GetStatementResult(ctx, &redshiftdata.GetStatementResultInput{Id: &handle})
	switch {
	case err != nil && unreadable(err), err == nil && len(result.Records) == 0: // it is done, whatever it answered
		return st, nil
	case err != nil:
		return run.Statement{}, looked(err, handle)
	}
	var columns, cells []string
	for i, f := range result.Records[0] {
		if i < len(result.ColumnMetadata) {
			columns = append(columns, aws.ToString(result.ColumnMetadata[i].Name))
		}
		cells = append(cells, text(f))
	}
	st = warehouse.Summary(columns, cells)
	st.Handle = handle
	return st, nil
}

// text is a value as text; "" for null.
func text(f types.Field) string {
	switch f := f.(type) {
	case *types.FieldMemberStringValue:
		return f.Value
	case *types.FieldMemberLongValue:
		return strconv.FormatInt(f.Value, 10)
	}
	return ""
}

func set(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// refused classes what ExecuteStatement answered (its API reference, "Errors").
func refused(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return fmt.Errorf("call Redshift's Data API: %w", err)
	}
	switch code := api.ErrorCode(); code {
	case "ActiveStatementsExceededException", "ActiveSessionsExceededException", "ThrottlingException", "TooManyRequestsException":
		return warehouse.Busy("Redshift's Data API answered %s", code)
	case "ValidationException", "ExecuteStatementException", "AccessDeniedException", "ResourceNotFoundException", "UnrecognizedClientException", "InvalidSignatureException":
		return warehouse.Refused("Redshift's Data API answered %s: look at workgroup or cluster, database, user and secret_arn in connections.yaml, and at the parameter WarehouseArn of the stack", code)
	default:
		return fmt.Errorf("Redshift's Data API answered %s", code) //nolint:staticcheck,revive // a name
	}
}

// unreadable reports whether a result will not be shown however often it is asked for:
// it has gone, or the role may not read it.
func unreadable(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && slices.Contains([]string{"ResourceNotFoundException", "ValidationException", "AccessDeniedException"}, api.ErrorCode())
}

// looked classes what asking answered.
func looked(err error, handle string) error {
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "ResourceNotFoundException" {
		return warehouse.Refused("Redshift knows no statement %s any more", handle)
	}
	if errors.As(err, &api) {
		return fmt.Errorf("Redshift's Data API answered %s", api.ErrorCode()) //nolint:staticcheck,revive // a name
	}
	return fmt.Errorf("call Redshift's Data API: %w", err)
}
