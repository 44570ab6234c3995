package state

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/penstock-data/penstock/shared/aws/attr"
	"github.com/penstock-data/penstock/shared/run"
)

// countedBatches is after how many batches a run's item forgets which it has counted: it
// would grow with each, and what is written is paid by the KB. A batch comes again within
// minutes, or is found pinned.
const countedBatches = 500

// CountGate adds a batch's rows to those of its run, once, and returns what the run has:
// an item of the numbers rows, f0, f1 ... per rule, and the set counted of the batches' ids.
// It is one write, however many batches come at once; the sums come with its answer.
func (s *Store) CountGate(ctx context.Context, runID, batch string, c run.GateCounts) (run.GateCounts, error) {
	id, err := hex.DecodeString(batch)
	if err != nil {
		id = []byte(batch)
	}
	add := []string{"#rows :rows", "#counted :set"}
	values := attr.Item{
		":rows": attr.N(c.Rows), ":set": &types.AttributeValueMemberBS{Value: [][]byte{id}}, ":id": attr.B(id),
		":f": attr.Format(format), ":until": s.expiry(),
	}
	for i, n := range c.Failed {
		add = append(add, fmt.Sprintf("f%d :f%d", i, i))
		values[":f"+strconv.Itoa(i)] = attr.N(n)
	}
	key := attr.Key(shardPK(runID, 0), "GATE")
	out, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: s.table, Key: key, ReturnValues: types.ReturnValueAllNew,
		UpdateExpression:         aws.String("SET " + attr.F + " = :f, " + attr.Expires + " = :until ADD " + strings.Join(add, ", ")),
		ConditionExpression:      aws.String("(" + anyway + ") AND (attribute_not_exists(#counted) OR NOT contains(#counted, :id))"),
		ExpressionAttributeNames: map[string]string{"#rows": "rows", "#counted": "counted"}, ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var i attr.Item
	if found, again := attr.Refused(err); again {
		i, err = found, nil
	} else if err == nil {
		i = out.Attributes
		err = s.forget(ctx, key, i)
	}
	if err == nil {
		err = attr.Known(i, format, "the gate of run "+runID)
	}
	if err != nil {
		return run.GateCounts{}, fmt.Errorf("count batch %s of run %s for its gate: %w", batch, runID, err)
	}
	all := run.GateCounts{Rows: attr.Int(i["rows"]), Failed: make([]int64, len(c.Failed))}
	for n := range all.Failed {
		all.Failed[n] = attr.Int(i["f"+strconv.Itoa(n)])
	}
	return all, nil
}

// forget empties the set of a run's item that has grown.
func (s *Store) forget(ctx context.Context, key, i attr.Item) error {
	set, ok := i["counted"].(*types.AttributeValueMemberBS)
	if !ok || len(set.Value) < countedBatches {
		return nil
	}
	_, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: s.table, Key: key, UpdateExpression: aws.String("REMOVE #counted"),
		ConditionExpression: aws.String("size(#counted) >= :most"), ExpressionAttributeNames: map[string]string{"#counted": "counted"}, ExpressionAttributeValues: attr.Item{":most": attr.N(countedBatches)},
	})
	if _, done := attr.Refused(err); done {
		return nil
	}
	return err
}
