// Package awstest makes the tables and queues that template.yaml makes, on servers
// that stand in for AWS: for tests, and for one machine with the AWS adapters.
package awstest

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/penstock-data/penstock/shared/aws/attr"
)

// The tables' names without the prefix that Tables puts before them.
const (
	State  = "state"
	Ledger = "ledger"
	Errors = "errors"
)

// Tables describes the three tables as template.yaml does: pk and sk, both
// strings, and nothing else; TTL, set apart, is on attr.Expires in state and errors.
func Tables(prefix string) []dynamodb.CreateTableInput {
	var all []dynamodb.CreateTableInput
	for _, name := range []string{State, Ledger, Errors} {
		all = append(all, dynamodb.CreateTableInput{
			TableName: aws.String(prefix + name), BillingMode: dbtypes.BillingModePayPerRequest,
			AttributeDefinitions: []dbtypes.AttributeDefinition{
				{AttributeName: aws.String(attr.PK), AttributeType: dbtypes.ScalarAttributeTypeS},
				{AttributeName: aws.String(attr.SK), AttributeType: dbtypes.ScalarAttributeTypeS},
			},
			KeySchema: []dbtypes.KeySchemaElement{
				{AttributeName: aws.String(attr.PK), KeyType: dbtypes.KeyTypeHash},
				{AttributeName: aws.String(attr.SK), KeyType: dbtypes.KeyTypeRange},
			},
		})
	}
	return all
}

// CreateTables makes the tables, and returns what removes them.
func CreateTables(ctx context.Context, cfg aws.Config, prefix string) (remove func(context.Context) error, err error) {
	db := dynamodb.NewFromConfig(cfg)
	tables := Tables(prefix)
	for _, t := range tables {
		if _, err := db.CreateTable(ctx, &t); err != nil {
			return nil, fmt.Errorf("create table %s: %w", *t.TableName, err)
		}
		// A table that was made is not there at once, on AWS.
		w := dynamodb.NewTableExistsWaiter(db, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 50 * time.Millisecond })
		if err := w.Wait(ctx, &dynamodb.DescribeTableInput{TableName: t.TableName}, 30*time.Second); err != nil {
			return nil, fmt.Errorf("wait for table %s: %w", *t.TableName, err)
		}
	}
	return func(ctx context.Context) error {
		for _, t := range tables {
			if _, err := db.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: t.TableName}); err != nil {
				return fmt.Errorf("delete table %s: %w", *t.TableName, err)
			}
		}
		return nil
	}, nil
}

// CreateQueues makes a FIFO queue, NAME.fifo, and the queue of its dead letters,
// NAME-dlq.fifo, and returns their URLs by NAME and NAME-dlq.
func CreateQueues(ctx context.Context, cfg aws.Config, name string, maxReceives int) (map[string]string, error) {
	client := sqs.NewFromConfig(cfg)
	create := func(name string, more map[string]string) (string, error) {
		attributes := map[string]string{"FifoQueue": "true", "MaximumMessageSize": "1048576", "MessageRetentionPeriod": "1209600"}
		for k, v := range more {
			attributes[k] = v
		}
		out, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(name + ".fifo"), Attributes: attributes})
		if err != nil {
			return "", fmt.Errorf("create queue %s: %w", name, err)
		}
		return aws.ToString(out.QueueUrl), nil
	}
	dead, err := create(name+"-dlq", nil)
	if err != nil {
		return nil, err
	}
	arn, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &dead, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn}})
	if err != nil {
		return nil, fmt.Errorf("read the ARN of queue %s-dlq: %w", name, err)
	}
	policy := fmt.Sprintf(`{"deadLetterTargetArn":%s,"maxReceiveCount":%d}`, strconv.Quote(arn.Attributes["QueueArn"]), maxReceives)
	url, err := create(name, map[string]string{"RedrivePolicy": policy})
	if err != nil {
		return nil, err
	}
	return map[string]string{name: url, name + "-dlq": dead}, nil
}
