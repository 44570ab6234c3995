package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/penstock-data/penstock/shared/aws/secrets"
	"github.com/penstock-data/penstock/shared/aws/state"
	"github.com/penstock-data/penstock/shared/pipeline/runs"
)

// A Place is a stack as a person's credentials see it: to be examined, or acted at.
type Place struct {
	Control    *runs.Control
	State      *state.Store // its connections' pace
	Outputs    map[string]string
	Queues     map[string]string // the URLs of the destination types' queues, by type
	Parameters map[string]string
	Status     string    // CloudFormation's: UPDATE_COMPLETE
	Deployed   time.Time // when it was last
	// ServerTime is when CloudFormation says that it answered a request that was sent and
	// answered at these times; zero where it does not.
	ServerTime, Sent, Answered time.Time

	name string
	cfg  sdk.Config
	now  func() time.Time
}

// Look opens a stack; now is this machine's clock. Its errors are Open's.
func Look(ctx context.Context, stack string, now func() time.Time) (*Place, error) {
	cfg, err := load(ctx)
	if err != nil {
		return nil, err
	}
	p := &Place{Parameters: map[string]string{}, name: stack, cfg: cfg, now: now, Sent: now()}
	described, err := describe(ctx, cfg, stack)
	if err != nil {
		return nil, err
	}
	p.Answered = now()
	if p.Outputs, err = outputs(described, stack); err != nil {
		return nil, err
	}
	p.Queues, p.Control = queueURLs(p.Outputs), over(cfg, p.Outputs, now)
	p.State = state.New(cfg, state.Config{Table: p.Outputs[stateTable], Now: now})
	p.ServerTime, _ = awsmiddleware.GetServerTime(described.ResultMetadata)
	for _, s := range described.Stacks {
		p.Status, p.Deployed = string(s.StackStatus), sdk.ToTime(s.CreationTime)
		if s.LastUpdatedTime != nil {
			p.Deployed = *s.LastUpdatedTime
		}
		for _, one := range s.Parameters {
			p.Parameters[sdk.ToString(one.ParameterKey)] = sdk.ToString(one.ParameterValue)
		}
	}
	return p, nil
}

// Secret reads a connection's secret; ErrLacking where the credentials may not.
func (p *Place) Secret(ctx context.Context, name string) (map[string]string, error) {
	values, err := secrets.New(p.cfg, secrets.Config{Prefix: p.prefix()}).Secret(ctx, name)
	if errors.Is(err, secrets.ErrDenied) {
		return nil, fmt.Errorf("%w: they lack secretsmanager:GetSecretValue", ErrLacking)
	}
	return values, err
}

// Queue is how many messages the queue at a URL has, and how many its dead letters have.
func (p *Place) Queue(ctx context.Context, address string) (waiting, dead int, err error) {
	client := sqs.NewFromConfig(p.cfg)
	waiting, redrive, err := depth(ctx, client, address)
	if err != nil {
		return 0, 0, err
	}
	var policy struct {
		DeadLetterTargetArn string `json:"deadLetterTargetArn"`
	}
	if err := json.Unmarshal([]byte(redrive), &policy); err != nil || policy.DeadLetterTargetArn == "" {
		return waiting, 0, errors.New("it has no dead letters: deploy the stack again")
	}
	arn := policy.DeadLetterTargetArn
	u, err := url.Parse(address)
	if err != nil {
		return waiting, 0, fmt.Errorf("the address of the queue: %w", err)
	}
	u.Path = u.Path[:strings.LastIndexByte(u.Path, '/')+1] + arn[strings.LastIndexByte(arn, ':')+1:]
	dead, _, err = depth(ctx, client, u.String())
	return waiting, dead, err
}

func depth(ctx context.Context, client *sqs.Client, address string) (n int, redrive string, err error) {
	names := []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible, types.QueueAttributeNameRedrivePolicy}
	out, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &address, AttributeNames: names})
	if err != nil {
		return 0, "", lacking(err, "sqs:GetQueueAttributes")
	}
	for _, name := range names[:2] {
		one, err := strconv.Atoi(out.Attributes[string(name)])
		if err != nil {
			return 0, "", fmt.Errorf("%s is not told", name)
		}
		n += one
	}
	return n, out.Attributes[string(types.QueueAttributeNameRedrivePolicy)], nil
}

// Trust is the trust policy of the role that the warehouse assumes.
func (p *Place) Trust(ctx context.Context) (string, error) {
	out, err := iam.NewFromConfig(p.cfg).GetRole(ctx, &iam.GetRoleInput{RoleName: sdk.String(p.Role())})
	if err != nil {
		return "", lacking(err, "iam:GetRole")
	}
	return url.QueryUnescape(sdk.ToString(out.Role.AssumeRolePolicyDocument)) // IAM escapes it as RFC 3986 has it
}

// Role is the name of that role.
func (p *Place) Role() string {
	arn := p.Outputs["SnowflakeRoleArn"]
	return arn[strings.LastIndexByte(arn, '/')+1:]
}

// Access is the API's resource policy.
func (p *Place) Access(ctx context.Context) (string, error) {
	host := strings.TrimPrefix(p.Outputs["ApiUrl"], "https://")
	id, _, _ := strings.Cut(host, ".")
	out, err := apigateway.NewFromConfig(p.cfg).GetRestApi(ctx, &apigateway.GetRestApiInput{RestApiId: &id})
	if err != nil {
		return "", lacking(err, "apigateway:GET")
	}
	return sdk.ToString(out.Policy), nil
}

// ErrLacking says that the person's credentials may not look.
var ErrLacking = errors.New("your AWS credentials may not look")

// lacking names the permission that is missing, or gives the code that AWS answered.
func lacking(err error, action string) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	if strings.Contains(api.ErrorCode(), "AccessDenied") || strings.Contains(api.ErrorCode(), "Forbidden") {
		return fmt.Errorf("%w: they lack %s", ErrLacking, action)
	}
	return fmt.Errorf("%s: %s", api.ErrorCode(), api.ErrorMessage())
}
