// Package queue sends to and receives from SQS FIFO queues. What the methods
// promise is written at intake.Queue and deliver.Visibility; on Lambda the
// event source mapping receives and deletes, on one machine local does.
package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/penstock-data/penstock/shared/envelope"
)

// SQS's own limits.
const (
	maxBody    = 1 << 20 // bytes of a message, and of all messages of a batch
	maxEntries = 10      // messages of a batch, sent or received
	maxID      = 128     // characters of a deduplication id or a group
	maxVisible = 12 * time.Hour
)

// Config says where the queues are.
type Config struct {
	URLs map[string]string // required: a queue's URL by its name, the destination type
	Wait time.Duration     // how long Receive waits for a first message; 0 returns at once
}

// A Queue is the client of all queues.
type Queue struct {
	client *sqs.Client
	cfg    Config
}

// New makes a Queue; it calls nothing yet.
func New(cfg aws.Config, c Config) *Queue {
	return &Queue{client: sqs.NewFromConfig(cfg), cfg: c}
}

func (q *Queue) url(queue string) (*string, error) {
	if url := q.cfg.URLs[queue]; url != "" {
		return &url, nil
	}
	return nil, fmt.Errorf("no URL is configured for queue %s: set it where the function's environment is set", queue)
}

// Depth is the approximate number of messages in the queue; those in flight count, and those
// that the queue does not hand out yet, as ElasticMQ counts what has come within the same moment.
func (q *Queue) Depth(ctx context.Context, queue string) (int, error) {
	url, err := q.url(queue)
	if err != nil {
		return 0, err
	}
	names := []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
	}
	out, err := q.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: names})
	if err != nil {
		return 0, fmt.Errorf("depth of queue %s: %w", queue, err)
	}
	total := 0
	for _, name := range names {
		n, err := strconv.Atoi(out.Attributes[string(name)])
		if err != nil {
			return 0, fmt.Errorf("depth of queue %s: %s is not a number: %w", queue, name, err)
		}
		total += n
	}
	return total, nil
}

// Receive hands out up to max (at most 10) messages, oldest first, and hides them
// for visibility, in whole seconds. While a message of a group is hidden, SQS
// hands out no other of that group.
func (q *Queue) Receive(ctx context.Context, queue string, max int, visibility time.Duration) ([]envelope.Delivery, error) {
	url, err := q.url(queue)
	if err != nil {
		return nil, err
	}
	out, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: url, MaxNumberOfMessages: int32(min(max, maxEntries)),
		VisibilityTimeout: seconds(visibility), WaitTimeSeconds: seconds(q.cfg.Wait),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{
			types.MessageSystemAttributeNameApproximateReceiveCount, types.MessageSystemAttributeNameSentTimestamp,
			types.MessageSystemAttributeNameMessageGroupId,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("receive from queue %s: %w", queue, err)
	}
	var got []envelope.Delivery
	for _, m := range out.Messages {
		d := envelope.Delivery{
			ID: aws.ToString(m.MessageId), Receipt: aws.ToString(m.ReceiptHandle), Body: []byte(aws.ToString(m.Body)),
			Group: m.Attributes[string(types.MessageSystemAttributeNameMessageGroupId)],
		}
		receives, err1 := strconv.Atoi(m.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
		sent, err2 := strconv.ParseInt(m.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)], 10, 64)
		if err1 != nil || err2 != nil {
			return nil, fmt.Errorf("receive from queue %s: message %s came without its receive count or time", queue, d.ID)
		}
		d.Receives, d.SentAt = receives, time.UnixMilli(sent).UTC()
		got = append(got, d)
	}
	return got, nil
}

// Delete removes messages that were received; twice is no error. One that cannot be
// removed keeps no other: all are tried, and the error names each that remains.
func (q *Queue) Delete(ctx context.Context, queue string, receipts ...string) error {
	url, err := q.url(queue)
	if err != nil {
		return err
	}
	var failed []error
	for _, receipt := range receipts {
		if _, err := q.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: &receipt}); err != nil {
			failed = append(failed, fmt.Errorf("delete from queue %s: %w", queue, err))
		}
	}
	return errors.Join(failed...)
}

// Hide makes a message invisible for d (at most 12 h) from now, in whole seconds, rounded up.
func (q *Queue) Hide(ctx context.Context, queue, receipt string, d time.Duration) error {
	url, err := q.url(queue)
	if err != nil {
		return err
	}
	if d < 0 || d > maxVisible {
		return fmt.Errorf("hide a message of queue %s: cannot hide it for %s: 0 to %s are allowed", queue, d, maxVisible)
	}
	if _, err := q.client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: url, ReceiptHandle: &receipt, VisibilityTimeout: seconds(d)}); err != nil {
		return fmt.Errorf("hide a message of queue %s: %w", queue, err)
	}
	return nil
}

// seconds rounds up, so that nothing becomes visible too early.
func seconds(d time.Duration) int32 { return int32((d + time.Second - 1) / time.Second) }
