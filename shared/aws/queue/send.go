package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"

	"github.com/penstock-data/penstock/shared/envelope"
)

// parallel is how many batches of different groups are sent at once.
const parallel = 4

// Send sends in order and reports per message whether the queue accepted it; within
// a group nothing is sent after the first failure. It goes in rounds, each with the next message
// of every group: SQS may refuse one entry of a batch and take those after it, so
// two messages of one group never share a batch.
func (q *Queue) Send(ctx context.Context, queue string, msgs []envelope.Message) ([]bool, error) {
	accepted := make([]bool, len(msgs))
	url, err := q.url(queue)
	if err != nil || len(msgs) == 0 {
		return accepted, err
	}
	var faults error
	waiting, groups := byGroup(msgs)
	for len(groups) > 0 {
		var round []int // of msgs, one per group
		for _, g := range groups {
			i := waiting[g][0]
			if err := check(msgs[i]); err != nil {
				faults = errors.Join(faults, err)
				waiting[g] = nil
				continue
			}
			waiting[g] = waiting[g][1:]
			round = append(round, i)
		}
		for i, err := range q.round(ctx, url, msgs, round) {
			if accepted[i] = err == nil; err != nil {
				faults = errors.Join(faults, err)
				waiting[msgs[i].Group] = nil // nothing more of this group
			}
		}
		left := groups[:0]
		for _, g := range groups {
			if len(waiting[g]) > 0 {
				left = append(left, g)
			}
		}
		groups = left
	}
	if faults != nil {
		return accepted, fmt.Errorf("send %d messages to queue %s: %w", len(msgs), queue, faults)
	}
	return accepted, nil
}

// round sends messages of different groups, and returns every one's error, or nil.
func (q *Queue) round(ctx context.Context, url *string, msgs []envelope.Message, round []int) map[int]error {
	batches := cut(msgs, round)
	faults := make([]map[int]error, len(batches))
	var g errgroup.Group
	g.SetLimit(parallel)
	for b, batch := range batches {
		g.Go(func() error { faults[b] = q.batch(ctx, url, msgs, batch); return nil })
	}
	_ = g.Wait() // the faults are per message
	all := make(map[int]error, len(round))
	for _, f := range faults {
		for i, err := range f {
			all[i] = err
		}
	}
	return all
}

// batch makes one call. A message that the answer does not name has failed.
func (q *Queue) batch(ctx context.Context, url *string, msgs []envelope.Message, batch []int) map[int]error {
	entries := make([]types.SendMessageBatchRequestEntry, len(batch))
	result := make(map[int]error, len(batch))
	for n, i := range batch {
		m := msgs[i]
		entries[n] = types.SendMessageBatchRequestEntry{
			Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String(string(m.Body)),
			MessageGroupId: &m.Group, MessageDeduplicationId: aws.String(dedupID(m.Dedup)),
		}
		result[i] = fmt.Errorf("message %s: the queue did not say what became of it", m.Dedup)
	}
	out, err := q.client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: url, Entries: entries})
	if err != nil {
		for i := range result {
			result[i] = fmt.Errorf("message %s: %w", msgs[i].Dedup, err)
		}
		return result
	}
	for _, e := range out.Successful {
		if i, ok := index(e.Id, result); ok {
			result[i] = nil
		}
	}
	for _, e := range out.Failed {
		if i, ok := index(e.Id, result); ok {
			result[i] = fmt.Errorf("message %s: %s: %s", msgs[i].Dedup, aws.ToString(e.Code), aws.ToString(e.Message))
		}
	}
	return result
}

func index(id *string, of map[int]error) (int, bool) {
	i, err := strconv.Atoi(aws.ToString(id))
	_, ok := of[i]
	return i, ok && err == nil
}

// byGroup lists each group's messages, and the groups as they first come.
func byGroup(msgs []envelope.Message) (waiting map[string][]int, groups []string) {
	waiting = map[string][]int{}
	for i, m := range msgs {
		if _, seen := waiting[m.Group]; !seen {
			groups = append(groups, m.Group)
		}
		waiting[m.Group] = append(waiting[m.Group], i)
	}
	return waiting, groups
}

// cut makes batches of at most 10 messages and 1 MiB.
func cut(msgs []envelope.Message, round []int) [][]int {
	var batches [][]int
	size := 0
	for _, i := range round {
		n := len(msgs[i].Body)
		if last := len(batches) - 1; last >= 0 && len(batches[last]) < maxEntries && size+n <= maxBody {
			batches[last] = append(batches[last], i)
			size += n
			continue
		}
		batches = append(batches, []int{i})
		size = n
	}
	return batches
}

// check refuses what SQS would refuse, with the message's name.
func check(m envelope.Message) error {
	switch {
	case len(m.Body) == 0 || len(m.Body) > maxBody:
		return fmt.Errorf("message %s has %d bytes: 1 to %d are allowed", m.Dedup, len(m.Body), maxBody)
	case m.Group == "" || len(m.Group) > maxID:
		return fmt.Errorf("message %s has a group of %d characters: 1 to %d are allowed", m.Dedup, len(m.Group), maxID)
	}
	return nil
}

// dedupID is the id itself, or a hash of one that SQS does not take.
func dedupID(id string) string {
	plain := id != "" && len(id) <= maxID
	for i := 0; i < len(id) && plain; i++ {
		plain = id[i] > ' ' && id[i] < 0x7f
	}
	if plain {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}
